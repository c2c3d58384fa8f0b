// thread-churn WAVES: in each wave four threads are created and joined; threads come and go while kicks fly.

#include "rt.h"

#define WAVE 4
static u32 ran;

static void body(void *arg) {
    rt_spin_checked(100 + (u64)arg);
    ADD(&ran, 1);
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK_EQ(argc, 2);
    u64 waves = rt_parse_u64(argv[1]);
    rt_guard(60);
    for (u64 i = 0; i < waves; i++) {
        struct rt_thread *threads[WAVE];
        for (u64 j = 0; j < WAVE; j++) threads[j] = rt_thread_start(body, (void *)(i + j));
        for (int j = 0; j < WAVE; j++) rt_thread_join(threads[j]);
        CHECK_EQ(LOAD(&ran), WAVE * (i + 1));
    }
    say("thread-churn: ok\n");
    return 0;
}
