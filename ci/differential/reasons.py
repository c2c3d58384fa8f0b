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
]

# Differences of execution that are not errors of ours: symbol, what is true of the line of QEMU and ours, reason.
KNOWN = []


def reason(row):
    """Why a row is not run, or nothing where it is."""
    for glob, why in NOT_RUN:
        if fnmatch.fnmatch(row.symbol, glob) or row.group == glob:
            return why
    return None


def known(symbol, theirs, ours):
    """Why a difference is none of ours, or nothing."""
    for glob, applies, why in KNOWN:
        if fnmatch.fnmatch(symbol, glob) and applies(theirs, ours):
            return why
    return None
