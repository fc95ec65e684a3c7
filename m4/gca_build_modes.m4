dnl GCA_BUILD_MODES: --enable-debug, --enable-sanitize=LIST, --enable-coverage.
dnl
dnl Sanitized builds hold the core and its tests but no libgcalloc.so: a sanitizer brings a malloc of its own, and two
dnl cannot own one process.
AC_DEFUN([GCA_BUILD_MODES], [
gca_mode=release
MODE_CPPFLAGS=
MODE_CFLAGS=
MODE_LDFLAGS=

AC_ARG_ENABLE([debug],
    [AS_HELP_STRING([--enable-debug], [check every invariant at run time; -O1 -g])], [], [enable_debug=no])
AS_IF([test "$enable_debug" = yes], [
    gca_mode=debug
    MODE_CPPFLAGS="-DGCA_DEBUG=1"
    dnl A report names the caller of what was reached by tail calls: see heap/allocate.h.
    CFLAGS="$CFLAGS -O1 -g -foptimize-sibling-calls"
])

AC_ARG_ENABLE([sanitize],
    [AS_HELP_STRING([--enable-sanitize=LIST], [build the core and its tests with -fsanitize=LIST, such as address,undefined])],
    [], [enable_sanitize=no])
AS_CASE([$enable_sanitize],
    [no], [],
    [yes], [AC_MSG_ERROR([--enable-sanitize needs a list, such as --enable-sanitize=address,undefined])],
    [
        gca_mode="$gca_mode, -fsanitize=$enable_sanitize"
        MODE_CFLAGS="-fsanitize=$enable_sanitize -fno-sanitize-recover=all -fno-omit-frame-pointer"
        MODE_LDFLAGS="-fsanitize=$enable_sanitize"
        gca_saved_cflags=$CFLAGS
        CFLAGS="$CFLAGS $MODE_CFLAGS"
        AC_LINK_IFELSE([AC_LANG_PROGRAM()], [], [AC_MSG_ERROR([$CC cannot link with -fsanitize=$enable_sanitize])])
        CFLAGS=$gca_saved_cflags
    ])
AM_CONDITIONAL([SANITIZED], [test "$enable_sanitize" != no])
AM_CONDITIONAL([SANITIZED_THREADS], [case $enable_sanitize in *thread*) true ;; *) false ;; esac])

AC_ARG_ENABLE([coverage],
    [AS_HELP_STRING([--enable-coverage], [count which lines run, for 'make coverage'])], [], [enable_coverage=no])
AS_IF([test "$enable_coverage" = yes], [
    gca_mode="$gca_mode, coverage"
    CFLAGS="$CFLAGS -O1 -g -fno-inline"
    MODE_CFLAGS="$MODE_CFLAGS --coverage -fprofile-update=atomic"
    MODE_LDFLAGS="$MODE_LDFLAGS --coverage"
])
AM_CONDITIONAL([COVERAGE], [test "$enable_coverage" = yes])

AC_SUBST([MODE_CPPFLAGS])
AC_SUBST([MODE_CFLAGS])
AC_SUBST([MODE_LDFLAGS])
])
