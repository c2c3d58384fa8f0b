// The loops of bench-simd.c. Each turn is exactly 20 instructions; each returns how often it turned. The registers begin
// with what the caller left in them; x1 is the address of 256 bytes.

        .arch   armv8.2-a+crypto+dotprod
        .text

// u64 loop_bytes(turns x0, area x1): what string functions and pixels do with bytes.
        .globl  loop_bytes
loop_bytes:
        mov     x2, xzr
        ldp     q0, q1, [x1]
1:      ldr     q2, [x1, #32]           // 1
        cmeq    v3.16b, v2.16b, #0      // 2
        cmhs    v4.16b, v2.16b, v1.16b  // 3
        and     v5.16b, v3.16b, v4.16b  // 4
        bsl     v5.16b, v0.16b, v1.16b  // 5
        uqadd   v6.16b, v5.16b, v0.16b  // 6
        umin    v7.16b, v6.16b, v2.16b  // 7
        urhadd  v16.16b, v7.16b, v1.16b // 8
        cnt     v17.16b, v16.16b        // 9
        uaddlp  v18.8h, v17.16b         // 10
        tbl     v19.16b, {v2.16b}, v7.16b // 11
        zip1    v20.16b, v19.16b, v16.16b // 12
        ext     v21.16b, v20.16b, v2.16b, #5 // 13
        addp    v22.16b, v21.16b, v5.16b // 14
        umaxv   b23, v22.16b            // 15
        umov    w3, v23.b[0]            // 16
        str     q21, [x1, #48]          // 17
        add     x2, x2, #1              // 18
        sub     x0, x0, #1              // 19
        cbnz    x0, 1b                  // 20
        mov     x0, x2
        ret

// u64 loop_words(turns x0, area x1): filters and products of wider lanes.
        .globl  loop_words
loop_words:
        mov     x2, xzr
        ldp     q0, q1, [x1]
1:      ldp     q2, q3, [x1, #32]       // 1
        ushll   v4.8h, v2.8b, #0        // 2
        smull   v5.4s, v4.4h, v1.4h     // 3
        smlal2  v5.4s, v4.8h, v1.8h     // 4
        mla     v6.8h, v4.8h, v1.h[2]   // 5
        sqdmulh v7.8h, v6.8h, v0.8h     // 6
        sshr    v16.8h, v7.8h, #3       // 7
        sqrshrn v17.4h, v5.4s, #7       // 8
        sqxtun  v18.8b, v16.8h          // 9
        add     v19.4s, v5.4s, v2.4s    // 10
        mul     v20.4s, v19.4s, v3.4s   // 11
        udot    v21.4s, v2.16b, v3.16b  // 12
        addp    v22.4s, v20.4s, v21.4s  // 13
        trn1    v23.4s, v22.4s, v19.4s  // 14
        addv    s24, v23.4s             // 15
        dup     v25.8h, v24.h[0]        // 16
        stp     q23, q25, [x1, #64]     // 17
        add     x2, x2, #1              // 18
        sub     x0, x0, #1              // 19
        cbnz    x0, 1b                  // 20
        mov     x0, x2
        ret

// u64 loop_structures(turns x0, area x1): loads and stores that take structures apart.
        .globl  loop_structures
loop_structures:
        mov     x2, xzr
        add     x3, x1, #64
        mov     x4, xzr
1:      ld4     {v0.16b-v3.16b}, [x1]   // 1
        add     v0.16b, v0.16b, v3.16b  // 2
        st4     {v0.16b-v3.16b}, [x3]   // 3
        ld3     {v4.16b-v6.16b}, [x1]   // 4
        add     v4.16b, v4.16b, v6.16b  // 5
        st3     {v4.16b-v6.16b}, [x3]   // 6
        ld2     {v16.8h, v17.8h}, [x1]  // 7
        add     v16.8h, v16.8h, v17.8h  // 8
        st2     {v16.8h, v17.8h}, [x3]  // 9
        ld4     {v20.4s-v23.4s}, [x1]   // 10
        add     v20.4s, v20.4s, v23.4s  // 11
        st4     {v20.4s-v23.4s}, [x3]   // 12
        ld1     {v24.16b, v25.16b}, [x1] // 13
        st1     {v24.16b, v25.16b}, [x3] // 14
        ld1r    {v26.8h}, [x1]          // 15
        ld1     {v27.b}[3], [x1]        // 16
        add     x4, x4, #3              // 17
        add     x2, x2, #1              // 18
        sub     x0, x0, #1              // 19
        cbnz    x0, 1b                  // 20
        mov     x0, x2
        ret

// u64 loop_crypto(turns x0, area x1): AES rounds, GHASH products, SHA256 rounds.
        .globl  loop_crypto
loop_crypto:
        mov     x2, xzr
        ldp     q0, q1, [x1]
        ldp     q2, q3, [x1, #32]
1:      aese    v0.16b, v1.16b          // 1
        aesmc   v0.16b, v0.16b          // 2
        aese    v4.16b, v1.16b          // 3
        aesmc   v4.16b, v4.16b          // 4
        aesd    v5.16b, v1.16b          // 5
        aesimc  v5.16b, v5.16b          // 6
        eor     v6.16b, v0.16b, v4.16b  // 7
        pmull   v7.1q, v0.1d, v2.1d     // 8
        pmull2  v16.1q, v0.2d, v2.2d    // 9
        eor     v7.16b, v7.16b, v16.16b // 10
        ext     v17.16b, v7.16b, v7.16b, #8 // 11
        sha256h q18, q2, v3.4s          // 12
        sha256h2 q19, q18, v3.4s        // 13
        sha256su0 v20.4s, v2.4s         // 14
        sha256su1 v20.4s, v3.4s, v7.4s  // 15
        add     v21.4s, v20.4s, v3.4s   // 16
        rev32   v22.16b, v21.16b        // 17
        add     x2, x2, #1              // 18
        sub     x0, x0, #1              // 19
        cbnz    x0, 1b                  // 20
        mov     x0, x2
        ret

        .section .note.GNU-stack, "", %progbits
