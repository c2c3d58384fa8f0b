// objects [kernel]: what descriptors without a file hold, and who holds a lock: eventfd2, timerfd_create and its kin, memfd_create
// and seals, record locks, locks of open file descriptions, flock; getrandom. With `kernel` the line that `uname -srm` prints.
//
// Sources: eventfd(2), timerfd_create(2), memfd_create(2), fcntl(2), fcntl_locking(2), flock(2), getrandom(2), uname(2).

#include "rt.h"

enum {
    NR_eventfd2_ = 19, NR_dup_ = 23, NR_flock_ = 32, NR_ftruncate_ = 46, NR_readlinkat_ = 78, NR_timerfd_create_ = 85,
    NR_timerfd_settime_ = 86, NR_timerfd_gettime_ = 87, NR_uname_ = 160, NR_getrandom_ = 278, NR_memfd_create_ = 279,
    EBUSY_ = 16, NONBLOCK = 04000, EFD_SEMAPHORE = 1, TFD_TIMER_ABSTIME = 1,
    MFD_ALLOW_SEALING = 2, F_ADD_SEALS = 1033, F_GET_SEALS = 1034, F_SEAL_SEAL = 1, F_SEAL_SHRINK = 2, F_SEAL_GROW = 4, F_SEAL_WRITE = 8,
    F_GETLK = 5, F_SETLK = 6, F_OFD_GETLK = 36, F_OFD_SETLK = 37, F_RDLCK = 0, F_WRLCK = 1, F_UNLCK = 2,
    LOCK_SH = 1, LOCK_EX = 2, LOCK_NB = 4, LOCK_UN = 8, GRND_NONBLOCK = 1, GRND_RANDOM = 2, GRND_INSECURE = 4, MAP_SHARED_ = 1,
};

typedef int16_t s16;

struct lock { s16 type, whence; s64 start, len; s32 pid; };
struct itimerspec_ { s64 interval[2], value[2]; };

static u64 number;

static long add(long fd, u64 value) { return sys3(NR_write, fd, &value, 8); }

static void counters(void) {
    long fd = sys2(NR_eventfd2_, 3, NONBLOCK);
    CHECK_EQ(sys3(NR_read, fd, &number, 7), -EINVAL);
    CHECK_EQ(sys3(NR_read, fd, &number, 8), 8);
    CHECK_EQ(number, 3);
    CHECK_EQ(sys3(NR_read, fd, &number, 8), -EAGAIN);
    CHECK_EQ(add(fd, ~0ull), -EINVAL);
    CHECK_EQ(add(fd, ~0ull - 1), 8);
    CHECK_EQ(add(fd, 1), -EAGAIN);
    CHECK_EQ(sys1(NR_close, fd), 0);
    fd = sys2(NR_eventfd2_, 2, NONBLOCK | EFD_SEMAPHORE);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(sys3(NR_read, fd, &number, 8), 8);
        CHECK_EQ(number, 1);
    }
    CHECK_EQ(sys3(NR_read, fd, &number, 8), -EAGAIN);
    CHECK_EQ(sys1(NR_close, fd), 0);
    CHECK_EQ(sys2(NR_eventfd2_, 0, 2), -EINVAL);
}

/// Waits until the descriptor can be read, and reads its number.
static u64 next(long fd) {
    struct pollfd { s32 fd; s16 events, revents; } wanted = { (s32)fd, 1, 0 };
    CHECK_EQ(sys5(NR_ppoll, &wanted, 1, 0, 0, 0), 1);
    CHECK_EQ(sys3(NR_read, fd, &number, 8), 8);
    return number;
}

