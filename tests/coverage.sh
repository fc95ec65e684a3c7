#!/bin/sh
# coverage.sh FOLDER: which share of each source file's lines ran, by the counts that the tests left in the build folder.
# GCOV names gcov or an equal, such as "llvm-cov gcov".
set -eu
cd "$1"
sources=$(sed -n 's/^abs_top_srcdir = //p' Makefile)

find . -name '*.gcno' | LC_ALL=C sort | while read -r counts; do
    # The counts lie beside it; a file without any was never loaded, and is listed with none.
    ${GCOV:-gcov} -n "$counts" 2>/dev/null
done | awk -v root="$sources/" '
/^File / { split($0, part, "\047"); name = part[2]; sub("^" root, "", name) }
/^Lines executed:/ && name ~ /^(src|preload|tools)\/.*\.c$/ {
    split($0, part, /[:% ]+/)
    lines = part[length(part)]
    ran = part[3] * lines / 100
    if (!(name in total) || ran > most[name]) {
        most[name] = ran
        total[name] = lines
    }
    name = ""
}
END {
    for (name in total) {
        printf "%5.1f %%  %5d lines  %s\n", 100 * most[name] / total[name], total[name], name | "sort -k4"
        all_ran += most[name]
        all += total[name]
    }
    close("sort -k4")
    if (!all) {
        print "no counts: was the build made with --enable-coverage, and did a test run?"
        exit 1
    }
    printf "%5.1f %%  %5d lines  in all\n", 100 * all_ran / all, all
}'
