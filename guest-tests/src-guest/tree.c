// tree VERB PATH ...: looks at files as its arguments say, one line each: `VERB PATH: RESULT`.
//
//   read PATH      the first line of the file           write PATH TEXT   makes the file new
//   link PATH      the target of a symbolic link        type PATH         what it is, not following links
//   enter PATH     changes directory                    where             the working directory
//   make PATH      makes a directory                    remove PATH       removes a file
//   move PATH NEW  renames                              follow PATH       what it is, following links
//   under PATH     changes the root directory           run PATH ...      executes it with the remaining arguments
//   find PATH TEXT  the line that begins with TEXT     list PATH         the names in a directory
//   listen PATH    binds a socket, and its name         connect PATH      connects to it, and the name of the peer
//   sendto PATH    sends itself a datagram there, and the name of the sender
//   watch PATH     sees by inotify that the file is opened; watchlink PATH: that the link itself is not
//   fork           goes on in a child, whose status is this process's
// RESULT is `error N` with the errno where the call fails.

#include "rt.h"

enum { NR_getdents64 = 61, NR_getcwd = 17, NR_mkdirat = 34, NR_unlinkat = 35, NR_chdir = 49, NR_chroot = 51, NR_readlinkat = 78,
       NR_newfstatat = 79, NR_inotify_init1 = 26, NR_inotify_add_watch = 27, NR_socket = 198, NR_bind = 200, NR_listen = 201,
       NR_connect = 203, NR_getsockname = 204, NR_getpeername = 205, NR_sendto = 206, NR_recvfrom = 207, NR_renameat2 = 276 };
enum { O_WRONLY = 1, O_CREAT = 0100, O_EXCL = 0200, AT_SYMLINK_NOFOLLOW = 0x100 };
enum { AF_UNIX = 1, SOCK_STREAM = 1, SOCK_DGRAM = 2, IN_OPEN = 0x20, IN_DONT_FOLLOW = 0x02000000 };

struct name { u16 family; char path[126]; };

static long listener;

static char text[4096];

/// Ends the line of a call: `result` where it succeeded.
static void answer(const char *verb, const char *path, long error, const char *result) {
    if (error < 0) say("%s %s: error %ld\n", verb, path, -error);
    else say("%s %s: %s\n", verb, path, result);
}

static long first_line(const char *path) {
    long fd = sys4(NR_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) return fd;
    long len = sys3(NR_read, fd, text, sizeof text - 1);
    sys1(NR_close, fd);
    if (len < 0) return len;
    for (long i = 0; i < len; i++)
        if (text[i] == '\n' || text[i] == 0) len = i;
    text[len] = 0;
    return 0;
}

/// Copies the line that begins with `start` to the beginning of `text`.
static long find_line(const char *path, const char *start) {
    static char content[65536];
    long fd = sys4(NR_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0), total = 0, len;
    if (fd < 0) return fd;
    while ((len = sys3(NR_read, fd, content + total, sizeof content - 1 - total)) > 0) total += len;
    sys1(NR_close, fd);
    if (len < 0) return len;
    content[total] = 0;
    for (char *line = content; *line;) {
        size_t same = 0, end = 0;
        while (start[same] && line[same] == start[same]) same++;
        while (line[end] && line[end] != '\n') end++;
        if (!start[same] && end < sizeof text) {
            memcpy(text, line, end);
            text[end] = 0;
            return 0;
        }
        line += line[end] ? end + 1 : end;
    }
    return -ENOENT;
}

static long list(const char *path) {
    long fd = sys4(NR_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0), len;
    size_t at = 0;
    if (fd < 0) return fd;
    u64 entries[128];
    while ((len = sys3(NR_getdents64, fd, entries, sizeof entries)) > 0)
        for (char *entry = (char *)entries; entry < (char *)entries + len; entry += *(u16 *)(entry + 16))
            for (const char *name = entry + 18;; name++) {
                CHECK(at + 1 < sizeof text);
                text[at++] = name[1] ? name[1] : ' ';
                if (!name[1]) break;
            }
    text[at] = 0;
    sys1(NR_close, fd);
    return len;
}

static long write_new(const char *path, const char *content) {
    long fd = sys4(NR_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0) return fd;
    size_t len = 0;
    while (content[len]) len++;
    long written = sys3(NR_write, fd, content, len);
    sys1(NR_close, fd);
    return written;
}

static u32 name_of(const char *path, struct name *name) {
    u32 len = 0;
    name->family = AF_UNIX;
    while ((name->path[len] = path[len])) len++;
    return len + 3;
}

/// Copies a name that the kernel gave to `text`.
static long tell(long error, const struct name *name, u32 len) {
    if (error < 0) return error;
    memcpy(text, name->path, sizeof name->path);
    text[len < 2 ? 0 : len - 2] = 0;
    return 0;
}

static long bind_to(const char *path, int kind) {
    struct name name;
    u32 len = name_of(path, &name);
    listener = sys3(NR_socket, AF_UNIX, kind, 0);
    long error = sys3(NR_bind, listener, &name, len);
    if (error == 0 && kind == SOCK_STREAM) error = sys2(NR_listen, listener, 1);
    len = sizeof name;
    return tell(error ? error : sys3(NR_getsockname, listener, &name, &len), &name, len);
}

