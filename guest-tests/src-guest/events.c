// events: who is told of what, how often: epoll by level, by edge and once; inotify on a link and on what it leads to;
// mq_notify to one process, once.
//
// Sources: epoll(7), epoll_ctl(2), inotify(7), mq_notify(3), mq_overview(7).

#include "rt.h"

enum { NR_epoll_create1 = 20, NR_epoll_ctl = 21, NR_epoll_pwait = 22, NR_inotify_init1 = 26, NR_inotify_add_watch = 27,
       NR_inotify_rm_watch = 28, NR_unlinkat = 35, NR_symlinkat = 36, NR_chdir = 49, NR_utimensat = 88, NR_mkdirat = 34,
       NR_mq_open = 180, NR_mq_unlink = 181, NR_mq_timedsend = 182, NR_mq_timedreceive = 183, NR_mq_notify = 184 };
enum { EPOLLIN = 1, EPOLLOUT = 4, EPOLL_CTL_ADD = 1, EPOLL_CTL_DEL = 2, EPOLL_CTL_MOD = 3, EEXIST = 17, EBUSY = 16,
       ELOOP = 40 };
#define EPOLLONESHOT (1u << 30)
#define EPOLLET (1u << 31)
enum { IN_ATTRIB = 4, IN_DONT_FOLLOW = 0x02000000, IN_IGNORED = 0x8000 };
enum { O_RDWR = 2, O_CREAT = 0100, O_EXCL = 0200, AT_REMOVEDIR = 0x200, AT_SYMLINK_NOFOLLOW = 0x100, SI_MESGQ = -3 };

// ---- epoll ----

// Not packed, as it is on x86-64.
struct epoll_event { u32 events, pad; u64 data; };
static struct epoll_event got[4];
static s32 epoll, fds[2];

static long ctl(int op, s32 fd, u32 events, u64 data) {
    struct epoll_event event = { events, 0, data };
    return sys4(NR_epoll_ctl, epoll, op, fd, &event);
}

/// What is ready now.
static long ready(void) {
    memset(got, 0xee, sizeof got);
    return sys6(NR_epoll_pwait, (u64)epoll, (u64)got, 4, 0, 0, 8);
}

static void put(void) { CHECK_EQ(sys3(NR_write, fds[1], "x", 1), 1); }
static void take(void) {
    u8 byte;
    CHECK_EQ(sys3(NR_read, fds[0], &byte, 1), 1);
}

static void levels_and_edges(void) {
    CHECK_EQ(sys2(NR_pipe2, fds, 0), 0);
    epoll = (s32)sys1(NR_epoll_create1, 0);
    CHECK(epoll >= 0);
    CHECK_EQ(ctl(EPOLL_CTL_MOD, fds[0], EPOLLIN, 1), -ENOENT);
    CHECK_EQ(ctl(EPOLL_CTL_DEL, fds[0], 0, 0), -ENOENT);
    CHECK_EQ(ctl(EPOLL_CTL_ADD, fds[0], EPOLLIN, 0x1122334455667788), 0);
    CHECK_EQ(ctl(EPOLL_CTL_ADD, fds[0], EPOLLIN, 1), -EEXIST);
    CHECK_EQ(ctl(EPOLL_CTL_ADD, epoll, EPOLLIN, 1), -EINVAL);
    CHECK_EQ(ctl(9, fds[0], EPOLLIN, 1), -EINVAL);
    CHECK_EQ(ready(), 0);
    put();
    // By level: as long as there is something.
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(ready(), 1);
        CHECK_EQ(got[0].events, EPOLLIN);
        CHECK_EQ(got[0].data, 0x1122334455667788);
    }
    CHECK_EQ(ctl(EPOLL_CTL_ADD, fds[1], EPOLLOUT, 2), 0);
    CHECK_EQ(ready(), 2);
    CHECK_EQ(got[0].data ^ got[1].data, 0x1122334455667788 ^ 2);
    CHECK_EQ(ctl(EPOLL_CTL_DEL, fds[1], 0, 0), 0);
    // By edge: once for each arrival, and when the interest is set.
    CHECK_EQ(ctl(EPOLL_CTL_MOD, fds[0], EPOLLIN | EPOLLET, 3), 0);
    CHECK_EQ(ready(), 1);
    CHECK_EQ(got[0].data, 3);
    CHECK_EQ(ready(), 0);
    put();
    CHECK_EQ(ready(), 1);
    CHECK_EQ(ready(), 0);
    take();
    CHECK_EQ(ready(), 0);
    // Once: until it is set again.
    CHECK_EQ(ctl(EPOLL_CTL_MOD, fds[0], EPOLLIN | EPOLLONESHOT, 4), 0);
    CHECK_EQ(ready(), 1);
    CHECK_EQ(got[0].data, 4);
    put();
    CHECK_EQ(ready(), 0);
    CHECK_EQ(ctl(EPOLL_CTL_MOD, fds[0], EPOLLIN | EPOLLONESHOT, 5), 0);
    CHECK_EQ(ready(), 1);
    CHECK_EQ(got[0].data, 5);
    take(), take();
}

