//! Advanced SIMD floating-point products of other shapes: by element, complex numbers, half precision into single
//! precision (FMLAL), BFloat16. Lowering and handlers. Source: Arm ARM C4.1.97, C7.2.
//!
//! An element of the second source is named by `aux`.

use super::builder::Builder;
use super::cpu::Cpu;
use super::fp_ops::{Add, Binary, MulAdd, Ternary};
use super::lanes::Lane;
use super::op::{At, Exec, Flow, Operands};
use super::simd_fp::{
    Vector, apply_binary, apply_ternary, by_vector, by_vector_h, host_binary, host_halves, host_vector, lane, lanes,
    registers, set_lanes, splat,
};
use crate::soft::a64::{Inst, element_index};
use crate::soft::fp::{self, Double, Format, Half, Single, fast};

fn element_operands(inst: Inst) -> Operands {
    Operands { aux: element_index(inst) as u16, ..registers(inst) }
}

fn execute_binary<O: Binary, F: Vector, const FULL: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let by_host =
        host_halves::<_, 1, F, FULL>(cpu, [at.rn()], Half::element(&cpu.v[at.rm()], at.aux()), |wide, b, [a]| {
            O::halves_by_host(wide, a, Half::splat(b))
        });
    if set_lanes::<Half>(cpu, at.rd(), by_host) {
        return at.next(cpu);
    }
    let b = F::element(&cpu.v[at.rm()], at.aux());
    let by_host = host_binary::<O, F, FULL>(cpu, F::split(&cpu.v[at.rn()]), F::splat(b));
    if set_lanes::<F>(cpu, at.rd(), by_host) {
        return at.next(cpu);
    }
    let a = cpu.vector(at.rn());
    let result = apply_binary::<O, F, FULL>(&mut cpu.fp, a, splat::<F>(b));
    cpu.set_vector(at.rd(), result);
    at.next(cpu)
}

pub(crate) fn binary<O: Binary>(b: &mut Builder, inst: Inst) {
    b.emit(by_vector!(inst, execute_binary, O), element_operands(inst));
}

pub(crate) fn binary_h<O: Binary>(b: &mut Builder, inst: Inst) {
    b.emit(by_vector_h!(inst, execute_binary, O), element_operands(inst));
}

fn execute_scalar_binary<O: Binary, F: Format>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let (a, b) = (cpu.scalar(at.rn()) & F::MASK, lane::<F>(cpu.vector(at.rm()), u32::from(at.aux())));
    let result = O::apply::<F>(&mut cpu.fp, a, b);
    cpu.set_scalar(at.rd(), result);
    at.next(cpu)
}

pub(crate) fn scalar_binary<O: Binary>(b: &mut Builder, inst: Inst) {
    let is_single = inst.field('z') == 0;
    let exec: Exec = if is_single { execute_scalar_binary::<O, Single> } else { execute_scalar_binary::<O, Double> };
    b.emit(exec, element_operands(inst));
}

pub(crate) fn scalar_binary_h<O: Binary>(b: &mut Builder, inst: Inst) {
    b.emit(execute_scalar_binary::<O, Half>, element_operands(inst));
}

fn execute_accumulate<O: Ternary, F: Vector, const FULL: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let b = F::element(&cpu.v[at.rm()], at.aux());
    let by_host = host_vector::<_, 2, F, FULL>(cpu, [at.rd(), at.rn()], b, |wide, b, [d, a]| {
        O::by_host::<F>(wide, d, a, F::splat(b))
    });
    if set_lanes::<F>(cpu, at.rd(), by_host) {
        return at.next(cpu);
    }
    let (d, a) = (cpu.vector(at.rd()), cpu.vector(at.rn()));
    let result = apply_ternary::<O, F, FULL>(&mut cpu.fp, d, a, splat::<F>(b));
    cpu.set_vector(at.rd(), result);
    at.next(cpu)
}

pub(crate) fn accumulate<O: Ternary>(b: &mut Builder, inst: Inst) {
    b.emit(by_vector!(inst, execute_accumulate, O), element_operands(inst));
}

