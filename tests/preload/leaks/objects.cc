/*
 * What programs keep of a block may be an address inside of it: C++ that of an array's first element, of a second base class, Rust that
 * of a hash table's control bytes, others an aligned one. Such blocks are held; others, of which the program keeps an inner address, are in doubt.
 */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <vector>

#ifdef __SSE2__
#define HASH_GROUP_BYTES 16
#else
#define HASH_GROUP_BYTES 8
#endif

namespace
{
struct WithDestructor {
    ~WithDestructor()
    {
        value = 0;
    }
    long value = 7;
    long more[2] = {1, 2};
};

struct First {
    virtual ~First() = default;
    virtual int first()
    {
        return 1;
    }
    long a = 1;
};

struct Second {
    virtual ~Second() = default;
    virtual int second()
    {
        return 2;
    }
    long b = 2;
};

struct Both : First, Second {
    int second() override
    {
        return 3;
    }
    char text[100] = "both";
};

struct Virtual : virtual First, Second {
    long c = 3;
};

WithDestructor *volatile array;
Second *volatile part;
Second *volatile virtual_part;
std::string *volatile text;
std::vector<std::unique_ptr<Both>> *volatile owners;
char *volatile inner;
void *volatile tables[4];
void *volatile aligned;
} // namespace

/* As hashbrown makes them: entries, a control byte for each, and the first of those once more. */
static void *table(std::size_t count, std::size_t entry_bytes)
{
    constexpr std::size_t group = HASH_GROUP_BYTES;
    std::size_t offset = (count * entry_bytes + group - 1) / group * group;
    char *control = static_cast<char *>(std::malloc(offset + count + group)) + offset;
    std::memset(control, 0xff, count + group);
    for (std::size_t i = 0; i < count * 7 / 8; i++) {
        control[i] = static_cast<char>(i * 37 % 128);
        control[(i - group & (count - 1)) + group] = control[i];
    }
    return control;
}

/* As SDL, OpenCV and Eigen do it. */
static void *align_by_hand(std::size_t size)
{
    char *start = static_cast<char *>(std::malloc(size + 64 + sizeof start));
    std::size_t least = reinterpret_cast<std::size_t>(start) + sizeof start;
    char *result = start + ((least + 63) / 64 * 64 - reinterpret_cast<std::size_t>(start));
    std::memcpy(result - sizeof start, &start, sizeof start);
    return result;
}

static void *lost_both()
{
    return new Both;
}

int main(int count, char **arguments)
{
    bool loses = count == 2 && std::strcmp(arguments[1], "lose") == 0;
    array = new WithDestructor[20];
    part = new Both;
    virtual_part = new Virtual;
    text = new std::string(1000, 'x');
    owners = new std::vector<std::unique_ptr<Both>>;
    for (int i = 0; i < 50; i++)
        owners->emplace_back(new Both);
    inner = static_cast<char *>(std::malloc(500)) + 100;
    std::memset(inner - 100, 'y', 500);
    for (std::size_t i = 0; i < 4; i++)
        tables[i] = table(std::size_t{4} << 4 * i, 24);
    aligned = align_by_hand(1000);
    if (!loses)
        return 0;
    array = nullptr;
    part = nullptr;
    virtual_part = nullptr;
    text = nullptr;
    owners = nullptr;
    aligned = nullptr;
    for (void *volatile &one : tables)
        one = nullptr;
    return lost_both() == nullptr;
}
