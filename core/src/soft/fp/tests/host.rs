//! The exact functions against the host's arithmetic, and so the proof that [`fast`] may use it: results and flags of
//! both are the same for every operand and every FPCR.

use super::*;
use crate::host::vector::Wide;
use crate::soft::fp::env::Rounding;
use crate::soft::fp::env::flag::{IOC, IXC};
use crate::soft::fp::format::{Brain, Double, Half, Single};
use crate::soft::fp::{arith, bf16, compare, convert, fast, fused, halves, halves::Halves, integral};

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

fn fused_products<F: Format>(seed: u64, splat: impl Fn(u64) -> F::Lanes)
where
    F::Lanes: PartialEq + std::fmt::Debug,
{
    let mut random = Random::new(seed);
    let mut by_host = 0;
    for _ in 0..COUNT {
        let (a, b) = (random.number::<F>(), random.number::<F>());
        let product = arith::mul::<F>(&mut env(0), a, b);
        let c = if random.below(2) == 0 { random.number::<F>() } else { random.near::<F>(product) };
        let what = format_args!("{c:x} + {a:x} * {b:x}").to_string();
        same!(what, |env| fast::mul_add::<F>(env, c, a, b), |env| fused::mul_add::<F>(env, c, a, b));
        let Some(wide) = Wide::detect() else { continue };
        let args = [c, a, b].map(&splat);
        if let Some(result) = wide.run(args, |wide, [c, a, b]| F::host_mul_adds(wide, c, a, b)) {
            let (expected, after) = after(env(0), |env| fused::mul_add::<F>(env, c, a, b));
            assert_eq!(result, splat(expected), "{what}");
            assert_eq!(after.fpsr & !IXC, 0, "{what}");
            by_host += 1;
        }
    }
    assert!(Wide::detect().is_none() || by_host > COUNT / 4, "{by_host}");
}

#[test]
fn fused_products_in_single_precision() {
    fused_products::<Single>(13, |number| [number as u32; 4]);
}

