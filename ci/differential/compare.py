#!/usr/bin/env python3
"""Compares two files of answers; says for every row how many states there were and what differs.

Usage: compare.py THEIRS OURS GLOB [FOLDER]. With a FOLDER the interesting lines become its vectors, one file a group.
"""

import collections
import itertools
import pathlib
import sys

import reasons
import table

# Lines that are kept of a row, at most.
KEPT = 4
SHOWN = 3


def answers(path):
    """The lines of a file with the row that they are for."""
    symbol = ""
    for line in pathlib.Path(path).open(encoding="ascii"):
        if line.startswith("# "):
            symbol = line[2:].strip()
        else:
            yield symbol, line.strip()


def features(line):
    """What makes a line different in kind from others of its row."""
    state, answer = line.split(" ->")
    parts = dict(part.split("=") for part in state.split()[1:])
    mode = parts.get("c", "0")
    yield "signal", answer.split("=")[0] if answer.startswith(" sig") else ""
    yield "flags", next((part for part in answer.split() if part.startswith(("s=", "n="))), "")
    yield "mode", mode
    yield "host", mode == "0" and parts.get("s") == "10" and "s=" not in answer
    yield "memory", "@" in answer
    yield "changes", len(answer.split())


def interesting(lines):
    """The lines that show most of a row, few enough to be kept."""
    seen, kept = set(), []
    candidates = lines[:400]
    while candidates and len(kept) < KEPT:
        best = max(candidates, key=lambda line: len(set(features(line)) - seen))
        kept.append(best)
        seen |= set(features(best))
        candidates.remove(best)
    return kept


def record(folder, rows, lines):
    """Writes the vectors of every group that is whole."""
    whole = collections.Counter(row.group for row in table.rows())
    for group, members in itertools.groupby(rows, key=lambda row: row.group):
        members = [row for row in members]
        if len(members) != whole[group]:
            print(f"{group}: only some rows were run, its vectors stay")
            continue
        text = "".join(f"# {row.symbol}\n" + "\n".join(interesting(lines[row.symbol])) + "\n" for row in members if row.symbol in lines)
        if text:
            (pathlib.Path(folder) / f"{group}.txt").write_text(text, encoding="ascii")


def main():
    """Compares, prints, records."""
    rows = table.rows(sys.argv[3])
    equal = collections.defaultdict(list)
    different, known = collections.defaultdict(list), collections.defaultdict(collections.Counter)
    for (symbol, their), (_, our) in itertools.zip_longest(answers(sys.argv[1]), answers(sys.argv[2]), fillvalue=("", "")):
        if their == our:
            equal[symbol].append(their)
        elif why := reasons.known(symbol, their, our):
            known[symbol][why] += 1
        else:
            different[symbol].append((their, our))
    bad = 0
    for row in rows:
        why = reasons.reason(row)
        same, wrong = len(equal[row.symbol]), len(different[row.symbol])
        print(f"{row.symbol:16} {row.group:10} {same + wrong:6} states" + (f", {wrong} differ" if wrong else "") + (f": {why}" if why else ""))
        for reason, count in known[row.symbol].items():
            print(f"    {count} differences are known: {reason}")
        if wrong or not same and not why:
            bad += 1
        for their, our in different[row.symbol][:SHOWN]:
            print(f"    {their}\n      but here ->{our.partition('->')[2]}")
    total = sum(map(len, equal.values()))
    print(f"{len(rows)} rows, {total + sum(map(len, different.values()))} states, {bad} rows differ or have no state and no reason")
    if bad == 0 and len(sys.argv) > 4:
        record(sys.argv[4], rows, {symbol: lines for symbol, lines in equal.items() if lines})
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
