/*
 * gcalloc/alloc.h: where memory comes from, as a value to hand around. See gcalloc_pool(3).
 *
 * A function or a container that takes a gca_alloc works on any of these. Each call says how large the block is: what
 * serves it need not remember.
 */
#ifndef GCALLOC_ALLOC_H
#define GCALLOC_ALLOC_H

#include <gcalloc/arena.h>
#include <gcalloc/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    GCA_ALLOC_FREES = 1,  /* a block that is freed can be had again; else it stays until all goes */
    GCA_ALLOC_THREADS = 2 /* any thread may use it at any time */
};

/*
 * alloc returns NULL and sets errno when it can't serve. resize does as realloc(3) does: on failure the block stays as it was.
 * Sizes are not 0, alignments powers of two. All three are there always.
 */
typedef struct gca_alloc {
    void *(*alloc)(void *context, size_t size_bytes, size_t align_bytes);
    void *(*resize)(void *context, void *block, size_t old_bytes, size_t new_bytes, size_t align_bytes);
    void (*free)(void *context, void *block, size_t size_bytes);
    void *context;
    unsigned flags;
} gca_alloc;

/* A block of size_bytes, not 0, or NULL and errno; it goes back to the same allocator. From which threads, its flags say. */
static inline void *gca_alloc_get(const gca_alloc *from, size_t size_bytes, size_t align_bytes)
{
    return from->alloc(from->context, size_bytes, align_bytes);
}

/* A block of NULL, of 0 bytes, is allocated. */
static inline void *gca_alloc_resize(const gca_alloc *from, void *block, size_t old_bytes, size_t new_bytes,
                                     size_t align_bytes)
{
    if (block == NULL)
        return from->alloc(from->context, new_bytes, align_bytes);
    return from->resize(from->context, block, old_bytes, new_bytes, align_bytes);
}

/* The block, of this size, goes back; NULL is allowed. */
static inline void gca_alloc_put(const gca_alloc *from, void *block, size_t size_bytes)
{
    if (block != NULL)
        from->free(from->context, block, size_bytes);
}

/* malloc's heap: free(3) does for its blocks as well. */
gca_alloc gca_alloc_system(void);

/* The arena must outlive all use. The newest block can be resized in place, and given back. */
gca_alloc gca_alloc_arena(gca_arena *arena);

/* Blocks up to the pool's object size and alignment; others fail with EINVAL. */
gca_alloc gca_alloc_pool(gca_pool *pool);

/* A buffer of the program's, often a local variable, filled from one end. */
typedef struct gca_stack {
    char *next;
    char *limit;
} gca_stack;

static inline gca_stack gca_stack_on(void *buffer, size_t size_bytes)
{
    gca_stack stack;
    stack.next = (char *)buffer;
    stack.limit = stack.next + size_bytes;
    return stack;
}

/* The stack and its buffer must outlive all use. When it is full, ENOMEM. The newest block can be resized and given back. */
gca_alloc gca_alloc_stack(gca_stack *stack);

enum { GCA_PINNED_HUGE = 1 /* in huge pages where the kernel has them; a block takes 2 MiB at least */ };

/*
 * Whole pages that stay in memory (mlock(2)), each block mapped by itself: for few and large ones. ENOMEM also when
 * RLIMIT_MEMLOCK is reached.
 */
gca_alloc gca_alloc_pinned(unsigned flags);

typedef enum gca_cuda_kind {
    GCA_CUDA_MANAGED, /* program and GPU use it, the driver moves its pages */
    GCA_CUDA_DEVICE,  /* the GPU's own: the program can't touch it */
    GCA_CUDA_HOST     /* the program's, locked, where the GPU reaches it */
} gca_cuda_kind;

/*
 * Memory from NVIDIA's driver, for GPU number `device`. libcuda.so.1 is loaded by the first call; nothing is linked. Returns 0;
 * or -ENOSYS without a driver, -ENODEV without that GPU, -EINVAL, -ENOMEM, and gca_cuda_error() says why.
 */
int gca_alloc_cuda(int device, gca_cuda_kind kind, gca_alloc *alloc_out);

/* What last went wrong for the calling thread here, in words; empty if nothing did. Blocks that can't be had say so, too. */
const char *gca_cuda_error(void);

#ifdef __cplusplus
}
#endif

#endif
