// syscall-fuzz SEED BATCHES [DIR]: calls every syscall with bad and half-good pointers, lengths, flags and descriptors.
//
// Each batch is a child process of its own, in a new empty directory below DIR (default /tmp), in a session of its own, with
// limits, and with no descriptor from outside. It makes CALLS calls of random rows, with arguments that are a function of
// SEED plus the batch's number: `syscall-fuzz SEED+N 1` does batch N again. Where a call ends the child, another one goes on
// behind that call, so that each batch makes all of its calls. What may become of a child is anything but
// what only an emulator's fault can bring: a status that it does not have, or no end. A call that waits is interrupted by
// SIGALRM every 2 ms; where a call has blocked that, another thread ends the process by exit_group, which must end any wait.
//
// Nothing outside may be hit, also where the guest runs on a kernel: paths are relative and lead out only to files of
// /proc/self, processes are the child itself or none, ids of System V objects are its own, devices are never made, and calls
// that reach the machine are left out (syscall-fuzz-rows.h). With a child's end its directory and objects are removed and its
// own children are ended: this process adopts them.
//
// With BATCHES of at least 50, each row must have been called. Standard error gets the numbers where the environment has
// FUZZ_VERBOSE.

#include "rt.h"

enum { CALLS = 100, STUCK_STATUS = 77, LIMIT_SECONDS = 60, IDS = 64 };
enum { NR_setrlimit = 164, NR_clone3 = 435, NR_mkdirat = 34, NR_unlinkat = 35, NR_symlinkat = 36, NR_fchmodat = 53,
       NR_fchdir = 50, NR_chdir = 49, NR_dup3 = 24, NR_close_range = 436, NR_setsid = 157, NR_memfd_create = 279,
       NR_getdents64 = 61, NR_eventfd2 = 19, NR_epoll_create1 = 20, NR_inotify_init1 = 26, NR_timerfd_create = 85,
       NR_signalfd4 = 74, NR_pidfd_open = 434, NR_socketpair = 199, NR_socket = 198, NR_mknodat = 33,
       NR_msgget = 186, NR_msgctl = 187, NR_semget = 190, NR_semctl = 191, NR_shmget = 194, NR_shmctl = 195,
       NR_mq_open = 180, NR_mq_unlink = 181, NR_prctl = 167 };
enum { O_CREAT = 0100, O_RDWR = 2, O_DIRECTORY = 040000, O_NOFOLLOW = 0100000, AT_REMOVEDIR = 0x200, S_IFIFO = 010000,
       DT_DIR = 4, IPC_RMID = 0, WUNTRACED = 2, PR_SET_CHILD_SUBREAPER = 36 };
static const u64 PAGE = 4096, BUFFERS = 16 * PAGE, ARENA = 256 * PAGE;

struct row { u16 number; const char *name; const char *kinds; };
static const struct row ROWS[] = {
#define ROW(number, name, kinds) { number, #name, kinds },
#define LEAVE(number, name, why)
#include "syscall-fuzz-rows.h"
#undef ROW
#undef LEAVE
};
enum { COUNT = sizeof ROWS / sizeof ROWS[0] };

/// What a child tells its parent, in memory that they share: how many calls the batch has made, the state of the random
/// numbers at the last one, that call, and what is to be removed.
struct books {
    u64 progress, seed;
    u32 row;
    u64 args[6];
    u32 ids_made;
    struct { s32 number, id; } ids[IDS];   // System V objects: the call that made each
    u32 calls[COUNT], successes[COUNT];
};
static struct books *books;
static int verbose;

// ---- random numbers (splitmix64) ----

static u64 seed;

static u64 random(void) {
    u64 z = seed += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}
static u64 below(u64 bound) { return random() % bound; }
#define PICK(array) array[below(sizeof array / sizeof array[0])]

// ---- the child's memory: names | hole | buffers | hole | arena ----

