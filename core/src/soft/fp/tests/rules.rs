//! What the architecture adds to IEEE 754: which NaN results, flushing to zero, default NaNs, saturation, estimates.

use super::*;
use crate::soft::fp::bf16::bf_dot_add;
use crate::soft::fp::compare::{max, max_num, min, min_num};
use crate::soft::fp::convert::{convert, convert_odd, fixed_to_fp, to_fixed, to_fixed_js};
use crate::soft::fp::env::Rounding;
use crate::soft::fp::env::flag::{DZC, IDC, IOC, IXC, OFC, UFC};
use crate::soft::fp::estimate::{recip_estimate, recip_sqrt_estimate};
use crate::soft::fp::format::{Double, Half, Single};
use crate::soft::fp::fused::{mul_add, mul_add_long};
use crate::soft::fp::{arith, integral};

const ONE: u64 = 0x3f80_0000;
const INFINITY: u64 = Single::INFINITY;
const DEFAULT: u64 = Single::DEFAULT_NAN;
/// Quiet and signaling NaNs with payloads, and what the latter become.
const QUIET_A: u64 = 0x7fc0_00aa;
const QUIET_B: u64 = 0xffc0_00bb;
const SIGNALING_A: u64 = 0x7f80_0a0a;
const SIGNALING_B: u64 = 0xff80_0b0b;
const QUIETED_A: u64 = 0x7fc0_0a0a;
const QUIETED_B: u64 = 0xffc0_0b0b;

/// The result of an operation with what it raises.
fn run<T>(fpcr: u32, operation: impl FnOnce(&mut Env) -> T) -> (T, u32) {
    let mut env = env(fpcr);
    let result = operation(&mut env);
    (result, env.fpsr)
}

#[test]
fn signaling_nans_come_first_then_the_first_operand() {
    let add = |a, b| run(0, |env| arith::add::<Single>(env, a, b));
    assert_eq!(add(QUIET_A, QUIET_B), (QUIET_A, 0));
    assert_eq!(add(ONE, QUIET_B), (QUIET_B, 0));
    assert_eq!(add(QUIET_A, SIGNALING_B), (QUIETED_B, IOC));
    assert_eq!(add(SIGNALING_A, SIGNALING_B), (QUIETED_A, IOC));
    assert_eq!(run(DN, |env| arith::add::<Single>(env, QUIET_A, ONE)), (DEFAULT, 0));
    // A difference is no sum with the negated operand where that is a NaN.
    assert_eq!(run(0, |env| arith::sub::<Single>(env, ONE, QUIET_B)), (QUIET_B, 0));
}

#[test]
fn the_addend_of_a_fused_product_is_the_first_operand() {
    let fused = |addend, a, b| run(0, |env| mul_add::<Single>(env, addend, a, b));
    assert_eq!(fused(QUIET_A, QUIET_B, ONE), (QUIET_A, 0));
    assert_eq!(fused(QUIET_A, ONE, SIGNALING_B), (QUIETED_B, IOC));
    assert_eq!(fused(ONE, QUIET_B, QUIET_A), (QUIET_B, 0));
    // Infinity times zero is invalid beside a quiet addend, but not beside a signaling one.
    assert_eq!(fused(QUIET_A, INFINITY, 0), (DEFAULT, IOC));
    assert_eq!(fused(SIGNALING_A, INFINITY, 0), (QUIETED_A, IOC));
    assert_eq!(fused(INFINITY, INFINITY, 0), (DEFAULT, IOC));
    assert_eq!(fused(INFINITY, INFINITY, ONE | Single::SIGN), (DEFAULT, IOC));
    // A NaN factor of half precision is widened.
    assert_eq!(run(0, |env| mul_add_long(env, ONE, 0xfd01, 0)), (0xffe0_2000, IOC));
}

#[test]
fn flushing_is_told_by_the_flags() {
    let denormal = 0x0040_0000;
    assert_eq!(run(FZ, |env| arith::add::<Single>(env, denormal, denormal)), (0, IDC));
    assert_eq!(run(0, |env| arith::add::<Single>(env, denormal, denormal)), (0x0080_0000, 0));
    // A result is flushed before it is rounded, and is not inexact.
    let smallest = Single::MIN_NORMAL;
    let below_one = ONE - 1;
    assert_eq!(run(FZ, |env| arith::mul::<Single>(env, smallest, below_one)), (0, UFC));
    assert_eq!(run(0, |env| arith::mul::<Single>(env, smallest, below_one)), (smallest, UFC | IXC));
    // Half precision has a bit of its own, and its operands raise nothing.
    assert_eq!(run(FZ16, |env| arith::add::<Half>(env, 1, 1)), (0, 0));
    assert_eq!(run(FZ, |env| arith::add::<Half>(env, 1, 1)), (2, 0));
    // Conversions do not see it.
    assert_eq!(run(FZ16, |env| convert::<Half, Single>(env, 1)), (0x3380_0000, 0));
}

