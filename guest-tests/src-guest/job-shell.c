// job-shell: a tiny shell on a terminal, with jobs of its own: a foreground pipeline, a background reader, a background writer.
//
// Somebody at the other end of the terminal types: see core/tests/job_control.rs, which says what is expected when. Each line
// begins with a word in capitals. Not for the manifest: without a controlling terminal there is nothing to see.
// Sources: credentials(7), tcsetpgrp(3), termios(3) TOSTOP, "Implementing a Job Control Shell" of the libc manual.

#include "rt.h"

enum { NR_ioctl = 29, NR_dup3 = 24, NR_setpgid = 154, NR_getpgid = 155, SIGTSTP = 20, SIGTTIN = 21, SIGTTOU = 22, EIO = 5 };
enum { TIOCGPGRP = 0x540f, TIOCSPGRP = 0x5410, TCGETS = 0x5401, TCSETS = 0x5402, TOSTOP = 0400 };
enum { WUNTRACED = 2 };

static volatile u32 hung_up;

static void on_hup(int sig, siginfo_t *info, ucontext_t *context) {
    (void)sig, (void)info, (void)context;
    hung_up = 1;
}

static void foreground(s32 group) { CHECK_EQ(sys3(NR_ioctl, 0, TIOCSPGRP, &group), 0); }

static s32 wait_change(s32 pid) {
    s32 status = -1;
    long result;
    while ((result = sys4(NR_wait4, pid, &status, WUNTRACED, 0)) == -EINTR) {}
    CHECK_EQ(result, pid);
    return status;
}

// Reads a line from the terminal into `line`; its length without the end, or what read said.
static long read_line(char *line, size_t room) {
    size_t len = 0;
    for (;;) {
        long n = sys3(NR_read, 0, line + len, 1);
        if (n <= 0) return n < 0 ? n : -1;
        if (line[len] == '\n') break;
        if (len + 2 < room) len++;
    }
    line[len] = 0;
    return (long)len;
}

static void jobs_signals(void) {
    static const int signals[] = { SIGTSTP, SIGTTIN, SIGTTOU, SIGHUP };
    for (int i = 0; i < 4; i++) rt_sigaction(signals[i], SIG_DFL, 0, 0);
}

// A child in the group `group` (0: one of its own), with default signals. One of the foreground puts its group there before
// it may be stopped for reading.
static s32 job(s32 group, int is_foreground, void (*body)(void)) {
    s32 child = rt_fork();
    if (child == 0) {
        rt_guard(60);
        CHECK_EQ(sys2(NR_setpgid, 0, group), 0);
        if (is_foreground) foreground(group ? group : getpid());
        jobs_signals();
        body();
        rt_exit_group(0);
    }
    // As every shell: whoever is first. A child that executes has its group by then.
    sys2(NR_setpgid, child, group ? group : child);
    return child;
}

static s32 pipe_fds[2];
static u32 worker_ready;

static void idle(void *arg) {
    (void)arg;
    rt_post(&worker_ready);
    for (;;) rt_spin(10000);
}

// Reads lines from the terminal and passes them on; a second thread computes meanwhile.
static void pipe_head(void) {
    char line[100];
    CHECK_EQ(sys1(NR_close, pipe_fds[0]), 0);
    rt_thread_start(idle, 0);
    rt_wait_at_least(&worker_ready, 1);
    say("HEAD\n");
    for (;;) {
        long len = read_line(line, sizeof line);
        CHECK(len >= 0);
        if (rt_streq(line, "quit")) break;
        rt_printf(pipe_fds[1], "PIPED %s\n", line);
    }
}

static void pipe_tail(void) {
    char byte;
    CHECK_EQ(sys1(NR_close, pipe_fds[1]), 0);
    for (;;) {
        long n = sys3(NR_read, pipe_fds[0], &byte, 1);
        CHECK(n >= 0);
        if (n == 0) break;
        CHECK_EQ(sys3(NR_write, 1, &byte, 1), 1);
    }
}

static void pipeline(s32 shell) {
    char line[100];
    CHECK_EQ(sys2(NR_pipe2, pipe_fds, 0), 0);
    s32 head = job(0, 1, pipe_head);
    s32 tail = job(head, 1, pipe_tail);
    CHECK_EQ(sys1(NR_close, pipe_fds[0]), 0);
    CHECK_EQ(sys1(NR_close, pipe_fds[1]), 0);
    foreground(head);
    s32 first = wait_change(head), second = wait_change(tail);
    foreground(shell);
    say("STOPPED %d %d\n", first >> 8, second >> 8);
    CHECK(read_line(line, sizeof line) == 2 && rt_streq(line, "fg"));
    foreground(head);
    CHECK_EQ(sys2(NR_kill, -head, SIGCONT), 0);
    say("CONTINUED\n");
    first = wait_change(head);
    second = wait_change(tail);
    foreground(shell);
    say("ENDED %d %d\n", first, second);
}

