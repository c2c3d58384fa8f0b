// futex WHAT: every operation of futex(2). WHAT is `private` (threads of one process, words of its own), `shared` (fork
// children, words in shared memory) or `robust` (threads and children that end with locks in their lists).

#include "rt.h"

enum {
    NR_set_robust_list = 99, NR_get_robust_list = 100, NR_futex_waitv = 449, NR_futex_wake = 454, NR_futex_wait = 455,
    NR_futex_requeue = 456,
};
enum {
    FUTEX_REQUEUE = 3, FUTEX_CMP_REQUEUE = 4, FUTEX_WAKE_OP = 5, FUTEX_LOCK_PI = 6, FUTEX_UNLOCK_PI = 7, FUTEX_TRYLOCK_PI = 8,
    FUTEX_WAIT_BITSET = 9, FUTEX_WAKE_BITSET = 10, FUTEX_WAIT_REQUEUE_PI = 11, FUTEX_CMP_REQUEUE_PI = 12, FUTEX_LOCK_PI2 = 13,
    FUTEX_CLOCK_REALTIME = 256, EDEADLK = 35,
};
#define WAITERS 0x80000000u
#define OWNER_DIED 0x40000000u
#define TID_MASK 0x3fffffffu
#define NAP_NS 3000000ull

static u32 flag = FUTEX_PRIVATE;  // of every operation; 0 for shared words

static long futex(u32 *word, int op, u32 val, const void *timeout, u32 *word2, u32 val3) {
    return sys6(NR_futex, (u64)word, (u64)(op | (s32)flag), val, (u64)timeout, (u64)word2, val3);
}

struct shared {
    u32 word, second, third, stage, turn, lock, ready, done, results[8];
    s32 tids[8];
};
static struct shared own_memory;
static struct shared *mem = &own_memory;

/// Posts and waits on words of either kind.
static void post(u32 *word) {
    ADD(word, 1);
    CHECK(futex(word, FUTEX_WAKE, 0x7fffffff, 0, 0, 0) >= 0);
}

static void await(u32 *word, u32 value) {
    u32 seen;
    while ((seen = LOAD(word)) < value) {
        long result = futex(word, FUTEX_WAIT, seen, 0, 0, 0);
        CHECK(result == 0 || result == -EAGAIN || result == -EINTR);
    }
}

/// Wakes up to `count` until so many were woken: sleepers may still be on their way.
static void wake_exactly(u32 *word, u32 count) {
    u32 woken = 0;
    while (woken < count) {
        long n = futex(word, FUTEX_WAKE, count - woken, 0, 0, 0);
        CHECK(n >= 0);
        woken += (u32)n;
        if (n == 0) sys0(NR_sched_yield);
    }
}

// ---- threads or children, alike ----

typedef void (*body)(u64 index);
static int use_children;
static struct rt_thread *threads[8];
static s32 children[8];
static body bodies[8];

static void thread_main(void *arg) { bodies[(u64)arg]((u64)arg); }

static void start(u64 index, body fn) {
    bodies[index] = fn;
    if (!use_children) {
        threads[index] = rt_thread_start(thread_main, (void *)index);
        return;
    }
    children[index] = rt_fork();
    if (children[index] == 0) {
        rt_guard(40);
        fn(index);
        rt_exit_group(0);
    }
}

static void finish(u64 index) {
    if (use_children) CHECK_EQ(rt_wait(children[index]), 0);
    else rt_thread_join(threads[index]);
}

static void reset(void) { memset(mem, 0, sizeof *mem); }

// ---- waiting and waking ----

