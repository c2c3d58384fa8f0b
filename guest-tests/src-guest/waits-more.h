// More rows of waits.c: event descriptors, FIFOs, locks, System V and POSIX queues, splices, sleeps, a terminal.

#ifndef WAITS_MORE_H
#define WAITS_MORE_H

#include "waits-sys.h"

// ---- event descriptors ----

static void event_at(struct place *p, u64 value) {
    p->fds[0] = (s32)sys2(NR_eventfd2, 0, 0);
    if (value) CHECK_EQ(sys3(NR_write, p->fds[0], &value, 8), 8);
}
static void event_zero(struct place *p) { event_at(p, 0); }
static void event_full(struct place *p) { event_at(p, 0xfffffffffffffffe); }
static long read_eight(struct place *p) { return sys3(NR_read, p->fds[0], p->bytes, 8); }
static long event_add(struct place *p) {
    u64 one = 1;
    return sys3(NR_write, p->fds[0], &one, 8);
}
static void event_wake(struct place *p) { CHECK_EQ(event_add(p), 8); }
static void event_take(struct place *p) { CHECK_EQ(read_eight(p), 8); }
static void timer_off(struct place *p) {
    p->fds[0] = (s32)sys2(NR_timerfd_create, CLOCK_MONOTONIC, 0);
    CHECK(p->fds[0] > 0);
}
static void timer_on(struct place *p) {
    struct itimerspec soon = { { 0, 0 }, { 0, 1 } };
    CHECK_EQ(sys4(NR_timerfd_settime, p->fds[0], 0, &soon, 0), 0);
}
static void signal_fd(struct place *p) {
    u64 set = SIGBIT(SIGRTMIN);
    p->fds[0] = (s32)sys4(NR_signalfd4, -1, &set, 8, 0);
    CHECK(p->fds[0] > 0);
}
static long read_signal(struct place *p) {
    u32 info[32];
    STORE(&p->child, gettid());
    long n = sys3(NR_read, p->fds[0], info, sizeof info);
    if (n == 128) CHECK_EQ(info[0], SIGRTMIN);
    return n;
}
static void send_one(struct place *p) {
    long result = sys3(NR_tgkill, getpid(), LOAD(&p->child), SIGRTMIN);
    CHECK(result == 0 || result == -ESRCH);  // it may have ended before
}

// ---- FIFOs ----

static u32 fifos;
static const char *fifo_path(struct place *p) {
    char *path = (char *)p->bytes;
    memcpy(path, "/tmp/elfuse-fifo-0000000000-00", 31);
    u32 pid = (u32)getpid();
    for (int i = 0; i < 10; i++, pid /= 10) path[26 - i] = (char)('0' + pid % 10);
    path[28] = (char)('0' + p->word / 10 % 10);
    path[29] = (char)('0' + p->word % 10);
    return path;
}
static void make_fifo(struct place *p) {
    p->word = ADD(&fifos, 1);
    CHECK_EQ(sys4(NR_mknodat, AT_FDCWD, fifo_path(p), 0010600, 0), 0);
}
static long open_end(struct place *p, int flags) {
    long fd = sys4(NR_openat, AT_FDCWD, p->bytes, flags, 0);
    if (fd > 0) p->fds[0] = (s32)fd;
    return fd > 0 ? 1 : fd;
}
static long open_reader(struct place *p) { return open_end(p, O_RDONLY); }
static long open_writer(struct place *p) { return open_end(p, O_WRONLY); }
static void open_both(struct place *p) {
    p->other[0] = (s32)sys4(NR_openat, AT_FDCWD, p->bytes, O_RDWR, 0);
    CHECK(p->other[0] > 0);
}
static void remove_fifo(struct place *p) {
    CHECK_EQ(sys3(NR_unlinkat, AT_FDCWD, p->bytes, 0), 0);
    close_all(p);
}

// ---- inotify ----

static void watch(struct place *p) {
    make_fifo(p);
    CHECK_EQ(sys3(NR_unlinkat, AT_FDCWD, fifo_path(p), 0), 0);
    p->other[0] = (s32)sys4(NR_openat, AT_FDCWD, fifo_path(p), O_RDWR | O_CREAT | O_EXCL, 0600);
    CHECK(p->other[0] > 0);
    p->fds[0] = (s32)sys1(NR_inotify_init1, 0);
    CHECK_EQ(sys3(NR_inotify_add_watch, p->fds[0], fifo_path(p), 2), 1);
}
static long read_watch(struct place *p) { return sys3(NR_read, p->fds[0], p->bytes + 32, 32); }
static void modify(struct place *p) { CHECK_EQ(sys3(NR_write, p->other[0], "m", 1), 1); }

// ---- locks: a child holds them ----

