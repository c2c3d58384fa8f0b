// clone: flags of clone and clone3, the errors of both, descriptors of children, threads of uncommon kinds. `clone refused`
// asks for what elfuse does not do; what becomes of that is not checked.
//
// Sources: clone(2), clone3(2); `copy_process` and `clone3_args_valid` in kernel/fork.c of Linux.

#include "rt.h"

enum { NR_umask = 166, NR_pidfd_send_signal = 424, NR_clone3 = 435, E2BIG = 7 };
#define CLONE_PIDFD 0x1000ul
#define CLONE_VFORK 0x4000ul
#define CLONE_PARENT 0x8000ul
#define CLONE_DETACHED 0x400000ul
#define CLONE_CHILD_SETTID 0x1000000ul
#define CLONE_CLEAR_SIGHAND 0x100000000ul
#define CLONE_INTO_CGROUP 0x200000000ul
#define CLONE_NEWUTS 0x4000000ul
#define WALL 0x40000000u

struct clone_args {
    u64 flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

static u8 stack[16384] __attribute__((aligned(16)));
static u32 word;

static long clone3(struct clone_args *args, u64 size) { return sys2(NR_clone3, args, size); }

/// The child of a clone3 ends with `status`.
static s32 child_of(struct clone_args *args, int status) {
    long pid = clone3(args, sizeof *args);
    if (pid == 0) rt_exit_group(status);
    CHECK(pid > 0);
    return (s32)pid;
}

static void errors(void) {
    struct { struct clone_args args; u64 more[2]; } long_args;
    memset(&long_args, 0, sizeof long_args);
    struct clone_args *args = &long_args.args;
    CHECK_EQ(sys5(NR_clone, CLONE_THREAD | CLONE_VM, 0, 0, 0, 0), -EINVAL);
    CHECK_EQ(sys5(NR_clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0), -EINVAL);
    CHECK_EQ(sys5(NR_clone, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, 0, &word, 0, 0), -EINVAL);
    CHECK_EQ(sys5(NR_clone, CLONE_PIDFD | CLONE_DETACHED | SIGCHLD, 0, &word, 0, 0), -EINVAL);
    CHECK_EQ(clone3(args, 63), -EINVAL);
    CHECK_EQ(clone3(args, 4097), -E2BIG);
    CHECK_EQ(clone3((void *)16, 64), -EFAULT);
    long_args.more[1] = 1;
    CHECK_EQ(clone3(args, sizeof long_args), -E2BIG);
    long_args.more[1] = 0;
    args->flags = SIGCHLD;
    CHECK_EQ(clone3(args, 64), -EINVAL);
    args->flags = CLONE_DETACHED;
    CHECK_EQ(clone3(args, 64), -EINVAL);
    args->flags = 1ul << 40;
    CHECK_EQ(clone3(args, 64), -EINVAL);
    args->flags = CLONE_VM | CLONE_SIGHAND | CLONE_CLEAR_SIGHAND;
    CHECK_EQ(clone3(args, 64), -EINVAL);
    args->flags = CLONE_PARENT;
    args->exit_signal = SIGCHLD;
    CHECK_EQ(clone3(args, 64), -EINVAL);
    args->flags = 0;
    args->exit_signal = 65;
    CHECK_EQ(clone3(args, 64), -EINVAL);
    args->exit_signal = SIGCHLD;
    args->stack_size = 64;
    CHECK_EQ(clone3(args, 64), -EINVAL);
    args->stack_size = 0;
    args->stack = (u64)stack;
    CHECK_EQ(clone3(args, 64), -EINVAL);
    args->stack = 0;
    s32 wanted = 0;
    args->set_tid = (u64)&wanted;
    CHECK_EQ(clone3(args, sizeof *args), -EINVAL);
    args->set_tid_size = 33;
    CHECK_EQ(clone3(args, sizeof *args), -EINVAL);
    args->set_tid_size = 1;
    CHECK_EQ(clone3(args, sizeof *args), -EINVAL);
    args->set_tid = 0;
    CHECK_EQ(clone3(args, sizeof *args), -EINVAL);
    args->set_tid_size = 0;
    // What is longer than known and zero is fine.
    long pid = clone3(args, sizeof long_args);
    if (pid == 0) rt_exit_group(3);
    CHECK_EQ(rt_wait((s32)pid), 3 << 8);
}

static void on_usr1(int sig, siginfo_t *info, ucontext_t *context) { (void)sig, (void)info, (void)context; }

static void processes(void) {
    struct clone_args args;
    memset(&args, 0, sizeof args);
    s32 pidfd = -1, parent_tid = -1;
    // The child's own word is set in its copy alone.
    s32 child_tid = -1;
    args = (struct clone_args){ .flags = CLONE_PIDFD | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID, .pidfd = (u64)&pidfd,
                                .parent_tid = (u64)&parent_tid, .child_tid = (u64)&child_tid, .exit_signal = SIGCHLD };
    s32 pid = (s32)clone3(&args, sizeof args);
    if (pid == 0) {
        CHECK_EQ(child_tid, getpid());
        for (;;) rt_sleep_ns(1000000000);
    }
    CHECK_EQ(parent_tid, pid);
    CHECK_EQ(child_tid, -1);
    CHECK(pidfd > 2);
    CHECK_EQ(sys4(NR_pidfd_send_signal, pidfd, SIGKILL, 0, 0), 0);
    CHECK_EQ(rt_wait(pid), SIGKILL);
    CHECK_EQ(sys1(NR_close, pidfd), 0);
    pidfd = -1;
    pid = (s32)sys5(NR_clone, CLONE_PIDFD | SIGCHLD, 0, &pidfd, 0, 0);
    if (pid == 0) rt_exit_group(4);
    struct pollfd poll = { pidfd, POLLIN, 0 };
    CHECK_EQ(sys5(NR_ppoll, &poll, 1, 0, 0, 8), 1);
    CHECK_EQ(rt_wait(pid), 4 << 8);

    // Caught signals go back to the default in the child, ignored ones stay.
    rt_sigaction(SIGUSR1, on_usr1, 0, 0);
    rt_sigaction(SIGTERM, SIG_IGN, 0, 0);
    args = (struct clone_args){ .flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD };
    pid = (s32)clone3(&args, sizeof args);
    if (pid == 0) {
        struct kernel_sigaction action;
        CHECK_EQ(sys4(NR_rt_sigaction, SIGUSR1, 0, &action, 8), 0);
        CHECK(action.handler == SIG_DFL);
        CHECK_EQ(sys4(NR_rt_sigaction, SIGTERM, 0, &action, 8), 0);
        CHECK(action.handler == SIG_IGN);
        rt_exit_group(5);
    }
    CHECK_EQ(rt_wait(pid), 5 << 8);
    rt_sigaction(SIGUSR1, SIG_DFL, 0, 0);
    rt_sigaction(SIGTERM, SIG_DFL, 0, 0);

    // Flags that change nothing that can be seen here.
    for (u64 flags = 0; flags < 4; flags++) {
        args = (struct clone_args){ .flags = (flags & 1 ? CLONE_FS : 0) | (flags & 2 ? CLONE_FILES : 0),
                                    .exit_signal = SIGCHLD };
        CHECK_EQ(rt_wait(child_of(&args, 6)), 6 << 8);
    }
}

static void set_word(void *arg) {
    rt_spin(10000);
    STORE(&word, (u32)(u64)arg);
}

static void change_umask(void *arg) {
    (void)arg;
    sys1(NR_umask, 0123);
    rt_post(&word);
}

#define THREAD (CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

static void threads(void) {
    // The caller of a thread with CLONE_VFORK goes on when that has ended.
    long tid = rt_clone_thread(THREAD | CLONE_FS | CLONE_FILES | CLONE_VFORK, stack + sizeof stack, 0, 0, 0, set_word, (void *)7);
    CHECK(tid > 0);
    CHECK_EQ(word, 7);
    // A thread without CLONE_FS has a umask of its own.
    sys1(NR_umask, 022);
    word = 0;
    u32 cleared = 1;
    tid = rt_clone_thread(THREAD | CLONE_FILES | CLONE_CHILD_CLEARTID, stack + sizeof stack, 0, 0, &cleared, change_umask, 0);
    CHECK(tid > 0);
    // The kernel wakes a shared futex.
    while (LOAD(&cleared)) sys4(NR_futex, &cleared, FUTEX_WAIT, 1, 0);
    CHECK_EQ(word, 1);
    CHECK_EQ(sys1(NR_umask, 022), 022);
    // One without descriptors of the others, made by clone3 with CLONE_PARENT, which changes nothing for threads.
    rt_thread_join(rt_thread_start(set_word, (void *)9));
    CHECK_EQ(word, 9);
}

static void ends(void *arg) { (void)arg; }

/// Waits for a child that may have been made.
static void take(long pid) {
    if (pid == 0) rt_exit_group(0);
    if (pid > 0) CHECK_EQ(sys4(NR_wait4, pid, 0, WALL, 0), pid);
}

/// Twice, since each is to be named once.
static void refused(void) {
    s32 wanted = 1;
    for (int i = 0; i < 2; i++) {
        struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (u64)-1 };
        // Where there is such a sibling, another one waits for it.
        rt_clone_thread(CLONE_VM | CLONE_PARENT | SIGCHLD, stack + sizeof stack, 0, 0, 0, ends, 0);
        take(sys5(NR_clone, CLONE_NEWUTS | SIGCHLD, 0, 0, 0, 0));
        take(sys5(NR_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0));
        take(clone3(&args, sizeof args));
        args = (struct clone_args){ .exit_signal = SIGCHLD, .set_tid = (u64)&wanted, .set_tid_size = 1 };
        take(clone3(&args, sizeof args));
    }
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    rt_guard(60);
    if (argc == 2 && rt_streq(argv[1], "refused")) {
        refused();
        say("clone refused: ok\n");
        return 0;
    }
    errors();
    processes();
    threads();
    say("clone: ok\n");
    return 0;
}
