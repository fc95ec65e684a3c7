# tests/preload/ownership: what is reported of objects that are misused, and memory of a GPU, run by ownership.py.
if !SANITIZED
check_PROGRAMS += tests/preload/ownership/cuda tests/preload/ownership/wrong
check_LTLIBRARIES += tests/preload/ownership/fake_driver.la
TESTS += tests/preload/ownership/ownership.py
endif
dist_check_SCRIPTS += tests/preload/ownership/ownership.py

tests_preload_ownership_cuda_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_ownership_cuda_CFLAGS = $(TEST_CFLAGS)
tests_preload_ownership_cuda_SOURCES = tests/preload/ownership/cuda.c
tests_preload_ownership_cuda_LDADD = libgcalloc.la

tests_preload_ownership_fake_driver_la_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_ownership_fake_driver_la_CFLAGS = $(TEST_CFLAGS)
tests_preload_ownership_fake_driver_la_LDFLAGS = $(PLUGIN_LDFLAGS)
tests_preload_ownership_fake_driver_la_SOURCES = tests/preload/ownership/fake_driver.c

tests_preload_ownership_wrong_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_ownership_wrong_CFLAGS = $(TEST_CFLAGS)
tests_preload_ownership_wrong_SOURCES = tests/preload/ownership/wrong.c
tests_preload_ownership_wrong_LDADD = libgcalloc.la
