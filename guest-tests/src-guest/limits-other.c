// limits-other: prlimit on another process. A child finds the limits that its parent sets while it runs, and is bound by them.
//
// Sources: prlimit(2), getrlimit(2); `do_prlimit` in kernel/sys.c of Linux.

#include "rt.h"

enum { NR_getrlimit = 163, NR_prlimit64 = 261, NR_memfd_create = 279, NR_dup = 23 };
enum { RLIMIT_FSIZE = 1, RLIMIT_STACK = 3, RLIMIT_NOFILE = 7, RLIMIT_AS = 9, RLIMIT_SIGPENDING = 11 };
enum { SIGXFSZ = 25, EMFILE = 24, EFBIG = 27 };

static s32 to_child[2], to_parent[2];

static void say_byte(s32 *fds) { CHECK_EQ(sys3(NR_write, fds[1], "b", 1), 1); }
static void hear_byte(s32 *fds) {
    u8 byte = 0;
    CHECK_EQ(sys3(NR_read, fds[0], &byte, 1), 1);
}

__attribute__((noreturn)) static void be_bounded(void) {
    static u8 bytes[4096];
    u64 limit[2] = { 0, 0 };
    rt_guard(30);
    rt_sigaction(SIGXFSZ, SIG_IGN, 0, 0);
    s32 fd = (s32)sys2(NR_memfd_create, "bounded", 0);
    CHECK_EQ(sys3(NR_write, fd, bytes, 4096), 4096);
    say_byte(to_parent);
    hear_byte(to_child);
    CHECK_EQ(sys2(NR_getrlimit, RLIMIT_FSIZE, limit), 0);
    CHECK_EQ(limit[0], 6144);
    CHECK_EQ(limit[1], 8192);
    // As much as fits, and then nothing.
    CHECK_EQ(sys3(NR_write, fd, bytes, 4096), 2048);
    CHECK_EQ(sys3(NR_write, fd, bytes, 1), -EFBIG);
    // Two descriptors more, no terabyte, no signal.
    CHECK(sys1(NR_dup, 0) >= 0);
    CHECK(sys1(NR_dup, 0) >= 0);
    CHECK_EQ(sys1(NR_dup, 0), -EMFILE);
    CHECK_EQ(sys2(NR_getrlimit, RLIMIT_NOFILE, limit), 0);
    CHECK_EQ(limit[1], 200);
    CHECK_EQ(sys6(NR_mmap, 0, 1ul << 40, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, (u64)-1, 0), -ENOMEM);
    rt_sigmask(SIG_BLOCK, SIGBIT(SIGRTMIN));
    CHECK_EQ(rt_queue(getpid(), SIGRTMIN, 1), -EAGAIN);
    CHECK_EQ(sys2(NR_getrlimit, RLIMIT_STACK, limit), 0);
    CHECK_EQ(limit[0], 1 << 20);
    // A child has them too, and so has who looks at it.
    s32 pid = rt_fork();
    if (pid == 0) {
        CHECK_EQ(sys2(NR_getrlimit, RLIMIT_STACK, limit), 0);
        CHECK_EQ(limit[0], 1 << 20);
        rt_exit_group(0);
    }
    CHECK_EQ(rt_wait(pid), 0);
    say_byte(to_parent);
    hear_byte(to_child);
    rt_exit_group(4);
}

int main(int argc, char **argv, char **envp) {
    (void)argc, (void)argv, (void)envp;
    rt_guard(60);
    u64 own[2], before[2] = { 0, 0 }, seen[2] = { 0, 0 }, wanted[2] = { 6144, 8192 }, wrong[2] = { 3, 2 };
    CHECK_EQ(sys2(NR_getrlimit, RLIMIT_FSIZE, own), 0);
    CHECK_EQ(sys2(NR_pipe2, to_child, 0), 0);
    CHECK_EQ(sys2(NR_pipe2, to_parent, 0), 0);
    s32 pid = rt_fork();
    if (pid == 0) be_bounded();
    hear_byte(to_parent);
    CHECK_EQ(sys4(NR_prlimit64, pid, RLIMIT_FSIZE, wrong, 0), -EINVAL);
    CHECK_EQ(sys4(NR_prlimit64, pid, 99, 0, seen), -EINVAL);
    CHECK_EQ(sys4(NR_prlimit64, pid, RLIMIT_FSIZE, 16, 0), -EFAULT);
    CHECK_EQ(sys4(NR_prlimit64, -1, RLIMIT_FSIZE, 0, seen), -ESRCH);
    CHECK_EQ(sys4(NR_prlimit64, pid, RLIMIT_FSIZE, wanted, before), 0);
    CHECK_EQ(before[0], own[0]);
    CHECK_EQ(before[1], own[1]);
    CHECK_EQ(sys4(NR_prlimit64, pid, RLIMIT_FSIZE, 0, seen), 0);
    CHECK_EQ(seen[0], 6144);
    CHECK_EQ(seen[1], 8192);
    // Limits that would bound an emulator.
    const struct { u64 resource, soft, hard; } others[] = {
        { RLIMIT_STACK, 1 << 20, 1 << 21 }, { RLIMIT_AS, 1ul << 34, 1ul << 34 }, { RLIMIT_SIGPENDING, 0, 0 },
        { RLIMIT_NOFILE, 10, 200 },
    };
    for (u32 i = 0; i < 4; i++) {
        u64 limit[2] = { others[i].soft, others[i].hard };
        CHECK_EQ(sys4(NR_prlimit64, pid, others[i].resource, wrong, 0), -EINVAL);
        CHECK_EQ(sys4(NR_prlimit64, pid, others[i].resource, limit, 0), 0);
        CHECK_EQ(sys4(NR_prlimit64, pid, others[i].resource, 0, seen), 0);
        CHECK_EQ(seen[0], limit[0]);
        CHECK_EQ(seen[1], limit[1]);
    }
    say_byte(to_child);
    hear_byte(to_parent);
    CHECK_EQ(sys4(NR_prlimit64, pid, RLIMIT_NOFILE, 0, seen), 0);
    CHECK_EQ(seen[0], 10);
    // This process's own limit is what it was.
    CHECK_EQ(sys2(NR_getrlimit, RLIMIT_FSIZE, seen), 0);
    CHECK_EQ(seen[0], own[0]);
    say_byte(to_child);
    CHECK_EQ(rt_wait(pid), 4 << 8);
    CHECK_EQ(sys4(NR_prlimit64, pid, RLIMIT_FSIZE, 0, seen), -ESRCH);
    say("limits-other: ok\n");
    return 0;
}
