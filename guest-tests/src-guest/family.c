// family SHAPE COUNT: trees of processes.
//
// SHAPE is `deep` (each forks the next one and counts its statuses), `wide` (one forks all, kills some and lets the others go),
// `daemon` (children of children that are gone, each in a session of its own, end by themselves) or `stay` (three generations
// that live until the first process ends or is killed: then nobody holds the pipe that the others read). Sources: fork(2),
// wait(2), kill(2), setsid(2), pipe(7).

#include "rt.h"

enum { NR_setsid = 157, NR_getsid = 156, NR_prctl = 167, PR_SET_CHILD_SUBREAPER = 36 };

static void read_to_end(s32 fd) {
    u8 byte;
    CHECK_EQ(sys3(NR_read, fd, &byte, 1), 0);
}

static u64 descend(u64 left) {
    s32 fds[2];
    u64 below = 0;
    if (left == 0) return 0;
    CHECK_EQ(sys2(NR_pipe2, fds, 0), 0);
    s32 pid = rt_fork();
    if (pid == 0) {
        rt_guard(80);
        CHECK_EQ(sys1(NR_close, fds[0]), 0);
        below = descend(left - 1) + 1;
        CHECK_EQ(sys3(NR_write, fds[1], &below, 8), 8);
        rt_exit_group(0);
    }
    CHECK_EQ(sys1(NR_close, fds[1]), 0);
    CHECK_EQ(sys3(NR_read, fds[0], &below, 8), 8);
    read_to_end(fds[0]);
    CHECK_EQ(sys1(NR_close, fds[0]), 0);
    CHECK_EQ(rt_wait(pid), 0);
    return below;
}

static void wide(u64 count) {
    static s32 pids[1000];
    s32 fds[2], killed = 0, ended = 0, status;
    CHECK(count <= 1000);
    CHECK_EQ(sys2(NR_pipe2, fds, 0), 0);
    for (u64 i = 0; i < count; i++) {
        pids[i] = rt_fork();
        if (pids[i] == 0) {
            rt_guard(80);
            CHECK_EQ(sys1(NR_close, fds[1]), 0);
            read_to_end(fds[0]);
            rt_exit_group((int)(i & 0x7f));
        }
    }
    for (u64 i = 0; i < count; i += 3) CHECK_EQ(sys2(NR_kill, pids[i], SIGKILL), 0);
    CHECK_EQ(sys1(NR_close, fds[1]), 0);
    for (u64 i = 0; i < count; i++) {
        long pid = sys4(NR_wait4, -1, &status, 0, 0);
        u64 which = 0;
        while (which < count && pids[which] != pid) which++;
        CHECK(which < count);
        if (which % 3 == 0) {
            CHECK_EQ(status, SIGKILL);
            killed++;
        } else {
            CHECK_EQ(status, (s64)(which & 0x7f) << 8);
            ended++;
        }
        pids[which] = 0;
    }
    CHECK_EQ(killed, (s64)(count + 2) / 3);
    CHECK_EQ(killed + ended, (s64)count);
    CHECK_EQ(sys4(NR_wait4, -1, 0, 0, 0), -ECHILD);
}

static void daemons(u64 count) {
    s32 fds[2];
    CHECK_EQ(sys2(NR_pipe2, fds, 0), 0);
    CHECK_EQ(sys2(NR_prctl, PR_SET_CHILD_SUBREAPER, 1), 0);
    for (u64 i = 0; i < count; i++) {
        s32 pid = rt_fork();
        if (pid == 0) {
            CHECK_EQ(sys0(NR_setsid), getpid());
            if (rt_fork() == 0) {
                rt_guard(80);
                while (sys0(NR_getppid) == sys1(NR_getsid, 0)) sys0(NR_sched_yield);
                CHECK(sys1(NR_getsid, 0) != getpid());
                CHECK_EQ(sys3(NR_write, fds[1], "d", 1), 1);
                rt_exit_group(9);
            }
            rt_exit_group(0);
        }
        CHECK_EQ(rt_wait(pid), 0);
    }
    CHECK_EQ(sys1(NR_close, fds[1]), 0);
    for (u64 i = 0; i < count; i++) {
        u8 byte;
        s32 status = 0;
        CHECK_EQ(sys3(NR_read, fds[0], &byte, 1), 1);
        CHECK(sys4(NR_wait4, -1, &status, 0, 0) > 0);
        CHECK_EQ(status, 9 << 8);
    }
    read_to_end(fds[0]);
    CHECK_EQ(sys4(NR_wait4, -1, 0, 0, 0), -ECHILD);
}

/// Three generations of `count` children each; all but the first process read until it is gone.
static void stay(u64 count) {
    s32 fds[2], told[2];
    u8 byte;
    CHECK_EQ(sys2(NR_pipe2, fds, 0), 0);
    CHECK_EQ(sys2(NR_pipe2, told, 0), 0);
    for (u64 i = 0; i < count; i++) {
        if (rt_fork() != 0) continue;
        CHECK_EQ(sys1(NR_close, fds[1]), 0);
        for (u64 j = 0; j < count; j++) {
            if (rt_fork() == 0) break;
        }
        rt_guard(80);
        CHECK_EQ(sys3(NR_write, told[1], "t", 1), 1);
        read_to_end(fds[0]);
        rt_exit_group(0);
    }
    for (u64 i = 0; i < count * (count + 1); i++) CHECK_EQ(sys3(NR_read, told[0], &byte, 1), 1);
    say("ready\n");
    for (;;) rt_sleep_ns(1000000000);
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    rt_guard(80);
    CHECK_EQ(argc, 3);
    u64 count = rt_parse_u64(argv[2]);
    if (rt_streq(argv[1], "deep")) CHECK_EQ(descend(count), count);
    else if (rt_streq(argv[1], "wide")) wide(count);
    else if (rt_streq(argv[1], "daemon")) daemons(count);
    else if (rt_streq(argv[1], "stay")) stay(count);
    else CHECK(!"a shape that this guest knows");
    say("family %s: ok\n", argv[1]);
    return 0;
}
