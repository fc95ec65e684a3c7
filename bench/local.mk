# The benchmarks. `make bench` compares gcalloc with its peers; BENCH_OPTIONS are bench/run.py's (--help lists them):
#     make bench BENCH_OPTIONS="--quick --rows micro"
# Nothing here is built by a plain `make`.

BENCH_PATTERNS = \
	bench/micro/aligned \
	bench/micro/batches \
	bench/micro/bignum \
	bench/micro/calloc \
	bench/micro/false-active \
	bench/micro/false-passive \
	bench/micro/gcbench \
	bench/micro/gcbench-lost \
	bench/micro/handover \
	bench/micro/hashmap \
	bench/micro/kept-mib \
	bench/micro/large-25m \
	bench/micro/large-2m \
	bench/micro/larson \
	bench/micro/lost \
	bench/micro/mark-mib \
	bench/micro/mixed-frees \
	bench/micro/mixed-frees-2t \
	bench/micro/pair-40 \
	bench/micro/pair-mixed \
	bench/micro/pareto \
	bench/micro/pauses-mib \
	bench/micro/powers \
	bench/micro/queue \
	bench/micro/random-16k \
	bench/micro/random-1k \
	bench/micro/random-2t \
	bench/micro/random-full-2t \
	bench/micro/realloc-8m \
	bench/micro/realloc-huge \
	bench/micro/realloc-small \
	bench/micro/rebuild \
	bench/micro/simple \
	bench/micro/stack \
	bench/micro/strings \
	bench/micro/thread-kib \
	bench/micro/threads-leftover \
	bench/micro/threads-short \
	bench/micro/tiny-rss \
	bench/micro/trees \
	bench/micro/trees-lost

EXTRA_PROGRAMS = bench/launch bench/arena bench/own $(BENCH_PATTERNS)
EXTRA_LIBRARIES = bench/libpattern.a
CLEANFILES += bench/launch$(EXEEXT) bench/arena$(EXEEXT) bench/own$(EXEEXT) $(BENCH_PATTERNS) bench/libpattern.a

# Static and thus small: what it holds counts in every program it starts.
bench_launch_SOURCES = bench/launch.c
bench_launch_LDFLAGS = $(AM_LDFLAGS) -all-static

# Objects against GLib, talloc and C++, and arenas against obstacks, APR, talloc and GLib, whichever are there.
bench_own_SOURCES = \
	bench/own.c \
	bench/shared_ptr.cc \
	bench/shared_ptr.h
bench_own_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
bench_own_CFLAGS = $(AM_CFLAGS) $(NO_BUILTIN_MALLOC)
bench_own_LDADD = libgcalloc.la
bench_arena_SOURCES = bench/arena.c
bench_arena_CFLAGS = $(AM_CFLAGS) $(NO_BUILTIN_MALLOC)
bench_arena_LDADD = libcore.la

bench_libpattern_a_SOURCES = \
	bench/micro/memory.c \
	bench/micro/memory.h \
	bench/micro/pattern.c \
	bench/micro/pattern.h

# A compiler that knows malloc would drop the very calls that are measured.
PATTERN_CFLAGS = $(AM_CFLAGS) $(NO_BUILTIN_MALLOC)