static u8 *names, *buffers, *arena;
enum { FDS = 24 };
static s32 fds[FDS];
static u32 fds_made;

/// A name that no zero ends before the hole.
static char *endless_name(void) { return (char *)names + PAGE - 64; }

static void make_memory(void) {
    u8 *all = rt_mmap(PAGE + PAGE + BUFFERS + PAGE + ARENA, PROT_READ | PROT_WRITE);
    names = all;
    buffers = names + 2 * PAGE;
    arena = buffers + BUFFERS + PAGE;
    memset(endless_name(), 'n', 64);
    CHECK_EQ(sys3(NR_mprotect, names, PAGE, PROT_READ), 0);
    CHECK_EQ(sys3(NR_mprotect, names + PAGE, PAGE, PROT_NONE), 0);
    CHECK_EQ(sys3(NR_mprotect, buffers + BUFFERS, PAGE, PROT_NONE), 0);
}

// ---- values of each kind ----

static u64 bad_pointer(void) {
    const u64 values[] = {
        0, 1, 8, 0x1000, (u64)names, (u64)names + PAGE, (u64)buffers + BUFFERS - 4, (u64)buffers + BUFFERS - 1,
        (u64)buffers + BUFFERS, (1ull << 42) - 4096, (1ull << 42) - 8, 1ull << 42, 1ull << 48, 1ull << 55, 1ull << 63,
        0xfffffffffffff000ull, ~7ull, ~0ull, (u64)buffers | 0x5aull << 56, (u64)buffers + 1,
    };
    return PICK(values);
}

static u64 size(void) {
    static const u64 values[] = { 0, 1, 4, 8, 16, 24, 32, 64, 128, 4095, 4096, 8192, 65536, 0x7fffffff, 0x80000000,
                                  0xffffffff, 1ull << 42, 1ull << 47, 1ull << 63, ~0ull, ~0ull - 4095 };
    return below(2) ? PICK(values) : below(300);
}

/// Of memory: little, or more than there can be.
static u64 memory_size(void) {
    u64 bytes = below(3) ? below(20) * PAGE : size();
    return bytes > ARENA && bytes < 1ull << 42 ? 1ull << 42 : bytes;
}

static u64 integer(void) {
    static const u64 values[] = { 0, 1, 2, 3, 4, 8, 16, 100, 1000, 0x7fffffff, 0x80000000, 0xffffffff, ~0ull };
    return below(3) ? PICK(values) : random() >> below(64);
}

static u64 flags(void) {
    switch (below(5)) {
    case 0: return 0;
    case 1: return 1ull << below(32);
    case 2: return 1ull << below(32) | 1ull << below(32);
    case 3: return below(16);
    default: return integer();
    }
}

static u64 pointer(void) { return below(6) ? (u64)buffers + below(BUFFERS / 16) * 8 : bad_pointer(); }

static u64 descriptor(void) {
    static const u64 bad[] = { ~0ull, 63, 999, 0x7fffffff, 0x80000000, (u64)AT_FDCWD };
    return below(6) ? (u64)fds[below(fds_made)] : PICK(bad);
}

/// A process that is this one, its group, or none: never another.
static u64 process(void) {
    const u64 values[] = { 0, (u64)getpid(), (u64)getpid(), (u64)-getpid(), 0x7fffffff, 0x80000000 };
    return PICK(values);
}

/// A path that a sloppy emulator might follow, but none that leads to anything of others.
static u64 path(void) {
    static const char *const values[] = { "f", "f", "d", "d/f", "d/g", "new", "fifo", "socket", "loop", "dangling", "", ".",
                                          "f/x", "d/", "./d/./f", "missing/x", "/proc/self/maps", "/proc/self/fd",
                                          "/proc/self/stat", "/proc/self/fd/3", "/proc/self/none" };
    static const u64 bad[] = { 0, 1, 0x1000, 1ull << 42, 1ull << 55, ~0ull };
    switch (below(8)) {
    case 0: return (u64)endless_name();
    case 1: return (u64)names + PAGE;
    case 2: return PICK(bad);
    default: return (u64)PICK(values);
    }
}