#[test]
fn fused_products_in_double_precision() {
    fused_products::<Double>(14, |number| [number; 2]);
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

/// A number of BFloat16 about where the host's arithmetic begins and ends to be right.
fn brain_at_bounds(random: &mut Random) -> u64 {
    let exponent = [-56, 61][random.below(2) as usize] + random.below(5) as i64 - 2;
    let sign = if random.below(2) == 0 { Brain::SIGN } else { 0 };
    sign | ((exponent + i64::from(Brain::BIAS)) as u64) << Brain::FRAC | random.fraction(Brain::FRAC)
}

/// Products and sums that are small, large, equal, opposite and far apart.
#[test]
fn dot_products_of_brain_numbers() {
    let mut random = Random::new(23);
    let (mut by_host, mut at_bounds) = (0, 0);
    for turn in 0..8 * COUNT {
        let number = |random: &mut Random| match turn % 4 {
            0 => random.number::<Brain>(),
            1 => brain_at_bounds(random),
            _near => random.near::<Brain>((Brain::BIAS as u64) << Brain::FRAC),
        };
        let pair = |random: &mut Random| number(random) | number(random) << 16;
        let [a, b, more_a, more_b] = std::array::from_fn(|_| pair(&mut random));
        let products = bf16::bf_dot_add(0, a, b);
        let addend = match random.below(4) {
            0 => random.number::<Single>(),
            1 => arith::neg::<Single>(products),
            _near => random.near::<Single>(products),
        };
        let exact = bf16::bf_dot_add(addend, a, b);
        let splat = |value: u64| [value as u32; 4];
        let result = bf16::bf_dot_adds(splat(addend), splat(a), splat(b), |a, b| [[a, b]]);
        assert_eq!(result, splat(exact), "{addend:x} + {a:x} * {b:x}");
        if bf16::moderate::are_all(splat(addend), splat(a), splat(b)) {
            assert_eq!(
                bf16::dots_by_host(splat(addend), [[a, b].map(splat)]),
                splat(exact),
                "{addend:x} + {a:x} * {b:x}"
            );
            *(if turn % 4 == 1 { &mut at_bounds } else { &mut by_host }) += 1;
        }
        // Two products after each other, of lanes that differ.
        let (a, b) = ([a, more_a, a, more_a].map(|a| a as u32), [b, b, more_b, more_b].map(|b| b as u32));
        let turned = |lanes: [u32; 4]| [lanes[1], lanes[2], lanes[3], lanes[0]];
        let result = bf16::bf_dot_adds(splat(addend), a, b, |a, b| [[a, b], [turned(a), b]]);
        let expected = std::array::from_fn(|index| {
            let [a, then_a, b] = [a, turned(a), b].map(|lanes| u64::from(lanes[index]));
            bf16::bf_dot_add(bf16::bf_dot_add(addend, a, b), then_a, b) as u32
        });
        assert_eq!(result, expected, "{addend:x} + {a:x?} * {b:x?}");
    }
    assert!(by_host > 2 * COUNT && at_bounds > COUNT / 50, "{by_host} {at_bounds}");
}

/// The same number in every lane.
fn splat(value: u64) -> Halves {
    [value as u16; 8]
}

/// An operation of [`halves`], as it is called: with the addend and two operands of which it may need fewer.
macro_rules! by_host {
    ($operation:path) => {
        |wide, _, a, b| wide.run([a, b], |wide, [a, b]| $operation(wide, a, b))
    };
}

/// Lanes that the host computes are those of the exact functions, which raise Inexact at most.
#[test]
fn eight_halves_at_once() {
    type Exact = fn(&mut Env, u64, u64, u64) -> u64;
    type ByHost = fn(Wide, Halves, Halves, Halves) -> Option<Halves>;
    // Another host has nothing to compare.
    let Some(wide) = Wide::detect() else { return };
    let fused: ByHost = |wide, c, a, b| wide.run([c, a, b], |wide, [c, a, b]| halves::mul_add(wide, c, a, b));
    let operations: [(Exact, ByHost); 12] = [
        (|env, _, a, b| arith::add::<Half>(env, a, b), by_host!(halves::add)),
        (|env, _, a, b| arith::sub::<Half>(env, a, b), by_host!(halves::sub)),
        (|env, _, a, b| arith::abs::<Half>(arith::sub::<Half>(env, a, b)), by_host!(halves::abs_diff)),
        (|env, _, a, b| compare::max::<Half>(env, a, b), by_host!(halves::max)),
        (|env, _, a, b| compare::min::<Half>(env, a, b), by_host!(halves::min)),
        (|env, _, a, b| compare::max_num::<Half>(env, a, b), by_host!(halves::max)),
        (|env, _, a, b| compare::min_num::<Half>(env, a, b), by_host!(halves::min)),
        (|env, _, a, b| arith::mul::<Half>(env, a, b), by_host!(halves::mul)),
        (|env, _, a, b| arith::div::<Half>(env, a, b), by_host!(halves::div)),
        (|env, c, a, b| fused::mul_add::<Half>(env, c, a, b), fused),
        (|env, _, a, b| fused::recip_step::<Half>(env, a, b), by_host!(halves::recip_step)),
        (|env, _, a, b| fused::recip_sqrt_step::<Half>(env, a, b), by_host!(halves::recip_sqrt_step)),
    ];
    let mut random = Random::new(21);
    let mut counts = [0; 12];
    for _ in 0..4 * COUNT {
        let (a, b) = (random.number::<Half>(), random.number::<Half>());
        let product = arith::mul::<Half>(&mut env(0), a, b);
        let c = if random.below(2) == 0 { random.number::<Half>() } else { random.near::<Half>(product) };
        for ((exact, by_host), count) in operations.iter().zip(&mut counts) {
            let (expected, after) = after(env(0), |env| exact(env, c, a, b));
            if let Some(result) = by_host(wide, splat(c), splat(a), splat(b)) {
                assert_eq!(result, splat(expected), "{c:x} {a:x} {b:x}");
                assert_eq!(after.fpsr & !IXC, 0, "{c:x} {a:x} {b:x}");
                *count += 1;
            }
        }
    }
    assert!(counts.iter().all(|&count| count > COUNT), "{counts:?}");
}

/// Comparisons answer where there is no NaN, and raise nothing there.
#[test]
fn comparisons_of_eight_halves_at_once() {
    type ByHost = fn(Wide, Halves, Halves, Halves) -> Option<Halves>;
    let Some(wide) = Wide::detect() else { return };
    let above = |a, b| compare::compare::<Half>(&mut env(0), a, b) == compare::Ordering::Greater;
    let equal = |a, b| compare::compare::<Half>(&mut env(0), a, b) == compare::Ordering::Equal;
    let abs = arith::abs::<Half>;
    let mut random = Random::new(24);
    for _ in 0..2 * COUNT {
        let (a, b) = (random.number::<Half>(), random.number::<Half>());
        let comparisons: [(bool, ByHost); 5] = [
            (equal(a, b), by_host!(halves::is_equal)),
            (above(a, b), by_host!(halves::is_above)),
            (above(a, b) || equal(a, b), by_host!(halves::is_at_least)),
            (above(abs(a), abs(b)), by_host!(halves::is_abs_above)),
            (!above(abs(b), abs(a)), by_host!(halves::is_abs_at_least)),
        ];
        let has_nan = [a, b].iter().any(|&number| abs(number) > Half::INFINITY);
        for (holds, by_host) in comparisons {
            let result = by_host(wide, [0; 8], splat(a), splat(b));
            let expected = splat(if holds { Half::MASK } else { 0 });
            assert_eq!(result, (!has_nan).then_some(expected), "{a:x} {b:x}");
        }
    }
}

/// Every number of half precision: its root, its integers, and it as an integer or a number with bits after the point.
#[test]
fn eight_halves_of_one_operand() {
    use Rounding::{Away, Minus, Nearest, Plus, Zero};
    let Some(wide) = Wide::detect() else { return };
    let mut by_host = 0;
    let mut check = |what: &str, a: u64, by_host_result: Option<Halves>, exact: &dyn Fn(&mut Env) -> u64| {
        let Some(result) = by_host_result else { return };
        let (expected, after) = after(env(0), exact);
        assert_eq!(result, splat(expected), "{what} {a:x}");
        assert_eq!(after.fpsr & !IXC, 0, "{what} {a:x}");
        by_host += 1;
    };
    for a in 0..=Half::MASK {
        let lanes = splat(a);
        check("sqrt", a, wide.run(lanes, halves::sqrt), &|env| arith::sqrt::<Half>(env, a));
        for (is_signed, bits) in
            [false, true].into_iter().flat_map(|is_signed| (0..=16).map(move |bits| (is_signed, bits)))
        {
            let from = wide.run((lanes, bits, is_signed), |wide, (a, bits, is_signed)| {
                halves::from_fixed(wide, a, bits, is_signed)
            });
            check("from", a, from, &|env| convert::fixed_to_fp::<Half>(env, a, bits, 16, is_signed));
            let modes = if bits == 0 { &[Zero, Nearest, Plus, Minus, Away][..] } else { &[Zero] };
            for &mode in modes {
                let to = |env: Env| {
                    wide.run((env, lanes, bits, is_signed, mode), |wide, (env, a, bits, is_signed, mode)| {
                        halves::to_fixed(wide, &env, a, bits, is_signed, mode)
                    })
                };
                let exact = |env: &mut Env| convert::to_fixed::<Half>(env, a, bits, 16, is_signed, mode);
                check("to", a, to(env(0)), &exact);
                // What is invalid raises nothing else.
                let (expected, after) = after(env(0), exact);
                assert_eq!(to(Env { fpcr: 0, fpsr: IOC }), Some(splat(expected)), "{a:x} {bits}");
                assert_eq!(after.fpsr & !(IXC | IOC), 0, "{a:x} {bits}");
            }
        }
        for mode in [Nearest, Plus, Minus, Zero, Away] {
            let rounded = wide.run((lanes, mode), |wide, (a, mode)| halves::round_int(wide, a, mode));
            check("rounded", a, rounded, &|env| integral::round_int::<Half>(env, a, mode, true));
        }
        same!(format!("{a:x}"), |env| fast::sqrt::<Half>(env, a), |env| arith::sqrt::<Half>(env, a));
    }
    assert!(by_host > 4_000_000, "{by_host}");
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
