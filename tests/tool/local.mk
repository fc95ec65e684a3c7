# tests/tool: the gcalloc command, as its users see it. A sanitized build has no library to run programs on.
TOOL_TESTS = \
	tests/tool/dangling_test.py \
	tests/tool/figures_test.py \
	tests/tool/leaks_test.py \
	tests/tool/live_test.py \
	tests/tool/other_test.py \
	tests/tool/report_test.py \
	tests/tool/run_leaks_test.py \
	tests/tool/run_test.py \
	tests/tool/stop_test.py \
	tests/tool/top_test.py \
	tests/tool/why_test.py
dist_check_SCRIPTS += $(TOOL_TESTS)
dist_noinst_DATA += \
	tests/tool/common.py \
	tests/tool/kept_program.py \
	tests/tool/report_common.py \
	tests/tool/sarif_schema.py

if !SANITIZED
check_PROGRAMS += tests/tool/dangling tests/tool/holder tests/tool/kept tests/tool/watched
TESTS += $(TOOL_TESTS)
endif

# Its frames and variables are looked at by name.
tests_tool_dangling_CPPFLAGS = $(TEST_CPPFLAGS)
tests_tool_dangling_CFLAGS = $(TEST_CFLAGS) -g -O1 -fno-inline -fno-optimize-sibling-calls
tests_tool_dangling_SOURCES = tests/tool/dangling.c
tests_tool_dangling_LDADD = -ldl

tests_tool_holder_CPPFLAGS = $(TEST_CPPFLAGS)
tests_tool_holder_CFLAGS = $(TEST_CFLAGS)
tests_tool_holder_SOURCES = tests/tool/holder.c tests/tool/damage.c tests/tool/damage.h
tests_tool_holder_LDADD = -ldl

tests_tool_watched_CPPFLAGS = $(TEST_CPPFLAGS)
tests_tool_watched_CFLAGS = $(TEST_CFLAGS)
tests_tool_watched_SOURCES = tests/tool/watched.c tests/tool/damage.c tests/tool/damage.h
tests_tool_watched_LDADD = -ldl -lpthread

# Its frames and variables are looked at by name.
tests_tool_kept_CPPFLAGS = $(TEST_CPPFLAGS)
tests_tool_kept_CFLAGS = $(TEST_CFLAGS) -g -O1 -fno-inline -fno-optimize-sibling-calls
tests_tool_kept_SOURCES = tests/tool/kept.c tests/tool/damage.c tests/tool/damage.h
tests_tool_kept_LDADD = libsubject.a -ldl -lrt -lpthread
