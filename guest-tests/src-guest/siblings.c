// siblings: processes made with CLONE_PARENT. They are children of their maker's parent: that one waits for them and hears of
// their end, the maker does not. By clone and clone3, with CLONE_VFORK and CLONE_VM, by a thread, and by a sibling.
//
// A maker is a child of this guest, so that nobody outside of it gets a child. Sources: clone(2) CLONE_PARENT; `copy_process`
// in kernel/fork.c of Linux (the exit signal is the maker's own).

#include "rt.h"

enum { NR_waitid = 95, NR_pidfd_send_signal = 424, NR_pidfd_open = 434, NR_clone3 = 435 };
enum { P_PID = 1, WEXITED = 4, WNOWAIT = 0x01000000 };
#define WALL 0x40000000u
#define CLONE_PIDFD 0x1000ul
#define CLONE_VFORK 0x4000ul
#define CLONE_PARENT 0x8000ul
#define CLONE_CHILD_SETTID 0x1000000ul

struct clone_args {
    u64 flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
};

static s32 top, news[2], orders[2];
static s32 pidfd, stored_by_maker, stored_by_sibling;
static u32 word;
static u32 *shared;

static void tell(s32 value) { CHECK_EQ(sys3(NR_write, news[1], &value, 4), 4); }
static s32 hear(void) {
    s32 value = -1;
    CHECK_EQ(sys3(NR_read, news[0], &value, 4), 4);
    return value;
}

/// Until the process has ended; the wait for it is its parent's.
static void await_end(s32 pid) {
    struct pollfd poll = { (s32)sys2(NR_pidfd_open, pid, 0), POLLIN, 0 };
    if (poll.fd < 0) {
        CHECK_EQ(poll.fd, -ESRCH);  // its parent was fast
        return;
    }
    CHECK_EQ(sys5(NR_ppoll, &poll, 1, 0, 0, 8), 1);
    CHECK_EQ(sys1(NR_close, poll.fd), 0);
}

/// What the maker can say of a sibling: it is not a child, and no signal says that it has ended.
static void check_is_nobody(s32 pid) {
    siginfo_t info;
    struct timespec now = { 0, 0 };
    u64 set = SIGBIT(SIGCHLD) | SIGBIT(SIGUSR1);
    CHECK_EQ(sys4(NR_wait4, pid, 0, WALL, 0), -ECHILD);
    CHECK_EQ(sys4(NR_wait4, -1, 0, WALL, 0), -ECHILD);
    CHECK_EQ(sys5(NR_waitid, P_PID, pid, &info, WEXITED | WNOWAIT, 0), -ECHILD);
    await_end(pid);
    CHECK_EQ(sys4(NR_wait4, -1, 0, WALL, 0), -ECHILD);
    CHECK_EQ(sys4(NR_rt_sigtimedwait, &set, &info, &now, 8), -EAGAIN);
}

/// A sibling's whole life.
__attribute__((noreturn)) static void live(int status) {
    CHECK_EQ(sys0(NR_getppid), top);
    tell(getpid());
    rt_exit_group(status);
}

