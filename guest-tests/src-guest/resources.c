// resources [alone]: what processes have in common and where memory lies: kcmp, the pages of a forked child in smaps,
// process_madvise of a child, move_pages, migrate_pages, cachestat, memfd_secret; and the limit of memory and the personality
// that children inherit.
//
// With `alone` a forked child has copies of pages from the start, and not the pages themselves until somebody writes.
// Calls that a kernel may be built without, or that take rights, may be ENOSYS or EPERM, and nothing else.
//
// Sources: kcmp(2), proc_pid_smaps(5), process_madvise(2), move_pages(2), migrate_pages(2), cachestat(2), memfd_secret(2),
// personality(2), setrlimit(2).

#include "rt.h"

#define PAGE 4096ull
enum {
    NR_setrlimit_ = 164, RLIMIT_AS = 9, NR_personality_ = 92, ADDR_NO_RANDOMIZE = 0x40000, NR_dup_ = 23, NR_ftruncate_ = 46, NR_madvise_ = 233, NR_memfd_create_ = 279, NR_migrate_pages_ = 238, NR_move_pages_ = 239, NR_kcmp_ = 272,
    NR_pidfd_open_ = 434, NR_process_madvise_ = 440, NR_memfd_secret_ = 447, NR_cachestat_ = 451, NR_getcpu_ = 168,
    KCMP_FILE = 0, KCMP_VM = 1, KCMP_FILES = 2, MADV_FREE_ = 8, MADV_DONTNEED_ = 4, MADV_COLD_ = 20,
};

static char text[1 << 17];

/// The number of a line that begins with `name`, in the mapping of smaps that begins at `start`; -1 without one.
static s64 smaps(u64 start, const char *name) {
    long fd = sys4(NR_openat, AT_FDCWD, "/proc/self/smaps", O_RDONLY, 0), len = 0, got;
    CHECK(fd >= 0);
    while ((got = sys3(NR_read, fd, text + len, sizeof text - 1 - len)) > 0) len += got;
    CHECK_EQ(sys1(NR_close, fd), 0);
    text[len] = 0;
    int is_there = 0;
    for (char *line = text; *line; line++) {
        u64 at = 0;
        char *c = line;
        for (; (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'f'); c++) at = at * 16 + (u64)(*c <= '9' ? *c - '0' : *c - 'a' + 10);
        if (*c == '-' && c > line) is_there = at == start;
        u64 same = 0;
        while (name[same] && line[same] == name[same]) same++;
        if (is_there && !name[same]) {
            for (c = line + same; *c == ' ' || *c == ':';) c++;
            s64 number = 0;
            for (; *c >= '0' && *c <= '9'; c++) number = number * 10 + *c - '0';
            return number;
        }
        while (*line && *line != '\n') line++;
        if (!*line) break;
    }
    return -1;
}

/// A page that has been given back and written again belongs to both processes after a fork, until one writes.
static void forks(int is_alone) {
    u8 *all = rt_mmap(3 * PAGE, PROT_READ), *page = all + PAGE;
    u64 at = (u64)page;
    CHECK_EQ(sys3(NR_mprotect, page, PAGE, PROT_READ | PROT_WRITE), 0);
    CHECK_EQ(smaps(at, "Rss"), 0);
    *(volatile u8 *)page = 1;
    CHECK_EQ(sys3(NR_madvise_, page, PAGE, MADV_FREE_), 0);
    *(volatile u8 *)page = 2;
    CHECK_EQ(smaps(at, "Size"), 4);
    CHECK_EQ(smaps(at, "Private_Dirty"), 4);
    CHECK_EQ(smaps(at, "Shared_Dirty"), 0);
    CHECK_EQ(smaps(at, "Anonymous"), 4);
    s32 child = rt_fork();
    if (child == 0) {
        CHECK_EQ(smaps(at, "Shared_Dirty"), is_alone ? 0 : 4);
        CHECK_EQ(smaps(at, "Rss"), 4);
        *(volatile u8 *)page = 3;
        CHECK_EQ(smaps(at, "Private_Dirty"), 4);
        CHECK_EQ(smaps(at, "Shared_Dirty"), 0);
        rt_exit_group(0);
    }
    CHECK_EQ(rt_wait(child), 0);
    CHECK_EQ(*(volatile u8 *)page, 2);
    CHECK_EQ(smaps(at, "Private_Dirty"), 4);
}

static long kcmp(s32 a, s32 b, int kind, u64 i, u64 j) { return sys5(NR_kcmp_, a, b, kind, i, j); }

