#!/usr/bin/env python3
"""Writes random states for the rows of the instruction table, as core/tests/vectors/lines.rs describes them.

Usage: states.py SEED STATES_PER_ROW [GLOB]. General registers are x0 to x7, SP and XZR; x1 and SP are the bases of memory
accesses. Constrained unpredictable combinations of registers are left out. A line `# SYMBOL` stands before the states of
a row; rows that are in `reasons.py` have none.
"""

import os
import random
import subprocess
import sys

import reasons
import table
import values

# Groups without V registers.
INTEGER = {"dp_imm", "dp_reg", "branch", "system", "ldst", "ldst_pair", "ldst_sync"}
# States that share an instruction.
STATES_PER_WORD = 4
# How often words that are no instructions are chosen again.
ROUNDS = 8

DATA = 0x20_0800
DATA_START = 0x20_0000
DATA_END = 0x20_1000
MASK = 0xFFFF_FFFF_FFFF_FFFF
REGISTERS = [0, 1, 2, 3, 4, 5, 6, 7, 31]


def is_register(row, letter, bits):
    """True when a field is a register number."""
    if letter == "m" and row.symbol.startswith("CC") and row.symbol.endswith("imm"):
        return False
    return len(bits) == 5 and (letter in "dnmatu" or letter == "s" and row.is_memory)


def choose(row):
    """Values for the fields of a row."""
    if row.is_memory:
        return choose_memory(row)
    chosen = choose_any(row)
    if row.symbol.startswith("LDR_lit"):
        # The instruction itself; the zeros after the code, of which the rest differs between the executors; mostly nothing.
        near = 0 if row.symbol[-1] in "ws" else 4
        chosen["i"] = random.choice([near, near, near, random.getrandbits(19)])
    return chosen


def choose_any(row):
    """Any values."""
    chosen = {}
    for letter, bits in table.fields(row.pattern).items():
        if is_register(row, letter, bits):
            chosen[letter] = random.choice(REGISTERS)
        else:
            chosen[letter] = random.getrandbits(len(bits))
    return chosen


def choose_memory(row):
    """Values for the fields of a load or store: addresses stay near the data."""
    chosen = choose_any(row)
    symbol = row.symbol
    chosen["n"] = random.choice([1, 1, 1, 31])
    width = len(table.fields(row.pattern).get("i", []))
    if width == 12:
        chosen["i"] = random.getrandbits(4)
    elif width == 9:
        chosen["i"] = random.randrange(-64, 64) & 0x1FF
    elif width == 7:
        chosen["i"] = random.randrange(-8, 8) & 0x7F
    if symbol.startswith(("LDAPU", "STLUR")):
        chosen["i"] &= 0x1F8
    others = [register for register in REGISTERS if register != 1]
    for letter in "tsu":
        if len(table.fields(row.pattern).get(letter, [])) == 5:
            chosen[letter] = random.choice(others)
    if "u" in chosen:
        chosen["u"] = random.choice([register for register in others if register != chosen["t"]])
    if symbol.startswith("CASP"):
        chosen["s"], chosen["t"] = random.choice([2, 4, 6]), random.choice([2, 4, 6])
    elif row.group == "ldst_sync" and symbol.startswith("ST") and "X" in symbol:
        taken = {chosen["t"], chosen.get("u")}
        chosen["s"] = random.choice([register for register in others if register not in taken])
    if "m" in chosen:
        chosen["m"] = random.choice([2, 3, 31])
    return chosen


def memory_registers(row, chosen):
    """General registers for a load or store."""
    x = [values.integer() for _ in range(8)]
    x[1] = DATA + 16 * random.randrange(-8, 8)
    if row.group != "ldst_sync":
        if random.random() < 0.2:
            x[1] += random.randrange(16)
        elif random.random() < 0.05:
            x[1] = random.choice([DATA_START, DATA_END]) + random.randrange(-64, 64)
    index = chosen.get("m", 31)
    if index != 31 and "o" in chosen:
        high = random.getrandbits(32) << 32
        if chosen["o"] == 2:
            x[index] = high | random.randrange(16)
        else:
            x[index] = random.randrange(-16, 16) & MASK
            if chosen["o"] == 6 and random.random() < 0.5:
                x[index] = high | x[index] & 0xFFFF_FFFF
    return x, DATA + 16 * random.randrange(-8, 8)


