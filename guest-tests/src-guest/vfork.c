// vfork: a vfork child executes or ends before its parent goes on; and execve of what cannot be executed.
//
// The child executes this very program with its status as the argument. Sources: vfork(2), execve(2).

#include "rt.h"

#define CLONE_VFORK 0x4000ul

static void run_child(u64 flags, char *status) {
    char *args[] = { "vfork", status, 0 };
    s32 pid = (s32)sys5(NR_clone, flags | SIGCHLD, 0, 0, 0, 0);
    CHECK(pid >= 0);
    if (pid == 0) {
        rt_guard(30);
        if (rt_streq(status, "43")) rt_exit_group(43);
        CHECK_EQ(sys3(NR_execve, "/proc/self/exe", args, 0), 0);
    }
    CHECK_EQ(rt_wait(pid), (s64)rt_parse_u64(status) << 8);
}

int main(int argc, char **argv, char **envp) {
    char *args[] = { "vfork", 0 };
    (void)envp;
    rt_guard(30);
    if (argc == 2) return (int)rt_parse_u64(argv[1]);
    CHECK_EQ(sys3(NR_execve, "/nonexistent/program", args, 0), -2);
    CHECK_EQ(sys3(NR_execve, "", args, 0), -2);
    CHECK_EQ(sys3(NR_execve, "/", args, 0), -13);
    CHECK_EQ(sys3(NR_execve, "/dev/null", args, 0), -13);
    CHECK_EQ(sys3(NR_execve, 16, args, 0), -14);
    CHECK_EQ(sys3(NR_execve, "/proc/self/exe", 16, 0), -14);
    run_child(0, "41");
    run_child(CLONE_VFORK, "42");
    run_child(CLONE_VFORK, "43");
    say("vfork: ok\n");
    return 0;
}
