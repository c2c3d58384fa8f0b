//! Scalar floating point in single and double precision against its definition: the exact result, in integers of any size
//! (`exact.rs`), rounded to one of its two neighbours as FPCR says, with the flags that belong to it.
//!
//! The instructions run on a vCPU. Operands are finite and nothing is flushed: NaNs, infinities and flushing have no exact
//! result, and are tested beside `soft/fp`. Source: Arm ARM, `FPRound` and shared pseudocode of floating point.

#![expect(clippy::unwrap_used, reason = "a test may say so")]

mod exact;

use std::cell::RefCell;
use std::cmp::Ordering;
use std::sync::Arc;

use elfuse::abi::{GuestAddr, GuestPtr, GuestRange};
use elfuse::host::signal;
use elfuse::host::thread::{self, Role};
use elfuse::mem::{Backing, Mapper, Prot};
use elfuse::soft::SoftMachine;
use elfuse::vcpu::{CpuState, ExceptionKind, Machine, Vcpu, VcpuExit};
use exact::Exact;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

const CODE: u64 = 0x10_0000;
const SVC: u32 = 0xd400_0001;

/// Cumulative flags of FPSR.
const DZC: u32 = 1 << 1;
const OFC: u32 = 1 << 2;
const UFC: u32 = 1 << 3;
const IXC: u32 = 1 << 4;

/// FPCR.RMode.
const NEAREST: u32 = 0;
const UP: u32 = 1;
const DOWN: u32 = 2;

/// A format: how many bits exponent and fraction have.
#[derive(Clone, Copy, Debug)]
struct Format {
    exponent_bits: u32,
    fraction_bits: u32,
}

const SINGLE: Format = Format { exponent_bits: 8, fraction_bits: 23 };
const DOUBLE: Format = Format { exponent_bits: 11, fraction_bits: 52 };

impl Format {
    const fn sign(self) -> u64 {
        1 << (self.exponent_bits + self.fraction_bits)
    }

    const fn infinity(self) -> u64 {
        ((1 << self.exponent_bits) - 1) << self.fraction_bits
    }

    const fn bias(self) -> i32 {
        (1 << (self.exponent_bits - 1)) - 1
    }

    /// A magnitude; of infinity, the number that would follow the largest one.
    fn magnitude(self, bits: u64) -> Exact {
        let bits = bits & (self.sign() - 1);
        let (field, fraction) = (bits >> self.fraction_bits, bits & ((1 << self.fraction_bits) - 1));
        let exponent = field.max(1) as i32 - self.bias() - self.fraction_bits as i32;
        let hidden = if field == 0 { 0 } else { 1 << self.fraction_bits };
        Exact::new(fraction | hidden, exponent)
    }

    fn is_negative(self, bits: u64) -> bool {
        bits & self.sign() != 0
    }

    fn zero(self, is_negative: bool) -> u64 {
        if is_negative { self.sign() } else { 0 }
    }

    /// The result and the flags of an exact number that is not zero and that `order` compares with others, in magnitude.
    fn rounded(self, mode: u32, is_negative: bool, order: &dyn Fn(&Exact) -> Ordering) -> (u64, u32) {
        let sign = self.zero(is_negative);
        let is_tiny = order(&self.magnitude(1 << self.fraction_bits)) == Ordering::Less;
        // The largest number that is not above the exact one.
        let (mut low, mut high) = (0, self.infinity());
        while high - low > 1 {
            let middle = u64::midpoint(low, high);
            if order(&self.magnitude(middle)) == Ordering::Less { high = middle } else { low = middle }
        }
        if order(&self.magnitude(low)) == Ordering::Equal {
            return (sign | low, 0);
        }
        let half_way = self.magnitude(low).plus(&self.magnitude(low + 1)).times(&Exact::new(1, -1));
        let is_away = match (mode, order(&half_way)) {
            (NEAREST, Ordering::Equal) => low & 1 == 1,
            (NEAREST, side) => side == Ordering::Greater,
            (UP, _) => !is_negative,
            (DOWN, _) => is_negative,
            (_towards_zero, _) => false,
        };
        let result = low + u64::from(is_away);
        let is_beyond = order(&self.magnitude(self.infinity())) != Ordering::Less;
        let overflow = if result == self.infinity() || is_beyond { OFC } else { 0 };
        (sign | result, IXC | overflow | if is_tiny { UFC } else { 0 })
    }

