// wait: waiting for children with every option: what wait4 and waitid answer, what SIGCHLD says, who is reaped by whom.
//
// Sources: wait(2), wait4(2), waitid(2), clone(2) "exit signal", sigaction(2) SA_NOCLDWAIT, prctl(2) PR_SET_CHILD_SUBREAPER,
// pidfd_open(2).

#include "rt.h"

enum { NR_waitid = 95, NR_setpgid = 154, NR_getpgid = 155, NR_prctl = 167, NR_pidfd_send_signal = 424, NR_pidfd_open = 434,
       NR_pidfd_getfd = 438 };
enum { P_ALL = 0, P_PID = 1, P_PGID = 2, P_PIDFD = 3 };
enum { WUNTRACED = 2, WSTOPPED = 2, WEXITED = 4, WCONTINUED = 8, WNOWAIT = 0x01000000 };
enum { CLD_KILLED = 2, CLD_STOPPED = 5, CLD_CONTINUED = 6, EMFILE = 24 };
#define WNOTHREAD 0x20000000u
#define WALL 0x40000000u
#define WCLONE 0x80000000u
#define SA_NOCLDWAIT 0x2ul
#define PIDFD_NONBLOCK 04000
#define PR_SET_PDEATHSIG 1
#define PR_SET_CHILD_SUBREAPER 36
#define PR_GET_CHILD_SUBREAPER 37

static siginfo_t seen;
/// Children are spawned: they cannot be put into groups by their parent, and take their time.
static int is_spawning;
static u32 seen_count;

static void on_signal(int sig, siginfo_t *info, ucontext_t *context) {
    (void)sig, (void)context;
    seen = *info;
    ADD(&seen_count, 1);
}

/// Waits until `count` signals were seen.
static void await_signals(u32 count) {
    u64 none = 0, all = SIGBIT(SIGCHLD) | SIGBIT(SIGUSR1);
    u64 old = rt_sigmask(SIG_BLOCK, all);
    while (LOAD(&seen_count) < count) sys2(NR_rt_sigsuspend, &none, 8);
    rt_sigmask(SIG_SETMASK, old);
}

static s32 exiting(int status) {
    s32 pid = rt_fork();
    if (pid == 0) rt_exit_group(status);
    return pid;
}

/// A child that waits for a signal.
static s32 waiting(void) {
    s32 pid = rt_fork();
    if (pid == 0) {
        rt_guard(60);
        for (;;) rt_sleep_ns(1000000000);
    }
    return pid;
}

static long waitid_for(int kind, s64 id, siginfo_t *info, u64 options) {
    long result;
    memset(info, 0xee, sizeof *info);
    while ((result = sys5(NR_waitid, kind, id, info, options, 0)) == -EINTR) {}
    return result;
}

static void errors(void) {
    siginfo_t info;
    CHECK_EQ(sys4(NR_wait4, -1, 0, 0, 0), -ECHILD);
    CHECK_EQ(sys4(NR_wait4, -1, 0, WEXITED, 0), -EINVAL);
    CHECK_EQ(sys4(NR_wait4, -1, 0, WNOWAIT, 0), -EINVAL);
    CHECK_EQ(sys4(NR_wait4, (s64)(s32)0x80000000, 0, 0, 0), -ESRCH);
    CHECK_EQ(waitid_for(P_ALL, 0, &info, 0), -EINVAL);
    CHECK_EQ(waitid_for(P_PID, 0, &info, WEXITED), -EINVAL);
    CHECK_EQ(waitid_for(P_PGID, -1, &info, WEXITED), -EINVAL);
    CHECK_EQ(waitid_for(9, 1, &info, WEXITED), -EINVAL);
    CHECK_EQ(waitid_for(P_PIDFD, 99, &info, WEXITED), -EBADF);
    CHECK_EQ(waitid_for(P_ALL, 0, &info, WEXITED), -ECHILD);
    s32 pid = waiting();
    CHECK_EQ(waitid_for(P_ALL, 0, &info, WEXITED | WNOHANG), 0);
    CHECK_EQ(info.si_signo, 0);
    CHECK_EQ(info.chld_pid, 0);
    CHECK_EQ(sys4(NR_wait4, pid + 1, 0, WNOHANG, 0), -ECHILD);
    CHECK_EQ(sys2(NR_kill, pid, SIGKILL), 0);
    CHECK_EQ(rt_wait(pid), SIGKILL);
}

