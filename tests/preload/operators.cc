/*
 * preload/conformance/operators: every C++ operator new and delete. The standard: operator new
 * calls the new-handler until it succeeds or there is no handler, then throws bad_alloc; the
 * nothrow forms return NULL instead; blocks of no bytes are distinct; delete of NULL does nothing.
 */
#include "support/opaque.h"
#include "support/subject.h"
#include "support/suite.h"

#include <cstdint>
#include <cstring>
#include <dlfcn.h>
#include <malloc.h>
#include <new>
#include <string>
#include <vector>

namespace
{

using std::align_val_t;
using std::nothrow;
using std::size_t;

/* A volatile size keeps the compiler from pairing new with delete and dropping both. */
volatile size_t impossible_bytes = PTRDIFF_MAX;
volatile size_t small_bytes = 100;

bool is_ours(void *block)
{
    auto ask = reinterpret_cast<bool (*)(const void *)>(subject_function("gca_is_ours"));
    return ask == nullptr ? !subject_is_gcalloc() : ask(block);
}

void check_block(void *block, size_t size, size_t alignment)
{
    ck_assert_ptr_nonnull(block);
    ck_assert(is_ours(block));
    ck_assert_uint_eq(reinterpret_cast<std::uintptr_t>(block) % alignment, 0);
    ck_assert_uint_ge(malloc_usable_size(block), size);
    std::memset(block, 0x5a, size);
}

START_TEST(plain_and_sized)
{
    for (size_t size = 0; size < 300000; size = size < 1100 ? size + 1 : size * 17 / 16) {
        void *block = operator new(size), *array = operator new[](size);

        check_block(block, size, 16);
        check_block(array, size, 16);
        ck_assert_ptr_ne(block, array);
        if (size % 2 == 0) {
            operator delete(block, size);
            operator delete[](array, size);
        } else {
            operator delete(block);
            operator delete[](array);
        }
    }
    ck_assert(subject_verify());
}
END_TEST

START_TEST(no_throw)
{
    for (size_t size = 0; size < 300000; size = size * 3 / 2 + 1) {
        void *block = operator new(size, nothrow), *array = operator new[](size, nothrow);

        check_block(block, size, 16);
        check_block(array, size, 16);
        operator delete(block, nothrow);
        operator delete[](array, nothrow);
    }
    ck_assert_ptr_null(operator new(impossible_bytes, nothrow));
    ck_assert_ptr_null(operator new[](impossible_bytes, nothrow));
    ck_assert_ptr_null(operator new(impossible_bytes, align_val_t(64), nothrow));
    ck_assert_ptr_null(operator new[](impossible_bytes, align_val_t(64), nothrow));
    ck_assert(subject_verify());
}
END_TEST

START_TEST(over_aligned)
{
    for (size_t alignment = 1; alignment <= size_t(1) << 22; alignment *= 2)
        for (size_t size = 0; size < 100000; size = size * 3 + 7) {
            align_val_t align = align_val_t(alignment);
            void *blocks[4] = {operator new(size, align), operator new[](size, align),
                                                          operator new(size, align, nothrow),
                                                          operator new[](size, align, nothrow)};

            for (void *block : blocks)
                check_block(block, size, alignment);
            operator delete(blocks[0], size, align);
            operator delete[](blocks[1], size, align);
            operator delete(blocks[2], align, nothrow);
            operator delete[](blocks[3], align, nothrow);
            operator delete(operator new(size, align), align);
            operator delete[](operator new[](size, align), align);
        }
    ck_assert(subject_verify());
}
END_TEST

START_TEST(delete_of_null)
{
    void *volatile null = nullptr;

    operator delete(null);
    operator delete[](null);
    operator delete(null, size_t(10));
    operator delete[](null, size_t(10));
    operator delete(null, nothrow);
    operator delete[](null, nothrow);
    operator delete(null, align_val_t(64));
    operator delete[](null, align_val_t(64));
    operator delete(null, size_t(10), align_val_t(64));
    operator delete[](null, size_t(10), align_val_t(64));
    operator delete(null, align_val_t(64), nothrow);
    operator delete[](null, align_val_t(64), nothrow);
}
END_TEST

template <typename Function> bool throws_bad_alloc(Function function)
{
    try {
        function();
    } catch (const std::bad_alloc &) {
        return true;
    }
    return false;
}

/* A compiler may drop a new-expression whose result nobody sees. */
template <typename Type> Type *keep(Type *block)
{
    return static_cast<Type *>(opaque(block));
}

START_TEST(bad_alloc_without_handler)
{
    ck_assert(throws_bad_alloc([] { operator delete(operator new(impossible_bytes)); }));
    ck_assert(throws_bad_alloc([] { operator delete[](operator new[](impossible_bytes)); }));
    ck_assert(throws_bad_alloc([] {
        operator delete(operator new(impossible_bytes, align_val_t(128)), align_val_t(128));
    }));
    ck_assert(throws_bad_alloc([] {
        operator delete[](operator new[](impossible_bytes, align_val_t(128)), align_val_t(128));
    }));
    ck_assert(throws_bad_alloc([] { delete[] keep(new std::uint64_t[impossible_bytes / 8]); }));
    ck_assert(throws_bad_alloc([] { keep(std::vector<char>(impossible_bytes).data()); }));
    ck_assert(subject_verify());
}
END_TEST

int handler_calls;

/* Gives up at the fifth call, by taking itself away: then operator new must throw. */
void handler_that_gives_up()
{
    if (++handler_calls == 5)
        std::set_new_handler(nullptr);
}

struct refusal {
};

[[noreturn]] void handler_that_throws()
{
    throw refusal();
}

START_TEST(handler_is_called_until_it_gives_up)
{
    auto expect_five_calls = [](auto function, bool throwing) {
        handler_calls = 0;
        std::set_new_handler(handler_that_gives_up);
        ck_assert_int_eq(throws_bad_alloc(function), throwing);
        ck_assert_int_eq(handler_calls, 5);
    };

    expect_five_calls([] { operator delete(operator new(impossible_bytes)); }, true);
    expect_five_calls([] { operator delete[](operator new[](impossible_bytes)); }, true);
    expect_five_calls(
        [] { operator delete(operator new(impossible_bytes, align_val_t(64)), align_val_t(64)); },
        true);
    expect_five_calls(
        [] {
            operator delete[](operator new[](impossible_bytes, align_val_t(64)), align_val_t(64));
        },
        true);
    expect_five_calls([] { ck_assert_ptr_null(operator new(impossible_bytes, nothrow)); }, false);
    expect_five_calls([] { ck_assert_ptr_null(operator new[](impossible_bytes, nothrow)); }, false);
    expect_five_calls(
        [] { ck_assert_ptr_null(operator new(impossible_bytes, align_val_t(64), nothrow)); },
        false);
}
END_TEST

/* What a handler throws passes through the throwing forms and ends as NULL in the others. */
START_TEST(handler_may_throw)
{
    bool passed = false;

    std::set_new_handler(handler_that_throws);
    try {
        operator delete(operator new(impossible_bytes));
    } catch (const refusal &) {
        passed = true;
    } catch (...) {
    }
    std::set_new_handler([] { throw std::bad_alloc(); });
    ck_assert(passed);
    ck_assert_ptr_null(operator new(impossible_bytes, nothrow));
    ck_assert_ptr_null(operator new[](impossible_bytes, nothrow));
    ck_assert_ptr_null(operator new(impossible_bytes, align_val_t(64), nothrow));
    std::set_new_handler(nullptr);
}
END_TEST

START_TEST(handler_is_not_called_on_success)
{
    handler_calls = 0;
    std::set_new_handler(handler_that_gives_up);
    operator delete(operator new(small_bytes));
    operator delete[](operator new[](small_bytes, align_val_t(64)), align_val_t(64));
    std::set_new_handler(nullptr);
    ck_assert_int_eq(handler_calls, 0);
}
END_TEST

/* malloc itself never calls a new-handler. */
START_TEST(handler_is_not_called_by_malloc)
{
    handler_calls = 0;
    std::set_new_handler(handler_that_gives_up);
    ck_assert_ptr_null(malloc(impossible_bytes));
    std::set_new_handler(nullptr);
    ck_assert_int_eq(handler_calls, 0);
}
END_TEST

struct counted {
    static int alive;
    char payload[40];
    explicit counted(bool fail)
    {
        if (fail)
            throw refusal();
        alive++;
    }
    ~counted()
    {
        alive--;
    }
};
int counted::alive;

struct alignas(256) wide {
    char bytes[256];
};

/* Objects, arrays with a length cookie, placement, and a constructor that throws, which gives the
 * memory back. */
START_TEST(expressions)
{
    alignas(counted) char place[sizeof(counted)];
    counted *placed = new (place) counted(false);
    wide *array = new wide[17];
    std::string *strings = new std::string[1000];

    ck_assert_ptr_eq(placed, place);
    placed->~counted();
    for (int i = 0; i < 1000; i++) {
        bool caught = false;

        try {
            delete new counted(true);
        } catch (const refusal &) {
            caught = true;
        }
        ck_assert(caught);
        strings[i].assign(static_cast<size_t>(i), 'x');
    }
    ck_assert_int_eq(counted::alive, 0);
    ck_assert_uint_eq(reinterpret_cast<std::uintptr_t>(array) % 256, 0);
    delete[] array;
    delete[] strings;
    ck_assert(subject_verify());
}
END_TEST

/* Some programs mix the families; where the allocator is one, it works. */
START_TEST(new_and_malloc_are_one_heap)
{
    void *block = operator new(small_bytes);

    block = realloc(block, 5000);
    ck_assert_ptr_nonnull(block);
    operator delete(block);
    free(operator new[](small_bytes));
    operator delete(malloc(small_bytes));
}
END_TEST

/* Each mangled name must be the library's, not libstdc++'s that happens to call our malloc. */
START_TEST(all_operators_are_exported)
{
    static const char *const names[] = {
        "_Znwm",
        "_Znam",
        "_ZnwmRKSt9nothrow_t",
        "_ZnamRKSt9nothrow_t",
        "_ZnwmSt11align_val_t",
        "_ZnamSt11align_val_t",
        "_ZnwmSt11align_val_tRKSt9nothrow_t",
        "_ZnamSt11align_val_tRKSt9nothrow_t",
        "_ZdlPv",
        "_ZdaPv",
        "_ZdlPvm",
        "_ZdaPvm",
        "_ZdlPvRKSt9nothrow_t",
        "_ZdaPvRKSt9nothrow_t",
        "_ZdlPvSt11align_val_t",
        "_ZdaPvSt11align_val_t",
        "_ZdlPvmSt11align_val_t",
        "_ZdaPvmSt11align_val_t",
        "_ZdlPvSt11align_val_tRKSt9nothrow_t",
        "_ZdaPvSt11align_val_tRKSt9nothrow_t",
    };

    for (const char *name : names) {
        Dl_info of_operator, of_malloc;

        ck_assert_msg(dladdr(subject_function(name), &of_operator) != 0, "%s is missing", name);
        ck_assert(dladdr(subject_function("malloc"), &of_malloc) != 0);
        if (subject_is_gcalloc())
            ck_assert_msg(of_operator.dli_fbase == of_malloc.dli_fbase, "%s is in %s", name,
                          of_operator.dli_fname);
    }
}
END_TEST

TCase *operator_case()
{
    TCase *test_case = tcase_create("operators");

    tcase_add_test(test_case, plain_and_sized);
    tcase_add_test(test_case, no_throw);
    tcase_add_test(test_case, over_aligned);
    tcase_add_test(test_case, delete_of_null);
    tcase_add_test(test_case, bad_alloc_without_handler);
    tcase_add_test(test_case, handler_is_called_until_it_gives_up);
    tcase_add_test(test_case, handler_may_throw);
    tcase_add_test(test_case, handler_is_not_called_on_success);
    tcase_add_test(test_case, handler_is_not_called_by_malloc);
    tcase_add_test(test_case, expressions);
    tcase_add_test(test_case, new_and_malloc_are_one_heap);
    tcase_add_test(test_case, all_operators_are_exported);
    return test_case;
}

} /* namespace */

int main(int, char **arguments)
{
    static test_case_maker *const makers[] = {operator_case};

    subject_require(arguments);
    return suite_run("operators", makers, 1);
}
