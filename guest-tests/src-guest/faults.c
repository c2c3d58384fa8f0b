// faults [ill=CODE]: each kind of fault arrives at the faulting thread as its signal, with code, address and registers, and a handler
// goes on by changing the PC. Bad pointers in syscalls are EFAULT and no signal.
//
// CODE is what an undefined instruction gives where it is not ILL_ILLOPC (QEMU 7.2: 2, ILL_ILLOPN).
//
// Sources: sigaction(2) (si_code, si_addr), Linux arch/arm64/mm/fault.c and kernel/traps.c, mmap(2) (SIGBUS).

#include "rt.h"

static volatile s32 seen_signal, seen_code;
static volatile u64 seen_addr, seen_pc, seen_x1;
static volatile u32 count;
static volatile u64 resume_at;
static s32 ill_code = ILL_ILLOPC;

static void on_fault(int sig, siginfo_t *info, ucontext_t *context) {
    seen_signal = sig;
    seen_code = info->si_code;
    seen_addr = info->si_addr;
    seen_pc = context->uc_mcontext.pc;
    seen_x1 = context->uc_mcontext.regs[1];
    context->uc_mcontext.pc = resume_at ? resume_at : seen_pc + 4;
    resume_at = 0;
    context->uc_mcontext.regs[2] = 0x5ea1;
    count++;
}

// Executes one instruction that faults, with x0 the address and x1 a pattern; checks signal, code, PC and what resumed.
#define FAULT(text, address, sig, code)                                                                              \
    do {                                                                                                             \
        register u64 x0 __asm__("x0") = (u64)(address);                                                              \
        register u64 x1 __asm__("x1") = 0x1234567887654321;                                                          \
        register u64 x2 __asm__("x2") = 0;                                                                           \
        register u64 at __asm__("x9");                                                                               \
        count = 0;                                                                                                   \
        __asm__ volatile("adr %3, 1f\n1: " text : "+r"(x0), "+r"(x1), "+r"(x2), "=&r"(at) : : "memory");             \
        CHECK_EQ(count, 1);                                                                                          \
        CHECK_EQ(x2, 0x5ea1);                                                                                        \
        CHECK_EQ(x0, address);                                                                                       \
        CHECK_EQ(x1, 0x1234567887654321);                                                                            \
        CHECK_EQ(seen_x1, 0x1234567887654321);                                                                       \
        CHECK_EQ(seen_signal, sig);                                                                                  \
        CHECK_EQ(seen_code, code);                                                                                   \
        CHECK_EQ(seen_pc, at);                                                                                       \
    } while (0)

#define FAULT_AT(text, address, sig, code, expected)                                                                 \
    do {                                                                                                             \
        FAULT(text, address, sig, code);                                                                             \
        CHECK_EQ(seen_addr, expected);                                                                               \
    } while (0)

static void data_faults(u64 *area) {
    u64 hole = (u64)area + 8192, guard = (u64)area + 4096;
    FAULT_AT("ldr x3, [x0]", 0x10ull, SIGSEGV, SEGV_MAPERR, 0x10);
    FAULT_AT("str x1, [x0, #24]", hole, SIGSEGV, SEGV_MAPERR, hole + 24);
    FAULT_AT("ldrb w3, [x0, #-1]", hole + 1, SIGSEGV, SEGV_MAPERR, hole);
    // Written-back bases stay as they were when the access faults.
    FAULT_AT("ldr x3, [x0], #8", hole, SIGSEGV, SEGV_MAPERR, hole);
    FAULT_AT("stp x1, x1, [x0, #-16]!", hole + 16, SIGSEGV, SEGV_MAPERR, hole);
    FAULT_AT("ldr x3, [x0]", guard, SIGSEGV, SEGV_ACCERR, guard);
    CHECK_EQ(sys3(NR_mprotect, area, 4096, PROT_READ), 0);
    FAULT_AT("str x1, [x0]", (u64)area, SIGSEGV, SEGV_ACCERR, area);
    FAULT_AT("stlr x1, [x0]", (u64)area, SIGSEGV, SEGV_ACCERR, area);
    CHECK_EQ(sys3(NR_mprotect, area, 4096, PROT_READ | PROT_WRITE), 0);
    // Far outside any user address.
    FAULT("ldr x3, [x0]", 0x00f0000000000000ull, SIGSEGV, SEGV_MAPERR);
}

static void bus_errors(const char *path) {
    long fd = sys4(NR_openat, AT_FDCWD, path, O_RDONLY, 0);
    CHECK(fd >= 0);
    long at = sys6(NR_mmap, 0, 1 << 20, PROT_READ, MAP_PRIVATE, (u64)fd, 0);
    CHECK(at > 0);
    CHECK_EQ(*(volatile u32 *)at, 0x464c457f);
    u64 beyond = (u64)at + (1 << 20) - 4096 + 8;
    FAULT_AT("ldr x3, [x0]", beyond, SIGBUS, BUS_ADRERR, beyond);
    CHECK_EQ(sys3(NR_write, 1, beyond, 1), -EFAULT);
    CHECK_EQ(sys2(NR_munmap, at, 1 << 20), 0);
    CHECK_EQ(sys1(NR_close, fd), 0);
}

