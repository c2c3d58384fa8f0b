// common-memory: processes that run on beside each other in one memory (CLONE_VM without CLONE_THREAD and CLONE_VFORK).
//
// They count in one word, meet at private futexes, see each other's mappings and breaks; a fork by one has a copy; one that
// executes a program, or is killed, leaves the memory to the others. `common-memory executed` is what a child executes.
//
// Sources: clone(2), execve(2), wait(2); `copy_mm`, `exec_mmap` in Linux.

#include "rt.h"

enum { NR_madvise = 233, MADV_DONTNEED = 4, WALL = 0x40000000, WCLONE = (int)0x80000000 };
#define CLONE_VFORK 0x4000ul
enum { PAGE = 4096, STACK = 65536, TURNS = 20000, ROUNDS = 60, CHILDREN = 3 };

static u8 stacks[CHILDREN][STACK] __attribute__((aligned(16)));
static u32 counter, word, turn, lock_word, protected, go, done;
static u8 *given;
static const char *self;

/// What each child does.
static struct task { void (*fn)(void *); void *arg; } tasks[CHILDREN];

static void run_task(void *arg) {
    struct task *task = arg;
    rt_guard(60);
    task->fn(task->arg);
}

/// A process in this memory, which zeroes `cleared` when it leaves.
static s32 begin_clearing(int index, u64 flags, u32 *cleared, void (*fn)(void *), void *arg) {
    tasks[index] = (struct task){ fn, arg };
    s32 parent_tid = 0;
    flags |= CLONE_VM | CLONE_PARENT_SETTID | (cleared ? CLONE_CHILD_CLEARTID : 0);
    long pid = rt_clone_thread(flags, stacks[index] + STACK, &parent_tid, 0, cleared, run_task, &tasks[index]);
    CHECK(pid > 0);
    CHECK_EQ(parent_tid, pid);
    return (s32)pid;
}

static s32 begin(int index, u64 flags, void (*fn)(void *), void *arg) { return begin_clearing(index, flags, 0, fn, arg); }

/// Waits for a process, whatever it sends at its end.
static int end_of(s32 pid) {
    s32 status = -1;
    long result;
    do result = sys4(NR_wait4, pid, &status, WALL, 0);
    while (result == -EINTR);
    CHECK_EQ(result, pid);
    return status;
}