static void plain(void) {
    word = 1;
    s32 pid = (s32)sys5(NR_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
    CHECK(pid >= 0);
    if (pid == 0) {
        CHECK_EQ(word, 1);
        word = 2;
        live(5);
    }
    check_is_nobody(pid);
    CHECK_EQ(word, 1);
}

/// The signal that is asked for is not what a sibling sends.
static void other_signal(void) {
    s32 pid = (s32)sys5(NR_clone, CLONE_PARENT | SIGUSR1, 0, 0, 0, 0);
    if (pid == 0) live(5);
    check_is_nobody(pid);
}

static void by_clone3(void) {
    struct clone_args args = {
        .flags = CLONE_PARENT | CLONE_PIDFD | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID,
        .pidfd = (u64)&pidfd, .parent_tid = (u64)&stored_by_maker, .child_tid = (u64)&stored_by_sibling,
    };
    s32 pid = (s32)sys2(NR_clone3, &args, sizeof args);
    CHECK(pid >= 0);
    if (pid == 0) {
        CHECK_EQ(stored_by_sibling, getpid());
        live(5);
    }
    CHECK_EQ(stored_by_maker, pid);
    CHECK_EQ(stored_by_sibling, 0);
    CHECK(pidfd > 2);
    struct pollfd poll = { pidfd, POLLIN, 0 };
    CHECK_EQ(sys5(NR_ppoll, &poll, 1, 0, 0, 8), 1);
    CHECK_EQ(sys1(NR_close, pidfd), 0);
    check_is_nobody(pid);
}

/// The maker goes on when the sibling has ended.
static void waited_for(void) {
    STORE(shared, 0);
    s32 pid = (s32)sys5(NR_clone, CLONE_PARENT | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) {
        rt_sleep_ns(5000000);
        STORE(shared, 1);
        live(5);
    }
    CHECK_EQ(LOAD(shared), 1);
    check_is_nobody(pid);
}

static void with_memory(void) {
    word = 1;
    s32 pid = (s32)sys5(NR_clone, CLONE_PARENT | CLONE_VFORK | CLONE_VM | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) {
        word = 7;
        live(5);
    }
    CHECK_EQ(word, 7);
    check_is_nobody(pid);
}

static void plain_by_thread(void *arg) {
    (void)arg;
    plain();
}
static void by_thread(void) { rt_thread_join(rt_thread_start(plain_by_thread, 0)); }

/// A sibling of a sibling is one too.
static void by_sibling(void) {
    s32 pid = (s32)sys5(NR_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) {
        plain();
        rt_exit_group(6);
    }
    check_is_nobody(pid);
}

/// One that lives is signalled as any other process.
static void killed(void) {
    s32 pid = (s32)sys5(NR_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) {
        rt_guard(60);
        CHECK_EQ(sys0(NR_getppid), top);
        tell(getpid());
        for (;;) rt_sleep_ns(1000000000);
    }
    u8 go = 0;
    CHECK_EQ(sys3(NR_read, orders[0], &go, 1), 1);
    CHECK_EQ(sys2(NR_kill, pid, SIGTERM), 0);
    check_is_nobody(pid);
}

/// Runs a maker, and takes what this process has to wait for: one sibling of the wait status `status`, `more` others before
/// it or after it, and the maker.
static void check(void (*body)(void), int status, int more) {
    u64 set = SIGBIT(SIGCHLD);
    siginfo_t info;
    s32 maker = rt_fork();
    if (maker == 0) {
        rt_guard(60);
        body();
        // Stays until the siblings are waited for.
        u8 end = 0;
        CHECK_EQ(sys3(NR_read, orders[0], &end, 1), 1);
        rt_exit_group(0);
    }
    s32 sibling = hear();
    CHECK(sibling != maker);
    if (body == killed) CHECK_EQ(sys3(NR_write, orders[1], "g", 1), 1);
    // A sibling is waited for, and its signal has come by then.
    CHECK_EQ(rt_wait(sibling), status);
    for (int i = 0; i < more; i++) {
        s32 seen = -1;
        CHECK(sys4(NR_wait4, -1, &seen, 0, 0) != maker);
        CHECK_EQ(seen, 6 << 8);
    }
    CHECK_EQ(sys4(NR_rt_sigtimedwait, &set, &info, 0, 8), SIGCHLD);
    CHECK(info.chld_pid != maker);
    if (more == 0) {
        CHECK_EQ(info.chld_pid, sibling);
        CHECK_EQ(info.si_status, WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    }
    CHECK_EQ(sys3(NR_write, orders[1], "e", 1), 1);
    CHECK_EQ(rt_wait(maker), 0);
    CHECK_EQ(sys4(NR_rt_sigtimedwait, &set, &info, 0, 8), SIGCHLD);
    CHECK_EQ(sys4(NR_wait4, -1, 0, WALL, 0), -ECHILD);
}

int main(int argc, char **argv, char **envp) {
    (void)argc, (void)argv, (void)envp;
    rt_guard(60);
    top = getpid();
    CHECK_EQ(sys2(NR_pipe2, news, 0), 0);
    CHECK_EQ(sys2(NR_pipe2, orders, 0), 0);
    shared = (u32 *)sys6(NR_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, (u64)-1, 0);
    rt_sigmask(SIG_BLOCK, SIGBIT(SIGCHLD) | SIGBIT(SIGUSR1));
    check(plain, 5 << 8, 0);
    check(other_signal, 5 << 8, 0);
    check(by_clone3, 5 << 8, 0);
    check(waited_for, 5 << 8, 0);
    check(with_memory, 5 << 8, 0);
    check(by_thread, 5 << 8, 0);
    check(by_sibling, 5 << 8, 1);
    check(killed, SIGTERM, 0);
    say("siblings: ok\n");
    return 0;
}
