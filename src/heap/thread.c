/*
 * heap/thread: one thread's heap, from its first malloc to its takeover by another thread.
 *
 * Uses os, base. Locks: the parked lock (outermost: it may be held while a heap's lock is taken), each heap's lock.
 */
#include "heap/thread.h"

#include "base/image.h"
#include "base/invariant.h"
#include "heap/birth.h"
#include "heap/buffer.h"
#include "heap/fork.h"
#include "heap/kept.h"
#include "heap/layout.h"
#include "heap/limbo.h"
#include "heap/metadata.h"
#include "heap/misuse.h"
#include "heap/remote.h"
#include "heap/runs.h"
#include "heap/span.h"
#include "os/memory.h"
#include "os/thread.h"

#include <pthread.h>
#include <string.h>

enum { WARM_MAX = 8, WARM_BYTES_MAX = 524288 };

/* It has no memory of its own: see preload/segments.ld. */
const struct thread_heap thread_heap_none __attribute__((section(".zeros")));

_Thread_local struct thread_heap *heap_self __attribute__((tls_model("initial-exec"))) =
    (struct thread_heap *)&thread_heap_none;

/* True once the thread's heap has been parked for good: what its last destructors still do goes through a loan. */
static _Thread_local bool heap_exited __attribute__((tls_model("initial-exec")));

static struct lock parked_lock;
static struct thread_heap *_Atomic parked; /* newest first; written under the lock */
static _Atomic uint64_t offering[(CLASS_COUNT + 63) / 64]; /* classes of which a parked heap may have slots to offer */
static uint32_t warm_count; /* parked heaps with full buffers. Under the lock */
static struct lock start_lock;
static _Atomic bool started;
static pthread_key_t exit_key;

static void park(struct thread_heap *heap);

/* ---- start ---- */

static void on_thread_exit(void *argument);

NOINLINE static int start(void)
{
    lock_take(&start_lock);
    int result = 0;
    if (!atomic_load_explicit(&started, memory_order_relaxed)) {
        options_load();
        if (options_now()->gc || options_now()->quarantine || options_now()->leaks) {
            class_rule.bias = 0;
            class_share_nothing();
        }
        heap_layout.holds_freed = options_now()->quarantine;
        heap_layout.tells_freed = options_now()->lifetimes != 0;
        if (heap_layout.holds_freed)
            limbo_start();
        class_rule.zeroes = options_now()->zero || options_now()->mark_check == 2; /* which goes by what blocks hold of former ones */
        class_rule.guard_mean = options_now()->guard_sample;
        if (class_rule.zeroes || class_rule.guard_mean != 0)
            class_rule.quick_limit = 0;
        os_memory_fail(options_now()->fail_map, options_now()->fail_map_every);
        result = layout_start();
        if (result == 0) {
            INVARIANT(pthread_key_create(&exit_key, on_thread_exit) == 0);
            fork_register();
            atomic_store_explicit(&started, true, memory_order_release);
        }
    }
    lock_release(&start_lock);
    return result;
}

void thread_heap_start(void)
{
    if (!atomic_load_explicit(&started, memory_order_acquire))
        start();
}

/* ---- what parked heaps offer ---- */

static void set_offering(uint32_t class_index)
{
    atomic_fetch_or_explicit(&offering[class_index / 64], (uint64_t)1 << (class_index % 64), memory_order_relaxed);
}

static bool is_offering(uint32_t class_index)
{
    return atomic_load_explicit(&offering[class_index / 64], memory_order_relaxed) >> (class_index % 64) & 1;
}

static void clear_offering(uint32_t class_index)
{
    atomic_fetch_and_explicit(&offering[class_index / 64], ~((uint64_t)1 << (class_index % 64)), memory_order_relaxed);
}

static void set_all_offering(struct thread_heap *heap)
{
    lock_take(&heap->lock);
    for (uint32_t i = 0; i < CLASS_COUNT; i++)
        if (heap->listed[i] != NULL || heap->buffers[i].top != heap->buffers[i].base)
            set_offering(i);
    lock_release(&heap->lock);
}