static void ends(void) {
    siginfo_t info;
    u64 usage[18];
    s32 pid = exiting(77), status = 0;
    CHECK_EQ(waitid_for(P_PID, pid, &info, WEXITED | WNOWAIT), 0);
    CHECK_EQ(info.si_signo, SIGCHLD);
    CHECK_EQ(info.si_code, CLD_EXITED);
    CHECK_EQ(info.chld_pid, pid);
    CHECK_EQ(info.si_status, 77);
    CHECK_EQ(waitid_for(P_ALL, 0, &info, WEXITED | WNOWAIT | WNOHANG), 0);
    CHECK_EQ(info.chld_pid, pid);
    memset(usage, 0xee, sizeof usage);
    CHECK_EQ(sys4(NR_wait4, pid, &status, WALL | WNOTHREAD, usage), pid);
    CHECK_EQ(status, 77 << 8);
    // ru_maxrss is in kilobytes, and no guest is that large.
    CHECK(usage[4] < 1u << 30);
    CHECK_EQ(sys4(NR_wait4, pid, 0, 0, 0), -ECHILD);
    pid = waiting();
    CHECK_EQ(sys2(NR_kill, pid, SIGTERM), 0);
    CHECK_EQ(waitid_for(P_PID, pid, &info, WEXITED), 0);
    CHECK_EQ(info.si_code, CLD_KILLED);
    CHECK_EQ(info.si_status, SIGTERM);
}

static void groups(void) {
    siginfo_t info;
    s32 first = waiting(), second = waiting();
    long moved = sys2(NR_setpgid, first, first);
    // A spawned child has executed a program on the host, which the host takes for the guest's own doing.
    if (moved == -EACCES && is_spawning) {
        CHECK_EQ(sys2(NR_kill, first, SIGKILL), 0);
        CHECK_EQ(rt_wait(first), SIGKILL);
        first = rt_fork();
        if (first == 0) {
            CHECK_EQ(sys2(NR_setpgid, 0, 0), 0);
            for (;;) rt_sleep_ns(1000000000);
        }
        while (sys1(NR_getpgid, first) != first) sys0(NR_sched_yield);
    } else {
        CHECK_EQ(moved, 0);
    }
    CHECK_EQ(sys2(NR_kill, first, SIGKILL), 0);
    CHECK_EQ(sys2(NR_kill, second, SIGKILL), 0);
    CHECK_EQ(waitid_for(P_PGID, first, &info, WEXITED), 0);
    CHECK_EQ(info.chld_pid, first);
    CHECK_EQ(sys4(NR_wait4, -first, 0, 0, 0), -ECHILD);
    CHECK_EQ(sys4(NR_wait4, 0, 0, 0, 0), second);
}

static void stops(void) {
    siginfo_t info;
    s32 pid = waiting(), status = 0;
    CHECK_EQ(sys2(NR_kill, pid, SIGSTOP), 0);
    CHECK_EQ(sys4(NR_wait4, pid, &status, WUNTRACED, 0), pid);
    CHECK_EQ(status, SIGSTOP << 8 | 0x7f);
    CHECK_EQ(sys4(NR_wait4, pid, &status, WUNTRACED | WNOHANG, 0), 0);
    CHECK_EQ(sys2(NR_kill, pid, SIGCONT), 0);
    CHECK_EQ(waitid_for(P_PID, pid, &info, WCONTINUED), 0);
    CHECK_EQ(info.si_code, CLD_CONTINUED);
    CHECK_EQ(info.si_status, SIGCONT);
    CHECK_EQ(sys2(NR_kill, pid, SIGSTOP), 0);
    CHECK_EQ(waitid_for(P_PID, pid, &info, WSTOPPED), 0);
    CHECK_EQ(info.si_code, CLD_STOPPED);
    CHECK_EQ(info.si_status, SIGSTOP);
    CHECK_EQ(sys2(NR_kill, pid, SIGKILL), 0);
    CHECK_EQ(rt_wait(pid), SIGKILL);
}

