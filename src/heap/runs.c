/*
 * heap/runs: runs of units, taken and given back.
 *
 * Invariants, whenever the run lock is free:
 *   - a unit below units_used is taken or its bit in `free` is set; above, both bits are clear;
 *   - units_dirty counts the units whose bits are set in both maps; units_taken those taken (a run that is being
 *     purged counts as taken);
 *   - no bit of `free` is set below lowest_free.
 *
 * Uses os, base. Locks: the run lock; metadata may be taken inside it, nothing else.
 */
#include "heap/runs.h"

#include "base/bits.h"
#include "base/invariant.h"
#include "base/lock.h"
#include "heap/layout.h"
#include "heap/moved.h"
#include "heap/purge.h"
#include "os/memory.h"

/* The bits a search looks at: free ones, and of them only the dirty or only the clean. */
enum run_filter { FILTER_FREE, FILTER_DIRTY, FILTER_CLEAN, FILTER_COUNT };

static struct lock lock;
static size_t purging_units; /* taken only while the kernel purges them. Under the lock */
static size_t lowest_free;

/*
 * What searches have found out: below known[filter][bin] no run of bin_units(bin) units or more passes the filter.
 * Without it every large block in a fragmented heap would cost a look at all runs that are too short. There is a bin for
 * each count up to 16, then one for each doubling.
 */
enum { EXACT_BINS = 16, BINS = EXACT_BINS + 12 };

static size_t known[FILTER_COUNT][BINS];
static uint32_t known_bins[FILTER_COUNT]; /* a bit for each bin of which something is known */
_Static_assert(BINS <= 32, "a bit for each");

/* A purge claims a piece at a time, so that others do not find the heap empty meanwhile. */
enum { PIECE_UNITS = 256, SMALL_RUN_UNITS = 4 };

static size_t units_used(void)
{
    return atomic_load_explicit(&image_now->units_used, memory_order_relaxed);
}

/* Counters have one writer at a time (the run lock); readers take what they get. */
static void counter_add(_Atomic uint64_t *counter, size_t value)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + value, memory_order_relaxed);
}

static void counter_subtract(_Atomic uint64_t *counter, size_t value)
{
    counter_add(counter, -value);
}

static uint64_t filtered_word(const struct unit_maps *maps, size_t word, enum run_filter filter)
{
    uint64_t free_bits = maps->free[word];
    if (filter == FILTER_FREE || free_bits == 0)
        return free_bits;
    return filter == FILTER_DIRTY ? free_bits & maps->dirty[word] : free_bits & ~maps->dirty[word];
}

/* The first unit in [from, limit) for which the filter says `value`, or limit. */
static size_t find_unit(enum run_filter filter, size_t from, size_t limit, bool value)
{
    const struct unit_maps *maps = layout_unit_maps();
    uint64_t flip = value ? 0 : ~(uint64_t)0;
    while (from < limit) {
        uint64_t word = (filtered_word(maps, from / WORD_BITS, filter) ^ flip) >> (from % WORD_BITS);
        if (word != 0) {
            size_t found = from + bit_lowest(word);
            return found < limit ? found : limit;
        }
        from = (from / WORD_BITS + 1) * WORD_BITS;
    }
    return limit;
}

/* The start of the stretch that ends at `end` and passes the filter, but not more than `most` units before it. */
static size_t stretch_start(enum run_filter filter, size_t end, size_t most)
{
    const struct unit_maps *maps = layout_unit_maps();
    size_t floor = end > most ? end - most : 0;
    while (end > floor) {
        uint32_t bits = (uint32_t)((end - 1) % WORD_BITS) + 1;
        uint64_t others = ~filtered_word(maps, (end - 1) / WORD_BITS, filter) & word_mask(0, bits);
        if (others != 0) {
            size_t start = (end - 1) / WORD_BITS * WORD_BITS + bit_highest(others) + 1;
            return start > floor ? start : floor;
        }
        end -= bits;
    }
    return floor;
}

/* The smallest count of the bin. */
static size_t bin_units(size_t bin)
{
    return bin < EXACT_BINS ? bin + 1 : (size_t)EXACT_BINS << (bin - EXACT_BINS) | 1;
}

static size_t bin_of(size_t count)
{
    if (count <= EXACT_BINS)
        return count - 1;
    size_t bin = EXACT_BINS + bit_highest((count - 1) / EXACT_BINS);
    return bin < BINS ? bin : BINS - 1;
}