static void timers(void) {
    struct itimerspec_ once = { { 0, 0 }, { 0, 1000000 } }, often = { { 0, 1000000 }, { 0, 1000000 } }, past = { { 0, 0 }, { 0, 1 } },
                       late = { { 7, 0 }, { 1000, 0 } }, is = { { 0, 0 }, { 0, 0 } }, bad = { { 0, 0 }, { 0, 1000000000 } };
    CHECK_EQ(sys2(NR_timerfd_create_, 99, 0), -EINVAL);
    long fd = sys2(NR_timerfd_create_, CLOCK_MONOTONIC, NONBLOCK);
    CHECK(fd >= 0);
    CHECK_EQ(sys3(NR_read, fd, &number, 8), -EAGAIN);
    CHECK_EQ(sys4(NR_timerfd_settime_, fd, 0, &bad, 0), -EINVAL);
    CHECK_EQ(sys4(NR_timerfd_settime_, fd, 0, &once, 0), 0);
    CHECK_EQ(next(fd), 1);
    CHECK_EQ(sys3(NR_read, fd, &number, 8), -EAGAIN);
    CHECK_EQ(sys4(NR_timerfd_settime_, fd, TFD_TIMER_ABSTIME, &past, 0), 0);
    CHECK_EQ(next(fd), 1);
    CHECK_EQ(sys4(NR_timerfd_settime_, fd, 0, &often, 0), 0);
    for (u64 seen = 0; seen < 3;) seen += next(fd);
    // What it was, and what it is.
    CHECK_EQ(sys4(NR_timerfd_settime_, fd, 0, &late, &is), 0);
    CHECK(is.interval[0] == 0 && is.interval[1] == 1000000);
    CHECK_EQ(sys2(NR_timerfd_gettime_, fd, &is), 0);
    CHECK(is.interval[0] == 7 && is.value[0] > 900 && is.value[0] <= 1000);
    CHECK_EQ(sys1(NR_close, fd), 0);
}

static long seal(long fd, int seals) { return sys3(NR_fcntl, fd, F_ADD_SEALS, seals); }

static void memory(void) {
    char name[256], link[64] = { 0 };
    for (int i = 0; i < 255; i++) name[i] = 'n';
    name[255] = 0;
    CHECK_EQ(sys2(NR_memfd_create_, name, 0), -EINVAL);
    CHECK_EQ(sys2(NR_memfd_create_, "x", 0x8000), -EINVAL);
    long plain = sys2(NR_memfd_create_, "plain", 0), fd = sys2(NR_memfd_create_, "sealed", MFD_ALLOW_SEALING);
    CHECK_EQ(sys2(NR_fcntl, plain, F_GET_SEALS), F_SEAL_SEAL);
    CHECK_EQ(seal(plain, F_SEAL_GROW), -EPERM);
    CHECK_EQ(sys2(NR_ftruncate_, fd, 4096), 0);
    char *at = (char *)sys6(NR_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED_, (u64)fd, 0);
    at[0] = 'm';
    CHECK_EQ(sys3(NR_read, fd, link, 1), 1);
    CHECK_EQ(link[0], 'm');
    CHECK_EQ(seal(fd, F_SEAL_WRITE), -EBUSY_);
    CHECK_EQ(sys2(NR_munmap, at, 4096), 0);
    CHECK_EQ(seal(fd, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW), 0);
    CHECK_EQ(sys2(NR_fcntl, fd, F_GET_SEALS), F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW);
    CHECK_EQ(add(fd, 0), -EPERM);
    CHECK_EQ(sys2(NR_ftruncate_, fd, 0), -EPERM);
    CHECK_EQ(sys2(NR_ftruncate_, fd, 8192), -EPERM);
    CHECK_EQ(sys6(NR_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED_, (u64)fd, 0), -EPERM);
    // Its name in /proc, by a number of one digit.
    CHECK(fd < 10);
    char path[] = "/proc/self/fd/N";
    path[14] = (char)('0' + fd);
    CHECK(sys4(NR_readlinkat_, AT_FDCWD, path, link, sizeof link - 1) > 0);
    CHECK(rt_streq(link, "/memfd:sealed (deleted)"));
    CHECK_EQ(sys1(NR_close, fd) | sys1(NR_close, plain), 0);
}

static long record(long fd, int command, int type, s64 start, struct lock *lock) {
    *lock = (struct lock) { (s16)type, 0, start, 10, 0 };
    return sys3(NR_fcntl, fd, command, lock);
}

/// What another process meets: the status says which byte ranges it could lock.
static int tried_by_a_child(long fd) {
    struct lock lock;
    s32 parent = getpid(), child = rt_fork();
    if (child != 0) return WEXITSTATUS(rt_wait(child));
    CHECK_EQ(record(fd, F_GETLK, F_WRLCK, 0, &lock), 0);
    CHECK(lock.type == F_UNLCK || (lock.type == F_WRLCK && lock.pid == parent && lock.start == 0 && lock.len == 10));
    long first = record(fd, F_SETLK, F_WRLCK, 0, &lock), second = record(fd, F_SETLK, F_RDLCK, 10, &lock);
    CHECK((first == 0 || first == -EAGAIN) && (second == 0 || second == -EAGAIN));
    rt_exit_group((first == 0) | (second == 0) << 1);
}

