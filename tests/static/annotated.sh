#!/bin/sh
# annotated.sh: what users get: gcalloc-check with the flags from gcalloc.pc, GCALLOC_CHECK of gcalloc.m4, on a project of
# their own. Nothing of this is run by a compiler that is missing.
. "$top_srcdir/tests/lint/common.sh"

command -v pkg-config >/dev/null || { echo "missing: pkg-config"; exit 77; }
folder=$(mktemp -d) || exit 99
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 99

# As if it were installed, from the sources.
sed -e "s|@includedir@|$top_srcdir/include|" -e "s|@[a-z_]*@|$folder|g; s|@PACKAGE_VERSION@|0|" \
    -e "s|^datadir=.*|datadir=$folder|" "$top_srcdir/gcalloc.pc.in" >gcalloc.pc
mkdir gcalloc && cp "$top_srcdir/gcalloc.cfg" gcalloc
export PKG_CONFIG_PATH="$folder"

cat >right.c <<'END'
#include <gcalloc.h>
#include <stdlib.h>

struct thing {
    int value;
};

void thing_free(struct thing *thing) GCA_DROPS(thing, 1);
struct thing *thing_new(int value) GCA_OWNED(thing_free);
int thing_use(int value);

int thing_use(int value)
{
    gca_let_or(struct thing *, thing, thing_new(value)) return -1;
#ifdef WRONG
    if (thing->value > 3)
        return 1;
#endif
    thing_free(thing);
    return 0;
}
END
{ echo "#define WRONG"; cat right.c; } >wrong.c

says_nothing_of_what_is_right() {
    "$top_srcdir/tools/gcalloc-check" -Wall right.c
}

says_something_of_what_is_wrong() {
    "$top_srcdir/tools/gcalloc-check" -Wall wrong.c >said
    [ $? -eq 1 ] && grep -q "wrong.c" said
}

says_how_it_is_used() {
    "$top_srcdir/tools/gcalloc-check" >said
    [ $? -eq 2 ] && grep -q usage said
}

stops_at_what_does_not_compile() {
    echo "int x = ;" >broken.c
    "$top_srcdir/tools/gcalloc-check" broken.c >said
    [ $? -eq 1 ]
}

check says_how_it_is_used
if [ "$(echo __GNUC__ | gcc -E -P -x c - 2>/dev/null)" -ge 12 ] 2>/dev/null; then
    check says_nothing_of_what_is_right
    check stops_at_what_does_not_compile
fi
case $(for name in clang clang-22 clang-23; do echo __clang_major__ | $name -E -P -x c - 2>/dev/null; done) in
*2[2-9]*) check says_something_of_what_is_wrong ;;
*) echo "without clang 22 mistakes are not looked for" ;;
esac

# The README's two changes of its program.
finds_what_the_readme_says() {
    sed '/person_free(person); .*without/d' "$top_srcdir/examples/roster.c" >forgets.c
    sed 's/^    double sum = 0;/    roster_add((struct roster *)roster, NULL);\n&/' "$top_srcdir/examples/roster.c" >adds.c
    "$top_srcdir/tools/gcalloc-check" "$top_srcdir/examples/roster.c" || return 1
    "$top_srcdir/tools/gcalloc-check" forgets.c >said
    grep -q "requires holding state 'person->gone'" said || { cat said; return 1; }
    "$top_srcdir/tools/gcalloc-check" adds.c >said
    grep -q "cannot call function 'roster_add' while borrow 'roster->lent->shared' is held" said || { cat said; return 1; }
}
case $(for name in clang clang-22 clang-23; do echo __clang_major__ | $name -E -P -x c - 2>/dev/null; done) in
*2[2-9]*) check finds_what_the_readme_says ;;
esac

# A configure.ac that asks for the commands.
configures() {
    cat >configure.ac <<'END'
AC_INIT([thing], [1])
AC_CONFIG_MACRO_DIRS([m4])
PKG_PROG_PKG_CONFIG
GCALLOC_CHECK
AC_CONFIG_FILES([commands])
AC_OUTPUT
END
    printf '%s\n' 'borrows=@GCALLOC_CHECK_CLANG@' 'gcc=@GCALLOC_CHECK_GCC@' 'all=@GCALLOC_CHECK_ALL@' >commands.in
    mkdir m4 && cp "$top_srcdir/m4/gcalloc.m4" m4
    { aclocal -I m4 && autoconf && PATH="$top_srcdir/tools:$PATH" ./configure; } >configured 2>&1 || { cat configured; return 1; }
    grep -q "^all=.*gcalloc-check" commands || { cat commands; return 1; }
    if grep -q "^gcc=gcc" commands; then
        sh -c "$(sed -n 's/^gcc=//p' commands) right.c" || return 1
    fi
    if grep -q "^borrows=clang" commands; then
        sh -c "$(sed -n 's/^borrows=//p' commands) wrong.c" 2>said
        grep -q "thread-safety" said
    fi
}
if command -v autoconf >/dev/null && command -v aclocal >/dev/null; then
    check configures
fi
finish