// Ordered accesses and those by SP must be aligned, all others need not be.
static void alignment_faults(u64 *area) {
    enum { BUS_ADRALN = 1 };
    u64 odd = (u64)area + 4;
    FAULT_AT("ldxr x3, [x0]", odd, SIGBUS, BUS_ADRALN, odd);
    FAULT_AT("stlr x1, [x0]", odd, SIGBUS, BUS_ADRALN, odd);
    FAULT_AT("ldar w3, [x0]", odd + 1, SIGBUS, BUS_ADRALN, odd + 1);
    FAULT_AT(".arch_extension lse\nldadd x1, x3, [x0]", odd, SIGBUS, BUS_ADRALN, odd);
    FAULT_AT("ldxp x3, x4, [x0]", odd + 4, SIGBUS, BUS_ADRALN, odd + 4);
    u64 value;
    __asm__ volatile("str %1, [%2, #1]\nldr %0, [%2, #1]" : "=&r"(value) : "r"(0x1122334455667788), "r"(area) : "memory");
    CHECK_EQ(value, 0x1122334455667788);
}

static void instruction_faults(u64 *area) {
    FAULT("udf #0", 1ull, SIGILL, ill_code);
    CHECK_EQ(seen_addr, seen_pc);
    FAULT(".inst 0x0000beef", 1ull, SIGILL, ill_code);
    FAULT("brk #5", 1ull, SIGTRAP, TRAP_BRKPT);
    CHECK_EQ(seen_addr, seen_pc);
    // A jump to where nothing is mapped, and to memory that is not executable: the PC is the target.
    u64 hole = (u64)area + 8192;
    u64 targets[2] = { hole, (u64)area };
    for (int i = 0; i < 2; i++) {
        u64 back;
        count = 0;
        __asm__ volatile("adr %0, 1f\nstr %0, [%1]\nbr %2\n1:" : "=&r"(back) : "r"(&resume_at), "r"(targets[i]) : "memory", "x2");
        CHECK_EQ(count, 1);
        CHECK_EQ(seen_signal, SIGSEGV);
        CHECK_EQ(seen_code, i == 0 ? SEGV_MAPERR : SEGV_ACCERR);
        CHECK_EQ(seen_pc, targets[i]);
        CHECK_EQ(seen_addr, targets[i]);
    }
}

static void bad_pointers(u64 *area) {
    u64 hole = (u64)area + 8192, guard = (u64)area + 4096;
    s32 fds[2];
    count = 0;
    CHECK_EQ(sys2(NR_pipe2, hole, 0), -EFAULT);
    CHECK_EQ(sys2(NR_pipe2, fds, 0), 0);
    CHECK_EQ(sys3(NR_write, fds[1], hole, 1), -EFAULT);
    CHECK_EQ(sys3(NR_write, fds[1], guard, 1), -EFAULT);
    CHECK_EQ(sys3(NR_write, fds[1], 0, 1), -EFAULT);
    CHECK_EQ(sys3(NR_write, fds[1], 0xf000000000000000ull, 1), -EFAULT);
    CHECK_EQ(sys3(NR_write, fds[1], "ab", 2), 2);
    CHECK_EQ(sys3(NR_read, fds[0], hole, 1), -EFAULT);
    CHECK_EQ(sys2(NR_clock_gettime, CLOCK_MONOTONIC, guard), -EFAULT);
    CHECK_EQ(sys4(NR_rt_sigaction, SIGUSR1, hole, 0, 8), -EFAULT);
    CHECK_EQ(sys4(NR_rt_sigprocmask, SIG_BLOCK, guard, 0, 8), -EFAULT);
    CHECK_EQ(sys4(NR_futex, hole, FUTEX_WAIT, 0, 0), -EFAULT);
    CHECK_EQ(sys4(NR_openat, AT_FDCWD, hole, 0, 0), -EFAULT);
    // A read-only page cannot be read into.
    CHECK_EQ(sys3(NR_mprotect, area, 4096, PROT_READ), 0);
    CHECK_EQ(sys2(NR_clock_gettime, CLOCK_MONOTONIC, area), -EFAULT);
    CHECK_EQ(sys3(NR_mprotect, area, 4096, PROT_READ | PROT_WRITE), 0);
    CHECK_EQ(count, 0);
    CHECK_EQ(sys1(NR_close, fds[0]), 0);
    CHECK_EQ(sys1(NR_close, fds[1]), 0);
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    if (argc == 2) {
        CHECK(rt_streq(argv[1], "ill=2"));
        ill_code = 2;
    }
    rt_guard(30);
    const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGTRAP };
    for (int i = 0; i < 4; i++) rt_sigaction(signals[i], on_fault, SA_SIGINFO, 0);
    // A page to use, a guard page, a hole.
    u64 *area = rt_mmap(3 * 4096, PROT_READ | PROT_WRITE);
    CHECK_EQ(sys3(NR_mprotect, (u64)area + 4096, 4096, PROT_NONE), 0);
    CHECK_EQ(sys2(NR_munmap, (u64)area + 8192, 4096), 0);
    data_faults(area);
    alignment_faults(area);
    bus_errors(argv[0]);
    instruction_faults(area);
    bad_pointers(area);
    say("faults: ok\n");
    return 0;
}
