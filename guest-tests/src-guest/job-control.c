// job-control WHAT: stops and continuations without a terminal.
//
// WHAT is `stop` (every stop signal stops a process of several threads, its parent sees by which and when it goes on),
// `caught` (handlers, masks, SIG_IGN, SA_NOCLDSTOP), `race` (a SIGCONT right after a stop signal is never lost), `orphan`
// (a group that nobody could continue does not stop) or `death` (a signal that came meanwhile ends a stopped process as soon
// as it goes on).
//
// Sources: signal(7), wait(2), setpgid(2), Linux kernel/signal.c (get_signal, do_signal_stop, prepare_signal).

#include "rt.h"

enum { NR_setpgid = 154, NR_setsid = 157, NR_waitid = 95, SIGTSTP = 20, SIGTTIN = 21, SIGTTOU = 22, CLD_STOPPED = 5, CLD_CONTINUED = 6 };
enum { WUNTRACED = 2, WCONTINUED = 8, WEXITED = 4, WNOWAIT = 0x1000000, P_PID = 1 };
#define WIFSTOPPED(status) (((status) & 0xff) == 0x7f)
#define CONTINUED 0xffff

static volatile siginfo_t last;
static volatile u32 count;

struct shared { u32 turns[4]; u32 ready, handled; };
static struct shared *shared;

static void on_signal(int sig, siginfo_t *info, ucontext_t *context) {
    (void)sig, (void)context;
    last = *info;
    count++;
}

static void on_child_signal(int sig, siginfo_t *info, ucontext_t *context) {
    (void)sig, (void)info, (void)context;
    ADD(&shared->handled, 1);
}

static void share(void) {
    long at = sys6(NR_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, (u64)-1, 0);
    CHECK(at > 0);
    shared = (struct shared *)at;
}

static s32 wait_for(s32 pid, int options) {
    s32 status = -1;
    long result;
    while ((result = sys4(NR_wait4, pid, &status, options, 0)) == -EINTR) {}
    CHECK_EQ(result, pid);
    return status;
}

static void spinner(void *arg) {
    u32 *turns = arg;
    for (;;) {
        rt_spin(2000);
        ADD(turns, 1);
    }
}

static void sleeper(void *arg) {
    u32 *turns = arg;
    for (;;) {
        rt_sleep_ns(100000);
        ADD(turns, 1);
    }
}

// A child in a group of its own with four threads that work, two of which sleep now and then.
static s32 busy_child(void (*prepare)(void)) {
    memset(shared, 0, sizeof *shared);
    s32 child = rt_fork();
    if (child == 0) {
        rt_guard(60);
        CHECK_EQ(sys2(NR_setpgid, 0, 0), 0);
        if (prepare) prepare();
        rt_thread_start(spinner, &shared->turns[0]);
        rt_thread_start(sleeper, &shared->turns[1]);
        rt_thread_start(sleeper, &shared->turns[2]);
        STORE(&shared->ready, 1);
        spinner(&shared->turns[3]);
    }
    while (!LOAD(&shared->ready)) rt_sleep_ns(100000);
    return child;
}

static void all_go_on(void) {
    u32 seen[4];
    for (int i = 0; i < 4; i++) seen[i] = LOAD(&shared->turns[i]);
    for (int i = 0; i < 4; i++)
        while (LOAD(&shared->turns[i]) == seen[i]) rt_sleep_ns(100000);
}

static void nobody_goes_on(void) {
    u32 seen[4];
    for (int i = 0; i < 4; i++) seen[i] = LOAD(&shared->turns[i]);
    rt_sleep_ns(3000000);
    for (int i = 0; i < 4; i++) CHECK_EQ(LOAD(&shared->turns[i]), seen[i]);
}

