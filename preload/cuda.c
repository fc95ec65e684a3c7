/*
 * preload/cuda: memory of a GPU, or that a GPU can reach, from NVIDIA's driver.
 *
 * The driver is loaded when somebody first asks for its memory, and stays. What it is asked for is the primary context of the
 * device, which a program that uses CUDA otherwise shares.
 */
#include "base/bits.h"
#include "base/format.h"
#include "base/lock.h"
#include "preload/export.h"

#include "gcalloc/alloc.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

enum { DEVICES_MAX = 64, KINDS = 3, ATTACH_GLOBAL = 1, CUDA_ALIGN = 256, MESSAGE_BYTES = 160 };

typedef unsigned long long device_pointer;
typedef int cuda_result; /* 0 is success */

/* What is used of the driver's interface, by the names it has since CUDA 4. */
static struct {
    cuda_result (*init)(unsigned flags);
    cuda_result (*device_get)(int *device_out, int ordinal);
    cuda_result (*retain_context)(void **context_out, int device);
    cuda_result (*push_context)(void *context);
    cuda_result (*pop_context)(void **context_out);
    cuda_result (*allocate)(device_pointer *out, size_t size_bytes);
    cuda_result (*allocate_managed)(device_pointer *out, size_t size_bytes, unsigned flags);
    cuda_result (*free)(device_pointer pointer);
    cuda_result (*allocate_host)(void **out, size_t size_bytes);
    cuda_result (*free_host)(void *pointer);
    cuda_result (*copy)(device_pointer to, device_pointer from, size_t size_bytes);
    cuda_result (*error_string)(cuda_result result, const char **text_out);
} driver;

static const struct {
    char name[32];
    void **function;
} names[] = {
    {"cuInit", (void **)&driver.init},
    {"cuDeviceGet", (void **)&driver.device_get},
    {"cuDevicePrimaryCtxRetain", (void **)&driver.retain_context},
    {"cuCtxPushCurrent_v2", (void **)&driver.push_context},
    {"cuCtxPopCurrent_v2", (void **)&driver.pop_context},
    {"cuMemAlloc_v2", (void **)&driver.allocate},
    {"cuMemAllocManaged", (void **)&driver.allocate_managed},
    {"cuMemFree_v2", (void **)&driver.free},
    {"cuMemAllocHost_v2", (void **)&driver.allocate_host},
    {"cuMemFreeHost", (void **)&driver.free_host},
    {"cuMemcpy", (void **)&driver.copy},
    {"cuGetErrorString", (void **)&driver.error_string},
};

/* The context of an allocator's. */
struct cuda_memory {
    void *context;
    gca_cuda_kind kind;
};

static struct lock cuda_lock; /* for all below */
static bool is_loaded;
static struct cuda_memory memories[DEVICES_MAX][KINDS];
static _Thread_local char message[MESSAGE_BYTES];

static int fail(int result, const char *what, const char *why)
{
    struct text text = text_in(message, sizeof message);
    text_add(&text, "%s: %s", what, why);
    return result;
}

static int fail_with(cuda_result result, const char *what)
{
    const char *why = NULL;
    if (driver.error_string == NULL || driver.error_string(result, &why) != 0 || why == NULL)
        why = "unknown error";
    return fail(result == 2 ? -ENOMEM : -ENODEV, what, why);
}

/* ---- the driver ---- */

static int load(void)
{
    if (is_loaded)
        return 0;
    void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        return fail(-ENOSYS, "libcuda.so.1", "can't be loaded: there is no NVIDIA driver, or it is not in the library path");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        *names[i].function = dlsym(library, names[i].name);
        if (*names[i].function == NULL)
            return fail(-ENOSYS, "libcuda.so.1 has no function of this name", names[i].name);
    }
    cuda_result result = driver.init(0);
    if (result != 0)
        return fail_with(result, "cuInit");
    is_loaded = true;
    return 0;
}

