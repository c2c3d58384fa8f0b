// clock-sleep: clock_nanosleep(2) on every clock, CPU clocks among them.
//
// A sleep never ends early; how late it ends is not judged.
// Sources: clock_nanosleep(2), clock_getcpuclockid(3), Linux kernel/time/posix-timers.c and posix-cpu-timers.c.

#include "rt.h"

enum { NR_clock_nanosleep = 115, EOPNOTSUPP = 95 };
enum { CLOCK_PROCESS_CPUTIME_ID = 2, CLOCK_THREAD_CPUTIME_ID = 3, CLOCK_MONOTONIC_RAW = 4, CLOCK_REALTIME_COARSE = 5,
       CLOCK_MONOTONIC_COARSE = 6, CLOCK_BOOTTIME = 7, CLOCK_TAI = 11 };
// The clocks of a process and of a thread by their ids.
#define CLOCK_OF_PROCESS(pid) ((s32)(~(u32)(pid) << 3 | 2))
#define CLOCK_OF_THREAD(tid) ((s32)(~(u32)(tid) << 3 | 6))
#define CLOCK_OF_FILE(fd) ((s32)(~(u32)(fd) << 3 | 3))

static u64 clock_ns(s32 clock) {
    struct timespec now;
    CHECK_EQ(sys2(NR_clock_gettime, clock, &now), 0);
    return (u64)now.tv_sec * 1000000000ull + (u64)now.tv_nsec;
}

static struct timespec timespec(u64 ns) {
    return (struct timespec){ (s64)(ns / 1000000000), (s64)(ns % 1000000000) };
}

static long sleep_on(s32 clock, int flags, u64 ns, struct timespec *left) {
    struct timespec when = timespec(ns);
    return sys4(NR_clock_nanosleep, clock, flags, &when, left);
}

static u32 stop, spinner_tid;

// Has CPU time pass while the main thread sleeps.
static void spinner(void *arg) {
    (void)arg;
    STORE(&spinner_tid, (u32)gettid());
    while (!LOAD(&stop)) rt_spin(1000);
}

// Sleeps so long, until then, and until what is over.
static void sleeps(s32 clock, u64 ns) {
    u64 before = clock_ns(clock);
    CHECK_EQ(sleep_on(clock, 0, ns, 0), 0);
    CHECK(clock_ns(clock) - before >= ns);
    u64 until = clock_ns(clock) + ns;
    CHECK_EQ(sleep_on(clock, TIMER_ABSTIME, until, 0), 0);
    CHECK(clock_ns(clock) >= until);
    CHECK_EQ(sleep_on(clock, TIMER_ABSTIME, 1, 0), 0);
}

static void clocks_that_pass(void) {
    static const s32 good[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI };
    for (int i = 0; i < 4; i++) {
        sleeps(good[i], 1000000);
    }
}

static void clocks_of_cpu_time(void) {
    struct rt_thread *thread = rt_thread_start(spinner, 0);
    while (!LOAD(&spinner_tid)) sys0(NR_sched_yield);
    s32 clocks[] = { CLOCK_PROCESS_CPUTIME_ID, CLOCK_OF_PROCESS(0), CLOCK_OF_PROCESS(getpid()),
                     CLOCK_OF_THREAD(spinner_tid) };
    for (int i = 0; i < 4; i++) {
        sleeps(clocks[i], 5000000);
    }
    STORE(&stop, 1);
    rt_thread_join(thread);
}

static volatile u32 caught;

static void on_alarm(int sig, siginfo_t *info, ucontext_t *context) {
    (void)sig, (void)info, (void)context;
    caught++;
}

// A second of CPU time that nobody spends: a signal ends the sleep, with what is left, or it goes on afterwards.
static void interrupted(void) {
    struct itimerval soon = { { 0, 0 }, { 0, 10000 } };
    struct timespec left = { -1, -1 };
    rt_sigaction(SIGALRM, on_alarm, 0, 0);
    CHECK_EQ(sys3(NR_setitimer, ITIMER_REAL, &soon, 0), 0);
    CHECK_EQ(sleep_on(CLOCK_PROCESS_CPUTIME_ID, 0, 1000000000, &left), -EINTR);
    CHECK_EQ(caught, 1);
    CHECK(left.tv_sec == 0 && left.tv_nsec > 0);
    CHECK_EQ(sys3(NR_setitimer, ITIMER_REAL, &soon, 0), 0);
    left = (struct timespec){ -1, -1 };
    CHECK_EQ(sleep_on(CLOCK_PROCESS_CPUTIME_ID, TIMER_ABSTIME, clock_ns(CLOCK_PROCESS_CPUTIME_ID) + 1000000000, &left), -EINTR);
    CHECK_EQ(caught, 2);
    // An absolute sleep does not tell.
    CHECK_EQ(left.tv_sec, -1);
}

static void refused(void) {
    static const s32 only_read[] = { CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE,
                                     CLOCK_MONOTONIC_COARSE, CLOCK_OF_FILE(0) };
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(sleep_on(only_read[i], 0, 1, 0), -EOPNOTSUPP);
        // The clock is looked at first.
        CHECK_EQ(sys4(NR_clock_nanosleep, only_read[i], 0, 16, 0), -EOPNOTSUPP);
    }
    CHECK_EQ(sleep_on(10, 0, 1, 0), -EINVAL);
    CHECK_EQ(sleep_on(100, 0, 1, 0), -EINVAL);
    CHECK_EQ(sys4(NR_clock_nanosleep, 100, 0, 16, 0), -EINVAL);
    CHECK_EQ(sys4(NR_clock_nanosleep, CLOCK_MONOTONIC, 0, 16, 0), -EFAULT);
    struct timespec bad = { 0, 1000000000 };
    CHECK_EQ(sys4(NR_clock_nanosleep, CLOCK_PROCESS_CPUTIME_ID, 0, &bad, 0), -EINVAL);
    bad = (struct timespec){ -1, 0 };
    CHECK_EQ(sys4(NR_clock_nanosleep, CLOCK_MONOTONIC, 0, &bad, 0), -EINVAL);
    // A thread that waits for its own time waits for ever.
    CHECK_EQ(sleep_on(CLOCK_OF_THREAD(0), 0, 1, 0), -EINVAL);
    CHECK_EQ(sleep_on(CLOCK_OF_THREAD(gettid()), 0, 1, 0), -EINVAL);
    CHECK_EQ(sleep_on(CLOCK_OF_PROCESS(0x0ffffff0), 0, 1, 0), -EINVAL);
}

int main(int argc, char **argv, char **envp) {
    (void)argc, (void)argv, (void)envp;
    rt_guard_timer(60);
    refused();
    clocks_that_pass();
    clocks_of_cpu_time();
    interrupted();
    say("clock-sleep: ok\n");
    return 0;
}