static void stop(void) {
    static const int stops[] = { SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU };
    rt_sigaction(SIGCHLD, on_signal, SA_SIGINFO | SA_RESTART, 0);
    s32 child = busy_child(0);
    for (int i = 0; i < 8; i++) {
        int sig = stops[i % 4];
        all_go_on();
        count = 0;
        CHECK_EQ(sys2(NR_kill, i < 4 ? child : -child, sig), 0);
        s32 status = wait_for(child, WUNTRACED);
        CHECK(WIFSTOPPED(status));
        CHECK_EQ(WEXITSTATUS(status), sig);
        while (!count) sys0(NR_sched_yield);
        CHECK_EQ(last.si_code, CLD_STOPPED);
        CHECK_EQ(last.chld_pid, child);
        CHECK_EQ(last.si_status, sig);
        nobody_goes_on();
        CHECK_EQ(sys4(NR_wait4, child, 0, WUNTRACED | WNOHANG, 0), 0);
        count = 0;
        CHECK_EQ(sys2(NR_kill, child, SIGCONT), 0);
        CHECK_EQ(wait_for(child, WCONTINUED), CONTINUED);
        while (!count) sys0(NR_sched_yield);
        CHECK_EQ(last.si_code, CLD_CONTINUED);
        CHECK_EQ(last.si_status, SIGCONT);
    }
    // By waitid, and a stop that is only looked at.
    siginfo_t info;
    CHECK_EQ(sys2(NR_kill, child, SIGTSTP), 0);
    for (int i = 0; i < 2; i++) {
        long result;
        while ((result = sys5(NR_waitid, P_PID, child, &info, WUNTRACED | (i ? 0 : WNOWAIT), 0)) == -EINTR) {}
        CHECK_EQ(result, 0);
        CHECK_EQ(info.si_code, CLD_STOPPED);
        CHECK_EQ(info.si_status, SIGTSTP);
    }
    // Death of a stopped process.
    CHECK_EQ(sys2(NR_kill, child, SIGKILL), 0);
    CHECK_EQ(WTERMSIG(wait_for(child, 0)), SIGKILL);
}

static void catch_stops(void) { rt_sigaction(SIGTSTP, on_child_signal, SA_SIGINFO | SA_RESTART, 0); }
static void ignore_stops(void) { rt_sigaction(SIGTSTP, SIG_IGN, 0, 0); }
static void catch_cont(void) { rt_sigaction(SIGCONT, on_child_signal, SA_SIGINFO | SA_RESTART, 0); }

static void end(s32 child) {
    CHECK_EQ(sys2(NR_kill, child, SIGKILL), 0);
    CHECK_EQ(WTERMSIG(wait_for(child, 0)), SIGKILL);
}

static void caught(void) {
    // A handler runs instead.
    s32 child = busy_child(catch_stops);
    for (u32 i = 1; i <= 3; i++) {
        CHECK_EQ(sys2(NR_kill, child, SIGTSTP), 0);
        while (LOAD(&shared->handled) < i) rt_sleep_ns(100000);
        all_go_on();
    }
    CHECK_EQ(sys4(NR_wait4, child, 0, WUNTRACED | WNOHANG, 0), 0);
    end(child);
    // Ignored: nothing happens.
    child = busy_child(ignore_stops);
    CHECK_EQ(sys2(NR_kill, child, SIGTSTP), 0);
    all_go_on();
    CHECK_EQ(sys4(NR_wait4, child, 0, WUNTRACED | WNOHANG, 0), 0);
    end(child);
    // SIGCONT continues whatever its handler does, and the handler runs as well.
    child = busy_child(catch_cont);
    CHECK_EQ(sys2(NR_kill, child, SIGSTOP), 0);
    CHECK(WIFSTOPPED(wait_for(child, WUNTRACED)));
    CHECK_EQ(sys2(NR_kill, child, SIGCONT), 0);
    while (LOAD(&shared->handled) < 1) rt_sleep_ns(100000);
    all_go_on();
    end(child);
    // SA_NOCLDSTOP: a stop sends the parent no SIGCHLD, an end does.
    rt_sigaction(SIGCHLD, on_signal, SA_SIGINFO | SA_NOCLDSTOP | SA_RESTART, 0);
    count = 0;
    child = busy_child(0);
    CHECK_EQ(sys2(NR_kill, child, SIGTSTP), 0);
    CHECK(WIFSTOPPED(wait_for(child, WUNTRACED)));
    CHECK_EQ(sys2(NR_kill, child, SIGCONT), 0);
    CHECK_EQ(wait_for(child, WCONTINUED), CONTINUED);
    CHECK_EQ(count, 0);
    end(child);
    while (!count) sys0(NR_sched_yield);
    // Blocked: it stops when it is opened, unless SIGCONT comes first; and one who stops itself is seen too.
    child = rt_fork();
    if (child == 0) {
        u64 pending;
        CHECK_EQ(sys2(NR_setpgid, 0, 0), 0);
        rt_guard(30);
        rt_sigmask(SIG_BLOCK, SIGBIT(SIGTSTP));
        CHECK_EQ(sys2(NR_kill, getpid(), SIGTSTP), 0);
        CHECK_EQ(sys2(NR_rt_sigpending, &pending, 8), 0);
        CHECK_EQ(pending, SIGBIT(SIGTSTP));
        CHECK_EQ(sys2(NR_kill, getpid(), SIGCONT), 0);
        CHECK_EQ(sys2(NR_rt_sigpending, &pending, 8), 0);
        CHECK_EQ(pending, 0);
        CHECK_EQ(sys3(NR_tgkill, getpid(), gettid(), SIGTSTP), 0);
        rt_sigmask(SIG_UNBLOCK, SIGBIT(SIGTSTP));
        rt_exit_group(3);
    }
    s32 status = wait_for(child, WUNTRACED);
    CHECK(WIFSTOPPED(status));
    CHECK_EQ(WEXITSTATUS(status), SIGTSTP);
    CHECK_EQ(sys2(NR_kill, child, SIGCONT), 0);
    CHECK_EQ(wait_for(child, 0), 3 << 8);
}

