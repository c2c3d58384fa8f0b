// signal-frame WHAT: the arm64 signal frame, byte by byte.
//
// WHAT is `layout` (where each part lies, records, stack, mask), `edit` (a handler's changes are honoured), `bad` (frames
// that rt_sigreturn refuses are SIGSEGV), `nested` (handlers in handlers, as deep as the stack), `overflow` (a handler that
// finds no room is SIGSEGV on the alternate stack) or `overflow-death` (without one it is death).
//
// Sources: Linux arch/arm64/kernel/signal.c, arch/arm64/include/uapi/asm/sigcontext.h, sigaltstack(2).

#include "rt.h"

enum { FRAME_LEN = 4688, UCONTEXT = 128, RESERVED = 592, FPSIMD_LEN = 528, AT_MINSIGSTKSZ = 51 };
#define FPSIMD_MAGIC 0x46508001u
#define ESR_MAGIC 0x45535201u
#define SS_AUTODISARM (1u << 31)

void sigreturn_from(u64 sp, u64 *resume_pc, u64 *resume_sp);

// The bytes of the last frame, where it lay, and the registers of the handler.
static u8 seen[FRAME_LEN + 16];
static volatile u64 frame_at;
static volatile s32 seen_signal, seen_code;
static volatile u64 seen_addr, resume_pc, resume_sp;
static volatile u32 count;

static u32 word32(u64 at) { u32 value; memcpy(&value, seen + at, 4); return value; }
static u64 word64(u64 at) { u64 value; memcpy(&value, seen + at, 8); return value; }

static void copy_frame(int sig, siginfo_t *info, ucontext_t *context) {
    frame_at = (u64)info;
    CHECK_EQ((u64)context, frame_at + UCONTEXT);
    CHECK_EQ(sig, info->si_signo);
    // A debugger without unwind tables knows a frame by two instructions that the handler returns to, mov x8, #139 and
    // svc #0, and looks for it at the stack pointer that the handler began with.
    const u32 *trampoline = __builtin_return_address(0);
    CHECK_EQ(trampoline[0], 0xd2801168);
    CHECK_EQ(trampoline[1], 0xd4000001);
    CHECK_EQ((u64)__builtin_dwarf_cfa(), frame_at);
    memcpy(seen, (void *)frame_at, FRAME_LEN + 16);
    if (sig == SIGSEGV) context->uc_mcontext.pc += 4;
    count++;
}

static u64 own_sp(void) {
    u64 sp;
    __asm__ volatile("mov %0, sp" : "=r"(sp));
    return sp;
}

// ---- layout ----

static void check_records(int has_esr) {
    CHECK_EQ(word32(RESERVED), FPSIMD_MAGIC);
    CHECK_EQ(word32(RESERVED + 4), FPSIMD_LEN);
    u64 at = RESERVED + FPSIMD_LEN;
    if (has_esr) {
        CHECK_EQ(word32(at), ESR_MAGIC);
        CHECK_EQ(word32(at + 4), 16);
        at += 16;
    }
    CHECK_EQ(word64(at), 0);
}

