// endless: an endless loop without a syscall; only elfuse's watchdog ends it.

#include "rt.h"

int main(int argc, char **argv, char **envp) {
    (void)argc, (void)argv, (void)envp;
    say("endless: begin\n");
    for (;;) rt_spin(1000000);
}
