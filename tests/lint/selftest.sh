#!/bin/sh
# selftest.sh: every check in this folder finds what it is there to find, and leaves sound code alone.
#
# A small sound tree is made, every check passes on it; then one fault at a time is put into a copy of it, and the check
# must fail and name the file.
here=$(cd "${0%/*}" && pwd)
. "$here/common.sh"
export LC_ALL=C
cc=${CC:-cc}

work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
sound=$work/sound
tree=$work/tree

make_sound_tree() {
    mkdir -p "$sound/src/os" "$sound/src/base" "$sound/src/heap" "$sound/src/gc" "$sound/src/leak" "$sound/src/own" \
        "$sound/preload" "$sound/tools" "$sound/include/gcalloc" "$sound/man" "$sound/tests/lint"
    cd "$sound" || exit 99
    echo 'int os_page(void);' >src/os/page.h
    printf '#include "os/page.h"\nint base_word(int x);\n' >src/base/word.h
    printf '#include "base/word.h"\nint base_word(int x) { return x + os_page(); }\n' >src/base/word.c
    printf '#include <stddef.h>\n#include "os/page.h"\nint os_page(void)\n{\n    return 1;\n}\n' >src/os/page.c
    echo '#include <gcalloc/heap.h>' >src/heap/heap.h
    printf '#include "base/word.h"\n#include "heap/heap.h"\n' >src/gc/mark.h
    echo '#include "gc/mark.h"' >src/leak/leak.h
    echo '#include "gc/mark.h"' >src/own/own.h
    printf '#include "leak/leak.h"\n#include "own/own.h"\n#include <gcalloc.h>\n' >preload/malloc.h
    printf '#include "gcalloc/heap.h"\n#include "leak/leak.h"\n' >tools/report.h
    printf '#include <stddef.h>\nsize_t gca_size(void);\n' >include/gcalloc/heap.h
    echo '#include <gcalloc/heap.h>' >include/gcalloc.h
    echo 'int gca_size(void);' >preload/other.h
    printf 'OPTION(stats, BOOL, 0, 0, 1, "x")\nTEXT(log_file, "y")\n' >src/base/options.def
    printf '.TP\n.B stats\nx\n.TP\n.BI log_file= PATH\ny\n' >man/gcalloc.7
    printf 'SOURCES = \\\n\tsrc/base/word.c \\\n\tsrc/base/word.h \\\n\tsrc/gc/mark.h \\\n\tsrc/heap/heap.h \\\n' >src/local.mk
    printf '\tsrc/leak/leak.h \\\n\tsrc/os/page.c \\\n\tsrc/os/page.h \\\n\tsrc/own/own.h\n' >>src/local.mk
    printf 'SOURCES = preload/malloc.h preload/other.h\n' >preload/local.mk
    printf 'SOURCES = tools/report.h\n' >tools/local.mk
    printf 'include_HEADERS = include/gcalloc.h include/gcalloc/heap.h\n' >Makefile.am
    printf '# the lists\nmemcpy\n__libc_start_main preload\n' >tests/lint/allowed-symbols.txt
    printf 'gca_size\n' >tests/lint/exported-symbols.txt
}

# run CHECK: runs a check on the tree; the symbol check gets the objects made in it.
run() {
    case $1 in
    symbols) sh "$here/symbols.sh" "$tree/core.a" "$tree/library.so" "$tree/tests/lint" ;;
    *) sh "$here/$1.sh" "$tree" ;;
    esac
}

build_objects() {
    cd "$tree" || exit 99
    $cc -fPIC -c -o core.o core.c && ar cr core.a core.o && $cc -fPIC -shared -nostdlib -o library.so library.c
}

fresh() {
    rm -rf "$tree"
    cp -R "$sound" "$tree"
    cd "$tree" || exit 99
    # Both use memcpy, which is allowed.
    printf 'void *memcpy(void *, const void *, unsigned long);\nvoid take(void *a, void *b, unsigned long n)\n{\n    memcpy(a, b, n);\n}\n' >core.c
    printf 'void *memcpy(void *, const void *, unsigned long);\nunsigned long gca_size(void)\n{\n    return (unsigned long)&memcpy;\n}\n' >library.c
}

passes() {
    fresh
    [ "$1" != symbols ] || build_objects || exit 99
    unset top_builddir
    run "$1" >"$work/output" 2>&1 && return
    echo "$1 finds fault with a sound tree:"
    sed 's/^/    /' "$work/output"
    return 1
}

