/*
 * What C++ keeps of a block may be an address inside of it: of an array's first element, of a second base class. Such
 * blocks are held; others, of which the program keeps an inner address, are in doubt. Says how many of each there are.
 */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <vector>

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
} // namespace

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
    if (!loses)
        return 0;
    array = nullptr;
    part = nullptr;
    virtual_part = nullptr;
    text = nullptr;
    owners = nullptr;
    return lost_both() == nullptr;
}
