/*
 * heap/sizes: which slot a size gets.
 *
 * The tables follow from the rule in sizes.h; a unit test derives them again. They are in the file so that start-up
 * computes nothing.
 *
 * Uses base. Locks: none; the table of sizes changes by single bytes, and any class that holds a size will do.
 */
#include "heap/sizes.h"

#include "base/bits.h"

enum {
    DOUBLING_STEPS = 8,
    PAIRS_ABOVE_BYTES = 128,
    FOURS_ABOVE_BYTES = 1024,
    /*
     * Units that a shared class has when the sizes in it get classes of their own; in a heap of so many units fewer suffice. Later than would
     * be best for each class by itself: blocks don't move, and for a while both classes are there.
     */
    OWN_UNITS = 64,
    LARGE_HEAP_UNITS = 512,
    OWN_UNITS_IN_LARGE = 16,
};

struct class_rule class_rule __attribute__((aligned(CACHE_LINE_BYTES))) = {1, CLASS_BYTES_MAX, false, 0};

static _Atomic uint32_t units_now[CLASS_COUNT]; /* in spans of the class */
static _Atomic uint32_t units_of_all;

/* clang-format off */
const uint32_t class_slot_bytes[CLASS_COUNT] = {
    16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192,
    208, 224, 240, 256, 272, 288, 304, 320, 336, 352, 368, 384,
    400, 416, 432, 448, 464, 480, 496, 512, 576, 640, 704, 768,
    832, 896, 960, 1024, 1152, 1280, 1408, 1536, 1664, 1792, 1920, 2048,
    2304, 2560, 2816, 3072, 3328, 3584, 3840, 4096, 4608, 5120, 5632, 6144,
    6656, 7168, 7680, 8192, 9216, 10240, 11264, 12288, 13312, 14336, 15360, 16384,
};

const uint8_t class_unit_count[CLASS_COUNT] = {
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 2, 1, 2, 2, 1, 1, 2, 1, 3, 2, 3, 4, 1, 1, 3, 2, 3, 3, 5, 7, 1, 1,
};

uint8_t class_by_16_bytes[1024] = {
    0, 1, 2, 3, 4, 5, 6, 7, 9, 9, 11, 11, 13, 13, 15, 15, 17, 17, 19, 19, 21, 21, 23, 23,
    25, 25, 27, 27, 29, 29, 31, 31, 33, 33, 33, 33, 33, 33, 33, 33, 35, 35, 35, 35, 35, 35, 35, 35,
    37, 37, 37, 37, 37, 37, 37, 37, 39, 39, 39, 39, 39, 39, 39, 39, 43, 43, 43, 43, 43, 43, 43, 43,
    43, 43, 43, 43, 43, 43, 43, 43, 43, 43, 43, 43, 43, 43, 43, 43, 43, 43, 43, 43, 43, 43, 43, 43,
    47, 47, 47, 47, 47, 47, 47, 47, 47, 47, 47, 47, 47, 47, 47, 47, 47, 47, 47, 47, 47, 47, 47, 47,
    47, 47, 47, 47, 47, 47, 47, 47, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51,
    51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51,
    51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51,
    55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 55,
    55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 55,
    55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 55, 59, 59, 59, 59, 59, 59, 59, 59,
    59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59,
    59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59,
    59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59,
    59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59,
    59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59, 59,
    63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63,
    63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63,
    63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63,
    63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63,
    63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63,
    63, 63, 63, 63, 63, 63, 63, 63, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67,
    67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67,
    67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67,
    67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67,
    67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67,
    67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67,
    67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67,
    67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67,
    67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67,
    67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67,
    67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67,
    71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71,
    71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71,
    71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71,
    71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71,
    71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71,
    71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71,
    71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71,
    71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71,
    71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71,
    71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71,
    71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71, 71,
};
/* clang-format on */

uint32_t class_exact(size_t size_bytes)
{
    enum { STEPS_TO_BYTES = 512, STEPS = STEPS_TO_BYTES / BLOCK_ALIGNMENT };
    size_t last = size_bytes - class_rule.bias; /* of an allocated block, if it began at 0 */
    if (last < STEPS_TO_BYTES)
        return (uint32_t)(last / BLOCK_ALIGNMENT);
    uint32_t doubling = bit_highest(last);
    uint32_t step = (uint32_t)(last >> (doubling - 3)) % DOUBLING_STEPS;
    return STEPS + (doubling - bit_highest(STEPS_TO_BYTES)) * DOUBLING_STEPS + step;
}

/* The numbers of classes at which each step of the size begins are even, and above 512 bytes multiples of eight. */
uint32_t class_shared(uint32_t exact_index)
{
    uint32_t slot_bytes = class_slot_bytes[exact_index];
    if (slot_bytes <= PAIRS_ABOVE_BYTES || class_rule.bias == 0)
        return exact_index;
    return exact_index | (slot_bytes > FOURS_ABOVE_BYTES ? 3 : 1);
}

size_t class_least_bytes(uint32_t class_index)
{
    while (class_index > 0 && class_shared(class_index - 1) == class_shared(class_index))
        class_index--;
    return class_index == 0 ? 0 : class_slot_bytes[class_index - 1];
}

static void give_own_slots(uint32_t class_index)
{
    size_t from = class_index == 0 ? 0 : class_slot_bytes[class_index - 1] / BLOCK_ALIGNMENT;
    size_t limit = class_slot_bytes[class_index] / BLOCK_ALIGNMENT;
    for (size_t i = from; i < limit; i++)
        __atomic_store_n(&class_by_16_bytes[i], (uint8_t)class_index, __ATOMIC_RELAXED);
}

COLD void class_share_nothing(void)
{
    for (uint32_t i = 0; i < CLASS_COUNT; i++)
        give_own_slots(i);
}

void class_count_units(uint32_t class_index, int32_t change)
{
    atomic_fetch_add_explicit(&units_now[class_index], (uint32_t)change, memory_order_relaxed);
    atomic_fetch_add_explicit(&units_of_all, (uint32_t)change, memory_order_relaxed);
}

void class_note_demand(uint32_t exact_index)
{
    uint32_t now_index = class_by_16_bytes[class_slot_bytes[exact_index] / BLOCK_ALIGNMENT - 1];
    bool is_large = atomic_load_explicit(&units_of_all, memory_order_relaxed) >= LARGE_HEAP_UNITS;
    uint32_t enough = is_large ? OWN_UNITS_IN_LARGE : OWN_UNITS;
    if (now_index != exact_index && atomic_load_explicit(&units_now[now_index], memory_order_relaxed) >= enough)
        give_own_slots(exact_index);
}
