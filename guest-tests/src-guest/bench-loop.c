// bench-loop KIND TURNS: loops of known length, to count guest instructions a second.
//
// KIND is `arith`, `memory`, `calls` or `branches`. Instructions in one turn (the manifest repeats them): arith 20,
// memory 20, calls 20, branches 20; the loops are in bench-loop.S.

#include "rt.h"

u64 loop_arith(u64 turns);
u64 loop_memory(u64 turns, u64 *area);
u64 loop_calls(u64 turns);
u64 loop_branches(u64 turns);

int main(int argc, char **argv, char **envp) {
    static u64 area[16];
    (void)envp;
    CHECK_EQ(argc, 3);
    u64 turns = rt_parse_u64(argv[2]);
    CHECK(turns > 0);
    if (rt_streq(argv[1], "arith")) CHECK_EQ(loop_arith(turns), turns);
    else if (rt_streq(argv[1], "memory")) CHECK_EQ(loop_memory(turns, area), turns);
    else if (rt_streq(argv[1], "calls")) CHECK_EQ(loop_calls(turns), 6 * turns);
    else if (rt_streq(argv[1], "branches")) CHECK_EQ(loop_branches(turns), 3 * turns);
    else CHECK(!"a loop that this guest knows");
    say("bench-loop %s: ok\n", argv[1]);
    return 0;
}