static void sigchld(void) {
    rt_sigaction(SIGCHLD, on_signal, SA_SIGINFO, 0);
    rt_sigaction(SIGUSR1, on_signal, SA_SIGINFO, 0);
    STORE(&seen_count, 0);
    s32 pid = exiting(5);
    await_signals(1);
    CHECK_EQ(seen.si_signo, SIGCHLD);
    CHECK_EQ(seen.si_code, CLD_EXITED);
    CHECK_EQ(seen.chld_pid, pid);
    CHECK_EQ(seen.chld_uid, (u32)sys0(NR_getuid));
    CHECK_EQ(seen.si_status, 5);
    CHECK_EQ(rt_wait(pid), 5 << 8);

    // A child with another exit signal, and one with none: clone children, as wait(2) calls them.
    STORE(&seen_count, 0);
    pid = (s32)sys5(NR_clone, SIGUSR1, 0, 0, 0, 0);
    if (pid == 0) rt_exit_group(6);
    await_signals(1);
    CHECK_EQ(seen.si_signo, SIGUSR1);
    CHECK_EQ(seen.chld_pid, pid);
    CHECK_EQ(seen.si_status, 6);
    CHECK_EQ(sys4(NR_wait4, -1, 0, 0, 0), -ECHILD);
    CHECK_EQ(sys4(NR_wait4, pid, 0, 0, 0), -ECHILD);
    s32 other = exiting(7), status = 0;
    CHECK_EQ(sys4(NR_wait4, -1, &status, 0, 0), other);
    CHECK_EQ(sys4(NR_wait4, -1, &status, WCLONE, 0), pid);
    CHECK_EQ(status, 6 << 8);
    CHECK_EQ(sys4(NR_wait4, -1, 0, WCLONE, 0), -ECHILD);
    await_signals(2);
    STORE(&seen_count, 0);
    pid = (s32)sys5(NR_clone, 0, 0, 0, 0, 0);
    if (pid == 0) rt_exit_group(8);
    CHECK_EQ(sys4(NR_wait4, -1, &status, WALL, 0), pid);
    CHECK_EQ(status, 8 << 8);
    CHECK_EQ(LOAD(&seen_count), 0);
    rt_sigaction(SIGUSR1, SIG_DFL, 0, 0);
    rt_sigaction(SIGCHLD, SIG_DFL, 0, 0);
}

/// The signal of a child is there when the wait for it ends, so the handler runs before anything else does.
static void order(void) {
    rt_sigaction(SIGCHLD, on_signal, SA_SIGINFO | SA_RESTART, 0);
    STORE(&seen_count, 0);
    for (u32 i = 1; i <= (is_spawning ? 20 : 100); i++) {
        s32 pid = exiting(3);
        CHECK_EQ(rt_wait(pid), 3 << 8);
        CHECK_EQ(LOAD(&seen_count), i);
        CHECK_EQ(seen.chld_pid, pid);
    }
    // So is that of a child with another exit signal, or none, and no SIGCHLD comes later.
    rt_sigaction(SIGUSR1, on_signal, SA_SIGINFO | SA_RESTART, 0);
    STORE(&seen_count, 0);
    u32 rounds = is_spawning ? 10 : 100;
    for (u32 i = 1; i <= rounds; i++) {
        int sig = i % 2 ? SIGUSR1 : 0;
        s32 status = 0, pid = (s32)sys5(NR_clone, sig, 0, 0, 0, 0);
        if (pid == 0) rt_exit_group(4);
        CHECK_EQ(sys4(NR_wait4, -1, &status, WALL, 0), pid);
        CHECK_EQ(status, 4 << 8);
        CHECK_EQ(LOAD(&seen_count), (i + 1) / 2);
        if (sig == 0) continue;
        CHECK_EQ(seen.si_signo, SIGUSR1);
        CHECK_EQ(seen.si_code, CLD_EXITED);
        CHECK_EQ(seen.chld_pid, pid);
        CHECK_EQ(seen.chld_uid, (u32)sys0(NR_getuid));
        CHECK_EQ(seen.si_status, 4);
    }
    rt_sleep_ns(1000000);
    CHECK_EQ(LOAD(&seen_count), rounds / 2);
    rt_sigaction(SIGUSR1, SIG_DFL, 0, 0);
    rt_sigaction(SIGCHLD, SIG_DFL, 0, 0);
}

