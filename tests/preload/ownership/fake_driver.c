/* What a CUDA driver looks like to who allocates: one device, whose memory is malloc's. It counts contexts that are pushed. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { OUT_OF_MEMORY = 2, INVALID_DEVICE = 101, INVALID_CONTEXT = 201 };

static int depth;
static char context;

#define SHOW __attribute__((visibility("default")))

SHOW int cuInit(unsigned flags);
SHOW int cuDeviceGet(int *device_out, int ordinal);
SHOW int cuDevicePrimaryCtxRetain(void **context_out, int device);
SHOW int cuCtxPushCurrent_v2(void *pushed);
SHOW int cuCtxPopCurrent_v2(void **context_out);
SHOW int cuMemAlloc_v2(unsigned long long *out, size_t size_bytes);
SHOW int cuMemAllocManaged(unsigned long long *out, size_t size_bytes, unsigned flags);
SHOW int cuMemFree_v2(unsigned long long pointer);
SHOW int cuMemAllocHost_v2(void **out, size_t size_bytes);
SHOW int cuMemFreeHost(void *pointer);
SHOW int cuMemcpy(unsigned long long to, unsigned long long from, size_t size_bytes);
SHOW int cuGetErrorString(int result, const char **text_out);

int cuInit(unsigned flags)
{
    return flags != 0;
}

int cuDeviceGet(int *device_out, int ordinal)
{
    *device_out = 5;
    return ordinal == 0 ? 0 : INVALID_DEVICE;
}

int cuDevicePrimaryCtxRetain(void **context_out, int device)
{
    *context_out = &context;
    return device == 5 ? 0 : INVALID_DEVICE;
}

int cuCtxPushCurrent_v2(void *pushed)
{
    depth++;
    return pushed == &context ? 0 : INVALID_CONTEXT;
}

int cuCtxPopCurrent_v2(void **context_out)
{
    depth--;
    *context_out = &context;
    return 0;
}

int cuMemAlloc_v2(unsigned long long *out, size_t size_bytes)
{
    if (depth != 1)
        return INVALID_CONTEXT;
    void *block = size_bytes < (size_t)1 << 40 ? aligned_alloc(256, (size_bytes + 255) / 256 * 256) : NULL;
    *out = (uintptr_t)block;
    return block != NULL ? 0 : OUT_OF_MEMORY;
}

int cuMemAllocManaged(unsigned long long *out, size_t size_bytes, unsigned flags)
{
    return flags == 1 ? cuMemAlloc_v2(out, size_bytes) : INVALID_CONTEXT;
}

int cuMemFree_v2(unsigned long long pointer)
{
    free((void *)(uintptr_t)pointer);
    return depth == 1 ? 0 : INVALID_CONTEXT;
}

int cuMemAllocHost_v2(void **out, size_t size_bytes)
{
    unsigned long long pointer;
    int result = cuMemAlloc_v2(&pointer, size_bytes);
    *out = (void *)(uintptr_t)pointer;
    return result;
}

int cuMemFreeHost(void *pointer)
{
    return cuMemFree_v2((uintptr_t)pointer);
}

int cuMemcpy(unsigned long long to, unsigned long long from, size_t size_bytes)
{
    memcpy((void *)(uintptr_t)to, (const void *)(uintptr_t)from, size_bytes);
    return depth == 1 ? 0 : INVALID_CONTEXT;
}

int cuGetErrorString(int result, const char **text_out)
{
    *text_out = result == OUT_OF_MEMORY ? "out of memory" : result == INVALID_DEVICE ? "invalid device ordinal" : "invalid context";
    return 0;
}
