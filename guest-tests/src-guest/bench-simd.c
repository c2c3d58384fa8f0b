// bench-simd KIND TURNS: loops of known length, to count Advanced SIMD instructions a second.
//
// KIND is `bytes`, `words`, `structures` or `crypto`. Instructions in one turn (the manifest repeats them): 20 of each;
// the loops are in bench-simd.S.
// build: floating point

#include "rt.h"

u64 loop_bytes(u64 turns, u8 *area);
u64 loop_words(u64 turns, u8 *area);
u64 loop_structures(u64 turns, u8 *area);
u64 loop_crypto(u64 turns, u8 *area);

static u8 area[256] __attribute__((aligned(64)));

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK_EQ(argc, 3);
    u64 turns = rt_parse_u64(argv[2]);
    CHECK(turns > 0);
    for (unsigned i = 0; i < sizeof area; i++) area[i] = (u8)(i * 37 + 11);
    if (rt_streq(argv[1], "bytes")) CHECK_EQ(loop_bytes(turns, area), turns);
    else if (rt_streq(argv[1], "words")) CHECK_EQ(loop_words(turns, area), turns);
    else if (rt_streq(argv[1], "structures")) CHECK_EQ(loop_structures(turns, area), turns);
    else if (rt_streq(argv[1], "crypto")) CHECK_EQ(loop_crypto(turns, area), turns);
    else CHECK(!"a loop that this guest knows");
    say("bench-simd %s: ok\n", argv[1]);
    return 0;
}