pub(crate) fn accumulate_h<O: Ternary>(b: &mut Builder, inst: Inst) {
    b.emit(by_vector_h!(inst, execute_accumulate, O), element_operands(inst));
}

fn execute_scalar_accumulate<O: Ternary, F: Format>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let (d, a) = (cpu.scalar(at.rd()) & F::MASK, cpu.scalar(at.rn()) & F::MASK);
    let b = lane::<F>(cpu.vector(at.rm()), u32::from(at.aux()));
    let result = O::apply::<F>(&mut cpu.fp, d, a, b);
    cpu.set_scalar(at.rd(), result);
    at.next(cpu)
}

pub(crate) fn scalar_accumulate<O: Ternary>(b: &mut Builder, inst: Inst) {
    let is_single = inst.field('z') == 0;
    let exec: Exec =
        if is_single { execute_scalar_accumulate::<O, Single> } else { execute_scalar_accumulate::<O, Double> };
    b.emit(exec, element_operands(inst));
}

pub(crate) fn scalar_accumulate_h<O: Ternary>(b: &mut Builder, inst: Inst) {
    b.emit(execute_scalar_accumulate::<O, Half>, element_operands(inst));
}

/// FMLAL and FMLSL; `UPPER` takes the upper half of the halves, `imm` has the sign of the first factor.
fn execute_long<const UPPER: bool, const ELEMENT: bool, const FULL: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let (d, a, b) = (cpu.vector(at.rd()), cpu.vector(at.rn()), cpu.vector(at.rm()));
    let count = if FULL { 4 } else { 2 };
    let first = if UPPER { count } else { 0 };
    let result = lanes::<Single, FULL>(|index| {
        let a = lane::<Half>(a, first + index) ^ at.imm();
        let b = lane::<Half>(b, if ELEMENT { u32::from(at.aux()) } else { first + index });
        fast::mul_add_long(&mut cpu.fp, lane::<Single>(d, index), a, b)
    });
    cpu.set_vector(at.rd(), result);
    at.next(cpu)
}

fn lower_long<const UPPER: bool, const ELEMENT: bool>(b: &mut Builder, inst: Inst, negates: bool) {
    let imm = if negates { Half::SIGN } else { 0 };
    let is_full = inst.field('q') == 1;
    let exec: Exec = if is_full { execute_long::<UPPER, ELEMENT, true> } else { execute_long::<UPPER, ELEMENT, false> };
    b.emit(exec, Operands { imm, ..element_operands(inst) });
}

/// FMLAL, FMLAL2 (`UPPER`), FMLSL, FMLSL2 (`NEGATES`).
pub(crate) fn long<const UPPER: bool, const NEGATES: bool>(b: &mut Builder, inst: Inst) {
    lower_long::<UPPER, false>(b, inst, NEGATES);
}

/// The same by element.
pub(crate) fn long_element<const UPPER: bool, const NEGATES: bool>(b: &mut Builder, inst: Inst) {
    lower_long::<UPPER, true>(b, inst, NEGATES);
}

/// Complex numbers: pairs of lanes, the real part first.
trait Complex: Vector {
    /// The real parts, the lowest bit of every pair.
    const REAL: u128 = Self::FIRSTS * Self::MASK as u128;
    const FIRSTS: u128;

    /// The lanes of every pair exchanged.
    #[inline(always)]
    fn swapped(vector: u128) -> u128 {
        (vector & Self::REAL) << Self::BITS | vector >> Self::BITS & Self::REAL
    }

    /// Both lanes of every pair the real or the imaginary part.
    #[inline(always)]
    fn parts(vector: u128, is_imaginary: bool) -> u128 {
        let part = if is_imaginary { vector >> Self::BITS } else { vector } & Self::REAL;
        part | part << Self::BITS
    }

    /// The pair of this index in every pair.
    #[inline(always)]
    fn splat_pair(vector: u128, index: u32) -> u128 {
        let pair = vector >> (index * 2 * Self::BITS) & (u128::MAX >> (128 - 2 * Self::BITS));
        pair * Self::FIRSTS
    }