/* A run of `wanted` units that the given ones are part of may start below *from now: then that is where it starts. */
static void correct(size_t *from, size_t wanted, enum run_filter filter, size_t first, size_t count)
{
    if (first >= *from + wanted)
        return;
    size_t start = stretch_start(filter, first, wanted);
    size_t limit = first + count + wanted < units_used() ? first + count + wanted : units_used();
    while (start < first + count && start < *from) {
        size_t end = find_unit(filter, start, limit, false);
        if (end - start >= wanted) {
            *from = start;
            return;
        }
        start = find_unit(filter, end, limit, true);
    }
}

/* The units became free or changed between clean and dirty. */
static void correct_all(size_t first, size_t count)
{
    for (int filter = 0; filter < FILTER_COUNT; filter++)
        for (uint32_t bins = known_bins[filter]; bins != 0; bins &= bins - 1) {
            size_t bin = bit_lowest(bins);
            correct(&known[filter][bin], bin_units(bin), (enum run_filter)filter, first, count);
        }
}

/* Where a search in the bin may start: what is known of smaller runs holds for larger ones. */
static size_t known_start(enum run_filter filter, size_t bin)
{
    size_t start = lowest_free;
    for (size_t i = 0; i <= bin; i++)
        start = known[filter][i] > start ? known[filter][i] : start;
    return start;
}

/* The lowest run that fits, or SIZE_MAX. On the way the first run that counts in the bin is noted. */
static size_t find_run(enum run_filter filter, size_t count)
{
    size_t bin = bin_of(count);
    size_t limit = units_used();
    size_t noted = SIZE_MAX;
    size_t from = known_start(filter, bin);
    for (;;) {
        size_t start = find_unit(filter, from, limit, true);
        size_t end = find_unit(filter, start, start + count < limit ? start + count : limit, false);
        if (noted == SIZE_MAX && (end - start >= bin_units(bin) || start + count > limit))
            noted = start;
        if (end - start == count || start + count > limit) {
            known[filter][bin] = noted;
            known_bins[filter] |= (uint32_t)1 << bin;
            return end - start == count ? start : SIZE_MAX;
        }
        from = end;
    }
}

/* Marks free units taken. */
static void claim(size_t first, size_t count)
{
    const struct unit_maps *maps = layout_unit_maps();
    size_t dirty = bitmap_count(maps->dirty, first, count);
    bitmap_fill(maps->free, first, count, false);
    counter_subtract(&image_now->units_dirty, dirty);
    counter_add(&image_now->units_taken, count);
    purge_note_taken(count - dirty);
    if (first == lowest_free)
        lowest_free = first + count;
}

static void release(size_t first, size_t count)
{
    const struct unit_maps *maps = layout_unit_maps();
    bitmap_fill(maps->free, first, count, true);
    counter_add(&image_now->units_dirty, bitmap_count(maps->dirty, first, count));
    counter_subtract(&image_now->units_taken, count);
    if (first < lowest_free)
        lowest_free = first;
    correct_all(first, count);
}

/* Takes units at the end of the heap into use, as free and clean ones. */
static int extend(size_t new_used)
{
    size_t used = units_used();
    int result = layout_grow_units(new_used);
    if (result != 0)
        return result;
    bitmap_fill(layout_unit_maps()->free, used, new_used - used, true);
    bitmap_fill(layout_unit_maps()->dirty, used, new_used - used, false);
    if (used < lowest_free)
        lowest_free = used;
    atomic_store_explicit(&image_now->units_used, new_used, memory_order_release);
    correct_all(used, new_used - used);
    return 0;
}

/* Finds room behind the last taken unit, growing the heap. */
static size_t take_from_end(size_t count)
{
    size_t used = units_used();
    size_t start = used;
    while (start > 0 && bitmap_get(layout_unit_maps()->free, start - 1))
        start--;
    if (count > image_now->unit_limit || start > image_now->unit_limit - count)
        return SIZE_MAX;
    return start + count <= used || extend(start + count) == 0 ? start : SIZE_MAX;
}

/* The counters say when a search is in vain. */
static size_t find_filtered(enum run_filter filter, size_t count)
{
    uint64_t dirty = atomic_load_explicit(&image_now->units_dirty, memory_order_relaxed);
    uint64_t all = units_used() - atomic_load_explicit(&image_now->units_taken, memory_order_relaxed);
    uint64_t candidates = filter == FILTER_DIRTY ? dirty : filter == FILTER_CLEAN ? all - dirty : all;
    return candidates >= count ? find_run(filter, count) : SIZE_MAX;
}

