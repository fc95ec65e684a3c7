#!/bin/sh
# compilers.sh [ROOT]: gcc and clang, those of them that are here, find nothing to warn of in what is shipped. The build
# itself sees one of them only. Version-string macros are the build's affair and stand here for any.
. "${0%/*}/common.sh"
build=$(cd "${top_builddir:-.}" && pwd) # has a header that is made
cd "${1:-${top_srcdir:-.}}" || exit 99

warnings="-Wall -Wextra -Wshadow -Wconversion -Wundef -Wvla -Wpointer-arith -Wwrite-strings -Wstrict-prototypes
    -Wmissing-prototypes -Wold-style-definition -Wnested-externs -Werror"
seen=$(mktemp) || exit 99
trap 'rm -f "$seen"' EXIT

is_clean() {
    folder=$1
    shift
    # shellcheck disable=SC2046
    if ! "$@" $warnings $(flags_of "$folder") -D_GNU_SOURCE -DPACKAGE_VERSION=__FILE__ -DGCALLOC_VERSION=__FILE__ -Isrc -Iinclude -I. "-I$build" \
        -std=gnu11 -fsyntax-only $(c_files "$folder" | grep '\.c$') >"$seen" 2>&1; then
        echo "$folder is not clean under $1:"
        sed 's/^/    /' "$seen"
        return 1
    fi
}

# What the build defines, for any value; malloc and its kin are declared elsewhere, or by nobody.
flags_of() {
    case $1 in
    preload) echo -Wno-missing-prototypes ;;
    tools) echo "-DGCALLOC_LIBDIR=__FILE__ -DGCALLOC_MULTIARCH=__FILE__" ;;
    esac
}

for compiler in gcc clang; do
    if ! command -v $compiler >/dev/null; then
        echo "no $compiler here"
        continue
    fi
    for folder in src/os src/base src/heap src/gc src/leak src/own preload tools; do
        [ -z "$(c_files "$folder" | grep '\.c$')" ] || check is_clean "$folder" $compiler
    done
done
finish
