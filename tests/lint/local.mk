# Checks of the sources themselves: `make lint` runs them all. That the library shows and uses no name it should not,
# and that these checks find what they are there to find, are tests like any other.
LINT_CHECKS = \
	tests/lint/layers.sh \
	tests/lint/lengths.sh \
	tests/lint/headers.sh \
	tests/lint/compilers.sh \
	tests/lint/lists.sh \
	tests/lint/options.sh \
	tests/lint/symbols.sh \
	tests/lint/selftest.sh

EXTRA_DIST += \
	$(LINT_CHECKS) \
	tests/lint/allowed-symbols.txt \
	tests/lint/common.sh \
	tests/lint/exported-symbols.txt

TESTS += tests/lint/selftest.sh
if !SANITIZED
if !COVERAGE
TESTS += tests/lint/symbols.sh
endif
endif

# Every check runs, whatever the ones before it said.
lint: all
	@$(AM_TESTS_ENVIRONMENT) status=0; \
	for check in $(LINT_CHECKS); do \
	    echo "$$check"; \
	    $(SHELL) $(srcdir)/$$check || status=1; \
	done; \
	exit $$status

.PHONY: lint
