//! Exception syndromes in words, for people: [`Esr::class_name`], [`Esr::fields`].
//!
//! Source: Arm ARM D24.2.37 (ESR_EL1), its tables of exception classes and of the ISS encodings.

use super::Esr;

/// A field of a syndrome with its value in words.
pub type SyndromeField = (&'static str, String);

/// Fields of one bit of a data abort's ISS, with their places.
const DATA_ABORT_BITS: [(&str, u32); 7] =
    [("SSE", 21), ("SF", 15), ("AR", 14), ("FnV", 10), ("EA", 9), ("CM", 8), ("S1PTW", 7)];

impl Esr {
    /// The name of the exception class; `reserved` for classes that the architecture has none for.
    #[must_use]
    pub const fn class_name(self) -> &'static str {
        match self.ec() {
            0x00 => "unknown reason",
            0x01 => "trapped WFI or WFE",
            0x07 => "trapped SVE, SIMD or floating point",
            0x0a => "trapped LD64B or ST64B",
            0x0d => "branch target exception",
            0x0e => "illegal execution state",
            0x15 => "SVC in AArch64",
            0x16 => "HVC in AArch64",
            0x17 => "SMC in AArch64",
            0x18 => "trapped MSR, MRS or system instruction",
            0x19 => "trapped SVE",
            0x1c => "pointer authentication failure",
            0x1d => "trapped SME",
            0x20 => "instruction abort from a lower level",
            0x21 => "instruction abort from the same level",
            0x22 => "PC alignment fault",
            0x24 => "data abort from a lower level",
            0x25 => "data abort from the same level",
            0x26 => "SP alignment fault",
            0x27 => "memory operation exception",
            0x2c => "trapped floating-point exception",
            0x2f => "SError",
            0x30 | 0x31 => "breakpoint",
            0x32 | 0x33 => "software step",
            0x34 | 0x35 => "watchpoint",
            0x3c => "BRK in AArch64",
            _reserved => "reserved",
        }
    }

    /// The fields of the instruction-specific syndrome that the class gives a meaning.
    #[must_use]
    pub fn fields(self) -> Vec<SyndromeField> {
        match self.ec() {
            0x15..=0x17 => vec![("imm16", format!("{:#x}", self.iss() & 0xffff))],
            0x3c => vec![("comment", format!("{:#x}", self.iss() & 0xffff))],
            0x18 => self.system_fields(),
            0x20 | 0x21 => self.instruction_abort_fields(),
            0x24 | 0x25 => self.data_abort_fields(),
            _without_fields => Vec::new(),
        }
    }

    const fn bits(self, high: u32, low: u32) -> u32 {
        self.iss() >> low & ((1 << (high - low + 1)) - 1)
    }

    fn system_fields(self) -> Vec<SyndromeField> {
        let direction = if self.bits(0, 0) == 1 { "read" } else { "write" };
        let (op0, op1, op2) = (self.bits(21, 20), self.bits(16, 14), self.bits(19, 17));
        let (crn, crm) = (self.bits(13, 10), self.bits(4, 1));
        vec![
            ("register", format!("S{op0}_{op1}_C{crn}_C{crm}_{op2}")),
            ("Rt", format!("x{}", self.bits(9, 5))),
            ("direction", direction.to_owned()),
        ]
    }

    fn instruction_abort_fields(self) -> Vec<SyndromeField> {
        let flags = [("FnV", 10), ("EA", 9), ("S1PTW", 7)];
        let mut fields = vec![("IFSC", fault_status(self.bits(5, 0)))];
        fields.extend(flags.iter().filter(|(_, at)| self.bits(*at, *at) == 1).map(|(name, _)| (*name, "1".to_owned())));
        fields
    }

    fn data_abort_fields(self) -> Vec<SyndromeField> {
        let access = if self.bits(6, 6) == 1 { "write" } else { "read" };
        let mut fields = vec![("DFSC", fault_status(self.bits(5, 0))), ("WnR", access.to_owned())];
        let set = DATA_ABORT_BITS.iter().filter(|(_, at)| self.bits(*at, *at) == 1);
        fields.extend(set.map(|(name, _)| (*name, "1".to_owned())));
        if self.bits(24, 24) == 1 {
            fields.push(("SAS", format!("{} bytes", 1 << self.bits(23, 22))));
            fields.push(("SRT", format!("x{}", self.bits(20, 16))));
        }
        fields
    }
}

/// A fault status code in words.
fn fault_status(code: u32) -> String {
    let level = code & 3;
    match code {
        0x00..=0x03 => format!("address size fault, level {level}"),
        0x04..=0x07 => format!("translation fault, level {level}"),
        0x08..=0x0b => format!("access flag fault, level {level}"),
        0x0c..=0x0f => format!("permission fault, level {level}"),
        0x10 => "synchronous external abort".to_owned(),
        0x14..=0x17 => format!("synchronous external abort on a table walk, level {level}"),
        0x21 => "alignment fault".to_owned(),
        0x30 => "TLB conflict abort".to_owned(),
        0x35 => "unsupported exclusive or atomic access".to_owned(),
        other => format!("fault status {other:#04x}"),
    }
}

#[cfg(test)]
mod tests {
    use crate::abi::GuestAddr;
    use crate::vcpu::{AbortCause, Access, Esr, Exception, ExceptionKind};

    fn words(esr: Esr) -> String {
        let fields: Vec<_> = esr.fields().iter().map(|(name, value)| format!("{name} {value}")).collect();
        format!("{}: {}", esr.class_name(), fields.join(", "))
    }

    #[test]
    fn what_the_seam_raises_is_named() {
        let far = GuestAddr(8);
        let abort = ExceptionKind::DataAbort { far, access: Access::Write, cause: AbortCause::Permission };
        let fetch = ExceptionKind::InstructionAbort { far, cause: AbortCause::External };
        let named = |kind| words(Exception::new(kind).esr);
        assert_eq!(named(abort), "data abort from a lower level: DFSC permission fault, level 3, WnR write");
        assert_eq!(named(fetch), "instruction abort from a lower level: IFSC synchronous external abort");
        assert_eq!(named(ExceptionKind::Syscall { imm: 0x12 }), "SVC in AArch64: imm16 0x12");
        assert_eq!(named(ExceptionKind::Breakpoint { comment: 7 }), "BRK in AArch64: comment 0x7");
        assert_eq!(named(ExceptionKind::SpAlignment), "SP alignment fault: ");
    }

    /// Encodings by hand from the register's description.
    #[test]
    fn fields_stand_where_the_architecture_puts_them() {
        // MRS X3, TPIDR_EL0 (S3_3_C13_C0_2): Op0 3, Op2 2, Op1 3, CRn 13, Rt 3, CRm 0, read.
        let iss = 3 << 20 | 2 << 17 | 3 << 14 | 13 << 10 | 3 << 5 | 1;
        assert_eq!(
            words(Esr::new(Esr::EC_SYS64, iss)),
            "trapped MSR, MRS or system instruction: register S3_3_C13_C0_2, Rt x3, direction read"
        );
        // A valid syndrome of a 4-byte load into W5 with a translation fault at level 1, FAR not valid.
        let iss = 1 << 24 | 2 << 22 | 5 << 16 | 1 << 10 | 0x05;
        assert_eq!(
            words(Esr::new(Esr::EC_DABT_LOW, iss)),
            "data abort from a lower level: DFSC translation fault, level 1, WnR read, FnV 1, SAS 4 bytes, SRT x5"
        );
        assert_eq!(words(Esr::new(0x3f, 0x1ff_ffff)), "reserved: ");
    }
}