static void layout(void) {
    stack_t stack = { rt_mmap(32768, PROT_READ | PROT_WRITE), 0, 32768 }, now;
    u64 top = (u64)stack.ss_sp + stack.ss_size;
    int found;
    CHECK_EQ(rt_auxval(AT_MINSIGSTKSZ, &found), FRAME_LEN + 16 + 16);
    CHECK(found);
    rt_sigaction(SIGUSR1, copy_frame, SA_SIGINFO, SIGBIT(SIGHUP));
    rt_sigmask(SIG_SETMASK, SIGBIT(SIGTERM) | SIGBIT(SIGRTMAX));
    CHECK_EQ(sys2(NR_kill, getpid(), SIGUSR1), 0);
    CHECK_EQ(count, 1);
    // The frame record of the interrupted function stands above the frame, and both are aligned.
    CHECK_EQ(frame_at % 16, 0);
    u64 sp = word64(UCONTEXT + 176 + 256);
    CHECK_EQ(frame_at, ((sp - 16) & ~15ull) - FRAME_LEN);
    CHECK_EQ(word64(FRAME_LEN), word64(UCONTEXT + 176 + 8 + 29 * 8));
    CHECK_EQ(word64(FRAME_LEN + 8), word64(UCONTEXT + 176 + 8 + 30 * 8));
    // siginfo
    CHECK_EQ(word32(0), SIGUSR1);
    CHECK_EQ(word32(8), SI_USER);
    CHECK_EQ(word32(16), getpid());
    // ucontext: flags, link, stack (none), mask, fault address, x0 (kill's result), x8
    CHECK_EQ(word64(UCONTEXT), 0);
    CHECK_EQ(word64(UCONTEXT + 8), 0);
    CHECK_EQ(word64(UCONTEXT + 16), 0);
    CHECK_EQ(word32(UCONTEXT + 24), SS_DISABLE);
    CHECK_EQ(word64(UCONTEXT + 40), SIGBIT(SIGTERM) | SIGBIT(SIGRTMAX));
    CHECK_EQ(word64(UCONTEXT + 176), 0);
    CHECK_EQ(word64(UCONTEXT + 176 + 8), 0);
    CHECK_EQ(word64(UCONTEXT + 176 + 8 + 8 * 8), NR_kill);
    check_records(0);
    // With an alternate stack: the frame lies at its top, and says so.
    CHECK_EQ(sys2(NR_sigaltstack, &stack, 0), 0);
    rt_sigaction(SIGUSR1, copy_frame, SA_SIGINFO | SA_ONSTACK, 0);
    CHECK_EQ(sys2(NR_kill, getpid(), SIGUSR1), 0);
    CHECK_EQ(frame_at, top - 16 - FRAME_LEN);
    CHECK_EQ(word64(UCONTEXT + 16), (u64)stack.ss_sp);
    CHECK_EQ(word32(UCONTEXT + 24), 0);
    CHECK_EQ(word64(UCONTEXT + 32), stack.ss_size);
    CHECK_EQ(sys2(NR_sigaltstack, 0, &now), 0);
    CHECK_EQ(now.ss_flags, 0);
    // After a fault: its address and its syndrome, a write that finds nothing mapped.
    rt_sigaction(SIGSEGV, copy_frame, SA_SIGINFO, 0);
    __asm__ volatile("str xzr, [%0]" : : "r"(0x10ull) : "memory");
    CHECK_EQ(word64(UCONTEXT + 176), 0x10);
    CHECK_EQ(word64(16), 0x10);
    check_records(1);
    u64 esr = word64(RESERVED + FPSIMD_LEN + 8);
    CHECK_EQ(esr >> 26, 0x24);
    CHECK_EQ(esr & 0x7c, 0x44);
    // A tag is not part of the address that is told.
    __asm__ volatile("ldr xzr, [%0]" : : "r"(0xab00000000000010ull) : "memory");
    CHECK_EQ(word64(16), 0x10);
    CHECK_EQ(word64(UCONTEXT + 176), 0x10);
    CHECK_EQ(word64(RESERVED + FPSIMD_LEN + 8) & 0x7c, 4);
}

// ---- edit ----

static void edit_frame(int sig, siginfo_t *info, ucontext_t *context) {
    (void)sig, (void)info;
    for (int i = 19; i < 29; i++) context->uc_mcontext.regs[i] = 0x1000u + (u32)i;
    context->uc_mcontext.pstate = 0xa0000000;
    context->uc_sigmask = SIGBIT(SIGHUP);
    u8 *records = (u8 *)info + RESERVED;
    for (int i = 0; i < 512; i++) records[16 + i] = (u8)(i * 7);
    u32 fpsr = 0x1f, fpcr = 1u << 22;
    memcpy(records + 8, &fpsr, 4);
    memcpy(records + 12, &fpcr, 4);
    count++;
}

