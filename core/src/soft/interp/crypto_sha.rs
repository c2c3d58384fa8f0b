//! Cryptographic SHA1, SHA256 and SHA512 instructions. Source: Arm ARM C4.1.97, C7.2, J1.1 (`SHA256hash` and others); the
//! functions are those of FIPS 180-4.

use super::builder::Builder;
use super::cpu::Cpu;
use super::lanes::Lane;
use super::op::{At, Exec, Flow};
use super::simd;
use crate::soft::a64::Inst;

type Words = [u32; 4];
type Doublewords = [u64; 2];

/// Defines the lowering functions: `rd` = the result for the lanes of `rd`, `rn` and `rm`.
macro_rules! steps {
    ($($name:ident[$type:ty] |$d:pat_param, $n:pat_param, $m:pat_param| $result:expr;)+) => {$(
        pub(crate) fn $name(b: &mut Builder, inst: Inst) {
            const HANDLER: Exec = |cpu: &mut Cpu, at: At<'_>| -> Flow {
                let [$d, $n, $m] = [at.rd(), at.rn(), at.rm()].map(|slot| <$type>::split(&cpu.v[slot]));
                cpu.v[at.rd()] = <$type>::join($result);
                at.next(cpu)
            };
            b.emit(HANDLER, simd::operands(inst));
        }
    )+};
}

steps! {
    sha1c[u32] |d, [e, ..], w| sha1_rounds(d, e, w, |b, c, d| b & c | !b & d);
    sha1p[u32] |d, [e, ..], w| sha1_rounds(d, e, w, |b, c, d| b ^ c ^ d);
    sha1m[u32] |d, [e, ..], w| sha1_rounds(d, e, w, majority);
    sha1h[u32] |_, [e, ..], _| [e.rotate_left(30), 0, 0, 0];
    sha1su0[u32] |d, n, m| [d[0] ^ d[2] ^ m[0], d[1] ^ d[3] ^ m[1], d[2] ^ n[0] ^ m[2], d[3] ^ n[1] ^ m[3]];
    sha1su1[u32] |d, n, _| sha1_schedule(d, n);

    sha256h[u32] |d, n, w| sha256_rounds(d, n, w).0;
    sha256h2[u32] |d, n, w| sha256_rounds(n, d, w).1;
    sha256su0[u32] |d, n, _| {
        let next = [d[1], d[2], d[3], n[0]];
        std::array::from_fn(|i| d[i].wrapping_add(small_sigma_256(next[i], 7, 18, 3)))
    };
    sha256su1[u32] |d, n, m| sha256_schedule(d, n, m);

    sha512h[u64] |d, n, m| sha512_first(n, m, d);
    sha512h2[u64] |d, n, m| sha512_second(n, m, d);
    sha512su0[u64] |d, n, _| {
        [d[0].wrapping_add(small_sigma_512(d[1], 1, 8, 7)), d[1].wrapping_add(small_sigma_512(n[0], 1, 8, 7))]
    };
    sha512su1[u64] |d, n, m| std::array::from_fn(|i| {
        d[i].wrapping_add(small_sigma_512(n[i], 19, 61, 6)).wrapping_add(m[i])
    });
}

fn majority(a: u32, b: u32, c: u32) -> u32 {
    a & b | (a | b) & c
}

/// Four rounds of SHA1: `abcd` after them. `f` is the function of the rounds, `w` the schedule with the constant added.
#[inline(always)]
fn sha1_rounds(abcd: Words, mut e: u32, w: Words, f: impl Fn(u32, u32, u32) -> u32) -> Words {
    let [mut a, mut b, mut c, mut d] = abcd;
    for w in w {
        let next = a.rotate_left(5).wrapping_add(f(b, c, d)).wrapping_add(e).wrapping_add(w);
        (a, b, c, d, e) = (next, a, b.rotate_left(30), c, d);
    }
    [a, b, c, d]
}

fn sha1_schedule(d: Words, n: Words) -> Words {
    let mixed = [d[0] ^ n[1], d[1] ^ n[2], d[2] ^ n[3], d[3]];
    let mut result = mixed.map(|word| word.rotate_left(1));
    result[3] ^= mixed[0].rotate_left(2);
    result
}

fn big_sigma_256(x: u32, a: u32, b: u32, c: u32) -> u32 {
    x.rotate_right(a) ^ x.rotate_right(b) ^ x.rotate_right(c)
}

fn small_sigma_256(x: u32, a: u32, b: u32, shift: u32) -> u32 {
    x.rotate_right(a) ^ x.rotate_right(b) ^ x >> shift
}

/// Four rounds of SHA256: `abcd` and `efgh` after them. `w` is the schedule with the constants added.
#[inline(always)]
fn sha256_rounds(abcd: Words, efgh: Words, w: Words) -> (Words, Words) {
    let ([mut a, mut b, mut c, mut d], [mut e, mut f, mut g, mut h]) = (abcd, efgh);
    for w in w {
        let choice = e & f | !e & g;
        let first = h.wrapping_add(big_sigma_256(e, 6, 11, 25)).wrapping_add(choice).wrapping_add(w);
        let second = big_sigma_256(a, 2, 13, 22).wrapping_add(majority(a, b, c));
        (h, g, f, e) = (g, f, e, d.wrapping_add(first));
        (d, c, b, a) = (c, b, a, first.wrapping_add(second));
    }
    ([a, b, c, d], [e, f, g, h])
}

fn sha256_schedule(d: Words, n: Words, m: Words) -> Words {
    let seven_back = [n[1], n[2], n[3], m[0]];
    let mut result = [0; 4];
    for i in 0..4 {
        let two_back = if i < 2 { m[i + 2] } else { result[i - 2] };
        result[i] = d[i].wrapping_add(seven_back[i]).wrapping_add(small_sigma_256(two_back, 17, 19, 10));
    }
    result
}

fn big_sigma_512(x: u64, a: u32, b: u32, c: u32) -> u64 {
    x.rotate_right(a) ^ x.rotate_right(b) ^ x.rotate_right(c)
}

fn small_sigma_512(x: u64, a: u32, b: u32, shift: u32) -> u64 {
    x.rotate_right(a) ^ x.rotate_right(b) ^ x >> shift
}

/// The first half of two rounds of SHA512 (SHA512H): X, Y, W as the architecture calls its operands.
fn sha512_first(x: Doublewords, y: Doublewords, w: Doublewords) -> Doublewords {
    let step =
        |e: u64, f: u64, g: u64, w: u64| (e & f ^ !e & g).wrapping_add(big_sigma_512(e, 14, 18, 41)).wrapping_add(w);
    let high = step(y[1], x[0], x[1], w[1]);
    let low = step(high.wrapping_add(y[0]), y[1], x[0], w[0]);
    [low, high]
}

/// The second half (SHA512H2).
fn sha512_second(x: Doublewords, y: Doublewords, w: Doublewords) -> Doublewords {
    let step = |a: u64, b: u64, c: u64, w: u64| {
        (a & b ^ a & c ^ b & c).wrapping_add(big_sigma_512(a, 28, 34, 39)).wrapping_add(w)
    };
    let high = step(y[0], y[1], x[0], w[1]);
    let low = step(high, y[0], y[1], w[0]);
    [low, high]
}
