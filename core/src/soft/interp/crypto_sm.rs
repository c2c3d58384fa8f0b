//! Cryptographic SM3 and SM4 instructions. Source: Arm ARM C4.1.97, C7.2; the functions are those of GB/T 32905 (SM3) and
//! GB/T 32907 (SM4).

use super::builder::Builder;
use super::cpu::Cpu;
use super::lanes::Lane;
use super::op::{At, Exec, Flow};
use super::simd;
use crate::soft::a64::Inst;

type Words = [u32; 4];

/// Defines the lowering functions: `rd` = the result for the words of `rd`, `rn`, `rm` and the field `i`.
macro_rules! steps {
    ($($name:ident |$d:pat_param, $n:pat_param, $m:pat_param, $i:pat_param| $result:expr;)+) => {$(
        pub(crate) fn $name(b: &mut Builder, inst: Inst) {
            const HANDLER: Exec = |cpu: &mut Cpu, at: At<'_>| -> Flow {
                let [$d, $n, $m] = [at.rd(), at.rn(), at.rm()].map(|slot| u32::split(&cpu.v[slot]));
                let $i = at.imm() as usize & 3;
                cpu.v[at.rd()] = u32::join($result);
                at.next(cpu)
            };
            b.emit(HANDLER, simd::operands(inst));
        }
    )+};
}

steps! {
    sm3tt1a |d, n, w, i| sm3_first(d, n, w[i], parity(d));
    sm3tt1b |d, n, w, i| sm3_first(d, n, w[i], d[3] & d[1] | d[3] & d[2] | d[1] & d[2]);
    sm3tt2a |d, n, w, i| sm3_second(d, n, w[i], parity(d));
    sm3tt2b |d, n, w, i| sm3_second(d, n, w[i], d[3] & d[2] | !d[3] & d[1]);
    sm3partw1 |d, n, m, _| sm3_schedule_first(d, n, m);
    sm3partw2 |d, n, m, _| sm3_schedule_second(d, n, m);
    sm4e |d, key, _, _| sm4_rounds(d, key, |x| x ^ x.rotate_left(2) ^ x.rotate_left(10) ^ x.rotate_left(18) ^ x.rotate_left(24));
    sm4ekey |_, n, key, _| sm4_rounds(n, key, |x| x ^ x.rotate_left(13) ^ x.rotate_left(23));
}

/// SM3SS1, the only one with a third source.
pub(crate) fn sm3ss1(b: &mut Builder, inst: Inst) {
    fn handler(cpu: &mut Cpu, at: At<'_>) -> Flow {
        let [n, m, a] = [at.rn(), at.rm(), at.ra()].map(|slot| u32::split(&cpu.v[slot])[3]);
        let sum = n.rotate_left(12).wrapping_add(m).wrapping_add(a);
        cpu.v[at.rd()] = u32::join([0, 0, 0, sum.rotate_left(7)]);
        at.next(cpu)
    }
    b.emit(handler, simd::operands(inst));
}

fn parity(d: Words) -> u32 {
    d[1] ^ d[2] ^ d[3]
}

/// Half a round of SM3 on A to D: `f` is FF of them.
fn sm3_first(d: Words, n: Words, w: u32, f: u32) -> Words {
    let ss2 = n[3] ^ d[3].rotate_left(12);
    let tt1 = f.wrapping_add(d[0]).wrapping_add(ss2).wrapping_add(w);
    [d[1], d[2].rotate_left(9), d[3], tt1]
}

/// Half a round of SM3 on E to H: `g` is GG of them.
fn sm3_second(d: Words, n: Words, w: u32, g: u32) -> Words {
    let tt2 = g.wrapping_add(d[0]).wrapping_add(n[3]).wrapping_add(w);
    [d[1], d[2].rotate_left(19), d[3], tt2 ^ tt2.rotate_left(9) ^ tt2.rotate_left(17)]
}

/// P1 of SM3.
fn permute(x: u32) -> u32 {
    x ^ x.rotate_left(15) ^ x.rotate_left(23)
}

fn sm3_schedule_first(d: Words, n: Words, m: Words) -> Words {
    let [a, b, c] = std::array::from_fn(|i| permute(d[i] ^ n[i] ^ m[i + 1].rotate_left(15)));
    [a, b, c, permute(d[3] ^ n[3] ^ a.rotate_left(15))]
}

