// Exceptions that pass through frames which allocate, are thrown while memory is allocated, and allocate themselves: the
// stack of every block is the one it was allocated from, and what an exception unwinds is unharmed.
#include <cstdio>
#include <cstdlib>
#include <new>
#include <pthread.h>
#include <stdexcept>
#include <string>
#include <vector>

static volatile int after;

struct Tracked {
    std::string text;
    explicit Tracked(unsigned depth) : text(100 + depth, 'x')
    {
        if (depth % 7 == 3)
            throw std::runtime_error(std::string(200, 'y') + std::to_string(depth));
    }
    ~Tracked()
    {
        if (text[0] != 'x')
            abort();
    }
};

__attribute__((noinline)) static unsigned deeper(unsigned depth)
{
    std::vector<Tracked *> kept{new Tracked(depth * 7)};
    unsigned caught = 0;
    try {
        delete new Tracked(depth);
        if (depth != 0)
            caught = deeper(depth - 1);
    } catch (const std::runtime_error &error) {
        caught = error.what()[0] == 'y' ? 1000 : 0;
    }
    delete kept[0];
    after = after + 1;
    return caught + 1;
}

static void refuse_three_times()
{
    static thread_local int times;
    if (++times % 3 == 0)
        throw std::bad_alloc();
    free(malloc(100));
}

static void *run(void *)
{
    for (unsigned round = 0; round < 200; round++) {
        if (deeper(round % 40) == 0)
            abort();
        try {
            // A size that no memory is had for; the handler allocates, then throws.
            operator delete(operator new(size_t(1) << 60));
            abort();
        } catch (const std::bad_alloc &) {
        }
    }
    return nullptr;
}

int main()
{
    pthread_t threads[4];
    std::set_new_handler(refuse_three_times);
    for (pthread_t &thread : threads)
        if (pthread_create(&thread, nullptr, run, nullptr) != 0)
            abort();
    run(nullptr);
    for (pthread_t &thread : threads)
        pthread_join(thread, nullptr);
    return 0;
}