    /// The sum of two numbers with their signs.
    fn sum(self, mode: u32, a: (bool, Exact), b: (bool, Exact)) -> (u64, u32) {
        let ((is_a_negative, a), (is_b_negative, b)) = (a, b);
        let (is_negative, sum) = match (is_a_negative == is_b_negative, a.compare(&b)) {
            (true, _) => (is_a_negative, a.plus(&b)),
            (false, Ordering::Less) => (is_b_negative, b.minus(&a)),
            (false, Ordering::Equal | Ordering::Greater) => (is_a_negative, a.minus(&b)),
        };
        if sum.is_zero() {
            let is_negative = if is_a_negative == is_b_negative { is_a_negative } else { mode == DOWN };
            return (self.zero(is_negative), 0);
        }
        self.rounded(mode, is_negative, &|other| sum.compare(other))
    }

    fn product(self, a: u64, b: u64) -> (bool, Exact) {
        (self.is_negative(a) != self.is_negative(b), self.magnitude(a).times(&self.magnitude(b)))
    }

    fn signed(self, bits: u64) -> (bool, Exact) {
        (self.is_negative(bits), self.magnitude(bits))
    }
}

/// The result and the flags of an operation on three operands in a rounding mode.
type Definition = fn(Format, u32, [u64; 3]) -> (u64, u32);

fn add(format: Format, mode: u32, [a, b, _]: [u64; 3]) -> (u64, u32) {
    format.sum(mode, format.signed(a), format.signed(b))
}

fn subtract(format: Format, mode: u32, [a, b, c]: [u64; 3]) -> (u64, u32) {
    add(format, mode, [a, b ^ format.sign(), c])
}

fn multiply(format: Format, mode: u32, [a, b, _]: [u64; 3]) -> (u64, u32) {
    let (is_negative, product) = format.product(a, b);
    if product.is_zero() {
        return (format.zero(is_negative), 0);
    }
    format.rounded(mode, is_negative, &|other| product.compare(other))
}

fn divide(format: Format, mode: u32, [a, b, _]: [u64; 3]) -> (u64, u32) {
    let is_negative = format.is_negative(a) != format.is_negative(b);
    let (dividend, divisor) = (format.magnitude(a), format.magnitude(b));
    match (dividend.is_zero(), divisor.is_zero()) {
        // Zero by zero is no number: this reference has nothing to say, see `has_exact_result`.
        (true, _) => (format.zero(is_negative), 0),
        (false, true) => (format.zero(is_negative) | format.infinity(), DZC),
        (false, false) => format.rounded(mode, is_negative, &|other| dividend.compare(&divisor.times(other))),
    }
}

fn square_root(format: Format, mode: u32, [a, ..]: [u64; 3]) -> (u64, u32) {
    let square = format.magnitude(a);
    if square.is_zero() {
        return (a, 0);
    }
    format.rounded(mode, false, &|other| square.compare(&other.times(other)))
}

fn multiply_add(format: Format, mode: u32, [a, b, c]: [u64; 3]) -> (u64, u32) {
    format.sum(mode, format.product(a, b), format.signed(c))
}

fn multiply_subtract(format: Format, mode: u32, [a, b, c]: [u64; 3]) -> (u64, u32) {
    multiply_add(format, mode, [a ^ format.sign(), b, c])
}

/// Name, words in single and in double precision (result V0, operands V1, V2, V3), and definition.
const OPERATIONS: [(&str, [u32; 2], Definition); 7] = [
    ("FADD", [0x1e22_2820, 0x1e62_2820], add),
    ("FSUB", [0x1e22_3820, 0x1e62_3820], subtract),
    ("FMUL", [0x1e22_0820, 0x1e62_0820], multiply),
    ("FDIV", [0x1e22_1820, 0x1e62_1820], divide),
    ("FSQRT", [0x1e21_c020, 0x1e61_c020], square_root),
    ("FMADD", [0x1f02_0c20, 0x1f42_0c20], multiply_add),
    ("FMSUB", [0x1f02_8c20, 0x1f42_8c20], multiply_subtract),
];

fn has_exact_result(name: &str, format: Format, [a, b, _]: [u64; 3]) -> bool {
    match name {
        "FDIV" => !format.magnitude(a).is_zero() || !format.magnitude(b).is_zero(),
        "FSQRT" => !format.is_negative(a) || format.magnitude(a).is_zero(),
        _total => true,
    }
}

