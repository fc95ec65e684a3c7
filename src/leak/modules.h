/*
 * leak/modules: the objects that code on recorded stacks belongs to, those that are gone among them.
 *
 * Thread-safe and async-signal-safe.
 */
#ifndef LEAK_MODULES_H
#define LEAK_MODULES_H

#include "leak/tables.h"

#include <stdbool.h>

struct os_object;

/* The number of the object's module, which is entered if need be; 0 when there is no room. */
uint32_t modules_number(struct module_table *table, const struct os_object *object,
                        uint32_t now_ms);

/*
 * Looks which modules are not loaded any more, and calls `gone` for each once it is marked. To be called after whatever
 * may have unloaded some.
 */
void modules_refresh(struct module_table *table, uint32_t now_ms,
                     void (*gone)(uint32_t number, void *context), void *context);

#endif
