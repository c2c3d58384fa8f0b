// schedule WHAT: scheduling calls and many threads.
//
// WHAT is `calls` (policies, parameters, priorities, affinity, names) or `many` (three hundred threads at once, each with its id
// and name, started and ended while others run).
//
// Sources: sched(7), sched_setaffinity(2), sched_setattr(2), getpriority(2), prctl(2).

#include "rt.h"

enum { NR_sched_setparam = 118, NR_sched_setscheduler = 119, NR_sched_getscheduler = 120, NR_sched_getparam = 121,
       NR_sched_setaffinity = 122, NR_sched_getaffinity = 123, NR_sched_max = 125, NR_sched_min = 126,
       NR_sched_rr_get_interval = 127, NR_setpriority = 140, NR_getpriority = 141, NR_prctl = 167, NR_getcpu = 168,
       NR_sched_setattr = 274, NR_sched_getattr = 275, PR_SET_NAME = 15, PR_GET_NAME = 16, E2BIG = 7 };
enum { SCHED_OTHER = 0, SCHED_FIFO = 1, SCHED_RR = 2, SCHED_BATCH = 3, SCHED_IDLE = 5 };

struct sched_attr { u32 size, policy; u64 flags; s32 nice; u32 priority; u64 runtime, deadline, period; };

static void calls(void) {
    s32 none = 0x3ffffff0, param = 7;
    CHECK_EQ(sys1(NR_sched_getscheduler, 0), SCHED_OTHER);
    CHECK_EQ(sys1(NR_sched_getscheduler, none), -ESRCH);
    CHECK_EQ(sys1(NR_sched_getscheduler, -1), -EINVAL);
    CHECK_EQ(sys2(NR_sched_getparam, 0, &param), 0);
    CHECK_EQ(param, 0);
    CHECK_EQ(sys2(NR_sched_getparam, 0, 0), -EINVAL);
    CHECK_EQ(sys3(NR_sched_setscheduler, 0, SCHED_BATCH, &param), 0);
    CHECK_EQ(sys1(NR_sched_getscheduler, gettid()), SCHED_BATCH);
    CHECK_EQ(sys3(NR_sched_setscheduler, 0, SCHED_OTHER, &param), 0);
    param = 1;
    CHECK_EQ(sys3(NR_sched_setscheduler, 0, SCHED_OTHER, &param), -EINVAL);
    CHECK_EQ(sys2(NR_sched_setparam, 0, &param), -EINVAL);
    CHECK_EQ(sys3(NR_sched_setscheduler, 0, 77, &param), -EINVAL);
    CHECK_EQ(sys1(NR_sched_max, SCHED_FIFO), 99);
    CHECK_EQ(sys1(NR_sched_min, SCHED_RR), 1);
    CHECK_EQ(sys1(NR_sched_max, SCHED_IDLE), 0);
    CHECK_EQ(sys1(NR_sched_max, 99), -EINVAL);
    struct timespec interval = { -1, -1 };
    CHECK_EQ(sys2(NR_sched_rr_get_interval, 0, &interval), 0);
    CHECK(interval.tv_sec == 0 && interval.tv_nsec >= 0);
    struct sched_attr attr;
    memset(&attr, 0xff, sizeof attr);
    CHECK_EQ(sys4(NR_sched_getattr, 0, &attr, sizeof attr, 0), 0);
    CHECK_EQ(attr.size, 48);
    CHECK_EQ(attr.policy, SCHED_OTHER);
    CHECK_EQ(sys4(NR_sched_getattr, 0, &attr, 47, 0), -EINVAL);
    long nice = 20 - sys2(NR_getpriority, 0, 0);
    CHECK(nice >= -20 && nice <= 19);
    if (nice < 19) {
        CHECK_EQ(sys3(NR_setpriority, 0, 0, nice + 1), 0);
        CHECK_EQ(20 - sys2(NR_getpriority, 0, gettid()), nice + 1);
        attr.nice = 19;
        attr.flags = 0;
        CHECK_EQ(sys3(NR_sched_setattr, 0, &attr, 0), 0);
        CHECK_EQ(20 - sys2(NR_getpriority, 0, 0), 19);
    }
    CHECK_EQ(sys2(NR_getpriority, 5, 0), -EINVAL);
    CHECK_EQ(sys2(NR_getpriority, 0, none), -ESRCH);
    // Affinity: the mask is in force at once, and one without a processor is refused.
    u64 mask[16], one[16];
    memset(mask, 0, sizeof mask);
    memset(one, 0, sizeof one);
    CHECK(sys3(NR_sched_getaffinity, 0, sizeof mask, mask) >= 8);
    CHECK_EQ(sys3(NR_sched_getaffinity, 0, 7, mask), -EINVAL);
    u32 last = 0, cpu;
    for (u32 i = 0; i < 1024; i++)
        if (mask[i / 64] >> (i % 64) & 1) last = i;
    one[last / 64] = 1ull << (last % 64);
    CHECK_EQ(sys3(NR_sched_setaffinity, gettid(), sizeof one, one), 0);
    CHECK_EQ(sys3(NR_getcpu, &cpu, 0, 0), 0);
    CHECK_EQ(cpu, last);
    memset(one, 0, sizeof one);
    CHECK_EQ(sys3(NR_sched_setaffinity, 0, sizeof one, one), -EINVAL);
    CHECK_EQ(sys3(NR_sched_setaffinity, 0, sizeof mask, mask), 0);
    CHECK_EQ(sys0(NR_sched_yield), 0);
}

enum { THREADS = 300 };
static u32 started, may_end;

static void one_of_many(void *arg) {
    char name[16] = "many-", seen[16];
    u64 index = (u64)arg;
    name[5] = (char)('0' + index / 100);
    name[6] = (char)('0' + index / 10 % 10);
    name[7] = (char)('0' + index % 10);
    CHECK_EQ(sys2(NR_prctl, PR_SET_NAME, name), 0);
    CHECK(gettid() != getpid());
    rt_post(&started);
    // Some leave at once, some wait, some compute.
    if (index % 3 == 1) rt_wait_at_least(&may_end, 1);
    else if (index % 3 == 2) while (!LOAD(&may_end)) sys0(NR_sched_yield);
    memset(seen, 0, sizeof seen);
    CHECK_EQ(sys2(NR_prctl, PR_GET_NAME, seen), 0);
    CHECK(rt_streq(seen, name));
}

static void many(void) {
    static struct rt_thread *threads[THREADS];
    for (u64 i = 0; i < THREADS; i++) threads[i] = rt_thread_start(one_of_many, (void *)i);
    rt_wait_at_least(&started, THREADS);
    for (int i = 0; i < THREADS; i++)
        if (i % 3) CHECK_EQ(sys3(NR_tgkill, getpid(), threads[i]->tid, 0), 0);
    rt_post(&may_end);
    for (int i = 0; i < THREADS; i++) rt_thread_join(threads[i]);
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK_EQ(argc, 2);
    rt_guard(60);
    if (rt_streq(argv[1], "calls")) calls();
    else if (rt_streq(argv[1], "many")) many();
    else CHECK(!"a part that this guest knows");
    say("schedule %s: ok\n", argv[1]);
    return 0;
}