bench_micro_aligned_SOURCES = bench/micro/aligned.c
bench_micro_aligned_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_aligned_LDADD = bench/libpattern.a
bench_micro_batches_SOURCES = bench/micro/batches.c
bench_micro_batches_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_batches_LDADD = bench/libpattern.a
bench_micro_bignum_SOURCES = bench/micro/bignum.c
bench_micro_bignum_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_bignum_LDADD = bench/libpattern.a
bench_micro_calloc_SOURCES = bench/micro/calloc.c
bench_micro_calloc_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_calloc_LDADD = bench/libpattern.a
bench_micro_false_active_SOURCES = bench/micro/false-active.c
bench_micro_false_active_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_false_active_LDADD = bench/libpattern.a
bench_micro_false_passive_SOURCES = bench/micro/false-passive.c
bench_micro_false_passive_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_false_passive_LDADD = bench/libpattern.a
bench_micro_gcbench_SOURCES = bench/micro/gcbench.c bench/micro/gcbench.h
bench_micro_gcbench_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_gcbench_LDADD = bench/libpattern.a
bench_micro_gcbench_lost_SOURCES = bench/micro/gcbench-lost.c bench/micro/gcbench.h
bench_micro_gcbench_lost_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_gcbench_lost_LDADD = bench/libpattern.a
bench_micro_handover_SOURCES = bench/micro/handover.c
bench_micro_handover_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_handover_LDADD = bench/libpattern.a
bench_micro_hashmap_SOURCES = bench/micro/hashmap.c
bench_micro_hashmap_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_hashmap_LDADD = bench/libpattern.a
bench_micro_kept_mib_SOURCES = bench/micro/kept-mib.c
bench_micro_kept_mib_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_kept_mib_LDADD = bench/libpattern.a
bench_micro_large_25m_SOURCES = bench/micro/large-25m.c
bench_micro_large_25m_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_large_25m_LDADD = bench/libpattern.a
bench_micro_large_2m_SOURCES = bench/micro/large-2m.c
bench_micro_large_2m_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_large_2m_LDADD = bench/libpattern.a
bench_micro_larson_SOURCES = bench/micro/larson.c
bench_micro_larson_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_larson_LDADD = bench/libpattern.a
bench_micro_lost_SOURCES = bench/micro/lost.c
bench_micro_lost_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_lost_LDADD = bench/libpattern.a
bench_micro_mark_mib_SOURCES = bench/micro/mark-mib.c
bench_micro_mark_mib_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_mark_mib_LDADD = bench/libpattern.a libgcalloc.la
bench_micro_mixed_frees_SOURCES = bench/micro/mixed-frees.c
bench_micro_mixed_frees_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_mixed_frees_LDADD = bench/libpattern.a
bench_micro_mixed_frees_2t_SOURCES = bench/micro/mixed-frees-2t.c
bench_micro_mixed_frees_2t_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_mixed_frees_2t_LDADD = bench/libpattern.a
bench_micro_pair_40_SOURCES = bench/micro/pair-40.c
bench_micro_pair_40_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_pair_40_LDADD = bench/libpattern.a
bench_micro_pair_mixed_SOURCES = bench/micro/pair-mixed.c
bench_micro_pair_mixed_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_pair_mixed_LDADD = bench/libpattern.a
bench_micro_pareto_SOURCES = bench/micro/pareto.c
bench_micro_pareto_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_pareto_LDADD = bench/libpattern.a
bench_micro_pauses_mib_SOURCES = bench/micro/pauses-mib.c
bench_micro_pauses_mib_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_pauses_mib_LDADD = bench/libpattern.a libgcalloc.la -lpthread
bench_micro_powers_SOURCES = bench/micro/powers.c
bench_micro_powers_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_powers_LDADD = bench/libpattern.a
bench_micro_queue_SOURCES = bench/micro/queue.c
bench_micro_queue_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_queue_LDADD = bench/libpattern.a
bench_micro_random_16k_SOURCES = bench/micro/random-16k.c
bench_micro_random_16k_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_random_16k_LDADD = bench/libpattern.a
bench_micro_random_1k_SOURCES = bench/micro/random-1k.c
bench_micro_random_1k_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_random_1k_LDADD = bench/libpattern.a
bench_micro_random_2t_SOURCES = bench/micro/random-2t.c
bench_micro_random_2t_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_random_2t_LDADD = bench/libpattern.a
bench_micro_random_full_2t_SOURCES = bench/micro/random-full-2t.c
bench_micro_random_full_2t_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_random_full_2t_LDADD = bench/libpattern.a
bench_micro_realloc_8m_SOURCES = bench/micro/realloc-8m.c
bench_micro_realloc_8m_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_realloc_8m_LDADD = bench/libpattern.a
bench_micro_realloc_huge_SOURCES = bench/micro/realloc-huge.c
bench_micro_realloc_huge_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_realloc_huge_LDADD = bench/libpattern.a
bench_micro_realloc_small_SOURCES = bench/micro/realloc-small.c
bench_micro_realloc_small_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_realloc_small_LDADD = bench/libpattern.a
bench_micro_rebuild_SOURCES = bench/micro/rebuild.c
bench_micro_rebuild_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_rebuild_LDADD = bench/libpattern.a
bench_micro_simple_SOURCES = bench/micro/simple.c
bench_micro_simple_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_simple_LDADD = bench/libpattern.a
bench_micro_stack_SOURCES = bench/micro/stack.c
bench_micro_stack_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_stack_LDADD = bench/libpattern.a
bench_micro_strings_SOURCES = bench/micro/strings.c
bench_micro_strings_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_strings_LDADD = bench/libpattern.a
bench_micro_thread_kib_SOURCES = bench/micro/thread-kib.c
bench_micro_thread_kib_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_thread_kib_LDADD = bench/libpattern.a
bench_micro_threads_leftover_SOURCES = bench/micro/threads-leftover.c
bench_micro_threads_leftover_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_threads_leftover_LDADD = bench/libpattern.a
bench_micro_threads_short_SOURCES = bench/micro/threads-short.c
bench_micro_threads_short_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_threads_short_LDADD = bench/libpattern.a
bench_micro_tiny_rss_SOURCES = bench/micro/tiny-rss.c
bench_micro_tiny_rss_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_tiny_rss_LDADD = bench/libpattern.a
bench_micro_trees_SOURCES = bench/micro/trees.c
bench_micro_trees_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_trees_LDADD = bench/libpattern.a
bench_micro_trees_lost_SOURCES = bench/micro/trees-lost.c
bench_micro_trees_lost_CFLAGS = $(PATTERN_CFLAGS)
bench_micro_trees_lost_LDADD = bench/libpattern.a

