# examples: small programs that use the API as installed. `make check` compiles and runs them; none is installed.
examples_programs = \
	examples/arena \
	examples/handles \
	examples/leaf \
	examples/roster \
	examples/statistics \
	examples/walk
if !SANITIZED
check_PROGRAMS += $(examples_programs)
TESTS += $(examples_programs)
endif

# A program that knows nothing of gcalloc, to be run on it; it is there without `make check`, too.
noinst_PROGRAMS += examples/leaky
examples_leaky_SOURCES = examples/leaky.c
if !SANITIZED
TESTS += examples/leaky
endif

# What <gcalloc.h> includes is found here as it is where it is installed; nothing else of the project is.
EXAMPLE_CPPFLAGS = -I$(top_srcdir)/include
examples_arena_SOURCES = examples/arena.c
examples_arena_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_arena_LDADD = libgcalloc.la
examples_handles_SOURCES = examples/handles.c
examples_handles_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_handles_LDADD = libgcalloc.la
examples_leaf_SOURCES = examples/leaf.c
examples_leaf_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_leaf_LDADD = libgcalloc.la
examples_roster_SOURCES = examples/roster.c
examples_roster_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_roster_LDADD = libgcalloc.la
examples_statistics_SOURCES = examples/statistics.c
examples_statistics_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_statistics_LDADD = libgcalloc.la
examples_walk_SOURCES = examples/walk.c
examples_walk_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_walk_LDADD = libgcalloc.la

# ports: larger ones, which tests/preload/ports puts to work.
if !SANITIZED
check_PROGRAMS += examples/ports/json examples/ports/server
endif
examples_ports_json_SOURCES = \
	examples/ports/json.c \
	examples/ports/json.h \
	examples/ports/json_read.c \
	examples/ports/json_write.c
examples_ports_json_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_ports_json_LDADD = libgcalloc.la
examples_ports_server_SOURCES = \
	examples/ports/config.c \
	examples/ports/config.h \
	examples/ports/http.c \
	examples/ports/http.h \
	examples/ports/json.h \
	examples/ports/json_read.c \
	examples/ports/json_write.c \
	examples/ports/server.c
examples_ports_server_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_ports_server_LDADD = libgcalloc.la

# reports: a mistake each that only allocator, marker and owners together can tell of; tests/preload/ownership compares what they say with
# what their heads promise.
reports_programs = \
	examples/reports/borrow_without_end \
	examples/reports/count_off \
	examples/reports/dangling_into_arena \
	examples/reports/owner_gone \
	examples/reports/unreferenced_but_owned
if !SANITIZED
check_PROGRAMS += $(reports_programs)
endif
examples_reports_borrow_without_end_SOURCES = examples/reports/borrow_without_end.c
examples_reports_borrow_without_end_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_reports_borrow_without_end_LDADD = libgcalloc.la
examples_reports_count_off_SOURCES = examples/reports/count_off.c
examples_reports_count_off_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_reports_count_off_LDADD = libgcalloc.la
examples_reports_dangling_into_arena_SOURCES = examples/reports/dangling_into_arena.c
examples_reports_dangling_into_arena_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_reports_dangling_into_arena_LDADD = libgcalloc.la
examples_reports_owner_gone_SOURCES = examples/reports/owner_gone.c
examples_reports_owner_gone_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_reports_owner_gone_LDADD = libgcalloc.la
examples_reports_unreferenced_but_owned_SOURCES = examples/reports/unreferenced_but_owned.c
examples_reports_unreferenced_but_owned_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_reports_unreferenced_but_owned_LDADD = libgcalloc.la
