"""Which differences of decoding are known, each with the reason and who is right (README.md has them in words).

A row of `KNOWN` is a reason and what is true of the word, objdump's line and ours where it applies.
"""

import re

UNDEFINED = ".inst"
EXCLUSIVE_SPACE = 0x08000000

MTE = "addg subg irg gmi subp subps cmpp stg st2g stzg stz2g stgp ldg ldgm stgm stzgm".split()
NOT_THERE = set(MTE + "st64b st64bv st64bv0 ld64b tstart tcommit tcancel ttest dcps1 dcps2 dcps3".split())


def name(line):
    """The first word of a line: a mnemonic, or `.inst`."""
    return line.split(" ")[0]


def is_acquire_with_free_fields(word, their, our):
    """Load-acquire, store-release and exclusives whose should-be-one fields are not all ones."""
    fields = word >> 10 & 31, word >> 16 & 31
    return (
        word & 0x3F000000 == EXCLUSIVE_SPACE and name(their) == UNDEFINED and fields != (31, 31)
        and re.match(r"(ld|st)(a|l|x|ax|lx|la|ll)", our) is not None
    )


def is_ldpsw_over_itself(word, their, our):
    """LDPSW whose destinations are the same, or one of them the base that is written back."""
    first, base, second = word & 31, word >> 5 & 31, word >> 10 & 31
    is_written_back = word >> 23 & 3 in (1, 3)
    overlaps = first == second or is_written_back and base != 31 and base in (first, second)
    return name(our) == "ldpsw" and name(their) == UNDEFINED and overlaps


def is_mov_to_sp(_word, their, our):
    """ORR (immediate) to SP that could be an alias."""
    return their.startswith("mov ") and our.startswith("orr ") and "sp," in their and "zr," in our


def is_msr_of_one_bit(_word, their, our):
    """MSR DIT and SSBS with more bits than one."""
    return our.startswith(("msr dit, #", "msr ssbs, #")) and their.startswith("msr ")


def is_privileged(word, their, our):
    """The space of system instructions, where EL0 may use a few."""
    return name(our) == UNDEFINED and word >> 22 == 0b1101010100 and name(their) in SYSTEM


SYSTEM = set("mrs msr sys sysl at dc ic tlbi cfp cpp dvp wfet wfit brb trcit".split())


def is_not_there(_word, their, our):
    """Features that are not there: MTE, HBC, TME, LS64, debug states, the setting of memory with tags."""
    mnemonic = name(their)
    is_known = mnemonic in NOT_THERE or mnemonic.startswith("bc.") or re.fullmatch(r"setg[pme]t?n?", mnemonic) is not None
    return name(our) == UNDEFINED and is_known


def is_long_product_of_other_size(word, their, our):
    """FMLAL and FMLSL (vector) with the size's lower bit set."""
    return name(our) == UNDEFINED and re.match(r"fml[as]l2?\b", their) is not None and word >> 22 & 1 == 1


def is_same_by_another_name(_word, their, our):
    """DGH, an offset of zero that is left out, and system registers that have a name only there."""
    if (their, our) in (("hint #0x6", "dgh"), ("clearbhb", "hint #0x16")) or their.replace("]!", ", #0]!") == our:
        return True
    register = re.compile(r"(mrs x\w+, )\w+$")
    ours, theirs = register.match(our), register.match(their)
    return bool(ours and theirs and ours[1] == theirs[1] and re.search(r" s\d_\d_c\d+_c\d+_\d$", our))


KNOWN = [
    ("constrained unpredictable: should-be-one fields are ignored (Arm ARM K1)", is_acquire_with_free_fields),
    ("constrained unpredictable: loaded values win, the second over the first (Arm ARM K1)", is_ldpsw_over_itself),
    ("the alias condition has no exception for SP (Arm ARM C6.2)", is_mov_to_sp),
    ("only bit 0 of CRm counts (Arm ARM C5.2)", is_msr_of_one_bit),
    ("traps from EL0, where Linux makes it undefined", is_privileged),
    ("the feature is not there", is_not_there),
    ("the encoding has size<0> clear (Arm ARM C4.1)", is_long_product_of_other_size),
    ("the name alone differs", is_same_by_another_name),
]


def known(word, their, our):
    """Why a difference is none of ours, or nothing."""
    for why, applies in KNOWN:
        if applies(word, their, our):
            return why
    return None
