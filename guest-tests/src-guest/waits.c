// waits WHAT: every call that can wait, a row each in waits-rows.h, waits-more.h and waits-rest.h, against everything that
// can end a wait or must not.
//
// WHAT is `signals` (a handler with and without SA_RESTART, an ignored signal, a timeout), `sleepers` (several in the same
// call: a signal to the process ends exactly one, a signal to a thread ends that one), `fork` (by another thread), `exec` (by
// another thread), `exit` (exit_group by another thread), `storm` for a short selection of all, or a row's name for that row
// in all of them.
//
// No check is of a time. A signal that comes before the sleeper sleeps is sent again; what must not end a wait is sent
// three times, and then the wait is ended by what it waits for.

#include "waits-rows.h"
#include "waits-more.h"
#include "waits-rest.h"

#define SLEEPERS 3
#define NAP_NS 1000000ull

static u32 handled;

static void on_signal(int sig, siginfo_t *info, ucontext_t *context) {
    (void)sig, (void)info, (void)context;
    ADD(&handled, 1);
}

struct sleeper {
    const struct row *row;
    struct place place;
    struct rt_thread *thread;
    s32 tid;
    u32 started, finished;
    long result;
};

static void sleep_in_call(void *arg) {
    struct sleeper *self = arg;
    self->tid = gettid();
    rt_sigmask(SIG_UNBLOCK, SIGBIT(SIGUSR1));
    STORE(&self->started, 1);
    self->result = self->row->call(&self->place);
    // A signal that is late hits nobody who counts.
    rt_sigmask(SIG_BLOCK, SIGBIT(SIGUSR1));
    STORE(&self->finished, 1);
}

static void prepare(struct sleeper *sleeper, const struct row *row) {
    memset(sleeper, 0, sizeof *sleeper);
    sleeper->row = row;
    if (row->prepare) row->prepare(&sleeper->place);
}

static void launch(struct sleeper *sleeper) {
    sleeper->thread = rt_thread_start(sleep_in_call, sleeper);
    while (!LOAD(&sleeper->started)) sys0(NR_sched_yield);
    rt_sleep_ns(NAP_NS);
}

static void begin(struct sleeper *sleeper, const struct row *row) {
    prepare(sleeper, row);
    launch(sleeper);
}

static void end(struct sleeper *sleeper) {
    rt_thread_join(sleeper->thread);
    if (sleeper->row->finish) sleeper->row->finish(&sleeper->place);
}

static void signal_thread(struct sleeper *sleeper, int sig) {
    long result = sys3(NR_tgkill, getpid(), sleeper->tid, sig);
    CHECK(result == 0 || (result == -ESRCH && LOAD(&sleeper->finished)));
}

static void check_result(const char *what, const struct row *row, long result, long expected) {
    if (result != expected) {
        rt_printf(2, "waits: %s, %s: %ld instead of %ld\n", row->name, what, result, expected);
        rt_exit_group(1);
    }
}

static void wake_and_end(const char *what, struct sleeper *sleeper) {
    sleeper->row->wake(&sleeper->place);
    end(sleeper);
    check_result(what, sleeper->row, sleeper->result, sleeper->row->woken);
}

// ---- signals and timeouts ----

static void with_handler(const struct row *row) {
    static struct sleeper sleeper;
    // Without SA_RESTART: EINTR, where the call can end so at all.
    rt_sigaction(SIGUSR1, on_signal, SA_SIGINFO, 0);
    begin(&sleeper, row);
    u32 before = LOAD(&handled), sent = 0;
    while (!LOAD(&sleeper.finished) && (row->kind != NEVER_EINTR || ++sent <= 3)) {
        signal_thread(&sleeper, SIGUSR1);
        rt_sleep_ns(NAP_NS);
    }
    if (row->kind == NEVER_EINTR) {
        wake_and_end("without SA_RESTART", &sleeper);
    } else {
        end(&sleeper);
        check_result("without SA_RESTART", row, sleeper.result, -EINTR);
    }
    CHECK(LOAD(&handled) > before);
    // With SA_RESTART: the call goes on, or is one that never does.
    rt_sigaction(SIGUSR1, on_signal, SA_SIGINFO | SA_RESTART, 0);
    begin(&sleeper, row);
    before = LOAD(&handled);
    sent = 0;
    while (!LOAD(&sleeper.finished) && (row->kind == ALWAYS_EINTR || ++sent <= 3)) {
        signal_thread(&sleeper, SIGUSR1);
        rt_sleep_ns(NAP_NS);
    }
    if (row->kind == ALWAYS_EINTR) {
        end(&sleeper);
        check_result("with SA_RESTART", row, sleeper.result, -EINTR);
    } else {
        wake_and_end("with SA_RESTART", &sleeper);
    }
    CHECK(LOAD(&handled) > before);
}

static void with_ignored(const struct row *row) {
    static struct sleeper sleeper;
    rt_sigaction(SIGUSR1, SIG_IGN, 0, 0);
    begin(&sleeper, row);
    for (int i = 0; i < 3; i++) {
        signal_thread(&sleeper, SIGUSR1);
        CHECK_EQ(sys2(NR_kill, getpid(), SIGUSR1), 0);
        CHECK_EQ(sys2(NR_kill, getpid(), SIGWINCH), 0);  // ignored by default
        rt_sleep_ns(NAP_NS / 4);
    }
    wake_and_end("ignored signals", &sleeper);
}