    /// The signs of the real and the imaginary parts changed.
    #[inline(always)]
    fn with_signs(vector: u128, is_real: bool, is_imaginary: bool) -> u128 {
        let signs = Self::FIRSTS * u128::from(Self::SIGN);
        let real = if is_real { signs } else { 0 };
        vector ^ real ^ if is_imaginary { signs << Self::BITS } else { 0 }
    }
}

impl Complex for Half {
    const FIRSTS: u128 = u128::MAX / u32::MAX as u128;
}

impl Complex for Single {
    const FIRSTS: u128 = u128::MAX / u64::MAX as u128;
}

impl Complex for Double {
    const FIRSTS: u128 = 1;
}

/// FCADD: `a + i * b` for `aux` 0, `a - i * b` for 1.
fn execute_complex_add<F: Complex, const FULL: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let by_host = host_halves::<_, 2, F, FULL>(cpu, [at.rn(), at.rm()], at.aux(), |wide, turns, [a, b]| {
        let signs = if turns == 0 { [Half::SIGN as u16, 0] } else { [0, Half::SIGN as u16] };
        Add::halves_by_host(wide, a, std::array::from_fn(|index| b[index ^ 1] ^ signs[index % 2]))
    });
    if set_lanes::<Half>(cpu, at.rd(), by_host) {
        return at.next(cpu);
    }
    let (a, b) = (cpu.vector(at.rn()), F::swapped(cpu.vector(at.rm())));
    let b = F::with_signs(b, at.aux() == 0, at.aux() == 1);
    let by_host = host_binary::<Add, F, FULL>(cpu, F::split(&a), F::split(&b));
    if set_lanes::<F>(cpu, at.rd(), by_host) {
        return at.next(cpu);
    }
    let result = apply_binary::<Add, F, FULL>(&mut cpu.fp, a, b);
    cpu.set_vector(at.rd(), result);
    at.next(cpu)
}

/// Picks the instance of a handler by fields `e` (1 half precision to 3 double precision) and `q`.
macro_rules! by_size {
    ($inst:expr, $handler:ident $(, $arg:tt)*) => {
        match ($inst.field('e'), $inst.field('q')) {
            (0 | 1, 0) => $handler::<Half, $($arg,)* false> as Exec,
            (0 | 1, 1..) => $handler::<Half, $($arg,)* true>,
            (2, 0) => $handler::<Single, $($arg,)* false>,
            (2, 1..) => $handler::<Single, $($arg,)* true>,
            (3.., _) => $handler::<Double, $($arg,)* true>,
        }
    };
}

pub(crate) fn fcadd(b: &mut Builder, inst: Inst) {
    let operands = Operands { aux: inst.field('r') as u16, ..registers(inst) };
    b.emit(by_size!(inst, execute_complex_add), operands);
}

/// FCMLA: one of the two steps of a complex product. `aux` is the rotation in quarter turns, `imm` the index of the
/// complex element.
fn execute_complex_product<F: Complex, const ELEMENT: bool, const FULL: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let args = (at.aux(), at.imm() as usize);
    let by_host = host_vector::<_, 3, F, FULL>(cpu, [at.rd(), at.rn(), at.rm()], args, |wide, args, [d, a, b]| {
        let (rotation, element) = args;
        let (a, b) = F::complex_factors(a, if ELEMENT { F::pairs(b, element) } else { b }, rotation);
        F::host_mul_adds(wide, d, a, b)
    });
    if set_lanes::<F>(cpu, at.rd(), by_host) {
        return at.next(cpu);
    }
    let (d, a, b) = (cpu.vector(at.rd()), cpu.vector(at.rn()), cpu.vector(at.rm()));
    let rotation = at.aux();
    let swaps = rotation & 1 == 1;
    let a = F::parts(a, swaps);
    let b = if ELEMENT { F::splat_pair(b, at.imm() as u32) } else { b };
    let b = if swaps { F::swapped(b) } else { b };
    let b = F::with_signs(b, rotation == 1 || rotation == 2, rotation >= 2);
    let result = apply_ternary::<MulAdd<false, false>, F, FULL>(&mut cpu.fp, d, a, b);
    cpu.set_vector(at.rd(), result);
    at.next(cpu)
}

