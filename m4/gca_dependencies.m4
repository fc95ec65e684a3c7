dnl GCA_DEPENDENCIES: what is used beyond libc. The library itself needs nothing.
AC_DEFUN([GCA_DEPENDENCIES], [
PKG_CHECK_MODULES([CHECK], [check >= 0.15], [gca_have_check=yes], [gca_have_check=no])
AM_CONDITIONAL([HAVE_CHECK], [test "$gca_have_check" = yes])

PKG_CHECK_MODULES([LIBDW], [libdw >= 0.187 libelf], [gca_have_libdw=yes], [gca_have_libdw=no])
AM_CONDITIONAL([HAVE_LIBDW], [test "$gca_have_libdw" = yes])

PKG_CHECK_MODULES([JANSSON], [jansson >= 2.11], [gca_have_jansson=yes], [gca_have_jansson=no])
AM_CONDITIONAL([HAVE_JANSSON], [test "$gca_have_jansson" = yes])

PKG_CHECK_MODULES([PROTOBUF_C], [libprotobuf-c], [gca_have_pprof=yes], [gca_have_pprof=no])
PKG_CHECK_MODULES([ZLIB], [zlib], [], [gca_have_pprof=no])
AC_CHECK_PROG([PROTOC_C], [protoc-c], [protoc-c])
AS_IF([test -z "$PROTOC_C"], [gca_have_pprof=no])
AM_CONDITIONAL([HAVE_PPROF], [test "$gca_have_pprof" = yes])

dnl A library without pkg-config.
gca_have_libiberty=no
AC_CHECK_HEADER([libiberty/demangle.h], [
    AC_CHECK_LIB([iberty], [cplus_demangle], [gca_have_libiberty=yes])])
AM_CONDITIONAL([HAVE_LIBIBERTY], [test "$gca_have_libiberty" = yes])
])
