#!/bin/sh
# lists.sh [ROOT]: every source is in its folder's local.mk, and so in the build and in the release.
. "${0%/*}/common.sh"
cd "${1:-${top_srcdir:-.}}" || exit 99

# The list is that of the nearest local.mk above the file; the public headers are in the makefile itself.
listed() {
    folder=${1%/*}
    while [ ! -f "$folder/local.mk" ] && [ "${folder%/*}" != "$folder" ]; do
        folder=${folder%/*}
    done
    list=$folder/local.mk
    [ -f "$list" ] || list=Makefile.am
    grep -qE "(^|[[:space:]])$(echo "$1" | sed 's/[.+]/\\&/g')([[:space:]]|\$)" "$list" || {
        echo "$1: missing in $list"
        return 1
    }
}

for file in $(c_files src preload tools include examples tests bench); do
    check listed "$file"
done
finish
