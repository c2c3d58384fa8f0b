// vdso: the clocks by the functions of the vDSO, against those by system calls.
// vdso many: a thousand readings by the vDSO; who watches the system calls sees next to none.

#include "rt.h"

enum { NR_gettimeofday = 169, NR_clock_getres = 114 };
enum { DT_HASH = 4, DT_STRTAB = 5, DT_SYMTAB = 6 };

struct ehdr { u8 ident[16]; u16 type, machine; u32 version; u64 entry, phoff, shoff; u32 flags; u16 ehsize, phentsize, phnum; };
struct phdr { u32 p_type, p_flags; u64 p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align; };
struct dyn { u64 tag, value; };
struct sym { u32 name; u8 info, other; u16 shndx; u64 value, size; };

static void *vdso_function(const char *name) {
    int found;
    const u8 *base = (const u8 *)rt_auxval(AT_SYSINFO_EHDR, &found);
    CHECK(found);
    const struct ehdr *ehdr = (const struct ehdr *)base;
    const struct phdr *phdr = (const struct phdr *)(base + ehdr->phoff);
    const struct dyn *dyn = 0;
    for (int i = 0; i < ehdr->phnum; i++)
        if (phdr[i].p_type == 2) dyn = (const struct dyn *)(base + phdr[i].p_offset);
    CHECK(dyn);
    const u32 *hash = 0;
    const char *strings = 0;
    const struct sym *symbols = 0;
    for (; dyn->tag; dyn++) {
        if (dyn->tag == DT_HASH) hash = (const u32 *)(base + dyn->value);
        if (dyn->tag == DT_STRTAB) strings = (const char *)(base + dyn->value);
        if (dyn->tag == DT_SYMTAB) symbols = (const struct sym *)(base + dyn->value);
    }
    for (u32 i = 1; i < hash[1]; i++)
        if (rt_streq(strings + symbols[i].name, name)) return (void *)(base + symbols[i].value);
    CHECK(!"the function is there");
    return 0;
}

typedef int (*clock_fn)(int, struct timespec *);
typedef int (*day_fn)(struct timeval *, void *);

static s64 ns(const struct timespec *time) { return time->tv_sec * 1000000000 + time->tv_nsec; }

/// The clock by system call, or by `fn`.
static s64 read_clock(clock_fn fn, int clock) {
    struct timespec time;
    if (fn) CHECK_EQ(fn(clock, &time), 0);
    else CHECK_EQ(sys2(NR_clock_gettime, clock, &time), 0);
    CHECK(time.tv_nsec >= 0 && time.tv_nsec < 1000000000);
    return ns(&time);
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    rt_guard(30);
    clock_fn gettime = (clock_fn)vdso_function("__kernel_clock_gettime");
    clock_fn getres = (clock_fn)vdso_function("__kernel_clock_getres");
    day_fn day = (day_fn)vdso_function("__kernel_gettimeofday");
    if (argc > 1 && rt_streq(argv[1], "many")) {
        s64 last = 0;
        for (int i = 0; i < 1000; i++) {
            s64 now = read_clock(gettime, i % 2 ? CLOCK_REALTIME : CLOCK_MONOTONIC);
            if (i % 2 == 0) {
                CHECK(now >= last);
                last = now;
            }
        }
        say("vdso: ok\n");
        return 0;
    }
    // Exact where the counter is the clock, and to a few microseconds where two clocks were compared.
    const struct { int clock; s64 slack; } clocks[] = { { 1, 0 }, { 0, 100000 }, { 7, 100000 } };
    for (int i = 0; i < 3; i++) {
        s64 before = read_clock(0, clocks[i].clock);
        s64 between = read_clock(gettime, clocks[i].clock);
        s64 after = read_clock(0, clocks[i].clock);
        CHECK(between >= before - clocks[i].slack && between <= after + clocks[i].slack);
    }
    // The coarse ones are those; clocks of which the page knows nothing are asked for.
    CHECK(read_clock(gettime, 5) - read_clock(gettime, 0) < 1000000000);
    CHECK(read_clock(gettime, 6) >= 0);
    CHECK(read_clock(gettime, 4) >= 0);
    CHECK(read_clock(gettime, 2) >= 0);
    struct timespec time;
    CHECK_EQ(gettime(99, &time), -EINVAL);
    CHECK_EQ(gettime(-1, &time), -EINVAL);
    struct timeval of_day;
    s64 before = read_clock(gettime, 0);
    CHECK_EQ(day(&of_day, 0), 0);
    s64 after = read_clock(gettime, 0);
    s64 now = of_day.tv_sec * 1000000000 + of_day.tv_usec * 1000;
    CHECK(now >= before - 1000 - 200000 && now <= after + 200000);
    CHECK_EQ(day(0, 0), 0);
    CHECK_EQ(getres(1, &time), 0);
    CHECK_EQ(ns(&time), 1);
    CHECK_EQ(getres(0, 0), 0);
    CHECK_EQ(getres(99, &time), -EINVAL);
    CHECK_EQ(getres(6, &time), 0);
    say("vdso: ok\n");
    return 0;
}
