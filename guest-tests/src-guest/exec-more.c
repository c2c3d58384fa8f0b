// exec-more FLAVOUR: execve in uncommon ways, and of what is no guest.
//
// FLAVOUR is `leaderless` (a worker executes after the main thread has ended: the process id stays), `descriptor` (execveat of
// an open file), `descriptor-worker` (the same by a worker, while the main thread sleeps), `script` (a script in a memory file whose interpreter is this program) or `host` (a shell of the host gets
// the guest's mask, ignored and pending signals, descriptors, arguments and environment). Sources: execve(2), execveat(2).

#include "rt.h"

enum { NR_dup3 = 24, NR_memfd_create = 279, NR_execveat = 281, AT_EMPTY_PATH = 0x1000 };

static void nothing(void *arg) { (void)arg; }

static u32 main_is_alive = 1;
static char *self;

static char *number(char *end, u64 value) {
    *--end = 0;
    do {
        *--end = (char)('0' + value % 10);
    } while (value /= 10);
    return end;
}

static void execute_alone(void *arg) {
    static char pid[24];
    (void)arg;
    while (LOAD(&main_is_alive)) rt_futex_wait(&main_is_alive, 1, 0);
    char *args[] = { self, "stage2", number(pid + 24, (u64)getpid()), "leaderless", 0 };
    CHECK_EQ(sys3(NR_execve, "/proc/self/exe", args, 0), 0);
}

static void leaderless(void) {
    sys1(NR_set_tid_address, &main_is_alive);
    rt_thread_start(execute_alone, 0);
    sys1(NR_exit, 99);
}

static void descriptor(void) {
    static char pid[24];
    char *args[] = { self, "stage2", number(pid + 24, (u64)getpid()), "descriptor", 0 };
    long fd = sys4(NR_openat, AT_FDCWD, "/proc/self/exe", O_RDONLY | O_CLOEXEC, 0);
    CHECK(fd >= 0);
    CHECK_EQ(sys5(NR_execveat, fd, "", args, 0, 0), -ENOENT);
    CHECK_EQ(sys5(NR_execveat, 99, "", args, 0, AT_EMPTY_PATH), -EBADF);
    CHECK_EQ(sys5(NR_execveat, fd, "", args, 0, 1), -EINVAL);
    CHECK_EQ(sys5(NR_execveat, fd, "", args, 0, AT_EMPTY_PATH), 0);
}

static void execute_descriptor(void *arg) {
    static char pid[24];
    char *args[] = { self, "stage2", number(pid + 24, (u64)getpid()), "descriptor-worker", 0 };
    (void)arg;
    CHECK(gettid() != getpid());
    long fd = sys4(NR_openat, AT_FDCWD, "/proc/self/exe", O_RDONLY | O_CLOEXEC, 0);
    CHECK(fd >= 0);
    // One that fails changes nothing.
    CHECK_EQ(sys5(NR_execveat, 99, "", args, 0, AT_EMPTY_PATH), -EBADF);
    CHECK_EQ(sys5(NR_execveat, fd, "", args, 0, AT_EMPTY_PATH), 0);
}

static void descriptor_by_worker(void) {
    rt_thread_start(execute_descriptor, 0);
    for (;;) rt_sleep_ns(1000000000);
}

static void script(void) {
    static const char text[] = "#!/proc/self/exe stage2\n";
    static char path[32] = "/proc/self/fd/", pid[24];
    long fd = sys2(NR_memfd_create, "script", 0);
    CHECK(fd >= 0 && fd < 10);
    CHECK_EQ(sys3(NR_write, fd, text, sizeof text - 1), (s64)sizeof text - 1);
    path[14] = (char)('0' + fd);
    char *args[] = { "lost", number(pid + 24, (u64)getpid()), "script", 0 };
    CHECK_EQ(sys3(NR_execve, path, args, 0), 0);
}

static int starts_with(const char *text, const char *start) {
    while (*start) if (*text++ != *start++) return 0;
    return 1;
}

/// Skips to behind the next line end.
static char *next_line(char *text) {
    while (*text && *text != '\n') text++;
    return *text ? text + 1 : text;
}

