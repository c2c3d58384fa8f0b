// __int128, and long double: quad precision in software on AArch64, so that its cases check themselves.

#include "cases.h"
#include <math.h>

typedef __int128 i128;
typedef unsigned __int128 u128;
#define OVER(...)                                                                              \
    uint64_t hash = HASH_START;                                                                \
    for (int i = 0; i < 2000; i++) {                                                           \
        u128 a = (u128)next_random() << 64 | next_random(), b = (u128)next_random() << 64 | next_random(); \
        a >>= next_random() & 127;                                                             \
        b >>= next_random() & 127;                                                             \
        if (i & 1) a = -a;                                                                     \
        if (i & 2) b = -b;                                                                     \
        __VA_ARGS__                                                                            \
    }                                                                                          \
    return hash;
#define ADD(value) hash = mixed(mixed(hash, (uint64_t)(value)), (uint64_t)((u128)(value) >> 64))

CASE(add) { OVER(ADD(a + b); ADD(a - b);) }
CASE(mul) { OVER(ADD(a * b); ADD((u128)(uint64_t)a * (uint64_t)b);) }
CASE(divide_unsigned) { OVER(if (b) { ADD(a / b); ADD(a % b); CHECK(a / b * b + a % b == a); }) }
CASE(divide_signed) { OVER(if (b && b != (u128)-1) { ADD((i128)a / (i128)b); ADD((i128)a % (i128)b); }) }
CASE(shift) { OVER(unsigned by = (unsigned)b & 127; ADD(a << by); ADD(a >> by); ADD((i128)a >> by);) }
CASE(compare) { OVER(ADD((a < b) | (a == b) << 1 | ((i128)a < (i128)b) << 2 | ((i128)a <= (i128)b) << 3);) }
CASE(to_double) { OVER(double x = (double)a, y = (double)(i128)b; uint64_t u, v; memcpy(&u, &x, 8); memcpy(&v, &y, 8); ADD(u); ADD(v);) }
CASE(to_float) { OVER(float x = (float)a, y = (float)(i128)b; uint32_t u, v; memcpy(&u, &x, 4); memcpy(&v, &y, 4); ADD(u); ADD(v);) }
CASE(from_double) { OVER(double x = (double)(uint64_t)a * 0x1p40; ADD((u128)x); ADD((i128)-x); (void)b;) }
CASE(overflow) { OVER(i128 r; int o = __builtin_add_overflow((i128)a, (i128)b, &r); ADD(r); o |= __builtin_mul_overflow((i128)a, (i128)b, &r) << 1; ADD(r); ADD(o);) }

// Products and sums of numbers with few bits are exact.
CASE(long_double_arithmetic) {
    for (int i = 0; i < 2000; i++) {
        int64_t a = (int64_t)next_random() >> 34, b = ((int64_t)next_random() >> 34) | 1;
        long double x = a, y = b;
        CHECK((int64_t)(x + y) == a + b && (int64_t)(x - y) == a - b && (int64_t)(x * y) == a * b);
        CHECK(x * y / y == x && (int64_t)(x / y) == a / b);
        CHECK((x < y) == (a < b) && (x == y) == (a == b) && (x >= y) == (a >= b));
    }
    return 0;
}
CASE(long_double_conversions) {
    for (int i = 0; i < 2000; i++) {
        int64_t a = (int64_t)next_random() >> (i & 63);
        double d = (double)a;
        CHECK((int64_t)(long double)a == a && (double)(long double)d == d && (uint64_t)(long double)(uint64_t)a == (uint64_t)a);
        CHECK((float)(long double)(float)d == (float)d && (int32_t)(long double)(int32_t)a == (int32_t)a);
    }
    return 0;
}
CASE(long_double_functions) {
    for (int i = 1; i < 200; i++) {
        long double x = i;
        CHECK(fabsl(sqrtl(x * x) - x) == 0 && floorl(x + 0.75L) == x && ceill(x - 0.75L) == x && fabsl(-x) == x);
        CHECK(fabsl(expl(logl(x)) - x) < x * 1e-17L && fmodl(x * 8 + 3, 8) == 3 && ldexpl(x, 3) == 8 * x);
    }
    return 0;
}
CASE(long_double_text) {
    char text[64];
    for (int i = 0; i < 200; i++) {
        int64_t a = (int64_t)next_random() >> 4;
        snprintf(text, sizeof text, "%.0Lf", (long double)a);
        CHECK(strtoll(text, NULL, 10) == a && (int64_t)strtold(text, NULL) == a);
    }
    return 0;
}
CASE(long_double_specials) {
    volatile long double zero = 0, infinity = HUGE_VALL;
    long double nan = infinity - infinity;
    CHECK(isinf(infinity) && isnan(nan) && nan != nan && !(nan < zero) && isinf(1 / zero) && signbit(-zero));
    return 0;
}
