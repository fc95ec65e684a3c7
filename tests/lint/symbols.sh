#!/bin/sh
# symbols.sh [CORE LIBRARY [LISTS]]: the core uses nothing of libc's but what allowed-symbols.txt names, and the library
# shows exactly what exported-symbols.txt names. LISTS is the folder of the two lists.
#
# What stands behind the first list: no malloc, no stdio, nothing that locks, nothing that the program may have
# interposed. NM names the nm to use.
. "${0%/*}/common.sh"
core=${1:-${top_builddir:-.}/.libs/libcore.a}
library=${2:-${top_builddir:-.}/.libs/libgcalloc.so}
lists=${3:-${0%/*}}
export LC_ALL=C

for file in "$core" "$library"; do
    [ -f "$file" ] || { echo "$file is not built"; exit 99; }
done
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

sed 's/[[:space:]]*#.*//; /^$/d' "$lists/allowed-symbols.txt" | sort -u >"$work/allowed"
sed 's/[[:space:]]*#.*//; /^$/d' "$lists/exported-symbols.txt" | sort -u >"$work/held"

# names FILTER FILE OPTIONS...: names in a symbol table, without versions, whose type letter matches the filter.
names() {
    filter=$1
    file=$2
    shift 2
    "${NM:-nm}" "$@" -P "$file" | awk -v filter="$filter" 'NF >= 2 && $2 ~ filter { sub(/@.*/, "", $1); print $1 }' | sort -u
}

names '^[Uwv]$' "$core" >"$work/core-used"
names '^[A-TV-Zi]$' "$core" -g >"$work/core-own"
comm -23 "$work/core-used" "$work/core-own" >"$work/core-needs"
names '^[Uwv]$' "$library" -D >"$work/library-needs"
names '^[A-TV-Zi]$' "$library" -D --defined-only >"$work/shown"

# nothing_in FILE WHAT: the file is empty, or each of its lines is a fault.
nothing_in() {
    [ ! -s "$1" ] && return
    sed "s|\$|: $2|" "$1"
    return 1
}

# The whole library's own needs are those of the core and of preload/: the same list, in which "preload" marks what
# only preload/ may use.
grep -v ' preload$' "$work/allowed" | comm -23 "$work/core-needs" - >"$work/core-strange"
sed 's/ preload$//' "$work/allowed" | sort -u | comm -23 "$work/library-needs" - >"$work/library-strange"
comm -23 "$work/shown" "$work/held" >"$work/shown-strange"
comm -13 "$work/shown" "$work/held" >"$work/shown-missing"

check test -s "$work/core-used"
check test -s "$work/shown"
check nothing_in "$work/core-strange" "the core may not use this (allowed-symbols.txt)"
check nothing_in "$work/library-strange" "the library may not use this (allowed-symbols.txt)"
check nothing_in "$work/shown-strange" "the library shows this, which exported-symbols.txt does not hold"
check nothing_in "$work/shown-missing" "the library does not show this, which exported-symbols.txt holds"
finish
