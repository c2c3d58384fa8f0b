// fork-chain DEPTH: each process forks the next one, DEPTH in all; the last says `ready`, and all stay until standard input
// ends. For those who look at the processes meanwhile: what one fork leaves behind, DEPTH of them show.

#include "rt.h"

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK_EQ(argc, 2);
    u64 depth = rt_parse_u64(argv[1]);
    CHECK(depth < 100);
    rt_guard(60);
    for (u64 made = 0; made < depth; made++) {
        s32 child = rt_fork();
        if (child != 0) {
            CHECK_EQ(rt_wait(child), 0);
            return 0;
        }
        rt_guard(60);
    }
    char byte;
    say("ready\n");
    while (sys3(NR_read, 0, &byte, 1) > 0) {}
    return 0;
}
