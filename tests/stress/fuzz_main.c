/*
 * stress/fuzz_main: the fuzz target without a fuzzer.
 *
 *     fuzz_operations [FILE...]
 *
 * Runs the files, such as a corpus or a crash that libFuzzer found; without any, random inputs for some seconds
 * (GCALLOC_TEST_SECONDS, 3 by default) from a seed that is printed (GCALLOC_TEST_SEED repeats it). An input that
 * fails is left in fuzz_failed.bin. What came before it in the same run may matter: the seed repeats all of it.
 */
#include "property/random.h"
#include "stress/fuzz_operations.h"
#include "support/require.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { INPUT_BYTES_MAX = 1 << 16 };

/* What the child is at, also after its end. */
struct progress {
    uint64_t inputs;
    size_t size_bytes;
    uint8_t bytes[INPUT_BYTES_MAX];
};

static struct progress *progress;

static bool read_file(const char *path)
{
    int descriptor = open(path, O_RDONLY);
    if (descriptor < 0)
        return false;
    ssize_t count = read(descriptor, progress->bytes, INPUT_BYTES_MAX);
    close(descriptor);
    progress->size_bytes = count > 0 ? (size_t)count : 0;
    return count >= 0;
}

static void run_files(int count, char **paths)
{
    for (int i = 0; i < count; i++) {
        if (!read_file(paths[i])) {
            perror(paths[i]);
            _exit(99);
        }
        LLVMFuzzerTestOneInput(progress->bytes, progress->size_bytes);
        progress->inputs++;
    }
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Short inputs and long ones; few different bytes now and then, so that the same things are done over and over. */
static void make_input(struct random *random)
{
    uint64_t mask = random_below(random, 3) == 0 ? 0x3f0f : 0xffff;
    progress->size_bytes =
        (size_t)random_below(random, (uint64_t)8 << random_below(random, 12)) + 2;
    for (size_t i = 0; i < progress->size_bytes; i++)
        progress->bytes[i] = (uint8_t)(random_next(random) & (i % 2 ? mask >> 8 : mask));
}

static void run_random(uint64_t seed)
{
    const char *text = getenv("GCALLOC_TEST_SECONDS");
    double end = now() + (text != NULL ? atof(text) : 3);
    struct random random = {seed};
    while (now() < end) {
        make_input(&random);
        LLVMFuzzerTestOneInput(progress->bytes, progress->size_bytes);
        progress->inputs++;
    }
}

static void keep_failed_input(void)
{
    int descriptor = open("fuzz_failed.bin", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (descriptor >= 0 &&
        write(descriptor, progress->bytes, progress->size_bytes) == (ssize_t)progress->size_bytes)
        printf("input %lu failed; it is in fuzz_failed.bin\n", (unsigned long)progress->inputs);
    close(descriptor);
}

int main(int argument_count, char **arguments)
{
    const char *text = getenv("GCALLOC_TEST_SEED");
    uint64_t seed = text != NULL ? strtoull(text, NULL, 0) : (uint64_t)time(NULL);
    int status;
    printf("seed %lu\n", (unsigned long)seed);
    fflush(stdout);
    progress =
        mmap(NULL, sizeof *progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    require(progress != MAP_FAILED);
    pid_t child = fork();
    if (child == 0) {
        if (argument_count > 1)
            run_files(argument_count - 1, arguments + 1);
        else
            run_random(seed);
        _exit(progress->inputs == 0);
    }
    require(child > 0 && waitpid(child, &status, 0) == child);
    if (status != 0)
        keep_failed_input();
    printf("%lu inputs\n%d passed, %d failed\n", (unsigned long)progress->inputs, status == 0,
           status != 0);
    return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
