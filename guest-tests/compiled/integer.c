// Integer arithmetic of all widths, over borders and random values; small algorithms.

#include "cases.h"

static const uint64_t borders[] = {
    0, 1, 2, 3, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
    0x7fffffffffffffff, 0x8000000000000000, 0xfffffffffffffffe, 0xffffffffffffffff, 0x5555555555555555, 0xaaaaaaaaaaaaaaaa,
};
enum { BORDERS = sizeof borders / sizeof *borders, RANDOM = 200 };

// Calls BODY with `a` and `b` of TYPE over borders and random values; BODY adds to `hash`.
#define OVER(TYPE, ...)                                                                        \
    uint64_t hash = HASH_START;                                                                \
    for (int i = 0; i < BORDERS * BORDERS + RANDOM; i++) {                                     \
        int is_border = i < BORDERS * BORDERS;                                                 \
        TYPE a = (TYPE)(is_border ? borders[i / BORDERS] : next_random());                     \
        TYPE b = (TYPE)(is_border ? borders[i % BORDERS] : next_random() >> (i & 63));         \
        OPAQUE(a);                                                                             \
        OPAQUE(b);                                                                             \
        __VA_ARGS__                                                                            \
    }                                                                                          \
    return hash;
#define ADD(value) hash = mixed(hash, (uint64_t)(value))