/// fds[0] is a file whose lock a child holds until a byte comes through `other`.
static void locked_by_child(struct place *p, int ofd_or_flock) {
    s32 ready[2];
    p->fds[0] = (s32)sys2(NR_memfd_create, "locked", 0);
    char path[] = "/proc/self/fd/00";
    path[14] = (char)('0' + p->fds[0] / 10);
    path[15] = (char)('0' + p->fds[0] % 10);
    if (p->fds[0] < 10) path[14] = path[15], path[15] = 0;
    CHECK_EQ(sys2(NR_pipe2, p->other, 0), 0);
    CHECK_EQ(sys2(NR_pipe2, ready, 0), 0);
    p->child = rt_fork();
    if (p->child == 0) {
        rt_guard(30);
        s32 fd = (s32)sys4(NR_openat, AT_FDCWD, path, O_RDWR, 0);
        struct flock lock = { .type = F_WRLCK };
        char byte;
        CHECK(fd > 0);
        if (ofd_or_flock == 2) CHECK_EQ(sys2(NR_flock, fd, LOCK_EX), 0);
        else CHECK_EQ(sys3(NR_fcntl, fd, ofd_or_flock ? F_OFD_SETLK : F_SETLK, &lock), 0);
        CHECK_EQ(sys3(NR_write, ready[1], "r", 1), 1);
        sys3(NR_read, p->other[0], &byte, 1);
        rt_exit_group(0);
    }
    char byte;
    CHECK_EQ(sys3(NR_read, ready[0], &byte, 1), 1);
    sys1(NR_close, ready[0]);
    sys1(NR_close, ready[1]);
}
static void record_locked(struct place *p) { locked_by_child(p, 0); }
static void ofd_locked(struct place *p) { locked_by_child(p, 1); }
static void flock_locked(struct place *p) { locked_by_child(p, 2); }
static long lock_record(struct place *p) {
    struct flock lock = { .type = F_WRLCK };
    return sys3(NR_fcntl, p->fds[0], F_SETLKW, &lock);
}
static long lock_ofd(struct place *p) {
    struct flock lock = { .type = F_WRLCK };
    return sys3(NR_fcntl, p->fds[0], F_OFD_SETLKW, &lock);
}
static long lock_file(struct place *p) { return sys2(NR_flock, p->fds[0], LOCK_EX); }
static void child_unlocks(struct place *p) { CHECK_EQ(sys3(NR_write, p->other[1], "u", 1), 1); }
static void unlocked(struct place *p) {
    child_unlocks(p);  // where a signal ended the wait
    CHECK_EQ(rt_wait(p->child), 0);
    close_all(p);
}

// ---- System V ----

static void semaphore(struct place *p) {
    p->child = (s32)sys3(NR_semget, 0, 1, 0600);
    CHECK(p->child >= 0);
}
static long sem_down(struct place *p) {
    struct sembuf down = { 0, -1, 0 };
    return sys3(NR_semop, p->child, &down, 1);
}
static long sem_down_timed(struct place *p) {
    struct sembuf down = { 0, -1, 0 };
    return sys4(NR_semtimedop, p->child, &down, 1, &SOON);
}
static long sem_down_long(struct place *p) {
    struct sembuf down = { 0, -1, 0 };
    return sys4(NR_semtimedop, p->child, &down, 1, &LATER);
}
static void sem_up(struct place *p) {
    struct sembuf up = { 0, 1, 0 };
    CHECK_EQ(sys3(NR_semop, p->child, &up, 1), 0);
}
static void remove_semaphore(struct place *p) { CHECK_EQ(sys3(NR_semctl, p->child, 0, 0), 0); }
struct message { s64 type; char text[8]; };
static void queue(struct place *p) {
    p->child = (s32)sys2(NR_msgget, 0, 0600);
    CHECK(p->child >= 0);
}
static void queue_full(struct place *p) {
    queue(p);
    struct message message = { 2, "full" };
    while (sys4(NR_msgsnd, p->child, &message, 8, 04000) == 0) {}
}
static long receive(struct place *p) {
    struct message message;
    return sys5(NR_msgrcv, p->child, &message, 8, 1, 0);
}
static long send_message(struct place *p) {
    struct message message = { 1, "hello" };
    return sys4(NR_msgsnd, p->child, &message, 8, 0);
}
static void post_message(struct place *p) { CHECK_EQ(send_message(p), 0); }
static void drain_queue(struct place *p) {
    struct message message;
    CHECK_EQ(sys5(NR_msgrcv, p->child, &message, 8, 2, 0), 8);
    CHECK_EQ(sys5(NR_msgrcv, p->child, &message, 8, 2, 0), 8);
}
static void remove_queue(struct place *p) { CHECK_EQ(sys3(NR_msgctl, p->child, 0, 0), 0); }

