// files DIR: every call on files, directories and their metadata, in a directory of its own below DIR.

#include "rt.h"

// Each call by its number in asm-generic/unistd.h.
enum {
    NR_setxattr = 5, NR_lsetxattr, NR_fsetxattr, NR_getxattr, NR_lgetxattr, NR_fgetxattr, NR_listxattr, NR_llistxattr,
    NR_flistxattr, NR_removexattr, NR_lremovexattr, NR_fremovexattr, NR_getcwd = 17, NR_dup = 23, NR_dup3 = 24,
    NR_mknodat = 33, NR_mkdirat = 34, NR_unlinkat = 35, NR_symlinkat = 36, NR_linkat = 37, NR_renameat = 38,
    NR_statfs = 43, NR_fstatfs = 44, NR_truncate = 45, NR_ftruncate = 46, NR_fallocate = 47, NR_faccessat = 48,
    NR_chdir = 49, NR_fchdir = 50, NR_fchmod = 52, NR_fchmodat = 53, NR_fchownat = 54, NR_fchown = 55, NR_vhangup = 58,
    NR_getdents64 = 61, NR_readv = 65, NR_writev = 66, NR_pread64 = 67, NR_pwrite64 = 68, NR_preadv = 69, NR_pwritev = 70,
    NR_readlinkat = 78, NR_newfstatat = 79, NR_fstat = 80, NR_sync = 81, NR_fsync = 82, NR_fdatasync = 83,
    NR_sync_file_range = 84, NR_utimensat = 88, NR_umask = 166, NR_readahead = 213, NR_fadvise64 = 223, NR_name_to_handle_at = 264, NR_open_by_handle_at = 265,
    NR_syncfs = 267,
    NR_renameat2 = 276, NR_memfd_create = 279, NR_copy_file_range = 285, NR_preadv2 = 286, NR_pwritev2 = 287,
    NR_statx = 291, NR_close_range = 436, NR_openat2 = 437, NR_faccessat2 = 439, NR_fchmodat2 = 452, NR_setxattrat = 463,
    NR_getxattrat, NR_listxattrat, NR_removexattrat,
};
enum {
    O_WRONLY = 1, O_RDWR = 2, O_CREAT = 0100, O_EXCL = 0200, O_TRUNC = 01000, O_APPEND = 02000, O_DIRECTORY = 040000,
    O_NOFOLLOW = 0100000, O_PATH = 010000000, AT_SYMLINK_NOFOLLOW = 0x100, AT_REMOVEDIR = 0x200, AT_SYMLINK_FOLLOW = 0x400,
    AT_EMPTY_PATH = 0x1000, EEXIST = 17, EXDEV = 18, ENOTDIR = 20, EISDIR = 21, ERANGE = 34, ENOTEMPTY = 39, ELOOP = 40,
    ENODATA = 61, EOVERFLOW = 75, EOPNOTSUPP = 95, S_IFIFO = 010000, ENXIO = 6, E2BIG = 7, SEEK_SET = 0, SEEK_CUR = 1, SEEK_END = 2, SEEK_DATA = 3, SEEK_HOLE = 4,
    RENAME_NOREPLACE = 1, RENAME_EXCHANGE = 2,
};

struct stat {
    u64 st_dev, st_ino;
    u32 st_mode, st_nlink, st_uid, st_gid;
    u64 st_rdev, pad1;
    s64 st_size;
    s32 st_blksize, pad2;
    s64 st_blocks, st_atime, st_atime_nsec, st_mtime, st_mtime_nsec, st_ctime, st_ctime_nsec;
    u32 unused[2];
};
_Static_assert(sizeof(struct stat) == 128, "struct stat is 128 bytes");
struct iovec { void *base; u64 len; };
struct open_how { u64 flags, mode, resolve; };
struct xattr_args { u64 value; u32 size, flags; };

static char buffer[4096];
static struct stat st;

static long open_at(const char *path, int flags, int mode) { return sys4(NR_openat, AT_FDCWD, path, flags, mode); }

