dnl GCA_COMPILER: gcc or clang, in gnu11, for a 64-bit machine; everything else ends here with the reason.
AC_DEFUN([GCA_COMPILER], [
AC_LANG_PUSH([C])
GCA_TRY_CFLAG([-std=gnu11], [STD_CFLAGS="-std=gnu11"], [AC_MSG_ERROR([$CC does not know -std=gnu11])])
AC_SUBST([STD_CFLAGS])

AC_MSG_CHECKING([for gcc or clang on a 64-bit machine])
AC_COMPILE_IFELSE([AC_LANG_SOURCE([
#if !defined __GNUC__
#error "neither gcc nor clang"
#endif
_Static_assert(sizeof(void *) == 8, "64-bit pointers");
_Static_assert(sizeof(long) == 8, "64-bit long");
])], [AC_MSG_RESULT([yes])], [
    AC_MSG_RESULT([no])
    AC_MSG_ERROR([gcalloc needs gcc or clang and 64-bit pointers])
])
AC_LANG_POP([C])

dnl The library itself is C. C++ serves the tests of operator new and delete only.
AC_LANG_PUSH([C++])
AC_MSG_CHECKING([whether $CXX makes programs])
AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <new>]], [[delete new int;]])],
    [gca_have_cxx=yes], [gca_have_cxx=no])
AC_MSG_RESULT([$gca_have_cxx])
AC_LANG_POP([C++])
AM_CONDITIONAL([HAVE_CXX], [test "$gca_have_cxx" = yes])
])

dnl GCA_SEGMENTS: SEGMENT_LDFLAGS, with which the linker keeps what is seldom needed out of the first segment. A linker
dnl that does not know how leaves it there, which costs some 40 KiB a process. Debug and coverage builds run other code.
AC_DEFUN([GCA_SEGMENTS], [
AC_MSG_CHECKING([whether the linker takes preload/segments.ld])
gca_saved_ldflags=$LDFLAGS
LDFLAGS="$LDFLAGS -shared -fPIC -Wl,-T,$srcdir/preload/segments.ld"
AC_LINK_IFELSE([AC_LANG_SOURCE([int gca_probe(void) { return 0; }])], [gca_segments=yes], [gca_segments=no])
LDFLAGS=$gca_saved_ldflags
AC_MSG_RESULT([$gca_segments])
AS_IF([test "$gca_segments" = yes && test "$gca_mode" = release && test "$enable_coverage" = no], [SEGMENT_LDFLAGS='-Wl,-T,$(srcdir)/preload/segments.ld'], [SEGMENT_LDFLAGS=])
AC_SUBST([SEGMENT_LDFLAGS])
])

dnl GCA_SHORT_TABLES: RELR_LDFLAGS, with which the loader's list of places to add the library's address to takes 60 bytes, not 2.7 KiB of
dnl every process. glibc reads such lists from 2.36 on, and what was linked so says that it needs that.
AC_DEFUN([GCA_SHORT_TABLES], [
AC_MSG_CHECKING([whether linker and libc know short lists of relocations])
gca_saved_ldflags=$LDFLAGS
LDFLAGS="$LDFLAGS -Wl,-z,pack-relative-relocs -Wl,--fatal-warnings"
AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <features.h>
#if !__GLIBC_PREREQ(2, 36)
#error older
#endif]])], [gca_relr=yes], [gca_relr=no])
LDFLAGS=$gca_saved_ldflags
AC_MSG_RESULT([$gca_relr])
AS_IF([test "$gca_relr" = yes], [RELR_LDFLAGS='-Wl,-z,pack-relative-relocs'], [RELR_LDFLAGS=])
AC_SUBST([RELR_LDFLAGS])
])

dnl GCA_TRY_CFLAG(flag, if the C compiler accepts it, otherwise)
AC_DEFUN([GCA_TRY_CFLAG], [
AC_MSG_CHECKING([whether $CC accepts $1])
gca_saved_cflags=$CFLAGS
CFLAGS="$CFLAGS -Werror $1"
AC_COMPILE_IFELSE([AC_LANG_PROGRAM()], [gca_accepts=yes], [gca_accepts=no])
CFLAGS=$gca_saved_cflags
AC_MSG_RESULT([$gca_accepts])
AS_IF([test "$gca_accepts" = yes], [$2], [$3])
])
