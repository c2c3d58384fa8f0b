// signal-thread: tgkill reaches the one thread it names, whatever that thread does; five in a row, none lost.
//
// The targets are two workers: one spins without syscalls, one is parked in a read. Each signal is awaited before the next
// is sent (a pending standard signal is merged by design). Sources: tgkill(2), signal(7).

#include "rt.h"

static u32 spinner_count, reader_count, other_count;
static u32 ready, stop;
static s32 spinner_tid, reader_tid;
static s32 fds[2];

static void on_usr1(int sig, siginfo_t *info, ucontext_t *context) {
    (void)context;
    CHECK_EQ(sig, SIGUSR1);
    CHECK_EQ(info->si_code, SI_TKILL);
    CHECK_EQ(info->si_pid, getpid());
    s32 tid = gettid();
    u32 *count = tid == spinner_tid ? &spinner_count : tid == reader_tid ? &reader_count : &other_count;
    rt_post(count);
}

static void spinner(void *arg) {
    (void)arg;
    spinner_tid = gettid();
    rt_post(&ready);
    while (!LOAD(&stop)) rt_spin(100);
}

static void reader(void *arg) {
    (void)arg;
    char byte = 0;
    reader_tid = gettid();
    rt_post(&ready);
    CHECK_EQ(sys3(NR_read, fds[0], &byte, 1), 1);  // SA_RESTART: the five signals do not end it
    CHECK_EQ(byte, 'e');
}

static void short_lived(void *arg) { *(s32 *)arg = gettid(); }

int main(int argc, char **argv, char **envp) {
    (void)argc, (void)argv, (void)envp;
    rt_guard(30);
    CHECK_EQ(sys2(NR_pipe2, fds, 0), 0);
    rt_sigaction(SIGUSR1, on_usr1, SA_SIGINFO | SA_RESTART, 0);
    struct rt_thread *first = rt_thread_start(spinner, 0);
    struct rt_thread *second = rt_thread_start(reader, 0);
    rt_wait_at_least(&ready, 2);
    for (u32 i = 1; i <= 5; i++) {
        CHECK_EQ(sys3(NR_tgkill, getpid(), spinner_tid, SIGUSR1), 0);
        CHECK_EQ(sys3(NR_tgkill, getpid(), reader_tid, SIGUSR1), 0);
        rt_wait_at_least(&spinner_count, i);
        rt_wait_at_least(&reader_count, i);
        CHECK_EQ(LOAD(&spinner_count), i);
        CHECK_EQ(LOAD(&reader_count), i);
    }
    CHECK_EQ(LOAD(&other_count), 0);

    // A mask is the thread's own: a signal directed to this thread waits for it, though others leave it open.
    u64 pending;
    rt_sigmask(SIG_BLOCK, SIGBIT(SIGUSR1));
    CHECK_EQ(sys2(NR_tkill, gettid(), SIGUSR1), 0);
    CHECK_EQ(sys2(NR_rt_sigpending, &pending, 8), 0);
    CHECK_EQ(pending, SIGBIT(SIGUSR1));
    CHECK_EQ(LOAD(&other_count), 0);
    rt_sigmask(SIG_UNBLOCK, SIGBIT(SIGUSR1));
    CHECK_EQ(LOAD(&other_count), 1);

    STORE(&stop, 1);
    CHECK_EQ(sys3(NR_write, fds[1], "e", 1), 1);
    rt_thread_join(first);
    rt_thread_join(second);
    s32 gone = 0;
    rt_thread_join(rt_thread_start(short_lived, &gone));
    CHECK(gone > 0);
    // The join ends when the kernel clears child_tid, a little before the thread is gone from the task list.
    while (sys3(NR_tgkill, getpid(), gone, 0) == 0) sys0(NR_sched_yield);
    CHECK_EQ(sys3(NR_tgkill, getpid(), gone, SIGUSR1), -ESRCH);
    CHECK_EQ(sys3(NR_tgkill, getpid(), -1, SIGUSR1), -EINVAL);
    CHECK_EQ(sys3(NR_tgkill, getpid() + 1, gettid(), 0), -ESRCH);
    say("signal-thread: ok\n");
    return 0;
}