// ---- POSIX message queues ----

static u32 mqs;
static void mq_made(struct place *p) {
    char name[] = "elfuse-test-0000000000-00";
    u32 pid = (u32)getpid(), serial = ADD(&mqs, 1);
    for (int i = 0; i < 10; i++, pid /= 10) name[21 - i] = (char)('0' + pid % 10);
    name[23] = (char)('0' + serial / 10 % 10);
    name[24] = (char)('0' + serial % 10);
    s64 attr[8] = { 0, 1, 8, 0 };
    p->fds[0] = (s32)sys4(NR_mq_open, name, O_RDWR | O_CREAT | O_EXCL, 0600, attr);
    CHECK(p->fds[0] > 0);
    CHECK_EQ(sys1(NR_mq_unlink, name), 0);
}
static long mq_put(struct place *p) { return sys5(NR_mq_timedsend, p->fds[0], "message", 8, 1, 0); }
static long mq_get(struct place *p) { return sys5(NR_mq_timedreceive, p->fds[0], p->bytes, 8, 0, 0); }
static long mq_get_timed(struct place *p) {
    struct timespec past = { 1, 0 };
    return sys5(NR_mq_timedreceive, p->fds[0], p->bytes, 8, 0, &past);
}
static long mq_put_timed(struct place *p) {
    struct timespec past = { 1, 0 };
    return sys5(NR_mq_timedsend, p->fds[0], "message", 8, 1, &past);
}
static void mq_filled(struct place *p) {
    mq_made(p);
    CHECK_EQ(mq_put(p), 0);
}
static void mq_fill(struct place *p) { CHECK_EQ(mq_put(p), 0); }
static void mq_empty(struct place *p) { CHECK_EQ(mq_get(p), 8); }

// ---- splices ----

static void two_pipes(struct place *p) {
    pipe_empty(p);
    CHECK_EQ(sys2(NR_pipe2, p->other, 0), 0);
}
static long splice_pipes(struct place *p) { return sys6(NR_splice, (u64)p->fds[0], 0, (u64)p->other[1], 0, 8, 0); }
static long tee_pipes(struct place *p) { return sys4(NR_tee, p->fds[0], p->other[1], 8, 0); }
static long vmsplice_pipe(struct place *p) {
    struct iovec iov = { p->bytes, 8 };
    return sys4(NR_vmsplice, p->fds[1], &iov, 1, 0);
}
static void file_to_full_pipe(struct place *p) {
    pipe_full(p);
    p->other[0] = (s32)sys2(NR_memfd_create, "file", 0);
    CHECK_EQ(sys3(NR_write, p->other[0], "12345678", 8), 8);
}
static long sendfile_pipe(struct place *p) {
    s64 offset = 0;
    return sys4(NR_sendfile, p->fds[1], p->other[0], &offset, 8);
}

// ---- sleeps, a terminal ----

static long sleep_long(struct place *p) {
    struct timespec nap = { 0, 20000000 }, left = { 77, 77 };
    (void)p;
    long result = sys2(NR_nanosleep, &nap, &left);
    if (result == -EINTR) CHECK(left.tv_sec == 0 && left.tv_nsec > 0 && left.tv_nsec <= 20000000);
    else CHECK_EQ(left.tv_sec, 77);
    return result;
}
static long sleep_relative(struct place *p) {
    struct timespec nap = { 0, 20000000 }, left = { 77, 77 };
    (void)p;
    long result = sys4(NR_clock_nanosleep, CLOCK_MONOTONIC, 0, &nap, &left);
    if (result == -EINTR) CHECK(left.tv_sec == 0 && left.tv_nsec > 0 && left.tv_nsec <= 20000000);
    else CHECK_EQ(left.tv_sec, 77);
    return result;
}
static long sleep_absolute(struct place *p) {
    u64 at = rt_now_ns() + 20000000;
    struct timespec when = { (s64)(at / 1000000000), (s64)(at % 1000000000) };
    (void)p;
    long result = sys4(NR_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &when, 0);
    if (result == 0) CHECK(rt_now_ns() >= at);
    return result;
}
static void nothing(struct place *p) { (void)p; }

static void terminal(struct place *p) {
    s32 unlock = 0, number = -1;
    p->fds[1] = (s32)sys4(NR_openat, AT_FDCWD, "/dev/ptmx", O_RDWR | 0400, 0);
    CHECK(p->fds[1] > 0);
    CHECK_EQ(sys3(NR_ioctl, p->fds[1], 0x40045431, &unlock), 0);
    CHECK_EQ(sys3(NR_ioctl, p->fds[1], 0x80045430, &number), 0);
    long slave = sys3(NR_ioctl, p->fds[1], 0x5441, O_RDWR | 0400);
    CHECK(slave > 0);
    p->fds[0] = (s32)slave;
}
static void type_line(struct place *p) { CHECK_EQ(sys3(NR_write, p->fds[1], "a\n", 2), 2); }

