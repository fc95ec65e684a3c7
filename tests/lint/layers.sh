#!/bin/sh
# layers.sh [ROOT]: an include may point down only: os <- base <- heap <- gc <- {leak, own} <- {preload, tools}.
#
# Public headers count too: <gcalloc/heap.h> is what heap shows, <gcalloc.h> is above all. Includes are written
# "layer/file.h", no .c file is included, and os/syscall.h stays inside os.
. "${0%/*}/common.sh"
cd "${1:-${top_srcdir:-.}}" || exit 99

one_file() {
    awk -v file="$1" '
    function fault(text) { printf "%s:%d: %s\n", file, FNR, text; faults = 1 }
    function layer_of(path) { sub(/^src\//, "", path); return path ~ /\// ? substr(path, 1, index(path, "/") - 1) : "" }
    BEGIN {
        split("os 0 base 1 heap 2 gc 3 quarantine 3 leak 4 own 4 preload 5 tools 5", words, " ")
        for (i = 1; i in words; i += 2)
            rank[words[i]] = words[i + 1]
        public["gcalloc.h"] = 5
        split("heap 2 gc 3 quarantine 3 leak 4 own 4 arena 4 scratch 4 text 4 pool 4 alloc 4 annotate 4 audit 4 movable 4 borrow 4 count 4 scope 4 shared 4 type 4 valid 4", words, " ")
        for (i = 1; i in words; i += 2)
            public["gcalloc/" words[i] ".h"] = words[i + 1]
        own = layer_of(file)
        if (!(own in rank)) {
            fault("lies in no layer")
            exit 1
        }
    }
    /^[ \t]*#[ \t]*include[ \t]*(<|"gcalloc[.\/])/ {
        split($0, part, /[<>"]/)
        if (part[2] ~ /^gcalloc/ && !(part[2] in public))
            fault("unknown public header " part[2])
        else if (part[2] in public && public[part[2]] > rank[own])
            fault(own " includes " part[2] ", which is above it")
        next
    }
    /^[ \t]*#[ \t]*include[ \t]*"/ {
        split($0, part, /"/)
        to = layer_of(part[2])
        if (part[2] ~ /\.(c|cc|cpp)$/)
            fault("includes a source file, " part[2])
        else if (part[2] ~ /^(src|\.\.?)\// || !(to in rank))
            fault("include \"layer/file.h\", not \"" part[2] "\"")
        else if (rank[to] > rank[own])
            fault(own " includes " part[2] ", which is above it")
        else if (rank[to] == rank[own] && to != own)
            fault(own " includes " part[2] ", which is beside it")
        else if (part[2] == "os/syscall.h" && own != "os")
            fault("os/syscall.h belongs to os alone")
        next
    }
    /^[ \t]*#[ \t]*include/ { fault("an include that names no file cannot be checked") }
    END { exit faults }' "$1"
}

for file in $(c_files src preload tools); do
    check one_file "$file"
done
finish
