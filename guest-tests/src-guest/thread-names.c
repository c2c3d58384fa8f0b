// thread-names: the names of threads, by prctl(2) and by /proc.
//
// Sources: prctl(2) PR_SET_NAME, proc_pid_comm(5), proc_pid_task(5), clone(2), execve(2).

#include "rt.h"

enum { NR_prctl = 167, PR_SET_NAME = 15, PR_GET_NAME = 16, O_WRONLY = 1 };

static char *append(char *to, const char *text) {
    while (*text) *to++ = *text++;
    *to = 0;
    return to;
}

/// /proc/self/task/TID/FILE
static const char *path_of(char *buffer, s32 tid, const char *file) {
    char digits[12] = { 0 }, *at = digits + sizeof digits - 1;
    for (u32 rest = (u32)tid; rest || *at == 0; rest /= 10) *--at = (char)('0' + rest % 10);
    append(append(append(append(buffer, "/proc/self/task/"), at), "/"), file);
    return buffer;
}

static void check_file(const char *path, const char *expected) {
    char text[64] = { 0 };
    s32 fd = (s32)sys4(NR_openat, AT_FDCWD, path, O_RDONLY, 0);
    CHECK(fd >= 0);
    CHECK(sys3(NR_read, fd, text, sizeof text - 1) >= 0);
    CHECK_EQ(sys1(NR_close, fd), 0);
    if (!rt_streq(text, expected)) rt_printf(2, "thread-names: %s holds %s\n", path, text);
    CHECK(rt_streq(text, expected));
}

static long write_file(const char *path, const char *text, u64 len) {
    s32 fd = (s32)sys4(NR_openat, AT_FDCWD, path, O_WRONLY, 0);
    CHECK(fd >= 0);
    long written = sys3(NR_write, fd, text, len);
    CHECK_EQ(sys1(NR_close, fd), 0);
    return written;
}

static void check_name(const char *expected) {
    char name[17] = "################";
    CHECK_EQ(sys2(NR_prctl, PR_GET_NAME, name), 0);
    CHECK(rt_streq(name, expected));
}

static u32 step, worker_tid;

static void worker(void *arg) {
    (void)arg;
    // It begins with its creator's.
    check_name("creator");
    CHECK_EQ(sys2(NR_prctl, PR_SET_NAME, "a worker"), 0);
    check_name("a worker");
    STORE(&worker_tid, (u32)gettid());
    rt_post(&step);
    rt_wait_at_least(&step, 2);
    check_name("by the parent");
}

int main(int argc, char **argv, char **envp) {
    char path[64];
    rt_guard(60);
    if (argc == 2) {
        // After execve the name is the program's.
        check_name("thread-names");
        check_file("/proc/self/comm", "thread-names\n");
        return 0;
    }
    check_name("thread-names");
    check_file("/proc/self/comm", "thread-names\n");
    CHECK_EQ(sys2(NR_prctl, PR_SET_NAME, "creator"), 0);
    check_file("/proc/self/comm", "creator\n");
    check_file("/proc/thread-self/comm", "creator\n");
    CHECK_EQ(sys2(NR_prctl, PR_SET_NAME, 16), -EFAULT);

    struct rt_thread *thread = rt_thread_start(worker, 0);
    rt_wait_at_least(&step, 1);
    check_file(path_of(path, (s32)worker_tid, "comm"), "a worker\n");
    check_file("/proc/self/comm", "creator\n");
    // Another thread of the process may write it; a newline belongs to the name, as on Linux.
    CHECK_EQ(write_file(path_of(path, (s32)worker_tid, "comm"), "by the parent", 13), 13);
    check_file(path, "by the parent\n");
    rt_post(&step);
    rt_thread_join(thread);

    // What is too long is cut, and all of it counts as written.
    CHECK_EQ(write_file("/proc/self/comm", "0123456789abcdefXYZ", 19), 19);
    check_name("0123456789abcde");
    CHECK_EQ(sys2(NR_prctl, PR_SET_NAME, "fedcba9876543210abc"), 0);
    check_name("fedcba987654321");

    // A child has its parent thread's.
    s32 child = rt_fork();
    if (child == 0) {
        rt_guard(60);
        check_name("fedcba987654321");
        check_file("/proc/self/comm", "fedcba987654321\n");
        char *again[] = { argv[0], "again", 0 };
        sys3(NR_execve, argv[0], again, envp);
        rt_exit_group(1);
    }
    CHECK_EQ(rt_wait(child), 0);
    say("thread-names: ok\n");
    return 0;
}
