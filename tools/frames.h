/* tools/frames: the call stacks that a program has recorded of its blocks, in words on standard output. */
#ifndef TOOLS_FRAMES_H
#define TOOLS_FRAMES_H

#include "leak/tables.h"
#include "tools/names.h"

struct frames;

/* Of the program whose tables image_now->leak leads to, which outlive it. Never NULL. */
struct frames *frames_open(const struct names *names);
void frames_close(struct frames *frames);

/* The innermost few in the rest of a line, or all that the program has a part in, a line each. */
void frames_print_site(struct frames *frames, const struct stack *stack);
void frames_print_stack(struct frames *frames, const struct stack *stack);

#endif
