# tests/fault: kernel calls for memory that fail; the program must live on.
if !SANITIZED
check_PROGRAMS += tests/fault/endure
TESTS += tests/fault/fault.py
endif
dist_check_SCRIPTS += tests/fault/fault.py

tests_fault_endure_CPPFLAGS = $(TEST_CPPFLAGS)
tests_fault_endure_CFLAGS = $(TEST_CFLAGS)
tests_fault_endure_SOURCES = tests/fault/endure.c
tests_fault_endure_LDADD = libsubject.a
