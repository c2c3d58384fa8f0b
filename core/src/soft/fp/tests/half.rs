//! Half precision against the definition: the reference finds the two neighbours of an exact result by comparing
//! integers, and picks one as the rounding mode says. All formats share the code that is tested here.

use std::cmp::Ordering;

use super::*;
use crate::soft::fp::env::flag::{IOC, IXC, OFC, UFC};
use crate::soft::fp::format::{Format, Half};
use crate::soft::fp::{arith, fused};

/// The smallest denormal number is `2^-24`: numbers are integers in that unit.
const UNIT: u32 = 24;

/// The magnitude of a finite number, or the number that would follow the largest one, in units.
fn units(bits: u64) -> i128 {
    let (field, fraction) = (bits >> 10 & 31, i128::from(bits & 0x3ff));
    if field == 0 { fraction } else { (fraction | 0x400) << (field - 1) }
}

fn signed_units(bits: u64) -> i128 {
    if bits & Half::SIGN != 0 { -units(bits) } else { units(bits) }
}

fn is_finite(bits: u64) -> bool {
    bits & Half::INFINITY != Half::INFINITY
}

/// The result and the flags of an exact number with this sign, which `order` compares in magnitude with a candidate of
/// `twice / 2` units.
fn rounded(fpcr: u32, sign: bool, order: impl Fn(i128) -> Ordering) -> (u64, u32) {
    let sign_bit = if sign { Half::SIGN } else { 0 };
    let is_tiny = order(2 * units(Half::MIN_NORMAL)) == Ordering::Less;
    if is_tiny && fpcr & FZ16 != 0 {
        return (sign_bit, UFC);
    }
    // The largest number that is not above the exact one.
    let (mut low, mut high) = (0, Half::INFINITY);
    while high - low > 1 {
        let middle = low.midpoint(high);
        if order(2 * units(middle)) == Ordering::Less { high = middle } else { low = middle }
    }
    if order(2 * units(low)) == Ordering::Equal {
        return (sign_bit | low, 0);
    }
    let is_up = match fpcr >> 22 & 3 {
        0 => match order(units(low) + units(low + 1)) {
            Ordering::Less => false,
            Ordering::Equal => low & 1 == 1,
            Ordering::Greater => true,
        },
        1 => !sign,
        2 => sign,
        _ => false,
    };
    let result = low + u64::from(is_up);
    // What is at or beyond the number after the largest one overflows, whatever it becomes.
    let is_beyond = order(2 * units(Half::INFINITY)) != Ordering::Less;
    let flags = if result == Half::INFINITY || is_beyond { OFC | IXC } else { IXC };
    (sign_bit | result, if is_tiny { flags | UFC } else { flags })
}

/// Rounds `numerator / denominator` units; zero has the sign that sums have.
fn quotient(fpcr: u32, numerator: i128, denominator: i128) -> (u64, u32) {
    if numerator == 0 {
        return (if fpcr >> 22 & 3 == 2 { Half::SIGN } else { 0 }, 0);
    }
    let sign = (numerator < 0) != (denominator < 0);
    let (numerator, denominator) = (numerator.abs(), denominator.abs());
    rounded(fpcr, sign, |twice| (2 * numerator).cmp(&(twice * denominator)))
}

/// Operands that are finite, and not denormal where those are flushed.
fn operand(random: &mut Random, fpcr: u32) -> u64 {
    loop {
        let bits = random.number::<Half>();
        let is_denormal = bits & Half::INFINITY == 0 && bits & Half::FRACTION != 0;
        if is_finite(bits) && !(is_denormal && fpcr & FZ16 != 0) {
            return bits;
        }
    }
}

/// Calls `check` with random operands in every mode.
fn in_all_modes(seed: u64, count: u32, mut check: impl FnMut(u32, u64, u64, u64)) {
    let mut random = Random::new(seed);
    for mode in MODES {
        for fpcr in [mode, mode | FZ16] {
            for _ in 0..count {
                let (a, b, c) = (operand(&mut random, fpcr), operand(&mut random, fpcr), operand(&mut random, fpcr));
                check(fpcr, a, b, c);
            }
        }
    }
}

