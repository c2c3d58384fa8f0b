// spin-children TURNS: two fork children compute without a syscall while their parent waits for them.

#include "rt.h"

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK_EQ(argc, 2);
    u64 turns = rt_parse_u64(argv[1]);
    rt_guard(60);
    s32 pids[2];
    for (int i = 0; i < 2; i++) {
        pids[i] = rt_fork();
        if (pids[i] == 0) {
            rt_guard(60);
            rt_spin_checked(turns);
            rt_exit_group(40 + i);
        }
    }
    for (int i = 0; i < 2; i++) CHECK_EQ(rt_wait(pids[i]), (40 + i) << 8);
    CHECK_EQ(sys4(NR_wait4, -1, 0, 0, 0), -ECHILD);
    say("spin-children: ok\n");
    return 0;
}
