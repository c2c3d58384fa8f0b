//! The exact functions against the host's arithmetic, and so the proof that [`fast`] may use it: results and flags of
//! both are the same for every operand and every FPCR.

use super::*;
use crate::soft::fp::env::Rounding;
use crate::soft::fp::env::flag::IXC;
use crate::soft::fp::format::{Brain, Double, Half, Single};
use crate::soft::fp::{arith, bf16, compare, convert, fast, fused, halves, integral};

/// Pairs of operands a test takes.
const COUNT: u32 = 150_000;

/// The environments in which the host's arithmetic is taken, and some in which it is not.
fn environments() -> impl Iterator<Item = Env> {
    let controls = [0, DN, FZ16 | AHP, FZ, MODES[1], MODES[3] | FZ];
    controls.into_iter().flat_map(|fpcr| [0, IXC].map(|fpsr| Env { fpcr, fpsr }))
}

/// The result and the environment after an operation.
fn after(mut env: Env, operation: impl FnOnce(&mut Env) -> u64) -> (u64, Env) {
    let result = operation(&mut env);
    (result, env)
}

/// Compares both ways in all environments.
macro_rules! same {
    ($what:expr, $fast:expr, $exact:expr) => {
        for env in environments() {
            assert_eq!(after(env, $fast), after(env, $exact), "{} in {env:x?}", $what);
        }
    };
}

fn arithmetic<F: Format>(seed: u64) {
    let mut random = Random::new(seed);
    for _ in 0..COUNT {
        let a = random.number::<F>();
        let b = if random.below(2) == 0 { random.number::<F>() } else { random.near::<F>(a) };
        let what = format_args!("{a:x} {b:x}").to_string();
        same!(what, |env| fast::add::<F>(env, a, b), |env| arith::add::<F>(env, a, b));
        same!(what, |env| fast::sub::<F>(env, a, b), |env| arith::sub::<F>(env, a, b));
        same!(what, |env| fast::mul::<F>(env, a, b), |env| arith::mul::<F>(env, a, b));
        same!(what, |env| fast::div::<F>(env, a, b), |env| arith::div::<F>(env, a, b));
        same!(what, |env| fast::mulx::<F>(env, a, b), |env| arith::mulx::<F>(env, a, b));
        same!(what, |env| fast::recip_step::<F>(env, a, b), |env| fused::recip_step::<F>(env, a, b));
        same!(what, |env| fast::recip_sqrt_step::<F>(env, a, b), |env| fused::recip_sqrt_step::<F>(env, a, b));
        same!(what, |env| fast::sqrt::<F>(env, a), |env| arith::sqrt::<F>(env, a));
        same!(what, |env| fast::max::<F>(env, a, b), |env| compare::max::<F>(env, a, b));
        same!(what, |env| fast::min::<F>(env, a, b), |env| compare::min::<F>(env, a, b));
        same!(what, |env| fast::max_num::<F>(env, a, b), |env| compare::max_num::<F>(env, a, b));
        same!(what, |env| fast::min_num::<F>(env, a, b), |env| compare::min_num::<F>(env, a, b));
        same!(what, |env| fast::compare::<F>(env, a, b) as u64, |env| compare::compare::<F>(env, a, b) as u64);
        same!(what, |env| fast::compare_quiet::<F>(env, a, b) as u64, |env| {
            compare::compare_quiet::<F>(env, a, b) as u64
        });
    }
}

#[test]
fn arithmetic_in_half_precision() {
    arithmetic::<Half>(10);
}

#[test]
fn arithmetic_in_single_precision() {
    arithmetic::<Single>(11);
}

#[test]
fn arithmetic_in_double_precision() {
    arithmetic::<Double>(12);
}

fn fused_products<F: Format>(seed: u64) {
    let mut random = Random::new(seed);
    for _ in 0..COUNT {
        let (a, b) = (random.number::<F>(), random.number::<F>());
        let product = arith::mul::<F>(&mut env(0), a, b);
        let c = if random.below(2) == 0 { random.number::<F>() } else { random.near::<F>(product) };
        let what = format_args!("{c:x} + {a:x} * {b:x}").to_string();
        same!(what, |env| fast::mul_add::<F>(env, c, a, b), |env| fused::mul_add::<F>(env, c, a, b));
    }
}

