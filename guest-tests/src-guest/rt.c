// Runtime of the guest programs (see rt.h): start-up, output, checks, time, signals, threads, processes.
//
// Sources: clone(2), futex(2), rt_sigaction(2), wait4(2), setitimer(2), timer_create(2).

#include "rt.h"

u64 *rt_initial_sp;
u64 *rt_auxv;

int main(int argc, char **argv, char **envp);

__attribute__((noreturn, used)) void rt_start(u64 *sp) {
    int argc = (int)sp[0];
    char **argv = (char **)(sp + 1);
    char **envp = argv + argc + 1;
    char **end = envp;
    while (*end) end++;
    rt_initial_sp = sp;
    rt_auxv = (u64 *)(end + 1);
    rt_exit_group(main(argc, argv, envp));
}

u64 rt_auxval(u64 type, int *found) {
    for (u64 *entry = rt_auxv; entry[0] != AT_NULL; entry += 2) {
        if (entry[0] == type) {
            if (found) *found = 1;
            return entry[1];
        }
    }
    if (found) *found = 0;
    return 0;
}

void rt_exit_group(int status) {
    for (;;) sys1(NR_exit_group, status);
}

// ---- output and checks ----

struct line { char text[512]; size_t len; };

static void line_char(struct line *line, char c) {
    if (line->len < sizeof line->text) line->text[line->len++] = c;
}

static void line_number(struct line *line, u64 value, u32 base) {
    char digits[20];
    size_t count = 0;
    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    while (count) line_char(line, digits[--count]);
}

static void line_signed(struct line *line, s64 value) {
    if (value < 0) line_char(line, '-');
    line_number(line, value < 0 ? 0 - (u64)value : (u64)value, 10);
}

static void line_format(struct line *line, const char *format, va_list args) {
    for (; *format; format++) {
        if (*format != '%') {
            line_char(line, *format);
            continue;
        }
        int is_long = format[1] == 'l';
        format += 1 + is_long;
        if (*format == 's') {
            for (const char *s = va_arg(args, const char *); *s; s++) line_char(line, *s);
        } else if (*format == 'c') {
            line_char(line, (char)va_arg(args, int));
        } else if (*format == 'd') {
            line_signed(line, is_long ? va_arg(args, s64) : va_arg(args, s32));
        } else {
            line_number(line, is_long ? va_arg(args, u64) : va_arg(args, u32), *format == 'x' ? 16 : 10);
        }
    }
}

void rt_printf(int fd, const char *format, ...) {
    struct line line;
    line.len = 0;
    va_list args;
    va_start(args, format);
    line_format(&line, format, args);
    va_end(args);
    size_t done = 0;
    while (done < line.len) {
        long n = sys3(NR_write, fd, line.text + done, line.len - done);
        if (n == -EINTR) continue;
        if (n <= 0) return;
        done += (size_t)n;
    }
}

void rt_check_failed(const char *where, const char *what, s64 left, s64 right) {
    rt_printf(2, "%s: check failed: %s (left %ld, 0x%lx; right %ld, 0x%lx)\n", where, what, left, (u64)left, right,
              (u64)right);
    rt_exit_group(1);
}

int rt_streq(const char *a, const char *b) {
    while (*a && *a == *b) a++, b++;
    return *a == *b;
}

u64 rt_parse_u64(const char *text) {
    u64 value = 0;
    CHECK(*text);
    for (; *text; text++) {
        CHECK(*text >= '0' && *text <= '9');
        value = value * 10 + (u64)(*text - '0');
    }
    return value;
}

void *memset(void *to, int byte, size_t count) {
    volatile u8 *out = to;
    while (count--) *out++ = (u8)byte;
    return to;
}

void *memcpy(void *to, const void *from, size_t count) {
    volatile u8 *out = to;
    const u8 *in = from;
    while (count--) *out++ = *in++;
    return to;
}

// ---- time ----

u64 rt_now_ns(void) {
    struct timespec now;
    CHECK_EQ(sys2(NR_clock_gettime, CLOCK_MONOTONIC, &now), 0);
    return (u64)now.tv_sec * 1000000000ull + (u64)now.tv_nsec;
}

void rt_sleep_ns(u64 ns) {
    struct timespec left = { (s64)(ns / 1000000000ull), (s64)(ns % 1000000000ull) };
    long result;
    while ((result = sys2(NR_nanosleep, &left, &left)) == -EINTR) {}
    CHECK_EQ(result, 0);
}

void rt_guard(u32 seconds) {
    struct itimerval timer = { { 0, 0 }, { seconds, 0 } };
    CHECK_EQ(sys3(NR_setitimer, ITIMER_REAL, &timer, 0), 0);
}