static u64 name(void) {
    static const char *const values[] = { "user.a", "user.b", "trusted.x", "security.x", "", "plain", "system.posix_acl_access" };
    return below(5) ? (u64)PICK(values) : (u64)endless_name();
}

static u64 message_queue(void) {
    static const char *const values[] = { "elfuse-fuzz", "", "a/b", "/elfuse-fuzz", "." };
    return below(5) ? (u64)PICK(values) : (u64)endless_name();
}

/// 256 bytes of words that structures may have, somewhere in the buffers.
static u64 structure(void) {
    if (!below(8)) return bad_pointer();
    u64 *at = (u64 *)(buffers + below(BUFFERS / 2 / 64) * 64);
    for (u32 i = 0; i < 32; i++) {
        switch (below(6)) {
        case 0: at[i] = 0; break;
        case 1: at[i] = pointer(); break;
        case 2: at[i] = (u32)descriptor() | flags() << 32; break;
        case 3: at[i] = flags(); break;
        case 4: at[i] = size(); break;
        default: at[i] = integer() << 32 | (integer() & 0xffffffff); break;
        }
    }
    return (u64)at;
}

static u64 vector(void) {
    if (!below(8)) return bad_pointer();
    u64 *at = (u64 *)(buffers + below(64) * 64);
    for (u32 i = 0; i < 8; i++) {
        at[2 * i] = pointer();
        at[2 * i + 1] = below(3) ? below(8192) : size();
    }
    return (u64)at;
}

static u64 short_time(void) {
    static const struct timespec values[] = { { 0, 0 }, { 0, 1 }, { 0, 1000000 }, { 0, -1 }, { 0, 1000000000 }, { -1, 0 },
                                              { 1ll << 62, 0 }, { 1000, 0 } };
    return below(6) ? (u64)&PICK(values) : bad_pointer();
}

static u64 address(void) {
    static const struct { u16 family; char rest[110]; } values[] = {
        { 1, "socket" }, { 1, "f" }, { 1, "\0elfuse-fuzz" }, { 1, "d/new" }, { 2, "\0\x09\x7f\0\0\1" }, { 10, "" }, { 0, "" },
        { 0xffff, "x" },
    };
    return below(5) ? (u64)&PICK(values) : bad_pointer();
}

static u64 message(void) {
    if (!below(8)) return bad_pointer();
    u64 *at = (u64 *)(buffers + BUFFERS / 2);
    const u64 fields[8] = { below(2) ? address() : 0, below(2) ? below(128) : size(), vector(), below(3) ? below(9) : size(),
                            pointer(), below(2) ? below(256) : size(), flags(), 0 };
    for (u32 i = 0; i < 8; i++) at[i] = fields[i];
    return (u64)at;
}

static u64 mapping(void) {
    const u64 values[] = { 0, 0x10000, (u64)arena + 1, (1ull << 42) - 4096, (1ull << 48) - 4096, ~0ull - 4095, 1ull << 55 };
    return below(4) ? (u64)arena + below(ARENA / PAGE) * PAGE : PICK(values);
}

static u64 map_flags(void) {
    static const u64 values[] = { 0x22, 0x21, 0x22, 2, 1, 0x32, 0x12, 0x100022, 0x122, 0x40022, 0x8022, 3 };
    return below(6) ? PICK(values) : flags();
}

static u64 file_mode(void) {
    static const u64 values[] = { 0010600, 0100644, 0140600, 0, 0600, 0170000, 0050000 };
    return PICK(values);
}

static u64 control(void) {
    static const u64 values[] = { 0x541b, 0x5421, 0x5452, 0x5451, 0x5450, 0x5401, 0x5402, 0x5413, 0x5414, 0x540f, 0x5410,
                                  0x5411, 0x540b, 0xdeadbeef, 0, ~0ull };
    return PICK(values);
}