static void locks(void) {
    struct lock lock;
    long fd = sys2(NR_memfd_create_, "locked", 0), copy = sys1(NR_dup_, fd);
    CHECK(fd < 10 && copy >= 0);
    CHECK_EQ(tried_by_a_child(fd), 3);
    CHECK_EQ(record(fd, F_SETLK, F_WRLCK, 0, &lock), 0);
    CHECK_EQ(tried_by_a_child(fd), 2);
    // A lock that can be shared, and one's own.
    CHECK_EQ(record(fd, F_SETLK, F_RDLCK, 10, &lock), 0);
    CHECK_EQ(record(copy, F_SETLK, F_WRLCK, 0, &lock), 0);
    CHECK_EQ(tried_by_a_child(fd), 2);
    // Closing any descriptor of the file releases them.
    CHECK_EQ(sys1(NR_close, copy), 0);
    CHECK_EQ(tried_by_a_child(fd), 3);
    CHECK_EQ(record(fd, F_SETLK, 9, 0, &lock), -EINVAL);

    // An open file description of its own in the same process: there is none to wait for oneself.
    char path[] = "/proc/self/fd/N";
    path[14] = (char)('0' + fd);
    long other = sys4(NR_openat, AT_FDCWD, path, 2, 0);
    CHECK(other >= 0);
    CHECK_EQ(record(fd, F_OFD_SETLK, F_WRLCK, 0, &lock), 0);
    CHECK_EQ(record(other, F_OFD_SETLK, F_WRLCK, 0, &lock), -EAGAIN);
    CHECK_EQ(record(other, F_OFD_GETLK, F_WRLCK, 0, &lock), 0);
    CHECK(lock.type == F_WRLCK && lock.pid == -1);
    CHECK_EQ(record(fd, F_OFD_SETLK, F_UNLCK, 0, &lock), 0);
    CHECK_EQ(record(other, F_OFD_SETLK, F_WRLCK, 0, &lock), 0);
    copy = sys1(NR_dup_, fd);
    CHECK_EQ(sys2(NR_flock_, fd, LOCK_EX | LOCK_NB), 0);
    CHECK_EQ(sys2(NR_flock_, copy, LOCK_EX | LOCK_NB), 0);
    CHECK_EQ(sys2(NR_flock_, other, LOCK_SH | LOCK_NB), -EAGAIN);
    CHECK_EQ(sys2(NR_flock_, copy, LOCK_SH | LOCK_NB), 0);
    CHECK_EQ(sys2(NR_flock_, other, LOCK_SH | LOCK_NB), 0);
    CHECK_EQ(sys2(NR_flock_, other, LOCK_UN), 0);
    CHECK_EQ(sys2(NR_flock_, other, 0), -EINVAL);
    CHECK_EQ(sys1(NR_close, fd) | sys1(NR_close, copy) | sys1(NR_close, other), 0);
}

static void random_bytes(void) {
    u64 first[8] = { 0 }, second[8] = { 0 };
    CHECK_EQ(sys3(NR_getrandom_, first, sizeof first, 0), sizeof first);
    CHECK_EQ(sys3(NR_getrandom_, second, sizeof second, GRND_NONBLOCK), sizeof second);
    for (int i = 0; i < 8; i++) CHECK(first[i] != 0 && first[i] != second[i]);
    CHECK_EQ(sys3(NR_getrandom_, first, 8, 8), -EINVAL);
    CHECK_EQ(sys3(NR_getrandom_, first, 8, GRND_RANDOM | GRND_INSECURE), -EINVAL);
    CHECK_EQ(sys3(NR_getrandom_, 8, 8, 0), -EFAULT);
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    static char names[6][65];
    rt_guard(30);
    CHECK_EQ(sys1(NR_uname_, 8), -EFAULT);
    CHECK_EQ(sys1(NR_uname_, names), 0);
    if (argc > 1 && rt_streq(argv[1], "kernel")) {
        say("%s %s %s\n", names[0], names[2], names[4]);
        return 0;
    }
    counters();
    timers();
    memory();
    locks();
    random_bytes();
    say("objects: ok\n");
    return 0;
}