#[test]
fn fused_products_in_single_precision() {
    fused_products::<Single>(13);
}

#[test]
fn fused_products_in_double_precision() {
    fused_products::<Double>(14);
}

#[test]
fn fused_products_of_halves_in_single_precision() {
    let mut random = Random::new(20);
    for _ in 0..COUNT {
        let (a, b) = (random.number::<Half>(), random.number::<Half>());
        let product = fused::mul_add_long(&mut env(0), 0, a, b);
        let c = if random.below(2) == 0 { random.number::<Single>() } else { random.near::<Single>(product) };
        same!(format!("{c:x} + {a:x} * {b:x}"), |env| fast::mul_add_long(env, c, a, b), |env| {
            fused::mul_add_long(env, c, a, b)
        });
    }
}

/// Products and sums that are small, large, equal, opposite and far apart.
#[test]
fn dot_products_of_brain_numbers() {
    let mut random = Random::new(23);
    let mut by_host = 0;
    for _ in 0..4 * COUNT {
        let pair = |random: &mut Random| random.number::<Brain>() | random.number::<Brain>() << 16;
        let (a, b) = (pair(&mut random), pair(&mut random));
        let products = bf16::bf_dot_add(0, a, b);
        let addend = match random.below(4) {
            0 => random.number::<Single>(),
            1 => arith::neg::<Single>(products),
            _near => random.near::<Single>(products),
        };
        let exact = bf16::bf_dot_add(addend, a, b);
        let [four_addends, four_a, four_b] = [addend, a, b].map(|value| [value as u32; 4]);
        let result = fast::bf_dot_add(four_addends, four_a, four_b);
        assert_eq!(result, [exact as u32; 4], "{addend:x} + {a:x} * {b:x}");
        by_host += u32::from(fast::dot_by_host(four_addends, four_a, four_b).is_some());
    }
    assert!(by_host > COUNT, "{by_host}");
}

/// Lanes that the host computes are those of the exact functions, which raise Inexact at most.
#[test]
fn eight_halves_at_once() {
    type Exact = fn(&mut Env, u64, u64, u64) -> u64;
    type ByHost = fn(u128, u128, u128) -> Option<u128>;
    let operations: [(Exact, ByHost); 12] = [
        (|env, _, a, b| arith::add::<Half>(env, a, b), |_, a, b| halves::add(a, b)),
        (|env, _, a, b| arith::sub::<Half>(env, a, b), |_, a, b| halves::sub(a, b)),
        (|env, _, a, b| arith::abs::<Half>(arith::sub::<Half>(env, a, b)), |_, a, b| halves::abs_diff(a, b)),
        (|env, _, a, b| compare::max::<Half>(env, a, b), |_, a, b| halves::max(a, b)),
        (|env, _, a, b| compare::min::<Half>(env, a, b), |_, a, b| halves::min(a, b)),
        (|env, _, a, b| compare::max_num::<Half>(env, a, b), |_, a, b| halves::max(a, b)),
        (|env, _, a, b| compare::min_num::<Half>(env, a, b), |_, a, b| halves::min(a, b)),
        (|env, _, a, b| arith::mul::<Half>(env, a, b), |_, a, b| halves::mul(a, b)),
        (|env, _, a, b| arith::div::<Half>(env, a, b), |_, a, b| halves::div(a, b)),
        (|env, c, a, b| fused::mul_add::<Half>(env, c, a, b), halves::mul_add),
        (|env, _, a, b| fused::recip_step::<Half>(env, a, b), |_, a, b| halves::recip_step(a, b)),
        (|env, _, a, b| fused::recip_sqrt_step::<Half>(env, a, b), |_, a, b| halves::recip_sqrt_step(a, b)),
    ];
    let mask = |holds: bool| if holds { Half::MASK } else { 0 };
    let above = |a, b| compare::compare::<Half>(&mut env(0), a, b) == compare::Ordering::Greater;
    let equal = |a, b| compare::compare::<Half>(&mut env(0), a, b) == compare::Ordering::Equal;
    let abs = arith::abs::<Half>;
    let mut random = Random::new(21);
    for _ in 0..4 * COUNT {
        let (a, b) = (random.number::<Half>(), random.number::<Half>());
        let product = arith::mul::<Half>(&mut env(0), a, b);
        let c = if random.below(2) == 0 { random.number::<Half>() } else { random.near::<Half>(product) };
        let comparisons = [
            (mask(equal(a, b)), halves::is_equal(halves::splat(a), halves::splat(b))),
            (mask(above(a, b)), halves::is_above(halves::splat(a), halves::splat(b))),
            (mask(above(a, b) || equal(a, b)), halves::is_at_least(halves::splat(a), halves::splat(b))),
            (mask(above(abs(a), abs(b))), halves::is_abs_above(halves::splat(a), halves::splat(b))),
            (mask(!above(abs(b), abs(a))), halves::is_abs_at_least(halves::splat(a), halves::splat(b))),
        ];
        let has_nan = [a, b].iter().any(|&number| abs(number) > Half::INFINITY);
        for (expected, by_host) in comparisons {
            assert_eq!(by_host, (!has_nan).then(|| halves::splat(expected)), "{a:x} {b:x}");
        }
        for (exact, by_host) in operations {
            let (expected, after) = after(env(0), |env| exact(env, c, a, b));
            let splat = halves::splat;
            if let Some(result) = by_host(splat(c), splat(a), splat(b)) {
                assert_eq!(result, splat(expected), "{c:x} {a:x} {b:x}");
                assert_eq!(after.fpsr & !IXC, 0, "{c:x} {a:x} {b:x}");
            }
        }
    }
}

