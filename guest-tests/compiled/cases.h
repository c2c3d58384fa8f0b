// The frame of a compiled test program: cases that register themselves, each with a number as its result.
//
// A program prints `NAME RESULT` for each of its cases, so that its output can be compared with that of the same program
// built otherwise, or for another CPU. CHECK ends the program at once, with the place on standard error.

#ifndef CASES_H
#define CASES_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                       \
    do {                                                                                       \
        if (!(condition)) {                                                                    \
            fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition);      \
            exit(1);                                                                           \
        }                                                                                      \
    } while (0)

struct test_case {
    const char *name;
    uint64_t (*run)(void);
};

enum { CASES_MAX = 600 };
static struct test_case test_cases[CASES_MAX];
static int test_case_count;

static void register_case(const char *name, uint64_t (*run)(void)) {
    CHECK(test_case_count < CASES_MAX);
    test_cases[test_case_count].name = name;
    test_cases[test_case_count++].run = run;
}

// Defines a case: a function that returns a number.
#define CASE(name)                                                                             \
    static uint64_t name(void);                                                                \
    __attribute__((constructor)) static void register_##name(void) { register_case(#name, name); } \
    static uint64_t name(void)

// FNV-1a over the bytes of a value.
static inline uint64_t mixed(uint64_t hash, uint64_t value) {
    for (int i = 0; i < 8; i++) hash = (hash ^ (value >> (8 * i) & 0xff)) * 0x100000001b3u;
    return hash;
}
#define HASH_START 0xcbf29ce484222325u

// The same numbers on every machine (xorshift64*).
static uint64_t random_state = 0x9e3779b97f4a7c15u;
static inline uint64_t next_random(void) {
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 0x2545f4914f6cdd1du;
}

// Keeps the compiler from computing a result itself.
#define OPAQUE(value) __asm__ volatile("" : "+r"(value))

int main(void) {
    for (int i = 0; i < test_case_count; i++) {
        random_state = 0x9e3779b97f4a7c15u + i;
        printf("%s %016llx\n", test_cases[i].name, (unsigned long long)test_cases[i].run());
    }
    fprintf(stderr, "%d cases\n", test_case_count);
    return 0;
}

#endif
