//! Cryptographic SHA3 instructions: exclusive-ors of three. Source: Arm ARM C4.1.97, C7.2.

use super::simd::instructions;

instructions! {
    eor3 = ternary[u128] |n, m, a| n ^ m ^ a;
    bcax = ternary[u128] |n, m, a| n ^ (m & !a);
    rax1 = binary[u64] |n, m| n ^ m.rotate_left(1);
    xar = binary_imm[u64] |n, m, amount| (n ^ m).rotate_right(amount);
}
