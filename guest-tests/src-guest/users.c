// users HOW: changes the user, as a daemon does that begins as root, and finds that all its waits go by the new one.
//
// HOW is `drop` (real, effective and saved user: for good), `effective` (the effective one alone) or `back` (the effective one,
// and back). Without root's rights the user can only be changed to what it is, and to nobody else.
//
// Sources: credentials(7), setresuid(2), fifo(7).

#include "rt.h"

enum { NR_mknodat = 33, NR_unlinkat = 35, NR_setuid = 146, NR_setresuid = 147, NR_getresuid = 148, NR_geteuid = 175 };
enum { S_IFIFO = 0010000, O_WRONLY = 1, NOBODY = 65534 };
#define KEPT 0xffffffffu

static char fifo[64] = "/tmp/elfuse-users-";

static void name_fifo(void) {
    char *end = fifo;
    while (*end) end++;
    for (u64 left = (u64)getpid(); left; left /= 10) *end++ = (char)('0' + left % 10);
    *end = 0;
}

static void write_side(void *arg) {
    (void)arg;
    long fd = sys4(NR_openat, AT_FDCWD, fifo, O_WRONLY, 0);
    CHECK(fd >= 0);
    CHECK_EQ(sys1(NR_close, fd), 0);
}

/// Both sides of the FIFO are opened, each waits for the other.
static void open_both(void) {
    struct rt_thread *writer = rt_thread_start(write_side, 0);
    long fd = sys4(NR_openat, AT_FDCWD, fifo, O_RDONLY, 0);
    CHECK(fd >= 0);
    rt_thread_join(writer);
    CHECK_EQ(sys1(NR_close, fd), 0);
}

static void check_ids(u32 real, u32 effective, u32 saved) {
    u32 ids[3] = { 1, 1, 1 };
    CHECK_EQ(sys3(NR_getresuid, &ids[0], &ids[1], &ids[2]), 0);
    CHECK_EQ(ids[0], real);
    CHECK_EQ(ids[1], effective);
    CHECK_EQ(ids[2], saved);
}

static u32 own, other;

static void change(const char *how) {
    int is_root = own == 0;
    if (!is_root) CHECK_EQ(sys1(NR_setuid, 0), -EPERM);
    if (rt_streq(how, "drop")) {
        CHECK_EQ(sys1(NR_setuid, other), 0);
        check_ids(other, other, other);
        if (is_root) CHECK_EQ(sys1(NR_setuid, 0), -EPERM);
    } else {
        CHECK_EQ(sys3(NR_setresuid, KEPT, other, KEPT), 0);
        check_ids(own, other, own);
    }
}

/// A child's work: who may open the FIFO, which waits, is decided by the user of now.
static void check_waits(const char *how) {
    // Whoever does the waiting has done it for the first user.
    open_both();
    change(how);
    if (own == 0) {
        CHECK_EQ(sys4(NR_openat, AT_FDCWD, fifo, O_RDONLY, 0), -EACCES);
    } else {
        open_both();
    }
    if (!rt_streq(how, "back")) return;
    CHECK_EQ(sys3(NR_setresuid, KEPT, own, KEPT), 0);
    check_ids(own, own, own);
    open_both();
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    rt_guard(60);
    CHECK_EQ(argc, 2);
    own = (u32)sys0(NR_geteuid);
    other = own == 0 ? NOBODY : own;
    name_fifo();
    // What a killed process of this id has left is nobody's any more.
    sys3(NR_unlinkat, AT_FDCWD, fifo, 0);
    CHECK_EQ(sys4(NR_mknodat, AT_FDCWD, fifo, S_IFIFO | 0600, 0), 0);
    s32 pid = rt_fork();
    if (pid == 0) {
        rt_guard(30);
        check_waits(argv[1]);
        rt_exit_group(0);
    }
    int status = rt_wait(pid);
    CHECK_EQ(sys3(NR_unlinkat, AT_FDCWD, fifo, 0), 0);
    CHECK_EQ(status, 0);
    // And ends as the other user.
    change(argv[1]);
    say("users %s: ok\n", argv[1]);
    return 0;
}
