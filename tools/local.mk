# tools: the gcalloc command. One file a line; `make lint` compares this list with the folder.
# Its malloc stays libc's: it links the core for what reads options and images, not the library.
bin_PROGRAMS += gcalloc

gcalloc_CPPFLAGS = $(AM_CPPFLAGS) \
	-DGCALLOC_LIBDIR='"$(libdir)"' \
	-DGCALLOC_MULTIARCH='"$(host_cpu)-$(host_os)"'
gcalloc_SOURCES = \
	tools/child.c \
	tools/child.h \
	tools/command.h \
	tools/elf_memory.c \
	tools/elf_memory.h \
	tools/image_copy.c \
	tools/image_copy.h \
	tools/library.c \
	tools/library.h \
	tools/main.c \
	tools/option_list.c \
	tools/option_list.h \
	tools/options.c \
	tools/preload_env.c \
	tools/preload_env.h \
	tools/program.c \
	tools/program.h \
	tools/report_file.c \
	tools/report_file.h \
	tools/run.c \
	tools/say.c \
	tools/say.h \
	tools/target.c \
	tools/target.h \
	tools/terminal.c \
	tools/terminal.h \
	tools/top.c \
	tools/top_view.c \
	tools/top_view.h \
	tools/top_watch.c \
	tools/top_watch.h
gcalloc_LDADD = libcore.la -lm
