// hello: one write, one exit_group. The smallest guest, and the start-up bench's.

#include "rt.h"

int main(int argc, char **argv, char **envp) {
    (void)argc, (void)argv, (void)envp;
    say("hello, world\n");
    return 0;
}