/// Every number of half precision: its root, its integers, and it as an integer.
#[test]
fn eight_halves_of_one_operand() {
    use Rounding::{Away, Minus, Nearest, Plus, Zero};
    let mut by_host = 0;
    let mut check = |what: &str, a: u64, by_host_result: Option<u128>, exact: &dyn Fn(&mut Env) -> u64| {
        let Some(result) = by_host_result else { return };
        let (expected, after) = after(env(0), exact);
        assert_eq!(result, halves::splat(expected), "{what} {a:x}");
        assert_eq!(after.fpsr & !IXC, 0, "{what} {a:x}");
        by_host += 1;
    };
    for a in 0..=Half::MASK {
        let lanes = halves::splat(a);
        check("sqrt", a, halves::sqrt(lanes), &|env| arith::sqrt::<Half>(env, a));
        for is_signed in [false, true] {
            let exact = |env: &mut Env| convert::fixed_to_fp::<Half>(env, a, 0, 16, is_signed);
            check("from an integer", a, halves::from_integers(lanes, is_signed), &exact);
            for mode in [Nearest, Plus, Minus, Zero, Away] {
                let exact = |env: &mut Env| convert::to_fixed::<Half>(env, a, 0, 16, is_signed, mode);
                check("to an integer", a, halves::to_integers(lanes, is_signed, mode), &exact);
            }
        }
        for mode in [Nearest, Plus, Minus, Zero, Away] {
            check("rounded", a, halves::round_int(lanes, mode), &|env| integral::round_int::<Half>(env, a, mode, true));
        }
        same!(format!("{a:x}"), |env| fast::sqrt::<Half>(env, a), |env| arith::sqrt::<Half>(env, a));
    }
    // A host without such vectors has nothing to compare.
    let can = crate::host::vector::half_to_singles(0).is_some();
    assert_eq!(by_host > 700_000, can, "{by_host}");
}

#[test]
fn conversions_between_formats() {
    let mut random = Random::new(15);
    for _ in 0..COUNT {
        let (single, double) = (random.number::<Single>(), random.number::<Double>());
        same!(format!("{single:x}"), |env| fast::convert::<Single, Double>(env, single), |env| {
            convert::convert::<Single, Double>(env, single)
        });
        let half = random.number::<Half>();
        same!(format!("{half:x}"), |env| fast::convert::<Half, Single>(env, half), |env| {
            convert::convert::<Half, Single>(env, half)
        });
        same!(format!("{half:x}"), |env| fast::convert::<Half, Double>(env, half), |env| {
            convert::convert::<Half, Double>(env, half)
        });
        same!(format!("{double:x}"), |env| fast::convert::<Double, Single>(env, double), |env| {
            convert::convert::<Double, Single>(env, double)
        });
    }
}

