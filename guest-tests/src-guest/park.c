// park CALL: the main thread is parked in CALL until a sibling or a child wakes it, some milliseconds later.
//
// CALL is read, write, nanosleep, futex, wait4, sigsuspend, sigtimedwait, ppoll, or `workers` (one worker each parked in
// read, write, futex, ppoll and nanosleep while main is parked in the join). Whatever kicks arrive meanwhile, the call
// returns what its man page says: an interruption that carries no guest signal never shows as EINTR or a short sleep.

#include "rt.h"

#define NAP_NS 10000000ull
#define PIPE_CAPACITY 65536

static s32 pipe_fds[2];
static s32 poll_fds[2];
static s32 full_fds[2];
static u32 futex_word;
static u32 handled;

static void make_pipe(s32 *fds) { CHECK_EQ(sys2(NR_pipe2, fds, 0), 0); }

static void on_usr1(int sig, siginfo_t *info, ucontext_t *context) {
    (void)context;
    CHECK_EQ(sig, SIGUSR1);
    CHECK_EQ(info->si_pid, getpid());
    ADD(&handled, 1);
}

static void write_byte(s32 fd, char byte) { CHECK_EQ(sys3(NR_write, fd, &byte, 1), 1); }

static void expect_byte(s32 fd, char expected) {
    char byte = 0;
    CHECK_EQ(sys3(NR_read, fd, &byte, 1), 1);
    CHECK_EQ(byte, expected);
}

static void fill_pipe(s32 fd) {
    static char block[4096];
    for (int done = 0; done < PIPE_CAPACITY; done += 4096) CHECK_EQ(sys3(NR_write, fd, block, sizeof block), 4096);
}

static void drain_block(s32 fd) {
    static char block[4096];
    u64 done = 0;
    while (done < sizeof block) {
        long n = sys3(NR_read, fd, block + done, sizeof block - done);
        CHECK(n > 0);
        done += (u64)n;
    }
}

// ---- the parked calls ----

static void park_read(void *arg) { (void)arg; expect_byte(pipe_fds[0], 'r'); }

static void park_write(void *arg) {
    (void)arg;
    static char block[4096];
    CHECK_EQ(sys3(NR_write, full_fds[1], block, sizeof block), 4096);
}

static void park_futex(void *arg) {
    (void)arg;
    long result = rt_futex_wait(&futex_word, 0, 0);
    CHECK(result == 0 || (result == -EAGAIN && LOAD(&futex_word) == 1));
}

static void park_ppoll(void *arg) {
    (void)arg;
    struct pollfd fds[2] = { { poll_fds[0], POLLIN, 0 }, { -1, POLLIN, 7 } };
    CHECK_EQ(sys5(NR_ppoll, fds, 2, 0, 0, 8), 1);
    CHECK_EQ(fds[0].revents, POLLIN);
    CHECK_EQ(fds[1].revents, 0);
    struct timespec short_time = { 0, 1000000 };
    expect_byte(poll_fds[0], 'p');
    CHECK_EQ(sys5(NR_ppoll, fds, 1, &short_time, 0, 8), 0);
}

static void park_nanosleep(void *arg) {
    (void)arg;
    struct timespec nap = { 0, NAP_NS };
    u64 before = rt_now_ns();
    CHECK_EQ(sys2(NR_nanosleep, &nap, 0), 0);
    CHECK(rt_now_ns() - before >= NAP_NS);
}

static void park_sigsuspend(void) {
    u64 none = 0;
    CHECK_EQ(sys2(NR_rt_sigsuspend, &none, 8), -EINTR);
    CHECK_EQ(LOAD(&handled), 1);
    CHECK_EQ(rt_sigmask(SIG_BLOCK, 0), SIGBIT(SIGUSR1));
}

