// bench-float KIND TURNS: loops of known length, to count floating-point instructions a second.
//
// KIND is `float` or `lanes`. Instructions in one turn (the manifest repeats them): 20 of each; the loops are in
// bench-float.S.
// build: floating point

#include "rt.h"

u64 loop_float(u64 turns);
u64 loop_lanes(u64 turns);

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK_EQ(argc, 3);
    u64 turns = rt_parse_u64(argv[2]);
    CHECK(turns > 0);
    if (rt_streq(argv[1], "float")) CHECK_EQ(loop_float(turns), turns);
    else if (rt_streq(argv[1], "lanes")) CHECK_EQ(loop_lanes(turns), turns);
    else CHECK(!"a loop that this guest knows");
    say("bench-float %s: ok\n", argv[1]);
    return 0;
}
