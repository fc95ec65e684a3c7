#!/bin/sh
# neutral.sh: annotations change no code. tests/static/neutral.c is compiled with them and without, by every compiler
# there is and at every level, and the objects are compared byte by byte. GCA_CHECK is tried with gcc only: clang is told more there.
. "$top_srcdir/tests/lint/common.sh"

folder=$(mktemp -d) || exit 99
trap 'rm -rf "$folder"' EXIT

compile() {
    object=$1
    shift
    "$@" -std=gnu11 -w -I"$top_srcdir/include" -c -o "$folder/$object" "$top_srcdir/tests/static/neutral.c"
}

same() {
    compile with "$@" && compile bare "$@" -DNEUTRAL_BARE && cmp "$folder/with" "$folder/bare" || {
        echo "other code with annotations: $*"
        return 1
    }
}

for compiler in gcc clang clang-14 clang-16 clang-19 clang-20 clang-21 clang-22 clang-23; do
    command -v "$compiler" >/dev/null || continue
    for level in -O0 -O1 -O2 -O3 -Os "-O2 -fno-strict-aliasing -fPIC"; do
        # shellcheck disable=SC2086
        check same "$compiler" $level
        case $compiler in
        gcc)
            # shellcheck disable=SC2086
            check same "$compiler" $level -DGCA_CHECK
            ;;
        esac
    done
done
finish