static long connect_to(const char *path) {
    struct name name;
    u32 len = name_of(path, &name);
    long socket = sys3(NR_socket, AF_UNIX, SOCK_STREAM, 0), error = sys3(NR_connect, socket, &name, len);
    len = sizeof name;
    return tell(error ? error : sys3(NR_getpeername, socket, &name, &len), &name, len);
}

static long send_to(const char *path) {
    struct name name;
    char byte;
    long error = bind_to(path, SOCK_DGRAM);
    u32 len = name_of(path, &name);
    if (error == 0) error = sys6(NR_sendto, (u64)listener, (u64)"x", 1, 0, (u64)&name, len);
    len = sizeof name;
    if (error >= 0) error = sys6(NR_recvfrom, (u64)listener, (u64)&byte, 1, 0, (u64)&name, (u64)&len);
    return tell(error, &name, len);
}

static long watch(const char *path, u32 mask) {
    char event[512];
    long watcher = sys1(NR_inotify_init1, O_NONBLOCK);
    long error = sys3(NR_inotify_add_watch, watcher, path, IN_OPEN | mask);
    if (error < 0) return error;
    long fd = sys4(NR_openat, AT_FDCWD, path, O_RDONLY, 0);
    if (fd < 0) return fd;
    error = sys3(NR_read, watcher, event, sizeof event);
    return error < 0 ? error : 0;
}

static const char *type_of(const char *path, int flags, long *error) {
    u32 stat[32];
    *error = sys4(NR_newfstatat, AT_FDCWD, path, stat, flags);
    switch (stat[4] >> 12) {
    case 1: return "fifo";
    case 2: return "character";
    case 4: return "directory";
    case 6: return "block";
    case 8: return "file";
    case 10: return "link";
    case 12: return "socket";
    default: return "?";
    }
}

static long look_at(const char *verb, const char *path, const char **result) {
    long error = 0;
    *result = text;
    text[0] = 0;
    if (rt_streq(verb, "read")) {
        error = first_line(path);
    } else if (rt_streq(verb, "list")) {
        error = list(path);
    } else if (rt_streq(verb, "listen")) {
        error = bind_to(path, SOCK_STREAM);
    } else if (rt_streq(verb, "connect")) {
        error = connect_to(path);
    } else if (rt_streq(verb, "sendto")) {
        error = send_to(path);
    } else if (rt_streq(verb, "link")) {
        error = sys4(NR_readlinkat, AT_FDCWD, path, text, sizeof text - 1);
        if (error >= 0) text[error] = 0;
    } else if (rt_streq(verb, "type")) {
        *result = type_of(path, AT_SYMLINK_NOFOLLOW, &error);
    } else if (rt_streq(verb, "follow")) {
        *result = type_of(path, 0, &error);
    } else {
        *result = "done";
        if (rt_streq(verb, "enter")) error = sys1(NR_chdir, path);
        else if (rt_streq(verb, "under")) error = sys1(NR_chroot, path);
        else if (rt_streq(verb, "make")) error = sys3(NR_mkdirat, AT_FDCWD, path, 0755);
        else if (rt_streq(verb, "remove")) error = sys3(NR_unlinkat, AT_FDCWD, path, 0);
        else if (rt_streq(verb, "watch")) error = watch(path, 0);
        else if (rt_streq(verb, "watchlink")) error = watch(path, IN_DONT_FOLLOW);
        else CHECK(!"a verb");
    }
    return error;
}

int main(int argc, char **argv, char **envp) {
    rt_guard(30);
    for (int i = 1; i < argc; i++) {
        const char *verb = argv[i], *path = i + 1 < argc ? argv[i + 1] : "", *result = "done";
        long error;
        if (rt_streq(verb, "where")) {
            error = sys2(NR_getcwd, text, sizeof text);
            answer(verb, "", error, text);
        } else if (rt_streq(verb, "fork")) {
            s32 child = rt_fork();
            if (child != 0) {
                int status = rt_wait(child);
                CHECK(WIFEXITED(status));
                return WEXITSTATUS(status);
            }
        } else if (rt_streq(verb, "run")) {
            answer(verb, path, sys3(NR_execve, path, argv + i + 1, envp), "done");
            return 1;
        } else if (rt_streq(verb, "write") || rt_streq(verb, "move") || rt_streq(verb, "find")) {
            CHECK(i + 2 < argc);
            if (verb[0] == 'w') error = write_new(path, argv[i + 2]);
            else if (verb[0] == 'f') error = find_line(path, argv[i + 2]), result = text;
            else error = sys5(NR_renameat2, AT_FDCWD, path, AT_FDCWD, argv[i + 2], 0);
            answer(verb, path, error, result);
            i += 2;
        } else {
            error = look_at(verb, path, &result);
            answer(verb, path, error, result);
            i++;
        }
    }
    return 0;
}
