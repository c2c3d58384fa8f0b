"""Reads the rows of the instruction table: group, symbol, pattern."""

import pathlib
import re

TABLE = pathlib.Path(__file__).parents[2] / "core/src/soft/a64/table"
ROW = re.compile(r'Row::new\(\s*"([^"]+)",\s*"[^"]+",\s*"([01a-zA-Z-]{32})"')


def rows():
    """All rows as (group, symbol, pattern)."""
    for path in sorted(TABLE.glob("*.rs")):
        for symbol, pattern in ROW.findall(path.read_text()):
            yield path.stem, symbol, pattern


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