/// A vCPU with the words of [`OPERATIONS`] before it, each with an `svc` behind it.
struct Processor {
    _machine: Arc<SoftMachine>,
    vcpu: Box<dyn Vcpu>,
}

impl Processor {
    fn new() -> Self {
        signal::block_kick_set().unwrap();
        let proof = thread::adopt(Role::Bootstrap);
        let machine = SoftMachine::new().unwrap();
        let code = GuestRange::new(GuestAddr(CODE), 4096).unwrap();
        machine.map(code, Prot::READ | Prot::WRITE | Prot::EXEC, Backing::Anonymous).unwrap();
        let words = OPERATIONS.iter().flat_map(|(_, words, _)| words).flat_map(|word| [*word, SVC]);
        for (index, word) in (0..).zip(words) {
            machine.memory().write(GuestPtr::new(GuestAddr(CODE + 4 * index)), &word).unwrap();
        }
        let vcpu = machine.create_vcpu(&proof).unwrap();
        Self { _machine: machine, vcpu }
    }

    /// What the `index`-th word makes of the operands.
    fn execute(&mut self, index: usize, mode: u32, operands: [u64; 3]) -> (u64, u32) {
        let mut state = CpuState { pc: CODE + 8 * index as u64, fpcr: mode << 22, ..CpuState::default() };
        for (register, operand) in state.v[1..].iter_mut().zip(operands) {
            *register = operand.into();
        }
        self.vcpu.push(&state);
        let exit = self.vcpu.run().unwrap();
        assert!(matches!(exit, VcpuExit::Exception(it) if it.kind == ExceptionKind::Syscall { imm: 0 }), "{exit:?}");
        let state = self.vcpu.pull();
        (state.v[0] as u64, state.fpsr)
    }
}

/// Fractions with few bits, with nearly all, and any.
fn fraction(format: Format) -> impl Strategy<Value = u64> {
    let all = (1u64 << format.fraction_bits) - 1;
    prop_oneof![
        0..=all,
        0..8u64,
        (0..8u64).prop_map(move |low| all - low),
        (0..format.fraction_bits).prop_map(|bit| 1 << bit)
    ]
}

/// Three finite numbers. The exponents of the last two are often near that of the first or of what multiplies with it to one.
fn operands(format: Format) -> impl Strategy<Value = [u64; 3]> {
    let last = (1i64 << format.exponent_bits) - 2;
    let bias = i64::from(format.bias());
    let field = move || prop_oneof![4 => 0..=last, 1 => 0..3i64, 1 => last - 3..=last, 2 => bias - 3..=bias + 3];
    let near = prop_oneof![-3..=3i64, -60..=60i64];
    let place = (field(), field(), field(), [near.clone(), near], 0..6u8);
    let rest = ([any::<bool>(), any::<bool>(), any::<bool>()], [fraction(format), fraction(format), fraction(format)]);
    (place, rest).prop_map(move |((a, b, c, near, how), (signs, fractions))| {
        let fields = match how {
            0 => [a, a + near[0], c],
            1 => [a, 2 * bias - a + near[0], bias + near[1]],
            2 => [a, b, a + b - bias + near[0]],
            3 => [a, near[0].abs() - a + bias, near[1].abs()],
            _ => [a, b, c],
        };
        std::array::from_fn(|index| {
            let field = fields[index].clamp(0, last) as u64;
            format.zero(signs[index]) | field << format.fraction_bits | fractions[index]
        })
    })
}

fn results_are_those_of_the_definition(which: usize, format: Format) {
    let processor = RefCell::new(Processor::new());
    let mut runner =
        TestRunner::new(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() });
    let tried = runner.run(&(operands(format), 0..4u32), |(operands, mode)| {
        for (index, (name, words, definition)) in OPERATIONS.iter().enumerate() {
            if has_exact_result(name, format, operands) {
                let seen = processor.borrow_mut().execute(index * words.len() + which, mode, operands);
                let expected = definition(format, mode, operands);
                prop_assert_eq!(seen, expected, "{} in mode {} of {:x?}", name, mode, operands);
            }
        }
        Ok(())
    });
    tried.unwrap();
}

#[test]
fn single_precision_is_that_of_the_definition() {
    results_are_those_of_the_definition(0, SINGLE);
}

#[test]
fn double_precision_is_that_of_the_definition() {
    results_are_those_of_the_definition(1, DOUBLE);
}
