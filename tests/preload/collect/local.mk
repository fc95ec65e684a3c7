# tests/preload/collect: the collector from outside, run by collect.py.
collect_programs = \
	tests/preload/collect/alone \
	tests/preload/collect/api \
	tests/preload/collect/churn \
	tests/preload/collect/couriers \
	tests/preload/collect/finalizers \
	tests/preload/collect/leaks \
	tests/preload/collect/limit \
	tests/preload/collect/pressure \
	tests/preload/collect/steps

if !SANITIZED
check_PROGRAMS += $(collect_programs)
TESTS += tests/preload/collect/collect.py
endif
dist_check_SCRIPTS += tests/preload/collect/collect.py

tests_preload_collect_api_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_collect_api_CFLAGS = $(TEST_CFLAGS)
tests_preload_collect_api_SOURCES = tests/preload/collect/api.c
tests_preload_collect_api_LDADD = libgcalloc.la libsubject.a

tests_preload_collect_couriers_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_collect_couriers_CFLAGS = $(TEST_CFLAGS)
tests_preload_collect_couriers_SOURCES = tests/preload/collect/couriers.c
tests_preload_collect_couriers_LDADD = libgcalloc.la libsubject.a

tests_preload_collect_finalizers_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_collect_finalizers_CFLAGS = $(TEST_CFLAGS)
tests_preload_collect_finalizers_SOURCES = tests/preload/collect/finalizers.c
tests_preload_collect_finalizers_LDADD = libgcalloc.la libsubject.a

tests_preload_collect_leaks_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_collect_leaks_CFLAGS = $(TEST_CFLAGS)
tests_preload_collect_leaks_SOURCES = tests/preload/collect/leaks.c
tests_preload_collect_leaks_LDADD = libsubject.a

tests_preload_collect_limit_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_collect_limit_CFLAGS = $(TEST_CFLAGS)
tests_preload_collect_limit_SOURCES = tests/preload/collect/limit.c
tests_preload_collect_limit_LDADD = libgcalloc.la libsubject.a

tests_preload_collect_pressure_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_collect_pressure_CFLAGS = $(TEST_CFLAGS)
tests_preload_collect_pressure_SOURCES = tests/preload/collect/pressure.c
tests_preload_collect_pressure_LDADD = libgcalloc.la libsubject.a

tests_preload_collect_churn_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_collect_churn_CFLAGS = $(TEST_CFLAGS)
tests_preload_collect_churn_SOURCES = tests/preload/collect/churn.c
tests_preload_collect_churn_LDADD = libsubject.a -lpthread

tests_preload_collect_alone_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_collect_alone_CFLAGS = $(TEST_CFLAGS)
tests_preload_collect_alone_SOURCES = tests/preload/collect/alone.c
tests_preload_collect_alone_LDADD = libsubject.a -lpthread

tests_preload_collect_steps_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_collect_steps_CFLAGS = $(TEST_CFLAGS) -pthread
tests_preload_collect_steps_SOURCES = tests/preload/collect/steps.c
tests_preload_collect_steps_LDADD = libgcalloc.la libsubject.a -lpthread
