/*
 * bench/micro/bignum: Fibonacci numbers and the sums of their digits in arithmetic that makes a new number for every
 * result: tiny blocks, short lives, and little work between two calls.
 */
#include "bench/micro/pattern.h"

enum { LIMBS_MAX = 40, STEPS = 1700 };

struct number {
    uint32_t limb_count;
    uint32_t limbs[];
};

static struct number *number_new(size_t limb_count)
{
    struct number *number = malloc(sizeof *number + limb_count * sizeof *number->limbs);

    if (number == NULL)
        pattern_die("malloc");
    number->limb_count = (uint32_t)limb_count;
    return number;
}

static struct number *number_from(uint32_t value)
{
    struct number *number = number_new(1);

    number->limbs[0] = value;
    return number;
}

static uint32_t limb(const struct number *number, size_t at)
{
    return at < number->limb_count ? number->limbs[at] : 0;
}

static struct number *add(const struct number *one, const struct number *other)
{
    size_t longest = one->limb_count > other->limb_count ? one->limb_count : other->limb_count;
    struct number *result = number_new(longest + 1);
    uint64_t carry = 0;

    for (size_t at = 0; at <= longest; at++) {
        carry += (uint64_t)limb(one, at) + limb(other, at);
        result->limbs[at] = (uint32_t)carry;
        carry >>= 32;
    }
    while (result->limb_count > 1 && result->limbs[result->limb_count - 1] == 0)
        result->limb_count--;
    return result;
}

/* Quotient by a small divisor; the remainder goes to *remainder_out. */
static struct number *divide(const struct number *number, uint32_t divisor, uint32_t *remainder_out)
{
    struct number *result = number_new(number->limb_count);
    uint64_t remainder = 0;

    for (size_t at = number->limb_count; at-- > 0;) {
        remainder = remainder << 32 | number->limbs[at];
        result->limbs[at] = (uint32_t)(remainder / divisor);
        remainder %= divisor;
    }
    while (result->limb_count > 1 && result->limbs[result->limb_count - 1] == 0)
        result->limb_count--;
    *remainder_out = (uint32_t)remainder;
    return result;
}

static uint64_t digit_sum(const struct number *number)
{
    struct number *rest = add(number, number);
    uint64_t sum = 0;

    while (rest->limb_count > 1 || rest->limbs[0] != 0) {
        uint32_t remainder;
        struct number *next = divide(rest, 1000000, &remainder);

        free(rest);
        rest = next;
        sum += remainder;
    }
    free(rest);
    return sum;
}

static uint64_t fibonacci(uint32_t start)
{
    struct number *one = number_from(start), *other = number_from(1);
    uint64_t sum = 0;

    for (size_t step = 0; step < STEPS && other->limb_count < LIMBS_MAX; step++) {
        struct number *next = add(one, other);

        free(one);
        one = other;
        other = next;
        sum += digit_sum(other);
    }
    free(one);
    free(other);
    return sum;
}

int main(int argc, char **argv)
{
    uint64_t sum = 0;
    size_t rounds;

    pattern_begin(argc, argv);
    rounds = pattern_times(320);
    for (size_t round = 0; round < rounds; round++)
        sum += fibonacci((uint32_t)round + 1);
    return pattern_end(sum);
}