static long make(const char *path, const char *content) {
    long fd = open_at(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
    CHECK(fd >= 0);
    size_t len = 0;
    while (content[len]) len++;
    CHECK_EQ(sys3(NR_write, fd, content, len), len);
    return fd;
}

static struct stat *status(const char *path, int flags) {
    CHECK_EQ(sys4(NR_newfstatat, AT_FDCWD, path, &st, flags), 0);
    return &st;
}

static void names(void) {
    CHECK_EQ(sys3(NR_mkdirat, AT_FDCWD, "d", 0755), 0);
    CHECK_EQ(sys3(NR_mkdirat, AT_FDCWD, "d", 0755), -EEXIST);
    sys1(NR_close, make("d/f", "12345"));
    CHECK_EQ(sys5(NR_linkat, AT_FDCWD, "d/f", AT_FDCWD, "hard", 0), 0);
    CHECK_EQ(status("hard", 0)->st_nlink, 2);
    CHECK_EQ(sys3(NR_symlinkat, "d/f", AT_FDCWD, "soft"), 0);
    CHECK_EQ(status("soft", AT_SYMLINK_NOFOLLOW)->st_mode >> 12, 10);
    CHECK_EQ(status("soft", 0)->st_size, 5);
    CHECK_EQ(sys4(NR_readlinkat, AT_FDCWD, "soft", buffer, 2), 2);
    CHECK_EQ(sys4(NR_readlinkat, AT_FDCWD, "soft", buffer, 0), -EINVAL);
    CHECK_EQ(sys4(NR_readlinkat, AT_FDCWD, "hard", buffer, 9), -EINVAL);
    CHECK_EQ(sys5(NR_linkat, AT_FDCWD, "soft", AT_FDCWD, "followed", AT_SYMLINK_FOLLOW), 0);
    CHECK_EQ(status("followed", AT_SYMLINK_NOFOLLOW)->st_mode >> 12, 8);
    CHECK_EQ(sys4(NR_renameat, AT_FDCWD, "followed", AT_FDCWD, "renamed"), 0);
    CHECK_EQ(sys5(NR_renameat2, AT_FDCWD, "renamed", AT_FDCWD, "hard", RENAME_NOREPLACE), -EEXIST);
    CHECK_EQ(sys5(NR_renameat2, AT_FDCWD, "soft", AT_FDCWD, "hard", RENAME_EXCHANGE), 0);
    CHECK_EQ(status("hard", AT_SYMLINK_NOFOLLOW)->st_mode >> 12, 10);
    CHECK_EQ(sys3(NR_unlinkat, AT_FDCWD, "hard", 0), 0);
    CHECK_EQ(sys3(NR_unlinkat, AT_FDCWD, "d", 0), -EISDIR);
    CHECK_EQ(sys3(NR_unlinkat, AT_FDCWD, "d", AT_REMOVEDIR), -ENOTEMPTY);
    CHECK_EQ(sys4(NR_mknodat, AT_FDCWD, "fifo", 010644, 0), 0);
    CHECK_EQ(status("fifo", 0)->st_mode >> 12, 1);
    CHECK_EQ(open_at("soft/x", O_RDONLY, 0), -ENOTDIR);
    CHECK_EQ(sys3(NR_symlinkat, "loop", AT_FDCWD, "loop"), 0);
    CHECK_EQ(open_at("loop", O_RDONLY, 0), -ELOOP);
    CHECK_EQ(open_at("soft", O_RDWR | O_CREAT | O_EXCL, 0644), -EEXIST);
    CHECK_EQ(open_at("d", O_WRONLY, 0), -EISDIR);
    CHECK_EQ(open_at("none", O_RDONLY, 0), -ENOENT);
}

static void open_flags(void) {
    long fd = open_at("d", O_RDONLY | O_DIRECTORY, 0);
    CHECK(fd >= 0);
    CHECK_EQ(open_at("d/f", O_RDONLY | O_DIRECTORY, 0), -ENOTDIR);
    // The directory, its two dots, its one file.
    long len = sys3(NR_getdents64, fd, buffer, sizeof buffer), count = 0;
    for (long at = 0; at < len; at += *(u16 *)(buffer + at + 16)) count++;
    CHECK_EQ(count, 3);
    CHECK_EQ(sys3(NR_getdents64, fd, buffer, sizeof buffer), 0);
    CHECK_EQ(sys3(NR_lseek, fd, 0, SEEK_SET), 0);
    CHECK(sys3(NR_getdents64, fd, buffer, sizeof buffer) == len);
    CHECK_EQ(sys3(NR_lseek, fd, 0, SEEK_SET), 0);
    CHECK_EQ(sys3(NR_getdents64, fd, buffer, 1), -EINVAL);
    long file = sys4(NR_openat, fd, "f", O_RDONLY | O_NOFOLLOW, 0);
    CHECK(file >= 0);
    CHECK_EQ(sys3(NR_fcntl, file, 3, 0) & O_NOFOLLOW, O_NOFOLLOW);
    struct open_how how = { O_RDONLY, 0, 8 };
    CHECK_EQ(sys4(NR_openat2, fd, "../d/f", &how, sizeof how), -EXDEV);
    how.resolve = 4;
    CHECK_EQ(sys4(NR_openat2, AT_FDCWD, "loop", &how, sizeof how), -ELOOP);
    how.resolve = 0;
    long again = sys4(NR_openat2, fd, "f", &how, sizeof how);
    CHECK(again >= 0);
    CHECK_EQ(sys4(NR_openat2, fd, "f", &how, sizeof how - 8), -EINVAL);
    how.flags = 1ull << 40;
    CHECK_EQ(sys4(NR_openat2, fd, "f", &how, sizeof how), -EINVAL);
    long path = open_at("d/f", O_PATH, 0);
    CHECK_EQ(sys3(NR_read, path, buffer, 1), -EBADF);
    CHECK_EQ(sys4(NR_newfstatat, path, "", &st, AT_EMPTY_PATH), 0);
    CHECK_EQ(sys2(NR_fstat, path, &st), 0);
    CHECK_EQ(st.st_size, 5);
    CHECK_EQ(sys1(NR_fchdir, fd), 0);
    CHECK_EQ(sys4(NR_faccessat, AT_FDCWD, "f", 4, 0), 0);
    CHECK_EQ(sys1(NR_chdir, ".."), 0);
    CHECK_EQ(sys4(NR_faccessat2, AT_FDCWD, "loop", 0, AT_SYMLINK_NOFOLLOW), 0);
    CHECK_EQ(sys4(NR_faccessat2, AT_FDCWD, "loop", 0, 0), -ELOOP);
    CHECK(sys2(NR_getcwd, buffer, sizeof buffer) > 1);
    CHECK_EQ(sys2(NR_getcwd, buffer, 1), -ERANGE);
    CHECK_EQ(sys3(NR_close_range, file, path, 0), 0);
    CHECK_EQ(sys1(NR_close, again), -EBADF);
    CHECK_EQ(sys1(NR_close, fd), 0);
}

static void contents(void) {
    long fd = make("c", "0123456789");
    CHECK_EQ(sys4(NR_pread64, fd, buffer, 3, 7), 3);
    CHECK_EQ(buffer[0], '7');
    CHECK_EQ(sys4(NR_pwrite64, fd, "xy", 2, 4), 2);
    struct iovec two[2] = { { buffer, 2 }, { buffer + 8, 3 } };
    CHECK_EQ(sys3(NR_lseek, fd, 3, SEEK_SET), 3);
    CHECK_EQ(sys3(NR_readv, fd, two, 2), 5);
    CHECK_EQ(buffer[1], 'x');
    CHECK_EQ(buffer[8], 'y');
    CHECK_EQ(sys3(NR_writev, fd, two, 2), 5);
    CHECK_EQ(sys4(NR_preadv, fd, two, 2, 0), 5);
    CHECK_EQ(sys4(NR_pwritev, fd, two, 1, 20), 2);
    CHECK_EQ(sys3(NR_lseek, fd, 0, SEEK_CUR), 13);
    CHECK_EQ(sys6(NR_preadv2, fd, (u64)two, 1, (u64)-1, 0, 0), 2);
    CHECK_EQ(sys6(NR_pwritev2, fd, (u64)two, 1, 30, 0, 0x10), 2);
    CHECK_EQ(sys3(NR_lseek, fd, 0, SEEK_END), 24);
    CHECK_EQ(sys3(NR_lseek, fd, -100, SEEK_CUR), -EINVAL);
    CHECK_EQ(sys2(NR_ftruncate, fd, 1 << 20), 0);
    CHECK_EQ(sys2(NR_truncate, "c", 1 << 19), 0);
    CHECK(sys3(NR_lseek, fd, 0, SEEK_HOLE) > 0);
    CHECK_EQ(sys3(NR_lseek, fd, 1 << 20, SEEK_DATA), -ENXIO);
    long allocated = sys4(NR_fallocate, fd, 0, 0, 4096);
    CHECK(allocated == 0 || allocated == -EOPNOTSUPP);
    CHECK_EQ(sys4(NR_fadvise64, fd, 0, 0, 3), 0);
    CHECK_EQ(sys3(NR_readahead, fd, 0, 4096), 0);
    CHECK_EQ(sys4(NR_sync_file_range, fd, 0, 0, 2), 0);
    CHECK_EQ(sys1(NR_fsync, fd), 0);
    CHECK_EQ(sys1(NR_fdatasync, fd), 0);
    CHECK_EQ(sys1(NR_syncfs, fd), 0);
    long to = make("copy", "");
    s64 from_offset = 0, to_offset = 2;
    CHECK_EQ(sys6(NR_copy_file_range, fd, (u64)&from_offset, to, (u64)&to_offset, 10, 0), 10);
    CHECK_EQ(from_offset + to_offset, 10 + 12);
    CHECK_EQ(status("copy", 0)->st_size, 12);
    long memory = sys2(NR_memfd_create, "name", 1);
    CHECK_EQ(sys3(NR_write, memory, "m", 1), 1);
    CHECK_EQ(sys3(NR_fcntl, memory, 1, 0), 1);
    long twin = sys1(NR_dup, memory);
    CHECK_EQ(sys3(NR_fcntl, twin, 1, 0), 0);
    CHECK_EQ(sys3(NR_dup3, memory, twin, O_CLOEXEC), twin);
    CHECK_EQ(sys3(NR_dup3, memory, memory, 0), -EINVAL);
    long append = open_at("copy", O_WRONLY | O_APPEND, 0);
    CHECK_EQ(sys3(NR_write, append, "end", 3), 3);
    CHECK_EQ(sys3(NR_lseek, append, 0, SEEK_CUR), 15);
}

static void metadata(void) {
    long fd = make("m", "x");
    CHECK_EQ(sys2(NR_fchmod, fd, 0600), 0);
    CHECK_EQ(status("m", 0)->st_mode, 0100600);
    CHECK_EQ(sys3(NR_fchmodat, AT_FDCWD, "m", 0640), 0);
    CHECK_EQ(sys4(NR_fchmodat2, AT_FDCWD, "m", 0644, 0), 0);
    CHECK_EQ(sys4(NR_fchmodat2, AT_FDCWD, "m", 0644, 1), -EINVAL);
    CHECK_EQ(status("m", 0)->st_mode, 0100644);
    u32 own = st.st_uid, group = st.st_gid;
    CHECK_EQ(sys3(NR_fchown, fd, own, group), 0);
    CHECK_EQ(sys5(NR_fchownat, AT_FDCWD, "soft", own, group, AT_SYMLINK_NOFOLLOW), 0);
    struct timespec times[2] = { { 1000, 5 }, { 2000, 7 } };
    CHECK_EQ(sys4(NR_utimensat, AT_FDCWD, "m", times, 0), 0);
    CHECK_EQ(status("m", 0)->st_mtime, 2000);
    CHECK_EQ(st.st_atime_nsec, 5);
    CHECK_EQ(sys4(NR_utimensat, fd, 0, 0, 0), 0);
    CHECK(status("m", 0)->st_mtime > 2000);
    u32 extended[64];
    CHECK_EQ(sys5(NR_statx, AT_FDCWD, "m", 0, 0x7ff, extended), 0);
    CHECK_EQ(*(u16 *)&extended[7], 0100644);
    CHECK_EQ(sys5(NR_statx, fd, "", AT_EMPTY_PATH, 0x7ff, extended), 0);
    u64 system[15];
    CHECK_EQ(sys2(NR_statfs, ".", system), 0);
    u64 type = system[0], block = system[1];
    CHECK_EQ(sys2(NR_fstatfs, fd, system), 0);
    CHECK(type == system[0] && block == system[1] && system[8] == 255);
    long mask = sys1(NR_umask, 077);
    sys1(NR_close, make("masked", ""));
    CHECK_EQ(status("masked", 0)->st_mode, 0100600);
    CHECK_EQ(sys1(NR_umask, mask), 077);
    CHECK_EQ(sys0(NR_vhangup), -EPERM);
    CHECK_EQ(sys0(NR_sync), 0);
}

/// Attributes, where the file system has them for users.
static void attributes(void) {
    long fd = make("a", "x");
    long set = sys5(NR_setxattr, "a", "user.one", "1", 1, 0);
    CHECK_EQ(sys4(NR_getxattr, "a", "user.none", buffer, 9), set ? -EOPNOTSUPP : -ENODATA);
    if (set == -EOPNOTSUPP) return;
    CHECK_EQ(set, 0);
    CHECK_EQ(sys5(NR_setxattr, "a", "user.one", "1", 1, 1), -EEXIST);
    CHECK_EQ(sys5(NR_fsetxattr, fd, "user.two", "22", 2, 0), 0);
    CHECK_EQ(sys5(NR_lsetxattr, "a", "user.three", "333", 3, 0), 0);
    CHECK_EQ(sys4(NR_getxattr, "a", "user.two", buffer, 1), -ERANGE);
    CHECK_EQ(sys4(NR_getxattr, "a", "user.two", 0, 0), 2);
    CHECK_EQ(sys4(NR_lgetxattr, "a", "user.two", buffer, 9), 2);
    CHECK_EQ(sys4(NR_fgetxattr, fd, "user.three", buffer, 9), 3);
    long len = sys3(NR_listxattr, "a", buffer, sizeof buffer);
    CHECK(len >= 9 + 9 + 11);
    CHECK_EQ(sys3(NR_llistxattr, "a", 0, 0), len);
    CHECK_EQ(sys3(NR_flistxattr, fd, buffer, sizeof buffer), len);
    CHECK_EQ(sys2(NR_removexattr, "a", "user.one"), 0);
    CHECK_EQ(sys2(NR_lremovexattr, "a", "user.three"), 0);
    CHECK_EQ(sys2(NR_fremovexattr, fd, "user.two"), 0);
    CHECK_EQ(sys2(NR_fremovexattr, fd, "user.two"), -ENODATA);
    struct xattr_args args = { (u64) "v", 1, 0 };
    CHECK_EQ(sys6(NR_setxattrat, AT_FDCWD, (u64) "a", 0, (u64) "user.at", (u64)&args, sizeof args), 0);
    args = (struct xattr_args){ (u64)buffer, 9, 0 };
    CHECK_EQ(sys6(NR_getxattrat, fd, (u64) "", AT_EMPTY_PATH, (u64) "user.at", (u64)&args, sizeof args), 1);
    CHECK(sys5(NR_listxattrat, AT_FDCWD, "a", 0, buffer, sizeof buffer) >= 8);
    CHECK_EQ(sys4(NR_removexattrat, AT_FDCWD, "a", 0, "user.at"), 0);
    CHECK_EQ(sys4(NR_removexattrat, AT_FDCWD, "a", 1, "user.at"), -EINVAL);
}

struct handle { u32 bytes; s32 type; char data[128]; };

static long handle_of(const char *path, struct handle *handle) {
    u64 mount = 0;
    handle->bytes = 128;
    return sys5(NR_name_to_handle_at, AT_FDCWD, path, handle, &mount, 0);
}

static void on_alarm(int sig, siginfo_t *info, ucontext_t *context) { (void)sig, (void)info, (void)context; }

// A file's handle outlives its name; opening by it takes a privilege, and waits where opening the file waits.
static void handles(void) {
    struct handle handle;
    sys1(NR_close, make("h", "handle"));
    if (handle_of("h", &handle) == -EOPNOTSUPP) return;
    CHECK(handle.bytes > 0 && handle.bytes <= 128);
    CHECK_EQ(handle_of("none", &handle), -ENOENT);
    CHECK_EQ(handle_of("h", &handle), 0);
    CHECK_EQ(sys5(NR_renameat2, AT_FDCWD, "h", AT_FDCWD, "renamed", 0), 0);
    long fd = sys3(NR_open_by_handle_at, AT_FDCWD, &handle, O_RDONLY);
    if (fd == -EPERM) return;
    CHECK(fd >= 0);
    CHECK_EQ(sys3(NR_read, fd, buffer, 100), 6);
    CHECK_EQ(sys1(NR_close, fd), 0);
    CHECK_EQ(sys3(NR_open_by_handle_at, AT_FDCWD, &handle, O_RDONLY | O_DIRECTORY), -ENOTDIR);
    CHECK_EQ(sys3(NR_open_by_handle_at, 99, &handle, O_RDONLY), -EBADF);
    fd = sys3(NR_open_by_handle_at, AT_FDCWD, &handle, O_PATH);
    CHECK(fd >= 0);
    CHECK_EQ(sys3(NR_read, fd, buffer, 100), -EBADF);
    CHECK_EQ(sys1(NR_close, fd), 0);

    CHECK_EQ(sys3(NR_symlinkat, "renamed", AT_FDCWD, "hl"), 0);
    CHECK_EQ(handle_of("hl", &handle), 0);
    CHECK_EQ(sys3(NR_open_by_handle_at, AT_FDCWD, &handle, O_RDONLY), -ELOOP);
    CHECK_EQ(sys4(NR_mknodat, AT_FDCWD, "hp", S_IFIFO | 0600, 0), 0);
    CHECK_EQ(handle_of("hp", &handle), 0);
    CHECK_EQ(sys3(NR_open_by_handle_at, AT_FDCWD, &handle, O_WRONLY | O_NONBLOCK), -ENXIO);
    rt_sigaction(SIGALRM, on_alarm, 0, 0);
    struct itimerval often = { { 0, 50000 }, { 0, 50000 } };
    CHECK_EQ(sys3(NR_setitimer, 0, &often, 0), 0);
    CHECK_EQ(sys3(NR_open_by_handle_at, AT_FDCWD, &handle, O_RDONLY), -EINTR);
    rt_sigaction(SIGALRM, SIG_DFL, 0, 0);
    rt_guard(30);
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK_EQ(argc, 2);
    rt_guard(30);
    CHECK_EQ(sys1(NR_chdir, argv[1]), 0);
    names();
    open_flags();
    contents();
    metadata();
    attributes();
    handles();
    // A path that is not there is no path.
    CHECK_EQ(sys4(NR_openat, AT_FDCWD, 8, 0, 0), -EFAULT);
    CHECK_EQ(sys4(NR_newfstatat, AT_FDCWD, "m", 8, 0), -EFAULT);
    CHECK_EQ(sys3(NR_getdents64, 99, buffer, 10), -EBADF);
    say("files: ok\n");
    return 0;
}