#define BINARY(SUFFIX, TYPE, UNSIGNED, BITS)                                                   \
    CASE(add_##SUFFIX) { OVER(TYPE, ADD((TYPE)((UNSIGNED)a + (UNSIGNED)b));) }                 \
    CASE(sub_##SUFFIX) { OVER(TYPE, ADD((TYPE)((UNSIGNED)a - (UNSIGNED)b));) }                 \
    CASE(mul_##SUFFIX) { OVER(TYPE, ADD((TYPE)((uint64_t)a * (uint64_t)b));) }                 \
    CASE(and_##SUFFIX) { OVER(TYPE, ADD((TYPE)(a & b)); ADD((TYPE)(a & ~b));) }                \
    CASE(or_##SUFFIX) { OVER(TYPE, ADD((TYPE)(a | b)); ADD((TYPE)(a | ~b));) }                 \
    CASE(xor_##SUFFIX) { OVER(TYPE, ADD((TYPE)(a ^ b)); ADD((TYPE)(a ^ ~b));) }                \
    CASE(div_##SUFFIX) {                                                                       \
        OVER(TYPE, if (b != 0 && !((TYPE)-1 < 0 && b == (TYPE)-1)) { ADD((TYPE)(a / b)); ADD((TYPE)(a % b)); }) \
    }                                                                                          \
    CASE(shift_##SUFFIX) {                                                                     \
        OVER(TYPE, unsigned by = (unsigned)b & (BITS - 1); ADD((TYPE)((UNSIGNED)a << by)); ADD((TYPE)(a >> by));) \
    }                                                                                          \
    CASE(rotate_##SUFFIX) {                                                                    \
        OVER(TYPE, unsigned by = (unsigned)b & (BITS - 1); UNSIGNED u = (UNSIGNED)a;           \
             ADD((UNSIGNED)(u << by | u >> ((BITS - by) & (BITS - 1))));)                      \
    }                                                                                          \
    CASE(compare_##SUFFIX) { OVER(TYPE, ADD((a < b) | (a <= b) << 1 | (a == b) << 2 | (a > b) << 3 | (a >= b) << 4);) } \
    CASE(select_##SUFFIX) { OVER(TYPE, ADD(a < b ? a : b); ADD(a > b ? a : (TYPE)(b + 1)); ADD(a == b ? -a : ~b);) } \
    CASE(overflow_##SUFFIX) {                                                                  \
        OVER(TYPE, TYPE r; int o = __builtin_add_overflow(a, b, &r); ADD(r); o |= __builtin_sub_overflow(a, b, &r) << 1; \
             ADD(r); o |= __builtin_mul_overflow(a, b, &r) << 2; ADD(r); ADD(o);)              \
    }

BINARY(i8, int8_t, uint8_t, 8)
BINARY(u8, uint8_t, uint8_t, 8)
BINARY(i16, int16_t, uint16_t, 16)
BINARY(u16, uint16_t, uint16_t, 16)
BINARY(i32, int32_t, uint32_t, 32)
BINARY(u32, uint32_t, uint32_t, 32)
BINARY(i64, int64_t, uint64_t, 64)
BINARY(u64, uint64_t, uint64_t, 64)

CASE(count_bits_32) {
    OVER(uint32_t, ADD(__builtin_popcount(a)); ADD(a ? __builtin_clz(a) : 32); ADD(a ? __builtin_ctz(a) : 32);
         ADD(__builtin_ffs((int)a)); ADD(__builtin_parity(a)); ADD(__builtin_clrsb((int)a)); (void)b;)
}
CASE(count_bits_64) {
    OVER(uint64_t, ADD(__builtin_popcountll(a)); ADD(a ? __builtin_clzll(a) : 64); ADD(a ? __builtin_ctzll(a) : 64);
         ADD(__builtin_ffsll((long long)a)); ADD(__builtin_parityll(a)); ADD(__builtin_clrsbll((long long)a)); (void)b;)
}
CASE(swap_bytes) { OVER(uint64_t, ADD(__builtin_bswap16((uint16_t)a)); ADD(__builtin_bswap32((uint32_t)a)); ADD(__builtin_bswap64(b));) }
CASE(extend) { OVER(uint64_t, ADD((int64_t)(int8_t)a); ADD((int64_t)(int16_t)a); ADD((int64_t)(int32_t)b); ADD((uint8_t)b);) }
CASE(multiply_high) { OVER(uint64_t, ADD((unsigned __int128)a * b >> 64); ADD((__int128)(int64_t)a * (int64_t)b >> 64);) }
CASE(multiply_long) { OVER(uint32_t, ADD((uint64_t)a * b); ADD((int64_t)(int32_t)a * (int32_t)b); ADD((uint64_t)a * b + a);) }
CASE(multiply_add) { OVER(uint64_t, ADD(a * b + (a ^ b)); ADD((a ^ b) - a * b); ADD(-(a * b));) }
CASE(divide_by_constants) {
    OVER(int64_t, ADD(a / 3); ADD(a % 7); ADD(a / -5); ADD(b / 10); ADD(b % 1000); ADD((uint64_t)a / 641); ADD(a / 1024);
         ADD((int32_t)b / 127);)
}

struct fields { unsigned a : 3; int b : 7; unsigned long c : 33; int d : 1; unsigned long long e : 20; };
CASE(bit_fields) {
    OVER(uint64_t, struct fields f = {0}; f.a = (unsigned)a & 7; f.b = (int)((int8_t)b) / 2; f.c = a ^ b; f.d = -(int)(a & 1); f.e = b;
         f.c += f.a; ADD(f.a); ADD(f.b); ADD(f.c); ADD(f.d); ADD(f.e);)
}

static uint64_t by_switch(uint64_t value) {
    switch (value % 23) {
    case 0: return value + 1;
    case 1: return value * 3;
    case 2: return value ^ 0x1234;
    case 3: return value >> 3;
    case 5: return value - 77;
    case 8: return ~value;
    case 13: return value | 0xf0f0;
    case 21: return value << 7;
    default: return value % 11;
    }
}
CASE(switches) { OVER(uint64_t, ADD(by_switch(a)); ADD(by_switch(b));) }

static uint64_t greatest_divisor(uint64_t a, uint64_t b) { return b == 0 ? a : greatest_divisor(b, a % b); }
CASE(recursion) { OVER(uint64_t, ADD(greatest_divisor(a, b));) }

static int by_value(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}
CASE(sorting) {
    static uint32_t numbers[5000];
    uint64_t hash = HASH_START;
    for (int i = 0; i < 5000; i++) numbers[i] = (uint32_t)next_random() % 3000;
    qsort(numbers, 5000, sizeof *numbers, by_value);
    for (int i = 0; i < 5000; i++) ADD(numbers[i]);
    for (int i = 1; i < 5000; i++) CHECK(numbers[i - 1] <= numbers[i]);
    return hash;
}

CASE(sieve) {
    static uint8_t is_composite[100000];
    uint64_t hash = HASH_START, count = 0;
    memset(is_composite, 0, sizeof is_composite);
    for (unsigned i = 2; i < 100000; i++) {
        if (is_composite[i]) continue;
        count++;
        ADD(i);
        for (unsigned j = 2 * i; j < 100000; j += i) is_composite[j] = 1;
    }
    CHECK(count == 9592);
    return hash;
}

CASE(matrix) {
    static uint32_t a[48][48], b[48][48], c[48][48];
    uint64_t hash = HASH_START;
    for (int i = 0; i < 48; i++)
        for (int j = 0; j < 48; j++) a[i][j] = (uint32_t)next_random(), b[i][j] = (uint32_t)next_random(), c[i][j] = 0;
    for (int i = 0; i < 48; i++)
        for (int j = 0; j < 48; j++)
            for (int k = 0; k < 48; k++) c[i][j] += a[i][k] * b[k][j];
    for (int i = 0; i < 48; i++)
        for (int j = 0; j < 48; j++) ADD(c[i][j]);
    return hash;
}

// Loops that compilers turn into vectors.
#define VECTOR(SUFFIX, TYPE)                                                                   \
    CASE(vector_##SUFFIX) {                                                                    \
        static TYPE x[1003], y[1003], z[1003];                                                 \
        uint64_t hash = HASH_START;                                                            \
        for (int i = 0; i < 1003; i++) x[i] = (TYPE)next_random(), y[i] = (TYPE)next_random(); \
        TYPE sum = 0, least = x[0], most = x[0], all = 0;                                      \
        for (int i = 0; i < 1003; i++) z[i] = (TYPE)(x[i] * 3 + y[i]);                         \
        for (int i = 0; i < 1003; i++) sum = (TYPE)(sum + x[i]);                               \
        for (int i = 0; i < 1003; i++) least = x[i] < least ? x[i] : least;                    \
        for (int i = 0; i < 1003; i++) most = x[i] > most ? x[i] : most;                       \
        for (int i = 0; i < 1003; i++) all ^= (TYPE)(x[i] >> (y[i] & 7));                      \
        for (int i = 0; i < 1003; i++) y[i] = (TYPE)(x[i] > z[i] ? x[i] - z[i] : z[i] - x[i]); \
        for (int i = 0; i < 500; i++) z[i] = (TYPE)(x[2 * i] + y[2 * i + 1]);                  \
        ADD(sum); ADD(least); ADD(most); ADD(all);                                             \
        for (int i = 0; i < 1003; i++) { ADD(y[i]); ADD(z[i]); }                               \
        return hash;                                                                           \
    }
VECTOR(i8, int8_t)
VECTOR(u8, uint8_t)
VECTOR(i16, int16_t)
VECTOR(u16, uint16_t)
VECTOR(i32, int32_t)
VECTOR(u32, uint32_t)
VECTOR(u64, uint64_t)

CASE(widening) {
    static int8_t x[999], y[999];
    static uint8_t u[999];
    int32_t dot = 0, absolute = 0;
    uint32_t total = 0;
    for (int i = 0; i < 999; i++) x[i] = (int8_t)next_random(), y[i] = (int8_t)next_random(), u[i] = (uint8_t)next_random();
    for (int i = 0; i < 999; i++) dot += x[i] * y[i];
    for (int i = 0; i < 999; i++) absolute += abs(x[i] - y[i]);
    for (int i = 0; i < 999; i++) total += (uint32_t)u[i] * u[i];
    return mixed(mixed(mixed(HASH_START, (uint64_t)dot), (uint64_t)absolute), total);
}
