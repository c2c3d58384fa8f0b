// Entry point, thread start and signal return: what cannot be written in C.
//
// Sources: Linux arm64 process entry (SP points at argc, 16-byte aligned), clone(2), rt_sigreturn(2),
// Arm ARM DDI 0487 for the instructions. Neighbours: rt.h (prototypes), rt.c (rt_start).

        .text

// The kernel enters here with argc, argv, envp and the auxiliary vector on the stack.
        .globl  _start
        .type   _start, %function
_start:
        mov     x29, xzr
        mov     x30, xzr
        mov     x0, sp
        bl      rt_start
        brk     #0xdead                 // rt_start does not return

// long rt_clone_thread(flags x0, stack x1, parent_tid x2, tls x3, child_tid x4, fn x5, arg x6)
// The child begins on its own stack, calls fn(arg) and ends with exit(0); the parent returns the tid or -errno.
        .globl  rt_clone_thread
        .type   rt_clone_thread, %function
rt_clone_thread:
        stp     x5, x6, [x1, #-16]!
        mov     x8, #220                // clone
        svc     #0
        cbz     x0, 1f
        ret
1:      mov     x29, xzr
        mov     x30, xzr
        ldp     x1, x0, [sp], #16
        blr     x1
        mov     x0, xzr
        mov     x8, #93                 // exit
        svc     #0
        brk     #0xdead

// The restorer that rt_sigaction installs with SA_RESTORER.
        .globl  rt_restorer
        .type   rt_restorer, %function
rt_restorer:
        mov     x8, #139                // rt_sigreturn
        svc     #0
        brk     #0xdead

// u64 rt_spin(n x0): n turns of four instructions without a syscall; returns n * (n + 1) / 2. n > 0.
        .globl  rt_spin
        .type   rt_spin, %function
rt_spin:
        mov     x1, xzr
        mov     x2, xzr
1:      add     x1, x1, x0
        eor     x2, x2, x1
        subs    x0, x0, #1
        b.ne    1b
        mov     x0, x1
        ret

        .section .note.GNU-stack, "", %progbits
