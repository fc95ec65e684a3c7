/* The CUDA allocator: without a driver, and with one that is ours (fake_driver.c), which libcuda.so.1 leads to. */
#include "gcalloc/alloc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;

static void expect(int holds, const char *what)
{
    if (!holds)
        printf("does not hold: %s; %s\n", what, gca_cuda_error());
    failures += !holds;
}

static void without(void)
{
    gca_alloc alloc;
    expect(gca_alloc_cuda(0, GCA_CUDA_MANAGED, &alloc) == -ENOSYS, "there is no driver");
    expect(strstr(gca_cuda_error(), "libcuda.so.1: can't be loaded") == gca_cuda_error(), "that is said");
    expect(gca_alloc_cuda(-1, GCA_CUDA_MANAGED, &alloc) == -EINVAL, "a wrong device");
}

static void with(void)
{
    for (int kind = GCA_CUDA_MANAGED; kind <= GCA_CUDA_HOST; kind++) {
        gca_alloc alloc;
        expect(gca_alloc_cuda(0, (gca_cuda_kind)kind, &alloc) == 0, "an allocator");
        if (failures != 0)
            return;
        char *block = gca_alloc_get(&alloc, 1000, 16);
        expect(block != NULL && ((size_t)block & 255) == 0, "a block");
        if (block == NULL)
            return;
        memset(block, 7, 1000);
        expect(gca_alloc_resize(&alloc, block, 1000, 1010, 16) == block, "it stays");
        block = gca_alloc_resize(&alloc, block, 1010, 100000, 16);
        expect(block != NULL && block[0] == 7 && block[999] == 7, "it moves with what it holds");
        gca_alloc_put(&alloc, block, 100000);
        expect(gca_alloc_get(&alloc, (size_t)1 << 50, 16) == NULL && errno == ENOMEM, "too much");
        expect(strcmp(gca_cuda_error(), "CUDA memory: out of memory") == 0, "that is said");
        expect(gca_alloc_get(&alloc, 10, 4096) == NULL && errno == EINVAL, "too much alignment");
        expect(gca_alloc_cuda(1, (gca_cuda_kind)kind, &alloc) == -ENODEV, "one device only");
        expect(strcmp(gca_cuda_error(), "cuDeviceGet: invalid device ordinal") == 0, "that is said");
    }
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "with") == 0)
        with();
    else
        without();
    puts(failures == 0 ? "fine" : "not fine");
    return failures != 0;
}