pub(crate) fn fcmla(b: &mut Builder, inst: Inst) {
    let operands = Operands { aux: inst.field('r') as u16, ..registers(inst) };
    b.emit(by_size!(inst, execute_complex_product, false), operands);
}

pub(crate) fn fcmla_element(b: &mut Builder, inst: Inst) {
    let (aux, imm) = (inst.field('r') as u16, u64::from(element_index(inst)));
    b.emit(by_size!(inst, execute_complex_product, true), Operands { aux, imm, ..registers(inst) });
}

/// BFDOT: pairs of BFloat16 numbers. Of 64 bits the lanes above are zeros, whose products are zeros.
fn execute_bf_dot<const ELEMENT: bool, const FULL: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let [d, a, b] = [at.rd(), at.rn(), at.rm()].map(|slot| u32::split(&cpu.v[slot]));
    let b = if ELEMENT { [b[usize::from(at.aux()) % 4]; 4] } else { b };
    let cut = |lanes| if FULL { lanes } else { Single::lower(lanes) };
    let result = fp::bf_dot_adds(cut(d), cut(a), cut(b), |a, b| [[a, b]]);
    *u32::split_mut(&mut cpu.v[at.rd()]) = result;
    at.next(cpu)
}

fn lower_bf_dot<const ELEMENT: bool>(b: &mut Builder, inst: Inst) {
    let exec: Exec =
        if inst.field('q') == 0 { execute_bf_dot::<ELEMENT, false> } else { execute_bf_dot::<ELEMENT, true> };
    b.emit(exec, element_operands(inst));
}

pub(crate) fn bfdot(b: &mut Builder, inst: Inst) {
    lower_bf_dot::<false>(b, inst);
}

pub(crate) fn bfdot_element(b: &mut Builder, inst: Inst) {
    lower_bf_dot::<true>(b, inst);
}

/// BFMMLA: two rows of four numbers times two columns of four.
fn execute_bf_matrix(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let [d, a, b] = [at.rd(), at.rn(), at.rm()].map(|slot| u32::split(&cpu.v[slot]));
    let result = fp::bf_dot_adds(d, a, b, |a, b| {
        let rows = |first: usize| [a[first], a[first], a[first + 2], a[first + 2]];
        let columns = |first: usize| [b[first], b[first + 2], b[first], b[first + 2]];
        [[rows(0), columns(0)], [rows(1), columns(1)]]
    });
    *u32::split_mut(&mut cpu.v[at.rd()]) = result;
    at.next(cpu)
}

pub(crate) fn bfmmla(b: &mut Builder, inst: Inst) {
    b.emit(execute_bf_matrix, registers(inst));
}

/// BFMLALB and BFMLALT (`TOP`): the even or the odd BFloat16 numbers, as numbers of single precision.
fn execute_bf_long<const TOP: bool, const ELEMENT: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let (d, a, b) = (cpu.vector(at.rd()), cpu.vector(at.rn()), cpu.vector(at.rm()));
    let result = lanes::<Single, true>(|index| {
        let place = 2 * index + u32::from(TOP);
        let a = lane::<Half>(a, place) << 16;
        let b = lane::<Half>(b, if ELEMENT { u32::from(at.aux()) } else { place }) << 16;
        fast::mul_add::<Single>(&mut cpu.fp, lane::<Single>(d, index), a, b)
    });
    cpu.set_vector(at.rd(), result);
    at.next(cpu)
}

pub(crate) fn bfmlal<const TOP: bool>(b: &mut Builder, inst: Inst) {
    b.emit(execute_bf_long::<TOP, false>, registers(inst));
}

pub(crate) fn bfmlal_element<const TOP: bool>(b: &mut Builder, inst: Inst) {
    b.emit(execute_bf_long::<TOP, true>, element_operands(inst));
}
