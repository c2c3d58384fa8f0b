// rseq WHAT: restartable sequences.
//
// WHAT is `register` (the call's checks, the ids, fork), `signal` (a handler aborts a section, and its frame says so),
// `counters` (more threads than processors count on per-CPU counters, none lost), `barrier` (membarrier aborts the sections of
// other threads) or `bad-signature`, `bad-descriptor` (death by SIGSEGV).
//
// Sources: rseq(2), membarrier(2), Linux kernel/rseq.c.

#include "rt.h"

enum { NR_rseq = 293, NR_getcpu = 168, NR_membarrier = 283, EBUSY = 16, UNREGISTER = 1 };
enum { AT_RSEQ_FEATURE_SIZE = 27, AT_RSEQ_ALIGN = 28 };
enum { BARRIER_RSEQ = 0x80, REGISTER_RSEQ = 0x100, GET_REGISTRATIONS = 0x200 };
#define SIGNATURE 0xd428bc00u

struct rseq { u32 cpu_id_start, cpu_id; u64 rseq_cs; u32 flags, node_id, mm_cid, fill; } __attribute__((aligned(32)));
_Static_assert(sizeof(struct rseq) == 32, "struct rseq has 32 bytes");

int rseq_add(struct rseq *area, u64 *counters, u32 cpu);
int rseq_spin(struct rseq *area, u32 *inside);
extern u8 spin_abort[], spin_section[];

static struct rseq mine;
static volatile u32 count;
static volatile u64 frame_pc;

static long set_up(struct rseq *area) {
    area->cpu_id = (u32)-1;
    return sys4(NR_rseq, area, sizeof *area, 0, SIGNATURE);
}

static void check_ids(struct rseq *area) {
    u32 cpu = 99999, seen;
    // The thread may move between the two.
    for (int tries = 0;; tries++) {
        seen = LOAD(&area->cpu_id);
        CHECK_EQ(sys3(NR_getcpu, &cpu, 0, 0), 0);
        if (cpu == seen) break;
        CHECK(tries < 1000);
    }
    CHECK(seen < 4096);
    CHECK(LOAD(&area->cpu_id_start) < 4096);
}

static void registration(void) {
    int found;
    CHECK(rt_auxval(AT_RSEQ_FEATURE_SIZE, &found) >= 20 && found);
    CHECK(rt_auxval(AT_RSEQ_ALIGN, &found) >= 32 && found);
    CHECK_EQ(sys4(NR_rseq, (u8 *)&mine + 8, 32, 0, SIGNATURE), -EINVAL);
    CHECK_EQ(sys4(NR_rseq, &mine, 31, 0, SIGNATURE), -EINVAL);
    CHECK_EQ(sys4(NR_rseq, &mine, 32, 2, SIGNATURE), -EINVAL);
    CHECK_EQ(sys4(NR_rseq, &mine, 32, UNREGISTER, SIGNATURE), -EINVAL);
    CHECK_EQ(sys4(NR_rseq, 0xfffffffffffff000, 32, 0, SIGNATURE), -EFAULT);
    CHECK_EQ(set_up(&mine), 0);
    CHECK_EQ(sys4(NR_rseq, &mine, 32, 0, SIGNATURE), -EBUSY);
    CHECK_EQ(sys4(NR_rseq, &mine, 32, 0, SIGNATURE + 1), -EPERM);
    static struct rseq other;
    CHECK_EQ(sys4(NR_rseq, &other, 32, 0, SIGNATURE), -EINVAL);
    check_ids(&mine);
    // A fork child has it, too.
    s32 child = rt_fork();
    if (child == 0) {
        check_ids(&mine);
        CHECK_EQ(sys4(NR_rseq, &mine, 32, 0, SIGNATURE), -EBUSY);
        rt_exit_group(3);
    }
    CHECK_EQ(rt_wait(child), 3 << 8);
    CHECK_EQ(sys4(NR_rseq, &mine, 32, UNREGISTER, SIGNATURE + 1), -EPERM);
    CHECK_EQ(sys4(NR_rseq, &mine, 32, UNREGISTER, SIGNATURE), 0);
    CHECK_EQ(mine.cpu_id, (u32)-1);
    CHECK_EQ(mine.cpu_id_start, 0);
    CHECK_EQ(set_up(&mine), 0);
    check_ids(&mine);
}

static void on_alarm(int sig, siginfo_t *info, ucontext_t *context) {
    (void)sig, (void)info;
    frame_pc = context->uc_mcontext.pc;
    // The section is named no more while its handler runs.
    CHECK_EQ(mine.rseq_cs, 0);
    count++;
}

