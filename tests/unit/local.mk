# tests/unit: one Check program a layer or file of the core, on the very objects that go into the library.
#
# libunit: what they share.
UNIT_TESTS = \
	tests/unit/arena \
	tests/unit/birth \
	tests/unit/bits \
	tests/unit/classify \
	tests/unit/format \
	tests/unit/buffer \
	tests/unit/kept \
	tests/unit/large \
	tests/unit/lock \
	tests/unit/message \
	tests/unit/metadata \
	tests/unit/moved \
	tests/unit/misuse \
	tests/unit/movable \
	tests/unit/note \
	tests/unit/options \
	tests/unit/os_maps \
	tests/unit/os_memory \
	tests/unit/os_pressure \
	tests/unit/os_refused \
	tests/unit/os_tracking \
	tests/unit/own \
	tests/unit/pool \
	tests/unit/remote \
	tests/unit/resize \
	tests/unit/runs \
	tests/unit/scratch \
	tests/unit/shared \
	tests/unit/sizes \
	tests/unit/span \
	tests/unit/stacks \
	tests/unit/symbols \
	tests/unit/statistics \
	tests/unit/thread \
	tests/unit/verify \
	tests/unit/walk

# Not under sanitizers: what reads all of the process's memory, a sanitizer's own included. Not under ThreadSanitizer: what
# interrupts threads wherever they are, in its own functions as well; and what one thread does alone, for many minutes there.
if !SANITIZED
UNIT_TESTS += tests/unit/roots tests/unit/unwind
endif
if !SANITIZED_THREADS
UNIT_TESTS += tests/unit/crew tests/unit/mark tests/unit/region tests/unit/stop tests/unit/weak
endif

if HAVE_CHECK
check_LIBRARIES += libunit.a
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
endif

libunit_a_CPPFLAGS = $(TEST_CPPFLAGS)
libunit_a_CFLAGS = $(TEST_CFLAGS)
libunit_a_SOURCES = \
	tests/support/pattern.c \
	tests/support/pattern.h \
	tests/support/require.c \
	tests/support/require.h \
	tests/unit/heap.h \
	tests/unit/sanitizers.h \
	tests/unit/threads.c \
	tests/unit/threads.h

UNIT_LDADD = libsuite.a libunit.a libcore.la $(CHECK_LIBS)

tests_unit_arena_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_arena_CFLAGS = $(TEST_CFLAGS)
tests_unit_arena_SOURCES = tests/unit/arena.c
tests_unit_arena_LDADD = $(UNIT_LDADD)

tests_unit_birth_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_birth_CFLAGS = $(TEST_CFLAGS)
tests_unit_birth_SOURCES = tests/unit/birth.c
tests_unit_birth_LDADD = $(UNIT_LDADD)

tests_unit_bits_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_bits_CFLAGS = $(TEST_CFLAGS)
tests_unit_bits_SOURCES = tests/unit/bits.c
tests_unit_bits_LDADD = $(UNIT_LDADD)

tests_unit_classify_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_classify_CFLAGS = $(TEST_CFLAGS)
tests_unit_classify_SOURCES = tests/unit/classify.c
tests_unit_classify_LDADD = $(UNIT_LDADD)

tests_unit_crew_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_crew_CFLAGS = $(TEST_CFLAGS)
tests_unit_crew_SOURCES = tests/unit/crew.c
tests_unit_crew_LDADD = $(UNIT_LDADD)

tests_unit_format_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_format_CFLAGS = $(TEST_CFLAGS)
tests_unit_format_SOURCES = tests/unit/format.c
tests_unit_format_LDADD = $(UNIT_LDADD)

tests_unit_buffer_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_buffer_CFLAGS = $(TEST_CFLAGS)
tests_unit_buffer_SOURCES = tests/unit/buffer.c
tests_unit_buffer_LDADD = $(UNIT_LDADD)

tests_unit_kept_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_kept_CFLAGS = $(TEST_CFLAGS)
tests_unit_kept_SOURCES = tests/unit/kept.c
tests_unit_kept_LDADD = $(UNIT_LDADD)

tests_unit_large_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_large_CFLAGS = $(TEST_CFLAGS)
tests_unit_large_SOURCES = tests/unit/large.c
tests_unit_large_LDADD = $(UNIT_LDADD)

tests_unit_lock_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_lock_CFLAGS = $(TEST_CFLAGS)
tests_unit_lock_SOURCES = tests/unit/lock.c
tests_unit_lock_LDADD = $(UNIT_LDADD)

tests_unit_mark_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_mark_CFLAGS = $(TEST_CFLAGS)
tests_unit_mark_SOURCES = tests/unit/mark.c
tests_unit_mark_LDADD = $(UNIT_LDADD)

tests_unit_message_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_message_CFLAGS = $(TEST_CFLAGS)
tests_unit_message_SOURCES = tests/unit/message.c
tests_unit_message_LDADD = $(UNIT_LDADD)

tests_unit_metadata_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_metadata_CFLAGS = $(TEST_CFLAGS)
tests_unit_metadata_SOURCES = tests/unit/metadata.c
tests_unit_metadata_LDADD = $(UNIT_LDADD)

tests_unit_moved_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_moved_CFLAGS = $(TEST_CFLAGS)
tests_unit_moved_SOURCES = tests/unit/moved.c
tests_unit_moved_LDADD = $(UNIT_LDADD)

tests_unit_misuse_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_misuse_CFLAGS = $(TEST_CFLAGS)
tests_unit_misuse_SOURCES = tests/unit/misuse.c
tests_unit_misuse_LDADD = $(UNIT_LDADD)

