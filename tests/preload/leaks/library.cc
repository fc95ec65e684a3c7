// leaks/library, of C++: how its programs lose what they have: `library_cc CASE lose|keep`.
#include <any>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <exception>
#include <fstream>
#include <functional>
#include <future>
#include <iostream>
#include <list>
#include <map>
#include <memory>
#include <new>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace {

template <typename T> T *hidden(T *pointer)
{
    T *volatile kept = pointer;
    return kept;
}

template <typename T> void end(bool loses, T *object)
{
    if (!loses)
        delete object;
}

struct Base {
    virtual ~Base() = default;
    std::string name = "a name that is too long for the string itself";
};

struct Derived : Base {
    std::vector<int> numbers = std::vector<int>(100, 1);
};

// A base whose destructor is not virtual: what the derived part has is lost.
struct Plain {
    int number = 1;
};

struct Holder : Plain {
    std::unique_ptr<int> value = std::make_unique<int>(3);
};

struct Node {
    std::shared_ptr<Node> next;
    std::weak_ptr<Node> previous;
    char bytes[100] = {};
};

void object(bool loses)
{
    end(loses, hidden(new int(3)));
}

void array_of_objects(bool loses)
{
    auto *made = hidden(new std::string[20]);
    if (!loses)
        delete[] made;
}

void by_its_base(bool loses)
{
    end(loses, static_cast<Base *>(hidden(new Derived)));
}

void containers(bool loses)
{
    end(loses, hidden(new std::map<int, std::string>{{1, std::string(100, 'x')}, {2, "b"}}));
    end(loses, hidden(new std::unordered_map<int, int>{{1, 2}, {3, 4}}));
    end(loses, hidden(new std::list<int>{1, 2, 3}));
    end(loses, hidden(new std::deque<int>(1000, 1)));
    end(loses, hidden(new std::set<int>{1, 2, 3}));
    end(loses, hidden(new std::vector<bool>(1000)));
}

void ring_of_shared(bool loses)
{
    auto first = std::make_shared<Node>();
    first->next = std::make_shared<Node>();
    if (loses)
        first->next->next = first;
    else
        first->next->previous = first;
}

void released(bool loses)
{
    auto owner = std::make_unique<Derived>();
    if (loses)
        hidden(owner.release());
}

void thrown_over(bool loses)
{
    try {
        auto *made = hidden(new int(3));
        std::unique_ptr<int> owner(loses ? nullptr : made);
        throw std::runtime_error("a text that is long enough to need memory of its own");
    } catch (const std::exception &) {
    }
}

struct Throws {
    explicit Throws(bool loses) : value(hidden(new int(3)))
    {
        if (!loses) {
            delete value;
            value = nullptr;
        }
        throw 1;
    }
    ~Throws()
    {
        delete value;
    }
    int *value;
};

// A destructor does not run of what its constructor has not finished.
void constructor_that_throws(bool loses)
{
    try {
        Throws object(loses);
    } catch (int) {
    }
}

void kept_exception(bool loses)
{
    std::exception_ptr kept;
    try {
        throw std::runtime_error("kept");
    } catch (...) {
        kept = std::current_exception();
    }
    end(loses, hidden(new std::exception_ptr(kept)));
}

void closure(bool loses)
{
    std::vector<int> numbers(100, 1);
    end(loses, hidden(new std::function<int()>([numbers] { return numbers[0]; })));
}

void streams(bool loses)
{
    auto *stream = hidden(new std::ostringstream);
    *stream << std::string(1000, 'x');
    end(loses, stream);
}

void any_value(bool loses)
{
    end(loses, hidden(new std::any(std::string(100, 'x'))));
}

void over_aligned(bool loses)
{
    struct alignas(256) Wide {
        char bytes[512];
    };
    end(loses, hidden(new Wide));
}

void placed(bool loses)
{
    void *memory = std::malloc(sizeof(std::string));
    auto *text = hidden(new (memory) std::string(100, 'x'));
    if (!loses)
        text->~basic_string();
    std::free(memory);
}

void nothrow(bool loses)
{
    end(loses, hidden(new (std::nothrow) char('x')));
}

thread_local std::unique_ptr<Derived> of_thread;

void thread_local_object(bool loses)
{
    std::thread([loses] {
        of_thread = std::make_unique<Derived>();
        if (loses)
            hidden(of_thread.release());
    }).join();
}

void future(bool loses)
{
    auto result = std::async(std::launch::async, [] { return std::string(100, 'x'); });
    end(loses, hidden(new std::string(result.get())));
}

std::string &of_function()
{
    static auto *const never_freed = new std::string(100, 'x');
    return *never_freed;
}

// Held for ever, and no leak.
void singleton(bool)
{
    of_function() += "y";
    static std::vector<std::string> with_destructor(10, std::string(50, 'z'));
    with_destructor.pop_back();
}

void slice(bool loses)
{
    auto *made = hidden(new Holder);
    if (loses)
        made->value.release();
    delete made;
}

struct Case {
    const char *name;
    void (*run)(bool loses);
    int heads;
};

const Case cases[] = {
    {"object", object, 1},
    {"array_of_objects", array_of_objects, 1},
    {"by_its_base", by_its_base, 1},
    {"containers", containers, 6},
    {"ring_of_shared", ring_of_shared, 1},
    {"released", released, 1},
    {"thrown_over", thrown_over, 1},
    {"constructor_that_throws", constructor_that_throws, 1},
    {"kept_exception", kept_exception, 1},
    {"closure", closure, 1},
    {"streams", streams, 1},
    {"any_value", any_value, 1},
    {"over_aligned", over_aligned, 1},
    {"placed", placed, 1},
    {"nothrow", nothrow, 1},
    {"thread_local_object", thread_local_object, 1},
    {"future", future, 1},
    {"singleton", singleton, 0},
    {"slice", slice, 1},
};

__attribute__((noinline)) void wipe_stack()
{
    char bytes[65536];
    std::memset(bytes, 0, sizeof bytes);
    hidden(bytes);
}
} // namespace

int main(int count, char **arguments)
{
    for (const Case &one : cases) {
        if (count == 1)
            std::printf("%s %d\n", one.name, one.heads);
        else if (std::strcmp(arguments[1], one.name) == 0)
            one.run(std::strcmp(arguments[2], "lose") == 0);
    }
    wipe_stack();
    return 0;
}