static void lock(void) {
    u32 free = 0;
    if (__atomic_compare_exchange_n(&lock_word, &free, 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) return;
    while (__atomic_exchange_n(&lock_word, 2, __ATOMIC_SEQ_CST)) rt_futex_wait(&lock_word, 2, 0);
}

static void unlock(void) {
    if (__atomic_exchange_n(&lock_word, 0, __ATOMIC_SEQ_CST) == 2) rt_futex_wake(&lock_word, 1);
}

static void count(void *arg) {
    (void)arg;
    for (int i = 0; i < TURNS; i++) ADD(&counter, 1);
    for (int i = 0; i < TURNS / 20; i++) {
        lock();
        protected = protected + 1;
        unlock();
    }
}

static void counting(void) {
    s32 pids[CHILDREN];
    counter = protected = 0;
    for (int i = 0; i < CHILDREN; i++) pids[i] = begin(i, i == 1 ? 0 : SIGCHLD, count, 0);
    count(0);
    for (int i = 0; i < CHILDREN; i++) CHECK_EQ(end_of(pids[i]), 0);
    CHECK_EQ(counter, (CHILDREN + 1) * TURNS);
    CHECK_EQ(protected, (CHILDREN + 1) * (TURNS / 20));
}

/// Takes turns with the other: `own` is whose turn this one's is.
static void play(u32 own) {
    for (int i = 0; i < ROUNDS; i++) {
        while (LOAD(&turn) != own) rt_futex_wait(&turn, !own, 0);
        STORE(&turn, !own);
        rt_futex_wake(&turn, 1);
    }
}

static void play_one(void *arg) {
    (void)arg;
    play(1);
}

static void ping_pong(void) {
    turn = 0;
    s32 pid = begin(0, SIGCHLD, play_one, 0);
    play(0);
    CHECK_EQ(end_of(pid), 0);
    CHECK_EQ(turn, 0);
}

static void nothing(void *arg) { (void)arg; }

/// The child's own word is zeroed and woken at its end, for who has the memory too.
static void ends_are_told(void) {
    u32 cleared = 1;
    s32 pid = begin_clearing(0, SIGCHLD, &cleared, nothing, 0);
    while (LOAD(&cleared)) sys4(NR_futex, &cleared, FUTEX_WAIT, 1, 0);
    CHECK_EQ(end_of(pid), 0);
}

/// One that sends no signal is seen by waits that ask for it alone.
static void waits(void) {
    s32 pid = begin(0, 0, nothing, 0), status;
    CHECK_EQ(sys4(NR_wait4, -1, &status, 0, 0), -ECHILD);
    CHECK_EQ(sys4(NR_wait4, -1, &status, WCLONE, 0), pid);
    CHECK_EQ(status, 0);
    pid = begin(0, SIGCHLD, nothing, 0);
    CHECK_EQ(sys4(NR_wait4, -1, &status, WCLONE, 0), -ECHILD);
    CHECK_EQ(rt_wait(pid), 0);
}

static void stay(void *arg) {
    rt_post(&go);
    if (arg) while (1) ADD(&word, 1);
    while (1) rt_futex_wait(&turn, turn, 0);
}

/// Killed while it stores, and while it sleeps.
static void kills(void) {
    for (u64 i = 0; i < 2; i++) {
        go = 0;
        s32 pid = begin(0, i ? 0 : SIGCHLD, stay, (void *)i);
        rt_wait_at_least(&go, 1);
        CHECK_EQ(sys2(NR_kill, pid, SIGKILL), 0);
        CHECK_EQ(WTERMSIG(end_of(pid)), SIGKILL);
        STORE(&word, 5);
        CHECK_EQ(word, 5);
    }
}

/// A fork has what was there at that moment, whoever writes afterwards.
static void fork_copies(u32 value) {
    u8 *page = rt_mmap(PAGE, PROT_READ | PROT_WRITE);
    page[7] = 7;
    STORE(&word, value);
    s32 pid = rt_fork();
    if (pid == 0) {
        rt_guard(60);
        rt_sleep_ns(2000000);
        CHECK_EQ(word, value);
        CHECK_EQ(page[7], 7);
        STORE(&word, value + 1);
        page[7] = 8;
        u32 *more = rt_mmap(PAGE, PROT_READ | PROT_WRITE);
        *more = 3;
        rt_exit_group(9);
    }
    STORE(&word, value + 2);
    CHECK_EQ(rt_wait(pid), 9 << 8);
    CHECK_EQ(word, value + 2);
    CHECK_EQ(page[7], 7);
    CHECK_EQ(sys2(NR_munmap, page, PAGE), 0);
}

static void fork_in_child(void *arg) {
    (void)arg;
    fork_copies(200);
}

static void forks(void) {
    fork_copies(100);
    CHECK_EQ(end_of(begin(0, SIGCHLD, fork_in_child, 0)), 0);
    CHECK_EQ(word, 202);
}

static void execute(void *arg) {
    (void)arg;
    const char *args[] = { self, "executed", 0 };
    STORE(&word, 31);
    sys3(NR_execve, "/proc/self/exe", args, 0);
    rt_exit_group(1);
}

static void executions(void) {
    u8 *page = rt_mmap(PAGE, PROT_READ | PROT_WRITE);
    page[9] = 9;
    u32 cleared = 1;
    s32 pid = begin_clearing(0, SIGCHLD, &cleared, execute, 0);
    // It leaves the memory when it executes.
    while (LOAD(&cleared)) sys4(NR_futex, &cleared, FUTEX_WAIT, 1, 0);
    CHECK_EQ(rt_wait(pid), 21 << 8);
    CHECK_EQ(word, 31);
    CHECK_EQ(page[9], 9);
    // The same with a parent that waits: it sees what the child has written, and what it has mapped.
    word = 0;
    pid = begin(0, CLONE_VFORK | SIGCHLD, execute, 0);
    CHECK_EQ(word, 31);
    CHECK_EQ(rt_wait(pid), 21 << 8);
    CHECK_EQ(page[9], 9);
    CHECK_EQ(sys2(NR_munmap, page, PAGE), 0);
}

/// Maps, moves the break, and tells; then looks at what the parent has made of it.
static void map_for_parent(void *arg) {
    (void)arg;
    u8 *area = rt_mmap(4 * PAGE, PROT_READ | PROT_WRITE);
    area[0] = 1;
    area[PAGE] = 2;
    STORE(&given, area);
    rt_wait_at_least(&done, 1);
    long end = sys1(NR_brk, 0);
    CHECK_EQ(sys1(NR_brk, end + PAGE), end + PAGE);
    *(u8 *)end = 3;
    STORE(&given, (u8 *)end);
    rt_wait_at_least(&done, 2);
    // The parent has unmapped a page, made another read-only, and moved a third.
    CHECK_EQ(sys3(NR_mprotect, area + PAGE, PAGE, PROT_READ), -ENOMEM);
    CHECK_EQ(sys3(NR_read, go, area, 1), -EFAULT);
    CHECK_EQ(area[0], 11);
    u8 *moved = given;
    CHECK_EQ(moved[0], 12);
    moved[1] = 13;
}

/// Waits without a system call, which would let this process see what the other has mapped, for something else than `old`.
static u8 *awaited(u8 *old) {
    u8 *now;
    while ((now = LOAD(&given)) == old) rt_spin(100);
    return now;
}

static void mappings(void) {
    s32 pipe[2];
    CHECK_EQ(sys2(NR_pipe2, pipe, 0), 0);
    CHECK_EQ(sys3(NR_write, pipe[1], "x", 1), 1);
    given = 0;
    go = (u32)pipe[0], done = 0;
    long end = sys1(NR_brk, 0);
    s32 pid = begin(0, SIGCHLD, map_for_parent, 0);
    // First used by a system call, ...
    u8 *area = awaited(0);
    CHECK_EQ(sys3(NR_write, pipe[1], area + PAGE, 1), 1);
    u8 bytes[2] = { 0 };
    CHECK_EQ(area[0], 1);
    rt_post(&done);
    // ... and by a load.
    CHECK(awaited(area) == (u8 *)end);
    CHECK_EQ(*(u8 *)end, 3);
    CHECK_EQ(sys1(NR_brk, 0), end + PAGE);
    // Nothing new lies on what the other has.
    u8 *own = rt_mmap(PAGE, PROT_READ | PROT_WRITE);
    CHECK(own + PAGE <= area || own >= area + 4 * PAGE);
    CHECK_EQ(own[0], 0);
    area[0] = 11;
    area[2 * PAGE] = 12;
    CHECK_EQ(sys2(NR_munmap, area + PAGE, PAGE), 0);
    STORE(&given, (u8 *)sys5(NR_mremap, area + 2 * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, own));
    CHECK(given == own);
    CHECK_EQ(sys3(NR_mprotect, area, PAGE, PROT_READ), 0);
    rt_post(&done);
    CHECK_EQ(end_of(pid), 0);
    CHECK_EQ(own[1], 13);
    CHECK_EQ(sys3(NR_read, pipe[0], bytes, 2), 2);
    CHECK_EQ(bytes[1], 2);
    CHECK_EQ(sys1(NR_close, pipe[0]) | sys1(NR_close, pipe[1]), 0);
    CHECK_EQ(sys2(NR_munmap, own, PAGE), 0);
    CHECK_EQ(sys2(NR_munmap, area, 4 * PAGE), 0);
    CHECK_EQ(sys1(NR_brk, end), end);
}

/// Memory that is given back is zeros, and so is what is mapped in place of something, and what a mapping grows by.
static void zeros(void) {
    u8 *page = rt_mmap(PAGE, PROT_READ | PROT_WRITE);
    page[0] = 1;
    CHECK_EQ(sys3(NR_madvise, page, PAGE, MADV_DONTNEED), 0);
    CHECK_EQ(page[0], 0);
    page[0] = 1;
    const u64 flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    CHECK(sys6(NR_mmap, (u64)page, PAGE, PROT_READ | PROT_WRITE, flags, (u64)-1, 0) == (long)page);
    CHECK_EQ(page[0], 0);
    page[0] = 1;
    u8 *other = rt_mmap(PAGE, PROT_READ | PROT_WRITE);
    other[0] = 2;
    u8 *grown = (u8 *)sys4(NR_mremap, page, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
    CHECK_EQ(grown[0], 1);
    CHECK_EQ(grown[PAGE], 0);
    grown[PAGE] = 3;
    CHECK_EQ(other[0], 2);
    CHECK_EQ(sys2(NR_munmap, other, PAGE), 0);
    CHECK_EQ(sys2(NR_munmap, grown, 2 * PAGE), 0);
}

static void map_and_unmap(void *arg) {
    u32 own = (u32)(u64)arg;
    for (int i = 0; i < 40; i++) {
        u32 *page = rt_mmap(PAGE, PROT_READ | PROT_WRITE);
        CHECK_EQ(LOAD(page), 0);
        STORE(page, own);
        rt_spin(500);
        CHECK_EQ(LOAD(page), own);
        CHECK_EQ(sys2(NR_munmap, page, PAGE), 0);
    }
}

/// All map and unmap at the same time.
static void churn(void) {
    s32 pids[CHILDREN];
    for (int i = 0; i < CHILDREN; i++) pids[i] = begin(i, SIGCHLD, map_and_unmap, (void *)(u64)(i + 1));
    map_and_unmap((void *)CHILDREN + 1);
    for (int i = 0; i < CHILDREN; i++) CHECK_EQ(end_of(pids[i]), 0);
}

static void map_shared(void *arg) {
    (void)arg;
    u8 *area = (u8 *)sys6(NR_mmap, 0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, (u64)-1, 0);
    area[0] = 4;
    given = area;
    rt_post(&go);
    rt_wait_at_least(&done, 1);
    CHECK_EQ(area[1], 5);
}

/// Shared memory, which forks share, that one maps and the other sees.
static void shared_mappings(void) {
    go = done = 0;
    s32 pid = begin(0, SIGCHLD, map_shared, 0);
    rt_wait_at_least(&go, 1);
    u8 *area = given;
    CHECK_EQ(area[0], 4);
    s32 child = rt_fork();
    if (child == 0) {
        area[1] = 5;
        rt_exit_group(0);
    }
    CHECK_EQ(rt_wait(child), 0);
    rt_post(&done);
    CHECK_EQ(end_of(pid), 0);
    CHECK_EQ(area[1], 5);
    CHECK_EQ(sys2(NR_munmap, area, PAGE), 0);
}

static void sleep_until_woken(void *arg) {
    u32 *at = arg;
    rt_post(&go);
    while (LOAD(at) == 0) rt_futex_wait(at, 0, 0);
}

static void wake_sleepers(void *arg) {
    STORE((u32 *)arg, 1);
    rt_futex_wake(arg, 8);
}

/// Threads that slept before the memory was anybody else's are woken by the other process.
static void sleepers(void) {
    static u32 at;
    go = at = 0;
    struct rt_thread *threads[2];
    for (int i = 0; i < 2; i++) threads[i] = rt_thread_start(sleep_until_woken, &at);
    rt_wait_at_least(&go, 2);
    rt_sleep_ns(2000000);
    s32 pid = begin(0, SIGCHLD, wake_sleepers, &at);
    for (int i = 0; i < 2; i++) rt_thread_join(threads[i]);
    CHECK_EQ(end_of(pid), 0);
}

static void grandchild(void *arg) { ADD((u32 *)arg, 10); }

static void with_children(void *arg) {
    struct rt_thread *thread = rt_thread_start(grandchild, arg);
    rt_thread_join(thread);
    CHECK_EQ(end_of(begin(1, 0, grandchild, arg)), 0);
    ADD((u32 *)arg, 1);
}

static void families(void) {
    u32 sum = 0;
    CHECK_EQ(end_of(begin(0, SIGCHLD, with_children, &sum)), 0);
    CHECK_EQ(sum, 21);
}

#ifdef __aarch64__
static u32 *code;

/// A function that returns `value`, where one stood before.
static void write_code(u32 value) {
    code[0] = 0x52800000 | value << 5;  // mov w0, #value
    code[1] = 0xd65f03c0;               // ret
    __asm__ volatile("dc cvau, %0; dsb ish; ic ivau, %0; dsb ish; isb" : : "r"(code) : "memory");
}

static void run_code(void *arg) {
    (void)arg;
    for (u32 i = 0; i < 3; i++) {
        rt_wait_at_least(&go, i + 1);
        __asm__ volatile("isb" : : : "memory");
        CHECK_EQ(((u32(*)(void))(u64)code)(), i + 1);
        rt_post(&done);
    }
}

/// Instructions that one writes are those that the other executes behind its next ISB.
static void instructions(void) {
    go = done = 0;
    code = rt_mmap(PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
    s32 pid = begin(0, SIGCHLD, run_code, 0);
    for (u32 i = 0; i < 3; i++) {
        write_code(i + 1);
        rt_post(&go);
        rt_wait_at_least(&done, i + 1);
    }
    CHECK_EQ(end_of(pid), 0);
    CHECK_EQ(sys2(NR_munmap, code, PAGE), 0);
}
#else
static void instructions(void) {}
#endif

int main(int argc, char **argv, char **envp) {
    (void)envp;
    rt_guard(60);
    self = argv[0];
    if (argc == 2 && rt_streq(argv[1], "executed")) return 21;
    sleepers();
    counting();
    ping_pong();
    ends_are_told();
    waits();
    kills();
    forks();
    executions();
    mappings();
    zeros();
    churn();
    shared_mappings();
    families();
    instructions();
    say("common-memory: ok\n");
    return 0;
}
