// late-calls: calls that Linux has got late (mseal, process_madvise, process_mrelease, set_mempolicy_home_node), file
// handles, and the clock's adjustment, as their man pages say.
//
// Sources: mseal(2) and Documentation/userspace-api/mseal.rst, process_madvise(2), process_mrelease(2),
// name_to_handle_at(2), adjtimex(2).

#include "rt.h"

#define PAGE 4096ull
enum {
    NR_settimeofday_ = 170, NR_adjtimex_ = 171, NR_clock_settime_ = 112, NR_name_to_handle_at_ = 264, NR_open_by_handle_at_ = 265,
    NR_clock_adjtime_ = 266, NR_pidfd_open_ = 434, NR_process_madvise_ = 440, NR_process_mrelease_ = 448,
    NR_set_mempolicy_home_node_ = 450, NR_mseal_ = 462,
    NR_madvise_ = 233, MADV_DONTNEED_ = 4, MADV_DONTFORK_ = 10, MADV_COLD_ = 20, MADV_PAGEOUT_ = 21, MADV_WILLNEED_ = 3,
    EOVERFLOW_ = 75, EOPNOTSUPP_ = 95, ESTALE_ = 116, O_DIRECTORY_ = 040000,
};

static volatile u64 *map(u64 length, int prot) {
    long at = sys6(NR_mmap, 0, length, (u64)prot, MAP_PRIVATE | MAP_ANONYMOUS, (u64)-1, 0);
    CHECK(at > 0);
    return (volatile u64 *)at;
}

static long remap_fixed(volatile u64 *at) {
    return sys6(NR_mmap, (u64)at, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, (u64)-1, 0);
}

static void seals(void) {
    volatile u64 *at = map(4 * PAGE, PROT_READ | PROT_WRITE), *next = at + 512, *third = at + 1024;
    next[0] = 7;
    third[0] = 9;
    CHECK_EQ(sys3(NR_mseal_, next, PAGE, 1), -EINVAL);
    CHECK_EQ(sys3(NR_mseal_, (u64)next + 1, PAGE, 0), -EINVAL);
    CHECK_EQ(sys3(NR_mseal_, next, (u64)-PAGE, 0), -EINVAL);
    CHECK_EQ(sys3(NR_mseal_, next, 0, 0), 0);
    CHECK_EQ(sys2(NR_munmap, at + 3 * 512, PAGE), 0);
    CHECK_EQ(sys3(NR_mseal_, third, 2 * PAGE, 0), -ENOMEM);
    CHECK_EQ(sys3(NR_mprotect, third, PAGE, PROT_READ | PROT_WRITE), 0);  // nothing was sealed
    CHECK_EQ(sys3(NR_mprotect, third, PAGE, PROT_READ), 0);
    CHECK_EQ(sys3(NR_mseal_, next, 2 * PAGE, 0), 0);
    CHECK_EQ(sys3(NR_mseal_, next, PAGE, 0), 0);
    // Neither alone nor with a neighbour.
    CHECK_EQ(sys2(NR_munmap, next, PAGE), -EPERM);
    CHECK_EQ(sys2(NR_munmap, at, 2 * PAGE), -EPERM);
    at[0] = 5;  // is still there
    CHECK_EQ(sys3(NR_mprotect, next, PAGE, PROT_READ), -EPERM);
    CHECK_EQ(remap_fixed(next), -EPERM);
    CHECK_EQ(sys4(NR_mremap, next, PAGE, 2 * PAGE, MREMAP_MAYMOVE), -EPERM);
    CHECK_EQ(sys5(NR_mremap, at, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, next), -EPERM);
    CHECK_EQ(at[0], 5);
    // What can be written over can be thrown away.
    CHECK_EQ(sys3(NR_madvise_, third, PAGE, MADV_DONTNEED_), -EPERM);
    CHECK_EQ(sys3(NR_madvise_, third, PAGE, MADV_DONTFORK_), -EPERM);
    CHECK_EQ(third[0], 9);
    CHECK_EQ(sys3(NR_madvise_, third, PAGE, MADV_COLD_), 0);
    CHECK_EQ(next[0], 7);
    CHECK_EQ(sys3(NR_madvise_, next, PAGE, MADV_DONTNEED_), 0);
    CHECK_EQ(next[0], 0);
    u64 top = ((u64)sys1(NR_brk, 0) + PAGE - 1) & -PAGE;
    CHECK_EQ(sys1(NR_brk, top + 2 * PAGE), top + 2 * PAGE);
    CHECK_EQ(sys3(NR_mseal_, top, PAGE, 0), 0);
    CHECK_EQ(sys1(NR_brk, top), top + 2 * PAGE);
    CHECK_EQ(sys1(NR_brk, top + PAGE), top + PAGE);
    // A child has the seals, too.
    int child = (int)sys5(NR_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0) sys1(NR_exit_group, sys2(NR_munmap, next, PAGE) == -EPERM ? 0 : 1);
    s32 status = -1;
    CHECK_EQ(sys4(NR_wait4, child, &status, 0, 0), child);
    CHECK_EQ(status, 0);
    CHECK_EQ(sys2(NR_munmap, at, PAGE), 0);
}

