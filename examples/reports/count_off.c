/*
 * count_off: two documents share a style. One forgets to retain it, the other retains it twice as often as it keeps it.
 *
 * A reference too few is a use after free that has not happened yet; one too many is a leak. Counts are compared with the words that are
 * really there. It says:
 *
 *     gcalloc: audit: 2 findings
 *       0x7f31c0 (8 bytes, struct style) has 1 references, but 2 fields hold it
 *       0x7f31e0 (8 bytes, struct style) has 20 references, but only 2 can be seen
 */
#include <gcalloc.h>
#include <stdio.h>
#include <string.h>

struct style {
    int size;
    int weight;
};

struct document {
    struct style *heading;
    struct style *text;
};

GCA_TYPE(struct style);
GCA_TYPE(struct document, GCA_POINTERS(struct document, heading, text));

static struct document *document;

static __attribute__((noinline)) int document_make(void)
{
    document = gca_new(struct document);
    if (document == NULL)
        return -1;
    document->heading = gca_rc_new(struct style);
    document->text = document->heading; /* the first mistake: gca_retain(document->heading) */
    return document->heading != NULL ? 0 : -1;
}

static struct style *current;

static __attribute__((noinline)) int pick_style(void)
{
    current = gca_rc_new(struct style);
    for (int i = 1; i < 20 && current != NULL; i++)
        gca_retain(current); /* the second: each retain wants a release, and gets none */
    return current != NULL ? 0 : -1;
}

/* What calls leave behind below would count as pointers, were it still there. */
static __attribute__((noinline)) void overwrite_stack(void)
{
    volatile char bytes[8192];
    memset((char *)bytes, 0, sizeof bytes);
}

int main(void)
{
    if (document_make() != 0 || pick_style() != 0)
        return 1;
    overwrite_stack();
    gca_audit_report();
    return 0;
}
