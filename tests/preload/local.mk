# tests/preload: programs that run on libgcalloc.so, preloaded or linked. A sanitized build has no such library.
CONFORMANCE_SOURCES = \
	tests/preload/conformance/aliases.c \
	tests/preload/conformance/alignment.c \
	tests/preload/conformance/calloc.c \
	tests/preload/conformance/cases.h \
	tests/preload/conformance/conformance.c \
	tests/preload/conformance/errno.c \
	tests/preload/conformance/every_size.c \
	tests/preload/conformance/introspection.c \
	tests/preload/conformance/limits.c \
	tests/preload/conformance/overflow.c \
	tests/preload/conformance/realloc.c \
	tests/preload/conformance/sized_free.c \
	tests/preload/conformance/threads.c \
	tests/preload/conformance/usable_size.c \
	tests/preload/conformance/zero_size.c

if !SANITIZED
if HAVE_CHECK
CONFORMANCE_TESTS = \
	tests/preload/conformance_linked \
	tests/preload/conformance_preloaded \
	tests/preload/heap_api \
	tests/preload/text
check_PROGRAMS += $(CONFORMANCE_TESTS)
TESTS += $(CONFORMANCE_TESTS)
if HAVE_CXX
check_PROGRAMS += tests/preload/operators
TESTS += tests/preload/operators
endif
endif
endif

tests_preload_conformance_linked_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_conformance_linked_CFLAGS = $(TEST_CFLAGS)
tests_preload_conformance_linked_SOURCES = $(CONFORMANCE_SOURCES)
# First in the link, or libc's malloc is found before ours.
tests_preload_conformance_linked_LDADD = libgcalloc.la libsubject.a libsuite.a $(CHECK_LIBS)

tests_preload_conformance_preloaded_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_conformance_preloaded_CFLAGS = $(TEST_CFLAGS)
tests_preload_conformance_preloaded_SOURCES = $(CONFORMANCE_SOURCES)
tests_preload_conformance_preloaded_LDADD = libsubject.a libsuite.a $(CHECK_LIBS)

tests_preload_heap_api_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_heap_api_CFLAGS = $(TEST_CFLAGS)
tests_preload_heap_api_SOURCES = tests/preload/heap_api.c
tests_preload_heap_api_LDADD = libgcalloc.la libsubject.a libsuite.a $(CHECK_LIBS)

tests_preload_operators_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_operators_CXXFLAGS = $(TEST_CXXFLAGS) -std=gnu++17 -fsized-deallocation
tests_preload_operators_SOURCES = tests/preload/operators.cc
tests_preload_operators_LDADD = libsubject.a libsuite.a $(CHECK_LIBS)

tests_preload_text_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_text_CFLAGS = $(TEST_CFLAGS)
tests_preload_text_SOURCES = tests/preload/text.c
tests_preload_text_LDADD = libgcalloc.la libsubject.a libsuite.a $(CHECK_LIBS)

include $(top_srcdir)/tests/preload/collect/local.mk
include $(top_srcdir)/tests/preload/leaks/local.mk
include $(top_srcdir)/tests/preload/misuse/local.mk
include $(top_srcdir)/tests/preload/ownership/local.mk
include $(top_srcdir)/tests/preload/ports/local.mk
include $(top_srcdir)/tests/preload/process/local.mk
include $(top_srcdir)/tests/preload/programs/local.mk
include $(top_srcdir)/tests/preload/quarantine/local.mk
include $(top_srcdir)/tests/preload/roots/local.mk
include $(top_srcdir)/tests/preload/stacks/local.mk
include $(top_srcdir)/tests/preload/watched/local.mk
