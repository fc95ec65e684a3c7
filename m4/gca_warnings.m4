dnl GCA_WARNINGS: WARN_CFLAGS, the warnings the code is kept clean of, as far as this compiler knows them.
dnl Not: gcc takes the definition of an alias of a variable for a second declaration.
AC_DEFUN([GCA_WARNINGS], [
AC_ARG_ENABLE([werror],
    [AS_HELP_STRING([--enable-werror], [treat warnings as errors])], [], [enable_werror=no])
AC_LANG_PUSH([C])
WARN_CFLAGS=
m4_foreach_w([gca_flag], [
    -Wall -Wextra -Wshadow -Wconversion -Wundef -Wvla -Wpointer-arith -Wwrite-strings
    -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wnested-externs
], [GCA_TRY_CFLAG(gca_flag, [WARN_CFLAGS="$WARN_CFLAGS gca_flag"])])
AS_IF([test "$enable_werror" = yes], [WARN_CFLAGS="$WARN_CFLAGS -Werror"])
AC_LANG_POP([C])
AC_SUBST([WARN_CFLAGS])
])