static u32 told;

static void wait_once(void *arg) {
    struct epoll_event event;
    (void)arg;
    // Whoever is told takes the byte; a third of a second without a word is an end, too, for all but one.
    long n = sys6(NR_epoll_pwait, (u64)epoll, (u64)&event, 1, 300, 0, 8);
    CHECK(n == 0 || n == 1);
    if (n == 1) {
        CHECK_EQ(event.data, 6);
        take();
    }
    ADD(&told, (u32)n);
}

/// Of several waiters one is told of what is told once.
static void one_of_many(void) {
    struct rt_thread *threads[3];
    CHECK_EQ(ctl(EPOLL_CTL_MOD, fds[0], EPOLLIN | EPOLLONESHOT, 6), 0);
    put();
    for (int i = 0; i < 3; i++) threads[i] = rt_thread_start(wait_once, 0);
    for (int i = 0; i < 3; i++) rt_thread_join(threads[i]);
    CHECK_EQ(told, 1);
    // One in another: ready as long as the inner one is.
    s32 outer = (s32)sys1(NR_epoll_create1, 0);
    CHECK_EQ(ctl(EPOLL_CTL_MOD, fds[0], EPOLLIN, 7), 0);
    struct epoll_event event = { EPOLLIN, 0, 8 };
    CHECK_EQ(sys4(NR_epoll_ctl, outer, EPOLL_CTL_ADD, epoll, &event), 0);
    struct epoll_event back = { EPOLLIN, 0, 9 };
    CHECK_EQ(sys4(NR_epoll_ctl, epoll, EPOLL_CTL_ADD, outer, &back), -ELOOP);
    CHECK_EQ(sys6(NR_epoll_pwait, (u64)outer, (u64)got, 4, 0, 0, 8), 0);
    put();
    CHECK_EQ(sys6(NR_epoll_pwait, (u64)outer, (u64)got, 4, (u64)-1, 0, 8), 1);
    CHECK_EQ(got[0].data, 8);
    CHECK_EQ(sys1(NR_close, outer), 0);
}

// ---- inotify ----

struct inotify_event { s32 wd; u32 mask, cookie, len; };

/// The next events of a watch that are not of another; 0 where there is none.
static u32 next_mask(s32 inotify, s32 wd) {
    struct inotify_event event;
    struct pollfd poll = { inotify, POLLIN, 0 };
    struct timespec now = { 0, 0 };
    if (sys5(NR_ppoll, &poll, 1, &now, 0, 8) == 0) return 0;
    CHECK_EQ(sys3(NR_read, inotify, &event, sizeof event), sizeof event);
    CHECK_EQ(event.wd, wd);
    return event.mask;
}

static void links(void) {
    char name[] = "/tmp/elfuse-guest-00000000";
    for (u32 rest = (u32)getpid(), at = sizeof name - 2; rest; rest /= 10) name[at--] = (char)('0' + rest % 10);
    s64 made;
    // A killed process of this id may have left its own.
    while ((made = sys3(NR_mkdirat, AT_FDCWD, name, 0700)) == -EEXIST) name[sizeof "/tmp/elfuse-guest-" - 1]++;
    CHECK_EQ(made, 0);
    CHECK_EQ(sys1(NR_chdir, name), 0);
    long file = sys4(NR_openat, AT_FDCWD, "file", O_RDWR | O_CREAT, 0600);
    CHECK(file >= 0);
    CHECK_EQ(sys3(NR_symlinkat, "file", AT_FDCWD, "link"), 0);
    s32 inotify = (s32)sys1(NR_inotify_init1, O_NONBLOCK);
    s32 followed = (s32)sys3(NR_inotify_add_watch, inotify, "link", IN_ATTRIB);
    s32 itself = (s32)sys3(NR_inotify_add_watch, inotify, "link", IN_ATTRIB | IN_DONT_FOLLOW);
    CHECK(followed > 0 && itself > 0 && followed != itself);
    CHECK_EQ(sys3(NR_inotify_add_watch, inotify, "file", IN_ATTRIB), followed);
    CHECK_EQ(sys4(NR_utimensat, AT_FDCWD, "file", 0, 0), 0);
    CHECK_EQ(next_mask(inotify, followed), IN_ATTRIB);
    CHECK_EQ(next_mask(inotify, followed), 0);
    CHECK_EQ(sys4(NR_utimensat, AT_FDCWD, "link", 0, AT_SYMLINK_NOFOLLOW), 0);
    CHECK_EQ(next_mask(inotify, itself), IN_ATTRIB);
    CHECK_EQ(sys2(NR_inotify_rm_watch, inotify, itself), 0);
    CHECK_EQ(next_mask(inotify, itself), IN_IGNORED);
    CHECK_EQ(sys2(NR_inotify_rm_watch, inotify, itself), -EINVAL);
    CHECK_EQ(sys3(NR_inotify_add_watch, inotify, "nothing", IN_ATTRIB), -ENOENT);
    CHECK_EQ(sys3(NR_unlinkat, AT_FDCWD, "link", 0), 0);
    CHECK_EQ(sys3(NR_unlinkat, AT_FDCWD, "file", 0), 0);
    CHECK_EQ(sys1(NR_chdir, "/"), 0);
    CHECK_EQ(sys3(NR_unlinkat, AT_FDCWD, name, AT_REMOVEDIR), 0);
}

