//! Advanced SIMD, moving whole elements: extract, table lookup, permute. Source: Arm ARM C4.1.97, C7.2.

use super::builder::Builder;
use super::cpu::Cpu;
use super::lanes::Lane;
use super::op::{At, Exec, Flow};
use super::simd::{self, FULL, finish, operands};
use crate::soft::a64::Inst;

/// EXT: bytes from position `imm` of `rm`:`rn`.
fn extract(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let (n, m, amount) = (cpu.v[at.rn()], cpu.v[at.rm()], at.imm() as u32 * 8);
    let result = if at.aux() == FULL {
        n >> amount | m.checked_shl(128 - amount).unwrap_or(0)
    } else {
        (n & u128::from(u64::MAX) | m << 64) >> amount
    };
    finish(cpu, at, result)
}

pub(crate) fn ext(b: &mut Builder, inst: Inst) {
    b.emit(extract, operands(inst));
}

/// TBL and TBX: bytes of `N` registers from `rn` on, by the indices in `rm`; TBX keeps what an index beyond them means.
fn lookup<const N: usize, const KEEP: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let table: [[u8; 16]; N] = std::array::from_fn(|index| u8::split(&cpu.v[(at.rn() + index) & 31]));
    let table = table.as_flattened();
    let mut result = if KEEP { u8::split(&cpu.v[at.rd()]) } else { [0; 16] };
    for (result, index) in result.iter_mut().zip(u8::split(&cpu.v[at.rm()])) {
        if let Some(&byte) = table.get(usize::from(index)) {
            *result = byte;
        }
    }
    finish(cpu, at, u8::join(result))
}

/// The instance for the count of registers, field `l` plus one.
fn lower_lookup<const KEEP: bool>(b: &mut Builder, inst: Inst) {
    let exec: Exec = match inst.field('l') {
        0 => lookup::<1, KEEP>,
        1 => lookup::<2, KEEP>,
        2 => lookup::<3, KEEP>,
        3.. => lookup::<4, KEEP>,
    };
    b.emit(exec, operands(inst));
}

pub(crate) fn tbl(b: &mut Builder, inst: Inst) {
    lower_lookup::<false>(b, inst);
}

pub(crate) fn tbx(b: &mut Builder, inst: Inst) {
    lower_lookup::<true>(b, inst);
}

/// A permutation: lane `i` of the result is what `f` takes from the lanes of `rn` and `rm`, of which there are `count`.
#[inline(always)]
fn permute<T: Lane>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(&[T], &[T], usize) -> T) -> Flow {
    let (n, m) = (T::split(&cpu.v[at.rn()]), T::split(&cpu.v[at.rm()]));
    let mut result = T::splat(T::ZERO);
    let fill = |result: &mut [T], n: &[T], m: &[T]| {
        for (index, result) in result.iter_mut().enumerate() {
            *result = f(n, m, index);
        }
    };
    if at.aux() == FULL {
        fill(result.as_mut(), n.as_ref(), m.as_ref());
    } else {
        let half = T::COUNT.div_ceil(2);
        fill(&mut result.as_mut()[..half], &n.as_ref()[..half], &m.as_ref()[..half]);
    }
    finish(cpu, at, T::join(result))
}

/// Element `index` of `n` followed by `m`.
#[inline(always)]
fn joined<T: Lane>(n: &[T], m: &[T], index: usize) -> T {
    if index < n.len() { n[index] } else { m[index - n.len()] }
}

/// Element `index` of `n` for even `place`, of `m` for odd.
#[inline(always)]
fn alternate<T: Lane>(n: &[T], m: &[T], place: usize, index: usize) -> T {
    if place.is_multiple_of(2) { n[index] } else { m[index] }
}

/// Defines the lowering functions of permutations.
macro_rules! permutations {
    ($($name:ident |$n:ident, $m:ident, $i:ident| $result:expr;)+) => {$(
        pub(crate) fn $name(b: &mut Builder, inst: Inst) {
            const HANDLERS: &[(usize, Exec)] = &[
                (1, |cpu, at| permute::<u8>(cpu, at, |$n, $m, $i| $result)),
                (2, |cpu, at| permute::<u16>(cpu, at, |$n, $m, $i| $result)),
                (4, |cpu, at| permute::<u32>(cpu, at, |$n, $m, $i| $result)),
                (8, |cpu, at| permute::<u64>(cpu, at, |$n, $m, $i| $result)),
            ];
            simd::emit(b, inst, HANDLERS);
        }
    )+};
}

permutations! {
    uzp1 |n, m, i| joined(n, m, 2 * i);
    uzp2 |n, m, i| joined(n, m, 2 * i + 1);
    trn1 |n, m, i| alternate(n, m, i, i & !1);
    trn2 |n, m, i| alternate(n, m, i, i | 1);
    zip1 |n, m, i| alternate(n, m, i, i / 2);
    zip2 |n, m, i| alternate(n, m, i, (n.len() + i) / 2);
}