static u64 clone_flags(void) {
    static const u64 values[] = { SIGCHLD, 0, CLONE_VM | 0x4000 | SIGCHLD, 0x3d0f00, 0x10000, 0x800, 0x8000 | SIGCHLD };
    return below(3) ? PICK(values) : PICK(values) | flags();
}

/// An object of this process, or none: not 0, which is somebody's first.
static u64 ipc_id(void) {
    u32 made = books->ids_made;
    return made && below(4) ? (u64)books->ids[below(made)].id : below(2) ? ~0ull : 0x7fffffff;
}

static u64 value(char kind) {
    static const u64 domains[] = { 1, 1, 2, 10, 0, 100, ~0ull }, whats[] = { 0, 1, 5, ~0ull }, users[] = { ~0ull, ~0ull, 0, 1000 },
                     resources[] = { 0, 3, 5, 7, 8, 11, 12, 13, 14, 15, 16, ~0ull };
    switch (kind) {
    case 'f': return descriptor();
    case 'd': return below(2) ? (u64)AT_FDCWD : descriptor();
    case 'p': return path();
    case 'q': return name();
    case 'N': return message_queue();
    case 'b': return pointer();
    case 'n': return pointer();
    case 'u': return below(4) ? (u64)buffers + below(4) * 4 : pointer();
    case 's': return structure();
    case 'S': return below(2) ? (u64)buffers + below(BUFFERS / 32) * 16 : bad_pointer();
    case 'v': return vector();
    case 't': return short_time();
    case 'a': return address();
    case 'm': return message();
    case 'z': return size();
    case 'y': return memory_size();
    case 'i': return integer();
    case 'l': return below(2) ? integer() : below(100000);
    case 'h': return flags();
    case 'c': return below(4) ? below(80) : flags();
    case 'g': return below(4) ? below(66) : integer();
    case 'P': return process();
    case 'W': return PICK(whats);
    case 'A': return mapping();
    case 'V': return map_flags();
    case 'U': return PICK(users);
    case 'D': return PICK(domains);
    case 'R': return PICK(resources);
    case 'K': return 0;
    case 'I': return ipc_id();
    case 'M': return file_mode();
    case 'C': return clone_flags();
    case 'X': return control();
    case 'E': return below(2) * 256;
    default: CHECK_EQ(kind, '0'); return 0;
    }
}

// ---- the call ----