static void compares(void) {
    s32 own = getpid();
    long file = sys2(NR_memfd_create_, "file", 0), copy = sys1(NR_dup_, file), other = sys2(NR_memfd_create_, "file", 0);
    long same = kcmp(own, own, KCMP_FILE, file, copy);
    if (same == -ENOSYS) return;
    CHECK_EQ(same, 0);
    long order = kcmp(own, own, KCMP_FILE, file, other);
    CHECK(order == 1 || order == 2);
    CHECK_EQ(kcmp(own, own, KCMP_FILE, other, file), 3 - order);
    CHECK_EQ(kcmp(own, own, KCMP_FILE, file, 999), -EBADF);
    CHECK_EQ(kcmp(own, own, 8, 0, 0), -EINVAL);
    CHECK_EQ(kcmp(own, 0x7fffffff, KCMP_VM, 0, 0), -ESRCH);
    CHECK_EQ(kcmp(own, own, KCMP_VM, 0, 0), 0);
    int go[2];
    CHECK_EQ(sys2(NR_pipe2, go, 0), 0);
    s32 child = rt_fork();
    if (child == 0) {
        u8 byte;
        rt_guard(30);
        CHECK_EQ(sys1(NR_close, go[1]), 0);
        rt_exit_group((int)sys3(NR_read, go[0], &byte, 1));
    }
    CHECK(kcmp(own, child, KCMP_VM, 0, 0) > 0);
    CHECK(kcmp(own, child, KCMP_FILES, 0, 0) > 0);
    long inherited = kcmp(own, child, KCMP_FILE, file, file);
    CHECK(inherited == 0 || inherited == -EPERM);
    CHECK_EQ(sys1(NR_close, go[1]), 0);
    CHECK_EQ(rt_wait(child), 0);
    CHECK_EQ(sys1(NR_close, go[0]) | sys1(NR_close, file) | sys1(NR_close, copy) | sys1(NR_close, other), 0);
}

/// Advice about another process takes rights, and is about less.
static void advises(void) {
    u8 *page = rt_mmap(PAGE, PROT_READ | PROT_WRITE);
    *page = 5;
    int up[2], down[2];
    CHECK_EQ(sys2(NR_pipe2, up, 0) | sys2(NR_pipe2, down, 0), 0);
    s32 child = rt_fork();
    u8 byte = 0;
    if (child == 0) {
        rt_guard(30);
        CHECK_EQ(sys3(NR_write, up[1], &byte, 1), 1);
        CHECK_EQ(sys3(NR_read, down[0], &byte, 1), 1);
        rt_exit_group(*(volatile u8 *)page);
    }
    CHECK_EQ(sys3(NR_read, up[0], &byte, 1), 1);
    long pidfd = sys2(NR_pidfd_open_, child, 0);
    CHECK(pidfd >= 0);
    struct { u64 base, len; } range = { (u64)page, PAGE };
    CHECK_EQ(sys5(NR_process_madvise_, pidfd, &range, 1, MADV_DONTNEED_, 0), -EINVAL);
    long advised = sys5(NR_process_madvise_, pidfd, &range, 1, MADV_COLD_, 0);
    CHECK(advised == (long)PAGE || advised == -EPERM);
    CHECK_EQ(sys3(NR_write, down[1], &byte, 1), 1);
    CHECK_EQ(WEXITSTATUS(rt_wait(child)), 5);
    CHECK_EQ(sys1(NR_close, pidfd), 0);
}

static void moves(void) {
    u8 *pages = rt_mmap(2 * PAGE, PROT_READ | PROT_WRITE);
    u64 places[2] = { (u64)pages, (u64)pages + PAGE }, nodes = 1;
    s32 status[2] = { -1, -1 };
    u32 node = 99;
    pages[0] = 1;
    CHECK_EQ(sys3(NR_getcpu_, 0, &node, 0), 0);
    long answer = sys6(NR_move_pages_, 0, 2, (u64)places, 0, (u64)status, 0);
    if (answer != -ENOSYS) {
        CHECK_EQ(answer, 0);
        CHECK(status[0] >= 0 && status[0] < 1024);
        CHECK_EQ(status[1], -ENOENT);
        CHECK_EQ(sys6(NR_move_pages_, 0, 2, 8, 0, (u64)status, 0), -EFAULT);
        CHECK_EQ(sys6(NR_move_pages_, 0, 2, (u64)places, 0, (u64)status, 1), -EINVAL);
    }
    answer = sys4(NR_migrate_pages_, 0, 64, &nodes, &nodes);
    CHECK(answer == 0 || answer == -ENOSYS);
    if (answer == 0) CHECK_EQ(sys4(NR_migrate_pages_, 0, 64, 8, &nodes), -EFAULT);
    CHECK_EQ(pages[0], 1);
}