static void nobody_waits(void) {
    // With SA_NOCLDWAIT the signal comes and no zombie stays; a wait lasts until all children are gone.
    rt_sigaction(SIGCHLD, on_signal, SA_SIGINFO | SA_NOCLDWAIT | SA_RESTART, 0);
    STORE(&seen_count, 0);
    s32 pid = exiting(1);
    await_signals(1);
    CHECK_EQ(seen.chld_pid, pid);
    CHECK_EQ(sys4(NR_wait4, pid, 0, 0, 0), -ECHILD);
    exiting(2);
    CHECK_EQ(sys4(NR_wait4, -1, 0, 0, 0), -ECHILD);
    rt_sigaction(SIGCHLD, SIG_IGN, 0, 0);
    STORE(&seen_count, 0);
    for (int i = 0; i < 3; i++) exiting(3);
    CHECK_EQ(sys4(NR_wait4, -1, 0, 0, 0), -ECHILD);
    CHECK_EQ(LOAD(&seen_count), 0);
    // A fork child inherits the disposition.
    pid = rt_fork();
    if (pid == 0) {
        exiting(4);
        CHECK_EQ(sys4(NR_wait4, -1, 0, 0, 0), -ECHILD);
        rt_exit_group(0);
    }
    CHECK_EQ(sys4(NR_wait4, -1, 0, 0, 0), -ECHILD);
    rt_sigaction(SIGCHLD, SIG_DFL, 0, 0);
    CHECK_EQ(rt_wait(exiting(9)), 9 << 8);
}

static void adoption(void) {
    s32 fds[2], orphan = 0, is_reaper = -1, status = 0;
    CHECK_EQ(sys2(NR_prctl, PR_SET_CHILD_SUBREAPER, 1), 0);
    CHECK_EQ(sys2(NR_prctl, PR_GET_CHILD_SUBREAPER, &is_reaper), 0);
    CHECK_EQ(is_reaper, 1);
    CHECK_EQ(sys2(NR_pipe2, fds, 0), 0);
    s32 reaper = getpid();
    s32 parent = rt_fork();
    if (parent == 0) {
        parent = getpid();
        if (rt_fork() == 0) {
            // Until the parent is gone, and this is a child of its grandparent.
            while (sys0(NR_getppid) == parent) sys0(NR_sched_yield);
            CHECK_EQ(sys0(NR_getppid), reaper);
            s32 own = getpid();
            CHECK_EQ(sys3(NR_write, fds[1], &own, 4), 4);
            rt_exit_group(31);
        }
        rt_exit_group(30);
    }
    CHECK_EQ(rt_wait(parent), 30 << 8);
    CHECK_EQ(sys3(NR_read, fds[0], &orphan, 4), 4);
    CHECK_EQ(sys4(NR_wait4, -1, &status, 0, 0), orphan);
    CHECK_EQ(status, 31 << 8);
    CHECK_EQ(sys2(NR_prctl, PR_SET_CHILD_SUBREAPER, 0), 0);
}

/// Makes a child that sleeps until SIGUSR1 tells it of the end of this thread; `fds` is a pipe.
static s32 make_bound(const s32 fds[2]) {
    u8 byte = 0;
    s32 pid = rt_fork();
    if (pid == 0) {
        rt_guard(30);
        CHECK_EQ(sys5(NR_prctl, PR_SET_PDEATHSIG, SIGUSR1, 0, 0, 0), 0);
        CHECK_EQ(sys3(NR_write, fds[1], "r", 1), 1);
        for (;;) rt_sleep_ns(1000000000);
    }
    CHECK_EQ(sys3(NR_read, fds[0], &byte, 1), 1);
    return pid;
}

static void death_signal(void) {
    s32 fds[2];
    CHECK_EQ(sys2(NR_pipe2, fds, 0), 0);
    CHECK_EQ(sys2(NR_prctl, PR_SET_CHILD_SUBREAPER, 1), 0);
    s32 parent = rt_fork();
    if (parent == 0) {
        make_bound(fds);
        rt_exit_group(0);
    }
    CHECK_EQ(rt_wait(parent), 0);
    s32 status = 0;
    CHECK(sys4(NR_wait4, -1, &status, 0, 0) > 0);
    CHECK_EQ(status, SIGUSR1);
    CHECK_EQ(sys2(NR_prctl, PR_SET_CHILD_SUBREAPER, 0), 0);
}

