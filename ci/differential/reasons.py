"""Which rows are not compared by execution, and which differences are known: each with the reason."""

import fnmatch
import re

# Rows whose symbol or group fits, with the reason. The first that fits counts.
NOT_RUN = [
    ("branch", "changes the PC: the guests and interp/tests/branch.rs test it"),
    ("CFINV", None),
    ("XAFLAG", None),
    ("AXFLAG", None),
    ("system", "exceptions, barriers, hints and system registers: interp/tests/system.rs tests them"),
    ("ADR*", "the result depends on where the instruction is"),
    ("*_lit", "the address depends on where the instruction is"),
    ("PRF*", "has no result"),
    ("PAC*", "keys are random: interp/tests/pauth.rs tests it"),
    ("AUT*", "keys are random: interp/tests/pauth.rs tests it"),
    ("LDRA*", "keys are random: interp/tests/pauth.rs tests it"),
]


def is_flushed_js(theirs, ours):
    """True where lines differ in NZCV alone, FPCR.FZ is set, and Input Denormal was raised."""
    state, _, answer = ours.partition(" ->")
    modes = [int(part[2:], 16) for part in state.split() if part.startswith("c=")]
    flags = [int(part[2:], 16) for part in answer.split() if part.startswith("s=")]
    rest = [[part for part in line.split() if not part.startswith("n=")] for line in (theirs.partition(" ->")[2], answer)]
    return rest[0] == rest[1] and modes and modes[0] >> 24 & 1 and (not flags or flags[0] >> 7 & 1)


def is_long_half(theirs, ours):
    """True where a result of 16 bits is extended to 32 bits by QEMU, and nothing else differs."""
    answers = [line.partition(" ->")[2].split() for line in (theirs, ours)]
    pairs = [(their, our) for their, our in zip(*answers) if their != our]
    return len(answers[0]) == len(answers[1]) and all(their == our.replace("=", "=ffff") for their, our in pairs)

# Features that qemu-aarch64 7.2 does not have.
NOT_IN_QEMU = {"Cssc": "QEMU does not have FEAT_CSSC: interp/tests/properties.rs tests it",
               "Mops": "QEMU does not have FEAT_MOPS: interp/tests/mops.rs tests it"}

# Differences of execution that are not errors of ours: symbol, what is true of the line of QEMU and ours, reason.
KNOWN = [
    ("FJCVTZS", is_flushed_js, "a denormal number that is flushed was no zero, so Z is clear (Arm ARM J1.1, FPToFixedJS)"),
    ("FCVTZS_scalar_fixed_h", is_long_half, "the result has 16 bits, the rest of the register is zero (Arm ARM C7.2)"),
]


def reason(row):
    """Why a row is not run, or nothing where it is."""
    for glob, why in NOT_RUN:
        if fnmatch.fnmatch(row.symbol, glob) or row.group == glob:
            return why
    return NOT_IN_QEMU.get(row.feature)


def known(symbol, theirs, ours):
    """Why a difference is none of ours, or nothing."""
    for glob, applies, why in KNOWN:
        if fnmatch.fnmatch(symbol, glob) and applies(theirs, ours):
            return why
    return None


MTE = "stz2g|st2g|stg|stzg|ldg|stgp|ldgm|stgm|stzgm|addg|subg|irg|gmi|subps?|cmpp|setg\\w*"
# Registers whose names say EL0, but which Linux keeps for itself.
PRIVILEGED = r"daif|daifset|daifclr|(mdcc|dbg|csr|dspsr|dlr|pm|am|cntp|cntv_)\w+"
NOT_FOR_EL0 = "not for EL0, where Linux makes it undefined"
# Differences of decoding that are not errors of ours: bits of the word that count and their value, what objdump says, what
# is said here, reason. README.md has them at more length. The first that fits counts.
KNOWN_TEXT = [
    (0xFFFFF01F, 0xD503401F, r"msr s0_3_c4_c\d+_[12],", r"msr (dit|ssbs),", "one bit of CRm counts"),
    (0xFFFFF01F, 0xD503201F, r"", r"hint|dgh", "another name of a hint"),
    (0xFFF00000, 0xD5300000, r"mrs ", r"mrs ", "another name of a register"),
    *((0xFFC70000, 0xD5000000 | op1 << 16, r"", r"\.inst", NOT_FOR_EL0) for op1 in (0, 1, 2, 4, 5, 6, 7)),
    (0xFFC70000, 0xD5030000, r"dsb \w+nxs$", r"\.inst", "FEAT_XS is not there"),
    (0xFFC70000, 0xD5030000, r".*\btco\b|dc (cig|cg|g)d?z?va", r"\.inst", "FEAT_MTE is not there"),
    (0xFFC70000, 0xD5030000, r"smst|.*\b(svcr|tpidr2_el0)\b", r"\.inst", "FEAT_SME is not there"),
    (0xFFC70000, 0xD5030000, r".*\brctx\b|.*\bscxtnum_el0\b", r"\.inst", "FEAT_SPECRES and FEAT_CSV2_2 are not there"),
    (0xFFC70000, 0xD5030000, rf"m(rs|sr) .*\b({PRIVILEGED})\b", r"\.inst", NOT_FOR_EL0),
    (0xFFE70000, 0xD5030000, r"msr (ctr|dczid|tpidrro|cntfrq|cntvct|cntvctss|rndr|rndrrs)(_el0)?,", r"\.inst", "read-only"),
    (0xFFC70000, 0xD5030000, r"m(rs|sr) .*\bs\d_3_|sysl? .*#3, ", r"\.inst", "nothing that has a name"),
    (0x3FC08000, 0x08C08000, r"\.inst", r"ldar", "constrained unpredictable: should-be-one bits are ignored"),
    (0xFE400000, 0x68400000, r"\.inst", r"ldpsw (\w+), \1,", "constrained unpredictable: the second value wins"),
    (0xFEC00000, 0x68C00000, r"\.inst", r"ldpsw .*?(x\d+),.*\[\1[],]", "constrained unpredictable: the loaded value wins"),
    (0x7F800000, 0x32000000, r"mov w?sp,", r"orr w?sp,", "an alias that has no exception for SP"),
    (0xFF200C00, 0xF8200C00, r"ldra[ab] \w+, \[\w+\]!", r"ldra[ab] \w+, \[\w+, #0\]!", "zero is written out"),
    (0, 0, rf"({MTE}) ", r"\.inst", "FEAT_MTE is not there"),
    (0xFF000010, 0x54000010, r"bc\.", r"\.inst", "FEAT_HBC is not there"),
    (0, 0, r"(tcancel|tstart|ttest|tcommit)\b", r"\.inst", "FEAT_TME is not there"),
    (0, 0, r"(ld64b|st64bv?0?) ", r"\.inst", "FEAT_LS64 is not there"),
    (0xFFE0001C, 0xD4A00000, r"dcps[123]\b", r"\.inst", "not for EL0"),
    (0x9F60DC00, 0x0E60CC00, r"fml[as]l2? ", r"\.inst", "size<0> is clear in the encoding"),
]


def known_text(word, theirs, ours):
    """Why a difference of decoding is none of ours, or an empty text."""
    bits = int(word, 16)
    for mask, value, their, our, why in KNOWN_TEXT:
        if bits & mask == value and re.match(their, theirs) and re.match(our, ours):
            return why
    return ""
