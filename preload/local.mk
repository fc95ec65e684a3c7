# preload: the C library's names on top of the core. One file a line; `make lint` compares this list with the folder.
if !SANITIZED
lib_LTLIBRARIES += libgcalloc.la
noinst_LTLIBRARIES += liboperators.la
endif

# The names defined here are for libc's headers to declare, or for the C++ ABI, or nobody.
libgcalloc_la_CFLAGS = $(AM_CFLAGS) $(CORE_CFLAGS) -Wno-missing-prototypes
libgcalloc_la_SOURCES = \
	preload/alternate.c \
	preload/api.c \
	preload/collect.c \
	preload/cuda.c \
	preload/export.h \
	preload/fault.c \
	preload/fault.h \
	preload/inspect.c \
	preload/leak_api.c \
	preload/leaks.c \
	preload/leaks.h \
	preload/limits.c \
	preload/loader.c \
	preload/lsan.c \
	preload/lsan.h \
	preload/malloc.c \
	preload/next.c \
	preload/next.def \
	preload/next.h \
	preload/quarantine.c \
	preload/report.c \
	preload/report.h \
	preload/start.c \
	preload/stop_often.c \
	preload/stop_often.h \
	preload/text.c \
	preload/verbose.c \
	preload/verbose.h \
	preload/wrap.h \
	preload/wrap_alone.c \
	preload/wrap_memory.c \
	preload/wrap_process.c \
	preload/wrap_request.c \
	preload/wrap_signal.c \
	preload/wrap_thread.c \
	preload/wrap_transfer.c \
	preload/wrap_wait.c
libgcalloc_la_LIBADD = liboperators.la libcore.la

# A new-handler may throw through these.
liboperators_la_CFLAGS = $(AM_CFLAGS) $(CORE_CFLAGS) -fexceptions
liboperators_la_SOURCES = preload/operators.c

# No version in the file name: LD_PRELOAD=libgcalloc.so and -lgcalloc name the same file.
# initfirst: our constructor runs before any other, since others allocate. nodelete: dlclose can't take the heap away.
# now: no lazy binding, whose resolver may allocate.
libgcalloc_la_LDFLAGS = $(AM_LDFLAGS) -avoid-version -no-undefined \
	-Wl,--version-script=$(srcdir)/preload/exports.map \
	-Wl,-z,defs -Wl,-z,initfirst -Wl,-z,nodelete -Wl,-z,now -Wl,-z,relro -Wl,-z,noexecstack -Wl,-z,noseparate-code \
	-Wl,-Bsymbolic-functions -Wl,--dynamic-list=$(srcdir)/preload/replaceable.list \
	$(SEGMENT_LDFLAGS) $(RELR_LDFLAGS)
EXTRA_libgcalloc_la_DEPENDENCIES = preload/exports.map preload/replaceable.list preload/segments.ld
EXTRA_DIST += preload/exports.map preload/replaceable.list preload/segments.ld