/* ---- taking and parking ---- */

static void add_to_all(struct thread_heap *heap)
{
    heap->next = image_now->heaps;
    __atomic_store_n(&image_now->heaps, heap, __ATOMIC_RELEASE);
}

void thread_heap_each(void (*visit)(struct thread_heap *heap, void *context), void *context)
{
    if (image_now == NULL)
        return;
    struct thread_heap *heap = __atomic_load_n(&image_now->heaps, __ATOMIC_ACQUIRE);
    for (; heap != NULL; heap = heap->next)
        visit(heap, context);
}

static void flush_kept(struct thread_heap *heap, void *context)
{
    (void)context;
    if (atomic_load_explicit(&heap->orphaned, memory_order_relaxed))
        kept_flush_orphan(heap);
}

/* Its lists and buffers may have been changing: they are made anew, and what they led to besides spans is lost. */
static void forget_lists(struct thread_heap *heap, void *context)
{
    (void)context;
    if (!atomic_load_explicit(&heap->orphaned, memory_order_relaxed))
        return;
    memset(heap->buffers, 0, sizeof heap->buffers);
    birth_apply(heap);
    memset(heap->listed, 0, sizeof heap->listed);
    limbo_finish(heap);
    heap->spare = NULL;
}

static void adopt_out(struct thread_heap *heap, void *context)
{
    (void)context;
    atomic_store_explicit(&heap->orphaned, false, memory_order_release);
}

/*
 * Makes the spans of heaps whose threads vanished in a fork whole again, from the slots' states, all in one walk. Nobody
 * else touches an orphan's spans: its blocks are only marked when they are freed. The parked lock is held.
 */
COLD static void rebuild_all(void)
{
    thread_heap_each(flush_kept, NULL);
    run_lock();
    thread_heap_each(forget_lists, NULL);
    for (struct span *span = span_from(0); span != NULL; span = span_from(span->first_unit + span->unit_count)) {
        if (span->owner == NULL || !atomic_load_explicit(&span->owner->orphaned, memory_order_relaxed))
            continue;
        span_rebuild(span);
        span->listed = false;
        if (span->free_count != 0)
            thread_heap_list(span->owner, span);
    }
    run_unlock();
    thread_heap_each(adopt_out, NULL);
    atomic_store_explicit(&heap_layout.has_orphans, false, memory_order_release);
}

static void rebuild_orphans(void)
{
    if (UNLIKELY(atomic_load_explicit(&heap_layout.has_orphans, memory_order_relaxed)))
        rebuild_all();
}

void thread_heap_rebuild(void)
{
    lock_take(&parked_lock);
    rebuild_orphans();
    lock_release(&parked_lock);
}

static struct thread_heap *take_parked(void)
{
    if (atomic_load_explicit(&parked, memory_order_relaxed) == NULL)
        return NULL;
    lock_take(&parked_lock);
    struct thread_heap *heap = atomic_load_explicit(&parked, memory_order_relaxed);
    if (heap != NULL) {
        rebuild_orphans();
        atomic_store_explicit(&parked, heap->next_parked, memory_order_relaxed);
        atomic_store_explicit(&heap->parked, false, memory_order_relaxed);
        heap->in_parked_list = false;
        warm_count -= heap->warm;
        heap->warm = false;
    }
    lock_release(&parked_lock);
    return heap;
}

static struct thread_heap *make(void)
{
    struct thread_heap *heap = metadata_take(sizeof *heap);
    if (heap == NULL)
        return NULL;
    lock_take(&parked_lock);
    birth_apply(heap);
    add_to_all(heap);
    lock_release(&parked_lock);
    return heap;
}

/*
 * The loader allocates before it fills in the first thread's TLS a last time, which forgets heap_self. The thread's
 * specific data lies elsewhere and remembers.
 */