static void advises(void) {
    volatile u64 *at = map(4 * PAGE, PROT_READ | PROT_WRITE);
    struct { u64 base, len; } ranges[2] = { { (u64)at, PAGE }, { (u64)(at + 1024), PAGE } };
    int own = (int)sys2(NR_pidfd_open_, getpid(), 0);
    CHECK(own >= 0);
    at[0] = at[512] = at[1024] = 3;
    CHECK_EQ(sys5(NR_process_madvise_, own, ranges, 2, MADV_COLD_, 1), -EINVAL);
    CHECK_EQ(sys5(NR_process_madvise_, own, ranges, 1025, MADV_COLD_, 0), -EINVAL);
    CHECK_EQ(sys5(NR_process_madvise_, own, 8, 1, MADV_COLD_, 0), -EFAULT);
    CHECK_EQ(sys5(NR_process_madvise_, 999, ranges, 2, MADV_COLD_, 0), -EBADF);
    // The release that uname(2) tells takes no advice that changes contents, from anybody; Linux 6.13 takes it about oneself.
    CHECK_EQ(sys5(NR_process_madvise_, own, ranges, 2, MADV_DONTNEED_, 0), -EINVAL);
    CHECK_EQ(sys5(NR_process_madvise_, own, ranges, 2, MADV_PAGEOUT_, 0), 2 * PAGE);
    CHECK_EQ(sys5(NR_process_madvise_, own, ranges, 2, MADV_WILLNEED_, 0), 2 * PAGE);
    CHECK_EQ(at[0], 3);
    CHECK_EQ(at[512], 3);
    CHECK_EQ(at[1024], 3);
    // What was done before an error counts.
    CHECK_EQ(sys2(NR_munmap, at + 1024, PAGE), 0);
    CHECK_EQ(sys5(NR_process_madvise_, own, ranges, 2, MADV_COLD_, 0), PAGE);
    CHECK_EQ(sys5(NR_process_madvise_, own, ranges + 1, 1, MADV_COLD_, 0), -ENOMEM);
    // Only what is dying can be reaped early.
    CHECK_EQ(sys2(NR_process_mrelease_, own, 1), -EINVAL);
    CHECK_EQ(sys2(NR_process_mrelease_, own, 0), -EINVAL);
    CHECK_EQ(sys2(NR_process_mrelease_, 999, 0), -EBADF);
    CHECK_EQ(sys4(NR_set_mempolicy_home_node_, at, PAGE, 0, 1), -EINVAL);
    CHECK_EQ(sys1(NR_close, own), 0);
}

static void handles(void) {
    struct { u32 len; s32 type; u8 bytes[128]; } handle = { 0, 0, { 0 } };
    s32 mount = 0;
    CHECK_EQ(sys5(NR_name_to_handle_at_, AT_FDCWD, "/nowhere", &handle, &mount, 0), -ENOENT);
    CHECK_EQ(sys5(NR_name_to_handle_at_, AT_FDCWD, "/", &handle, &mount, 0x10), -EINVAL);
    handle.len = 129;
    CHECK_EQ(sys5(NR_name_to_handle_at_, AT_FDCWD, "/", &handle, &mount, 0), -EINVAL);
    handle.len = 0;
    long result = sys5(NR_name_to_handle_at_, AT_FDCWD, "/", &handle, &mount, 0);
    // The room that it needs, or a file system without handles.
    CHECK(result == -EOVERFLOW_ ? handle.len > 0 && handle.len <= 128 : result == -EOPNOTSUPP_);
    if (result == -EOVERFLOW_) {
        CHECK_EQ(sys5(NR_name_to_handle_at_, AT_FDCWD, "/", &handle, &mount, 0), 0);
        long fd = sys3(NR_open_by_handle_at_, AT_FDCWD, &handle, O_DIRECTORY_);
        // Who may not read everything may not do that, and some file systems cannot.
        CHECK(fd >= 0 || fd == -EPERM || fd == -ESTALE_);
        if (fd >= 0) CHECK_EQ(sys1(NR_close, fd), 0);
    }
    handle.len = 129;
    CHECK_EQ(sys3(NR_open_by_handle_at_, AT_FDCWD, &handle, 0), -EINVAL);
    CHECK_EQ(sys3(NR_open_by_handle_at_, AT_FDCWD, 8, 0), -EFAULT);
}

static void clocks(void) {
    u64 timex[26] = { 0 }, time[2] = { 1, 0 };
    CHECK(sys1(NR_adjtimex_, timex) >= 0);
    CHECK(timex[9] > 1600000000);  // the time, behind nine words
    CHECK(sys2(NR_clock_adjtime_, CLOCK_REALTIME, timex) >= 0);
    CHECK_EQ(sys1(NR_adjtimex_, 8), -EFAULT);
    // Nobody changes the machine's clock from here.
    timex[0] = 2;
    CHECK_EQ(sys1(NR_adjtimex_, timex), -EPERM);
    CHECK_EQ(sys2(NR_clock_settime_, CLOCK_REALTIME, time), -EPERM);
    CHECK_EQ(sys2(NR_settimeofday_, time, 0), -EPERM);
}

int main(int argc, char **argv, char **envp) {
    (void)argc, (void)argv, (void)envp;
    rt_guard(30);
    seals();
    advises();
    handles();
    clocks();
    say("late-calls: ok\n");
    return 0;
}
