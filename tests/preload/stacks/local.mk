# tests/preload/stacks: call stacks of allocations, run by stacks.py.
stacks_programs = \
	tests/preload/stacks/cancelled \
	tests/preload/stacks/chains \
	tests/preload/stacks/sampled \
	tests/preload/stacks/unloading

if !SANITIZED
check_PROGRAMS += $(stacks_programs)
check_LTLIBRARIES += tests/preload/stacks/plugin.la
if HAVE_CXX
check_PROGRAMS += tests/preload/stacks/thrown
endif
TESTS += tests/preload/stacks/stacks.py
endif
dist_check_SCRIPTS += tests/preload/stacks/stacks.py

# No frame pointers, whatever the build is configured for.
STACKS_CFLAGS = $(TEST_CFLAGS) -O2 -fomit-frame-pointer

tests_preload_stacks_plugin_la_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_stacks_plugin_la_CFLAGS = $(STACKS_CFLAGS)
tests_preload_stacks_plugin_la_LDFLAGS = $(PLUGIN_LDFLAGS)
tests_preload_stacks_plugin_la_SOURCES = tests/preload/stacks/plugin.c

tests_preload_stacks_cancelled_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_stacks_cancelled_CFLAGS = $(STACKS_CFLAGS)
tests_preload_stacks_cancelled_SOURCES = tests/preload/stacks/cancelled.c tests/preload/stacks/recorded.h
tests_preload_stacks_cancelled_LDADD = libsubject.a

tests_preload_stacks_chains_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_stacks_chains_CFLAGS = $(STACKS_CFLAGS)
tests_preload_stacks_chains_SOURCES = tests/preload/stacks/chains.c tests/preload/stacks/recorded.h
tests_preload_stacks_chains_LDADD = libsubject.a -lrt

tests_preload_stacks_sampled_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_stacks_sampled_CFLAGS = $(STACKS_CFLAGS)
tests_preload_stacks_sampled_SOURCES = tests/preload/stacks/recorded.h tests/preload/stacks/sampled.c
tests_preload_stacks_sampled_LDADD = libsubject.a

tests_preload_stacks_thrown_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_stacks_thrown_CXXFLAGS = $(TEST_CXXFLAGS) -std=gnu++17 -O2 -fomit-frame-pointer
tests_preload_stacks_thrown_SOURCES = tests/preload/stacks/thrown.cc
tests_preload_stacks_thrown_LDADD = libsubject.a

tests_preload_stacks_unloading_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_stacks_unloading_CFLAGS = $(STACKS_CFLAGS)
tests_preload_stacks_unloading_SOURCES = tests/preload/stacks/recorded.h tests/preload/stacks/unloading.c
tests_preload_stacks_unloading_LDADD = libsubject.a
