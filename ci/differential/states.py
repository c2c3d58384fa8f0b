#!/usr/bin/env python3
"""Writes random states for the rows of the instruction table: `word nzcv x0..x7 sp`, hexadecimal.

Usage: states.py SEED STATES_PER_ROW. Registers are x0 to x7, SP and XZR; x1 and SP are the bases of memory accesses.
Constrained unpredictable combinations of registers are left out.
"""

import random
import sys

import table

# Groups whose rows compute, and groups whose rows access memory.
ARITHMETIC = {"dp_imm", "dp_reg"}
MEMORY = {"ldst", "ldst_pair", "ldst_sync"}
FLAGS = {"CFINV", "XAFLAG", "AXFLAG"}
# These depend on the address of the instruction or do nothing.
LEFT_OUT = {"ADR", "ADRP"}

DATA = 0x20_0800
REGISTERS = [0, 1, 2, 3, 4, 5, 6, 7, 31]
BORDERS = [
    0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x1_0000_0000,
    0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000, 0xFFFF_FFFF_FFFF_FFFF,
]


def value():
    """A register value, often a border."""
    kind = random.random()
    if kind < 0.4:
        return random.choice(BORDERS)
    return random.getrandbits(32 if kind < 0.5 else 6 if kind < 0.6 else 64)


def is_register(letter, bits, group, symbol):
    """True when a field is a register number."""
    if letter == "m" and symbol.startswith("CC") and symbol.endswith("imm"):
        return False
    return len(bits) == 5 and (letter in "dnmatu" or letter == "s" and group in MEMORY)


def choose(group, symbol, pattern):
    """Values for the fields of a row."""
    values = {}
    for letter, bits in table.fields(pattern).items():
        if is_register(letter, bits, group, symbol):
            values[letter] = random.choice(REGISTERS)
        else:
            values[letter] = random.getrandbits(len(bits))
    return values


def choose_memory(symbol, pattern):
    """Values for the fields of a load or store: addresses stay near the data."""
    values = choose("ldst", symbol, pattern)
    values["n"] = random.choice([1, 1, 1, 31])
    width = len(table.fields(pattern).get("i", []))
    if width == 12:
        values["i"] = random.getrandbits(4)
    elif width == 9:
        values["i"] = random.randrange(-64, 64) & 0x1FF
    elif width == 7:
        values["i"] = random.randrange(-8, 8) & 0x7F
    if symbol.startswith(("LDAPU", "STLUR")):
        values["i"] &= 0x1F8
    others = [register for register in REGISTERS if register != 1]
    for letter in "tsu":
        if letter in values:
            values[letter] = random.choice(others)
    if "u" in values:
        values["u"] = random.choice([register for register in others if register != values["t"]])
    if symbol.startswith("CASP"):
        values["s"], values["t"] = random.choice([2, 4, 6]), random.choice([2, 4, 6])
    elif symbol.startswith("ST") and "X" in symbol:
        taken = {values["t"], values.get("u")}
        values["s"] = random.choice([register for register in others if register not in taken])
    if "m" in values:
        values["m"] = random.choice([2, 3, 31])
    return values


def memory_state(group, values):
    """Registers for a load or store."""
    x = [value() for _ in range(8)]
    x[1] = DATA + 16 * random.randrange(-8, 8)
    if group != "ldst_sync" and random.random() < 0.2:
        x[1] += random.randrange(16)
    index = values.get("m", 31)
    if index != 31:
        high = random.getrandbits(32) << 32
        if values["o"] == 2:
            x[index] = high | random.randrange(16)
        else:
            x[index] = random.randrange(-16, 16) & 0xFFFF_FFFF_FFFF_FFFF
            if values["o"] == 6 and random.random() < 0.5:
                x[index] = high | x[index] & 0xFFFF_FFFF
    return x, DATA + 16 * random.randrange(-8, 8)


def main():
    """Writes the states."""
    random.seed(int(sys.argv[1]))
    count = int(sys.argv[2])
    for group, symbol, pattern in table.rows():
        is_memory = group in MEMORY and "_lit" not in symbol and not symbol.startswith("PRF")
        if not is_memory and (group not in ARITHMETIC or symbol in LEFT_OUT) and symbol not in FLAGS:
            continue
        for _ in range(count):
            if is_memory:
                values = choose_memory(symbol, pattern)
                x, sp = memory_state(group, values)
            else:
                values = choose(group, symbol, pattern)
                x, sp = [value() for _ in range(8)], DATA
            word = table.encode(pattern, values, ignored=1)
            registers = " ".join(f"{register:x}" for register in x)
            print(f"{word:08x} {random.getrandbits(4):x} {registers} {sp:x}")


if __name__ == "__main__":
    main()