static void edit(void) {
    u64 out[10], nzcv;
    rt_sigaction(SIGUSR1, edit_frame, SA_SIGINFO, 0);
    register u64 x0 __asm__("x0") = (u64)getpid();
    register u64 x1 __asm__("x1") = SIGUSR1;
    register u64 x8 __asm__("x8") = NR_kill;
    register u64 *x9 __asm__("x9") = out;
    __asm__ volatile("svc #0\n"
                     "stp x19, x20, [x9]\n stp x21, x22, [x9, #16]\n stp x23, x24, [x9, #32]\n"
                     "stp x25, x26, [x9, #48]\n stp x27, x28, [x9, #64]\n mrs %1, nzcv\n"
                     : "+r"(x0), "=r"(nzcv)
                     : "r"(x1), "r"(x8), "r"(x9)
                     : "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "memory", "cc");
    CHECK_EQ(count, 1);
    for (int i = 0; i < 10; i++) CHECK_EQ(out[i], 0x1000 + 19 + i);
    CHECK_EQ(nzcv, 0xa0000000);
    CHECK_EQ(rt_sigmask(SIG_SETMASK, 0), SIGBIT(SIGHUP));
    // The vector registers went through: the next frame shows what the first was changed to.
    rt_sigaction(SIGUSR1, copy_frame, SA_SIGINFO, 0);
    CHECK_EQ(sys2(NR_kill, getpid(), SIGUSR1), 0);
    for (int i = 0; i < 512; i++) CHECK_EQ(seen[RESERVED + 16 + i], (u8)(i * 7));
    CHECK_EQ(word32(RESERVED + 8), 0x1f);
    CHECK_EQ(word32(RESERVED + 12), 1u << 22);
    // A handler on an alternate stack with SS_AUTODISARM has none, and gets it back by its return.
    stack_t stack = { rt_mmap(32768, PROT_READ | PROT_WRITE), (s32)SS_AUTODISARM, 32768 }, now;
    CHECK_EQ(sys2(NR_sigaltstack, &stack, 0), 0);
    rt_sigaction(SIGUSR1, copy_frame, SA_SIGINFO | SA_ONSTACK, 0);
    CHECK_EQ(sys2(NR_kill, getpid(), SIGUSR1), 0);
    CHECK_EQ(word32(UCONTEXT + 24), SS_AUTODISARM);
    CHECK_EQ(sys2(NR_sigaltstack, 0, &now), 0);
    CHECK_EQ(now.ss_flags, (s32)SS_AUTODISARM);
    CHECK_EQ(now.ss_size, 32768);
    stack.ss_flags = 77;
    CHECK_EQ(sys2(NR_sigaltstack, &stack, 0), -EINVAL);
    stack.ss_flags = 0;
    stack.ss_size = 5119;
    CHECK_EQ(sys2(NR_sigaltstack, &stack, 0), -ENOMEM);
}

// ---- bad ----

static void on_bad(int sig, siginfo_t *info, ucontext_t *context) {
    seen_signal = sig;
    seen_code = info->si_code;
    seen_addr = info->si_addr;
    context->uc_mcontext.pc = resume_pc;
    context->uc_mcontext.sp = resume_sp;
    count++;
}

// rt_sigreturn with the stack pointer at `sp`; comes back by way of the SIGSEGV handler.
static void sigreturn_at(u64 sp) {
    count = 0;
    sigreturn_from(sp, (u64 *)&resume_pc, (u64 *)&resume_sp);
    CHECK_EQ(count, 1);
    CHECK_EQ(seen_signal, SIGSEGV);
    rt_sigmask(SIG_SETMASK, 0);
}

static u8 *fresh_frame(u8 *at) {
    memcpy(at, seen, FRAME_LEN + 16);
    return at;
}

static void bad(void) {
    stack_t stack = { rt_mmap(32768, PROT_READ | PROT_WRITE), 0, 32768 };
    CHECK_EQ(sys2(NR_sigaltstack, &stack, 0), 0);
    rt_sigaction(SIGUSR1, copy_frame, SA_SIGINFO, 0);
    rt_sigaction(SIGSEGV, on_bad, SA_SIGINFO | SA_ONSTACK, 0);
    CHECK_EQ(sys2(NR_kill, getpid(), SIGUSR1), 0);
    u8 *area = rt_mmap(16384, PROT_READ | PROT_WRITE);
    // Off alignment: nothing is taken from the frame, and its address is told.
    sigreturn_at((u64)fresh_frame(area) + 8);
    CHECK_EQ(seen_addr, (u64)area + 8);
    CHECK_EQ(seen_code, SEGV_ACCERR);
    // Not there.
    sigreturn_at(0x1000);
    CHECK_EQ(seen_addr, 0x1000);
    u32 *records = (u32 *)(area + RESERVED);
    u64 *pstate = (u64 *)(area + UCONTEXT + 176 + 8 + 33 * 8);
    // An unknown record, no FPSIMD record, one of a wrong length, a length of zero, two of them.
    fresh_frame(area), records[0] = 0x12345678, sigreturn_at((u64)area);
    fresh_frame(area), records[0] = 0, records[1] = 0, sigreturn_at((u64)area);
    fresh_frame(area), records[1] = 512, sigreturn_at((u64)area);
    fresh_frame(area), records[1] = 0, sigreturn_at((u64)area);
    fresh_frame(area), records[FPSIMD_LEN / 4] = FPSIMD_MAGIC, records[FPSIMD_LEN / 4 + 1] = FPSIMD_LEN;
    sigreturn_at((u64)area);
    // Privilege, AArch32, masked interrupts.
    fresh_frame(area), *pstate = 5, sigreturn_at((u64)area);
    fresh_frame(area), *pstate = 0x10, sigreturn_at((u64)area);
    fresh_frame(area), *pstate = 0x3c0, sigreturn_at((u64)area);
    // By then the mask is that of the frame.
    CHECK_EQ(seen_signal, SIGSEGV);
}

// ---- nested ----

static volatile u32 depth, deepest, wanted_depth;

static void on_nested(int sig, siginfo_t *info, ucontext_t *context) {
    (void)info, (void)context;
    depth++;
    if (depth > deepest) deepest = depth;
    if (depth < wanted_depth) CHECK_EQ(sys3(NR_tgkill, getpid(), gettid(), sig), 0);
    depth--;
}

static void nested(void) {
    // 1000 frames of 4.6 KiB and more: below the 8 MiB that a stack may have.
    wanted_depth = 1000;
    rt_sigaction(SIGUSR1, on_nested, SA_SIGINFO | SA_NODEFER, 0);
    CHECK_EQ(sys2(NR_kill, getpid(), SIGUSR1), 0);
    CHECK_EQ(deepest, 1000);
    CHECK_EQ(depth, 0);
    // Signals that come together: each handler interrupts the start of the one before, the last one runs first.
    static const int order[] = { SIGHUP, SIGUSR1, SIGTERM };
    wanted_depth = 0;
    deepest = 0;
    for (int i = 0; i < 3; i++) rt_sigaction(order[i], on_nested, SA_SIGINFO, 0);
    u64 all = SIGBIT(SIGHUP) | SIGBIT(SIGUSR1) | SIGBIT(SIGTERM);
    rt_sigmask(SIG_BLOCK, all);
    for (int i = 0; i < 3; i++) CHECK_EQ(sys2(NR_kill, getpid(), order[i]), 0);
    rt_sigmask(SIG_UNBLOCK, all);
    CHECK_EQ(deepest, 1);
    CHECK_EQ(rt_sigmask(SIG_BLOCK, 0), 0);
}

// ---- overflow ----

static void on_overflow(int sig, siginfo_t *info, ucontext_t *context) {
    (void)context;
    CHECK_EQ(sig, SIGSEGV);
    // It is the kernel that found no room for a frame, or the handler itself that ran into the guard.
    CHECK(info->si_code == SI_KERNEL || info->si_code == SEGV_MAPERR || info->si_code == SEGV_ACCERR);
    u64 sp = own_sp();
    CHECK(sp > resume_sp && sp < resume_sp + 32768);
    say("signal-frame overflow: ok\n");
    rt_exit_group(0);
}

static void overflow_worker(void *arg) {
    if (arg) {
        stack_t stack = { rt_mmap(32768, PROT_READ | PROT_WRITE), 0, 32768 };
        resume_sp = (u64)stack.ss_sp;
        CHECK_EQ(sys2(NR_sigaltstack, &stack, 0), 0);
        rt_sigaction(SIGSEGV, on_overflow, SA_SIGINFO | SA_ONSTACK, 0);
    } else {
        // A handler that needs the stack that is not there is no help.
        rt_sigaction(SIGSEGV, on_bad, SA_SIGINFO, 0);
    }
    wanted_depth = 1u << 30;
    rt_sigaction(SIGUSR1, on_nested, SA_SIGINFO | SA_NODEFER, 0);
    CHECK_EQ(sys3(NR_tgkill, getpid(), gettid(), SIGUSR1), 0);
}

// Below a thread's stack: a page that nobody may touch.
static void overflow(int has_stack) {
    u8 *area = rt_mmap(1 << 20, PROT_NONE);
    CHECK_EQ(sys3(NR_mprotect, area + (1 << 19), 1 << 19, PROT_READ | PROT_WRITE), 0);
    u8 *top = area + (1 << 20) - 256;
    u32 child = 1;
    s32 tid = 0;
    long made = rt_clone_thread(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                                CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID, top, &tid, 0, &child, overflow_worker,
                                has_stack ? top : 0);
    CHECK(made > 0);
    for (;;) rt_sleep_ns(1000000000);
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK_EQ(argc, 2);
    rt_guard(30);
    if (rt_streq(argv[1], "layout")) layout();
    else if (rt_streq(argv[1], "edit")) edit();
    else if (rt_streq(argv[1], "bad")) bad();
    else if (rt_streq(argv[1], "nested")) nested();
    else if (rt_streq(argv[1], "overflow")) overflow(1);
    else if (rt_streq(argv[1], "overflow-death")) overflow(0);
    else CHECK(!"a part that this guest knows");
    say("signal-frame %s: ok\n", argv[1]);
    return 0;
}
