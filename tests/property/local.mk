# tests/property: random operations against a model, and the same while the kernel refuses memory. On libc's malloc, with
# the heap beside it.
#
# libproperty: what the long-running tests use, too.
#
# Sanitizers make every operation many times slower, so fewer are done.
if SANITIZED
AM_TESTS_ENVIRONMENT += GCALLOC_TEST_PERCENT=10; export GCALLOC_TEST_PERCENT;
endif

PROPERTY_TESTS = \
	tests/property/faults \
	tests/property/operations

if HAVE_CHECK
check_LIBRARIES += libproperty.a
check_PROGRAMS += $(PROPERTY_TESTS)
TESTS += $(PROPERTY_TESTS)
endif

libproperty_a_CPPFLAGS = $(TEST_CPPFLAGS)
libproperty_a_CFLAGS = $(TEST_CFLAGS)
libproperty_a_SOURCES = \
	tests/property/held.c \
	tests/property/held.h \
	tests/property/player.c \
	tests/property/player.h \
	tests/property/random.h \
	tests/property/replay.c \
	tests/property/replay.h

tests_property_faults_CPPFLAGS = $(TEST_CPPFLAGS)
tests_property_faults_CFLAGS = $(TEST_CFLAGS)
tests_property_faults_SOURCES = tests/property/faults.c
tests_property_faults_LDADD = libproperty.a libsuite.a libunit.a libcore.la $(CHECK_LIBS)

tests_property_operations_CPPFLAGS = $(TEST_CPPFLAGS)
tests_property_operations_CFLAGS = $(TEST_CFLAGS)
tests_property_operations_SOURCES = tests/property/operations.c
tests_property_operations_LDADD = libproperty.a libunit.a libcore.la
