# tools: the gcalloc command. One file a line; `make lint` compares this list with the folder.
# Its malloc stays libc's: it links the core for what reads options and images, not the library.
bin_PROGRAMS += gcalloc
dist_bin_SCRIPTS += tools/gcalloc-check

gcalloc_CPPFLAGS = $(AM_CPPFLAGS) \
	-DGCALLOC_LIBDIR='"$(libdir)"' \
	-DGCALLOC_MULTIARCH='"$(host_cpu)-$(host_os)"'
gcalloc_SOURCES = \
	tools/arguments.c \
	tools/arguments.h \
	tools/build_id.c \
	tools/build_id.h \
	tools/child.c \
	tools/child.h \
	tools/command.h \
	tools/copy.c \
	tools/copy.h \
	tools/core_file.c \
	tools/core_file.h \
	tools/dangling.c \
	tools/dangling.h \
	tools/dangling_command.c \
	tools/dangling_text.c \
	tools/dangling_text.h \
	tools/elf_memory.c \
	tools/elf_memory.h \
	tools/elsewhere.c \
	tools/elsewhere.h \
	tools/errand.c \
	tools/errand.h \
	tools/examine.c \
	tools/examine.h \
	tools/frames.h \
	tools/graph.c \
	tools/graph.h \
	tools/grow_watch.h \
	tools/heap_copy.c \
	tools/heap_copy.h \
	tools/held.c \
	tools/held.h \
	tools/image_check.c \
	tools/image_check.h \
	tools/image_copy.c \
	tools/image_copy.h \
	tools/library.c \
	tools/library.h \
	tools/main.c \
	tools/names.h \
	tools/option_list.c \
	tools/option_list.h \
	tools/options.c \
	tools/place_text.c \
	tools/place_text.h \
	tools/preload_env.c \
	tools/preload_env.h \
	tools/program.c \
	tools/program.h \
	tools/report_file.c \
	tools/report_file.h \
	tools/report_folder.c \
	tools/report_folder.h \
	tools/run.c \
	tools/run_reports.h \
	tools/say.c \
	tools/say.h \
	tools/seize.c \
	tools/seize.h \
	tools/snapshot.c \
	tools/snapshot.h \
	tools/snapshot_ahead.c \
	tools/snapshot_ahead.h \
	tools/snapshot_copy.c \
	tools/snapshot_copy.h \
	tools/snapshot_core.c \
	tools/snapshot_file.c \
	tools/snapshot_pages.c \
	tools/snapshot_pages.h \
	tools/snapshot_report.c \
	tools/snapshot_report.h \
	tools/subject.c \
	tools/subject.h \
	tools/target.c \
	tools/target.h \
	tools/target_maps.c \
	tools/target_maps.h \
	tools/terminal.c \
	tools/terminal.h \
	tools/top.c \
	tools/top_view.c \
	tools/top_view.h \
	tools/top_watch.c \
	tools/top_watch.h \
	tools/watch.c \
	tools/watch.h \
	tools/why.c \
	tools/why.h \
	tools/why_text.c

gcalloc_LDADD = libcore.la -lm

if HAVE_LIBDW
gcalloc_SOURCES += tools/names.c
gcalloc_CPPFLAGS += $(LIBDW_CFLAGS)
gcalloc_LDADD += $(LIBDW_LIBS)
else
gcalloc_SOURCES += tools/names_none.c
endif
EXTRA_DIST += tools/packages

if HAVE_JANSSON
gcalloc_SOURCES += tools/frames.c tools/leaks.c tools/grow.c tools/grow_watch.c tools/run_reports.c
else
gcalloc_SOURCES += tools/frames_none.c tools/leaks_none.c tools/run_reports_none.c
endif

include $(top_srcdir)/tools/report/local.mk