static void caches(void) {
    long fd = sys2(NR_memfd_create_, "cached", 0);
    struct { u64 off, len; } range = { 0, 0 };
    struct { u64 cached, dirty, writeback, evicted, recently; } stat = { 9, 9, 9, 9, 9 };
    CHECK_EQ(sys3(NR_write, fd, text, PAGE + 1), PAGE + 1);
    long answer = sys4(NR_cachestat_, fd, &range, &stat, 0);
    if (answer != -ENOSYS) {
        CHECK_EQ(answer, 0);
        CHECK_EQ(stat.cached, 2);
        CHECK_EQ(stat.writeback, 0);
        CHECK_EQ(sys4(NR_cachestat_, fd, &range, &stat, 1), -EINVAL);
        CHECK_EQ(sys4(NR_cachestat_, fd, &range, 8, 0), -EFAULT);
    }
    CHECK_EQ(sys4(NR_cachestat_, 999, &range, &stat, 0), answer == -ENOSYS ? -ENOSYS : -EBADF);
    CHECK_EQ(sys1(NR_close, fd), 0);
}

static void secrets(void) {
    long fd = sys1(NR_memfd_secret_, O_CLOEXEC);
    if (fd == -ENOSYS) return;
    CHECK(fd >= 0);
    CHECK_EQ(sys1(NR_memfd_secret_, 4), -EINVAL);
    CHECK_EQ(sys3(NR_fcntl, fd, 1, 0), 1);  // F_GETFD
    CHECK_EQ(sys2(NR_ftruncate_, fd, PAGE), 0);
    CHECK_EQ(sys6(NR_mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, (u64)fd, 0), -EINVAL);
    long at = sys6(NR_mmap, 0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, (u64)fd, 0);
    CHECK(at > 0);
    volatile u8 *secret = (u8 *)at;
    *secret = 7;
    CHECK_EQ(sys3(NR_read, fd, text, 1), -EINVAL);
    s32 child = rt_fork();
    if (child == 0) {
        CHECK_EQ(*secret, 7);
        *secret = 8;
        rt_exit_group(0);
    }
    CHECK_EQ(rt_wait(child), 0);
    CHECK_EQ(*secret, 8);
    CHECK_EQ(sys2(NR_munmap, at, PAGE), 0);
    CHECK_EQ(sys1(NR_close, fd), 0);
}

static long more(u64 len) { return sys6(NR_mmap, 0, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, (u64)-1, 0); }

/// Mappings grow to the limit and no further, children's too.
static void limits(void) {
    s32 child = rt_fork();
    if (child == 0) {
        u64 limit[2] = { 64 << 20, 64 << 20 };
        CHECK(more(128 << 20) > 0);
        CHECK_EQ(sys2(NR_setrlimit_, RLIMIT_AS, limit), 0);
        CHECK_EQ(more(1 << 20), -ENOMEM);  // more than the limit is there already
        s32 grandchild = rt_fork();
        if (grandchild == 0) rt_exit_group(more(1 << 20) == -ENOMEM ? 0 : 1);
        CHECK_EQ(rt_wait(grandchild), 0);
        const char *args[] = { "resources", "limited", 0 }, *env[] = { 0 };
        sys3(NR_execve, "/proc/self/exe", args, env);
        rt_exit_group(1);
    }
    CHECK_EQ(rt_wait(child), 0);
}

/// What an executed program does under that limit.
static int is_limited(void) { return more(40 << 20) > 0 && more(40 << 20) == -ENOMEM; }

/// Children have it, and the programs that they execute.
static void personalities(void) {
    CHECK(sys1(NR_personality_, 0) >= 0);  // setarch may have started this
    CHECK_EQ(sys1(NR_personality_, 0xffffffff), 0);
    CHECK_EQ(sys1(NR_personality_, ADDR_NO_RANDOMIZE), 0);
    CHECK_EQ(sys1(NR_personality_, 0xffffffff), ADDR_NO_RANDOMIZE);
    s32 child = rt_fork();
    if (child == 0) {
        CHECK_EQ(sys1(NR_personality_, 0xffffffff), ADDR_NO_RANDOMIZE);
        const char *args[] = { "resources", "inherited", 0 }, *env[] = { 0 };
        sys3(NR_execve, "/proc/self/exe", args, env);
        rt_exit_group(1);
    }
    CHECK_EQ(rt_wait(child), 0);
    CHECK_EQ(sys1(NR_personality_, 0), ADDR_NO_RANDOMIZE);
    CHECK_EQ(sys1(NR_personality_, 0xffffffff), 0);
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    rt_guard(30);
    if (argc > 1 && rt_streq(argv[1], "inherited")) return sys1(NR_personality_, 0xffffffff) == ADDR_NO_RANDOMIZE ? 0 : 1;
    if (argc > 1 && rt_streq(argv[1], "limited")) return is_limited() ? 0 : 1;
    forks(argc > 1 && rt_streq(argv[1], "alone"));
    compares();
    advises();
    moves();
    caches();
    secrets();
    limits();
    personalities();
    say("resources: ok\n");
    return 0;
}
