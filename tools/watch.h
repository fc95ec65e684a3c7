/*
 * tools/watch: which pages another process writes from some moment on.
 *
 * By a userfaultfd that the process has made for us (tools/errand.h), in the form that no write waits for: a write to a
 * protected page costs the process a short fault which the kernel settles by itself. Linux has it since 6.7 and
 * gets it right since 6.14: before, pages that mremap() moves while they are protected are lost sight of. When our
 * descriptors are closed, as when this command is killed, the kernel takes all of it back.
 */
#ifndef TOOLS_WATCH_H
#define TOOLS_WATCH_H

#include "tools/target.h"

#include <stdbool.h>
#include <stdint.h>

struct watch {
    int protection; /* userfaultfd, or -1 */
    int page_map;
};

/* Called for pages that hold something and have been written. Returns 0 or -errno, which ends the look. */
typedef int watch_visit(uintptr_t start, uintptr_t end, void *context);

/* Whether this kernel is new enough. */
bool watch_is_reliable(void);

/* What to ask the process for: the arguments of userfaultfd(2). */
long watch_call(void);
long watch_call_flags(void);

/* Takes the descriptor over. Returns 0, or -errno where the kernel knows no such tracking; then it is closed. */
int watch_open(struct watch *watch, int protection, const struct target *target);

/* From now on writes to these pages, of whole mappings, can be seen. Returns 0 or -errno. May be repeated. */
int watch_add(const struct watch *watch, uintptr_t start, uintptr_t end);

/*
 * Visits what has been written since the last such look, or is new, and protects it again: what is written from then on
 * will be visited next time. Returns 0, -errno, or what `visit` returns.
 */
int watch_renew(const struct watch *watch, uintptr_t start, uintptr_t end, watch_visit *visit, void *context);

/* Gives up mappings, piece by piece: all at once would keep the process's faults waiting as long as the kernel walks. */
void watch_remove(const struct watch *watch, uintptr_t start, uintptr_t end);
void watch_close(struct watch *watch);

#endif
