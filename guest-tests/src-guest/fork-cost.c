// fork-cost MIB COUNT: forks and waits COUNT times with MIB mebibytes of written private memory, and prints the median of
// what a fork with its child's exit and the wait for it takes (of the first thousand): a line, nanoseconds.
//
// Source: fork(2), wait4(2).

#include "rt.h"

#define MOST 1000

static u64 took_ns[MOST];

static void sort(u64 *values, u64 count) {
    for (u64 i = 1; i < count; i++) {
        for (u64 j = i; j > 0 && values[j - 1] > values[j]; j--) {
            u64 swapped = values[j];
            values[j] = values[j - 1];
            values[j - 1] = swapped;
        }
    }
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK_EQ(argc, 3);
    u64 bytes = rt_parse_u64(argv[1]) << 20, count = rt_parse_u64(argv[2]);
    CHECK(count > 0);
    volatile u8 *memory = bytes ? rt_mmap(bytes, PROT_READ | PROT_WRITE) : 0;
    for (u64 at = 0; at < bytes; at += 4096) memory[at] = 1;
    for (u64 i = 0; i < count; i++) {
        u64 start = rt_now_ns();
        s32 pid = rt_fork();
        if (pid == 0) rt_exit_group(0);
        CHECK_EQ(rt_wait(pid), 0);
        if (i < MOST) took_ns[i] = rt_now_ns() - start;
    }
    u64 kept = count < MOST ? count : MOST;
    sort(took_ns, kept);
    say("%lu\n", took_ns[kept / 2]);
    return 0;
}
