# tests/preload/quarantine: the quarantine from outside, run by quarantine.py.
quarantine_programs = \
	tests/preload/quarantine/border \
	tests/preload/quarantine/changed \
	tests/preload/quarantine/churn \
	tests/preload/quarantine/exploits \
	tests/preload/quarantine/guarded \
	tests/preload/quarantine/hardened \
	tests/preload/quarantine/places

if !SANITIZED
check_PROGRAMS += $(quarantine_programs)
TESTS += tests/preload/quarantine/quarantine.py
endif
dist_check_SCRIPTS += tests/preload/quarantine/quarantine.py

tests_preload_quarantine_border_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_quarantine_border_CFLAGS = $(TEST_CFLAGS)
tests_preload_quarantine_border_SOURCES = tests/preload/quarantine/border.c
tests_preload_quarantine_border_LDADD = libgcalloc.la libsubject.a

tests_preload_quarantine_changed_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_quarantine_changed_CFLAGS = $(TEST_CFLAGS)
tests_preload_quarantine_changed_SOURCES = tests/preload/quarantine/changed.c
tests_preload_quarantine_changed_LDADD = libgcalloc.la libsubject.a

tests_preload_quarantine_churn_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_quarantine_churn_CFLAGS = $(TEST_CFLAGS)
tests_preload_quarantine_churn_SOURCES = tests/preload/quarantine/churn.c
tests_preload_quarantine_churn_LDADD = libsubject.a

tests_preload_quarantine_exploits_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_quarantine_exploits_CFLAGS = $(TEST_CFLAGS)
tests_preload_quarantine_exploits_SOURCES = tests/preload/quarantine/exploits.c
tests_preload_quarantine_exploits_LDADD = libgcalloc.la libsubject.a

tests_preload_quarantine_guarded_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_quarantine_guarded_CFLAGS = $(TEST_CFLAGS)
tests_preload_quarantine_guarded_SOURCES = tests/preload/quarantine/guarded.c
tests_preload_quarantine_guarded_LDADD = libgcalloc.la libsubject.a

tests_preload_quarantine_hardened_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_quarantine_hardened_CFLAGS = $(TEST_CFLAGS)
tests_preload_quarantine_hardened_SOURCES = tests/preload/quarantine/hardened.c
tests_preload_quarantine_hardened_LDADD = libsubject.a

tests_preload_quarantine_places_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_quarantine_places_CFLAGS = $(TEST_CFLAGS)
tests_preload_quarantine_places_SOURCES = tests/preload/quarantine/places.c
tests_preload_quarantine_places_LDADD = libgcalloc.la libsubject.a
