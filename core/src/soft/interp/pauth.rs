//! Pointer authentication: lowering and handlers. Source: Arm ARM C6.2, D8.10, J1.1 (`AddPAC`, `Auth`, `Strip`).
//!
//! A guest address has 48 bits and a tag in its top byte, so that a code has bits 54 to 48; bit 55 says which half of the
//! address space is meant. In the upper half, which is the kernel's, Linux has no tags (TBI1 is 0), and a code has the top
//! byte, too. Without FEAT_FPAC a pointer that does not authenticate becomes one that faults when it is
//! used. The code is that of QARMA5, or of a multiplication that is ten times as fast and as good for what programs see
//! (`Feature::PacImp`, an implementation-defined algorithm, which is the default).

use super::builder::Builder;
use super::cpu::{Cpu, SP_SLOT, ZERO_SLOT};
use super::ldst::{Address, Load, move_one};
use super::op::{At, Exec, Flow, Operands};
use super::pairs::ALONE;
use super::slots::{dest, source};
use super::{branch, qarma};
use crate::soft::a64::Inst;
use crate::vcpu::PauthKeys;

/// Lowest bit of a code.
const BOTTOM: u32 = 48;
/// Bit that says which half of the address space a pointer is in.
const HALF_BIT: u64 = 1 << 55;

/// Where the pointers of a half of the address space have what belongs to their codes.
struct Layout {
    /// The bits of a code.
    code: u64,
    /// These with [`HALF_BIT`]: all the same in an address.
    extension: u64,
    /// Where a failed authentication leaves its mark: 01 for an A key, 10 for a B key.
    error_shift: u32,
}

const LOWER: Layout = Layout { code: 0x007f << BOTTOM, extension: 0x00ff << BOTTOM, error_shift: 53 };
const UPPER: Layout = Layout { code: 0xff7f << BOTTOM, extension: 0xffff << BOTTOM, error_shift: 61 };

impl Layout {
    const fn of(pointer: u64) -> &'static Self {
        if pointer & HALF_BIT == 0 { &LOWER } else { &UPPER }
    }
}

/// A code by two multiplications of 64 by 64 bits, each folded into 64.
fn fast_code(data: u64, modifier: u64, key: u128) -> u64 {
    let fold = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        (product >> 64) as u64 ^ product as u64
    };
    let (high, low) = ((key >> 64) as u64, key as u64);
    // Digits of pi keep the factors from being zero for simple operands.
    let first = fold(data ^ low ^ 0x2439_f31d_0082_efa9, modifier ^ high ^ 0x8ec4_e6c8_9452_821e);
    fold(first ^ high, low ^ data.rotate_left(32) ^ 0x638d_0137_7be5_466c) ^ modifier
}

/// The pointer with the bits of the code as they are without one.
fn stripped(pointer: u64) -> u64 {
    let extension = Layout::of(pointer).extension;
    if pointer & HALF_BIT == 0 { pointer & !extension } else { pointer | extension }
}

impl Cpu {
    fn code(&self, data: u64, modifier: u64, key: usize) -> u64 {
        let key = self.pauth.keys.get(key).copied().unwrap_or_default();
        if self.has_qarma { qarma::compute(data, modifier, key) } else { fast_code(data, modifier, key) }
    }

    fn is_enabled(&self, key: usize) -> bool {
        self.pauth.enabled >> key & 1 == 1
    }

    /// The pointer with its code.
    fn signed(&self, pointer: u64, modifier: u64, key: usize) -> u64 {
        if !self.is_enabled(key) {
            return pointer;
        }
        let mut code = self.code(stripped(pointer), modifier, key);
        // A pointer whose top bits are not those of an address gets a wrong code.
        let layout = Layout::of(pointer);
        if pointer & layout.extension != 0 && pointer & layout.extension != layout.extension {
            code ^= 2 << layout.error_shift;
        }
        pointer & !layout.code | code & layout.code
    }