static void errors(void) {
    u32 word = 5;
    struct timespec soon = { 0, 2000000 }, bad = { 0, 1000000000 }, past = { 0, 0 };
    CHECK_EQ(futex(&word, FUTEX_WAIT, 4, 0, 0, 0), -EAGAIN);
    CHECK_EQ(futex((u32 *)((u64)&word + 1), FUTEX_WAIT, 5, 0, 0, 0), -EINVAL);
    CHECK_EQ(futex((u32 *)64, FUTEX_WAIT, 0, 0, 0, 0), -EFAULT);
    CHECK_EQ(futex(&word, FUTEX_WAIT, 5, &bad, 0, 0), -EINVAL);
    CHECK_EQ(futex(&word, FUTEX_WAIT, 5, (void *)64, 0, 0), -EFAULT);
    CHECK_EQ(futex(&word, FUTEX_WAIT_BITSET, 5, 0, 0, 0), -EINVAL);
    CHECK_EQ(futex(&word, FUTEX_WAKE_BITSET, 1, 0, 0, 0), -EINVAL);
    CHECK_EQ(futex(&word, FUTEX_WAKE, 1, 0, 0, 0), 0);
    CHECK_EQ(futex(&word, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1, 0, 0, 0), -ENOSYS);
    CHECK_EQ(futex(&word, 77, 1, 0, 0, 0), -ENOSYS);
    u64 before = rt_now_ns();
    CHECK_EQ(futex(&word, FUTEX_WAIT, 5, &soon, 0, 0), -ETIMEDOUT);
    CHECK(rt_now_ns() - before >= 2000000);
    // Absolute: long ago on either clock, and soon.
    CHECK_EQ(futex(&word, FUTEX_WAIT_BITSET, 5, &past, 0, 1), -ETIMEDOUT);
    CHECK_EQ(futex(&word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 5, &past, 0, 1), -ETIMEDOUT);
    before = rt_now_ns();
    struct timespec at = { (s64)((before + 2000000) / 1000000000), (s64)((before + 2000000) % 1000000000) };
    CHECK_EQ(futex(&word, FUTEX_WAIT_BITSET, 5, &at, 0, 1), -ETIMEDOUT);
    CHECK(rt_now_ns() - before >= 2000000);
    CHECK_EQ(futex(&word, FUTEX_CMP_REQUEUE, 1, (void *)1, &mem->second, 6), -EAGAIN);
    CHECK_EQ(futex(&word, FUTEX_CMP_REQUEUE, (u32)-1, (void *)1, &mem->second, 5), -EINVAL);
}

static void sleep_on_word(u64 index) {
    post(&mem->ready);
    long result = futex(&mem->word, FUTEX_WAIT, 0, 0, 0, 0);
    CHECK_EQ(result, 0);
    STORE(&mem->results[index], 1);
    post(&mem->done);
}

static void wake_counts(void) {
    reset();
    for (u64 i = 0; i < 3; i++) start(i, sleep_on_word);
    await(&mem->ready, 3);
    wake_exactly(&mem->word, 1);
    await(&mem->done, 1);
    rt_sleep_ns(NAP_NS);
    CHECK_EQ(LOAD(&mem->done), 1);
    wake_exactly(&mem->word, 2);
    for (u64 i = 0; i < 3; i++) finish(i);
    CHECK_EQ(futex(&mem->word, FUTEX_WAKE, 10, 0, 0, 0), 0);
}

static void ping(u64 index) {
    for (u32 i = 0; i < 100; i++) {
        await(&mem->turn, 2 * i + (u32)index);
        post(&mem->turn);
    }
}

static void ping_pong(void) {
    reset();
    start(0, ping);
    start(1, ping);
    finish(0);
    finish(1);
    CHECK_EQ(LOAD(&mem->turn), 200);
}

static void sleep_on_bit(u64 index) {
    post(&mem->ready);
    CHECK_EQ(futex(&mem->word, FUTEX_WAIT_BITSET, 0, 0, 0, 1u << index), 0);
    STORE(&mem->results[index], 1);
    post(&mem->done);
}

