// sigreturn HOW N: all registers and flags survive signals whose handler destroys everything it may.
//
// HOW is `timer` (an interval timer interrupts, at least N times) or `threads` (two threads send SIGUSR1 to each other by
// tgkill as fast as each is taken, N interruptions in all). Each round keeps a pattern in x0 to x30 and NZCV and compares;
// the thread pointer is compared too. Neighbour: sigreturn.S.

#include "rt.h"

void pattern_round(const u64 *in, u64 *out);
void destroying_handler(int sig, siginfo_t *info, ucontext_t *context);

// What TPIDR_EL0 points at here; the handler counts in its first word.
struct slot { u64 handled; s32 tid; u32 done; u64 seed; };
static struct slot slots[2];
static u64 wanted;
static u32 ready;

static void check_round(struct slot *slot) {
    u64 in[32], out[32], tls;
    for (u64 i = 0; i < 31; i++) in[i] = (slot->seed + i + 1) * 0x9e3779b97f4a7c15;
    in[31] = (slot->seed & 15) << 28;
    slot->seed += 32;
    memset(out, 0, sizeof out);
    pattern_round(in, out);
    for (int i = 0; i < 32; i++) CHECK_EQ(out[i], in[i]);
    __asm__ volatile("mrs %0, tpidr_el0" : "=r"(tls));
    CHECK_EQ(tls, slot);
}

static void use_slot(struct slot *slot) { __asm__ volatile("msr tpidr_el0, %0" : : "r"(slot)); }

static void by_timer(void) {
    struct itimerval timer = { { 0, 400 }, { 0, 400 } };
    use_slot(&slots[0]);
    rt_sigaction(SIGALRM, destroying_handler, SA_SIGINFO, 0);
    CHECK_EQ(sys3(NR_setitimer, ITIMER_REAL, &timer, 0), 0);
    while (LOAD(&slots[0].handled) < wanted) check_round(&slots[0]);
}

static void exchange(void *arg) {
    struct slot *mine = arg, *other = mine == &slots[0] ? &slots[1] : &slots[0];
    u64 sent = 0, futile = 0, guarded = 0;
    use_slot(mine);
    mine->tid = gettid();
    rt_post(&ready);
    rt_wait_at_least(&ready, 2);
    for (;;) {
        check_round(mine);
        u64 handled = LOAD(&mine->handled) + LOAD(&other->handled);
        if (handled >= wanted) break;
        if (mine == &slots[0] && handled >= guarded) {
            // Beside busy processors a million take as long as they take: what must not happen is that they stop.
            rt_guard(300);
            guarded = handled + 10000;
        }
        if (LOAD(&other->handled) < sent) {
            // One at a time: pending ones would be merged. On a busy machine the other needs this processor.
            if (++futile % 64 == 0) sys0(NR_sched_yield);
            continue;
        }
        CHECK_EQ(sys3(NR_tgkill, getpid(), other->tid, SIGUSR1), 0);
        sent++;
    }
    // Nobody leaves while the other may still send to it.
    rt_post(&ready);
    rt_wait_at_least(&ready, 4);
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK_EQ(argc, 3);
    wanted = rt_parse_u64(argv[2]);
    slots[1].seed = 1000;
    if (rt_streq(argv[1], "timer")) {
        rt_guard_timer(30);
        by_timer();
    } else {
        CHECK(rt_streq(argv[1], "threads"));
        rt_sigaction(SIGUSR1, destroying_handler, SA_SIGINFO | SA_RESTART, 0);
        struct rt_thread *thread = rt_thread_start(exchange, &slots[1]);
        exchange(&slots[0]);
        rt_thread_join(thread);
        CHECK(slots[0].handled + slots[1].handled >= wanted);
    }
    say("sigreturn %s: ok\n", argv[1]);
    return 0;
}