static int find_memory(int device, gca_cuda_kind kind, struct cuda_memory **memory_out)
{
    int number;
    int result = load();
    if (result != 0)
        return result;
    struct cuda_memory *memory = &memories[device][kind];
    if (memory->context == NULL) {
        cuda_result refusal = driver.device_get(&number, device);
        if (refusal != 0)
            return fail_with(refusal, "cuDeviceGet");
        refusal = driver.retain_context(&memory->context, number);
        if (refusal != 0)
            return fail_with(refusal, "cuDevicePrimaryCtxRetain");
        memory->kind = kind;
    }
    *memory_out = memory;
    return 0;
}

/* ---- the allocator ---- */

static cuda_result allocate(const struct cuda_memory *memory, size_t size_bytes, void **block_out)
{
    device_pointer pointer = 0;
    cuda_result result;
    if (memory->kind == GCA_CUDA_HOST)
        return driver.allocate_host(block_out, size_bytes);
    if (memory->kind == GCA_CUDA_MANAGED)
        result = driver.allocate_managed(&pointer, size_bytes, ATTACH_GLOBAL);
    else
        result = driver.allocate(&pointer, size_bytes);
    *block_out = (void *)(uintptr_t)pointer;
    return result;
}

static void *cuda_alloc(void *context, size_t size_bytes, size_t align_bytes)
{
    const struct cuda_memory *memory = context;
    void *popped, *block = NULL;
    if (align_bytes > CUDA_ALIGN) {
        errno = EINVAL;
        return NULL;
    }
    cuda_result result = driver.push_context(memory->context);
    if (result == 0) {
        result = allocate(memory, size_bytes, &block);
        driver.pop_context(&popped);
    }
    if (result == 0)
        return block;
    errno = -fail_with(result, "CUDA memory");
    return NULL;
}

static void cuda_free(void *context, void *block, size_t size_bytes)
{
    const struct cuda_memory *memory = context;
    void *popped;
    (void)size_bytes;
    if (driver.push_context(memory->context) != 0)
        return;
    if (memory->kind == GCA_CUDA_HOST)
        driver.free_host(block);
    else
        driver.free((device_pointer)(uintptr_t)block);
    driver.pop_context(&popped);
}

/* The driver copies, wherever the memory is. */
static bool copy(const struct cuda_memory *memory, void *to, const void *from, size_t size_bytes)
{
    void *popped;
    if (driver.push_context(memory->context) != 0)
        return false;
    cuda_result result = driver.copy((device_pointer)(uintptr_t)to, (device_pointer)(uintptr_t)from, size_bytes);
    driver.pop_context(&popped);
    return result == 0;
}

static void *cuda_resize(void *context, void *block, size_t old_bytes, size_t new_bytes, size_t align_bytes)
{
    if (round_up(old_bytes, CUDA_ALIGN) == round_up(new_bytes, CUDA_ALIGN))
        return block;
    void *moved = cuda_alloc(context, new_bytes, align_bytes);
    if (moved == NULL)
        return NULL;
    if (!copy(context, moved, block, old_bytes < new_bytes ? old_bytes : new_bytes)) {
        cuda_free(context, moved, new_bytes);
        errno = EIO;
        return NULL;
    }
    cuda_free(context, block, old_bytes);
    return moved;
}

EXPORT int gca_alloc_cuda(int device, gca_cuda_kind kind, gca_alloc *alloc_out)
{
    struct cuda_memory *memory = NULL;
    if (device < 0 || device >= DEVICES_MAX || (unsigned)kind >= KINDS)
        return fail(-EINVAL, "gca_alloc_cuda", "no such device or kind of memory");
    lock_take(&cuda_lock);
    int result = find_memory(device, kind, &memory);
    lock_release(&cuda_lock);
    if (result == 0)
        *alloc_out = (gca_alloc){cuda_alloc, cuda_resize, cuda_free, memory, GCA_ALLOC_FREES | GCA_ALLOC_THREADS};
    return result;
}

EXPORT const char *gca_cuda_error(void)
{
    return message;
}
