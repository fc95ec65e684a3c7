# tests/support: what test programs share. One file a line.
#
# libsubject: for programs that run on the library as anybody's program would. libsuite: Check, for those that use it.
check_LIBRARIES += libsubject.a

libsubject_a_CPPFLAGS = $(TEST_CPPFLAGS)
libsubject_a_CFLAGS = $(TEST_CFLAGS)
libsubject_a_SOURCES = \
	tests/support/opaque.h \
	tests/support/pattern.c \
	tests/support/pattern.h \
	tests/support/refuse.c \
	tests/support/refuse.h \
	tests/support/require.c \
	tests/support/require.h \
	tests/support/subject.c \
	tests/support/subject.h \
	tests/support/threads.c \
	tests/support/threads.h \
	tests/support/workload.c \
	tests/support/workload.h

if HAVE_CHECK
check_LIBRARIES += libsuite.a
endif

libsuite_a_CPPFLAGS = $(TEST_CPPFLAGS)
libsuite_a_CFLAGS = $(TEST_CFLAGS)
libsuite_a_SOURCES = \
	tests/support/refuse.c \
	tests/support/refuse.h \
	tests/support/suite.c \
	tests/support/suite.h

dist_noinst_DATA += \
	tests/support/harness.py
