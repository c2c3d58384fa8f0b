#!/usr/bin/env python3
"""Compares our disassembler with objdump over words that are sampled from every row, or from all words.

Usage: decode.py SEED COUNT [rows|all]. Prints the kinds of differences with an example each and, where it is known
(`reasons.py`), why; those that are not known come first, and make the exit status 1.
"""

import collections
import os
import random
import re
import struct
import subprocess
import sys
import tempfile

import reasons
import table


def sample(count, mode):
    """The words to compare."""
    if mode == "all":
        return [random.getrandbits(32) for _ in range(count)]
    words = []
    for _, _, pattern, _, _ in table.rows(os.environ.get("ROWS", "*")):
        for _ in range(count):
            values = {letter: random.getrandbits(len(bits)) for letter, bits in table.fields(pattern).items()}
            for letter in "dnmat":
                if letter in values and random.random() < 0.2:
                    values[letter] = (1 << len(table.fields(pattern)[letter])) - 1
            words.append(table.encode(pattern, values, ignored=random.getrandbits(1)))
    return words


def is_scalable(word):
    """True for the spaces of SVE and SME, which are undefined here as a whole (Arm ARM C4.1, op0)."""
    op0 = word >> 25 & 15
    return op0 == 2 or op0 == 0 and word >> 31 == 1


def objdump(words):
    """What objdump says, as though each word were at address 0."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(struct.pack(f"<{len(words)}I", *words))
        file.flush()
        command = ["aarch64-linux-gnu-objdump", "-D", "-b", "binary", "-m", "aarch64", "--no-show-raw-insn", "-z", file.name]
        text = subprocess.check_output(command, text=True)
    lines = re.findall(r"^\s*([0-9a-f]+):\t(.*)$", text, re.M)
    return [normal(line, int(address, 16), word) for (address, line), word in zip(lines, words)]


def is_relative(word):
    """True for a branch, a literal load, ADR or ADRP."""
    return (
        word >> 26 & 0x1F == 5 or word >> 25 & 0x3F in (0x1A, 0x1B) or word >> 24 == 0x54 or word >> 24 & 0x1F == 0x10
        or word >> 24 & 0x3B == 0x18
    )


def normal(line, address, word):
    """A line of objdump in our spelling."""
    line = re.sub(r" <[^>]*>", "", line.split("//")[0])
    line = re.sub(r"\s+", " ", line).strip()
    if "undefined" in line or line.startswith(".inst"):
        return f".inst 0x{word:08x}"
    if is_relative(word):
        base = address & ~0xFFF if line.startswith("adrp") else address
        line = re.sub(r"0x[0-9a-f]+$", lambda match: hex(int(match[0], 16) - base & 0xFFFF_FFFF_FFFF_FFFF), line)
    return line


def main():
    """Compares and prints."""
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    mode = sys.argv[3] if len(sys.argv) > 3 else "rows"
    disassembler = os.environ["ELFUSE_EXAMPLES"] + "/disassemble"
    random.seed(seed)
    words = sample(count, mode)
    theirs = objdump(words)
    text = "".join(f"{word:08x}\n" for word in words)
    output = subprocess.run([disassembler], input=text, capture_output=True, text=True, check=True).stdout
    ours = [line.split(" ", 1)[1] for line in output.splitlines()]
    assert len(ours) == len(theirs) == len(words)
    different = collections.defaultdict(list)
    for word, their, our in zip(words, theirs, ours):
        if their != our and not (is_scalable(word)):
            why = reasons.known_text(f"{word:08x}", their, our)
            different[why, our.split(" ")[0], their.split(" ")[0]].append((f"{word:08x}", their, our))
    kinds = [(reasons.known_text(*examples[0]), examples) for examples in different.values()]
    unknown = sum(len(examples) for why, examples in kinds if not why)
    print(f"{sum(map(len, different.values()))} of {len(words)} differ, {unknown} of them without a reason")
    for why, examples in sorted(kinds, key=lambda kind: (kind[0] != "", -len(kind[1]))):
        word, their, our = examples[0]
        print(f"{len(examples):6}  {word}  objdump: {their}  here: {our}" + (f"  ({why})" if why else "  UNKNOWN"))
    return unknown != 0


if __name__ == "__main__":
    sys.exit(main())