static void bitsets(void) {
    reset();
    for (u64 i = 0; i < 3; i++) start(i, sleep_on_bit);
    await(&mem->ready, 3);
    CHECK_EQ(futex(&mem->word, FUTEX_WAKE_BITSET, 9, 0, 0, 8), 0);
    while (futex(&mem->word, FUTEX_WAKE_BITSET, 9, 0, 0, 2) == 0) sys0(NR_sched_yield);
    await(&mem->done, 1);
    CHECK_EQ(mem->results[1], 1);
    rt_sleep_ns(NAP_NS);
    CHECK_EQ(LOAD(&mem->done), 1);
    wake_exactly(&mem->word, 2);
    for (u64 i = 0; i < 3; i++) finish(i);
}

/// A wake of one sleeper by its bit reaches that one, whoever else sleeps there, and before it.
static void bitsets_of_processes(void) {
    reset();
    start(0, sleep_on_bit);
    await(&mem->ready, 1);
    // Who can be moved sleeps, and the first in the queue is the first who was moved.
    while (futex(&mem->word, FUTEX_REQUEUE, 0, (void *)9, &mem->second, 0) == 0) sys0(NR_sched_yield);
    start(1, sleep_on_bit);
    await(&mem->ready, 2);
    while (futex(&mem->word, FUTEX_REQUEUE, 0, (void *)9, &mem->second, 0) == 0) sys0(NR_sched_yield);
    CHECK_EQ(futex(&mem->second, FUTEX_WAKE_BITSET, 1, 0, 0, 2), 1);
    while (!LOAD(&mem->results[1])) rt_sleep_ns(100000);
    for (; !LOAD(&mem->results[0]); rt_sleep_ns(100000)) CHECK(futex(&mem->second, FUTEX_WAKE, 9, 0, 0, 0) >= 0);
    for (u64 i = 0; i < 2; i++) finish(i);
}

static void requeue(int compare) {
    reset();
    for (u64 i = 0; i < 4; i++) start(i, sleep_on_word);
    await(&mem->ready, 4);
    rt_sleep_ns(NAP_NS);  // most of them sleep by now; who does not is woken with the rest
    long result = futex(&mem->word, compare ? FUTEX_CMP_REQUEUE : FUTEX_REQUEUE, 1, (void *)2, &mem->second, 0);
    CHECK(result >= 0 && result <= 3);  // woken and moved, whatever the manual says of the first form
    u32 woken = 0, tries = 0;
    while (woken < 4) {
        u32 before = LOAD(&mem->done);
        CHECK(futex(&mem->second, FUTEX_WAKE, 1, 0, 0, 0) >= 0);
        CHECK(futex(&mem->word, FUTEX_WAKE, 1, 0, 0, 0) >= 0);
        rt_sleep_ns(100000);
        woken = LOAD(&mem->done);
        CHECK(woken >= before);
        CHECK(++tries < 100000);
    }
    for (u64 i = 0; i < 4; i++) finish(i);
}

static void wake_op(void) {
    reset();
    u32 op = (0u << 28) | (0u << 24) | (7u << 12) | 0u;  // second = 7; wake there if it was 0
    start(0, sleep_on_word);
    await(&mem->ready, 1);
    while (futex(&mem->second, FUTEX_WAKE_OP, 1, (void *)1, &mem->word, 0x10000000u | (0u << 24)) == 0) sys0(NR_sched_yield);
    finish(0);
    CHECK_EQ(mem->word, 0);  // add 0
    CHECK_EQ(futex(&mem->second, FUTEX_WAKE_OP, 1, (void *)1, &mem->third, op), 0);
    CHECK_EQ(mem->third, 7);
    CHECK_EQ(futex(&mem->second, FUTEX_WAKE_OP, 1, (void *)1, &mem->third, 0x20000000u | (8u << 12)), 0);
    CHECK_EQ(mem->third, 15);
    CHECK_EQ(futex(&mem->second, FUTEX_WAKE_OP, 1, (void *)1, &mem->third, 0x30000000u | (1u << 12)), 0);
    CHECK_EQ(mem->third, 14);
    CHECK_EQ(futex(&mem->second, FUTEX_WAKE_OP, 1, (void *)1, &mem->third, 0x40000000u | (0xfffu << 12)), 0);
    CHECK_EQ(mem->third, ~14u);
    CHECK_EQ(futex(&mem->second, FUTEX_WAKE_OP, 1, (void *)1, &mem->third, 0x80000000u | (4u << 12)), 0);
    CHECK_EQ(mem->third, 16);
    CHECK_EQ(futex(&mem->second, FUTEX_WAKE_OP, 1, (void *)1, &mem->third, 0x70000000u), -ENOSYS);
}

