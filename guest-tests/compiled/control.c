// Calls: varargs, structures by value, setjmp, signals, alloca, function pointers, thread-local storage.

#define _GNU_SOURCE
#include "cases.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>

static uint64_t sum(int count, ...) {
    va_list list, copy;
    va_start(list, count);
    va_copy(copy, list);
    uint64_t hash = HASH_START;
    for (int i = 0; i < count; i++) switch (i % 4) {
        case 0: hash = mixed(hash, (uint64_t)va_arg(list, int)); break;
        case 1: hash = mixed(hash, (uint64_t)(va_arg(list, double) * 16)); break;
        case 2: hash = mixed(hash, va_arg(list, uint64_t)); break;
        case 3: hash = mixed(hash, (uint64_t)strlen(va_arg(list, const char *))); break;
        }
    hash = mixed(hash, (uint64_t)va_arg(copy, int));
    va_end(copy);
    va_end(list);
    return hash;
}
CASE(varargs) {
    return sum(4, 1, 2.5, (uint64_t)3, "four") ^ sum(20, 1, 2.5, (uint64_t)3, "four", -5, 6.25, ~(uint64_t)7, "eight!!!", 9, 10.5,
        (uint64_t)11, "", 13, 14.75, (uint64_t)15, "sixteen", 17, 1e6, (uint64_t)19, "x");
}

struct small { int a; char b; };
struct pair { uint64_t a, b; };
struct large { uint64_t a[5]; };
struct floats { float a, b, c; };
struct doubles { double a, b, c, d; };
struct mixture { double a; int b; };
#define PASS(TYPE, ...)                                                                        \
    __attribute__((noinline)) static TYPE pass_##TYPE(int x, TYPE value, double y, TYPE other) { \
        OPAQUE(x);                                                                             \
        return x + y > 5 ? value : other;                                                      \
    }                                                                                          \
    CASE(struct_##TYPE) {                                                                      \
        TYPE one = __VA_ARGS__, two = one;                                                     \
        memset(&two, 0, sizeof two);                                                           \
        TYPE a = pass_##TYPE(3, one, 4.0, two), b = pass_##TYPE(1, two, 1.0, one);             \
        CHECK(memcmp(&a, &b, 4) == 0);                                                         \
        uint64_t hash = HASH_START;                                                            \
        for (size_t i = 0; i < 4; i++) hash = mixed(hash, ((uint8_t *)&a)[i]);                 \
        return hash;                                                                           \
    }
typedef struct small small;
typedef struct pair pair;
typedef struct large large;
typedef struct floats floats;
typedef struct doubles doubles;
typedef struct mixture mixture;
PASS(small, {-7, 'q'})
PASS(pair, {0x123456789abcdef0, 2})
PASS(large, {{1, 2, 3, 4, 5}})
PASS(floats, {1.5f, -2.5f, 3.25f})
PASS(doubles, {1.5, 2.5, 3.5, 4.5})
PASS(mixture, {3.75, -9})

__attribute__((noinline)) static uint64_t many(int a, long b, double c, float d, char e, short f, long g, long h, int i, double j, double k,
                                               double l, double m, double n, double o, double p, double q, int r, long s, unsigned char t) {
    return mixed(mixed((uint64_t)(a + b + e + f + g + h + i + r + s + t), (uint64_t)(c + d + j + k + l)), (uint64_t)(m * n - o * p + q));
}
CASE(many_arguments) { return many(1, -2, 3.5, 4.25f, 'e', -6, 7, 8, -9, 10, 11.5, 12, 13, 14, 15, 16, 17.5, -18, 19, 200); }

static jmp_buf place;
// GCC does not see that longjmp ends the recursion.
#pragma GCC diagnostic ignored "-Winfinite-recursion"
__attribute__((noinline)) static void jump_back(int depth, int value) {
    volatile char room[100];
    room[depth % 100] = 1;
    if (depth == 0) longjmp(place, value);
    jump_back(depth - 1, value);
    CHECK(room[0] != 7);
}
CASE(long_jumps) {
    volatile int turns = 0;
    volatile double kept = 1.5;
    int value = setjmp(place);
    if (value != 0) CHECK(value == turns);
    if (turns < 50) {
        turns++;
        kept += 1;
        jump_back(turns, turns);
    }
    CHECK(kept == 51.5);
    int zero = setjmp(place);
    if (zero == 0) longjmp(place, 0);
    CHECK(zero == 1);
    return (uint64_t)turns;
}

static sigjmp_buf signal_place;
static volatile int handled;
static void on_signal(int number) {
    handled++;
    if (number == SIGSEGV) siglongjmp(signal_place, 1);
}
CASE(signals_and_jumps) {
    struct sigaction action = {.sa_handler = on_signal};
    CHECK(sigaction(SIGSEGV, &action, NULL) == 0 && sigaction(SIGUSR1, &action, NULL) == 0);
    handled = 0;
    for (int i = 0; i < 20; i++) {
        if (sigsetjmp(signal_place, 1) == 0) {
            *(volatile int *)(uintptr_t)(8 * (unsigned)i + 8) = 1;
            CHECK(0);
        }
        CHECK(raise(SIGUSR1) == 0);
    }
    signal(SIGSEGV, SIG_DFL);
    CHECK(handled == 40);
    return (uint64_t)handled;
}

CASE(variable_arrays) {
    uint64_t hash = HASH_START;
    for (size_t n = 1; n < 200; n += 13) {
        uint32_t array[n][3];
        uint8_t *more = __builtin_alloca(n * 7);
        for (size_t i = 0; i < n; i++) array[i][i % 3] = (uint32_t)(i * n), more[i * 7] = (uint8_t)i;
        for (size_t i = 0; i < n; i++) hash = mixed(hash, array[i][i % 3] + more[i * 7]);
    }
    return hash;
}

static uint64_t twice(uint64_t x) { return 2 * x; }
static uint64_t inverse(uint64_t x) { return ~x; }
static uint64_t successor(uint64_t x) { return x + 1; }
CASE(function_pointers) {
    uint64_t (*volatile functions[])(uint64_t) = {twice, inverse, successor};
    uint64_t value = 1;
    for (int i = 0; i < 10000; i++) value = functions[next_random() % 3](value);
    return value;
}
CASE(computed_gotos) {
    static const void *const labels[] = {&&add, &&shift, &&flip, &&end};
    uint64_t value = 5;
    int turns = 0;
next:
    goto *labels[turns++ == 5000 ? 3 : next_random() % 3];
add:
    value += 17;
    goto next;
shift:
    value = value << 3 | value >> 61;
    goto next;
flip:
    value ^= 0xff00ff;
    goto next;
end:
    return value;
}

static __thread uint64_t own = 7;
static void *use_own(void *argument) {
    for (int i = 0; i < 1000; i++) own += (uint64_t)(uintptr_t)argument;
    return (void *)(uintptr_t)own;
}
CASE(thread_local_storage) {
    pthread_t threads[4];
    for (uintptr_t i = 0; i < 4; i++) CHECK(pthread_create(&threads[i], NULL, use_own, (void *)(i + 1)) == 0);
    for (uintptr_t i = 0; i < 4; i++) {
        void *result;
        CHECK(pthread_join(threads[i], &result) == 0 && (uintptr_t)result == 7 + 1000 * (i + 1));
    }
    CHECK(own == 7);
    return own;
}
