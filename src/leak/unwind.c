/*
 * leak/unwind: from frame to frame.
 *
 * Uses os, heap (metadata). Locks: none.
 */
#include "leak/unwind.h"

#include "base/compiler.h"
#include "heap/metadata.h"
#include "leak/cfi.h"
#include "leak/modules.h"
#include "leak/rule.h"
#include "os/object.h"
#include "os/peek.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum { CACHE_BITS = 16, CACHE_ENTRIES = 1 << CACHE_BITS, WORD_BYTES = 8, PAGE_BYTES = 4096 };

/* Everybody's stacks are smaller than that, and between a main stack and other mappings the kernel leaves more. */
#define MAIN_STACK_BYTES ((uintptr_t)64 << 20)
#define THREAD_STACK_STEP_BYTES ((uintptr_t)1 << 20)

/*
 * An address and its rule. Written and read without a lock: the first word is the address exclusive-or the rule, so a
 * mixture of two entries fits no address.
 */
struct cache_entry {
    _Atomic uint64_t mixed;
    _Atomic uint64_t rule;
};

/* The part of the thread's own stack that is known to be readable, from `low` to its end; both 0 before the first walk. */
struct known_stack {
    uintptr_t low;
    uintptr_t end;
};

/* A stack on its way out. Loads happen in [low, end); beyond `probed` each page is tried first. */
struct walk {
    struct os_registers at;
    uintptr_t low;
    uintptr_t end;
    uintptr_t probed; /* 0: no page needs to be tried */
    bool is_exact;    /* the address is the next instruction, not where a call returns to */
};

static struct cache_entry *cache;
static struct module_table *all_modules;
static _Thread_local struct known_stack known __attribute__((tls_model("initial-exec")));

/* ---- rules ---- */

static uint64_t as_word(struct rule rule)
{
    uint64_t word;
    memcpy(&word, &rule, sizeof word);
    return word;
}

static struct rule as_rule(uint64_t word)
{
    struct rule rule;
    memcpy(&rule, &word, sizeof rule);
    return rule;
}

/* Addresses near each other share pages of the cache. Entries come in pairs. */
static inline struct cache_entry *pair_of(uintptr_t address)
{
    return &cache[((address >> 2) ^ (address >> 17)) & (CACHE_ENTRIES - 1) & ~(uintptr_t)1];
}

static inline struct rule look_up(uintptr_t address)
{
    struct cache_entry *pair = pair_of(address);
    for (int i = 0; i < 2; i++) {
        uint64_t word = atomic_load_explicit(&pair[i].rule, memory_order_relaxed);
        if ((atomic_load_explicit(&pair[i].mixed, memory_order_relaxed) ^ word) == address)
            return as_rule(word);
    }
    return (struct rule){.kind = RULE_NONE};
}

static void enter(uintptr_t address, struct rule rule)
{
    struct cache_entry *pair = pair_of(address);
    bool first_is_used = atomic_load_explicit(&pair[0].rule, memory_order_relaxed) != 0;
    bool second_is_used = atomic_load_explicit(&pair[1].rule, memory_order_relaxed) != 0;
    struct cache_entry *entry = &pair[first_is_used && (!second_is_used || (address & 1) != 0)];
    uint64_t word = as_word(rule);
    atomic_store_explicit(&entry->rule, word, memory_order_relaxed);
    atomic_store_explicit(&entry->mixed, address ^ word, memory_order_relaxed);
}

/* Code that nobody describes: if it keeps a frame pointer, this is how. */
static struct rule rule_by_frame_pointer(void)
{
    struct rule rule = rule_make(RULE_PLAIN, RULE_FRAME_POINTER, 2);
    rule.frame_pointer_saved = 2;
    return rule;
}

COLD static struct rule find_rule(uintptr_t address, uint32_t now_ms)
{
    struct os_object object;
    struct rule rule = rule_by_frame_pointer();
    if (os_object_find(address, &object)) {
        cfi_find(&object, address, &rule);
        rule.module = modules_number(all_modules, &object, now_ms) & UINT16_MAX;
    }
    enter(address, rule);
    return rule;
}

/* ---- memory ---- */

/*
 * Where the thread's own stack ends: above the stack pointer, the thread's control block or the place where the
 * kernel put the main thread. 0 when the stack pointer is on neither's, as far as can be told from here.
 */
static uintptr_t own_stack_end(uintptr_t stack_pointer)
{
    uintptr_t main_end = os_main_stack_end();
    if (main_end - stack_pointer < MAIN_STACK_BYTES)
        return main_end;
    uintptr_t control_block = os_thread_pointer();
    return control_block - stack_pointer < THREAD_STACK_STEP_BYTES ? control_block : 0;
}

/* Sets what may be loaded. On a stack the program made itself, all pages but the first are tried on every walk. */
COLD static void explore(struct walk *walk)
{
    uintptr_t low = walk->at.stack_pointer;
    uintptr_t page = low & ~(uintptr_t)(PAGE_BYTES - 1);
    uintptr_t up_to = known.low <= low || known.low - low > THREAD_STACK_STEP_BYTES ? 0 : known.low;
    uintptr_t end = known.end;
    if (up_to == 0)
        end = up_to = own_stack_end(low);
    bool is_main = end != 0 && end == os_main_stack_end() && end - low < MAIN_STACK_BYTES;
    if (up_to != 0 && (is_main || os_is_readable(page, up_to))) {
        known = (struct known_stack){page, end};
        walk->end = end;
        return;
    }
    walk->end = UINTPTR_MAX - PAGE_BYTES;
    walk->probed = page + PAGE_BYTES;
}