// ---- several words ----

struct waitv { u64 val, uaddr; u32 flags, reserved; };

/// The word keeps its value, so that only a wake ends the wait, whenever that begins.
static void wake_second(u64 index) {
    (void)index;
    await(&mem->ready, 1);
    wake_exactly(&mem->second, 1);
}

static void many(void) {
    reset();
    u32 size = 2 | flag;
    struct waitv list[3] = { { 0, (u64)&mem->word, size, 0 }, { 0, (u64)&mem->second, size, 0 }, { 0, (u64)&mem->third, size, 0 } };
    struct timespec past = { 0, 0 };
    CHECK_EQ(sys5(NR_futex_waitv, list, 3, 0, &past, CLOCK_MONOTONIC), -ETIMEDOUT);
    CHECK_EQ(sys5(NR_futex_waitv, list, 0, 0, 0, 0), -EINVAL);
    CHECK_EQ(sys5(NR_futex_waitv, list, 129, 0, 0, 0), -EINVAL);
    CHECK_EQ(sys5(NR_futex_waitv, list, 3, 1, 0, 0), -EINVAL);
    list[2].val = 1;
    CHECK_EQ(sys5(NR_futex_waitv, list, 3, 0, 0, 0), -EAGAIN);
    list[2].val = 0;
    start(0, wake_second);
    post(&mem->ready);
    CHECK_EQ(sys5(NR_futex_waitv, list, 3, 0, 0, 0), 1);
    finish(0);
    CHECK_EQ(futex(&mem->word, FUTEX_WAKE, 9, 0, 0, 0), 0);
    CHECK_EQ(futex(&mem->third, FUTEX_WAKE, 9, 0, 0, 0), 0);
}

static void sleep_newer(u64 index) {
    (void)index;
    post(&mem->ready);
    CHECK_EQ(sys6(NR_futex_wait, (u64)&mem->word, 0, 0xffffffff, 2 | flag, 0, 0), 0);
    post(&mem->done);
}

/// futex_wait, futex_wake and futex_requeue.
static void newer_calls(void) {
    reset();
    CHECK_EQ(sys6(NR_futex_wait, (u64)&mem->word, 1, 0xffffffff, 2 | flag, 0, 0), -EAGAIN);
    CHECK_EQ(sys6(NR_futex_wait, (u64)&mem->word, 0, 0, 2 | flag, 0, 0), -EINVAL);
    CHECK_EQ(sys6(NR_futex_wait, (u64)&mem->word, 0, 1, 3 | flag, 0, 0), -EINVAL);
    CHECK_EQ(sys4(NR_futex_wake, &mem->word, 0xffffffff, 0, 2 | flag), 0);
    start(0, sleep_newer);
    await(&mem->ready, 1);
    while (sys4(NR_futex_wake, &mem->word, 0xffffffff, 1, 2 | flag) == 0) sys0(NR_sched_yield);
    finish(0);
    struct waitv pair[2] = { { 1, (u64)&mem->word, 2 | flag, 0 }, { 0, (u64)&mem->second, 2 | flag, 0 } };
    CHECK_EQ(sys4(NR_futex_requeue, pair, 0, 1, 1), -EAGAIN);
    pair[0].val = 0;
    start(0, sleep_newer);
    await(&mem->ready, 2);
    while (sys4(NR_futex_requeue, pair, 0, 0, 1) == 0) sys0(NR_sched_yield);
    wake_exactly(&mem->second, 1);
    finish(0);
}

