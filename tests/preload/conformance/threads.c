/* Blocks may be written, resized and freed by any thread, whoever allocated them. */
#include "preload/conformance/cases.h"
#include "support/pattern.h"
#include "support/subject.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

enum { THREADS = 4, SHELF = 512, STEPS = 60000 };

struct packet {
    size_t size_bytes;
    unsigned seed;
    unsigned char payload[];
};
static _Atomic(struct packet *) shelf[SHELF];
static atomic_uint spoiled;

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

static struct packet *packet_make(uint64_t random)
{
    size_t size = (size_t)(random >> 16) % ((random >> 8) % 64 == 0 ? 200000 : 1000);
    struct packet *packet =
        random % 3 == 0 ? calloc(1, sizeof *packet + size) : malloc(sizeof *packet + size);

    packet->size_bytes = size;
    packet->seed = (unsigned)random;
    pattern_fill(packet->payload, size, packet->seed);
    return packet;
}

/* Some packets are resized by the thread that finds them before it frees them. */
static void packet_check_and_free(struct packet *packet, uint64_t random)
{
    size_t size = packet->size_bytes;

    if (random % 5 == 0) {
        packet = realloc(packet, sizeof *packet + size + 300);
        size = packet->size_bytes;
    }
    if (!pattern_holds(packet->payload, size, packet->seed))
        atomic_fetch_add(&spoiled, 1);
    free(packet);
}

static void *exchange_packets(void *context)
{
    uint64_t state = (uint64_t)(uintptr_t)context * 0x9e3779b97f4a7c15u + 1;

    for (int step = 0; step < STEPS; step++) {
        uint64_t random = next_random(&state);
        struct packet *found = atomic_exchange(&shelf[random % SHELF], packet_make(random));

        if (found != NULL)
            packet_check_and_free(found, random >> 3);
    }
    return NULL;
}

START_TEST(blocks_pass_between_threads)
{
    pthread_t threads[THREADS];

    for (uintptr_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, exchange_packets, (void *)(i + 1)), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < SHELF; i++)
        if (shelf[i] != NULL)
            packet_check_and_free(shelf[i], 0);
    ck_assert_uint_eq(spoiled, 0);
    ck_assert(subject_verify());
}
END_TEST

TCase *thread_case(void)
{
    TCase *test_case = tcase_create("threads");

    tcase_set_timeout(test_case, 60);
    tcase_add_test(test_case, blocks_pass_between_threads);
    return test_case;
}
