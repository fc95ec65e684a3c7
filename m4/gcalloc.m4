dnl gcalloc.m4: for the configure.ac of programs that use gcalloc. Copying and distribution of this file, with or without
dnl modification, are permitted in any medium without royalty. This file is offered as-is.
dnl
dnl GCALLOC_CHECK: GCALLOC_CHECK_CLANG, GCALLOC_CHECK_CLANG_PATHS, GCALLOC_CHECK_GCC, GCALLOC_CHECK_GCC_PATHS and
dnl GCALLOC_CHECK_CPPCHECK, commands that look for mistakes in the C file that is their last argument, or nothing where the
dnl tool is missing or too old. GCALLOC_CHECK_ALL runs all of them. See gcalloc_annotate(3).
dnl
dnl     check-static:
dnl             $(GCALLOC_CHECK_ALL) $(CPPFLAGS) $(SOURCES)
AC_DEFUN([GCALLOC_CHECK], [
AC_REQUIRE([PKG_PROG_PKG_CONFIG])
AC_ARG_VAR([GCALLOC_CHECK_ALL], [the gcalloc-check command])
AC_PATH_PROG([GCALLOC_CHECK_ALL], [gcalloc-check], [false])
for gcalloc_variable in clang clang_paths gcc gcc_paths cppcheck; do
    eval "gcalloc_$gcalloc_variable=\$(\$PKG_CONFIG --variable=check_$gcalloc_variable gcalloc)"
done
gcalloc_cflags=$($PKG_CONFIG --cflags gcalloc)

AC_MSG_CHECKING([for a clang that follows borrows])
gcalloc_found=
gcalloc_newest=21
for gcalloc_name in clang clang-22 clang-23 clang-24 clang-25 clang-26; do
    gcalloc_version=$(echo __clang_major__ | $gcalloc_name -E -P -x c - 2>/dev/null)
    AS_IF([test "0$gcalloc_version" -gt "$gcalloc_newest" 2>/dev/null],
        [gcalloc_found=$gcalloc_name gcalloc_newest=$gcalloc_version])
done
AC_MSG_RESULT([${gcalloc_found:-no}])
AS_IF([test -n "$gcalloc_found"], [
    GCALLOC_CHECK_CLANG="$gcalloc_found $gcalloc_cflags $gcalloc_clang"
    GCALLOC_CHECK_CLANG_PATHS="$gcalloc_found $gcalloc_cflags $gcalloc_clang_paths"
], [GCALLOC_CHECK_CLANG= GCALLOC_CHECK_CLANG_PATHS=])

AC_MSG_CHECKING([for a gcc that follows frees])
gcalloc_version=$(echo __GNUC__ | gcc -E -P -x c - 2>/dev/null)
AS_IF([test "0$gcalloc_version" -ge 12 2>/dev/null], [
    AC_MSG_RESULT([yes])
    GCALLOC_CHECK_GCC="gcc $gcalloc_cflags $gcalloc_gcc"
    GCALLOC_CHECK_GCC_PATHS="gcc $gcalloc_cflags $gcalloc_gcc_paths"
], [
    AC_MSG_RESULT([no])
    GCALLOC_CHECK_GCC= GCALLOC_CHECK_GCC_PATHS=
])
AC_CHECK_PROG([gcalloc_have_cppcheck], [cppcheck], [yes], [no])
AS_IF([test "$gcalloc_have_cppcheck" = yes],
    [GCALLOC_CHECK_CPPCHECK="cppcheck $gcalloc_cppcheck"], [GCALLOC_CHECK_CPPCHECK=])

AC_SUBST([GCALLOC_CHECK_CLANG])
AC_SUBST([GCALLOC_CHECK_CLANG_PATHS])
AC_SUBST([GCALLOC_CHECK_GCC])
AC_SUBST([GCALLOC_CHECK_GCC_PATHS])
AC_SUBST([GCALLOC_CHECK_CPPCHECK])
])