static void race(void) {
    s32 child = busy_child(0);
    for (int i = 0; i < 200; i++) {
        CHECK_EQ(sys2(NR_kill, child, i & 1 ? SIGTSTP : SIGTTIN), 0);
        for (int pause = i % 8; pause > 0; pause--) rt_spin(300);
        CHECK_EQ(sys2(NR_kill, child, SIGCONT), 0);
        if (i % 20 == 0) all_go_on();
    }
    all_go_on();
    end(child);
}

// Stops itself for as long as it lives.
static void stop_again(void) {
    for (;;) sys2(NR_kill, getpid(), SIGTTIN);
}

static void death(void) {
    for (int i = 0; i < 50; i++) {
        s32 child = rt_fork();
        if (child == 0) {
            rt_guard(30);
            CHECK_EQ(sys2(NR_setpgid, 0, 0), 0);
            stop_again();
        }
        CHECK(WIFSTOPPED(wait_for(child, WUNTRACED)));
        // It is pending before the process goes on, so that it never stops again.
        CHECK_EQ(sys2(NR_kill, child, SIGTERM), 0);
        CHECK_EQ(sys2(NR_kill, child, SIGCONT), 0);
        CHECK_EQ(WTERMSIG(wait_for(child, WUNTRACED)), SIGTERM);
    }
}

static void orphan(void) {
    // The leader of a session of its own has no parent in it.
    s32 child = rt_fork();
    if (child == 0) {
        rt_guard(30);
        CHECK_EQ(sys0(NR_setsid), getpid());
        CHECK_EQ(sys2(NR_kill, getpid(), SIGTSTP), 0);
        CHECK_EQ(sys2(NR_kill, 0, SIGTTIN), 0);
        CHECK_EQ(sys3(NR_tgkill, getpid(), gettid(), SIGTTOU), 0);
        // SIGSTOP stops everybody.
        CHECK_EQ(sys2(NR_kill, getpid(), SIGSTOP), 0);
        rt_exit_group(4);
    }
    s32 status = wait_for(child, WUNTRACED);
    CHECK(WIFSTOPPED(status));
    CHECK_EQ(WEXITSTATUS(status), SIGSTOP);
    CHECK_EQ(sys2(NR_kill, child, SIGCONT), 0);
    CHECK_EQ(wait_for(child, 0), 4 << 8);
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK_EQ(argc, 2);
    rt_guard(60);
    share();
    if (rt_streq(argv[1], "stop")) stop();
    else if (rt_streq(argv[1], "caught")) caught();
    else if (rt_streq(argv[1], "race")) race();
    else if (rt_streq(argv[1], "orphan")) orphan();
    else if (rt_streq(argv[1], "death")) death();
    else CHECK(!"a part that this guest knows");
    say("job-control %s: ok\n", argv[1]);
    return 0;
}
