// exit-status N: ends with status N, and nothing else.

#include "rt.h"

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK_EQ(argc, 2);
    return (int)rt_parse_u64(argv[1]);
}
