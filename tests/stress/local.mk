# tests/stress: the same models as tests/property, for as long as wanted.
#
#     make stress [STRESS_SECONDS=3600]      random settings for that long, then threads that come and go, then inputs
#     make fuzz [FUZZ_SECONDS=600]           libFuzzer with clang, AddressSanitizer and what it has found so far
STRESS_SECONDS = 600
FUZZ_SECONDS = 600
FUZZ_CC = clang

check_PROGRAMS += $(STRESS_TESTS)
if HAVE_CHECK
STRESS_TESTS = tests/stress/fuzz_operations tests/stress/torture
TESTS += tests/stress/fuzz_operations
endif
if !SANITIZED
CHURN = tests/stress/churn
check_PROGRAMS += $(CHURN)
endif

FUZZ_SOURCES = tests/stress/fuzz_operations.c tests/stress/fuzz_operations.h

tests_stress_fuzz_operations_CPPFLAGS = $(TEST_CPPFLAGS)
tests_stress_fuzz_operations_CFLAGS = $(TEST_CFLAGS)
tests_stress_fuzz_operations_SOURCES = $(FUZZ_SOURCES) tests/stress/fuzz_main.c
tests_stress_fuzz_operations_LDADD = libproperty.a libunit.a libcore.la

tests_stress_torture_CPPFLAGS = $(TEST_CPPFLAGS)
tests_stress_torture_CFLAGS = $(TEST_CFLAGS)
tests_stress_torture_SOURCES = tests/stress/torture.c
tests_stress_torture_LDADD = libproperty.a libunit.a libcore.la

tests_stress_churn_CPPFLAGS = $(TEST_CPPFLAGS)
tests_stress_churn_CFLAGS = $(TEST_CFLAGS)
tests_stress_churn_SOURCES = tests/stress/churn.c
tests_stress_churn_LDADD = libsubject.a

stress: $(STRESS_TESTS) $(CHURN) $(lib_LTLIBRARIES)
	tests/stress/torture$(EXEEXT) $(STRESS_SECONDS)
	test -z '$(CHURN)' || for options in '' gc gc,concurrent=always quarantine,quarantine_report=abort; do \
	    GCALLOC_OPTIONS=$$options GCALLOC_TEST_LIBRARY='$(abs_top_builddir)/.libs/libgcalloc.so' $(CHURN) $(STRESS_SECONDS) || exit; done
	GCALLOC_TEST_SECONDS=$(STRESS_SECONDS) tests/stress/fuzz_operations$(EXEEXT)

# All of the core at once, by clang, since every part must be instrumented for the fuzzer to see where inputs lead.
fuzz:
	$(MKDIR_P) fuzz/corpus
	cd $(srcdir) && $(FUZZ_CC) -std=gnu11 -O1 -g $(DEFS) -Isrc -Iinclude -Itests -pthread $(NO_BUILTIN_MALLOC) \
	    -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer \
	    -o $(abs_top_builddir)/fuzz/fuzz_operations \
	    tests/stress/fuzz_operations.c $(filter %.c,$(libproperty_a_SOURCES) $(libunit_a_SOURCES) $(libcore_la_SOURCES))
	fuzz/fuzz_operations -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -artifact_prefix=fuzz/ fuzz/corpus

.PHONY: stress fuzz
