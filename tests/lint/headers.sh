#!/bin/sh
# headers.sh [ROOT]: every header compiles alone, and the public ones in C++, too. CC and CXX name the compilers.
. "${0%/*}/common.sh"
cd "${1:-${top_srcdir:-.}}" || exit 99

warnings="-Wall -Wextra -Werror"
seen=$(mktemp) || exit 99
trap 'rm -f "$seen"' EXIT

compiles() {
    language=$1
    header=$2
    shift 2
    # From standard input, since a header as the main file would be warned of for its #pragma once or unused inlines.
    if ! echo "#include \"$header\"" |
        "$@" $warnings -D_GNU_SOURCE -Isrc -Iinclude -Itests -Ibench -I. -x "$language" -fsyntax-only - >"$seen" 2>&1; then
        echo "$header does not compile alone ($language):"
        sed 's/^/    /' "$seen"
        return 1
    fi
}

for header in $(c_files src preload tools include tests bench | grep '\.h$'); do
    check compiles c "$header" ${CC:-cc} -std=gnu11
done
if echo 'int main() {}' | ${CXX:-c++} -x c++ -fsyntax-only - 2>/dev/null; then
    for header in $(c_files include | grep '\.h$'); do
        check compiles c++ "$header" ${CXX:-c++} -U_GNU_SOURCE
    done
else
    echo "no C++ compiler: the public headers were compiled as C only"
fi
finish
