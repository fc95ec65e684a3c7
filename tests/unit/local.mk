# tests/unit: one Check program a layer or file of the core, on the very objects that go into the library.
#
# libunit: what they share.
UNIT_TESTS = \
	tests/unit/bits \
	tests/unit/format \
	tests/unit/lock \
	tests/unit/message \
	tests/unit/options \
	tests/unit/os_maps \
	tests/unit/os_memory \
	tests/unit/sizes

if HAVE_CHECK
check_LIBRARIES += libunit.a
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
endif

libunit_a_CPPFLAGS = $(TEST_CPPFLAGS)
libunit_a_CFLAGS = $(TEST_CFLAGS)
libunit_a_SOURCES = \
	tests/property/random.h \
	tests/support/pattern.c \
	tests/support/pattern.h \
	tests/support/require.c \
	tests/support/require.h \
	tests/unit/threads.c \
	tests/unit/threads.h

UNIT_LDADD = libsuite.a libunit.a libcore.la $(CHECK_LIBS)

tests_unit_bits_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_bits_CFLAGS = $(TEST_CFLAGS)
tests_unit_bits_SOURCES = tests/unit/bits.c
tests_unit_bits_LDADD = $(UNIT_LDADD)

tests_unit_format_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_format_CFLAGS = $(TEST_CFLAGS)
tests_unit_format_SOURCES = tests/unit/format.c
tests_unit_format_LDADD = $(UNIT_LDADD)

tests_unit_lock_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_lock_CFLAGS = $(TEST_CFLAGS)
tests_unit_lock_SOURCES = tests/unit/lock.c
tests_unit_lock_LDADD = $(UNIT_LDADD)

tests_unit_message_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_message_CFLAGS = $(TEST_CFLAGS)
tests_unit_message_SOURCES = tests/unit/message.c
tests_unit_message_LDADD = $(UNIT_LDADD)

tests_unit_options_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_options_CFLAGS = $(TEST_CFLAGS)
tests_unit_options_SOURCES = tests/unit/options.c
tests_unit_options_LDADD = $(UNIT_LDADD)

tests_unit_os_maps_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_os_maps_CFLAGS = $(TEST_CFLAGS)
tests_unit_os_maps_SOURCES = tests/unit/os_maps.c
tests_unit_os_maps_LDADD = $(UNIT_LDADD)

tests_unit_os_memory_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_os_memory_CFLAGS = $(TEST_CFLAGS)
tests_unit_os_memory_SOURCES = tests/unit/os_memory.c
tests_unit_os_memory_LDADD = $(UNIT_LDADD)

tests_unit_sizes_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_sizes_CFLAGS = $(TEST_CFLAGS)
tests_unit_sizes_SOURCES = tests/unit/sizes.c
tests_unit_sizes_LDADD = $(UNIT_LDADD)