/// Numbers about the borders of integer types as well.
fn integer_like<F: Format>(random: &mut Random) -> u64 {
    if random.below(2) == 0 {
        return random.number::<F>();
    }
    let field = (F::BIAS as u64 - 2 + random.below(70)).min(F::EXP_MAX as u64);
    (if random.below(2) == 0 { F::SIGN } else { 0 }) | field << F::FRAC | random.fraction(F::FRAC)
}

fn integers<F: Format>(seed: u64) {
    let mut random = Random::new(seed);
    for _ in 0..COUNT {
        let (a, value) = (integer_like::<F>(&mut random), random.next() >> random.below(64));
        for (width, is_signed) in [(32, false), (32, true), (64, false), (64, true)] {
            for mode in [Rounding::Zero, Rounding::Nearest] {
                same!(format!("{a:x} {width}"), |env| fast::to_integer::<F>(env, a, width, is_signed, mode), |env| {
                    convert::to_fixed::<F>(env, a, 0, width, is_signed, mode)
                });
            }
            same!(format!("{value:x} {width}"), |env| fast::from_integer::<F>(env, value, width, is_signed), |env| {
                convert::fixed_to_fp::<F>(env, value, 0, width, is_signed)
            });
        }
    }
}

#[test]
fn integers_and_half_precision() {
    integers::<Half>(22);
}

#[test]
fn integers_and_single_precision() {
    integers::<Single>(16);
}

#[test]
fn integers_and_double_precision() {
    integers::<Double>(17);
}

#[test]
fn rounding_to_integers() {
    let mut random = Random::new(18);
    for _ in 0..COUNT {
        let bits = integer_like::<Double>(&mut random);
        let value = f64::from_bits(bits);
        if value.is_nan() {
            continue;
        }
        for (mode, expected) in [
            (Rounding::Nearest, value.round_ties_even()),
            (Rounding::Away, value.round()),
            (Rounding::Plus, value.ceil()),
            (Rounding::Minus, value.floor()),
            (Rounding::Zero, value.trunc()),
        ] {
            let (result, env) = after(env(0), |env| integral::round_int::<Double>(env, bits, mode, true));
            assert_eq!(result, expected.to_bits(), "{value} {mode:?}");
            assert_eq!(env.fpsr, if expected == value { 0 } else { IXC }, "{value} {mode:?}");
        }
    }
}

/// The exact functions round in the other modes to one of the neighbours of what the host computes.
#[test]
fn directed_results_enclose_the_nearest_one() {
    let mut random = Random::new(19);
    let next_up = |bits: u64| f64::from_bits(bits).next_up();
    for _ in 0..COUNT {
        let a = random.number::<Double>();
        let b = random.near::<Double>(a);
        for operation in [arith::add::<Double>, arith::mul::<Double>, arith::div::<Double>] {
            let run = |mode| after(env(mode), |env| operation(env, a, b));
            let [(nearest, flags), (up, _), (down, _), (zero, _)] = MODES.map(run);
            let [nearest_value, up_value, down_value] = [nearest, up, down].map(f64::from_bits);
            if nearest_value.is_nan() || !down_value.is_finite() || !up_value.is_finite() {
                continue;
            }
            assert!(down_value <= nearest_value && nearest_value <= up_value, "{a:x} {b:x}");
            let is_exact = flags.fpsr & IXC == 0;
            assert_eq!(is_exact, up_value == down_value, "{a:x} {b:x}");
            assert!(is_exact || up_value == next_up(down), "{a:x} {b:x}");
            let inward = if nearest_value.is_sign_negative() { up } else { down };
            assert!(up_value == down_value || zero == inward, "{a:x} {b:x}");
        }
    }
}
