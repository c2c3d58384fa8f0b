// spin-workers TURNS: three CLONE_THREAD workers compute without a syscall while the main thread waits for them.

#include "rt.h"

static u64 turns;

static void worker(void *arg) {
    (void)arg;
    rt_spin_checked(turns);
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK_EQ(argc, 2);
    turns = rt_parse_u64(argv[1]);
    rt_guard(60);
    struct rt_thread *threads[3];
    for (int i = 0; i < 3; i++) threads[i] = rt_thread_start(worker, 0);
    for (int i = 0; i < 3; i++) rt_thread_join(threads[i]);
    say("spin-workers: ok\n");
    return 0;
}
