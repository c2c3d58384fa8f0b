// vfork-memory: a vfork child shares the memory of its parent: what it writes, maps, protects and unmaps is so in the parent
// when that goes on; with other threads, which write to the same pages meanwhile, nothing of theirs is lost.
//
// Sources: vfork(2), clone(2) CLONE_VM and CLONE_VFORK, posix_spawn(3) (which learns of a missing program this way).

#include "rt.h"

#define CLONE_VFORK 0x4000ul
#define PAGE 4096ul
#define ROUNDS 20

static struct {
    // The word of the child and those of the threads lie in one page.
    u64 child, threads[2], stop;
    u32 ready;
} shared __attribute__((aligned(4096)));

static u8 *mapped, *unmapped, *readonly, *zeroed;
static u64 break_before, break_after;
static s64 exec_result;
static u8 stack[16384] __attribute__((aligned(16)));

static s32 start(u64 flags, void (*body)(void *), void *arg) {
    s32 pid = (s32)rt_clone_thread(flags | SIGCHLD, stack + sizeof stack, 0, 0, 0, body, arg);
    CHECK(pid > 0);
    return pid;
}

static void spawn_missing(void *arg) {
    (void)arg;
    char *args[] = { "missing", 0 };
    exec_result = sys3(NR_execve, "/nonexistent/program", args, 0);
    rt_exit_group(127);
}

static void execute(void *arg) {
    char *args[] = { "vfork-memory", arg, 0 };
    shared.child = 7;
    sys3(NR_execve, "/proc/self/exe", args, 0);
    rt_exit_group(1);
}

static void change_mappings(void *arg) {
    (void)arg;
    mapped = rt_mmap(3 * PAGE, PROT_READ | PROT_WRITE);
    mapped[PAGE] = 5;
    CHECK_EQ(sys2(NR_munmap, unmapped, PAGE), 0);
    readonly[0] = 9;
    CHECK_EQ(sys3(NR_mprotect, readonly, PAGE, PROT_READ), 0);
    for (u64 i = 0; i < PAGE; i++) zeroed[i] = 0;
    break_before = (u64)sys1(NR_brk, 0);
    break_after = (u64)sys1(NR_brk, break_before + 2 * PAGE);
    *(u64 *)break_before = 11;
    rt_exit_group(0);
}

static void write_word(void *arg) {
    shared.child = (u64)arg;
    // Long enough for the threads to write between this and the end.
    rt_spin(20000);
    rt_exit_group(0);
}

static void write_and_die(void *arg) {
    (void)arg;
    shared.child = 13;
    sys2(NR_kill, getpid(), SIGKILL);
    for (;;) rt_spin(1000);
}

static void count(void *arg) {
    volatile u64 *own = &shared.threads[(u64)arg];
    rt_post(&shared.ready);
    // Plain stores: a word that is put back to an older value shows as a gap.
    for (u64 turn = 1; !LOAD(&shared.stop); turn++) {
        CHECK_EQ(*own, turn - 1);
        *own = turn;
    }
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    rt_guard(60);
    if (argc == 2) return (int)rt_parse_u64(argv[1]);

    CHECK_EQ(rt_wait(start(CLONE_VM | CLONE_VFORK, spawn_missing, 0)), 127 << 8);
    CHECK_EQ(exec_result, -ENOENT);
    CHECK_EQ(rt_wait(start(CLONE_VM | CLONE_VFORK, execute, "44")), 44 << 8);
    CHECK_EQ(shared.child, 7);

    unmapped = rt_mmap(PAGE, PROT_READ | PROT_WRITE);
    readonly = rt_mmap(PAGE, PROT_READ | PROT_WRITE);
    zeroed = rt_mmap(PAGE, PROT_READ | PROT_WRITE);
    memset(zeroed, 1, PAGE);
    unmapped[0] = 1;
    CHECK_EQ(rt_wait(start(CLONE_VM | CLONE_VFORK, change_mappings, 0)), 0);
    CHECK_EQ(mapped[PAGE], 5);
    mapped[0] = 1;
    CHECK_EQ(readonly[0], 9);
    for (u64 i = 0; i < PAGE; i++) CHECK_EQ(zeroed[i], 0);
    s32 fds[2];
    CHECK_EQ(sys2(NR_pipe2, fds, 0), 0);
    // The kernel says what may be read and written.
    CHECK_EQ(sys3(NR_write, fds[1], unmapped, 1), -EFAULT);
    CHECK_EQ(sys3(NR_write, fds[1], mapped, 1), 1);
    CHECK_EQ(sys3(NR_read, fds[0], readonly, 1), -EFAULT);
    CHECK_EQ(sys1(NR_brk, 0), break_after);
    CHECK_EQ(*(u64 *)break_before, 11);

    // Without CLONE_VM the memory is a copy; a fork child's was one all along.
    shared.child = 1;
    CHECK_EQ(rt_wait(start(CLONE_VFORK, write_word, (void *)2)), 0);
    CHECK_EQ(shared.child, 1);
    CHECK_EQ(rt_wait(start(CLONE_VM | CLONE_VFORK, write_and_die, 0)), SIGKILL);

    struct rt_thread *threads[2];
    for (u64 i = 0; i < 2; i++) threads[i] = rt_thread_start(count, (void *)i);
    rt_wait_at_least(&shared.ready, 2);
    for (u64 round = 1; round <= ROUNDS; round++) {
        u64 before[2] = { LOAD(&shared.threads[0]), LOAD(&shared.threads[1]) };
        CHECK_EQ(rt_wait(start(CLONE_VM | CLONE_VFORK, write_word, (void *)round)), 0);
        CHECK_EQ(shared.child, round);
        for (int i = 0; i < 2; i++) {
            CHECK(LOAD(&shared.threads[i]) >= before[i]);
            while (LOAD(&shared.threads[i]) == before[i]) sys0(NR_sched_yield);
        }
    }
    STORE(&shared.stop, 1);
    for (int i = 0; i < 2; i++) rt_thread_join(threads[i]);
    say("vfork-memory: ok\n");
    return 0;
}
