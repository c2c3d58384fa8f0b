// The string functions of libc (chosen at start by the CPU's features) against plain loops: all alignments, page ends.

#define _GNU_SOURCE
#include "cases.h"
#include <sys/mman.h>

enum { PAGE = 4096, LONGEST = 300 };

// Two pages that end before an inaccessible one.
static uint8_t *pages(void) {
    uint8_t *start = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(start != MAP_FAILED && mprotect(start + 2 * PAGE, PAGE, PROT_NONE) == 0);
    return start;
}

static void fill(uint8_t *to, size_t length, int kinds) {
    for (size_t i = 0; i < length; i++) to[i] = (uint8_t)(1 + next_random() % kinds);
}

static volatile size_t opaque_zero;

CASE(copy) {
    uint8_t *from = pages() + 2 * PAGE, *to = pages() + 2 * PAGE, expected[LONGEST + 64];
    for (size_t length = 0; length < LONGEST; length++)
        for (size_t shift = 0; shift < 17; shift += 1 + length % 4) {
            fill(from - length - shift, length + shift, 255);
            memset(to - length - 32, 0xee, length + 32);
            memset(expected, 0xee, sizeof expected);
            for (size_t i = 0; i < length; i++) expected[32 + i] = (from - length - shift)[i];
            CHECK(memcpy(to - length, from - length - shift, length + opaque_zero) == to - length);
            CHECK(memcmp(to - length - 32, expected, length + 32 + opaque_zero) == 0);
        }
    return 0;
}
CASE(move) {
    uint8_t *buffer = pages(), expected[1024];
    for (int turn = 0; turn < 4000; turn++) {
        size_t from = next_random() % 400, to = next_random() % 400, length = next_random() % 600;
        fill(buffer, 1024, 255);
        memcpy(expected, buffer, 1024);
        for (size_t i = 0; i < length; i++) expected[to + i] = buffer[from + i];
        memmove(buffer + to, buffer + from, length);
        for (int i = 0; i < 1024; i++) CHECK(buffer[i] == expected[i]);
    }
    return 0;
}
CASE(set) {
    uint8_t *end = pages() + 2 * PAGE;
    for (size_t length = 0; length < 1500; length += 1 + length / 40)
        for (int value = 0; value < 256; value += 85) {
            memset(end - 2000, 0x11, 2000);
            memset(end - length, value, length + opaque_zero);
            for (size_t i = 0; i < 2000; i++) CHECK(end[-1 - (long)i] == (i < length ? value : 0x11));
        }
    return 0;
}
CASE(compare_memory) {
    uint8_t *a = pages() + 2 * PAGE, *b = pages() + 2 * PAGE;
    for (size_t length = 1; length < LONGEST; length++) {
        fill(a - length, length, 255);
        memcpy(b - length, a - length, length);
        CHECK(memcmp(a - length, b - length, length + opaque_zero) == 0);
        size_t place = next_random() % length;
        (b - length)[place] ^= 0x80;
        int order = (a - length)[place] < (b - length)[place] ? -1 : 1;
        CHECK((memcmp(a - length, b - length, length + opaque_zero) < 0) == (order < 0));
    }
    return 0;
}
CASE(find_byte) {
    uint8_t *end = pages() + 2 * PAGE;
    for (size_t length = 1; length < LONGEST; length++) {
        uint8_t *start = end - length;
        memset(start, 'a', length);
        size_t place = next_random() % length;
        CHECK(memchr(start, 'x', length) == NULL && memrchr(start, 'x', length) == NULL);
        start[place] = 'x';
        CHECK(memchr(start, 'x', length) == start + place && memrchr(start, 'x', length) == start + place);
        CHECK(rawmemchr(start, 'x') == start + place);
    }
    return 0;
}
CASE(length) {
    char *end = (char *)pages() + 2 * PAGE;
    for (size_t length = 0; length < LONGEST; length++) {
        char *start = end - length - 1;
        memset(start, 'a', length);
        start[length] = 0;
        CHECK(strlen(start) == length && strnlen(start, length / 2) == length / 2 && strnlen(start, 4 * length + 1) == length);
    }
    return 0;
}
CASE(copy_strings) {
    char *from = (char *)pages() + 2 * PAGE, *to = (char *)pages() + 2 * PAGE;
    for (size_t length = 0; length < LONGEST; length++) {
        char *source = from - length - 1, *target = to - length - 1;
        fill((uint8_t *)source, length, 255);
        source[length] = 0;
        CHECK(strcpy(target, source) == target && strcmp(target, source) == 0);
        CHECK(stpcpy(target, source) == target + length);
        memset(target, 1, length + 1);
        CHECK(strncpy(target, source, length / 2) == target && memcmp(target, source, length / 2) == 0);
        if (length > 2) CHECK(target[length / 2] == 1);
    }
    return 0;
}
CASE(compare_strings) {
    char *a = (char *)pages() + 2 * PAGE, *b = (char *)pages() + 2 * PAGE;
    for (size_t length = 1; length < LONGEST; length++)
        for (size_t shift = 0; shift < 9; shift++) {
            char *x = a - length - 1, *y = b - length - 1 - shift;
            fill((uint8_t *)x, length, 120);
            x[length] = 0;
            strcpy(y, x);
            CHECK(strcmp(x, y) == 0 && strncmp(x, y, length) == 0 && strcasecmp(x, y) == 0);
            size_t place = next_random() % length;
            y[place] = (char)(x[place] + 1);
            CHECK(strcmp(x, y) < 0 && strcmp(y, x) > 0 && strncmp(x, y, place) == 0 && strncmp(x, y, place + 1) < 0);
        }
    return 0;
}
CASE(find_in_strings) {
    char *end = (char *)pages() + 2 * PAGE;
    for (size_t length = 3; length < LONGEST; length++) {
        char *start = end - length - 1;
        memset(start, 'a', length);
        start[length] = 0;
        size_t place = next_random() % (length - 1);
        CHECK(strchr(start, 'x') == NULL && strrchr(start, 'x') == NULL && strstr(start, "xy") == NULL);
        CHECK(strchrnul(start, 'x') == start + length && strchr(start, 0) == start + length);
        start[place] = 'x';
        start[place + 1] = 'y';
        CHECK(strchr(start, 'x') == start + place && strrchr(start, 'x') == start + place && strstr(start, "xy") == start + place);
        CHECK(strspn(start, "a") == place && strcspn(start, "yx") == place && strpbrk(start, "qy") == start + place + 1);
    }
    return 0;
}
CASE(formatting) {
    char text[200];
    uint64_t hash = HASH_START;
    for (int i = 0; i < 1000; i++) {
        uint64_t value = next_random() >> (i & 63);
        int length = snprintf(text, sizeof text, "%d %u %lx %#o %5d|%-8ld|%08lx %c %s %lld", (int)value, (unsigned)value, (unsigned long)value,
                              (unsigned)value, (int)(value & 0xff), (long)value, (unsigned long)value, (int)('a' + value % 26), "text", (long long)value);
        for (int k = 0; k < length; k++) hash = mixed(hash, (uint8_t)text[k]);
        unsigned long back;
        CHECK(sscanf(text, "%*d %*u %lx", &back) == 1 && back == value);
    }
    return hash;
}
CASE(numbers_in_text) {
    uint64_t hash = HASH_START;
    char text[40];
    for (int i = 0; i < 1000; i++) {
        uint64_t value = next_random() >> (i & 63);
        for (int base = 2; base <= 36; base += 7) {
            char *at = text + sizeof text - 1;
            (void)base;
            snprintf(text, sizeof text, "%lu", (unsigned long)value);
            (void)at;
            hash = mixed(hash, strtoul(text, NULL, 10 + base % 3));
        }
    }
    return hash;
}