# finds CHECK WHERE SEED: after the shell text SEED the check fails, and a line of its output matches WHERE.
finds() {
    fresh
    eval "$3"
    [ "$1" != symbols ] || build_objects || exit 99
    if run "$1" >"$work/output" 2>&1; then
        echo "$1 overlooked: $3"
        return 1
    fi
    grep -q "$2" "$work/output" && return
    echo "$1 failed without naming '$2' after: $3"
    sed 's/^/    /' "$work/output"
    return 1
}

lines() {
    yes "$1" | head -n "$2"
}

make_sound_tree
for name in layers lengths headers compilers lists options symbols; do
    check passes $name
done

check finds layers 'src/os/page.c:.*above' 'echo "#include \"heap/heap.h\"" >>src/os/page.c'
check finds layers 'src/heap/heap.h:.*above' 'echo "#include \"gc/mark.h\"" >>src/heap/heap.h'
check finds layers 'src/gc/mark.h:.*above' 'echo "#  include \"preload/malloc.h\"" >>src/gc/mark.h'
check finds layers 'src/leak/leak.h:.*beside' 'echo "#include \"own/own.h\"" >>src/leak/leak.h'
check finds layers 'src/own/own.h:.*beside' 'echo "#include \"leak/leak.h\"" >>src/own/own.h'
check finds layers 'tools/report.h:.*beside' 'echo "#include \"preload/malloc.h\"" >>tools/report.h'
check finds layers 'src/base/word.h:.*above' 'echo "#include <gcalloc/heap.h>" >>src/base/word.h'
check finds layers 'src/base/word.h:.*above' 'echo "#include \"gcalloc/heap.h\"" >>src/base/word.h'
check finds layers 'src/heap/heap.h:.*unknown' 'echo "#include \"gcalloc/heaps.h\"" >>src/heap/heap.h'
check finds layers 'preload/malloc.h:.*source' 'echo "#include \"base/word.c\"" >>preload/malloc.h'
check finds layers 'src/base/word.h:.*layer/file.h' 'echo "#include \"word2.h\"" >>src/base/word.h'
check finds layers 'src/base/word.h:.*layer/file.h' 'echo "#include \"../os/page.h\"" >>src/base/word.h'
check finds layers 'src/base/word.c:.*os alone' 'echo "#include \"os/syscall.h\"" >>src/base/word.c'
check finds layers 'src/base/word.c:.*names no file' 'echo "#include WHAT" >>src/base/word.c'
check finds layers 'src/extra/x.h:.*no layer' 'mkdir src/extra && echo >src/extra/x.h'

check finds lengths 'src/os/page.c:.*lines' 'lines "/* */" 600 >>src/os/page.c'
check finds lengths 'src/os/page.h:.*lines' 'lines "/* */" 200 >>src/os/page.h'
check finds lengths 'src/os/page.c:.*function' '{ echo "int f(void)"; echo "{"; lines "    ;" 71; echo "}"; } >>src/os/page.c'
check finds lengths 'src/os/page.c:.*brace' 'echo "int f(void) {" >>src/os/page.c'
check finds lengths 'tests/x.c:.*lines' 'lines "/* */" 1001 >tests/x.c'

check finds headers 'src/base/word.h does not' 'echo "size_t base_size(void);" >>src/base/word.h'
if echo 'int main() {}' | ${CXX:-c++} -x c++ -fsyntax-only - 2>/dev/null; then
    check finds headers 'heap.h does not.*c++' 'echo "int new(void);" >>include/gcalloc/heap.h'
fi

check finds compilers 'src/os is not clean under gcc' 'echo "int os_page(void); static int f(unsigned long x) { return x; }" >>src/os/page.c'

check finds lists 'src/base/new.c' 'touch src/base/new.c'
check finds lists 'include/gcalloc/new.h' 'touch include/gcalloc/new.h'

check finds options 'verbose' 'echo "OPTION(verbose, COUNT, 0, 0, 3, \"z\")" >>src/base/options.def'
check finds options 'log_file' 'sed -i /log_file/d man/gcalloc.7'
check finds options 'gcalloc.7' 'rm man/gcalloc.7'

check finds symbols '^malloc: the core' 'echo "void *malloc(unsigned long); void *g(void) { return malloc(7); }" >>core.c'
check finds symbols '^__libc_start_main: the core' 'echo "int __libc_start_main(void); int g(void) { return __libc_start_main(); }" >>core.c'
check finds symbols '^puts: the library' 'echo "int puts(const char *); int gca_put(void) { return puts(\"\"); }" >>library.c'
check finds symbols '^leaked: the library shows' 'echo "int leaked;" >>library.c'
check finds symbols '^gca_gone: the library does not' 'echo gca_gone >>tests/lint/exported-symbols.txt'
finish
