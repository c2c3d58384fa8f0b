// spin-workers TURNS: three CLONE_THREAD workers compute without a syscall while the main thread waits for them.
// spin-workers TURNS first: the first of them alone computes, while the two that came after it are parked.

#include "rt.h"

static u64 turns;
static u32 parked, done;

static void computing(void *arg) {
    (void)arg;
    rt_spin_checked(turns);
}

static void computing_beside_parked(void *arg) {
    (void)arg;
    rt_wait_at_least(&parked, 2);
    rt_spin_checked(turns);
    rt_post(&done);
}

static void parking(void *arg) {
    (void)arg;
    rt_post(&parked);
    rt_wait_at_least(&done, 1);
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK(argc == 2 || (argc == 3 && rt_streq(argv[2], "first")));
    turns = rt_parse_u64(argv[1]);
    rt_guard(60);
    struct rt_thread *threads[3];
    for (int i = 0; i < 3; i++) {
        threads[i] = rt_thread_start(argc == 2 ? computing : i == 0 ? computing_beside_parked : parking, 0);
    }
    for (int i = 0; i < 3; i++) rt_thread_join(threads[i]);
    say("spin-workers: ok\n");
    return 0;
}
