# tests/preload/ownership: what is reported of objects that are misused, run by ownership.py.
if !SANITIZED
check_PROGRAMS += tests/preload/ownership/wrong
TESTS += tests/preload/ownership/ownership.py
endif
dist_check_SCRIPTS += tests/preload/ownership/ownership.py

tests_preload_ownership_wrong_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_ownership_wrong_CFLAGS = $(TEST_CFLAGS)
tests_preload_ownership_wrong_SOURCES = tests/preload/ownership/wrong.c
tests_preload_ownership_wrong_LDADD = libgcalloc.la
