// spin TURNS: computes without a syscall between its start and its end (four instructions a turn).

#include "rt.h"

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK_EQ(argc, 2);
    rt_spin_checked(rt_parse_u64(argv[1]));
    say("spin: ok\n");
    return 0;
}
