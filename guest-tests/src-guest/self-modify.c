// self-modify [alias]: code written at run time is executed as written, after the architectural sequence (DC CVAU, DSB ISH, IC IVAU,
// DSB ISH, ISB): on memory that is writable and executable, through mprotect and after an
// unmapping; with `alias`, through a second mapping of the same memory. Arm ARM DDI 0487, B2.7.4.

#include "rt.h"

#define PAGE 4096ull
#define RWX (PROT_READ | PROT_WRITE | PROT_EXEC)

static void synchronize(void *at, u64 length) {
    u64 ctr;
    __asm__ volatile("mrs %0, ctr_el0" : "=r"(ctr));
    u64 dline = 4ull << (ctr >> 16 & 15), iline = 4ull << (ctr & 15), end = (u64)at + length;
    for (u64 p = (u64)at & ~(dline - 1); p < end; p += dline) __asm__ volatile("dc cvau, %0" : : "r"(p) : "memory");
    __asm__ volatile("dsb ish" : : : "memory");
    for (u64 p = (u64)at & ~(iline - 1); p < end; p += iline) __asm__ volatile("ic ivau, %0" : : "r"(p) : "memory");
    __asm__ volatile("dsb ish\nisb" : : : "memory");
}

// `mov w0, #value; ret`
static void write_function(u32 *at, u32 value) {
    ((volatile u32 *)at)[0] = 0x52800000 | (value & 0xffff) << 5;
    ((volatile u32 *)at)[1] = 0xd65f03c0;
}

static u32 call(u32 *at) { return ((u32(*)(void))at)(); }

static u32 *map(int prot, int flags, u64 fixed) {
    long at = sys6(NR_mmap, fixed, PAGE, (u64)prot, (u64)(flags | MAP_ANONYMOUS), (u64)-1, 0);
    CHECK(at > 0);
    return (u32 *)at;
}

// Two mappings of the same memory (mremap with an old length of zero): written through one, executed through the other.
static void through_alias(void) {
    u32 *written = map(RWX, MAP_SHARED, 0);
    long alias = sys4(NR_mremap, written, 0, PAGE, MREMAP_MAYMOVE);
    CHECK(alias > 0 && alias != (long)written);
    for (u32 i = 0; i < 20; i++) {
        write_function(written, 3000 + i);
        synchronize(written, 8);
        synchronize((void *)alias, 8);
        CHECK_EQ(call((u32 *)alias), 3000 + i);
    }
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    rt_guard(30);
    // Written and executed in place, again and again.
    u32 *code = map(RWX, MAP_PRIVATE, 0);
    for (u32 i = 0; i < 200; i++) {
        write_function(code, i);
        synchronize(code, 8);
        CHECK_EQ(call(code), i);
    }
    // Two functions of a page: writing one leaves the other as it is; a loop that was run often is changed too.
    write_function(code + 100, 7);
    synchronize(code + 100, 8);
    for (int i = 0; i < 2000; i++) CHECK_EQ(call(code), 199);
    write_function(code, 1);
    synchronize(code, 8);
    CHECK_EQ(call(code), 1);
    CHECK_EQ(call(code + 100), 7);
    // Never writable and executable at once.
    for (u32 i = 0; i < 20; i++) {
        CHECK_EQ(sys3(NR_mprotect, code, PAGE, PROT_READ | PROT_WRITE), 0);
        write_function(code, 1000 + i);
        synchronize(code, 8);
        CHECK_EQ(sys3(NR_mprotect, code, PAGE, PROT_READ | PROT_EXEC), 0);
        CHECK_EQ(call(code), 1000 + i);
    }
    // A new mapping at the same address has new code.
    for (u32 i = 0; i < 20; i++) {
        CHECK_EQ(sys2(NR_munmap, code, PAGE), 0);
        CHECK_EQ(map(RWX, MAP_PRIVATE | MAP_FIXED, (u64)code), code);
        write_function(code, 2000 + i);
        synchronize(code, 8);
        CHECK_EQ(call(code), 2000 + i);
    }
    if (argc == 2 && rt_streq(argv[1], "alias")) through_alias();
    say("self-modify: ok\n");
    return 0;
}