EXTRA_DIST += \
	bench/RESULTS.md \
	bench/leaks.py \
	bench/packages \
	bench/run.py \
	bench/driver/__init__.py \
	bench/driver/allocators.py \
	bench/driver/instructions.py \
	bench/driver/measure.py \
	bench/driver/picture.py \
	bench/driver/programs.py \
	bench/driver/redis.py \
	bench/driver/results.py \
	bench/driver/rows.py \
	bench/driver/table.py \
	bench/driver/verdict.py \
	bench/programs/generate_c.py \
	bench/programs/generate_smt2.py \
	bench/programs/objects.rb \
	bench/programs/orders.sql \
	bench/programs/render.ps \
	bench/programs/stl.cc \
	bench/programs/tables.lua \
	bench/programs/text.pl \
	bench/programs/words.py

bench: libgcalloc.la bench/launch$(EXEEXT) $(BENCH_PATTERNS)
	python3 $(srcdir)/bench/run.py --build bench --library .libs/libgcalloc.so $(BENCH_OPTIONS)

bench-own: bench/own$(EXEEXT)
	bench/own
	GCALLOC_OPTIONS=check=report bench/own

bench-arena: bench/arena$(EXEEXT)
	bench/arena

# What looking for leaks costs, beside LeakSanitizer, Valgrind and heaptrack; BENCH_LEAKS_OPTIONS are bench/leaks.py's.
bench-leaks: libgcalloc.la bench/launch$(EXEEXT) $(BENCH_PATTERNS)
	python3 $(srcdir)/bench/leaks.py --build bench --library .libs/libgcalloc.so $(BENCH_LEAKS_OPTIONS)

clean-bench:
	rm -rf bench/results bench/work

.PHONY: bench bench-arena bench-leaks bench-own clean-bench