enum { TCXONC = 0x540a, TCOOFF = 0, TCOON = 1 };
static void terminal_stopped(struct place *p) {
    terminal(p);
    CHECK_EQ(sys3(NR_ioctl, p->fds[0], TCXONC, TCOOFF), 0);
}
static void terminal_goes_on(struct place *p) { CHECK_EQ(sys3(NR_ioctl, p->fds[0], TCXONC, TCOON), 0); }
static long write_terminal(struct place *p) { return sys3(NR_write, p->fds[0], "eight...", 8); }
static long writev_terminal(struct place *p) {
    struct iovec iov[2] = { { "four", 4 }, { "more", 4 } };
    return sys3(NR_writev, p->fds[0], iov, 2);
}

#define MORE_ROWS                                                                                                     \
    { "eventfd-read", event_zero, read_eight, event_wake, 8, RESTARTS, 0, 0, 0, close_all },                          \
    { "eventfd-write", event_full, event_add, event_take, 8, RESTARTS, 0, 0, 0, close_all },                          \
    { "timerfd", timer_off, read_eight, timer_on, 8, RESTARTS, 0, 0, 0, close_all },                                  \
    { "inotify", watch, read_watch, modify, 16, RESTARTS, 0, 0, 0, remove_fifo },                                       \
    { "signalfd", signal_fd, read_signal, send_one, 128, RESTARTS, 0, 0, 0, close_all },                              \
    { "open-fifo-reader", make_fifo, open_reader, open_both, 1, RESTARTS, 0, 0, 1, remove_fifo },                     \
    { "open-fifo-writer", make_fifo, open_writer, open_both, 1, RESTARTS, 0, 0, 0, remove_fifo },                     \
    { "record-lock", record_locked, lock_record, child_unlocks, 0, RESTARTS, 0, 0, 1, unlocked },                     \
    { "ofd-lock", ofd_locked, lock_ofd, child_unlocks, 0, RESTARTS, 0, 0, 0, unlocked },                              \
    { "flock", flock_locked, lock_file, child_unlocks, 0, RESTARTS, 0, 0, 0, unlocked },                              \
    { "semop", semaphore, sem_down, sem_up, 0, ALWAYS_EINTR, sem_down_timed, -EAGAIN, 1, remove_semaphore },          \
    { "semtimedop", semaphore, sem_down_long, sem_up, 0, ALWAYS_EINTR, 0, 0, 0, remove_semaphore },                   \
    { "msgrcv", queue, receive, post_message, 8, ALWAYS_EINTR, 0, 0, 0, remove_queue },                               \
    { "msgsnd", queue_full, send_message, drain_queue, 0, ALWAYS_EINTR, 0, 0, 0, remove_queue },                      \
    { "mq_timedreceive", mq_made, mq_get, mq_fill, 8, RESTARTS, mq_get_timed, -ETIMEDOUT, 0, close_all },             \
    { "mq_timedsend", mq_filled, mq_put, mq_empty, 0, RESTARTS, mq_put_timed, -ETIMEDOUT, 0, close_all },             \
    { "splice", two_pipes, splice_pipes, put_byte, 1, RESTARTS, 0, 0, 1, close_all },                                 \
    { "tee", two_pipes, tee_pipes, put_byte, 1, RESTARTS, 0, 0, 0, close_all },                                       \
    { "vmsplice", pipe_full, vmsplice_pipe, drain_pipe, 8, RESTARTS, 0, 0, 0, close_all },                            \
    { "sendfile", file_to_full_pipe, sendfile_pipe, drain_pipe, 8, RESTARTS, 0, 0, 0, close_all },                    \
    { "nanosleep", 0, sleep_long, nothing, 0, SLEEPS, 0, 0, 0, 0 },                                                   \
    { "clock_nanosleep", 0, sleep_relative, nothing, 0, SLEEPS, 0, 0, 0, 0 },                                         \
    { "clock_nanosleep-absolute", 0, sleep_absolute, nothing, 0, SLEEPS, 0, 0, 0, 0 },                                \
    { "terminal", terminal, read_eight, type_line, 2, RESTARTS, 0, 0, 0, close_all },                                 \
    { "terminal-write", terminal_stopped, write_terminal, terminal_goes_on, 8, RESTARTS, 0, 0, 0, close_all },        \
    { "terminal-writev", terminal_stopped, writev_terminal, terminal_goes_on, 8, RESTARTS, 0, 0, 0, close_all }

#endif
