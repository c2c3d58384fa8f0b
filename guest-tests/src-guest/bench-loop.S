// The loops of bench-loop.c. Each turn is exactly 20 instructions; each returns a number that says how often it turned.

        .text

// u64 loop_arith(turns x0): adds, logic, shifts, bitfields, multiplications.
        .globl  loop_arith
loop_arith:
        mov     x1, xzr
        mov     x2, #3
        mov     x3, #5
        mov     x4, #7
1:      add     x2, x2, x3
        eor     x3, x3, x2, lsl #3
        sub     x4, x4, x2
        and     x5, x2, #0xff00ff00ff00ff00
        orr     x6, x3, x4
        lsl     x7, x5, #7
        add     x9, x6, x7, lsr #2
        mul     x10, x9, x3
        ubfx    x11, x10, #9, #21
        add     w12, w11, w2
        madd    x13, x11, x12, x4
        bic     x14, x13, x5
        ror     x15, x14, #11
        lslv    x3, x15, x12
        sub     x2, x15, #0x123
        eor     x4, x4, x15
        add     x5, x2, w12, uxtw
        add     x1, x1, #1
        sub     x0, x0, #1
        cbnz    x0, 1b
        mov     x0, x1
        ret

// u64 loop_memory(turns x0, area x1): loads and stores of several widths, pairs, indexed.
        .globl  loop_memory
loop_memory:
        str     xzr, [x1]
        mov     x9, #8
1:      ldr     x2, [x1]
        add     x2, x2, #1
        str     x2, [x1]
        ldp     x3, x4, [x1, #16]
        stp     x4, x2, [x1, #16]
        ldr     w5, [x1, #4]
        str     w5, [x1, #36]
        ldrb    w6, [x1, #1]
        strb    w6, [x1, #41]
        ldrh    w7, [x1, #2]
        strh    w7, [x1, #50]
        ldr     x10, [x1, x9]
        str     x10, [x1, x9, lsl #3]
        ldrsw   x11, [x1, #16]
        ldur    x12, [x1, #17]
        stur    x12, [x1, #81]
        ldr     x13, [x1, #88]
        str     x11, [x1, #96]
        sub     x0, x0, #1
        cbnz    x0, 1b
        ldr     x0, [x1]
        ret

// u64 loop_calls(turns x0): six calls and returns a turn (6 bl, 6 add, 6 ret, 2 of the loop).
        .globl  loop_calls
loop_calls:
        mov     x9, x30
        mov     x1, xzr
1:      bl      2f
        bl      3f
        bl      2f
        bl      3f
        bl      2f
        bl      3f
        sub     x0, x0, #1
        cbnz    x0, 1b
        mov     x0, x1
        ret     x9
2:      add     x1, x1, #1
        ret
3:      add     x1, x1, #1
        ret

// u64 loop_branches(turns x0): compares, conditional branches taken and not, selects.
        .globl  loop_branches
loop_branches:
        mov     x1, xzr
        mov     x2, #0
1:      cmp     x0, #0                  // 1
        b.eq    9f                      // 2, not taken
        adds    x1, x1, #1              // 3
        b.ne    2f                      // 4, taken
        brk     #1
2:      tst     x2, #1                  // 5
        csel    x3, x0, x1, eq          // 6
        b.pl    3f                      // 7, taken
        brk     #2
3:      tbnz    x2, #63, 9f             // 8, not taken
        ccmp    x3, x1, #4, ne          // 9
        cset    x4, eq                  // 10
        add     x1, x1, #1              // 11
        cbz     x1, 9f                  // 12, not taken
        subs    x5, x1, #1              // 13
        b.hs    4f                      // 14, taken
        brk     #3
4:      csinc   x6, x5, x4, lo          // 15
        b       5f                      // 16
        brk     #4
5:      add     x1, x1, #1              // 17
        add     x2, x2, #2              // 18
        sub     x0, x0, #1              // 19
        cbnz    x0, 1b                  // 20
        mov     x0, x1
        ret
9:      brk     #9

        .section .note.GNU-stack, "", %progbits