def used_registers(row, chosen):
    """Numbers of the registers that an instruction may use; where that is not clear, some more."""
    widths = table.fields(row.pattern)
    numbers = {chosen[letter] for letter in "dnmatus" if letter in widths and 4 <= len(widths[letter]) <= 5}
    if len(widths.get("m", [])) == 4:
        numbers.add(chosen["m"] | 16)
    if row.is_memory or row.symbol.startswith("TB"):
        numbers |= {(chosen[letter] + more) % 32 for letter in "tn" if letter in widths for more in range(4)}
    if row.symbol.startswith("CASP"):
        numbers |= {chosen["s"] + 1, chosen["t"] + 1}
    return sorted(numbers)


def ordinary_forms(row):
    """The formats of numbers in a state for the host's arithmetic: FPCR plain, Inexact raised, nothing else to raise in any
    lane. It serves only there, and states at random seldom are so. Nothing for a row that has no numbers, and for most states."""
    if not row.group.startswith(("fp", "simd_fp")) or random.random() < 0.75:
        return []
    if row.symbol.startswith("BF"):
        return [values.BFLOAT]
    return [values.HALF] if "_h" in row.symbol else [values.HALF, values.SINGLE, values.DOUBLE]


def settings(row, chosen):
    """The registers of a state as `KEY=VALUE`."""
    x, sp = memory_registers(row, chosen) if row.is_memory else ([values.integer() for _ in range(8)], DATA)
    yield "n", random.getrandbits(4)
    used = used_registers(row, chosen)
    for number in used:
        if number < 8:
            yield f"x{number}", x[number]
    if sp != DATA:
        yield "sp", sp
    if row.group not in INTEGER:
        forms = ordinary_forms(row)
        yield "c", 0 if forms else values.fpcr()
        yield "s", values.INEXACT if forms else values.fpsr()
        for number, value in zip(used, values.ordinary_vectors(len(used), forms) if forms else values.vectors(len(used))):
            yield f"v{number}", value


def word_of(row, chosen):
    """The word of a row with these values of its fields."""
    return table.encode(row.pattern, chosen, ignored=1)


def allocated(words):
    """Those of the words that are instructions here; whether they ought to be is what `decode.py` compares."""
    text = "".join(f"{word:08x}\n" for word in words)
    command = [os.environ["ELFUSE_EXAMPLES"] + "/disassemble"]
    lines = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout.splitlines()
    return {int(line.split(" ")[0], 16) for line in lines if not line.split(" ", 1)[1].startswith(".inst")}


def instructions(rows, count):
    """For each row, the values of the fields of `count` instructions; one in twenty may be no instruction."""
    chosen = [[choose(row) for _ in range(count)] for row in rows]
    for _ in range(ROUNDS):
        good = allocated([word_of(row, values) for row, each in zip(rows, chosen) for values in each])
        for row, each in zip(rows, chosen):
            each[:] = [v if word_of(row, v) in good or random.random() < 0.05 / ROUNDS else choose(row) for v in each]
    return chosen


def main():
    """Writes the states."""
    random.seed(int(sys.argv[1]))
    count = int(sys.argv[2])
    rows = [row for row in table.rows(*sys.argv[3:]) if not reasons.reason(row)]
    for row, each in zip(rows, instructions(rows, -(-count // STATES_PER_WORD))):
        print(f"# {row.symbol}")
        for number in range(count):
            chosen = each[number // STATES_PER_WORD]
            state = " ".join(f"{key}={value:x}" for key, value in settings(row, chosen) if value or key not in "ncs")
            print(f"{word_of(row, chosen):08x} {state}".rstrip())


if __name__ == "__main__":
    main()