static size_t find_free(size_t count, enum run_preference preference)
{
    size_t found = find_filtered(preference == RUN_CLEAN_FIRST ? FILTER_CLEAN : FILTER_DIRTY, count);
    if (found != SIZE_MAX || preference == RUN_DIRTY_ONLY)
        return found;
    if (preference == RUN_DIRTY_FIRST)
        found = find_filtered(FILTER_FREE, count);
    return found != SIZE_MAX ? found : take_from_end(count);
}

/* What is being purged counts as taken, but is neither. The lock is held. */
static bool is_allowed(size_t count)
{
    size_t limit = run_limit();
    size_t taken = atomic_load_explicit(&image_now->units_taken, memory_order_relaxed) - purging_units;
    return count <= limit && taken <= limit - count;
}

static size_t purge_down_to(size_t target);

/* Dirty units give way to taken ones. */
COLD static void purge_for_limit(size_t limit)
{
    size_t taken = atomic_load_explicit(&image_now->units_taken, memory_order_relaxed) - purging_units;
    size_t dirty = atomic_load_explicit(&image_now->units_dirty, memory_order_relaxed);
    if (taken + dirty > limit)
        purge_note_purged(purge_down_to(limit > taken ? limit - taken : 0));
}

/* The run is claimed already. */
static void keep_limit(void)
{
    size_t limit = run_limit();
    if (UNLIKELY(limit != SIZE_MAX))
        purge_for_limit(limit);
}

void run_set_limit(size_t unit_count)
{
    atomic_store_explicit(&image_now->units_allowed, unit_count != 0 ? unit_count : SIZE_MAX, memory_order_relaxed);
}

size_t run_limit(void)
{
    return atomic_load_explicit(&image_now->units_allowed, memory_order_relaxed);
}

/* For an alignment a wider run is found, and only the aligned part of it is claimed. */
size_t run_take(size_t count, size_t align_units, enum run_preference preference)
{
    lock_take(&lock);
    size_t wide_count = count + align_units - 1;
    bool allowed = is_allowed(count);
    size_t first = allowed ? find_free(wide_count, preference) : SIZE_MAX;
    if (first == SIZE_MAX && preference == RUN_CLEAN_FIRST && allowed)
        first = find_free(wide_count, RUN_DIRTY_FIRST);
    if (first != SIZE_MAX) {
        uintptr_t start = unit_start(first);
        first += (round_up(start, align_units << UNIT_SHIFT) - start) >> UNIT_SHIFT;
        claim(first, count);
        keep_limit();
    }
    lock_release(&lock);
    return first;
}

bool run_take_at(size_t first, size_t count)
{
    lock_take(&lock);
    size_t used = units_used();
    size_t inside = first >= used ? 0 : (first + count <= used ? count : used - first);
    bool possible = first <= used && is_allowed(count) && first + count <= image_now->unit_limit &&
                    find_unit(FILTER_FREE, first, first + inside, false) == first + inside &&
                    (first + count <= used || extend(first + count) == 0);
    if (possible) {
        claim(first, count);
        keep_limit();
    }
    lock_release(&lock);
    return possible;
}

/* The highest dirty free unit below `end`, or SIZE_MAX. */
static size_t find_last_dirty(size_t end)
{
    while (end > 0) {
        size_t word = (end - 1) / WORD_BITS;
        uint64_t bits = filtered_word(layout_unit_maps(), word, FILTER_DIRTY);
        bits &= word_mask(0, (uint32_t)((end - 1) % WORD_BITS) + 1);
        if (bits != 0)
            return word * WORD_BITS + bit_highest(bits);
        end = word * WORD_BITS;
    }
    return SIZE_MAX;
}

/*
 * Purges the whole pages in one run, which count as taken while the lock is open for the kernel call. Returns the units
 * purged; 0 also when the kernel refused.
 */
static size_t purge_run(size_t first, size_t limit)
{
    size_t page_units = purge_page_units();
    first = round_up(first, page_units);
    size_t count = round_down(limit, page_units) - first;
    if (first >= limit || count == 0)
        return 0;
    const struct unit_maps *maps = layout_unit_maps();
    bitmap_fill(maps->free, first, count, false);
    counter_subtract(&image_now->units_dirty, count);
    counter_add(&image_now->units_taken, count);
    purging_units += count;
    bool renew = moved_any(first, count);
    lock_release(&lock);
    bool is_clean = purge_units(first, count, renew);
    lock_take(&lock);
    purging_units -= count;
    if (is_clean) {
        bitmap_fill(maps->dirty, first, count, false);
        moved_clear(first, count);
    }
    release(first, count);
    if (!is_clean)
        purge_note_refused();
    return is_clean ? count : 0;
}