#[test]
fn divisions_and_roots_of_the_exceptional() {
    let div = |a, b| run(0, |env| arith::div::<Single>(env, a, b));
    assert_eq!(div(ONE, Single::SIGN), (INFINITY | Single::SIGN, DZC));
    assert_eq!(div(INFINITY, 0), (INFINITY, 0));
    assert_eq!(div(0, 0), (DEFAULT, IOC));
    assert_eq!(div(INFINITY, INFINITY), (DEFAULT, IOC));
    assert_eq!(run(0, |env| arith::sqrt::<Single>(env, Single::SIGN)), (Single::SIGN, 0));
    assert_eq!(run(0, |env| arith::sqrt::<Single>(env, ONE | Single::SIGN)), (DEFAULT, IOC));
    assert_eq!(run(0, |env| arith::mulx::<Single>(env, INFINITY, Single::SIGN)), (0xc000_0000, 0));
}

#[test]
fn maxima_and_minima_order_zeros_and_prefer_numbers_where_they_say_so() {
    assert_eq!(run(0, |env| max::<Single>(env, Single::SIGN, 0)), (0, 0));
    assert_eq!(run(0, |env| min::<Single>(env, 0, Single::SIGN)), (Single::SIGN, 0));
    assert_eq!(run(0, |env| max::<Single>(env, ONE, QUIET_B)), (QUIET_B, 0));
    assert_eq!(run(0, |env| max_num::<Single>(env, ONE, QUIET_B)), (ONE, 0));
    assert_eq!(run(0, |env| min_num::<Single>(env, QUIET_A, ONE)), (ONE, 0));
    assert_eq!(run(0, |env| min_num::<Single>(env, QUIET_A, QUIET_B)), (QUIET_A, 0));
    assert_eq!(run(0, |env| max_num::<Single>(env, ONE, SIGNALING_A)), (QUIETED_A, IOC));
}

#[test]
fn integers_saturate() {
    let double = |value: f64| value.to_bits();
    let to = |value, width, is_signed| {
        run(0, |env| to_fixed::<Double>(env, double(value), 0, width, is_signed, Rounding::Zero))
    };
    assert_eq!(to(-0.5, 32, false), (0, IXC));
    assert_eq!(to(-1.0, 32, false), (0, IOC));
    assert_eq!(to(4_294_967_295.5, 32, false), (0xffff_ffff, IXC));
    assert_eq!(to(4_294_967_296.0, 32, false), (0xffff_ffff, IOC));
    assert_eq!(to(-2_147_483_648.9, 32, true), (0x8000_0000, IXC));
    assert_eq!(to(-2_147_483_649.0, 32, true), (0x8000_0000, IOC));
    assert_eq!(to(f64::INFINITY, 64, true), (i64::MAX as u64, IOC));
    assert_eq!(to(f64::NAN, 64, true), (0, IOC));
}

/// Against exact arithmetic in 128 bits.
#[test]
fn fixed_point_numbers_are_scaled_integers() {
    let mut random = Random::new(21);
    for _ in 0..200_000 {
        let fraction_bits = 1 + random.below(64) as u32;
        let significand = (random.next() >> 11) as i128 | 1 << 52;
        let exponent = random.below(80) as i32 - 90;
        let value = significand as f64 * f64::powi(2.0, exponent);
        let shift = exponent + fraction_bits as i32;
        let exact = if shift >= 0 { significand << shift.min(70) } else { significand >> (-shift).min(100) };
        let is_inexact = shift < 0 && exact << (-shift).min(100) != significand;
        let expected = match u64::try_from(exact) {
            Ok(integer) => (integer, if is_inexact { IXC } else { 0 }),
            Err(_) => (u64::MAX, IOC),
        };
        let seen = run(0, |env| to_fixed::<Double>(env, value.to_bits(), fraction_bits, 64, false, Rounding::Zero));
        assert_eq!(seen, expected, "{value:e} {fraction_bits}");
        let (back, _) = run(0, |env| fixed_to_fp::<Double>(env, significand as u64, fraction_bits, 64, true));
        assert_eq!(f64::from_bits(back), significand as f64 / f64::powi(2.0, fraction_bits as i32));
    }
}