tests_unit_movable_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_movable_CFLAGS = $(TEST_CFLAGS)
tests_unit_movable_SOURCES = tests/unit/movable.c
tests_unit_movable_LDADD = $(UNIT_LDADD)

tests_unit_note_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_note_CFLAGS = $(TEST_CFLAGS)
tests_unit_note_SOURCES = tests/unit/note.c
tests_unit_note_LDADD = $(UNIT_LDADD)

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

tests_unit_os_pressure_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_os_pressure_CFLAGS = $(TEST_CFLAGS)
tests_unit_os_pressure_SOURCES = tests/unit/os_pressure.c
tests_unit_os_pressure_LDADD = $(UNIT_LDADD)

tests_unit_os_refused_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_os_refused_CFLAGS = $(TEST_CFLAGS)
tests_unit_os_refused_SOURCES = tests/unit/os_refused.c
tests_unit_os_refused_LDADD = $(UNIT_LDADD)

tests_unit_os_tracking_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_os_tracking_CFLAGS = $(TEST_CFLAGS)
tests_unit_os_tracking_SOURCES = tests/unit/os_tracking.c
tests_unit_os_tracking_LDADD = $(UNIT_LDADD)

tests_unit_region_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_region_CFLAGS = $(TEST_CFLAGS)
tests_unit_region_SOURCES = tests/unit/region.c
tests_unit_region_LDADD = $(UNIT_LDADD)

tests_unit_own_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_own_CFLAGS = $(TEST_CFLAGS)
tests_unit_own_SOURCES = tests/unit/own.c
tests_unit_own_LDADD = $(UNIT_LDADD)

tests_unit_pool_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_pool_CFLAGS = $(TEST_CFLAGS)
tests_unit_pool_SOURCES = tests/unit/pool.c
tests_unit_pool_LDADD = $(UNIT_LDADD)

tests_unit_remote_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_remote_CFLAGS = $(TEST_CFLAGS)
tests_unit_remote_SOURCES = tests/unit/remote.c
tests_unit_remote_LDADD = $(UNIT_LDADD)

tests_unit_roots_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_roots_CFLAGS = $(TEST_CFLAGS)
tests_unit_roots_SOURCES = tests/unit/roots.c
tests_unit_roots_LDADD = $(UNIT_LDADD)

tests_unit_resize_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_resize_CFLAGS = $(TEST_CFLAGS)
tests_unit_resize_SOURCES = tests/unit/resize.c
tests_unit_resize_LDADD = $(UNIT_LDADD)

tests_unit_runs_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_runs_CFLAGS = $(TEST_CFLAGS)
tests_unit_runs_SOURCES = tests/unit/runs.c
tests_unit_runs_LDADD = $(UNIT_LDADD)

tests_unit_scratch_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_scratch_CFLAGS = $(TEST_CFLAGS)
tests_unit_scratch_SOURCES = tests/unit/scratch.c
tests_unit_scratch_LDADD = $(UNIT_LDADD)

tests_unit_shared_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_shared_CFLAGS = $(TEST_CFLAGS)
tests_unit_shared_SOURCES = tests/unit/shared.c
tests_unit_shared_LDADD = $(UNIT_LDADD)

tests_unit_sizes_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_sizes_CFLAGS = $(TEST_CFLAGS)
tests_unit_sizes_SOURCES = tests/unit/sizes.c
tests_unit_sizes_LDADD = $(UNIT_LDADD)

tests_unit_span_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_span_CFLAGS = $(TEST_CFLAGS)
tests_unit_span_SOURCES = tests/unit/span.c
tests_unit_span_LDADD = $(UNIT_LDADD)

tests_unit_symbols_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_symbols_CFLAGS = $(TEST_CFLAGS)
tests_unit_symbols_SOURCES = tests/unit/symbols.c
tests_unit_symbols_LDADD = $(UNIT_LDADD)

tests_unit_stacks_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_stacks_CFLAGS = $(TEST_CFLAGS)
tests_unit_stacks_SOURCES = tests/unit/stacks.c
tests_unit_stacks_LDADD = $(UNIT_LDADD)

tests_unit_statistics_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_statistics_CFLAGS = $(TEST_CFLAGS)
tests_unit_statistics_SOURCES = tests/unit/statistics.c
tests_unit_statistics_LDADD = $(UNIT_LDADD)

tests_unit_stop_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_stop_CFLAGS = $(TEST_CFLAGS)
tests_unit_stop_SOURCES = tests/unit/stop.c
tests_unit_stop_LDADD = $(UNIT_LDADD)

tests_unit_thread_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_thread_CFLAGS = $(TEST_CFLAGS)
tests_unit_thread_SOURCES = tests/unit/thread.c
tests_unit_thread_LDADD = $(UNIT_LDADD)

tests_unit_unwind_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_unwind_CFLAGS = $(TEST_CFLAGS)
tests_unit_unwind_SOURCES = tests/unit/unwind.c
tests_unit_unwind_LDADD = $(UNIT_LDADD)

tests_unit_verify_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_verify_CFLAGS = $(TEST_CFLAGS)
tests_unit_verify_SOURCES = tests/unit/verify.c
tests_unit_verify_LDADD = $(UNIT_LDADD)

tests_unit_walk_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_walk_CFLAGS = $(TEST_CFLAGS)
tests_unit_walk_SOURCES = tests/unit/walk.c
tests_unit_walk_LDADD = $(UNIT_LDADD)

tests_unit_weak_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_weak_CFLAGS = $(TEST_CFLAGS)
tests_unit_weak_SOURCES = tests/unit/weak.c
tests_unit_weak_LDADD = $(UNIT_LDADD)
