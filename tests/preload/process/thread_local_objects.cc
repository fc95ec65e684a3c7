/* C++ objects of thread storage, whose destructors free and allocate while the thread ends, and static ones at exit. */
extern "C" {
#include "support/require.h"
#include "support/workload.h"
}
#include "support/subject.h"

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace
{

std::atomic<int> alive;

struct busy {
    std::map<int, std::string> entries;
    std::unique_ptr<busy> child;

    explicit busy(int depth) : child(depth > 0 ? std::make_unique<busy>(depth - 1) : nullptr)
    {
        alive++;
        for (int i = 0; i < 50; i++)
            entries[i] = std::string(static_cast<size_t>(i) * 7, 'x');
    }
    ~busy()
    {
        std::vector<std::string> more(20, std::string(100, 'y'));

        workload_run(entries.size(), 50);
        require(more.size() == 20 && entries.at(3) == std::string(21, 'x'));
        alive--;
    }
};

thread_local busy first(3);
thread_local std::vector<std::string> words;
busy at_exit(2);

void touch(int i)
{
    words.assign(static_cast<size_t>(i % 50), first.entries.at(i % 50));
    first.entries[i + 100] = "more";
}

} /* namespace */

int main(int, char **arguments)
{
    subject_require(arguments);
    for (int round = 0; round < 20; round++) {
        std::vector<std::thread> threads;

        for (int i = 0; i < 10; i++)
            threads.emplace_back(touch, i + round);
        for (std::thread &thread : threads)
            thread.join();
    }
    require(alive == 3);
    require(subject_verify());
    return 0;
}