/// A call whose new thread or process, should there be one, ends at once, without a stack; rt_sigreturn reads its frame from
/// the first argument.
static long call(u64 number, const u64 *args) {
    register u64 x8 __asm__("x8") = number;
    register u64 x0 __asm__("x0") = args[0];
    register u64 x1 __asm__("x1") = args[1];
    register u64 x2 __asm__("x2") = args[2];
    register u64 x3 __asm__("x3") = args[3];
    register u64 x4 __asm__("x4") = args[4];
    register u64 x5 __asm__("x5") = args[5];
    if (number == NR_clone || number == NR_clone3) {
        __asm__ volatile("svc #0\n cbnz x0, 1f\n mov x8, #93\n svc #0\n1:"
                         : "+r"(x0), "+r"(x8) : "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory", "cc");
    } else if (number == NR_rt_sigreturn) {
        __asm__ volatile("mov x9, sp\n mov sp, x0\n svc #0\n mov sp, x9" : "+r"(x0) : "r"(x8) : "memory", "cc", "x9");
    } else {
        __asm__ volatile("svc #0" : "+r"(x0) : "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5), "r"(x8) : "memory", "cc");
    }
    return (long)x0;
}

static void on_alarm(int sig, siginfo_t *info, ucontext_t *context) { (void)sig, (void)info, (void)context; }

/// Undoes what a call may have done to the interruptions.
static void open_alarm(void) {
    const struct itimerval often = { { 0, 2000 }, { 0, 2000 } };
    rt_sigaction(SIGALRM, on_alarm, SA_SIGINFO, 0);
    rt_sigmask(SIG_SETMASK, 0);
    CHECK_EQ(sys3(NR_setitimer, ITIMER_REAL, &often, 0), 0);
}

static int makes_object(u64 number) { return number == NR_msgget || number == NR_semget || number == NR_shmget; }

static void one_call(void) {
    u32 index = (u32)below(COUNT);
    const struct row *row = &ROWS[index];
    if (makes_object(row->number) && books->ids_made == IDS) return;
    u64 args[6];
    for (u32 i = 0; i < 6; i++) args[i] = below(8) ? 0 : integer();
    for (u32 i = 0; row->kinds[i]; i++) args[i] = value(row->kinds[i]);
    open_alarm();
    books->row = index;
    books->seed = seed;
    for (u32 i = 0; i < 6; i++) books->args[i] = args[i];
    ADD(&books->calls[index], 1);
    ADD(&books->progress, 1);
    long result = call(row->number, args);
    if (result >= 0) ADD(&books->successes[index], 1);
    if (result >= 0 && makes_object(row->number)) {
        books->ids[books->ids_made].number = row->number;
        books->ids[books->ids_made++].id = (s32)result;
    }
}

// ---- one batch ----

/// Ends the process when the other thread makes no progress: it waits in a call that SIGALRM does not end.
static void watch(void *unused) {
    (void)unused;
    rt_sigmask(SIG_SETMASK, ~0ull);
    u64 seen = 0;
    for (u32 still = 0; still < 12; still++) {
        u64 now = LOAD(&books->progress);
        if (now != seen) still = 0;
        seen = now;
        const struct timespec turn = { 0, 20000000 };
        sys2(NR_nanosleep, &turn, 0);
    }
    rt_exit_group(STUCK_STATUS);
}

static void keep(long fd) {
    CHECK(fd >= 0);
    CHECK(fds_made < FDS);
    fds[fds_made++] = (s32)fd;
}

static void make_files(void) {
    CHECK_EQ(sys3(NR_mkdirat, AT_FDCWD, "d", 0700), 0);
    CHECK_EQ(sys3(NR_symlinkat, "loop", AT_FDCWD, "loop"), 0);
    CHECK_EQ(sys3(NR_symlinkat, "nowhere", AT_FDCWD, "dangling"), 0);
    CHECK_EQ(sys4(NR_mknodat, AT_FDCWD, "fifo", S_IFIFO | 0600, 0), 0);
    s32 pair[2];
    CHECK_EQ(sys2(NR_pipe2, pair, 0), 0);
    keep(pair[0]), keep(pair[1]);
    CHECK_EQ(sys4(NR_socketpair, 1, 1, 0, pair), 0);
    keep(pair[0]), keep(pair[1]);
    keep(sys4(NR_openat, AT_FDCWD, "f", O_CREAT | O_RDWR, 0600));
    keep(sys4(NR_openat, AT_FDCWD, "d/f", O_CREAT | O_RDWR, 0600));
    keep(sys4(NR_openat, AT_FDCWD, "d", O_DIRECTORY, 0));
    keep(sys4(NR_openat, AT_FDCWD, "fifo", O_RDWR, 0));
    keep(sys3(NR_socket, 1, 1, 0));
    keep(sys3(NR_socket, 1, 2, 0));
    keep(sys3(NR_socket, 2, 1, 0));
    keep(sys2(NR_eventfd2, 0, 0));
    keep(sys1(NR_epoll_create1, 0));
    keep(sys1(NR_inotify_init1, 0));
    keep(sys2(NR_timerfd_create, CLOCK_MONOTONIC, 0));
    const u64 signals = SIGBIT(SIGUSR1);
    keep(sys4(NR_signalfd4, -1, &signals, 8, 0));
    keep(sys2(NR_memfd_create, "fuzz", 0));
    keep(sys2(NR_pidfd_open, getpid(), 0));
    keep(sys4(NR_mq_open, "elfuse-fuzz", O_CREAT | O_RDWR, 0600, 0));
}

static void limit(u64 resource, u64 most) {
    const u64 both[2] = { most, most };
    CHECK_EQ(sys2(NR_setrlimit, resource, both), 0);
}

__attribute__((noreturn)) static void batch(const char *directory) {
    CHECK_EQ(sys1(NR_chdir, directory), 0);
    CHECK(sys0(NR_setsid) > 0);
    // No descriptor of others: not 0 to 2 either.
    long null = sys2(NR_memfd_create, "null", 0);
    CHECK(null >= 0);
    for (s32 fd = 0; fd < 3; fd++) CHECK(null == fd || sys3(NR_dup3, null, fd, 0) == fd);
    CHECK_EQ(sys3(NR_close_range, 3, ~0u, 0), 0);
    make_memory();
    make_files();
    limit(1, 1 << 20);     // RLIMIT_FSIZE
    limit(9, 512 << 20);   // RLIMIT_AS
    limit(4, 0);           // RLIMIT_CORE
    limit(0, 20);          // RLIMIT_CPU
    for (u32 i = 0; i < BUFFERS / 8; i++) ((u64 *)buffers)[i] = random();
    rt_thread_start(watch, 0);
    while (books->progress < CALLS) one_call();
    rt_exit_group(0);
}

// ---- what remains ----

struct entry { u64 inode, next; u16 length; u8 type; char name[]; };

/// Removes a directory and what is in it.
static void remove_directory(s32 at, const char *directory) {
    sys3(NR_fchmodat, at, directory, 0700);
    long fd = sys4(NR_openat, at, directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    CHECK(fd >= 0);
    u64 bytes[256];
    long length;
    while ((length = sys3(NR_getdents64, fd, bytes, sizeof bytes)) > 0) {
        for (long done = 0; done < length;) {
            struct entry *entry = (struct entry *)((u8 *)bytes + done);
            done += entry->length;
            if (rt_streq(entry->name, ".") || rt_streq(entry->name, "..")) continue;
            if (entry->type == DT_DIR) remove_directory((s32)fd, entry->name);
            else sys3(NR_unlinkat, fd, entry->name, 0);
        }
    }
    sys1(NR_close, fd);
    CHECK_EQ(sys3(NR_unlinkat, at, directory, AT_REMOVEDIR), 0);
}

static void remove_objects(void) {
    for (u32 i = 0; i < books->ids_made; i++) {
        s32 id = books->ids[i].id;
        switch (books->ids[i].number) {
        case NR_msgget: sys3(NR_msgctl, id, IPC_RMID, 0); break;
        case NR_semget: sys4(NR_semctl, id, 0, IPC_RMID, 0); break;
        default: sys3(NR_shmctl, id, IPC_RMID, 0); break;
        }
    }
    books->ids_made = 0;
    sys1(NR_mq_unlink, "elfuse-fuzz");
}

static void tell(const char *what, u64 batch_seed, int status) {
    const u64 *a = books->args;
    rt_printf(2, "syscall-fuzz %lu 1: %s (status 0x%x) in %s(0x%lx, 0x%lx, 0x%lx, 0x%lx, 0x%lx, 0x%lx), call %lu\n", batch_seed,
              what, status, ROWS[books->row].name, a[0], a[1], a[2], a[3], a[4], a[5], books->progress);
}

static void on_limit(int sig, siginfo_t *info, ucontext_t *context) { (void)sig, (void)info, (void)context; }

/// Ends and reaps all that the child has left: its session, and whoever left that, who ends by himself.
static void end_others(s32 child) {
    sys2(NR_kill, -child, SIGKILL);
    while (sys4(NR_wait4, -1, 0, 0, 0) > 0) {}
}

/// Makes calls of a batch until the child ends; what became of it: 0 well, 1 not.
static int life(u64 batch_seed) {
    CHECK_EQ(sys3(NR_mkdirat, AT_FDCWD, "batch", 0700), 0);
    s32 child = rt_fork();
    if (child == 0) batch("batch");
    rt_guard(LIMIT_SECONDS);
    s32 status = 0;
    long ended = sys4(NR_wait4, child, &status, WUNTRACED, 0);
    while (ended == child && (status & 0xff) == 0x7f) {
        sys2(NR_kill, child, SIGCONT);
        ended = sys4(NR_wait4, child, &status, WUNTRACED, 0);
    }
    int failed = 0;
    if (ended != child) {
        tell("does not end", batch_seed, 0);
        sys2(NR_kill, child, SIGKILL);
        rt_wait(child);
        failed = 1;
    } else if (WIFEXITED(status) && WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != STUCK_STATUS) {
        tell("ended by itself", batch_seed, status);
        failed = 1;
    } else if (verbose && books->progress < CALLS) {
        tell("ended", batch_seed, status);
    }
    end_others(child);
    remove_directory(AT_FDCWD, "batch");
    remove_objects();
    return failed;
}

/// Runs a batch to its end; in how many of its lives something went wrong.
static u32 run(u64 batch_seed) {
    u32 failed = 0;
    seed = batch_seed;
    books->progress = 0;
    do {
        u64 before = books->progress;
        failed += (u32)life(batch_seed);
        seed = books->seed;
        // A child that makes no call at all would do so for ever.
        if (books->progress == before) return failed + 1;
    } while (books->progress < CALLS);
    return failed;
}

static u32 append(char *to, u32 at, const char *text) {
    while (*text) to[at++] = *text++;
    to[at] = 0;
    return at;
}

/// Makes and enters DIR/elfuse-fuzz-PID, and leaves its name in `directory`.
static void enter(char directory[256], const char *parent) {
    u32 at = append(directory, 0, parent);
    at = append(directory, at, "/elfuse-fuzz-");
    char digits[2] = { 0, 0 };
    for (u32 scale = 1000000000, pid = (u32)getpid(); scale; scale /= 10) {
        digits[0] = (char)('0' + pid / scale % 10);
        at = append(directory, at, digits);
    }
    CHECK_EQ(sys3(NR_mkdirat, AT_FDCWD, directory, 0700), 0);
    CHECK_EQ(sys1(NR_chdir, directory), 0);
}

int main(int argc, char **argv, char **envp) {
    CHECK(argc == 3 || argc == 4);
    u64 first = rt_parse_u64(argv[1]), batches = rt_parse_u64(argv[2]);
    for (; *envp; envp++) verbose |= rt_streq(*envp, "FUZZ_VERBOSE=1");
    char directory[256];
    enter(directory, argc == 4 ? argv[3] : "/tmp");
    books = (void *)sys6(NR_mmap, 0, sizeof *books, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK((s64)books > 0);
    rt_sigaction(SIGALRM, on_limit, SA_SIGINFO, 0);
    CHECK_EQ(sys5(NR_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
    u32 failed = 0;
    for (u64 i = 0; i < batches; i++) failed += run(first + i);
    rt_guard(0);
    CHECK_EQ(sys1(NR_chdir, "/"), 0);
    CHECK_EQ(sys3(NR_unlinkat, AT_FDCWD, directory, AT_REMOVEDIR), 0);
    for (u32 i = 0; i < COUNT; i++) {
        if (verbose) rt_printf(2, "%s: %u calls, %u without error\n", ROWS[i].name, books->calls[i], books->successes[i]);
        CHECK(batches < 50 || books->calls[i] > 0);
    }
    CHECK_EQ(failed, 0);
    say("syscall-fuzz: ok\n");
    return 0;
}
