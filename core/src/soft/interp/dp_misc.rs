//! Data processing, register: conditional instructions, multiplication, division, shifts by register, CRC, bit
//! counting, flag manipulation. Source: Arm ARM C4.1.95, C6.2.

use super::alu;
use super::branch::by_condition;
use super::builder::Builder;
use super::cpu::{Cpu, Flags};
use super::dp_imm::by_width;
use super::dp_reg::three_registers;
use super::op::{At, Exec, Flow, Operands};
use super::slots::source;
use crate::soft::a64::Inst;

/// `OP` of [`select`]: the second operand as it is, plus one, inverted, negated.
const KEEP: u8 = 0;
const INCREMENT: u8 = 1;
const INVERT: u8 = 2;
const NEGATE: u8 = 3;

fn select<const OP: u8, const X: bool, const COND: u8>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let (yes, no) = (cpu.r[at.rn()], cpu.r[at.rm()]);
    let no = match OP {
        KEEP => no,
        INCREMENT => no.wrapping_add(1),
        INVERT => !no,
        NEGATE.. => no.wrapping_neg(),
    };
    cpu.r[at.rd()] = alu::cut::<X>(if cpu.flags.holds(COND) { yes } else { no });
    at.next(cpu)
}

/// Handlers by width, then condition.
type ByCondition = [[Exec; 16]; 2];

static SELECT: [ByCondition; 4] = [
    [by_condition!(select, KEEP, false), by_condition!(select, KEEP, true)],
    [by_condition!(select, INCREMENT, false), by_condition!(select, INCREMENT, true)],
    [by_condition!(select, INVERT, false), by_condition!(select, INVERT, true)],
    [by_condition!(select, NEGATE, false), by_condition!(select, NEGATE, true)],
];

fn pick(inst: Inst, instances: &ByCondition) -> Exec {
    instances[usize::from(inst.is_64bit())][inst.field('c') as usize & 15]
}

pub(crate) fn csel(b: &mut Builder, inst: Inst) {
    b.emit(pick(inst, &SELECT[0]), three_registers(inst));
}

pub(crate) fn csinc(b: &mut Builder, inst: Inst) {
    b.emit(pick(inst, &SELECT[1]), three_registers(inst));
}

pub(crate) fn csinv(b: &mut Builder, inst: Inst) {
    b.emit(pick(inst, &SELECT[2]), three_registers(inst));
}

pub(crate) fn csneg(b: &mut Builder, inst: Inst) {
    b.emit(pick(inst, &SELECT[3]), three_registers(inst));
}

/// `imm` is the second operand where it is not a register, `aux` the flags for a condition that does not hold.
fn compare_if<const SUB: bool, const IMM: bool, const X: bool, const COND: u8>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    cpu.flags = if cpu.flags.holds(COND) {
        let b = if IMM { at.imm() } else { cpu.r[at.rm()] };
        alu::add_setting_flags::<SUB, X>(cpu.r[at.rn()], b).1
    } else {
        Flags::from_nzcv(u64::from(at.aux()))
    };
    at.next(cpu)
}

static CCMN_REG: ByCondition =
    [by_condition!(compare_if, false, false, false), by_condition!(compare_if, false, false, true)];
static CCMP_REG: ByCondition =
    [by_condition!(compare_if, true, false, false), by_condition!(compare_if, true, false, true)];
static CCMN_IMM: ByCondition =
    [by_condition!(compare_if, false, true, false), by_condition!(compare_if, false, true, true)];
static CCMP_IMM: ByCondition =
    [by_condition!(compare_if, true, true, false), by_condition!(compare_if, true, true, true)];

fn lower_compare_if(b: &mut Builder, inst: Inst, instances: &ByCondition) {
    let (rn, rm) = (source(inst.reg('n')), source(inst.reg('m')));
    let (imm, aux) = (u64::from(inst.field('m')), inst.field('k') as u16);
    b.emit(pick(inst, instances), Operands { rn, rm, imm, aux, ..Operands::default() });
}

pub(crate) fn ccmn_reg(b: &mut Builder, inst: Inst) {
    lower_compare_if(b, inst, &CCMN_REG);
}

pub(crate) fn ccmp_reg(b: &mut Builder, inst: Inst) {
    lower_compare_if(b, inst, &CCMP_REG);
}

pub(crate) fn ccmn_imm(b: &mut Builder, inst: Inst) {
    lower_compare_if(b, inst, &CCMN_IMM);
}

pub(crate) fn ccmp_imm(b: &mut Builder, inst: Inst) {
    lower_compare_if(b, inst, &CCMP_IMM);
}

