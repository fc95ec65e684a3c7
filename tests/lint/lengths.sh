#!/bin/sh
# lengths.sh [ROOT]: sources have at most 600 lines, headers 200, functions 70. Tests and benchmarks, which are lists
# more often than thoughts, may have 1000 lines.
#
# A function is what stands between a "{" and a "}" in the first column, as .clang-format puts them.
. "${0%/*}/common.sh"
cd "${1:-${top_srcdir:-.}}" || exit 99

source_lines_max=600
header_lines_max=200
test_lines_max=1000
function_lines_max=70

one_file() {
    case $1 in
    tests/* | bench/*) limit=$test_lines_max ;;
    *.h) limit=$header_lines_max ;;
    *) limit=$source_lines_max ;;
    esac
    awk -v file="$1" -v limit="$limit" -v function_limit="$function_lines_max" '
    function fault(line, text) { printf "%s:%d: %s\n", file, line, text; faults = 1 }
    /^\{[ \t]*$/ { opened = FNR }
    /^}/ {
        if (opened && FNR - opened - 1 > function_limit)
            fault(opened, "a function of " FNR - opened - 1 " lines; at most " function_limit)
        opened = 0
    }
    /^[A-Za-z_].*\)[ \t]*\{[ \t]*$/ { fault(FNR, "the brace of a function stands on a line of its own") }
    END {
        if (FNR > limit)
            fault(FNR, FNR " lines; at most " limit)
        exit faults
    }' "$1"
}

for file in $(c_files src preload tools include examples tests bench); do
    check one_file "$file"
done
finish
