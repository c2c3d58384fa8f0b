// Floating point: all operations that IEEE 754 fixes to the last bit, in all rounding modes; text; exceptions.

#include "cases.h"
#include <fenv.h>
#include <math.h>

static const double doubles[] = {
    0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, -2.5, 3.0, 1e-300, 1e300, 0x1p-1074, -0x1p-1074, 0x1.fffffffffffffp-1023, 0x1p-1022,
    0x1.fffffffffffffp1023, -0x1.fffffffffffffp1023, INFINITY, -INFINITY, 0x1.0000000000001p0, 0x1.fffffffffffffp-1, 0x1p31,
    0x1p32, 0x1p52, 0x1p53, 0x1p63, 0x1p64, 0x1.8p52, 0x1.921fb54442d18p1, 0x1p-126, 0x1p-149, 0x1.fffffep127,
};
enum { DOUBLES = sizeof doubles / sizeof *doubles };

static uint64_t bits_of(double value) {
    uint64_t bits;
    if (isnan(value)) return 0x7ff8000000000000; // Which NaN differs between architectures.
    memcpy(&bits, &value, sizeof bits);
    return bits;
}
static uint64_t bits_of_float(float value) {
    uint32_t bits;
    if (isnan(value)) return 0x7fc00000;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}
static double random_double(void) {
    uint64_t bits = next_random();
    double value;
    if (bits >> 60 < 8) bits = (bits & ~(0x7ffull << 52)) | (1023 - 8 + bits % 16) << 52;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
#define OVER(TYPE, ...)                                                                        \
    uint64_t hash = HASH_START;                                                                \
    for (int mode = 0; mode < 4; mode++) {                                                     \
        CHECK(fesetround(modes[mode]) == 0);                                                   \
        for (int i = 0; i < DOUBLES * DOUBLES + 500; i++) {                                    \
            int is_listed = i < DOUBLES * DOUBLES;                                             \
            volatile TYPE a = (TYPE)(is_listed ? doubles[i / DOUBLES] : random_double());      \
            volatile TYPE b = (TYPE)(is_listed ? doubles[i % DOUBLES] : random_double());      \
            __VA_ARGS__                                                                        \
        }                                                                                      \
    }                                                                                          \
    CHECK(fesetround(FE_TONEAREST) == 0);                                                      \
    return hash;
#define ADD(value) hash = mixed(hash, (uint64_t)(value))

#define OPERATIONS(SUFFIX, TYPE, BITS, F)                                                      \
    CASE(add_##SUFFIX) { OVER(TYPE, volatile TYPE r = a + b; ADD(BITS(r));) }                  \
    CASE(sub_##SUFFIX) { OVER(TYPE, volatile TYPE r = a - b; ADD(BITS(r));) }                  \
    CASE(mul_##SUFFIX) { OVER(TYPE, volatile TYPE r = a * b; ADD(BITS(r));) }                  \
    CASE(div_##SUFFIX) { OVER(TYPE, volatile TYPE r = a / b; ADD(BITS(r));) }                  \
    CASE(sqrt_##SUFFIX) { OVER(TYPE, volatile TYPE r = sqrt##F(a); ADD(BITS(r)); (void)b;) }   \
    CASE(fma_##SUFFIX) { OVER(TYPE, volatile TYPE r = fma##F(a, b, -a); ADD(BITS(r)); r = fma##F(a, a, b); ADD(BITS(r));) } \
    CASE(minmax_##SUFFIX) { OVER(TYPE, if (a != b) { ADD(BITS(fmin##F(a, b))); ADD(BITS(fmax##F(a, b))); }) } \
    CASE(compare_##SUFFIX) {                                                                   \
        OVER(TYPE, ADD((a < b) | (a <= b) << 1 | (a == b) << 2 | (a > b) << 3 | (a >= b) << 4 | (a != b) << 5 |  \
                       !!isunordered(a, b) << 6 | !!isless(a, b) << 7);)                       \
    }                                                                                          \
    CASE(round_##SUFFIX) {                                                                     \
        OVER(TYPE, ADD(BITS(rint##F(a))); ADD(BITS(floor##F(a))); ADD(BITS(ceil##F(a))); ADD(BITS(trunc##F(a)));  \
             ADD(BITS(round##F(a))); ADD(BITS(nearbyint##F(b)));)                              \
    }                                                                                          \
    CASE(to_integers_##SUFFIX) {                                                               \
        OVER(TYPE, if (fabs(a) < 0x1p31) { ADD((int32_t)a); ADD(lrint##F(a)); }                \
             if (a >= 0 && a < 0x1p32) ADD((uint32_t)a); if (fabs(b) < 0x1p63) ADD((int64_t)b);  \
             if (b >= 0 && b < 0x1p64) ADD((uint64_t)b);)                                      \
    }                                                                                          \
    CASE(parts_##SUFFIX) {                                                                     \
        OVER(TYPE, int e = 0; if (isfinite(a)) { ADD(BITS(frexp##F(a, &e))); ADD(e); } ADD(BITS(copysign##F(a, b)));  \
             ADD(BITS(fabs##F(a))); ADD(BITS(ldexp##F(a, 7))); ADD(!!signbit(b)); ADD(BITS(fmod##F(a, b)));)   \
    }

OPERATIONS(double, double, bits_of, )
OPERATIONS(float, float, bits_of_float, f)

CASE(from_integers) {
    uint64_t hash = HASH_START;
    for (int mode = 0; mode < 4; mode++) {
        fesetround(modes[mode]);
        for (int i = 0; i < 2000; i++) {
            volatile uint64_t a = next_random() >> (i & 63);
            volatile double d = (double)a;
            volatile float f = (float)a;
            ADD(bits_of(d)); ADD(bits_of_float(f));
            d = (double)(int64_t)a; f = (float)(int64_t)a;
            ADD(bits_of(d)); ADD(bits_of_float(f));
            d = (double)(int32_t)a; f = (float)(uint32_t)a;
            ADD(bits_of(d)); ADD(bits_of_float(f));
        }
    }
    fesetround(FE_TONEAREST);
    return hash;
}
CASE(between_formats) { OVER(double, volatile float f = (float)a; volatile double d = f; ADD(bits_of_float(f)); ADD(bits_of(d)); (void)b;) }

CASE(exceptions) {
    struct { double a, b; int operation, expected; } rows[] = {
        {1, 0, '/', FE_DIVBYZERO}, {0, 0, '/', FE_INVALID}, {1, 3, '/', FE_INEXACT}, {0x1p1023, 2, '*', FE_OVERFLOW | FE_INEXACT},
        {0x1p-1022, 0x1.8p-60, '*', FE_UNDERFLOW | FE_INEXACT}, {1, 2, '+', 0}, {INFINITY, INFINITY, '-', FE_INVALID},
        {1, 0x1p-60, '+', FE_INEXACT}, {-1, 0, 's', FE_INVALID}, {2, 0, 's', FE_INEXACT}, {4, 0, 's', 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        volatile double a = rows[i].a, b = rows[i].b, r;
        CHECK(feclearexcept(FE_ALL_EXCEPT) == 0);
        switch (rows[i].operation) {
        case '/': r = a / b; break;
        case '*': r = a * b; break;
        case '+': r = a + b; break;
        case '-': r = a - b; break;
        default: r = sqrt(a);
        }
        (void)r;
        CHECK(fetestexcept(FE_DIVBYZERO | FE_INVALID | FE_INEXACT | FE_OVERFLOW | FE_UNDERFLOW) == rows[i].expected);
    }
    return 0;
}

CASE(text) {
    char text[400];
    uint64_t hash = HASH_START;
    for (int i = 0; i < 1000; i++) {
        double value = i < DOUBLES ? doubles[i] : random_double();
        if (isnan(value)) continue;
        snprintf(text, sizeof text, "%.17g", value);
        CHECK(bits_of(strtod(text, NULL)) == bits_of(value));
        for (const char *at = text; *at; at++) ADD(*at);
        snprintf(text, sizeof text, "%a %e %.3f", value, value, isinf(value) ? 0 : fmod(value, 1000));
        for (const char *at = text; *at; at++) ADD(*at);
    }
    return hash;
}

// These are not fixed to the last bit: they must be near, and inverse to each other.
CASE(functions) {
    for (int i = 1; i < 3000; i++) {
        double x = i * 0.01;
        CHECK(fabs(sin(x) * sin(x) + cos(x) * cos(x) - 1) < 1e-15 && fabs(exp(log(x)) - x) < x * 1e-14);
        CHECK(fabs(pow(x, 0.5) - sqrt(x)) < sqrt(x) * 1e-15 && fabs(atan2(sin(1 / x), cos(1 / x)) - remainder(1 / x, 2 * M_PI)) < 1e-14);
        CHECK(fabs(cbrt(x * x * x) - x) < x * 1e-15 && fabs(log2(exp2(x)) - x) < 1e-13 && fabs(tanh(x) - (1 - 2 / (exp(2 * x) + 1))) < 1e-15);
        CHECK(fabs(erf(x) + erfc(x) - 1) < 1e-15 && fabs(tgamma(1 + x / 10) - x / 10 * tgamma(x / 10)) < 1e-14 * tgamma(1 + x / 10));
        CHECK(fabsf(sinf((float)x) - (float)sin((float)x)) < 1e-6f && fabsf(expf(logf((float)x)) - (float)x) < (float)x * 1e-5f);
    }
    return 0;
}

// Sums in a fixed order: vectors must not change them.
CASE(loops) {
    static double x[1001], y[1001];
    static float f[1001];
    uint64_t hash = HASH_START;
    for (int i = 0; i < 1001; i++) x[i] = (double)(int64_t)next_random() * 0x1p-40, y[i] = 1.0 / (i + 1), f[i] = (float)x[i];
    double sum = 0, product = 1;
    for (int i = 0; i < 1001; i++) sum += x[i], product *= 1 + y[i] * 0x1p-10;
    for (int i = 0; i < 1001; i++) y[i] = x[i] / 3 - y[i], f[i] = f[i] * 0.25f + (float)i;
    for (int i = 0; i < 1001; i++) x[i] = sqrt(fabs(x[i])), f[i] = f[i] > 3 ? f[i] : -f[i];
    ADD(bits_of(sum)); ADD(bits_of(product));
    for (int i = 0; i < 1001; i++) { ADD(bits_of(x[i])); ADD(bits_of(y[i])); ADD(bits_of_float(f[i])); }
    return hash;
}