void rt_guard_timer(u32 seconds) {
    struct sigevent event = { .sigev_signo = SIGTERM, .sigev_notify = SIGEV_SIGNAL };
    struct itimerspec when = { { 0, 0 }, { seconds, 0 } };
    s32 id = -1;
    CHECK_EQ(sys3(NR_timer_create, CLOCK_MONOTONIC, &event, &id), 0);
    CHECK_EQ(sys4(NR_timer_settime, id, 0, &when, 0), 0);
}

// ---- signals ----

void rt_sigaction(int sig, sig_fn handler, u64 flags, u64 mask) {
    struct kernel_sigaction action = { handler, flags | SA_RESTORER, rt_restorer, mask };
    if (flags & RT_NO_RESTORER) {
        action.flags = flags & ~RT_NO_RESTORER;
        action.restorer = 0;
    }
    CHECK_EQ(sys4(NR_rt_sigaction, sig, &action, 0, 8), 0);
}

u64 rt_sigmask(int how, u64 set) {
    u64 old;
    CHECK_EQ(sys4(NR_rt_sigprocmask, how, &set, &old, 8), 0);
    return old;
}

int rt_queue(s32 pid, int sig, u64 value) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = sig;
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_uid = (u32)sys0(NR_getuid);
    info.si_value = value;
    return (int)sys3(NR_rt_sigqueueinfo, pid, sig, &info);
}

// ---- memory ----

void *rt_mmap(u64 length, int prot) {
    long at = sys6(NR_mmap, 0, length, (u64)prot, MAP_PRIVATE | MAP_ANONYMOUS, (u64)-1, 0);
    CHECK(at > 0 || at < -4095);
    return (void *)at;
}

// ---- threads ----

#define STACK_LEN 65536ull
#define THREAD_FLAGS                                                                                                 \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |              \
     CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)

static void thread_body(void *arg) {
    struct rt_thread *self = arg;
    u64 tls;
    __asm__ volatile("mrs %0, tpidr_el0" : "=r"(tls));
    CHECK_EQ(tls, self);
    self->fn(self->arg);
}

struct rt_thread *rt_thread_start(void (*fn)(void *), void *arg) {
    u8 *stack = rt_mmap(STACK_LEN, PROT_READ | PROT_WRITE);
    struct rt_thread *thread = (struct rt_thread *)(stack + STACK_LEN - 128);
    thread->child_tid = 1;
    thread->fn = fn;
    thread->arg = arg;
    thread->stack = stack;
    thread->stack_len = STACK_LEN;
    long tid = rt_clone_thread(THREAD_FLAGS, thread, &thread->tid, thread, &thread->child_tid, thread_body, thread);
    CHECK(tid > 0);
    CHECK_EQ(thread->tid, tid);
    return thread;
}

void rt_thread_join(struct rt_thread *thread) {
    u32 seen;
    // The kernel wakes a shared futex here, so the wait is not a private one.
    while ((seen = LOAD(&thread->child_tid)) != 0) {
        long result = sys4(NR_futex, &thread->child_tid, FUTEX_WAIT, seen, 0);
        CHECK(result == 0 || result == -EAGAIN || result == -EINTR);
    }
    CHECK_EQ(sys2(NR_munmap, thread->stack, thread->stack_len), 0);
}

long rt_futex_wait(u32 *word, u32 value, const struct timespec *timeout) {
    return sys4(NR_futex, word, FUTEX_WAIT | FUTEX_PRIVATE, value, timeout);
}

long rt_futex_wake(u32 *word, u32 count) {
    return sys3(NR_futex, word, FUTEX_WAKE | FUTEX_PRIVATE, count);
}

void rt_wait_at_least(u32 *word, u32 value) {
    u32 seen;
    while ((seen = LOAD(word)) < value) {
        long result = rt_futex_wait(word, seen, 0);
        CHECK(result == 0 || result == -EAGAIN || result == -EINTR);
    }
}

void rt_post(u32 *word) {
    ADD(word, 1);
    CHECK(rt_futex_wake(word, 0x7fffffff) >= 0);
}

// ---- processes ----

s32 rt_fork(void) {
    long pid = sys5(NR_clone, SIGCHLD, 0, 0, 0, 0);
    CHECK(pid >= 0);
    return (s32)pid;
}

int rt_wait(s32 pid) {
    s32 status = -1;
    long result;
    while ((result = sys4(NR_wait4, pid, &status, 0, 0)) == -EINTR) {}
    CHECK_EQ(result, pid);
    return status;
}

// ---- work ----

void rt_spin_checked(u64 turns) {
    CHECK_EQ(rt_spin(turns), turns * (turns + 1) / 2);
}
