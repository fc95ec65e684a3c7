dnl GCA_DEPENDENCIES: what is used beyond libc. The library itself needs nothing.
AC_DEFUN([GCA_DEPENDENCIES], [
PKG_CHECK_MODULES([CHECK], [check >= 0.15], [gca_have_check=yes], [gca_have_check=no])
AM_CONDITIONAL([HAVE_CHECK], [test "$gca_have_check" = yes])

PKG_CHECK_MODULES([LIBDW], [libdw >= 0.187 libelf], [gca_have_libdw=yes], [gca_have_libdw=no])
AM_CONDITIONAL([HAVE_LIBDW], [test "$gca_have_libdw" = yes])
])
