#!/usr/bin/env python3
"""Writes random states for the rows of the instruction table: `word nzcv x0..x7 sp`, hexadecimal; for rows that use SIMD&FP
registers `fpcr fpsr v0..v7` follow, a vector as `high:low`.

Usage: states.py SEED STATES_PER_ROW [GROUP...]. Registers are x0 to x7, SP and XZR; x1 and SP are the bases of memory accesses.
Constrained unpredictable combinations of registers are left out.
"""

import random
import sys

import table
import values

# Groups whose rows compute, and groups whose rows access memory.
ARITHMETIC = {"dp_imm", "dp_reg"}
MEMORY = {"ldst", "ldst_pair", "ldst_sync"}
FLOATING = {"fp", "fp_convert"}
FLAGS = {"CFINV", "XAFLAG", "AXFLAG"}
# Those of the conversions whose source is a general register.
FROM_GENERAL = ("SCVTF", "UCVTF", "FMOV_ws", "FMOV_xd", "FMOV_rh")
# These depend on the address of the instruction or do nothing.
LEFT_OUT = {"ADR", "ADRP"}

DATA = 0x20_0800
REGISTERS = [0, 1, 2, 3, 4, 5, 6, 7, 31]
def is_register(letter, bits, group, symbol):
    """True when a field is a register number."""
    if letter == "m" and symbol.startswith("CC") and symbol.endswith("imm"):
        return False
    return len(bits) == 5 and (letter in "dnmatu" or letter == "s" and group in MEMORY)


def choose(group, symbol, pattern):
    """Values for the fields of a row."""
    fields = {}
    for letter, bits in table.fields(pattern).items():
        if is_register(letter, bits, group, symbol):
            fields[letter] = random.choice(REGISTERS)
        else:
            fields[letter] = random.getrandbits(len(bits))
    return fields


def choose_memory(symbol, pattern):
    """Values for the fields of a load or store: addresses stay near the data."""
    fields = choose("ldst", symbol, pattern)
    fields["n"] = random.choice([1, 1, 1, 31])
    width = len(table.fields(pattern).get("i", []))
    if width == 12:
        fields["i"] = random.getrandbits(4)
    elif width == 9:
        fields["i"] = random.randrange(-64, 64) & 0x1FF
    elif width == 7:
        fields["i"] = random.randrange(-8, 8) & 0x7F
    if symbol.startswith(("LDAPU", "STLUR")):
        fields["i"] &= 0x1F8
    others = [register for register in REGISTERS if register != 1]
    for letter in "tsu":
        if letter in fields:
            fields[letter] = random.choice(others)
    if "u" in fields:
        fields["u"] = random.choice([register for register in others if register != fields["t"]])
    if symbol.startswith("CASP"):
        fields["s"], fields["t"] = random.choice([2, 4, 6]), random.choice([2, 4, 6])
    elif symbol.startswith("ST") and "X" in symbol:
        taken = {fields["t"], fields.get("u")}
        fields["s"] = random.choice([register for register in others if register not in taken])
    if "m" in fields:
        fields["m"] = random.choice([2, 3, 31])
    return fields


def memory_state(group, fields):
    """Registers for a load or store."""
    x = [values.integer() for _ in range(8)]
    x[1] = DATA + 16 * random.randrange(-8, 8)
    if group != "ldst_sync" and random.random() < 0.2:
        x[1] += random.randrange(16)
    index = fields.get("m", 31)
    if index != 31:
        high = random.getrandbits(32) << 32
        if fields["o"] == 2:
            x[index] = high | random.randrange(16)
        else:
            x[index] = random.randrange(-16, 16) & 0xFFFF_FFFF_FFFF_FFFF
            if fields["o"] == 6 and random.random() < 0.5:
                x[index] = high | x[index] & 0xFFFF_FFFF
    return x, DATA + 16 * random.randrange(-8, 8)


def choose_floating(group, symbol, pattern):
    """Values for the fields of a row whose registers are SIMD&FP registers, or general ones."""
    fields = choose(group, symbol, pattern)
    for letter, bits in table.fields(pattern).items():
        if is_register(letter, bits, group, symbol):
            fields[letter] = random.randrange(8)
    if group == "fp_convert" and symbol.startswith(FROM_GENERAL) and random.random() < 0.1:
        fields["n"] = 31
    return fields


def element_widths(symbol, fields):
    """The widths of the elements that a row may take its operands for."""
    if symbol.endswith("_h") or "_h" in symbol:
        return [16]
    for letter in "pe":
        if letter in fields:
            return [32 << (fields[letter] & 1)]
    return [16, 32, 64]


def floating_state(symbol, fields):
    """FPCR, FPSR and V0 to V7."""
    width = random.choice(element_widths(symbol, fields))
    vectors = values.floating_vectors(width, 8)
    if random.random() < 0.05:
        vectors = [random.getrandbits(128) for _ in range(8)]
    registers = " ".join(f"{vector >> 64:x}:{vector & (1 << 64) - 1:x}" for vector in vectors)
    control = values.control()
    if symbol == "FJCVTZS":
        control &= ~(1 << 24)  # README.md: a known difference
    return f" {control:x} {values.status():x} {registers}"


def state(group, symbol, pattern):
    """One line, or `None` for a row that is not compared."""
    is_memory = group in MEMORY and "_lit" not in symbol and not symbol.startswith("PRF")
    vectors = ""
    if is_memory:
        fields = choose_memory(symbol, pattern)
        x, sp = memory_state(group, fields)
    else:
        x, sp = [values.integer() for _ in range(8)], DATA
        if group in FLOATING:
            fields = choose_floating(group, symbol, pattern)
            vectors = floating_state(symbol, fields)
        elif symbol in FLAGS or group in ARITHMETIC and symbol not in LEFT_OUT:
            fields = choose(group, symbol, pattern)
        else:
            return None
    word = table.encode(pattern, fields, ignored=1)
    registers = " ".join(f"{register:x}" for register in x)
    return f"{word:08x} {random.getrandbits(4):x} {registers} {sp:x}{vectors}"


def main():
    """Writes the states."""
    random.seed(int(sys.argv[1]))
    count, groups = int(sys.argv[2]), sys.argv[3:]
    for group, symbol, pattern in table.rows():
        if groups and group not in groups:
            continue
        for _ in range(count):
            line = state(group, symbol, pattern)
            if line is None:
                break
            print(line)


if __name__ == "__main__":
    main()
