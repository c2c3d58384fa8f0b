// memory-map: mmap, munmap, mprotect, mremap and brk as their man pages say, checked by what memory then holds.

#include "rt.h"

#define PAGE 4096ull

static volatile u64 *mmap_at(u64 at, u64 length, int prot, int flags) {
    long result = sys6(NR_mmap, at, length, (u64)prot, (u64)flags, (u64)-1, 0);
    CHECK(result > 0);
    CHECK_EQ((u64)result % PAGE, 0);
    return (volatile u64 *)result;
}

// Whether the page can be read: a write from it to a pipe is EFAULT otherwise.
static int readable(volatile u64 *at) {
    static s32 fds[2];
    u64 word;
    if (fds[1] == 0) CHECK_EQ(sys2(NR_pipe2, fds, 0), 0);
    long result = sys3(NR_write, fds[1], at, 8);
    if (result == -EFAULT) return 0;
    CHECK_EQ(result, 8);
    CHECK_EQ(sys3(NR_read, fds[0], &word, 8), 8);
    return 1;
}

static int writable(volatile u64 *at) {
    struct timespec *where = (struct timespec *)at;
    u64 first = readable(at) ? at[0] : 0, second = readable(at) ? at[1] : 0;
    long result = sys2(NR_clock_gettime, CLOCK_MONOTONIC, where);
    if (result == 0) at[0] = first, at[1] = second;
    return result == 0;
}

static void maps_and_unmaps(void) {
    volatile u64 *at = mmap_at(0, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
    for (int page = 0; page < 8; page++) {
        CHECK_EQ(at[page * 512], 0);
        at[page * 512] = (u64)page + 1;
    }
    CHECK_EQ(sys2(NR_munmap, at + 2 * 512, 2 * PAGE), 0);
    for (int page = 0; page < 8; page++) CHECK_EQ(readable(at + page * 512), page != 2 && page != 3);
    CHECK_EQ(at[512], 2);
    CHECK_EQ(at[4 * 512], 5);
    // A hole that is mapped again is zero; MAP_FIXED replaces what was there.
    CHECK_EQ(mmap_at((u64)(at + 512), 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED), at + 512);
    for (int page = 1; page < 4; page++) CHECK_EQ(at[page * 512], 0);
    CHECK_EQ(at[0], 1);
    CHECK_EQ(at[4 * 512], 5);
    CHECK_EQ(sys2(NR_munmap, at, 8 * PAGE), 0);
    CHECK_EQ(sys2(NR_munmap, at, 8 * PAGE), 0);  // nothing mapped is no error
    CHECK_EQ(readable(at), 0);
    CHECK_EQ(sys2(NR_munmap, (u64)at + 1, PAGE), -EINVAL);
    CHECK_EQ(sys2(NR_munmap, at, 0), -EINVAL);
    CHECK_EQ(sys6(NR_mmap, 0, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, (u64)-1, 0), -EINVAL);
    CHECK_EQ(sys6(NR_mmap, 0, PAGE, PROT_READ, MAP_ANONYMOUS, (u64)-1, 0), -EINVAL);
    CHECK_EQ(sys6(NR_mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, 999, 0), -EBADF);
}

static void protects(void) {
    volatile u64 *at = mmap_at(0, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
    at[512] = 99;
    CHECK_EQ(sys3(NR_mprotect, at + 512, PAGE, PROT_READ), 0);
    CHECK(writable(at) && !writable(at + 512) && readable(at + 512) && writable(at + 1024));
    CHECK_EQ(sys3(NR_mprotect, at + 512, PAGE, PROT_NONE), 0);
    CHECK(!readable(at + 512));
    CHECK_EQ(sys3(NR_mprotect, at, 3 * PAGE, PROT_READ | PROT_WRITE), 0);
    CHECK_EQ(at[512], 99);
    CHECK_EQ(sys2(NR_munmap, at + 1024, PAGE), 0);
    CHECK_EQ(sys3(NR_mprotect, at, 3 * PAGE, PROT_READ), -ENOMEM);
    CHECK_EQ(sys3(NR_mprotect, (u64)at + 8, PAGE, PROT_READ), -EINVAL);
    CHECK_EQ(sys2(NR_munmap, at, 2 * PAGE), 0);
}

static void remaps(void) {
    volatile u64 *at = mmap_at(0, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
    for (int page = 0; page < 4; page++) at[page * 512] = 0x100 + (u64)page;
    CHECK_EQ(sys4(NR_mremap, at, 4 * PAGE, 2 * PAGE, 0), (long)at);
    CHECK(readable(at + 512) && !readable(at + 1024));
    volatile u64 *blocker = mmap_at((u64)(at + 1024), PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED);
    CHECK_EQ(sys4(NR_mremap, at, 2 * PAGE, 3 * PAGE, 0), -ENOMEM);
    long moved = sys4(NR_mremap, at, 2 * PAGE, 5 * PAGE, MREMAP_MAYMOVE);
    CHECK(moved > 0 && moved != (long)at);
    volatile u64 *there = (volatile u64 *)moved;
    CHECK_EQ(there[0], 0x100);
    CHECK_EQ(there[512], 0x101);
    CHECK_EQ(there[4 * 512], 0);
    CHECK(!readable(at) && readable(blocker));
    there[4 * 512] = 7;
    // To a fixed place.
    CHECK_EQ(sys5(NR_mremap, there + 4 * 512, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at), (long)at);
    CHECK_EQ(at[0], 7);
    CHECK(!readable(there + 4 * 512));
    CHECK_EQ(sys4(NR_mremap, (u64)there + 1, PAGE, PAGE, 0), -EINVAL);
    CHECK_EQ(sys2(NR_munmap, there, 4 * PAGE), 0);
    CHECK_EQ(sys2(NR_munmap, at, PAGE), 0);
    CHECK_EQ(sys2(NR_munmap, blocker, PAGE), 0);
}

static void breaks(void) {
    u64 start = (u64)sys1(NR_brk, 0);
    CHECK(start != 0);
    CHECK_EQ(sys1(NR_brk, start + 5 * PAGE), start + 5 * PAGE);
    volatile u64 *at = (volatile u64 *)((start + 7) & ~7ull);
    for (u64 i = 0; i < 5 * PAGE / 8 - 1; i++) CHECK_EQ(at[i], 0);
    at[0] = 5;
    at[4 * 512] = 6;
    CHECK_EQ(sys1(NR_brk, start + PAGE), start + PAGE);
    CHECK_EQ(sys1(NR_brk, start + 5 * PAGE), start + 5 * PAGE);
    CHECK_EQ(at[0], 5);
    CHECK_EQ(at[4 * 512], 0);
    CHECK_EQ(sys1(NR_brk, 1), start + 5 * PAGE);
    CHECK_EQ(sys1(NR_brk, start), start);
}

static void shared_over_fork(void) {
    volatile u64 *shared = mmap_at(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS);
    volatile u64 *own = mmap_at(0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
    shared[0] = own[0] = 1;
    s32 pid = rt_fork();
    if (pid == 0) {
        CHECK(shared[0] == 1 && own[0] == 1);
        shared[0] = own[0] = 2;
        rt_exit_group(0);
    }
    CHECK_EQ(rt_wait(pid), 0);
    CHECK_EQ(shared[0], 2);
    CHECK_EQ(own[0], 1);
}

int main(int argc, char **argv, char **envp) {
    (void)argv, (void)envp;
    rt_guard(30);
    maps_and_unmaps();
    protects();
    remaps();
    breaks();
    if (argc == 2) shared_over_fork();
    say("memory-map: ok\n");
    return 0;
}