static void by_signal(void) {
    u32 inside = 0;
    CHECK_EQ(set_up(&mine), 0);
    rt_sigaction(SIGUSR1, on_alarm, SA_SIGINFO, 0);
    struct sigevent event = { .sigev_signo = SIGUSR1, .sigev_notify = SIGEV_SIGNAL };
    struct itimerspec when = { { 0, 1000000 }, { 0, 1000000 } };
    s32 id = -1;
    CHECK_EQ(sys3(NR_timer_create, CLOCK_MONOTONIC, &event, &id), 0);
    CHECK_EQ(sys4(NR_timer_settime, id, 0, &when, 0), 0);
    for (int i = 0; i < 20; i++) {
        inside = 0;
        CHECK_EQ(rseq_spin(&mine, &inside), 1);
        CHECK_EQ(inside, 1);
        CHECK_EQ(mine.rseq_cs, 0);
    }
    CHECK(count >= 20);
    CHECK_EQ(sys1(NR_timer_delete, id), 0);
}

enum { THREADS = 7, ROUNDS = 2000 };
static u64 counters[4096];

static void counter(void *arg) {
    struct rseq *area = arg;
    CHECK_EQ(set_up(area), 0);
    for (u32 done = 0; done < ROUNDS;) {
        u32 cpu = LOAD(&area->cpu_id_start);
        CHECK(cpu < 4096);
        if (rseq_add(area, counters, cpu) == 0) done++;
        if (done % 64 == 0) sys0(NR_sched_yield);
    }
    CHECK_EQ(sys4(NR_rseq, area, 32, UNREGISTER, SIGNATURE), 0);
}

static void count_together(void) {
    static struct rseq areas[THREADS];
    struct rt_thread *threads[THREADS];
    u64 sum = 0;
    for (int i = 0; i < THREADS; i++) threads[i] = rt_thread_start(counter, &areas[i]);
    for (int i = 0; i < THREADS; i++) rt_thread_join(threads[i]);
    for (int i = 0; i < 4096; i++) sum += counters[i];
    CHECK_EQ(sum, (u64)THREADS * ROUNDS);
}

static u32 inside, aborted;

static void spinner(void *arg) {
    struct rseq *area = arg;
    CHECK_EQ(set_up(area), 0);
    for (u32 i = 0; i < 10; i++) {
        CHECK_EQ(rseq_spin(area, &inside), 1);
        ADD(&aborted, 1);
    }
}

static void by_barrier(void) {
    static struct rseq area;
    long commands = sys3(NR_membarrier, 0, 0, 0);
    CHECK(commands & BARRIER_RSEQ && commands & REGISTER_RSEQ);
    CHECK_EQ(sys3(NR_membarrier, BARRIER_RSEQ, 0, 0), -EPERM);
    CHECK_EQ(sys3(NR_membarrier, REGISTER_RSEQ, 0, 0), 0);
    if (commands & GET_REGISTRATIONS) CHECK(sys3(NR_membarrier, GET_REGISTRATIONS, 0, 0) & REGISTER_RSEQ);
    CHECK_EQ(sys3(NR_membarrier, 8, 0, 0) <= 0, 1);
    CHECK_EQ(sys3(NR_membarrier, 16, 0, 0), 0);
    CHECK_EQ(sys3(NR_membarrier, 8, 0, 0), 0);
    struct rt_thread *thread = rt_thread_start(spinner, &area);
    for (u32 i = 0; i < 10; i++) {
        // It may be aborted before by its move to another CPU, but the last time it needs the barrier.
        while (LOAD(&aborted) <= i) {
            while (!LOAD(&inside) && LOAD(&aborted) <= i) rt_sleep_ns(100000);
            STORE(&inside, 0);
            CHECK_EQ(sys3(NR_membarrier, BARRIER_RSEQ, 0, 0), 0);
        }
    }
    rt_thread_join(thread);
}

// Makes the kernel look at a damaged area: a signal in a section.
static void die(u64 section, u32 signature) {
    mine.cpu_id = (u32)-1;
    CHECK_EQ(sys4(NR_rseq, &mine, 32, 0, signature), 0);
    rt_sigaction(SIGUSR1, on_alarm, SA_SIGINFO, 0);
    mine.rseq_cs = section;
    sys2(NR_kill, getpid(), SIGUSR1);
    rt_spin(1000);
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK_EQ(argc, 2);
    rt_guard(60);
    if (rt_streq(argv[1], "register")) registration();
    else if (rt_streq(argv[1], "signal")) by_signal();
    else if (rt_streq(argv[1], "counters")) count_together();
    else if (rt_streq(argv[1], "barrier")) by_barrier();
    else if (rt_streq(argv[1], "bad-signature")) die((u64)spin_section, SIGNATURE + 1);
    else if (rt_streq(argv[1], "bad-descriptor")) die(0xffff000000000000, SIGNATURE);
    else CHECK(!"a part that this guest knows");
    say("rseq %s: ok\n", argv[1]);
    return 0;
}