fn multiply_add<const SUB: bool, const X: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let product = cpu.r[at.rn()].wrapping_mul(cpu.r[at.rm()]);
    let a = cpu.r[at.ra()];
    cpu.r[at.rd()] = alu::cut::<X>(if SUB { a.wrapping_sub(product) } else { a.wrapping_add(product) });
    at.next(cpu)
}

fn multiply_add_long<const SUB: bool, const SIGNED: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let (n, m, a) = (cpu.r[at.rn()], cpu.r[at.rm()], cpu.r[at.ra()]);
    let product = if SIGNED {
        i64::from(n as i32).wrapping_mul(i64::from(m as i32)) as u64
    } else {
        u64::from(n as u32).wrapping_mul(u64::from(m as u32))
    };
    cpu.r[at.rd()] = if SUB { a.wrapping_sub(product) } else { a.wrapping_add(product) };
    at.next(cpu)
}

fn four_registers(inst: Inst) -> Operands {
    Operands { ra: source(inst.reg('a')), ..three_registers(inst) }
}

pub(crate) fn madd(b: &mut Builder, inst: Inst) {
    b.emit(by_width!(inst, multiply_add, false), four_registers(inst));
}

pub(crate) fn msub(b: &mut Builder, inst: Inst) {
    b.emit(by_width!(inst, multiply_add, true), four_registers(inst));
}

pub(crate) fn smaddl(b: &mut Builder, inst: Inst) {
    b.emit(multiply_add_long::<false, true>, four_registers(inst));
}

pub(crate) fn smsubl(b: &mut Builder, inst: Inst) {
    b.emit(multiply_add_long::<true, true>, four_registers(inst));
}

pub(crate) fn umaddl(b: &mut Builder, inst: Inst) {
    b.emit(multiply_add_long::<false, false>, four_registers(inst));
}

pub(crate) fn umsubl(b: &mut Builder, inst: Inst) {
    b.emit(multiply_add_long::<true, false>, four_registers(inst));
}

/// Defines an instruction of two sources: lowering function, handler name, and the result in terms of the sources.
macro_rules! two_sources {
    ($name:ident, $handler:ident<X>, |$n:ident, $m:ident| $result:expr) => {
        fn $handler<const X: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
            let ($n, $m) = (cpu.r[at.rn()], cpu.r[at.rm()]);
            cpu.r[at.rd()] = $result;
            at.next(cpu)
        }

        pub(crate) fn $name(b: &mut Builder, inst: Inst) {
            b.emit(by_width!(inst, $handler), three_registers(inst));
        }
    };
    ($name:ident, $handler:ident, |$n:ident, $m:ident| $result:expr) => {
        fn $handler(cpu: &mut Cpu, at: At<'_>) -> Flow {
            let ($n, $m) = (cpu.r[at.rn()], cpu.r[at.rm()]);
            cpu.r[at.rd()] = $result;
            at.next(cpu)
        }

        pub(crate) fn $name(b: &mut Builder, inst: Inst) {
            b.emit($handler, three_registers(inst));
        }
    };
}

/// Division by zero gives zero; the smallest number by -1 gives itself.
fn divide_unsigned<const X: bool>(n: u64, m: u64) -> u64 {
    let (n, m) = (alu::cut::<X>(n), alu::cut::<X>(m));
    n.checked_div(m).unwrap_or(0)
}

fn divide_signed<const X: bool>(n: u64, m: u64) -> u64 {
    let (n, m) = (alu::extend::<X>(n) as i64, alu::extend::<X>(m) as i64);
    alu::cut::<X>(if m == 0 { 0 } else { n.wrapping_div(m) as u64 })
}

two_sources!(udiv, execute_udiv<X>, |n, m| divide_unsigned::<X>(n, m));
two_sources!(sdiv, execute_sdiv<X>, |n, m| divide_signed::<X>(n, m));
two_sources!(lslv, execute_lslv<X>, |n, m| alu::shift::<0, X>(n, m as u32));
two_sources!(lsrv, execute_lsrv<X>, |n, m| alu::shift::<1, X>(n, m as u32));
two_sources!(asrv, execute_asrv<X>, |n, m| alu::shift::<2, X>(n, m as u32));
two_sources!(rorv, execute_rorv<X>, |n, m| alu::shift::<3, X>(n, m as u32));
two_sources!(umulh, execute_umulh, |n, m| ((u128::from(n) * u128::from(m)) >> 64) as u64);
two_sources!(smulh, execute_smulh, |n, m| ((i128::from(n as i64) * i128::from(m as i64)) >> 64) as u64);

/// The polynomials of CRC32 and CRC32C, bit-reversed.
const CRC32: u32 = 0xedb8_8320;
const CRC32C: u32 = 0x82f6_3b78;

