// What a guest needs of rt.h and start.S to run as a program of the host (x86-64); native.sh puts it in their place.
//
// Guests name system calls by their numbers on arm64; `numbers` has the host's. Sources: syscall(2), clone(2) "C library/kernel
// differences" (the order of clone's arguments), arch_prctl(2).

#include "rt.h"

static const short numbers[] = {
#include "numbers.h"
};

enum { GENERIC_CLONE = 220, HOST_ARCH_PRCTL = 158, ARCH_GET_FS = 0x1003, COMMON_FROM = 424 };

static long call(long nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f) {
    register u64 r10 __asm__("r10") = d;
    register u64 r8 __asm__("r8") = e;
    register u64 r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory", "cc");
    return result;
}

long sys6(long nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f) {
    if (nr == GENERIC_CLONE) return call(numbers[nr], a, b, c, e, d, f);
    if (nr >= COMMON_FROM) return call(nr, a, b, c, d, e, f);
    int is_known = nr >= 0 && nr < (long)(sizeof numbers / sizeof *numbers) && numbers[nr] >= 0;
    return is_known ? call(numbers[nr], a, b, c, d, e, f) : -ENOSYS;
}

u64 native_tls(void) {
    u64 base = 0;
    call(HOST_ARCH_PRCTL, ARCH_GET_FS, (u64)&base, 0, 0, 0, 0);
    return base;
}

u64 rt_spin(u64 turns) {
    u64 sum = 0;
    for (; turns; turns--) {
        sum += turns;
        __asm__ volatile("" : "+r"(sum));
    }
    return sum;
}

__asm__(".text\n"
        ".globl _start\n"
        "_start: xor %ebp, %ebp\n"
        "mov %rsp, %rdi\n"
        "and $-16, %rsp\n"
        "call rt_start\n"
        "ud2\n"
        // flags rdi, stack rsi, parent_tid rdx, tls rcx, child_tid r8, fn r9, arg on the stack
        ".globl rt_clone_thread\n"
        "rt_clone_thread: mov 8(%rsp), %rax\n"
        "sub $16, %rsi\n"
        "mov %r9, (%rsi)\n"
        "mov %rax, 8(%rsi)\n"
        "mov %r8, %r10\n"
        "mov %rcx, %r8\n"
        "mov $56, %eax\n"
        "syscall\n"
        "test %rax, %rax\n"
        "jz 1f\n"
        "ret\n"
        "1: xor %ebp, %ebp\n"
        "pop %rax\n"
        "pop %rdi\n"
        "call *%rax\n"
        "xor %edi, %edi\n"
        "mov $60, %eax\n"
        "syscall\n"
        "ud2\n"
        ".globl rt_restorer\n"
        "rt_restorer: mov $15, %eax\n"
        "syscall\n"
        "ud2\n");