static void with_timeout(const struct row *row) {
    if (!row->timed) return;
    struct place place;
    memset(&place, 0, sizeof place);
    if (row->prepare) row->prepare(&place);
    check_result("timeout", row, row->timed(&place), row->timed_out);
    row->wake(&place);
    if (row->finish) row->finish(&place);
}

/// A sleep that a handler interrupts in time is EINTR whatever the flags; one that ended before is 0.
static void sleep_with_handler(const struct row *row) {
    static struct sleeper sleeper;
    for (int restart = 0; restart < 2; restart++) {
        rt_sigaction(SIGUSR1, on_signal, SA_SIGINFO | (restart ? SA_RESTART : 0), 0);
        do {
            begin(&sleeper, row);
            signal_thread(&sleeper, SIGUSR1);
            end(&sleeper);
            CHECK(sleeper.result == 0 || sleeper.result == -EINTR);
        } while (sleeper.result != -EINTR);
    }
}

static void signals(const struct row *row) {
    if (row->kind == SLEEPS) sleep_with_handler(row);
    else with_handler(row);
    with_ignored(row);
    with_timeout(row);
}

// ---- several sleepers ----

static u32 interrupted_of(struct sleeper *list) {
    u32 count = 0;
    for (int i = 0; i < SLEEPERS; i++) count += LOAD(&list[i].finished);
    return count;
}

static void sleepers(const struct row *row) {
    static struct sleeper list[SLEEPERS];
    if (row->kind == NEVER_EINTR || row->kind == SLEEPS) return;
    rt_sigaction(SIGUSR1, on_signal, SA_SIGINFO, 0);
    for (int i = 0; i < SLEEPERS; i++) begin(&list[i], row);
    // To the process: exactly one of them ends for one signal. Main has it blocked.
    u32 before = LOAD(&handled), sent = 0;
    while (interrupted_of(list) == 0) {
        CHECK_EQ(sys2(NR_kill, getpid(), SIGUSR1), 0);
        sent++;
        while (LOAD(&handled) != before + sent) rt_sleep_ns(NAP_NS / 4);
        rt_sleep_ns(NAP_NS);
    }
    CHECK_EQ(interrupted_of(list), 1);
    CHECK_EQ(LOAD(&handled), before + sent);
    // To one of the others: that one ends.
    struct sleeper *chosen = LOAD(&list[0].finished) ? &list[1] : &list[0];
    while (!LOAD(&chosen->finished)) {
        signal_thread(chosen, SIGUSR1);
        rt_sleep_ns(NAP_NS);
    }
    CHECK_EQ(interrupted_of(list), 2);
    for (int i = 0; i < SLEEPERS; i++) {
        int is_last = !LOAD(&list[i].finished);
        row->wake(&list[i].place);
        end(&list[i]);
        check_result("one of several", row, list[i].result, is_last ? row->woken : -EINTR);
    }
}

// ---- other threads that fork, execute, exit ----

static void with_fork(const struct row *row) {
    static struct sleeper sleeper;
    begin(&sleeper, row);
    s32 pid = rt_fork();
    if (pid == 0) rt_exit_group(3);
    CHECK_EQ(rt_wait(pid), 3 << 8);
    wake_and_end("a fork", &sleeper);
}

/// A child that sleeps in the call on a thread of its own. What it sleeps at is prepared and removed here, so that the end
/// of the child leaves nothing; calls that wait for children of their own are left out.
static s32 fork_sleeper(const struct row *row, struct sleeper *sleeper) {
    prepare(sleeper, row);
    s32 pid = rt_fork();
    if (pid == 0) {
        rt_guard(30);
        launch(sleeper);
    }
    return pid;
}

static void with_exec(const struct row *row, char **argv) {
    static struct sleeper sleeper;
    if (row->finish == reap) return;
    s32 pid = fork_sleeper(row, &sleeper);
    if (pid == 0) {
        char *args[] = { argv[0], "executed", 0 }, *env[] = { 0 };
        sys3(NR_execve, argv[0], args, env);
        rt_exit_group(1);
    }
    check_result("an exec", row, rt_wait(pid), 5 << 8);
    if (row->finish) row->finish(&sleeper.place);
}

static void with_exit(const struct row *row) {
    static struct sleeper sleeper;
    if (row->finish == reap) return;
    s32 pid = fork_sleeper(row, &sleeper);
    if (pid == 0) rt_exit_group(7);
    check_result("an exit", row, rt_wait(pid), 7 << 8);
    if (row->finish) row->finish(&sleeper.place);
}

static void all_of(const struct row *row, char **argv) {
    signals(row);
    sleepers(row);
    with_fork(row);
    with_exec(row, argv);
    with_exit(row);
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK_EQ(argc, 2);
    const char *what = argv[1];
    if (rt_streq(what, "executed")) return 5;
    rt_guard(80);
    rt_sigmask(SIG_BLOCK, SIGBIT(SIGUSR1) | SIGBIT(SIGRTMIN));
    u32 done = 0;
    for (u64 i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        done++;
        if (rt_streq(what, "signals")) signals(row);
        else if (rt_streq(what, "sleepers")) sleepers(row);
        else if (rt_streq(what, "fork")) with_fork(row);
        else if (rt_streq(what, "exec")) with_exec(row, argv);
        else if (rt_streq(what, "exit")) with_exit(row);
        else if (rt_streq(what, row->name) || (rt_streq(what, "storm") && row->in_storm)) all_of(row, argv);
        else done--;
    }
    CHECK(done > 0);
    say("waits %s: ok\n", what);
    return 0;
}