#[test]
fn javascript_integers_wrap_and_say_whether_they_are_exact() {
    let js = |value: f64| run(0, |env| to_fixed_js::<Double>(env, value.to_bits()));
    assert_eq!(js(5.0), ((5, true), 0));
    assert_eq!(js(-0.0), ((0, false), 0));
    assert_eq!(js(-1.5), ((0xffff_ffff, false), IXC));
    assert_eq!(js(4_294_967_301.0), ((5, false), IOC));
    assert_eq!(js(-4_294_967_301.5), ((0xffff_fffb, false), IOC));
    assert_eq!(js(2_147_483_648.0), ((0x8000_0000, false), IOC));
    assert_eq!(js(-2_147_483_648.0), ((0x8000_0000, true), 0));
    assert_eq!(js(f64::powi(2.0, 83) * 3.0), ((0, false), IOC));
    assert_eq!(js(f64::NAN), ((0, false), IOC));
    // A denormal number that is flushed was no zero.
    assert_eq!(run(FZ, |env| to_fixed_js::<Double>(env, 1)), ((0, false), IDC));
}

#[test]
fn rounding_to_odd_keeps_what_a_second_rounding_needs() {
    let to_single = |bits| run(0, |env| convert_odd::<Double, Single>(env, bits));
    assert_eq!(to_single(0x3ff0_0000_0000_0001), (ONE + 1, IXC));
    assert_eq!(to_single(0x3ff0_0000_2000_0000), (ONE + 1, 0));
    assert_eq!(to_single(f64::MAX.to_bits()), (Single::MAX, OFC | IXC));
    assert_eq!(to_single(1), (1, UFC | IXC));
}

#[test]
fn integers_that_do_not_fit_become_the_smallest() {
    let to = |bits, width| run(0, |env| integral::round_int_n::<Single>(env, bits, Rounding::Zero, width));
    let smallest = u64::from((-2_147_483_648f32).to_bits());
    assert_eq!(to(0x4f00_0000, 32), (smallest, IOC));
    assert_eq!(to(smallest, 32), (smallest, 0));
    assert_eq!(to(QUIET_A, 32), (smallest, IOC));
    assert_eq!(to(0x3fc0_0000, 32), (ONE, IXC));
    assert_eq!(to(0xbf00_0000, 64), (Single::SIGN, IXC));
}

#[test]
fn estimates_have_eight_bits() {
    let mut random = Random::new(22);
    for _ in 0..100_000 {
        let bits = (random.number::<Double>() & !Double::SIGN).clamp(1 << 60, 0x6fff << 48);
        let value = f64::from_bits(bits);
        let (reciprocal, flags) = run(0, |env| recip_estimate::<Double>(env, bits));
        assert_eq!(flags, 0);
        assert!((f64::from_bits(reciprocal) * value - 1.0).abs() < 1.0 / 256.0, "{value:e}");
        let (root, flags) = run(0, |env| recip_sqrt_estimate::<Double>(env, bits));
        assert_eq!(flags, 0);
        assert!((f64::from_bits(root) * value.sqrt() - 1.0).abs() < 1.0 / 256.0, "{value:e}");
    }
    // Of what is so small that its reciprocal overflows.
    let estimate = |fpcr, bits| run(fpcr, |env| recip_estimate::<Single>(env, bits));
    assert_eq!(estimate(0, 1), (INFINITY, OFC | IXC));
    assert_eq!(estimate(MODES[3], 1), (Single::MAX, OFC | IXC));
    assert_eq!(estimate(0, 0), (INFINITY, DZC));
    assert_eq!(estimate(FZ, Single::MAX), (0, UFC));
}

#[test]
fn dot_products_of_bfloat16_flush_and_raise_nothing() {
    // 1 * 1 + 2 * 3, on top of 1.
    assert_eq!(bf_dot_add(ONE, 0x4000_3f80, 0x4040_3f80), u64::from(8f32.to_bits()));
    // A denormal number is a zero; NaNs are the default NaN.
    assert_eq!(bf_dot_add(0, 0x0000_0001, 0x0000_7f00), 0);
    assert_eq!(bf_dot_add(0, 0x0000_ff81, 0x0000_3f80), DEFAULT);
    // To odd: 1 + 2^-30 does not fit.
    assert_eq!(bf_dot_add(ONE, 0x0000_3080, 0x0000_3f80), ONE + 1);
}
