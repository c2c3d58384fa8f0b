//! Advanced SIMD, across lanes. Source: Arm ARM C4.1.97, C7.2.

use super::simd::instructions;

instructions! {
    addv = across[u8, u16, u32] |n, m| n.wrapping_add(m);
    smaxv = across[i8, i16, i32] |n, m| n.max(m);
    sminv = across[i8, i16, i32] |n, m| n.min(m);
    umaxv = across[u8, u16, u32] |n, m| n.max(m);
    uminv = across[u8, u16, u32] |n, m| n.min(m);
    saddlv = across_long[i8, i16, i32] |n, m| n + m;
    uaddlv = across_long[u8, u16, u32] |n, m| n + m;
}