static void reader(void) {
    char line[100];
    long len = read_line(line, sizeof line);
    CHECK(len >= 0);
    say("READ %s\n", line);
}

static void background_reader(s32 shell) {
    s32 child = job(0, 0, reader);
    s32 status = wait_change(child);
    say("READER %d\n", status >> 8);
    foreground(child);
    CHECK_EQ(sys2(NR_kill, child, SIGCONT), 0);
    CHECK_EQ(wait_change(child), 0);
    foreground(shell);
}

static void deaf_reader(void) {
    char byte;
    rt_sigaction(SIGTTIN, SIG_IGN, 0, 0);
    CHECK_EQ(sys3(NR_read, 0, &byte, 1), -EIO);
    rt_sigaction(SIGTTIN, SIG_DFL, 0, 0);
    rt_sigmask(SIG_BLOCK, SIGBIT(SIGTTIN));
    CHECK_EQ(sys3(NR_read, 0, &byte, 1), -EIO);
}

static void writer(void) {
    say("WRITTEN\n");
    // Changing the terminal is never for the background.
    s32 group = (s32)sys1(NR_getpgid, 0);
    CHECK_EQ(sys3(NR_ioctl, 0, TIOCSPGRP, &group), 0);
}

static void deaf_writer(void) {
    rt_sigaction(SIGTTOU, SIG_IGN, 0, 0);
    say("IGNORANT\n");
}

static void stop_writers(int on) {
    u32 modes[9];
    CHECK_EQ(sys3(NR_ioctl, 0, TCGETS, modes), 0);
    modes[3] = on ? modes[3] | TOSTOP : modes[3] & ~(u32)TOSTOP;
    CHECK_EQ(sys3(NR_ioctl, 0, TCSETS, modes), 0);
}

static void background_writer(s32 shell) {
    stop_writers(1);
    s32 child = job(0, 0, writer);
    s32 status = wait_change(child);
    say("WRITER %d\n", status >> 8);
    CHECK_EQ(wait_change(job(0, 0, deaf_writer)), 0);
    stop_writers(0);
    // It writes now, and stops where it changes the terminal.
    CHECK_EQ(sys2(NR_kill, child, SIGCONT), 0);
    status = wait_change(child);
    say("CHANGER %d\n", status >> 8);
    foreground(child);
    CHECK_EQ(sys2(NR_kill, child, SIGCONT), 0);
    CHECK_EQ(wait_change(child), 0);
    foreground(shell);
}

// In a group whose only parent has ended, a reader gets EIO and does not stop.
static void orphan_maker(void) {
    s32 fds[2];
    CHECK_EQ(sys2(NR_pipe2, fds, 0), 0);
    if (rt_fork() == 0) {
        char byte;
        rt_guard(30);
        s32 parent = (s32)sys0(NR_getppid);
        CHECK_EQ(sys3(NR_write, fds[1], "x", 1), 1);
        while ((s32)sys0(NR_getppid) == parent) rt_sleep_ns(100000);
        say("ORPHAN %d\n", (s32)sys3(NR_read, 0, &byte, 1));
        rt_exit_group(0);
    }
    char byte;
    CHECK_EQ(sys3(NR_read, fds[0], &byte, 1), 1);
}

int main(int argc, char **argv, char **envp) {
    (void)argc, (void)argv, (void)envp;
    static const int ignored[] = { SIGTSTP, SIGTTIN, SIGTTOU };
    char line[100];
    s32 shell = getpid(), group;
    rt_guard_timer(60);
    for (int i = 0; i < 3; i++) rt_sigaction(ignored[i], SIG_IGN, 0, 0);
    rt_sigaction(SIGHUP, on_hup, SA_SIGINFO, 0);
    CHECK_EQ(sys3(NR_ioctl, 0, TIOCGPGRP, &group), 0);
    CHECK_EQ(group, shell);
    pipeline(shell);
    background_reader(shell);
    CHECK_EQ(wait_change(job(0, 0, deaf_reader)), 0);
    background_writer(shell);
    CHECK_EQ(wait_change(job(0, 0, orphan_maker)), 0);
    say("READY\n");
    // The terminal hangs up: the leader of the session gets SIGHUP, and reads find the end.
    long result;
    while ((result = read_line(line, sizeof line)) >= 0) {}
    while (!hung_up) rt_sleep_ns(100000);
    rt_exit_group(7);
}
