# tests/preload/quarantine: the quarantine from outside, run by quarantine.py.
quarantine_programs = \
	tests/preload/quarantine/places

if !SANITIZED
check_PROGRAMS += $(quarantine_programs)
TESTS += tests/preload/quarantine/quarantine.py
endif
dist_check_SCRIPTS += tests/preload/quarantine/quarantine.py

tests_preload_quarantine_places_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_quarantine_places_CFLAGS = $(TEST_CFLAGS)
tests_preload_quarantine_places_SOURCES = tests/preload/quarantine/places.c
tests_preload_quarantine_places_LDADD = libgcalloc.la libsubject.a