    /// The pointer without its code, or one that faults where the code is wrong.
    fn authenticated(&self, pointer: u64, modifier: u64, key: usize) -> u64 {
        if !self.is_enabled(key) {
            return pointer;
        }
        let original = stripped(pointer);
        let Layout { code, error_shift, .. } = *Layout::of(pointer);
        let is_right = (self.code(original, modifier, key) ^ pointer) & code == 0;
        let error = if key == PauthKeys::IA || key == PauthKeys::DA { 1 } else { 2 };
        if is_right { original } else { original & !(3 << error_shift) | error << error_shift }
    }
}

/// Defines a handler that replaces the register `ra` by a value of it, the modifier `rn` and the key `aux`.
macro_rules! pointer_handlers {
    ($($name:ident: $method:ident;)*) => {
        $(fn $name(cpu: &mut Cpu, at: At<'_>) -> Flow {
            cpu.r[at.rd()] = cpu.$method(cpu.r[at.ra()], cpu.r[at.rn()], usize::from(at.aux()));
            at.next(cpu)
        })*
    };
}

pointer_handlers! {
    sign: signed;
    authenticate: authenticated;
}

/// The key of PACIA and its like, by the two low bits of the opcode.
fn key_of(inst: Inst) -> u16 {
    (inst.word() >> 10 & 3) as u16
}

fn lower_register(b: &mut Builder, inst: Inst, exec: Exec, rn: u8) {
    let rd = inst.reg('d');
    b.emit(exec, Operands { rd: dest(rd), ra: source(rd), rn, aux: key_of(inst), ..Operands::default() });
}

pub(crate) fn pac(b: &mut Builder, inst: Inst) {
    lower_register(b, inst, sign, inst.reg('n'));
}

pub(crate) fn pac_zero(b: &mut Builder, inst: Inst) {
    lower_register(b, inst, sign, ZERO_SLOT);
}

pub(crate) fn aut(b: &mut Builder, inst: Inst) {
    lower_register(b, inst, authenticate, inst.reg('n'));
}

pub(crate) fn aut_zero(b: &mut Builder, inst: Inst) {
    lower_register(b, inst, authenticate, ZERO_SLOT);
}

fn strip(cpu: &mut Cpu, at: At<'_>) -> Flow {
    cpu.r[at.rd()] = stripped(cpu.r[at.ra()]);
    at.next(cpu)
}

pub(crate) fn xpac(b: &mut Builder, inst: Inst) {
    lower_register(b, inst, strip, ZERO_SLOT);
}

pub(crate) fn xpaclri(b: &mut Builder, _inst: Inst) {
    b.emit(strip, Operands { rd: 30, ra: 30, ..Operands::default() });
}

fn generic_code(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let code = cpu.code(cpu.r[at.rn()], cpu.r[at.rm()], PauthKeys::GA);
    cpu.r[at.rd()] = code & !0xffff_ffff;
    at.next(cpu)
}

pub(crate) fn pacga(b: &mut Builder, inst: Inst) {
    let rd = dest(inst.reg('d'));
    b.emit(generic_code, Operands { rd, rn: source(inst.reg('n')), rm: inst.reg('m'), ..Operands::default() });
}

/// The forms in the hint space: bit 2 of the number is "authenticate", bit 1 is key B; which registers, the row says.
fn lower_hint(b: &mut Builder, inst: Inst, value: u8, modifier: u8) {
    let number = inst.word() >> 5;
    let exec: Exec = if number >> 2 & 1 == 1 { authenticate } else { sign };
    let aux = (number >> 1 & 1) as u16;
    b.emit(exec, Operands { rd: value, ra: value, rn: modifier, aux, ..Operands::default() });
}

pub(crate) fn hint_1716(b: &mut Builder, inst: Inst) {
    lower_hint(b, inst, 17, 16);
}

pub(crate) fn hint_zero(b: &mut Builder, inst: Inst) {
    lower_hint(b, inst, 30, ZERO_SLOT);
}