const fn crc_table(polynomial: u32) -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = index as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { polynomial } else { 0 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
}

static CRC32_TABLE: [u32; 256] = crc_table(CRC32);
static CRC32C_TABLE: [u32; 256] = crc_table(CRC32C);

/// Takes in the low bytes of `data`.
fn crc<const BYTES: usize>(table: &[u32; 256], accumulator: u64, data: u64) -> u64 {
    let crc = data.to_le_bytes()[..BYTES]
        .iter()
        .fold(accumulator as u32, |crc, &byte| crc >> 8 ^ table[usize::from(crc as u8 ^ byte)]);
    u64::from(crc)
}

two_sources!(crc32b, execute_crc32b, |n, m| crc::<1>(&CRC32_TABLE, n, m));
two_sources!(crc32h, execute_crc32h, |n, m| crc::<2>(&CRC32_TABLE, n, m));
two_sources!(crc32w, execute_crc32w, |n, m| crc::<4>(&CRC32_TABLE, n, m));
two_sources!(crc32x, execute_crc32x, |n, m| crc::<8>(&CRC32_TABLE, n, m));
two_sources!(crc32cb, execute_crc32cb, |n, m| crc::<1>(&CRC32C_TABLE, n, m));
two_sources!(crc32ch, execute_crc32ch, |n, m| crc::<2>(&CRC32C_TABLE, n, m));
two_sources!(crc32cw, execute_crc32cw, |n, m| crc::<4>(&CRC32C_TABLE, n, m));
two_sources!(crc32cx, execute_crc32cx, |n, m| crc::<8>(&CRC32C_TABLE, n, m));

/// Defines an instruction of one source.
macro_rules! one_source {
    ($name:ident, $handler:ident$(<$x:ident>)?, |$n:ident| $result:expr) => {
        two_sources!($name, $handler$(<$x>)?, |$n, _unused| $result);
    };
}

/// Swaps the bytes of each half word.
fn swap_halves(value: u64) -> u64 {
    const LOW: u64 = 0x00ff_00ff_00ff_00ff;
    (value & LOW) << 8 | value >> 8 & LOW
}

fn count_leading_sign_bits<const X: bool>(value: u64) -> u64 {
    let value = alu::extend::<X>(value) as i64;
    let count = (value ^ value >> 1).leading_zeros() - 1;
    u64::from(if X { count } else { count.saturating_sub(32) })
}

one_source!(rbit, execute_rbit<X>, |n| if X { n.reverse_bits() } else { u64::from((n as u32).reverse_bits()) });
one_source!(rev16, execute_rev16<X>, |n| alu::cut::<X>(swap_halves(n)));
one_source!(rev_w, execute_rev_w, |n| u64::from((n as u32).swap_bytes()));
one_source!(rev32, execute_rev32, |n| n.swap_bytes().rotate_right(32));
one_source!(rev_x, execute_rev_x, |n| n.swap_bytes());
one_source!(clz, execute_clz<X>, |n| u64::from(if X { n.leading_zeros() } else { (n as u32).leading_zeros() }));
one_source!(cls, execute_cls<X>, |n| count_leading_sign_bits::<X>(n));

/// `imm` is the rotation, `aux` the flags to take.
fn rotate_into_flags(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let mask = u64::from(at.aux());
    let rotated = cpu.r[at.rn()].rotate_right(at.imm() as u32 & 63);
    cpu.flags = Flags::from_nzcv(cpu.flags.nzcv() & !mask | rotated & mask);
    at.next(cpu)
}

pub(crate) fn rmif(b: &mut Builder, inst: Inst) {
    let (imm, aux) = (u64::from(inst.field('i')), inst.field('k') as u16);
    b.emit(rotate_into_flags, Operands { rn: source(inst.reg('n')), imm, aux, ..Operands::default() });
}

/// SETF8 and SETF16: flags as of a value of `BITS` bits; C stays.
fn set_flags_of<const BITS: u32>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let value = cpu.r[at.rn()];
    let v = (value >> BITS ^ value >> (BITS - 1)) & 1 == 1;
    cpu.flags = Flags::of(value << (64 - BITS), cpu.flags.c, v);
    at.next(cpu)
}

pub(crate) fn setf8(b: &mut Builder, inst: Inst) {
    b.emit(set_flags_of::<8>, Operands { rn: source(inst.reg('n')), ..Operands::default() });
}

pub(crate) fn setf16(b: &mut Builder, inst: Inst) {
    b.emit(set_flags_of::<16>, Operands { rn: source(inst.reg('n')), ..Operands::default() });
}
