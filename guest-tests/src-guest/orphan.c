// orphan HOW: a grandchild and who waits for it.
//
// HOW is `wait` (everybody waits for its own children: nothing is left), or `leave` (the child goes on for a second after
// its parent has ended: one process is left, which a harness that counts descendants must find).

#include "rt.h"

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK_EQ(argc, 2);
    int leaving = rt_streq(argv[1], "leave");
    CHECK(leaving || rt_streq(argv[1], "wait"));
    rt_guard(30);
    s32 pid = rt_fork();
    if (pid == 0) {
        rt_guard(30);
        if (leaving) {
            rt_sleep_ns(1000000000);
            rt_exit_group(0);
        }
        s32 grandchild = rt_fork();
        if (grandchild == 0) rt_exit_group(3);
        CHECK_EQ(rt_wait(grandchild), 3 << 8);
        rt_exit_group(4);
    }
    if (!leaving) {
        CHECK_EQ(rt_wait(pid), 4 << 8);
        CHECK_EQ(sys4(NR_wait4, -1, 0, 0, 0), -ECHILD);
    }
    say("orphan %s: ok\n", argv[1]);
    return 0;
}
