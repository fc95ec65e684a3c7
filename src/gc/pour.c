/*
 * gc/pour: hands memory piece by piece to whoever looks for pointers in it.
 *
 * A pointer may lie across the border of two pieces, one of which may be a copy, or pages that hold nothing: both sides
 * of each border are joined once more in a small window.
 *
 * Locks: none.
 */
#include "gc/pour.h"

#include "base/bits.h"
#include "base/compiler.h"
#include "base/image.h"
#include "heap/unit.h"
#include "os/match.h"

#include <string.h>

#if defined(__x86_64__)

/* PTR_MANGLE of glibc: xor with a secret that each thread's control block holds, then rotated left by 17. */
static uintptr_t pointer_guard(void)
{
    uintptr_t guard;
    __asm__("mov %%fs:0x30, %0" : "=r"(guard));
    return guard;
}

static inline uintptr_t unmangle(uintptr_t word, uintptr_t guard)
{
    return (word >> 17 | word << 47) ^ guard;
}

static inline uintptr_t mangle(uintptr_t word, uintptr_t guard)
{
    word ^= guard;
    return word << 17 | word >> 47;
}

static void consider_mangled(const struct pour *pour, uintptr_t word)
{
    uintptr_t found = unmangle(word, pour->guard);
    if (found - pour->heap_start <= pour->heap_bytes)
        pour->range(&found, &found + 1, WORD_BYTES, pour->context);
}

/*
 * All addresses of the heap have their upper bits in common. Mangling is done bit by bit, so mangled ones have theirs in
 * common, too: rotation puts the top 17 into the lower half of the word, so that one compare of halves finds nearly none.
 */
static void pour_mangled(const struct pour *pour, const unsigned char *bytes, size_t size_bytes)
{
    enum { LOWER_HALVES = 0x5555, ROTATED_MASK = 0x1ffff };
    uintptr_t last = pour->heap_start + pour->heap_bytes;
    uintptr_t varying = pour->heap_start ^ last;
    uintptr_t upper_bits = varying == 0 ? ~(uintptr_t)0 : ~(~(uintptr_t)0 >> __builtin_clzl(varying));
    struct os_match match = {.mask = (uint32_t)mangle(upper_bits, 0) & ROTATED_MASK};
    match.value = (uint32_t)mangle(pour->heap_start, pour->guard) & match.mask;
    const uintptr_t *word = (const uintptr_t *)(((uintptr_t)bytes + WORD_BYTES - 1) & ~(uintptr_t)(WORD_BYTES - 1));
    const uintptr_t *end = (const uintptr_t *)((uintptr_t)(bytes + size_bytes) & ~(uintptr_t)(WORD_BYTES - 1));
    for (; end - word >= 8; word += 8)
        for (uint32_t lanes = os_match_64(word, match) & LOWER_HALVES; lanes != 0; lanes &= lanes - 1)
            consider_mangled(pour, word[bit_lowest(lanes) / 2]);
    for (; word < end; word++)
        consider_mangled(pour, *word);
}

uintptr_t roots_unmangle(uintptr_t word)
{
    return unmangle(word, pointer_guard());
}

#else

static uintptr_t pointer_guard(void)
{
    return 0;
}

/* setjmp() on aarch64 mangles only the stack pointer and the return address; all else stays as it is. */
static void pour_mangled(const struct pour *pour, const unsigned char *bytes, size_t size_bytes)
{
    (void)pour;
    (void)bytes;
    (void)size_bytes;
}

uintptr_t roots_unmangle(uintptr_t word)
{
    return word;
}

#endif

struct pour pour_start(roots_range *range, void *context)
{
    struct pour pour = {.range = range, .context = context, .heap_start = image_now->slots_start, .guard = pointer_guard()};
    pour.heap_bytes = atomic_load_explicit(&image_now->units_committed, memory_order_relaxed) << UNIT_SHIFT;
    return pour;
}

/* What is not there reads as zero. */
static void pour_border(const struct pour *pour, const unsigned char *before, const unsigned char *after,
                        unsigned step_bytes)
{
    _Alignas(WORD_BYTES) unsigned char window[2 * WORD_BYTES] = {0};
    if (before != NULL)
        memcpy(window, before, WORD_BYTES);
    if (after != NULL)
        memcpy(window + WORD_BYTES, after, WORD_BYTES);
    pour->range(window, window + sizeof window, step_bytes, pour->context);
}

/*
 * Everything is read twice, the second time from the cache. Pieces end where an aligned word does; others that lie across the border of
 * two pieces are in both.
 */
static void pour_piece_by_piece(const struct pour *pour, const unsigned char *bytes, size_t size_bytes, unsigned step_bytes)
{
    enum { PIECE_BYTES = 8192 };
    const unsigned char *limit = bytes + size_bytes;
    for (const unsigned char *from = bytes, *end; from < limit; from = end) {
        end = from + (PIECE_BYTES - (uintptr_t)from % WORD_BYTES);
        end = (size_t)(limit - from) > PIECE_BYTES ? end : limit;
        size_t lead = from > bytes && step_bytes < WORD_BYTES ? WORD_BYTES : 0;
        pour->range(from - lead, end, step_bytes, pour->context);
        pour_mangled(pour, from, (size_t)(end - from));
    }
}

void pour_bytes(struct pour *pour, const unsigned char *bytes, size_t size_bytes, uintptr_t address,
                unsigned step_bytes)
{
    if (size_bytes < WORD_BYTES)
        return;
    if (address == pour->end) {
        pour_border(pour, pour->tail, bytes, step_bytes < pour->step_bytes ? step_bytes : pour->step_bytes);
    } else {
        pour_flush(pour);
        if (step_bytes == 1)
            pour_border(pour, NULL, bytes, 1);
    }
    pour_piece_by_piece(pour, bytes, size_bytes, step_bytes);
    pour->end = address + size_bytes;
    pour->step_bytes = step_bytes;
    memcpy(pour->tail, bytes + size_bytes - WORD_BYTES, WORD_BYTES);
}

void pour_flush(struct pour *pour)
{
    if (pour->end != 0 && pour->step_bytes == 1)
        pour_border(pour, pour->tail, NULL, 1);
    pour->end = 0;
}