// ---- locks with owners ----

static void lock(u32 *word) {
    u32 expected = 0, own = (u32)gettid();
    if (!__atomic_compare_exchange_n(word, &expected, own, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        CHECK_EQ(futex(word, FUTEX_LOCK_PI, 0, 0, 0, 0), 0);
    CHECK_EQ(LOAD(word) & TID_MASK, own);
}

static void unlock(u32 *word) {
    u32 expected = (u32)gettid();
    if (!__atomic_compare_exchange_n(word, &expected, 0, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        CHECK_EQ(futex(word, FUTEX_UNLOCK_PI, 0, 0, 0, 0), 0);
}

static void count_under_lock(u64 index) {
    (void)index;
    for (int i = 0; i < 200; i++) {
        lock(&mem->lock);
        u32 seen = mem->word;
        if (i % 16 == 0) sys0(NR_sched_yield);
        mem->word = seen + 1;
        unlock(&mem->lock);
    }
}

static void hold_lock(u64 index) {
    (void)index;
    lock(&mem->lock);
    post(&mem->ready);
    await(&mem->stage, 1);
    unlock(&mem->lock);
}

static void locks(void) {
    reset();
    u32 own = (u32)gettid();
    CHECK_EQ(futex(&mem->lock, FUTEX_LOCK_PI, 0, 0, 0, 0), 0);
    CHECK_EQ(mem->lock, own);
    CHECK_EQ(futex(&mem->lock, FUTEX_LOCK_PI, 0, 0, 0, 0), -EDEADLK);
    CHECK_EQ(futex(&mem->lock, FUTEX_UNLOCK_PI, 0, 0, 0, 0), 0);
    CHECK_EQ(mem->lock, 0);
    CHECK_EQ(futex(&mem->lock, FUTEX_UNLOCK_PI, 0, 0, 0, 0), -EPERM);
    mem->lock = 0x3ffffff0;  // nobody's id
    CHECK_EQ(futex(&mem->lock, FUTEX_LOCK_PI, 0, 0, 0, 0), -ESRCH);
    mem->lock = 0;
    start(0, hold_lock);
    await(&mem->ready, 1);
    CHECK_EQ(futex(&mem->lock, FUTEX_TRYLOCK_PI, 0, 0, 0, 0), -EAGAIN);
    CHECK_EQ(futex(&mem->lock, FUTEX_UNLOCK_PI, 0, 0, 0, 0), -EPERM);
    struct timespec past = { 0, 0 };
    CHECK_EQ(futex(&mem->lock, FUTEX_LOCK_PI, 0, &past, 0, 0), -ETIMEDOUT);
    CHECK_EQ(futex(&mem->lock, FUTEX_LOCK_PI2, 0, &past, 0, 0), -ETIMEDOUT);
    CHECK_EQ(LOAD(&mem->lock) & TID_MASK, use_children ? (u32)children[0] : (u32)threads[0]->tid);
    post(&mem->stage);
    lock(&mem->lock);
    unlock(&mem->lock);
    finish(0);
    CHECK_EQ(futex(&mem->lock, FUTEX_TRYLOCK_PI, 0, 0, 0, 0), 0);
    unlock(&mem->lock);
    reset();
    for (u64 i = 0; i < 4; i++) start(i, count_under_lock);
    for (u64 i = 0; i < 4; i++) finish(i);
    CHECK_EQ(mem->word, 800);
    CHECK_EQ(mem->lock & TID_MASK, 0);
}

static void wait_for_lock(u64 index) {
    (void)index;
    post(&mem->ready);
    long result = futex(&mem->word, FUTEX_WAIT_REQUEUE_PI, 0, 0, &mem->lock, 0);
    CHECK_EQ(result, 0);
    CHECK_EQ(LOAD(&mem->lock) & TID_MASK, (u32)gettid());
    mem->second++;
    unlock(&mem->lock);
}

static void requeue_to_lock(void) {
    reset();
    struct timespec past = { 0, 0 };
    CHECK_EQ(futex(&mem->word, FUTEX_WAIT_REQUEUE_PI, 0, &past, &mem->lock, 0), -ETIMEDOUT);
    CHECK_EQ(futex(&mem->word, FUTEX_WAIT_REQUEUE_PI, 1, 0, &mem->lock, 0), -EAGAIN);
    CHECK_EQ(futex(&mem->word, FUTEX_WAIT_REQUEUE_PI, 0, 0, &mem->word, 0), -EINVAL);
    CHECK_EQ(futex(&mem->word, FUTEX_CMP_REQUEUE_PI, 2, (void *)9, &mem->lock, 0), -EINVAL);
    CHECK_EQ(futex(&mem->word, FUTEX_CMP_REQUEUE_PI, 1, (void *)9, &mem->lock, 1), -EAGAIN);
    for (u64 i = 0; i < 3; i++) start(i, wait_for_lock);
    await(&mem->ready, 3);
    lock(&mem->lock);
    u32 moved = 0;
    while (moved < 3) {
        long n = futex(&mem->word, FUTEX_CMP_REQUEUE_PI, 1, (void *)9, &mem->lock, 0);
        CHECK(n >= 0);
        moved += (u32)n;
        if (n == 0) sys0(NR_sched_yield);
    }
    CHECK_EQ(LOAD(&mem->second), 0);
    unlock(&mem->lock);
    for (u64 i = 0; i < 3; i++) finish(i);
    CHECK_EQ(mem->second, 3);
}

// ---- robust lists ----

struct robust_entry { struct robust_entry *next; u32 word; u32 pad; };
struct robust_head { struct robust_entry *next; s64 offset; struct robust_entry *pending; };

struct robust_memory {
    struct robust_head head;
    struct robust_entry entries[3];
    u32 ready, pad;
};
static struct robust_memory robust_own;
static struct robust_memory *robust = &robust_own;

static void die_with_locks(u64 index) {
    (void)index;
    struct robust_head *head = &robust->head;
    u32 own = (u32)gettid();
    head->offset = offsetof(struct robust_entry, word);
    head->next = (struct robust_entry *)head;
    CHECK_EQ(sys2(NR_set_robust_list, head, 23), -EINVAL);
    CHECK_EQ(sys2(NR_set_robust_list, head, 24), 0);
    struct robust_head *got = 0;
    u64 len = 0;
    CHECK_EQ(sys3(NR_get_robust_list, 0, &got, &len), 0);
    CHECK_EQ(got, head);
    CHECK_EQ(len, 24);
    // Two in the list, the third on its way in.
    robust->entries[0].word = own;
    robust->entries[1].word = own | WAITERS;
    robust->entries[2].word = own;
    robust->entries[0].next = &robust->entries[1];
    robust->entries[1].next = (struct robust_entry *)head;
    head->next = &robust->entries[0];
    head->pending = &robust->entries[2];
    post(&robust->ready);
    rt_sleep_ns(NAP_NS);
    // Without a call of ours the lists must be walked at the end.
}

static void robust_lists(void) {
    memset(robust, 0, sizeof *robust);
    start(0, die_with_locks);
    await(&robust->ready, 1);
    u32 seen;
    while (((seen = LOAD(&robust->entries[1].word)) & OWNER_DIED) == 0) {
        long result = futex(&robust->entries[1].word, FUTEX_WAIT, seen, 0, 0, 0);
        CHECK(result == 0 || result == -EAGAIN);
    }
    CHECK_EQ(seen, WAITERS | OWNER_DIED);
    finish(0);
    CHECK_EQ(robust->entries[0].word, OWNER_DIED);
    CHECK_EQ(robust->entries[2].word, OWNER_DIED);
}

static void die_with_pi_lock(u64 index) {
    (void)index;
    lock(&mem->lock);
    post(&mem->ready);
    // Until somebody waits for it.
    while ((LOAD(&mem->lock) & WAITERS) == 0) sys0(NR_sched_yield);
}

/// The owner ends without a list: who waits gets the lock.
static void dead_owner(void) {
    reset();
    start(0, die_with_pi_lock);
    await(&mem->ready, 1);
    CHECK_EQ(futex(&mem->lock, FUTEX_LOCK_PI, 0, 0, 0, 0), 0);
    CHECK_EQ(LOAD(&mem->lock) & ~WAITERS, OWNER_DIED | (u32)gettid());
    finish(0);
}

// ---- signals ----

static void on_signal(int sig, siginfo_t *info, ucontext_t *context) {
    (void)sig, (void)info, (void)context;
    ADD(&mem->turn, 1);
}

static s32 main_tid;

/// Sends the signal that `count` handlers have run before, and waits for its handler.
static void signal_main(u32 count) {
    rt_sleep_ns(NAP_NS);
    if (use_children) CHECK_EQ(sys2(NR_kill, main_tid, SIGUSR1), 0);
    else CHECK_EQ(sys3(NR_tgkill, getpid(), main_tid, SIGUSR1), 0);
    while (LOAD(&mem->turn) <= count) sys0(NR_sched_yield);
}

/// Signals until the wait has ended: one that comes before the sleep ends nothing.
static void end_wait(u64 index) {
    (void)index;
    await(&mem->ready, 1);
    for (u32 sent = 0; LOAD(&mem->done) == 0; rt_sleep_ns(NAP_NS)) signal_main(sent++);
}

/// Signals that end nothing, before the wake that does.
static void signal_and_wake(u64 index) {
    (void)index;
    await(&mem->ready, 1);
    for (u32 sent = 0; sent < 3;) signal_main(sent++);
    CHECK_EQ(LOAD(&mem->done), 0);
    wake_exactly(&mem->word, 1);
}

static void signals(void) {
    main_tid = gettid();
    for (int restart = 0; restart < 2; restart++) {
        reset();
        rt_sigaction(SIGUSR1, on_signal, SA_SIGINFO | (restart ? SA_RESTART : 0), 0);
        start(0, restart ? signal_and_wake : end_wait);
        post(&mem->ready);
        long result = futex(&mem->word, FUTEX_WAIT, 0, 0, 0, 0);
        STORE(&mem->done, 1);
        CHECK_EQ(result, restart ? 0 : -EINTR);
        finish(0);
        if (restart) CHECK_EQ(LOAD(&mem->turn), 3);
        else CHECK(LOAD(&mem->turn) >= 1);
    }
}

static void classic(void) {
    errors();
    wake_counts();
    ping_pong();
    if (use_children) bitsets_of_processes();
    else bitsets();
    requeue(0);
    requeue(1);
    wake_op();
    many();
    newer_calls();
    locks();
    requeue_to_lock();
    signals();
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK_EQ(argc, 2);
    rt_guard(40);
    if (rt_streq(argv[1], "shared")) {
        flag = 0;
        use_children = 1;
        long at = sys6(NR_mmap, 0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, (u64)-1, 0);
        CHECK(at > 0);
        mem = (struct shared *)at;
        robust = (struct robust_memory *)(at + 4096);
        classic();
        robust_lists();
    } else if (rt_streq(argv[1], "robust")) {
        robust_lists();
        dead_owner();
    } else {
        CHECK(rt_streq(argv[1], "private"));
        classic();
    }
    say("futex %s: ok\n", argv[1]);
    return 0;
}
