# Tests. Every folder keeps its own list; what all of them share is here.

# For every test that is C: headers as "support/suite.h", and malloc calls that the compiler leaves alone.
TEST_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests $(CHECK_CFLAGS)
TEST_CFLAGS = $(AM_CFLAGS) $(NO_BUILTIN_MALLOC)
TEST_CXXFLAGS = $(AM_CXXFLAGS) $(NO_BUILTIN_MALLOC)

# What a test may ask of its environment; the paths are absolute.
AM_TESTS_ENVIRONMENT = \
	top_srcdir='$(abs_top_srcdir)'; \
	top_builddir='$(abs_top_builddir)'; \
	GCALLOC_TEST_LIBRARY='$(abs_top_builddir)/.libs/libgcalloc.so'; \
	GCALLOC_TEST_COMMAND='$(abs_top_builddir)/gcalloc$(EXEEXT)'; \
	CC='$(CC)'; CXX='$(CXX)'; NM='$(NM_PATH)'; \
	export top_srcdir top_builddir GCALLOC_TEST_LIBRARY GCALLOC_TEST_COMMAND CC CXX NM; \
	unset GCALLOC_OPTIONS LD_PRELOAD;

# Programs and scripts alike: tests/driver shows each test's closing line.
LOG_DRIVER = $(SHELL) $(top_srcdir)/tests/driver
EXTRA_DIST += tests/driver tests/field-packages tests/packages

include $(top_srcdir)/tests/lint/local.mk
include $(top_srcdir)/tests/support/local.mk
include $(top_srcdir)/tests/unit/local.mk
include $(top_srcdir)/tests/property/local.mk
include $(top_srcdir)/tests/preload/local.mk
include $(top_srcdir)/tests/fault/local.mk
include $(top_srcdir)/tests/static/local.mk
include $(top_srcdir)/tests/stress/local.mk
include $(top_srcdir)/tests/tool/local.mk

# A test run without the unit tests would look like one that passed.
EXTRA_DIST += tests/no-check-library
if !HAVE_CHECK
TESTS += tests/no-check-library
endif
