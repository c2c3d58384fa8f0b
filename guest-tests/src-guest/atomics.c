// atomics KIND TURNS: four threads contend for the same words; every total is exact.
//
// KIND is `exclusive` (LDXR/STXR, LDAXR/STLXR, LDXP/STXP loops) or `lse` (LDADD, SWP, CAS, LDSET/LDCLR, CASP). A lock built
// of each kind guards a plain counter, which shows missing acquire or release order. Arm ARM DDI 0487, B2 and C3.2.12.

#include "rt.h"

#define THREADS 4
#define LSE ".arch armv8-a+lse\n"

static u64 turns;
static int use_lse;
static u32 arrived;
static u64 counter __attribute__((aligned(64)));
static u32 half __attribute__((aligned(64)));
static u64 pair[2] __attribute__((aligned(64)));
static u32 lock __attribute__((aligned(64)));
static volatile u64 guarded __attribute__((aligned(64)));
static u64 tokens __attribute__((aligned(64)));
static u64 bits __attribute__((aligned(64)));

static void turn_exclusive(void) {
    u64 value, high;
    u32 status;
    __asm__ volatile("1: ldxr %0, %2\nadd %0, %0, #1\nstxr %w1, %0, %2\ncbnz %w1, 1b"
                     : "=&r"(value), "=&r"(status), "+Q"(counter));
    __asm__ volatile("1: ldaxr %w0, %2\nadd %w0, %w0, #3\nstlxr %w1, %w0, %2\ncbnz %w1, 1b"
                     : "=&r"(value), "=&r"(status), "+Q"(half));
    __asm__ volatile("1: ldaxp %0, %1, %3\nadd %0, %0, #1\nadd %1, %1, #2\nstlxp %w2, %0, %1, %3\ncbnz %w2, 1b"
                     : "=&r"(value), "=&r"(high), "=&r"(status), "+Q"(*(__int128 *)pair) : : "memory");
    __asm__ volatile("1: ldaxr %w0, %2\ncbnz %w0, 1b\nstxr %w1, %w3, %2\ncbnz %w1, 1b"
                     : "=&r"(value), "=&r"(status), "+Q"(lock) : "r"(1) : "memory");
    guarded = guarded + 1;
    __asm__ volatile("stlr wzr, %0" : "=Q"(lock) : : "memory");
}

static void turn_lse(u64 who) {
    __asm__ volatile(LSE "ldadd %1, xzr, %0" : "+Q"(counter) : "r"(1ull));
    __asm__ volatile(LSE "ldaddal %w1, wzr, %0" : "+Q"(half) : "r"(3));
    register u64 old_low __asm__("x4") = LOAD(&pair[0]);
    register u64 old_high __asm__("x5") = LOAD(&pair[1]);
    for (;;) {
        u64 seen_low = old_low, seen_high = old_high;
        register u64 new_low __asm__("x6") = old_low + 1;
        register u64 new_high __asm__("x7") = old_high + 2;
        __asm__ volatile(LSE "caspal %0, %1, %3, %4, %2"
                         : "+r"(old_low), "+r"(old_high), "+Q"(*(__int128 *)pair) : "r"(new_low), "r"(new_high) : "memory");
        if (old_low == seen_low && old_high == seen_high) break;
    }
    u32 taken;
    do {
        taken = 0;
        __asm__ volatile(LSE "casa %w0, %w2, %1" : "+r"(taken), "+Q"(lock) : "r"(1) : "memory");
    } while (taken != 0);
    guarded = guarded + 1;
    __asm__ volatile(LSE "swpl wzr, wzr, %0" : "+Q"(lock) : : "memory");
    // A token taken by swap is nobody else's: the sum of what is held and what is in the word stays.
    u64 held;
    __asm__ volatile(LSE "swpal xzr, %0, %1" : "=r"(held), "+Q"(tokens));
    __asm__ volatile(LSE "ldaddal %1, xzr, %0" : "+Q"(tokens) : "r"(held));
    u64 mine = 1ull << who, before;
    __asm__ volatile(LSE "ldsetal %2, %0, %1" : "=r"(before), "+Q"(bits) : "r"(mine));
    CHECK_EQ(before & mine, 0);
    __asm__ volatile(LSE "ldclral %2, %0, %1" : "=r"(before), "+Q"(bits) : "r"(mine));
    CHECK_EQ(before & mine, mine);
}

static void worker(void *arg) {
    rt_post(&arrived);
    rt_wait_at_least(&arrived, THREADS);
    for (u64 i = 0; i < turns; i++) {
        if (use_lse) turn_lse((u64)arg);
        else turn_exclusive();
    }
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK_EQ(argc, 3);
    use_lse = rt_streq(argv[1], "lse");
    CHECK(use_lse || rt_streq(argv[1], "exclusive"));
    turns = rt_parse_u64(argv[2]);
    tokens = 1000;
    rt_guard(60);
    struct rt_thread *threads[THREADS];
    for (u64 i = 0; i < THREADS; i++) threads[i] = rt_thread_start(worker, (void *)i);
    for (int i = 0; i < THREADS; i++) rt_thread_join(threads[i]);
    CHECK_EQ(counter, THREADS * turns);
    CHECK_EQ(half, (u32)(3 * THREADS * turns));
    CHECK_EQ(pair[0], THREADS * turns);
    CHECK_EQ(pair[1], 2 * THREADS * turns);
    CHECK_EQ(guarded, THREADS * turns);
    CHECK_EQ(tokens, 1000);
    CHECK_EQ(bits, 0);
    CHECK_EQ(lock, 0);
    say("atomics %s: ok\n", argv[1]);
    return 0;
}
