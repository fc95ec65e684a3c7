#!/bin/sh
# options.sh [ROOT]: gcalloc(7) describes every option in options.def. top_builddir says where a page made by the
# build lies.
. "${0%/*}/common.sh"
root=${1:-${top_srcdir:-.}}
page=$root/man/gcalloc.7
[ -f "$page" ] || page=${top_builddir:-$root}/man/gcalloc.7
[ -f "$page" ] || { echo "no gcalloc.7 in $root/man, nor where it would be made"; exit 1; }

# In bold at the start of a line, as the tag of a paragraph is: .B stats, .BI stats =N, \fBstats\fP=...
described() {
    grep -qE "^(\.(B|BI|BR|It) +(Cm +|Sy +)?\"?|(\.IP +\"?)?\\\\fB)$1([^a-z_]|\$)" "$page" || {
        echo "$page: option $1 is not described"
        return 1
    }
}

for option in $(sed -nE 's/^(OPTION|CHOICE|TEXT)\(([a-z_0-9]+),.*/\2/p' "$root/src/base/options.def"); do
    check described "$option"
done
finish