fn sm3_schedule_second(d: Words, n: Words, m: Words) -> Words {
    let mixed: Words = std::array::from_fn(|i| n[i] ^ m[i].rotate_left(7));
    let mut result: Words = std::array::from_fn(|i| d[i] ^ mixed[i]);
    result[3] ^= permute(mixed[0].rotate_left(15));
    result
}

/// Four rounds of SM4 with the linear map of the rounds or of the key schedule.
#[inline(always)]
fn sm4_rounds(mut state: Words, keys: Words, linear: impl Fn(u32) -> u32) -> Words {
    for key in keys {
        let mixed = state[1] ^ state[2] ^ state[3] ^ key;
        let substituted = u32::from_le_bytes(mixed.to_le_bytes().map(|byte| SM4_SBOX[usize::from(byte)]));
        state = [state[1], state[2], state[3], state[0] ^ linear(substituted)];
    }
    state
}

/// The S-box of SM4 (GB/T 32907, 6.2).
#[rustfmt::skip]
static SM4_SBOX: [u8; 256] = [
    0xd6, 0x90, 0xe9, 0xfe, 0xcc, 0xe1, 0x3d, 0xb7, 0x16, 0xb6, 0x14, 0xc2, 0x28, 0xfb, 0x2c, 0x05,
    0x2b, 0x67, 0x9a, 0x76, 0x2a, 0xbe, 0x04, 0xc3, 0xaa, 0x44, 0x13, 0x26, 0x49, 0x86, 0x06, 0x99,
    0x9c, 0x42, 0x50, 0xf4, 0x91, 0xef, 0x98, 0x7a, 0x33, 0x54, 0x0b, 0x43, 0xed, 0xcf, 0xac, 0x62,
    0xe4, 0xb3, 0x1c, 0xa9, 0xc9, 0x08, 0xe8, 0x95, 0x80, 0xdf, 0x94, 0xfa, 0x75, 0x8f, 0x3f, 0xa6,
    0x47, 0x07, 0xa7, 0xfc, 0xf3, 0x73, 0x17, 0xba, 0x83, 0x59, 0x3c, 0x19, 0xe6, 0x85, 0x4f, 0xa8,
    0x68, 0x6b, 0x81, 0xb2, 0x71, 0x64, 0xda, 0x8b, 0xf8, 0xeb, 0x0f, 0x4b, 0x70, 0x56, 0x9d, 0x35,
    0x1e, 0x24, 0x0e, 0x5e, 0x63, 0x58, 0xd1, 0xa2, 0x25, 0x22, 0x7c, 0x3b, 0x01, 0x21, 0x78, 0x87,
    0xd4, 0x00, 0x46, 0x57, 0x9f, 0xd3, 0x27, 0x52, 0x4c, 0x36, 0x02, 0xe7, 0xa0, 0xc4, 0xc8, 0x9e,
    0xea, 0xbf, 0x8a, 0xd2, 0x40, 0xc7, 0x38, 0xb5, 0xa3, 0xf7, 0xf2, 0xce, 0xf9, 0x61, 0x15, 0xa1,
    0xe0, 0xae, 0x5d, 0xa4, 0x9b, 0x34, 0x1a, 0x55, 0xad, 0x93, 0x32, 0x30, 0xf5, 0x8c, 0xb1, 0xe3,
    0x1d, 0xf6, 0xe2, 0x2e, 0x82, 0x66, 0xca, 0x60, 0xc0, 0x29, 0x23, 0xab, 0x0d, 0x53, 0x4e, 0x6f,
    0xd5, 0xdb, 0x37, 0x45, 0xde, 0xfd, 0x8e, 0x2f, 0x03, 0xff, 0x6a, 0x72, 0x6d, 0x6c, 0x5b, 0x51,
    0x8d, 0x1b, 0xaf, 0x92, 0xbb, 0xdd, 0xbc, 0x7f, 0x11, 0xd9, 0x5c, 0x41, 0x1f, 0x10, 0x5a, 0xd8,
    0x0a, 0xc1, 0x31, 0x88, 0xa5, 0xcd, 0x7b, 0xbd, 0x2d, 0x74, 0xd0, 0x12, 0xb8, 0xe5, 0xb4, 0xb0,
    0x89, 0x69, 0x97, 0x4a, 0x0c, 0x96, 0x77, 0x7e, 0x65, 0xb9, 0xf1, 0x09, 0xc5, 0x6e, 0xc6, 0x84,
    0x18, 0xf0, 0x7d, 0xec, 0x3a, 0xdc, 0x4d, 0x20, 0x79, 0xee, 0x5f, 0x3e, 0xd7, 0xcb, 0x39, 0x48,
];