static s32 from_thread;
static u32 may_end;

/// A thread that makes such a child and ends when it may.
static void make_bound_child(void *arg) {
    STORE(&from_thread, make_bound(arg));
    rt_wait_at_least(&may_end, 1);
}

/// The parent whose death counts is the thread that made the child, not its process.
static void death_signal_by_thread(void) {
    s32 fds[2], status = 0;
    CHECK_EQ(sys2(NR_pipe2, fds, 0), 0);
    struct rt_thread *thread = rt_thread_start(make_bound_child, fds);
    while (!LOAD(&from_thread)) rt_sleep_ns(1000000);
    // Another thread of this process that ends is nobody to the child.
    s32 of_main = waiting();
    CHECK_EQ(sys4(NR_wait4, -1, 0, WNOHANG, 0), 0);
    rt_post(&may_end);
    rt_thread_join(thread);
    CHECK_EQ(sys4(NR_wait4, -1, &status, 0, 0), from_thread);
    CHECK_EQ(status, SIGUSR1);
    CHECK_EQ(sys4(NR_wait4, of_main, 0, WNOHANG, 0), 0);
    CHECK_EQ(sys2(NR_kill, of_main, SIGKILL), 0);
    CHECK_EQ(rt_wait(of_main), SIGKILL);
}

static void descriptors(void) {
    siginfo_t info;
    struct timespec now = { 0, 0 };
    s32 pid = waiting();
    s32 fd = (s32)sys2(NR_pidfd_open, pid, 0);
    CHECK(fd >= 0);
    CHECK_EQ(sys2(NR_pidfd_open, pid, 1), -EINVAL);
    CHECK_EQ(sys2(NR_pidfd_open, 0, 0), -EINVAL);
    CHECK_EQ(sys3(NR_fcntl, fd, 1, 0), 1);
    struct pollfd poll = { fd, POLLIN, 0 };
    CHECK_EQ(sys5(NR_ppoll, &poll, 1, &now, 0, 8), 0);
    s32 quick = (s32)sys2(NR_pidfd_open, pid, PIDFD_NONBLOCK);
    CHECK_EQ(waitid_for(P_PIDFD, quick, &info, WEXITED), -EAGAIN);
    CHECK_EQ(sys4(NR_pidfd_send_signal, fd, 0, 0, 0), 0);
    CHECK_EQ(sys4(NR_pidfd_send_signal, 99, 0, 0, 0), -EBADF);
    CHECK_EQ(sys4(NR_pidfd_send_signal, fd, SIGUSR1, 0, 0), 0);
    CHECK_EQ(sys5(NR_ppoll, &poll, 1, 0, 0, 8), 1);
    CHECK_EQ(poll.revents, POLLIN);
    CHECK_EQ(waitid_for(P_PIDFD, fd, &info, WEXITED), 0);
    CHECK_EQ(info.chld_pid, pid);
    CHECK_EQ(info.si_status, SIGUSR1);
    CHECK_EQ(sys4(NR_pidfd_send_signal, fd, 0, 0, 0), -ESRCH);
    CHECK_EQ(waitid_for(P_PIDFD, fd, &info, WEXITED), -ECHILD);
    s32 own = (s32)sys2(NR_pidfd_open, getpid(), 0);
    s32 copy = (s32)sys3(NR_pidfd_getfd, own, 1, 0);
    CHECK(copy > own);
    CHECK_EQ(sys3(NR_pidfd_getfd, own, 99, 0), -EBADF);
    STORE(&seen_count, 0);
    rt_sigaction(SIGUSR1, on_signal, SA_SIGINFO, 0);
    CHECK_EQ(sys4(NR_pidfd_send_signal, own, SIGUSR1, 0, 0), 0);
    CHECK_EQ(LOAD(&seen_count), 1);
    CHECK_EQ(seen.si_pid, getpid());
    rt_sigaction(SIGUSR1, SIG_DFL, 0, 0);
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    rt_guard(60);
    is_spawning = argc == 2 && rt_streq(argv[1], "spawned");
    errors();
    ends();
    groups();
    stops();
    sigchld();
    order();
    nobody_waits();
    adoption();
    death_signal();
    death_signal_by_thread();
    descriptors();
    say("wait: ok\n");
    return 0;
}
