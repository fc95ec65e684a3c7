/*
 * gcalloc/type.h: what a block holds, told to gcalloc: how it is dropped and copied, where its pointers are. See
 * gcalloc_own(3).
 *
 * Every function here may be called from any thread, but from no signal handler.
 */
#ifndef GCALLOC_TYPE_H
#define GCALLOC_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gca_type {
    const char *name; /* "struct node", for gca_new(struct node) and for reports; not copied */
    size_t size_bytes;
    /* Ends what the object holds, not its memory. What its pointers hold ends by itself, afterwards. Or NULL. */
    void (*drop)(void *object);
    /*
     * Makes *copy, which is a copy byte by byte, but for its pointers, complete: they hold references or copies, which are perhaps
     * not complete yet. Returns 0 or -errno: then what the pointers of *copy hold ends, and drop is not called. Or NULL.
     */
    int (*clone)(void *copy, const void *object);
    /* Offsets of the fields that hold a counted reference, or an object of their own; NULL is allowed in them. */
    const uint32_t *pointers;
    uint32_t pointer_count;
    uint32_t id;          /* given by gca_type_add() */
    const char *file;     /* where it was said, or NULL: gca_new() prefers a type of its own file */
    struct gca_type *next;
} gca_type;

/* Registers a type, which stays as it is for ever. Again is allowed. GCA_TYPE() does it before main(). */
void gca_type_add(gca_type *type);

/*
 * GCA_TYPE(struct node, .drop = node_drop, GCA_POINTERS(struct node, left, right));
 * At file scope: from now on gca_new(struct node) and gca_rc_new(struct node) make objects of this type. GCA_TYPE(int) will do
 * for what has no drop, clone or pointers. The members that are named after T are those of gca_type.
 */
#define GCA_TYPE(...) GCA_TYPE_NAMED_(__COUNTER__, __VA_ARGS__, .file = __BASE_FILE__)
#define GCA_TYPE_NAMED_(number, ...) GCA_TYPE_NAMED_AGAIN_(number, __VA_ARGS__)
#define GCA_TYPE_NAMED_AGAIN_(number, T, ...)                                                                          \
    GCA_LACKS_MEMBERS_                                                                                                 \
    static gca_type gca_type_##number = {.name = #T, .size_bytes = sizeof(T), __VA_ARGS__};                            \
    GCA_LACKS_NONE_                                                                                                    \
    __attribute__((constructor)) static void gca_add_type_##number(void)                                               \
    {                                                                                                                  \
        gca_type_add(&gca_type_##number);                                                                              \
    }                                                                                                                  \
    struct gca_type /* for the semicolon */

/* C++ compilers warn of members that are left out even where those that are there are named. */
#ifdef __cplusplus
#define GCA_LACKS_MEMBERS_ _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wmissing-field-initializers\"")
#define GCA_LACKS_NONE_ _Pragma("GCC diagnostic pop")
#else
#define GCA_LACKS_MEMBERS_
#define GCA_LACKS_NONE_
#endif

/* Up to eight fields of T, last in GCA_TYPE(). */
#define GCA_POINTERS(T, ...)                                                                                           \
    .pointers = GCA_ARRAY_(GCA_OFFSETS_(__VA_ARGS__, GCA_O8_, GCA_O7_, GCA_O6_, GCA_O5_, GCA_O4_, GCA_O3_, GCA_O2_,    \
                                        GCA_O1_, )(T, __VA_ARGS__)),                                                   \
    .pointer_count = GCA_OFFSETS_(__VA_ARGS__, 8, 7, 6, 5, 4, 3, 2, 1, )
#ifdef __cplusplus
#define GCA_ARRAY_(...) gca_offsets_<__VA_ARGS__>::array
#else
#define GCA_ARRAY_(...) ((const uint32_t[]){__VA_ARGS__})
#endif
#define GCA_OFFSETS_(a, b, c, d, e, f, g, h, which, ...) which
#define GCA_O1_(T, a) offsetof(T, a)
#define GCA_O2_(T, a, ...) offsetof(T, a), GCA_O1_(T, __VA_ARGS__)
#define GCA_O3_(T, a, ...) offsetof(T, a), GCA_O2_(T, __VA_ARGS__)
#define GCA_O4_(T, a, ...) offsetof(T, a), GCA_O3_(T, __VA_ARGS__)
#define GCA_O5_(T, a, ...) offsetof(T, a), GCA_O4_(T, __VA_ARGS__)
#define GCA_O6_(T, a, ...) offsetof(T, a), GCA_O5_(T, __VA_ARGS__)
#define GCA_O7_(T, a, ...) offsetof(T, a), GCA_O6_(T, __VA_ARGS__)
#define GCA_O8_(T, a, ...) offsetof(T, a), GCA_O7_(T, __VA_ARGS__)

/*
 * Says what is in an allocated block, any that malloc, gca_new() or the like returned. Returns 0, -EINVAL for what is no block
 * or too small for the type, or -ENOMEM.
 */
int gca_tag(void *block, gca_type *type);

/* The type of the block that starts here; NULL when it has none. */
const gca_type *gca_type_of(const void *block);

/* What there is of a type. Counted for objects that gca_new(), gca_rc_new(), gca_clone() or gca_tag() have given it. */
typedef struct gca_type_stats {
    uint64_t made;          /* so far */
    uint64_t current;       /* of them, not freed yet */
    uint64_t current_bytes; /* usable bytes of their blocks */
    uint64_t peak;          /* the most there were at once */
    uint64_t peak_bytes;
} gca_type_stats;

/* Returns 0, or -ENOENT and all zero for a type that was never used. */
int gca_type_get_stats(const gca_type *type, gca_type_stats *stats_out);

/* Calls visit for every type, in the order in which they were registered. visit may do anything. Returns how many there are. */
size_t gca_types_each(void (*visit)(const gca_type *type, const gca_type_stats *stats, void *context), void *context);

/* ---- what the macros of gcalloc/own.h and gcalloc/shared.h pass on ---- */

typedef struct gca_site {
    const char *name;
    const char *file;
    size_t size_bytes;
    size_t align_bytes;
    gca_type *_type; /* found by the first call */
    void *_entry;    /* of a small type, what the library knows of it; or NULL */
    uint32_t _id;
    uint32_t _holder;
    gca_type own; /* for what GCA_TYPE() was not said of */
} gca_site;

#define GCA_SITE_(T)                                                                                                   \
    (__extension__({                                                                                                   \
        static gca_site gca_site_ = {#T, __BASE_FILE__, sizeof(T), __alignof__(T), NULL, NULL, 0, 0,                   \
                                     {NULL, 0, NULL, NULL, NULL, 0, 0, NULL, NULL}};                                   \
        &gca_site_;                                                                                                    \
    }))

#ifdef __cplusplus
}

template <uint32_t... offsets> struct gca_offsets_ {
    static constexpr uint32_t array[] = {offsets...};
};
#endif

#endif
