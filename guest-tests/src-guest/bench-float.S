// The loops of bench-float.c. Each turn is exactly 20 instructions; each returns how often it turned.

        .text

// u64 loop_float(turns x0): double precision in scalar registers: arithmetic, fused products, comparisons, conversions.
        .globl  loop_float
loop_float:
        mov     x1, xzr
        fmov    d0, #1.0
        fmov    d1, #0.5
        mov     x2, #0x9999999999999999
        movk    x2, #0x999a
        movk    x2, #0x3fb9, lsl #48    // 0.1
        fmov    d2, x2
        fmov    d7, #1.0
1:      fadd    d3, d0, d2              // 1
        fmul    d4, d3, d1              // 2
        fsub    d5, d3, d4              // 3
        fmadd   d6, d4, d1, d5          // 4
        fcmp    d6, d3                  // 5
        fcsel   d7, d7, d3, mi          // 6
        fabs    d16, d5                 // 7
        fneg    d17, d6                 // 8
        fmul    d18, d16, d17           // 9
        fadd    d19, d18, d7            // 10
        scvtf   d20, x1                 // 11
        fadd    d21, d20, d2            // 12
        fcvtzs  x3, d21                 // 13
        fmul    d22, d19, d1            // 14
        fmax    d23, d22, d2            // 15
        fdiv    d24, d23, d7            // 16
        fcvt    s25, d24                // 17
        add     x1, x1, #1              // 18
        sub     x0, x0, #1              // 19
        cbnz    x0, 1b                  // 20
        mov     x0, x1
        ret

// u64 loop_lanes(turns x0): vectors of single and double precision.
        .globl  loop_lanes
loop_lanes:
        mov     x1, xzr
        fmov    v0.4s, #1.0
        fmov    v1.4s, #0.5
        fmov    v2.2d, #0.125
        mov     w2, #0xcccd
        movk    w2, #0x3dcc, lsl #16    // 0.1
        fmov    s3, w2
1:      fmul    v4.4s, v0.4s, v3.s[0]   // 1
        fadd    v5.4s, v4.4s, v1.4s     // 2
        fmla    v5.4s, v4.4s, v1.4s     // 3
        fsub    v6.4s, v5.4s, v4.4s     // 4
        fmul    v7.4s, v6.4s, v5.4s     // 5
        fcmgt   v16.4s, v7.4s, v0.4s    // 6
        fcvtl   v17.2d, v7.2s           // 7
        fcvtl2  v18.2d, v7.4s           // 8
        fadd    v19.2d, v17.2d, v18.2d  // 9
        fmul    v20.2d, v19.2d, v2.2d   // 10
        fmla    v20.2d, v19.2d, v2.2d   // 11
        faddp   d21, v20.2d             // 12
        fcvtn   v22.2s, v20.2d          // 13
        fmaxnm  v23.4s, v5.4s, v6.4s    // 14
        fabs    v24.4s, v6.4s           // 15
        fcvtzs  v25.4s, v5.4s           // 16
        scvtf   v26.4s, v25.4s          // 17
        add     x1, x1, #1              // 18
        sub     x0, x0, #1              // 19
        cbnz    x0, 1b                  // 20
        mov     x0, x1
        ret

        .section .note.GNU-stack, "", %progbits
