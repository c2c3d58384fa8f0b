//! The functions of the vDSO that read the clock page instead of calling the kernel, as machine code with its assembly
//! beside it. Labels stand at their instruction. The reading is a sequence lock: an odd or changed first word of the page
//! means that it is being written. Where the page does not know, they call.
//!
//! Registers x2 to x10 are the caller's to save (AAPCS64). Source: the layout is [`super::clock_page`]'s.

/// The instruction `adr x2, .`: the place of the page is put in when the image is made.
pub(super) const ADR_X2: u32 = 0x1000_0002;

/// clock_gettime(clock w0, timespec x1): clocks 0, 5 (real), 1, 6 (monotonic), 7 (since boot) from the page.
#[rustfmt::skip]
pub(super) const CLOCK_GETTIME: [u32; 41] = [
    ADR_X2,      // adr x2, page
    0x7100_1c1f, // cmp w0, #0x7
    0x5400_0488, // b.hi call
    0x5280_1c63, // mov w3, #0xe3
    0x1ac0_2463, // lsr w3, w3, w0
    0x3600_0423, // tbz w3, #0, call
    0x88df_fc44, // again: ldar w4, [x2]
    0x3700_03e4, // tbnz w4, #0, call
    0xd503_3fdf, // isb
    0xd53b_e045, // mrs x5, cntvct_el0
    0xa940_9c46, // ldp x6, x7, [x2, #8]
    0x9b06_7ca9, // mul x9, x5, x6
    0x9bc6_7caa, // umulh x10, x5, x6
    0x93c9_8149, // extr x9, x10, x9, #32
    0x8b07_0129, // add x9, x9, x7
    0x7100_041f, // cmp w0, #0x1
    0x5400_0160, // b.eq check
    0x7100_181f, // cmp w0, #0x6
    0x5400_0120, // b.eq check
    0xa941_9c46, // ldp x6, x7, [x2, #24]
    0x7100_1c1f, // cmp w0, #0x7
    0x9a86_00e6, // csel x6, x7, x6, eq
    0x8b06_0129, // add x9, x9, x6
    0xa942_9c46, // ldp x6, x7, [x2, #40]
    0xcb06_00a6, // sub x6, x5, x6
    0xeb07_00df, // cmp x6, x7
    0x5400_0188, // b.hi call
    0xd503_39bf, // check: dmb ishld
    0xb940_0046, // ldr w6, [x2]
    0x6b04_00df, // cmp w6, w4
    0x54ff_fd01, // b.ne again
    0xd299_4006, // mov x6, #0xca00
    0xf2a7_7346, // movk x6, #0x3b9a, lsl #16
    0x9ac6_0927, // udiv x7, x9, x6
    0x9b06_a4e9, // msub x9, x7, x6, x9
    0xa900_2427, // stp x7, x9, [x1]
    0x5280_0000, // mov w0, #0x0
    0xd65f_03c0, // ret
    0xd280_0e28, // call: mov x8, #0x71
    0xd400_0001, // svc #0x0
    0xd65f_03c0, // ret
];

/// gettimeofday(timeval x0, timezone x1): without a timezone from the page.
#[rustfmt::skip]
pub(super) const GETTIMEOFDAY: [u32; 34] = [
    0xb400_03e0, // cbz x0, call
    0xb500_03c1, // cbnz x1, call
    ADR_X2,      // adr x2, page
    0x88df_fc44, // again: ldar w4, [x2]
    0x3700_0364, // tbnz w4, #0, call
    0xd503_3fdf, // isb
    0xd53b_e045, // mrs x5, cntvct_el0
    0xa940_9c46, // ldp x6, x7, [x2, #8]
    0x9b06_7ca9, // mul x9, x5, x6
    0x9bc6_7caa, // umulh x10, x5, x6
    0x93c9_8149, // extr x9, x10, x9, #32
    0x8b07_0129, // add x9, x9, x7
    0xf940_0c46, // ldr x6, [x2, #24]
    0x8b06_0129, // add x9, x9, x6
    0xa942_9c46, // ldp x6, x7, [x2, #40]
    0xcb06_00a6, // sub x6, x5, x6
    0xeb07_00df, // cmp x6, x7
    0x5400_01c8, // b.hi call
    0xd503_39bf, // dmb ishld
    0xb940_0046, // ldr w6, [x2]
    0x6b04_00df, // cmp w6, w4
    0x54ff_fdc1, // b.ne again
    0xd299_4006, // mov x6, #0xca00
    0xf2a7_7346, // movk x6, #0x3b9a, lsl #16
    0x9ac6_0927, // udiv x7, x9, x6
    0x9b06_a4e9, // msub x9, x7, x6, x9
    0xd280_7d06, // mov x6, #0x3e8
    0x9ac6_0929, // udiv x9, x9, x6
    0xa900_2407, // stp x7, x9, [x0]
    0x5280_0000, // mov w0, #0x0
    0xd65f_03c0, // ret
    0xd280_1528, // call: mov x8, #0xa9
    0xd400_0001, // svc #0x0
    0xd65f_03c0, // ret
];

/// clock_getres(clock w0, timespec x1): a nanosecond for clocks 0, 1 and 7.
#[rustfmt::skip]
pub(super) const CLOCK_GETRES: [u32; 13] = [
    0x7100_1c1f, // cmp w0, #0x7
    0x5400_0128, // b.hi call
    0x5280_1063, // mov w3, #0x83
    0x1ac0_2463, // lsr w3, w3, w0
    0x3600_00c3, // tbz w3, #0, call
    0xb400_0061, // cbz x1, done
    0xd280_0022, // mov x2, #0x1
    0xa900_083f, // stp xzr, x2, [x1]
    0x5280_0000, // done: mov w0, #0x0
    0xd65f_03c0, // ret
    0xd280_0e48, // call: mov x8, #0x72
    0xd400_0001, // svc #0x0
    0xd65f_03c0, // ret
];
