/* bench/shared_ptr: for bench/own, what C++ takes for the like: std::shared_ptr, which counts atomically once there are threads. */
#include "bench/shared_ptr.h"

#include <memory>

namespace
{
struct leaf {
    uint64_t value[3];
};

std::shared_ptr<leaf> one;
std::weak_ptr<leaf> weak;
volatile uintptr_t sink;
} // namespace

/* From outside: a compiler would see through counts that it knows to come back. */
void shared_ptr_start(void)
{
    one = std::make_shared<leaf>();
    weak = one;
}

void shared_ptr_copy(int calls)
{
    for (int i = 0; i < calls; i++) {
        std::shared_ptr<leaf> copy = one;
        sink = reinterpret_cast<uintptr_t>(copy.get());
    }
}

void shared_ptr_lock(int calls)
{
    for (int i = 0; i < calls; i++)
        sink = reinterpret_cast<uintptr_t>(weak.lock().get());
}

void shared_ptr_make(int calls)
{
    for (int i = 0; i < calls; i++)
        sink = reinterpret_cast<uintptr_t>(std::make_shared<leaf>().get());
}
