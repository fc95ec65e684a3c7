/*
 * One thread loads and unloads an object whose code allocates, while others allocate: every stack names the right module,
 * also once that is gone, and the table of modules does not grow with every round.
 */
#include "preload/stacks/recorded.h"

#include <pthread.h>
#include <stdlib.h>

enum { ROUNDS = 100, THREADS = 3, DEPTH = 5 };

static int stop;

static volatile int after;

__attribute__((noinline)) static void *deeper(unsigned depth)
{
    void *block = depth == 0 ? malloc(50) : deeper(depth - 1);
    after = after + 1;
    return block;
}

static void expect_module(const struct stack *stack, const char *path, enum module_state state)
{
    for (uint32_t i = 0; i <= DEPTH; i++) {
        const struct module *module = frame_module(stack->frames[i]);
        require(strstr(module->path, path) != NULL);
        require(module->state == (uint32_t)state);
        require(frame_address(stack->frames[i]) - module->start < module->end - module->start);
    }
}

static void *allocate(void *unused)
{
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        void *block = deeper(DEPTH);
        expect_module(stack_of(block), "unloading", MODULE_LOADED);
        free(block);
    }
    return unused;
}

static void *one_round(const char *path)
{
    void *(*plugin_allocate)(unsigned depth, size_t size_bytes);
    void *plugin = dlopen(path, RTLD_NOW);
    require(plugin != NULL);
    *(void **)&plugin_allocate = dlsym(plugin, "plugin_allocate");
    require(plugin_allocate != NULL);
    void *block = plugin_allocate(DEPTH, 60);
    expect_module(stack_of(block), "plugin", MODULE_LOADED);
    require(dlclose(plugin) == 0);
    expect_module(stack_of(block), "plugin", MODULE_UNLOADED);
    require(frame_module(stack_of(block)->frames[0])->build_id_bytes != 0);
    return block;
}

int main(int count, char **arguments)
{
    pthread_t threads[THREADS];
    void *blocks[ROUNDS];
    require(count == 2);
    for (int i = 0; i < THREADS; i++)
        require(pthread_create(&threads[i], NULL, allocate, NULL) == 0);
    for (int i = 0; i < ROUNDS; i++)
        blocks[i] = one_round(arguments[1]);
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < THREADS; i++)
        require(pthread_join(threads[i], NULL) == 0);
    for (int i = 0; i < ROUNDS; i++) {
        expect_module(stack_of(blocks[i]), "plugin", MODULE_UNLOADED);
        free(blocks[i]);
    }
    require(recorded_tables()->modules->count < ROUNDS / 2);
    return 0;
}
