"""The rows of the instruction table, as the example `instruction_table` writes them."""

import fnmatch
import os
import subprocess
import typing


class Row(typing.NamedTuple):
    """A row of the table."""

    group: str
    symbol: str
    pattern: str
    feature: str
    syntax: str

    @property
    def is_memory(self):
        """True for loads, stores and atomics, whose syntax has a base register."""
        return "[{Xn|SP}" in self.syntax and not self.symbol.startswith("PRF")


def rows(wanted="*"):
    """All rows, or those whose symbol or group fits the shell pattern `wanted`."""
    text = subprocess.check_output([os.environ["ELFUSE_EXAMPLES"] + "/instruction_table"], text=True)
    table = [Row(*line.split("\t")) for line in text.splitlines()]
    return [row for row in table if fnmatch.fnmatch(row.symbol, wanted) or fnmatch.fnmatch(row.group, wanted)]


def fields(pattern):
    """The letters of a pattern with their bit numbers, highest first."""
    found = {}
    for index, letter in enumerate(pattern):
        if letter not in "01-":
            found.setdefault(letter, []).append(31 - index)
    return found


def encode(pattern, values, ignored=0):
    """The word of a pattern with these field values; bits that do not matter are `ignored`."""
    word = sum(1 << (31 - index) for index, bit in enumerate(pattern) if bit == "1" or bit == "-" and ignored)
    for letter, bits in fields(pattern).items():
        for position, bit in enumerate(reversed(bits)):
            word |= (values[letter] >> position & 1) << bit
    return word
