# The core: everything but the C library's names. One file a line; `make lint` compares this list with the folders.
# Tests and the command link it too, with the very objects that go into the library, while their malloc stays libc's.
noinst_LTLIBRARIES += libcore.la

CORE_CFLAGS = $(NO_BUILTIN_MALLOC) -fvisibility=hidden -ftls-model=initial-exec -fno-plt

libcore_la_CFLAGS = $(AM_CFLAGS) $(CORE_CFLAGS)
libcore_la_SOURCES = \
	src/base/bits.c \
	src/base/bits.h \
	src/base/compiler.h \
	src/base/format.c \
	src/base/format.h \
	src/base/image.h \
	src/base/invariant.c \
	src/base/invariant.h \
	src/base/lock.c \
	src/base/lock.h \
	src/base/message.c \
	src/base/message.h \
	src/base/options.c \
	src/base/options.def \
	src/base/options.h \
	src/gc/parts.c \
	src/gc/parts.h \
	src/gc/pinned.c \
	src/gc/pinned.h \
	src/gc/pour.c \
	src/gc/pour.h \
	src/gc/roots.c \
	src/gc/roots.h \
	src/heap/allocate.c \
	src/heap/allocate.h \
	src/heap/birth.c \
	src/heap/birth.h \
	src/heap/buffer.c \
	src/heap/buffer.h \
	src/heap/foreign.c \
	src/heap/foreign.h \
	src/heap/fork.c \
	src/heap/fork.h \
	src/heap/large.c \
	src/heap/large.h \
	src/heap/layout.c \
	src/heap/layout.h \
	src/heap/lookup.c \
	src/heap/lookup.h \
	src/heap/metadata.c \
	src/heap/metadata.h \
	src/heap/misuse.c \
	src/heap/misuse.h \
	src/heap/purge.c \
	src/heap/purge.h \
	src/heap/remote.c \
	src/heap/remote.h \
	src/heap/resize.c \
	src/heap/runs.c \
	src/heap/runs.h \
	src/heap/sizes.c \
	src/heap/sizes.h \
	src/heap/span.c \
	src/heap/span.h \
	src/heap/statistics.c \
	src/heap/statistics.h \
	src/heap/thread.c \
	src/heap/thread.h \
	src/heap/unit.h \
	src/heap/verify.c \
	src/heap/verify.h \
	src/heap/walk.c \
	src/heap/walk.h \
	src/os/environment.c \
	src/os/environment.h \
	src/os/held.c \
	src/os/held.h \
	src/os/maps.c \
	src/os/maps.h \
	src/os/memory.c \
	src/os/memory.h \
	src/os/output.c \
	src/os/output.h \
	src/os/pagemap.h \
	src/os/pages.c \
	src/os/pages.h \
	src/os/peek.c \
	src/os/peek.h \
	src/os/random.c \
	src/os/random.h \
	src/os/reader.c \
	src/os/reader.h \
	src/os/syscall.h \
	src/os/thread.c \
	src/os/thread.h \
	src/os/tracking.c \
	src/os/tracking.h