static inline void bound(struct walk *walk)
{
    walk->low = walk->at.stack_pointer;
    walk->end = known.end;
    walk->probed = 0;
    if (UNLIKELY(walk->low - known.low >= known.end - known.low))
        explore(walk);
}

COLD static bool probe(struct walk *walk, uintptr_t address)
{
    uintptr_t end = address + WORD_BYTES;
    if (end - walk->probed > THREAD_STACK_STEP_BYTES || !os_is_readable(walk->probed, end))
        return false;
    walk->probed = (end + PAGE_BYTES - 1) & ~(uintptr_t)(PAGE_BYTES - 1);
    return true;
}

/* Loads a word of the stack. False when the address is not on it. */
static inline bool load(struct walk *walk, uintptr_t address, uintptr_t *word_out)
{
    if (address < walk->low || address > walk->end - WORD_BYTES || address % WORD_BYTES != 0)
        return false;
    if (UNLIKELY(walk->probed != 0) && address + WORD_BYTES > walk->probed && !probe(walk, address))
        return false;
    *word_out = *(const uintptr_t *)address;
    return true;
}

/* ---- steps ---- */

/* A register as the caller had it. */
static inline bool restore(struct walk *walk, uint64_t saved, uintptr_t frame,
                           uintptr_t *word_inout)
{
    if (saved == SAVED_NOWHERE)
        return true;
    uintptr_t address = saved < SAVED_BY_FRAME
                            ? frame - saved * WORD_BYTES
                            : walk->at.frame_pointer - (saved - SAVED_BY_FRAME) * WORD_BYTES;
    return load(walk, address, word_inout);
}

/* Into what a signal has interrupted, which may be on another stack. */
COLD static bool step_over_signal(struct walk *walk)
{
    uintptr_t last;
    uintptr_t context = walk->at.stack_pointer;
    if (!load(walk, context, &last) ||
        !load(walk, context + os_registers_context_bytes() - WORD_BYTES, &last))
        return false;
    walk->at = os_registers_of_context((const void *)context);
    walk->is_exact = true;
    bound(walk);
    return true;
}

/* Mostly the stack pointer, which is foretold better than selected: what comes next waits for it. */
static inline uintptr_t frame_register(const struct os_registers *at, struct rule rule)
{
    if (LIKELY(rule.frame_register == RULE_STACK_POINTER))
        return at->stack_pointer;
    return rule.frame_register == RULE_FRAME_POINTER ? at->frame_pointer : at->base;
}

static inline bool step(struct walk *walk, struct rule rule)
{
    if (UNLIKELY(rule.kind == RULE_SIGNAL))
        return step_over_signal(walk);
    if (rule.kind == RULE_STOP)
        return false;
    struct os_registers at = walk->at;
    uintptr_t frame = frame_register(&at, rule) + (uintptr_t)(rule_frame_words(rule) * WORD_BYTES);
    if (UNLIKELY(rule.kind == RULE_INDIRECT) && !load(walk, frame, &frame))
        return false;
    uintptr_t frame_pointer = at.frame_pointer;
    if (frame <= at.stack_pointer || !load(walk, frame - WORD_BYTES, &at.program_counter) ||
        !restore(walk, rule.frame_pointer_saved, frame, &frame_pointer) ||
        !restore(walk, rule.base_saved, frame, &at.base))
        return false;
    at.frame_pointer = frame_pointer;
    at.stack_pointer = frame;
    walk->at = at;
    walk->is_exact = false;
    return true;
}

uint32_t unwind_stack(const struct os_registers *from, uintptr_t skip_start, uintptr_t skip_end,
                      uint64_t *frames_out, uint32_t limit, uint32_t now_ms)
{
    struct walk walk = {.at = *from, .is_exact = true};
    uint32_t count = 0;
    bool skipping = true;
    bound(&walk);
    do {
        uintptr_t address = walk.at.program_counter - !walk.is_exact;
        if (address < PAGE_BYTES)
            break;
        struct rule rule = look_up(address);
        if (UNLIKELY(rule.kind == RULE_NONE))
            rule = find_rule(address, now_ms);
        skipping = skipping && address - skip_start < skip_end - skip_start;
        if (!skipping)
            frames_out[count++] = (address & ((UINT64_C(1) << FRAME_MODULE_SHIFT) - 1)) |
                                  (uint64_t)rule.module << FRAME_MODULE_SHIFT;
        if (count == limit || !step(&walk, rule))
            break;
    } while (true);
    return count;
}

/* ---- start, and objects that go ---- */

int unwind_start(struct module_table *modules)
{
    all_modules = modules;
    cache = metadata_take(CACHE_ENTRIES * sizeof *cache);
    return cache == NULL ? -ENOMEM : 0;
}

/* Without a module, the rules of code that nothing described are dropped too: something may lie there now. */
static void forget(uint32_t number, void *context)
{
    (void)context;
    for (size_t i = 0; i < CACHE_ENTRIES; i++) {
        struct rule rule = as_rule(atomic_load_explicit(&cache[i].rule, memory_order_relaxed));
        if (rule.kind != RULE_NONE && (rule.module == number || rule.module == 0)) {
            atomic_store_explicit(&cache[i].rule, 0, memory_order_relaxed);
            atomic_store_explicit(&cache[i].mixed, 0, memory_order_relaxed);
        }
    }
}

void unwind_refresh(uint32_t now_ms)
{
    modules_refresh(all_modules, now_ms, forget, NULL);
}