static void park_sigtimedwait(void) {
    u64 set = SIGBIT(SIGUSR1);
    siginfo_t info;
    CHECK_EQ(sys4(NR_rt_sigtimedwait, &set, &info, 0, 8), SIGUSR1);
    CHECK_EQ(info.si_signo, SIGUSR1);
    CHECK_EQ(info.si_code, SI_USER);
    CHECK_EQ(info.si_pid, getpid());
    CHECK_EQ(LOAD(&handled), 0);
    struct timespec short_time = { 0, 1000000 };
    CHECK_EQ(sys4(NR_rt_sigtimedwait, &set, &info, &short_time, 8), -EAGAIN);
}

static void park_wait4(void) {
    s32 pid = rt_fork();
    if (pid == 0) {
        rt_guard(30);
        rt_sleep_ns(NAP_NS);
        rt_exit_group(9);
    }
    s32 status = -1;
    CHECK_EQ(sys4(NR_wait4, pid, &status, 0, 0), pid);
    CHECK_EQ(status, 9 << 8);
    CHECK_EQ(sys4(NR_wait4, pid, &status, 0, 0), -ECHILD);
}

// ---- who wakes them ----

static void wake_read(void *arg) { (void)arg; rt_sleep_ns(NAP_NS); write_byte(pipe_fds[1], 'r'); }
static void wake_write(void *arg) { (void)arg; rt_sleep_ns(NAP_NS); drain_block(full_fds[0]); }
static void wake_ppoll(void *arg) { (void)arg; rt_sleep_ns(NAP_NS); write_byte(poll_fds[1], 'p'); }
static void wake_futex(void *arg) { (void)arg; rt_sleep_ns(NAP_NS); rt_post(&futex_word); }

static void wake_by_signal(void *arg) {
    (void)arg;
    rt_sleep_ns(NAP_NS);
    CHECK_EQ(sys2(NR_kill, getpid(), SIGUSR1), 0);
}

static void park_with(void (*park)(void *), void (*wake)(void *)) {
    struct rt_thread *waker = rt_thread_start(wake, 0);
    park(0);
    rt_thread_join(waker);
}

static void park_with_signal(void (*park)(void)) {
    rt_sigaction(SIGUSR1, on_usr1, SA_SIGINFO, 0);
    rt_sigmask(SIG_BLOCK, SIGBIT(SIGUSR1));
    struct rt_thread *waker = rt_thread_start(wake_by_signal, 0);
    park();
    rt_thread_join(waker);
}

static void park_workers(void) {
    static void (*const bodies[])(void *) = { park_read, park_write, park_futex, park_ppoll, park_nanosleep };
    struct rt_thread *threads[5];
    for (int i = 0; i < 5; i++) threads[i] = rt_thread_start(bodies[i], 0);
    wake_read(0);
    write_byte(poll_fds[1], 'p');
    drain_block(full_fds[0]);
    rt_post(&futex_word);
    for (int i = 0; i < 5; i++) rt_thread_join(threads[i]);
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK_EQ(argc, 2);
    const char *call = argv[1];
    rt_guard(30);
    make_pipe(pipe_fds);
    make_pipe(poll_fds);
    make_pipe(full_fds);
    if (rt_streq(call, "write") || rt_streq(call, "workers")) fill_pipe(full_fds[1]);

    if (rt_streq(call, "read")) park_with(park_read, wake_read);
    else if (rt_streq(call, "write")) park_with(park_write, wake_write);
    else if (rt_streq(call, "futex")) park_with(park_futex, wake_futex);
    else if (rt_streq(call, "ppoll")) park_with(park_ppoll, wake_ppoll);
    else if (rt_streq(call, "nanosleep")) park_nanosleep(0);
    else if (rt_streq(call, "wait4")) park_wait4();
    else if (rt_streq(call, "sigsuspend")) park_with_signal(park_sigsuspend);
    else if (rt_streq(call, "sigtimedwait")) park_with_signal(park_sigtimedwait);
    else if (rt_streq(call, "workers")) park_workers();
    else CHECK(!"a call that this guest knows");
    say("park %s: ok\n", call);
    return 0;
}
