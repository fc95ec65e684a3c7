/* roots/words: a library to be opened, with room for words in its data and its thread-local storage. */
#include "places.h"

uintptr_t *plugin_words(void);
uintptr_t *plugin_thread_words(void);

static uintptr_t words[BLOCKS];
static _Thread_local uintptr_t thread_words[BLOCKS];

uintptr_t *plugin_words(void)
{
    return words;
}

uintptr_t *plugin_thread_words(void)
{
    return thread_words;
}