static struct thread_heap *forgotten_heap(void)
{
    struct thread_heap *heap = pthread_getspecific(exit_key);
    if (heap != NULL)
        heap_self = heap;
    return heap;
}

NOINLINE struct thread_heap *thread_heap_get(void)
{
    if (LIKELY(heap_self != &thread_heap_none))
        return heap_self;
    if (!atomic_load_explicit(&started, memory_order_acquire) && start() != 0)
        return NULL;
    struct thread_heap *heap = heap_exited ? NULL : forgotten_heap();
    if (heap != NULL)
        return heap;
    heap = take_parked();
    if (heap == NULL)
        heap = make();
    if (heap == NULL || heap_exited)
        return heap;
    heap->thread_id = os_thread_id();
    heap->exit_rounds = 0;
    heap_self = heap;
    pthread_setspecific(exit_key, heap); /* may allocate, from the heap that now is ours */
    return heap;
}

void thread_heap_done(struct thread_heap *heap)
{
    if (UNLIKELY(heap != heap_self) && heap != NULL)
        park(heap);
    misuse_report_noted();
}

void thread_heap_flush(struct thread_heap *heap)
{
    remote_drain(heap);
    remote_send_all(heap);
    kept_flush(heap);
    buffer_flush_all(heap);
}

COLD void thread_heap_flush_parked(void)
{
    lock_take(&parked_lock);
    struct thread_heap *heap = atomic_load_explicit(&parked, memory_order_relaxed);
    for (; heap != NULL; heap = heap->next_parked) {
        if (atomic_load_explicit(&heap->orphaned, memory_order_relaxed))
            continue; /* rebuilding may touch more memory than it gives back */
        warm_count -= heap->warm;
        heap->warm = 0;
        thread_heap_flush(heap);
    }
    lock_release(&parked_lock);
}

static void add_to_parked(struct thread_heap *heap)
{
    heap->next_parked = atomic_load_explicit(&parked, memory_order_relaxed);
    heap->in_parked_list = true;
    atomic_store_explicit(&parked, heap, memory_order_relaxed);
}

/*
 * A few parked heaps keep what their buffers hold, if it is little: in a program of short-lived threads the next thread
 * takes the heap over before anybody misses those slots. `parked` is set before the others are emptied, so that they give
 * up every empty span.
 */
static void park(struct thread_heap *heap)
{
    remote_send_all(heap);
    lock_take(&parked_lock);
    size_t held_bytes = buffer_held_bytes(heap) + ((size_t)heap->kept_units << UNIT_SHIFT);
    heap->warm = warm_count < WARM_MAX && held_bytes <= WARM_BYTES_MAX;
    warm_count += heap->warm;
    lock_release(&parked_lock);
    atomic_store_explicit(&heap->parked, true, memory_order_relaxed);
    if (!heap->warm)
        thread_heap_flush(heap);
    lock_take(&parked_lock);
    add_to_parked(heap);
    set_all_offering(heap);
    lock_release(&parked_lock);
}

/*
 * Other destructors may still allocate: they run in rounds, so we ask for another round until the last one there is.
 * What comes even after that finds heap_exited set.
 */
static void on_thread_exit(void *argument)
{
    struct thread_heap *heap = argument;
    if (++heap->exit_rounds < OS_DESTRUCTOR_ROUNDS) {
        pthread_setspecific(exit_key, heap);
        return;
    }
    heap_exited = true;
    heap_self = (struct thread_heap *)&thread_heap_none;
    park(heap);
    misuse_report_noted();
}

/* ---- spans ---- */

/* Lower addresses come first, by a cheap rule: a span below the first goes before it, any other to the end. */
void thread_heap_list(struct thread_heap *heap, struct span *span)
{
    struct span **first = &heap->listed[span->class_index];
    DEBUG_CHECK(span->owner == heap && span->free_count != 0);
    span->listed = true;
    if (UNLIKELY(atomic_load_explicit(&heap->parked, memory_order_relaxed)))
        set_offering(span->class_index);
    if (*first == NULL) {
        span->next = span->previous = *first = span;
        return;
    }
    span->next = *first;
    span->previous = (*first)->previous;
    span->previous->next = span;
    span->next->previous = span;
    if (span->start < (*first)->start)
        *first = span;
}

