// mt-fork FORKS [thread]: forks while three workers write patterned words.
//
// A word is one byte repeated eight times, stored at once: the child must see no word of two halves. Only the forking thread
// exists in the child, so the words stand still there; in the parent the workers go on. With `thread` the child also starts
// and joins a thread of its own (which QEMU 7.2 cannot do after such a fork). Source: fork(2).

#include "rt.h"

#define WORKERS 3
#define WORDS 1024

static u64 words[WORKERS][WORDS] __attribute__((aligned(4096)));
static u64 rounds[WORKERS];
static u32 ready, stop;

static void writer(void *arg) {
    u64 who = (u64)arg;
    rt_post(&ready);
    for (u64 byte = 1; !LOAD(&stop); byte = byte % 255 + 1) {
        for (int i = 0; i < WORDS; i++) ((volatile u64 *)words[who])[i] = byte * 0x0101010101010101;
        STORE(&rounds[who], rounds[who] + 1);
    }
}

static void check_words(void) {
    for (int w = 0; w < WORKERS; w++) {
        for (int i = 0; i < WORDS; i++) {
            u64 word = ((volatile u64 *)words[w])[i];
            CHECK_EQ(word, (word & 0xff) * 0x0101010101010101);
        }
    }
}

static void child(s32 parent, int with_thread) {
    rt_guard(30);
    CHECK_EQ(sys0(NR_getppid), parent);
    CHECK_EQ(getpid(), gettid());
    check_words();
    u64 before[WORKERS];
    for (int w = 0; w < WORKERS; w++) before[w] = LOAD(&rounds[w]);
    rt_spin_checked(20000);
    check_words();
    for (int w = 0; w < WORKERS; w++) CHECK_EQ(LOAD(&rounds[w]), before[w]);
    // A thread of the child's own works as in any process.
    STORE(&stop, 1);
    if (with_thread) rt_thread_join(rt_thread_start(writer, 0));
    rt_exit_group(33);
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK(argc == 2 || argc == 3);
    int with_thread = argc == 3 && rt_streq(argv[2], "thread");
    u64 forks = rt_parse_u64(argv[1]);
    s32 self = getpid();
    rt_guard(60);
    struct rt_thread *threads[WORKERS];
    for (u64 i = 0; i < WORKERS; i++) threads[i] = rt_thread_start(writer, (void *)i);
    rt_wait_at_least(&ready, WORKERS);
    for (u64 i = 0; i < forks; i++) {
        s32 pid = rt_fork();
        if (pid == 0) child(self, with_thread);
        CHECK_EQ(rt_wait(pid), 33 << 8);
        for (int w = 0; w < WORKERS; w++) {
            u64 before = LOAD(&rounds[w]);
            while (LOAD(&rounds[w]) == before) sys0(NR_sched_yield);
        }
    }
    STORE(&stop, 1);
    for (int i = 0; i < WORKERS; i++) rt_thread_join(threads[i]);
    check_words();
    say("mt-fork: ok\n");
    return 0;
}