// What this process ignores, as /proc shows it, with SIGPIPE: what elfuse was started with is inherited.
static void ignored_with_sigpipe(char *text) {
    u64 set = SIGBIT(SIGPIPE), old[4];
    for (int sig = 1; sig <= 64; sig++) {
        if (sys4(NR_rt_sigaction, sig, 0, old, 8) == 0 && old[0] == 1) set |= SIGBIT(sig);
    }
    for (int digit = 15; digit >= 0; digit--) *text++ = "0123456789abcdef"[set >> (digit * 4) & 15];
}

static void host(void) {
    static char output[4096];
    static char wanted[64] = "pid ";
    static char pid_text[24];
    char *shell[] = { "/bin/sh", "-c",
        "echo pid $$; while read -r name rest; do case $name in SigBlk:|SigIgn:|ShdPnd:) echo $name $rest;; esac; done "
        "</proc/$$/status; for fd in 0 1 2 7 8 9; do [ -e /proc/$$/fd/$fd ] && echo fd $fd; done; echo $0 $1 $VARIABLE; exit 7",
        "zero", "an argument", 0 };
    char *env[] = { "VARIABLE=a value", 0 };
    s32 fds[2], length = 0;
    CHECK_EQ(sys2(NR_pipe2, fds, 0), 0);
    s32 pid = rt_fork();
    if (pid == 0) {
        CHECK_EQ(sys3(NR_dup3, fds[1], 7, 0), 7);
        CHECK_EQ(sys3(NR_dup3, fds[1], 8, O_CLOEXEC), 8);
        CHECK_EQ(sys3(NR_dup3, fds[1], 1, 0), 1);
        sys1(NR_close, 0);
        CHECK_EQ(sys1(NR_close, fds[0]), 0);
        CHECK_EQ(sys1(NR_close, fds[1]), 0);
        rt_sigaction(SIGPIPE, SIG_IGN, 0, 0);
        rt_sigmask(SIG_BLOCK, SIGBIT(SIGUSR1));
        CHECK_EQ(sys2(NR_kill, getpid(), SIGUSR1), 0);
        CHECK_EQ(sys3(NR_execve, "/bin/sh", shell, env), 0);
    }
    CHECK_EQ(sys1(NR_close, fds[1]), 0);
    for (;;) {
        long got = sys3(NR_read, fds[0], output + length, sizeof output - 1 - (u64)length);
        CHECK(got >= 0);
        if (got == 0) break;
        length += (s32)got;
    }
    CHECK_EQ(rt_wait(pid), 7 << 8);
    char *text = number(pid_text + 24, (u64)pid), *at = wanted + 4;
    while (*text) *at++ = *text++;
    static char ignored[32] = "SigIgn: ";
    ignored_with_sigpipe(ignored + 8);
    static const char *lines[] = { wanted, "ShdPnd: 0000000000000200", "SigBlk: 0000000000000200", ignored,
                                   "fd 1", "fd 2", "fd 7", "zero an argument a value" };
    char *line = output;
    for (u64 i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (!starts_with(line, lines[i])) rt_printf(2, "%s\nis not what the shell said:\n%s", lines[i], output);
        CHECK(starts_with(line, lines[i]));
        line = next_line(line);
    }
    CHECK_EQ(*line, 0);
    say("exec-more host: ok\n");
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    rt_guard(60);
    self = argv[0];
    if (argc >= 4 && rt_streq(argv[1], "stage2")) {
        // A script's name stands between.
        const char *pid = argv[argc - 2], *flavour = argv[argc - 1];
        CHECK_EQ(argc, rt_streq(flavour, "script") ? 5 : 4);
        CHECK_EQ(getpid(), (s64)rt_parse_u64(pid));
        CHECK_EQ(gettid(), getpid());
        rt_thread_join(rt_thread_start(nothing, 0));
        say("exec-more %s: ok\n", flavour);
        return 0;
    }
    CHECK_EQ(argc, 2);
    if (rt_streq(argv[1], "leaderless")) leaderless();
    else if (rt_streq(argv[1], "descriptor")) descriptor();
    else if (rt_streq(argv[1], "descriptor-worker")) descriptor_by_worker();
    else if (rt_streq(argv[1], "script")) script();
    else if (rt_streq(argv[1], "host")) host();
    else CHECK(!"a flavour that this guest knows");
    return 0;
}