void thread_heap_unlist(struct thread_heap *heap, struct span *span)
{
    struct span **first = &heap->listed[span->class_index];
    INVARIANT(span->listed);
    span->next->previous = span->previous;
    span->previous->next = span->next;
    if (*first == span)
        *first = span->next == span ? NULL : span->next;
    span->listed = false;
}

/* Empties a parked heap's buffers: they may not hold slots of a span that goes to another heap. */
static void cool(struct thread_heap *heap)
{
    if (!heap->warm)
        return;
    heap->warm = false;
    warm_count--;
    thread_heap_flush(heap);
}

static struct span *take_span(struct thread_heap *from, uint32_t class_index, struct thread_heap *to)
{
    lock_take(&from->lock);
    remote_drain_to_spans(from);
    struct span *span = from->listed[class_index];
    if (span != NULL) {
        thread_heap_unlist(from, span);
        /* In a ring of its own until its new owner lists it: who returns a slot to it meanwhile leaves it alone. */
        span->next = span->previous = span;
        span->listed = true;
        span_set_owner(span, to);
    }
    lock_release(&from->lock);
    return span;
}

struct span *thread_heap_adopt_span(struct thread_heap *heap, uint32_t class_index)
{
    if (!is_offering(class_index))
        return NULL;
    struct span *span = NULL;
    lock_take(&parked_lock);
    clear_offering(class_index); /* whoever offers some from here on sets it again */
    rebuild_orphans();
    struct thread_heap *from = atomic_load_explicit(&parked, memory_order_relaxed);
    for (; span == NULL && from != NULL; from = from->next_parked) {
        cool(from);
        span = take_span(from, class_index, heap);
    }
    if (span != NULL)
        set_offering(class_index);
    lock_release(&parked_lock);
    return span;
}

/* ---- fork ---- */

static void take_lock(struct thread_heap *heap, void *context)
{
    (void)context;
    lock_take(&heap->lock);
}

static void release_lock(struct thread_heap *heap, void *context)
{
    (void)context;
    lock_release(&heap->lock);
}

void thread_heap_lock_all(void)
{
    lock_take(&parked_lock);
    thread_heap_each(take_lock, NULL);
}

void thread_heap_unlock_all(void)
{
    thread_heap_each(release_lock, NULL);
    lock_release(&parked_lock);
}

/*
 * Every other thread is gone, maybe in the middle of a buffer or a batch. Its spans are right again after rebuild(), which
 * waits until somebody needs them: most children exec. Its batches are sent now, while their slots are known.
 */
static void orphan(struct thread_heap *heap, void *context)
{
    (void)context;
    lock_reset(&heap->lock);
    if (heap == heap_self || heap->in_parked_list)
        return;
    remote_send_all(heap);
    atomic_store_explicit(&heap->orphaned, true, memory_order_relaxed);
    atomic_store_explicit(&heap_layout.has_orphans, true, memory_order_relaxed);
    for (uint32_t i = 0; i < CLASS_COUNT; i++)
        set_offering(i);
    atomic_store_explicit(&heap->parked, true, memory_order_relaxed);
    add_to_parked(heap);
}

static void forget_orphans(struct thread_heap *heap, void *context)
{
    (void)context;
    remote_forget_orphans(heap);
}

static void send_own(struct thread_heap *heap)
{
    if (heap != NULL)
        remote_send_all(heap);
}

void thread_heap_after_fork_in_child(void)
{
    lock_reset(&parked_lock);
    lock_reset(&start_lock);
    struct thread_heap *own = thread_heap_peek();
    thread_heap_each(orphan, NULL);
    send_own(own);
    thread_heap_each(forget_orphans, NULL);
    if (own != NULL)
        own->thread_id = os_thread_id();
}