/// The result of an operation with what it raises.
fn run(fpcr: u32, operation: impl FnOnce(&mut Env) -> u64) -> (u64, u32) {
    let mut env = env(fpcr);
    let result = operation(&mut env);
    (result, env.fpsr)
}

#[test]
fn sums_and_differences() {
    in_all_modes(1, 20_000, |fpcr, a, b, _| {
        let (x, y) = (signed_units(a), signed_units(b));
        // Zeros of the same sign keep it.
        let is_zero = |bits: u64| bits & !Half::SIGN == 0;
        if !(is_zero(a) && is_zero(b)) {
            assert_eq!(
                run(fpcr, |env| arith::add::<Half>(env, a, b)),
                quotient(fpcr, x + y, 1),
                "{a:x} + {b:x} {fpcr:x}"
            );
            assert_eq!(
                run(fpcr, |env| arith::sub::<Half>(env, a, b)),
                quotient(fpcr, x - y, 1),
                "{a:x} - {b:x} {fpcr:x}"
            );
        }
    });
}

#[test]
fn products_and_quotients() {
    in_all_modes(2, 20_000, |fpcr, a, b, _| {
        let (x, y) = (signed_units(a), signed_units(b));
        if x == 0 || y == 0 {
            return;
        }
        let unit = 1i128 << UNIT;
        assert_eq!(
            run(fpcr, |env| arith::mul::<Half>(env, a, b)),
            quotient(fpcr, x * y, unit),
            "{a:x} * {b:x} {fpcr:x}"
        );
        assert_eq!(
            run(fpcr, |env| arith::div::<Half>(env, a, b)),
            quotient(fpcr, x * unit, y),
            "{a:x} / {b:x} {fpcr:x}"
        );
    });
}

#[test]
fn fused_products() {
    in_all_modes(3, 40_000, |fpcr, a, b, c| {
        let (x, y, z) = (signed_units(a), signed_units(b), signed_units(c));
        if x == 0 || y == 0 || z == 0 {
            return;
        }
        let unit = 1i128 << UNIT;
        let expected = quotient(fpcr, x * y + z * unit, unit);
        assert_eq!(run(fpcr, |env| fused::mul_add::<Half>(env, c, a, b)), expected, "{c:x} + {a:x} * {b:x} {fpcr:x}");
        let two = 2 * unit;
        let expected = quotient(fpcr, two * unit - x * y, unit);
        assert_eq!(run(fpcr, |env| fused::recip_step::<Half>(env, a, b)), expected, "2 - {a:x} * {b:x} {fpcr:x}");
        let expected = quotient(fpcr, (two + unit) * unit - x * y, two);
        assert_eq!(run(fpcr, |env| fused::recip_sqrt_step::<Half>(env, a, b)), expected, "{a:x} {b:x} {fpcr:x}");
    });
}

#[test]
fn every_square_root() {
    for fpcr in MODES {
        for a in 1..Half::INFINITY {
            // The root of `u / 2^24` is `sqrt(u * 2^24)` units.
            let square = units(a) << (UNIT + 2);
            let expected = rounded(fpcr, false, |twice| square.cmp(&(twice * twice)));
            assert_eq!(run(fpcr, |env| arith::sqrt::<Half>(env, a)), expected, "{a:x} {fpcr:x}");
        }
    }
}

#[test]
fn the_alternative_format_has_no_infinities() {
    use crate::soft::fp::convert::convert;
    use crate::soft::fp::format::Single;
    let to_half = |value: f32| run(AHP, |env| convert::<Single, Half>(env, value.to_bits().into()));
    assert_eq!(to_half(131_008.0), (0x7fff, 0));
    assert_eq!(to_half(-65_536.0), (0xfc00, 0));
    // Saturated, and nothing but Invalid Operation.
    assert_eq!(to_half(131_073.0), (0x7fff, IOC));
    assert_eq!(to_half(f32::NEG_INFINITY), (0xffff, IOC));
    assert_eq!(to_half(f32::NAN), (0, IOC));
    let back = run(AHP, |env| convert::<Half, Single>(env, 0x7fff));
    assert_eq!(back, (131_008f32.to_bits().into(), 0));
}
