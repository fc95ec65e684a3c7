# tests/preload/roots: one program, each place that can hold a pointer in a process of its own.
if !SANITIZED
check_PROGRAMS += tests/preload/roots/places
check_LTLIBRARIES += tests/preload/roots/words.la
TESTS += tests/preload/roots/places
endif

tests_preload_roots_places_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_roots_places_CFLAGS = $(TEST_CFLAGS)
tests_preload_roots_places_SOURCES = \
	tests/preload/roots/kernel.c \
	tests/preload/roots/memory.c \
	tests/preload/roots/places.c \
	tests/preload/roots/places.h \
	tests/preload/roots/stacks.c \
	tests/preload/roots/threads.c
tests_preload_roots_places_LDADD = libsubject.a

tests_preload_roots_words_la_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_roots_words_la_CFLAGS = $(TEST_CFLAGS)
tests_preload_roots_words_la_LDFLAGS = $(PLUGIN_LDFLAGS)
tests_preload_roots_words_la_SOURCES = tests/preload/roots/words.c
