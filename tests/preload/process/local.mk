# tests/preload/process: programs in the surroundings that a preloaded allocator meets, run by process.py.
process_programs = \
	tests/preload/process/address_limit \
	tests/preload/process/adoption \
	tests/preload/process/blocked_calls \
	tests/preload/process/closed_files \
	tests/preload/process/closed_stderr \
	tests/preload/process/core_dump \
	tests/preload/process/exec_from_thread \
	tests/preload/process/exit_handlers \
	tests/preload/process/fork_handlers \
	tests/preload/process/fork_threads_again \
	tests/preload/process/fork_under_load \
	tests/preload/process/jail \
	tests/preload/process/key_destructors \
	tests/preload/process/libc_blocks \
	tests/preload/process/locked_memory \
	tests/preload/process/main_thread_exits \
	tests/preload/process/mappings \
	tests/preload/process/memory_returned \
	tests/preload/process/opened_late \
	tests/preload/process/plugins \
	tests/preload/process/resident \
	tests/preload/process/seccomp \
	tests/preload/process/spawn \
	tests/preload/process/tiny_stacks

process_plugins = \
	tests/preload/process/plugin.la \
	tests/preload/process/wrapper.la

if !SANITIZED
check_PROGRAMS += $(process_programs)
check_LTLIBRARIES += $(process_plugins)
if HAVE_CXX
check_PROGRAMS += tests/preload/process/thread_local_objects
endif
TESTS += tests/preload/process/process.py
endif
dist_check_SCRIPTS += tests/preload/process/process.py

# -rpath makes libtool build a shared object of what is not installed.
PLUGIN_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -rpath /nowhere

tests_preload_process_plugin_la_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_process_plugin_la_CFLAGS = $(TEST_CFLAGS)
tests_preload_process_plugin_la_LDFLAGS = $(PLUGIN_LDFLAGS)
tests_preload_process_plugin_la_SOURCES = tests/preload/process/plugin.c

tests_preload_process_wrapper_la_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_process_wrapper_la_CFLAGS = $(TEST_CFLAGS)
tests_preload_process_wrapper_la_LDFLAGS = $(PLUGIN_LDFLAGS)
tests_preload_process_wrapper_la_SOURCES = tests/preload/process/wrapper.c

tests_preload_process_thread_local_objects_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_process_thread_local_objects_CXXFLAGS = $(TEST_CXXFLAGS) -std=gnu++17
tests_preload_process_thread_local_objects_SOURCES = tests/preload/process/thread_local_objects.cc
tests_preload_process_thread_local_objects_LDADD = libsubject.a

tests_preload_process_address_limit_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_process_address_limit_CFLAGS = $(TEST_CFLAGS)
tests_preload_process_address_limit_SOURCES = tests/preload/process/address_limit.c
tests_preload_process_address_limit_LDADD = libsubject.a

tests_preload_process_adoption_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_process_adoption_CFLAGS = $(TEST_CFLAGS)
tests_preload_process_adoption_SOURCES = tests/preload/process/adoption.c
tests_preload_process_adoption_LDADD = libsubject.a

tests_preload_process_blocked_calls_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_process_blocked_calls_CFLAGS = $(TEST_CFLAGS)
tests_preload_process_blocked_calls_SOURCES = tests/preload/process/blocked_calls.c
tests_preload_process_blocked_calls_LDADD = -lrt

tests_preload_process_closed_files_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_process_closed_files_CFLAGS = $(TEST_CFLAGS)
tests_preload_process_closed_files_SOURCES = tests/preload/process/closed_files.c
tests_preload_process_closed_files_LDADD = libsubject.a

tests_preload_process_closed_stderr_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_process_closed_stderr_CFLAGS = $(TEST_CFLAGS)
tests_preload_process_closed_stderr_SOURCES = tests/preload/process/closed_stderr.c
tests_preload_process_closed_stderr_LDADD = libsubject.a

tests_preload_process_core_dump_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_process_core_dump_CFLAGS = $(TEST_CFLAGS)
tests_preload_process_core_dump_SOURCES = tests/preload/process/core_dump.c
tests_preload_process_core_dump_LDADD = libsubject.a

tests_preload_process_exec_from_thread_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_process_exec_from_thread_CFLAGS = $(TEST_CFLAGS)
tests_preload_process_exec_from_thread_SOURCES = tests/preload/process/exec_from_thread.c
tests_preload_process_exec_from_thread_LDADD = libsubject.a

