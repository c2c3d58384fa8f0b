// terminal: whoever holds the other end of a terminal is not in its background.
//
// A child leads a session on a new pseudo terminal and puts itself in the foreground. Its parent, which has another session,
// reads, writes and changes the master, whose foreground group it is told: none of it stops the parent or is refused.
//
// Sources: pty(7), ioctl_tty(2), Linux drivers/tty/tty_jobctrl.c (__tty_check_change, tiocgpgrp).

#include "rt.h"

enum { NR_ioctl = 29, NR_setpgid = 154, NR_setsid = 157, O_RDWR = 2, O_NOCTTY = 0400 };
enum { TIOCSPTLCK = 0x40045431, TIOCGPTPEER = 0x5441, TIOCSCTTY = 0x540e, TIOCGPGRP = 0x540f, TCGETS = 0x5401, TCSETS = 0x5402 };
enum { ECHO = 010, TOSTOP = 0400 };

struct termios { u32 input, output, control, local; u8 rest[20]; };

// The session's leader: says so, and answers one line.
static void lead(s32 slave) {
    char line[16];
    CHECK(sys0(NR_setsid) > 0);
    CHECK_EQ(sys3(NR_ioctl, slave, TIOCSCTTY, 0), 0);
    CHECK_EQ(sys3(NR_write, slave, "leader\n", 7), 7);
    long len = sys3(NR_read, slave, line, sizeof line);
    CHECK_EQ(len, 5);
    CHECK_EQ(sys3(NR_write, slave, line, (u64)len), len);
    rt_exit_group(5);
}

// Reads from the master until `wanted` characters were there.
static void expect(s32 master, const char *wanted) {
    char seen[64];
    size_t len = 0, want = 0;
    while (wanted[want]) want++;
    while (len < want) {
        long n = sys3(NR_read, master, seen + len, want - len);
        CHECK(n > 0);
        len += (size_t)n;
    }
    for (size_t i = 0; i < want; i++) CHECK_EQ(seen[i], wanted[i]);
}

int main(int argc, char **argv, char **envp) {
    (void)argc, (void)argv, (void)envp;
    s32 unlock = 0, group = 0, status = -1;
    struct termios modes;
    rt_guard(60);
    s32 master = (s32)sys4(NR_openat, AT_FDCWD, "/dev/ptmx", O_RDWR | O_NOCTTY, 0);
    CHECK(master > 0);
    CHECK_EQ(sys3(NR_ioctl, master, TIOCSPTLCK, &unlock), 0);
    s32 slave = (s32)sys3(NR_ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
    CHECK(slave > 0);
    // A group of one's own has a parent in the session: it could be stopped.
    CHECK_EQ(sys2(NR_setpgid, 0, 0), 0);
    s32 child = rt_fork();
    if (child == 0) lead(slave);
    expect(master, "leader\r\n");
    CHECK_EQ(sys3(NR_ioctl, master, TIOCGPGRP, &group), 0);
    CHECK_EQ(group, child);
    CHECK_EQ(sys3(NR_ioctl, master, TCGETS, &modes), 0);
    modes.local = (modes.local & ~(u32)ECHO) | TOSTOP;
    CHECK_EQ(sys3(NR_ioctl, master, TCSETS, &modes), 0);
    CHECK_EQ(sys3(NR_write, master, "line\n", 5), 5);
    expect(master, "line\r\n");
    CHECK_EQ(sys4(NR_wait4, child, &status, 0, 0), child);
    CHECK_EQ(status, 5 << 8);
    say("terminal: ok\n");
    return 0;
}