/*
 * Purges runs of so many units or more, from the highest downwards and in pieces, until `target` units stay dirty.
 * Returns the units purged.
 */
static size_t purge_runs(size_t target, size_t least)
{
    const struct unit_maps *maps = layout_unit_maps();
    size_t end = units_used();
    size_t purged = 0;
    while (atomic_load_explicit(&image_now->units_dirty, memory_order_relaxed) > target) {
        size_t last = find_last_dirty(end);
        if (last == SIZE_MAX)
            break;
        size_t first = last;
        while (first > 0 && last - first < PIECE_UNITS && bitmap_get(maps->free, first - 1) &&
               bitmap_get(maps->dirty, first - 1))
            first--;
        end = first;
        if (last + 1 - first < least)
            continue;
        size_t count = purge_run(first, last + 1);
        if (count == 0 && purge_page_units() == 1)
            break;
        purged += count;
    }
    return purged;
}

/* Long runs first: a call for a small one frees less. */
static size_t purge_down_to(size_t target)
{
    size_t purged = purge_runs(target, SMALL_RUN_UNITS);
    return purged + purge_runs(target, 1);
}

void run_put(size_t first, size_t count)
{
    release(first, count);
    if (purge_is_due())
        purge_note_purged(purge_down_to(purge_target()));
}

NOINLINE void run_purge_due(void)
{
    lock_take(&lock);
    if (purge_is_due())
        purge_note_purged(purge_down_to(purge_target()));
    lock_release(&lock);
}

size_t run_dirty_count(void)
{
    return atomic_load_explicit(&image_now->units_dirty, memory_order_relaxed);
}

void run_expect(size_t count)
{
    lock_take(&lock);
    purge_expect(count);
    lock_release(&lock);
}

COLD size_t run_purge_all(void)
{
    lock_take(&lock);
    size_t purged = purge_down_to(0);
    lock_release(&lock);
    return purged << UNIT_SHIFT;
}

/*
 * Words at the ends of a run are shared with neighbours, whose bits others change under the lock; so reading takes
 * the lock too. Only large blocks and fresh spans ask.
 */
size_t run_find(size_t from, size_t limit, bool dirty, size_t *end_out)
{
    lock_take(&lock);
    const uint64_t *words = layout_unit_maps()->dirty;
    size_t start = bitmap_find(words, from, limit, dirty);
    *end_out = bitmap_find(words, start, limit, !dirty);
    lock_release(&lock);
    return start;
}

void run_set_dirty(size_t first, size_t count, bool dirty)
{
    bitmap_fill(layout_unit_maps()->dirty, first, count, dirty);
}

void run_lock(void)
{
    lock_take(&lock);
}

void run_unlock(void)
{
    lock_release(&lock);
}

void run_lock_reset(void)
{
    lock_reset(&lock);
}

static bool is_true(size_t from, size_t wanted, enum run_filter filter)
{
    size_t end = 0;
    for (size_t start = 0; start < from; start = end) {
        start = find_unit(filter, end, from, true);
        end = find_unit(filter, start, units_used(), false);
        if (start < from && end - start >= wanted)
            return false;
    }
    return true;
}

COLD const char *run_verify(void)
{
    const struct unit_maps *maps = layout_unit_maps();
    size_t free_units = 0;
    size_t dirty_units = 0;
    for (size_t i = 0; i < units_used(); i++) {
        bool is_free = bitmap_get(maps->free, i);
        free_units += is_free;
        dirty_units += is_free && bitmap_get(maps->dirty, i);
        if (is_free && i < lowest_free)
            return "a free unit lies below the lowest one";
        if (is_free && heap_layout.units[i].kind != UNIT_FREE)
            return "a free unit has a span";
    }
    for (int filter = 0; filter < FILTER_COUNT; filter++)
        for (size_t bin = 0; bin < BINS; bin++)
            if (!is_true(known[filter][bin], bin_units(bin), (enum run_filter)filter))
                return "a run of free units lies where none is known";
    if (free_units != units_used() - atomic_load(&image_now->units_taken))
        return "the number of taken units is wrong";
    return dirty_units == atomic_load(&image_now->units_dirty) ? NULL : "the number of dirty units is wrong";
}