tests_preload_process_exit_handlers_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_process_exit_handlers_CFLAGS = $(TEST_CFLAGS)
tests_preload_process_exit_handlers_SOURCES = tests/preload/process/exit_handlers.c
tests_preload_process_exit_handlers_LDADD = libsubject.a

tests_preload_process_fork_handlers_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_process_fork_handlers_CFLAGS = $(TEST_CFLAGS)
tests_preload_process_fork_handlers_SOURCES = tests/preload/process/fork_handlers.c
tests_preload_process_fork_handlers_LDADD = libsubject.a

tests_preload_process_fork_threads_again_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_process_fork_threads_again_CFLAGS = $(TEST_CFLAGS)
tests_preload_process_fork_threads_again_SOURCES = tests/preload/process/fork_threads_again.c
tests_preload_process_fork_threads_again_LDADD = libsubject.a

tests_preload_process_fork_under_load_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_process_fork_under_load_CFLAGS = $(TEST_CFLAGS)
tests_preload_process_fork_under_load_SOURCES = tests/preload/process/fork_under_load.c
tests_preload_process_fork_under_load_LDADD = libsubject.a

tests_preload_process_jail_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_process_jail_CFLAGS = $(TEST_CFLAGS)
tests_preload_process_jail_SOURCES = tests/preload/process/jail.c
tests_preload_process_jail_LDADD = libsubject.a

tests_preload_process_key_destructors_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_process_key_destructors_CFLAGS = $(TEST_CFLAGS)
tests_preload_process_key_destructors_SOURCES = tests/preload/process/key_destructors.c
tests_preload_process_key_destructors_LDADD = libsubject.a

tests_preload_process_libc_blocks_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_process_libc_blocks_CFLAGS = $(TEST_CFLAGS)
tests_preload_process_libc_blocks_SOURCES = tests/preload/process/libc_blocks.c
tests_preload_process_libc_blocks_LDADD = libsubject.a

tests_preload_process_locked_memory_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_process_locked_memory_CFLAGS = $(TEST_CFLAGS)
tests_preload_process_locked_memory_SOURCES = tests/preload/process/locked_memory.c
tests_preload_process_locked_memory_LDADD = libsubject.a

tests_preload_process_main_thread_exits_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_process_main_thread_exits_CFLAGS = $(TEST_CFLAGS)
tests_preload_process_main_thread_exits_SOURCES = tests/preload/process/main_thread_exits.c
tests_preload_process_main_thread_exits_LDADD = libsubject.a

tests_preload_process_mappings_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_process_mappings_CFLAGS = $(TEST_CFLAGS)
tests_preload_process_mappings_SOURCES = tests/preload/process/mappings.c
tests_preload_process_mappings_LDADD = libsubject.a

tests_preload_process_memory_returned_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_process_memory_returned_CFLAGS = $(TEST_CFLAGS)
tests_preload_process_memory_returned_SOURCES = tests/preload/process/memory_returned.c
tests_preload_process_memory_returned_LDADD = libsubject.a

tests_preload_process_opened_late_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_process_opened_late_CFLAGS = $(TEST_CFLAGS)
tests_preload_process_opened_late_SOURCES = tests/preload/process/opened_late.c
tests_preload_process_opened_late_LDADD = libsubject.a

tests_preload_process_plugins_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_process_plugins_CFLAGS = $(TEST_CFLAGS)
tests_preload_process_plugins_SOURCES = tests/preload/process/plugins.c
tests_preload_process_plugins_LDADD = libsubject.a

tests_preload_process_resident_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_process_resident_CFLAGS = $(TEST_CFLAGS)
tests_preload_process_resident_SOURCES = tests/preload/process/resident.c
tests_preload_process_resident_LDADD = libsubject.a

tests_preload_process_seccomp_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_process_seccomp_CFLAGS = $(TEST_CFLAGS)
tests_preload_process_seccomp_SOURCES = tests/preload/process/seccomp.c
tests_preload_process_seccomp_LDADD = libsubject.a

tests_preload_process_spawn_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_process_spawn_CFLAGS = $(TEST_CFLAGS)
tests_preload_process_spawn_SOURCES = tests/preload/process/spawn.c
tests_preload_process_spawn_LDADD = libsubject.a

tests_preload_process_tiny_stacks_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_process_tiny_stacks_CFLAGS = $(TEST_CFLAGS)
tests_preload_process_tiny_stacks_SOURCES = tests/preload/process/tiny_stacks.c
tests_preload_process_tiny_stacks_LDADD = libsubject.a
