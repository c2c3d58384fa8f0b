//! Cryptographic AES instructions: a step of a round each. Source: Arm ARM C4.1.97, J1.1 (`AESShiftRows` and others), and
//! FIPS 197 for the steps.

use super::builder::Builder;
use super::cpu::Cpu;
use super::lanes::Lane;
use super::op::{At, Exec, Flow};
use super::simd;
use crate::soft::a64::Inst;

/// A product in GF(2^8) with the polynomial of AES.
const fn multiply(a: u8, b: u8) -> u8 {
    let (mut product, mut power, mut bit) = (0, a, 0);
    while bit < 8 {
        if b >> bit & 1 == 1 {
            product ^= power;
        }
        power = power << 1 ^ if power >> 7 == 1 { 0x1b } else { 0 };
        bit += 1;
    }
    product
}

/// The S-box: the inverse in GF(2^8), then an affine map (FIPS 197, 5.1.1).
const fn make_sbox() -> [u8; 256] {
    let mut sbox = [0x63; 256];
    // 3 generates all of the field but zero, 0xf6 is its inverse.
    let (mut value, mut inverse) = (1u8, 1u8);
    loop {
        let i = inverse;
        sbox[value as usize] = i ^ i.rotate_left(1) ^ i.rotate_left(2) ^ i.rotate_left(3) ^ i.rotate_left(4) ^ 0x63;
        value = multiply(value, 3);
        inverse = multiply(inverse, 0xf6);
        if value == 1 {
            return sbox;
        }
    }
}

const fn make_inverse(sbox: &[u8; 256]) -> [u8; 256] {
    let mut inverse = [0; 256];
    let mut index = 0;
    while index < 256 {
        inverse[sbox[index] as usize] = index as u8;
        index += 1;
    }
    inverse
}

/// A column of MixColumns: the products of a byte with the first column of the matrix.
const fn make_columns(matrix: [u8; 4]) -> [u32; 256] {
    let mut columns = [0; 256];
    let mut index = 0;
    while index < 256 {
        let byte = index as u8;
        let column = [
            multiply(byte, matrix[0]),
            multiply(byte, matrix[1]),
            multiply(byte, matrix[2]),
            multiply(byte, matrix[3]),
        ];
        columns[index] = u32::from_le_bytes(column);
        index += 1;
    }
    columns
}

static SBOX: [u8; 256] = make_sbox();
static INVERSE_SBOX: [u8; 256] = make_inverse(&SBOX);
static MIX: [u32; 256] = make_columns([2, 1, 1, 3]);
static INVERSE_MIX: [u32; 256] = make_columns([14, 9, 13, 11]);

/// Byte `row` of column `column` moves from the column `step * row` further; then the S-box.
#[inline(always)]
fn shift_and_substitute(state: u128, step: usize, sbox: &[u8; 256]) -> u128 {
    let state = u8::split(&state);
    let result = std::array::from_fn(|place| {
        let (row, column) = (place % 4, place / 4);
        sbox[usize::from(state[row + 4 * ((column + step * row) % 4)])]
    });
    u8::join(result)
}

/// Every column times the matrix whose products are in `columns`.
#[inline(always)]
fn mix(state: u128, columns: &[u32; 256]) -> u128 {
    let mixed = u32::split(&state).map(|column| {
        let bytes = column.to_le_bytes();
        (0..4).fold(0, |sum, row| sum ^ columns[usize::from(bytes[row])].rotate_left(8 * row as u32))
    });
    u32::join(mixed)
}

/// Defines the lowering functions: `rd` = the result for `rd` and `rn`.
macro_rules! steps {
    ($($name:ident |$d:ident, $n:ident| $result:expr;)+) => {$(
        pub(crate) fn $name(b: &mut Builder, inst: Inst) {
            const HANDLER: Exec = |cpu: &mut Cpu, at: At<'_>| -> Flow {
                let ($d, $n) = (cpu.v[at.rd()], cpu.v[at.rn()]);
                cpu.v[at.rd()] = $result;
                at.next(cpu)
            };
            b.emit(HANDLER, simd::operands(inst));
        }
    )+};
}

steps! {
    aese |d, n| shift_and_substitute(d ^ n, 1, &SBOX);
    aesd |d, n| shift_and_substitute(d ^ n, 3, &INVERSE_SBOX);
    aesmc |_d, n| mix(n, &MIX);
    aesimc |_d, n| mix(n, &INVERSE_MIX);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A round of the example in FIPS 197, appendix B: start of round 1 and its key give the start of round 2.
    #[test]
    fn a_round_of_the_standard() {
        let block = |text: &str| u128::from_str_radix(text, 16).unwrap().swap_bytes();
        let start = block("193de3bea0f4e22b9ac68d2ae9f84808");
        let substituted = shift_and_substitute(start, 1, &SBOX);
        assert_eq!(substituted, block("d4bf5d30e0b452aeb84111f11e2798e5"));
        let mixed = mix(substituted, &MIX);
        assert_eq!(mixed, block("046681e5e0cb199a48f8d37a2806264c"));
        assert_eq!(mix(mixed, &INVERSE_MIX), substituted);
        assert_eq!(shift_and_substitute(substituted, 3, &INVERSE_SBOX), start);
    }
}