// ---- message queues ----

static siginfo_t seen;
static u32 seen_count;

static void on_message(int sig, siginfo_t *info, ucontext_t *context) {
    (void)sig, (void)context;
    seen = *info;
    ADD(&seen_count, 1);
}

static void await_messages(u32 count) {
    u64 none = 0, old = rt_sigmask(SIG_BLOCK, SIGBIT(SIGUSR1));
    while (LOAD(&seen_count) < count) sys2(NR_rt_sigsuspend, &none, 8);
    rt_sigmask(SIG_SETMASK, old);
}

static s32 queue;

static void send_from_child(void) {
    s32 pid = rt_fork();
    if (pid == 0) {
        CHECK_EQ(sys5(NR_mq_timedsend, queue, "hello", 5, 1, 0), 0);
        rt_exit_group(0);
    }
    CHECK_EQ(rt_wait(pid), 0);
}

static void receive(void) {
    char text[8];
    CHECK_EQ(sys5(NR_mq_timedreceive, queue, text, sizeof text, 0, 0), 5);
}

static void notifications(void) {
    char name[] = "elfuse-guest-00000000";
    for (u32 rest = (u32)getpid(), at = sizeof name - 2; rest; rest /= 10) name[at--] = (char)('0' + rest % 10);
    s64 attributes[8] = { 0, 4, 8, 0 };
    queue = (s32)sys4(NR_mq_open, name, O_RDWR | O_CREAT | O_EXCL, 0600, attributes);
    CHECK(queue >= 0);
    CHECK_EQ(sys1(NR_mq_unlink, name), 0);
    rt_sigaction(SIGUSR1, on_message, SA_SIGINFO | SA_RESTART, 0);
    struct sigevent event = { .sigev_value = 0x1234567890, .sigev_signo = SIGUSR1, .sigev_notify = SIGEV_SIGNAL };
    struct sigevent bad = { .sigev_signo = 99, .sigev_notify = SIGEV_SIGNAL };
    CHECK_EQ(sys2(NR_mq_notify, queue, &bad), -EINVAL);
    CHECK_EQ(sys2(NR_mq_notify, fds[0], &event), -EBADF);
    CHECK_EQ(sys2(NR_mq_notify, queue, &event), 0);
    CHECK_EQ(sys2(NR_mq_notify, queue, &event), -EBUSY);
    send_from_child();
    await_messages(1);
    CHECK_EQ(seen.si_code, SI_MESGQ);
    CHECK_EQ(seen.si_value, 0x1234567890);
    CHECK(seen.si_pid > 0 && seen.si_pid != getpid());
    // Once, and only for a queue that was empty.
    receive();
    send_from_child();
    CHECK_EQ(sys2(NR_mq_notify, queue, &event), 0);
    send_from_child();
    CHECK_EQ(LOAD(&seen_count), 1);
    receive(), receive();
    send_from_child();
    await_messages(2);
    receive();
    // Taken back; and a place that is kept without a signal.
    CHECK_EQ(sys2(NR_mq_notify, queue, &event), 0);
    CHECK_EQ(sys2(NR_mq_notify, queue, 0), 0);
    send_from_child();
    receive();
    struct sigevent nothing = { .sigev_notify = SIGEV_NONE };
    CHECK_EQ(sys2(NR_mq_notify, queue, &nothing), 0);
    CHECK_EQ(sys2(NR_mq_notify, queue, &event), -EBUSY);
    send_from_child();
    receive();
    CHECK_EQ(sys2(NR_mq_notify, queue, &event), 0);
    // It belongs to the process: a child has none, and may not take it back.
    s32 pid = rt_fork();
    if (pid == 0) {
        CHECK_EQ(sys2(NR_mq_notify, queue, &event), -EBUSY);
        CHECK_EQ(sys2(NR_mq_notify, queue, 0), 0);
        CHECK_EQ(sys2(NR_mq_notify, queue, &event), -EBUSY);
        rt_exit_group(0);
    }
    CHECK_EQ(rt_wait(pid), 0);
    CHECK_EQ(LOAD(&seen_count), 2);
    CHECK_EQ(sys1(NR_close, queue), 0);
}

int main(int argc, char **argv, char **envp) {
    (void)argc, (void)argv, (void)envp;
    rt_guard(60);
    levels_and_edges();
    one_of_many();
    links();
    notifications();
    say("events: ok\n");
    return 0;
}
