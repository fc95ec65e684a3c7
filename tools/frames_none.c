/*
 * tools/frames: where the parts of the command that show reports are missing: names as far as the loader's tables know them.
 */
#include "tools/frames.h"

#include "base/image.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_FRAMES = 3 };

#define FRAME_ADDRESS_MASK ((UINT64_C(1) << FRAME_MODULE_SHIFT) - 1)

struct frames {
    const struct names *names;
};

struct frames *frames_open(const struct names *names)
{
    struct frames *frames = malloc(sizeof *frames);
    if (frames == NULL)
        abort();
    frames->names = names;
    return frames;
}

void frames_close(struct frames *frames)
{
    free(frames);
}

/* Files and symbols may be called anything; our terminal should not obey them. */
static void print_safe(const char *text)
{
    for (; *text != '\0'; text++)
        putchar((unsigned char)*text < ' ' || *text == 127 ? '?' : *text);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* A module that was unloaded says nothing of what lies there now. */
static void print_frame(const struct frames *frames, uint64_t frame)
{
    const struct leak_tables *tables = image_now->leak;
    size_t number = frame >> FRAME_MODULE_SHIFT;
    uintptr_t address = (uintptr_t)(frame & FRAME_ADDRESS_MASK) + 1;
    const struct module *module = number != 0 && number < MODULE_COUNT_MAX ? &tables->modules->modules[number] : NULL;
    bool is_gone = module != NULL && atomic_load_explicit(&module->state, memory_order_relaxed) == MODULE_UNLOADED;
    struct name name;
    if (!is_gone && names_of_call(frames->names, address, &name) && name.symbol[0] != '\0') {
        print_safe(name.symbol);
        printf(" ");
        print_safe(base_name(name.source[0] != '\0' ? name.source : name.module));
    } else if (module != NULL) {
        print_safe(base_name(module->path));
        printf("+0x%" PRIxPTR "%s", address - module->base, is_gone ? " (unloaded)" : "");
    } else {
        printf("0x%" PRIxPTR, address);
    }
}

void frames_print_site(struct frames *frames, const struct stack *stack)
{
    for (uint32_t i = 0; i < stack->frame_count && i < SHOWN_FRAMES; i++) {
        fputs(i == 0 ? "  " : " < ", stdout);
        print_frame(frames, stack->frames[i]);
    }
}

void frames_print_stack(struct frames *frames, const struct stack *stack)
{
    for (uint32_t i = 0; i < stack->frame_count; i++) {
        printf("    #%-2u ", (unsigned)i + 1);
        print_frame(frames, stack->frames[i]);
        putchar('\n');
    }
}
