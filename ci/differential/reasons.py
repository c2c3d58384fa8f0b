"""Which rows are not compared by execution, and which differences are known: each with the reason."""

import fnmatch

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