/// PACIASP and PACIBSP may be reached as BTI C may.
pub(crate) fn pac_sp(b: &mut Builder, inst: Inst) {
    b.accept(1 << branch::TRAMPOLINE | 1 << branch::CALL);
    hint_sp(b, inst);
}

pub(crate) fn hint_sp(b: &mut Builder, inst: Inst) {
    lower_hint(b, inst, 30, SP_SLOT);
}

fn target(cpu: &Cpu, at: At<'_>) -> u64 {
    cpu.authenticated(cpu.r[at.rn()], cpu.r[at.rm()], usize::from(at.aux()))
}

fn jump<const TYPE: usize>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let target = target(cpu, at);
    cpu.branch_indirect::<TYPE>(at, target)
}

fn call(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let target = target(cpu, at);
    cpu.r[30] = at.return_address();
    cpu.branch_indirect::<{ branch::CALL }>(at, target)
}

/// The key of a branch: bit 10.
fn branch_operands(inst: Inst, rn: u8, rm: u8) -> Operands {
    Operands { rn, rm, aux: (inst.word() >> 10 & 1) as u16, ..Operands::default() }
}

fn jump_for(b: &Builder, inst: Inst) -> Exec {
    branch::by_jump_type!(b, inst.reg('n'), jump)
}

pub(crate) fn bra(b: &mut Builder, inst: Inst) {
    let exec = jump_for(b, inst);
    b.emit_last(exec, branch_operands(inst, source(inst.reg('n')), inst.reg('m')));
}

pub(crate) fn bra_zero(b: &mut Builder, inst: Inst) {
    let exec = jump_for(b, inst);
    b.emit_last(exec, branch_operands(inst, source(inst.reg('n')), ZERO_SLOT));
}

pub(crate) fn blra(b: &mut Builder, inst: Inst) {
    b.emit_last(call, branch_operands(inst, source(inst.reg('n')), inst.reg('m')));
}

pub(crate) fn blra_zero(b: &mut Builder, inst: Inst) {
    b.emit_last(call, branch_operands(inst, source(inst.reg('n')), ZERO_SLOT));
}

pub(crate) fn reta(b: &mut Builder, inst: Inst) {
    b.emit_last(jump::<{ branch::RETURN }>, branch_operands(inst, 30, SP_SLOT));
}

/// LDRAA and LDRAB: the base is authenticated by key `aux` before the offset is added; what is written back has no code.
struct Authenticated<const WRITE_BACK: bool>;

impl<const WRITE_BACK: bool> Address for Authenticated<WRITE_BACK> {
    #[inline(always)]
    fn address(cpu: &Cpu, at: At<'_>) -> u64 {
        cpu.authenticated(cpu.r[at.rn()], 0, usize::from(at.aux())).wrapping_add(at.imm())
    }

    #[inline(always)]
    fn write_back(cpu: &mut Cpu, at: At<'_>, address: u64) {
        if WRITE_BACK {
            cpu.r[at.rn()] = address;
        }
    }
}

pub(crate) fn ldra(b: &mut Builder, inst: Inst) {
    let rn = inst.reg('n');
    let exec: Exec = match (inst.word() >> 11 & 1 == 1, rn == SP_SLOT) {
        (false, false) => move_one::<Authenticated<false>, Load<u64, 0>, ALONE, false>,
        (false, true) => move_one::<Authenticated<false>, Load<u64, 0>, ALONE, true>,
        (true, false) => move_one::<Authenticated<true>, Load<u64, 0>, ALONE, false>,
        (true, true) => move_one::<Authenticated<true>, Load<u64, 0>, ALONE, true>,
    };
    let key = if inst.word() >> 23 & 1 == 0 { PauthKeys::DA } else { PauthKeys::DB };
    let imm = (inst.signed('j') << 12 | i64::from(inst.field('i')) << 3) as u64;
    b.emit(exec, Operands { rd: dest(inst.reg('t')), rn, imm, aux: key as u16, ..Operands::default() });
}
