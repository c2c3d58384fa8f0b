// exit-group WHO: exit_group ends a process whose threads sit in futex, read, ppoll and nanosleep, and one that spins.
//
// WHO is `main`, or `worker`: then a sixth thread calls it while the main thread is parked in a join. Status 7.

#include "rt.h"

static u32 ready, word;
static s32 fds[2];

static void in_futex(void *arg) { (void)arg; rt_post(&ready); for (;;) rt_futex_wait(&word, 0, 0); }

static void in_read(void *arg) {
    (void)arg;
    char byte;
    rt_post(&ready);
    sys3(NR_read, fds[0], &byte, 1);
    CHECK(!"an empty pipe with a writer has something to read");
}

static void in_ppoll(void *arg) {
    (void)arg;
    struct pollfd poll = { fds[0], POLLIN, 0 };
    rt_post(&ready);
    sys5(NR_ppoll, &poll, 1, 0, 0, 8);
    CHECK(!"ppoll without a timeout returns");
}

static void in_nanosleep(void *arg) { (void)arg; rt_post(&ready); rt_sleep_ns(100000000000); }
static void spinning(void *arg) { (void)arg; rt_post(&ready); for (int i = 0; i < 1000000; i++) rt_spin(100000); }

static void ends_all(void *arg) {
    (void)arg;
    rt_wait_at_least(&ready, 5);
    // The workers say that they are ready before they are parked: time to get there.
    rt_sleep_ns(5000000);
    say("exit-group: ending\n");
    rt_exit_group(7);
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK_EQ(argc, 2);
    rt_guard(30);
    CHECK_EQ(sys2(NR_pipe2, fds, 0), 0);
    rt_thread_start(in_futex, 0);
    rt_thread_start(in_read, 0);
    rt_thread_start(in_ppoll, 0);
    rt_thread_start(in_nanosleep, 0);
    struct rt_thread *spinner = rt_thread_start(spinning, 0);
    if (rt_streq(argv[1], "main")) ends_all(0);
    CHECK(rt_streq(argv[1], "worker"));
    rt_thread_start(ends_all, 0);
    rt_thread_join(spinner);
    return 1;
}
