// syscalls N: N syscalls in a row, each result checked, one of them unknown (ENOSYS).

#include "rt.h"

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK_EQ(argc, 2);
    u64 count = rt_parse_u64(argv[1]);
    s32 pid = getpid();
    CHECK(pid > 0);
    rt_guard(60);
    for (u64 i = 0; i < count; i += 4) {
        CHECK_EQ(getpid(), pid);
        CHECK_EQ(gettid(), pid);
        CHECK_EQ(sys0(NR_sched_yield), 0);
        CHECK_EQ(sys3(NR_write, 99, "x", 1), -EBADF);
    }
    CHECK_EQ(sys0(1000), -ENOSYS);
    CHECK_EQ(sys6(5000, 1, 2, 3, 4, 5, 6), -ENOSYS);
    say("syscalls: ok\n");
    return 0;
}
