"""Random register values, most of them near something: integer borders, and floating-point values of all kinds."""

import random

INTEGERS = [
    0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x1_0000_0000,
    0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000, 0xFFFF_FFFF_FFFF_FFFF,
]
# Width of exponent and fraction.
HALF, SINGLE, DOUBLE, BFLOAT = (5, 10), (8, 23), (11, 52), (8, 7)
# FPCR: AHP, DN, FZ, FZ16, and where RMode is.
FPCR_SWITCHES = [1 << 26, 1 << 25, 1 << 24, 1 << 19]
RMODE = 22
# FPSR: QC, IDC, IXC, UFC, OFC, DZC, IOC.
FPSR_BITS = [1 << 27, 1 << 7, 1 << 4, 1 << 3, 1 << 2, 1 << 1, 1 << 0]
INEXACT = 1 << 4


def integer():
    """A 64-bit value, often a border."""
    kind = random.random()
    if kind < 0.4:
        return random.choice(INTEGERS)
    return random.getrandbits(32 if kind < 0.5 else 6 if kind < 0.6 else 64)


def fpcr():
    """A mode: half of them plain but for rounding."""
    mode = random.getrandbits(2) << RMODE
    if random.random() < 0.5:
        mode |= sum(switch for switch in FPCR_SWITCHES if random.getrandbits(1))
    return mode


def fpsr():
    """Flags that are already set: mostly none, since a set flag hides that it is set again; often Inexact alone."""
    if random.random() < 0.3:
        return INEXACT
    return sum(random.choice([0, bit]) for bit in FPSR_BITS) if random.random() < 0.1 else 0


def fraction(bits):
    """A fraction, often with few bits, all bits or a tie of a narrower format."""
    kind = random.random()
    if kind < 0.2:
        return 0
    if kind < 0.3:
        return (1 << bits) - 1
    if kind < 0.5:
        return 1 << random.randrange(bits) | random.getrandbits(1)
    if kind < 0.6:
        low = random.randrange(bits)
        return random.getrandbits(bits) >> low << low
    return random.getrandbits(bits)


def floating(form):
    """A floating-point value of any kind."""
    exponent_bits, fraction_bits = form
    most, bias = (1 << exponent_bits) - 1, (1 << exponent_bits - 1) - 1
    sign = random.getrandbits(1) << exponent_bits + fraction_bits
    kind = random.random()
    if kind < 0.06:
        exponent, low = 0, 0
    elif kind < 0.16:
        exponent, low = 0, fraction(fraction_bits)
    elif kind < 0.20:
        exponent, low = most, 0
    elif kind < 0.24:  # quiet NaN
        exponent, low = most, 1 << fraction_bits - 1 | fraction(fraction_bits - 1)
    elif kind < 0.28:  # signalling NaN
        exponent, low = most, fraction(fraction_bits - 1) or 1
    elif kind < 0.34:  # near the smallest normal number
        exponent, low = random.choice([1, 1, 2]), fraction(fraction_bits)
    elif kind < 0.40:  # near the largest one
        exponent, low = random.choice([most - 1, most - 1, most - 2]), fraction(fraction_bits)
    elif kind < 0.70:  # near one
        exponent, low = bias + random.randrange(-3, 4), fraction(fraction_bits)
    elif kind < 0.85:  # near where integers and narrower formats end
        near = random.choice([7, 8, 10, 15, 16, 23, 24, 31, 32, 52, 53, 63, 64, -14, -15, -24, -25, -126, -127, -149, -150, 127])
        exponent, low = bias + near + random.randrange(-1, 2), fraction(fraction_bits)
    else:
        exponent, low = random.getrandbits(exponent_bits), fraction(fraction_bits)
    return sign | max(0, min(exponent, most)) << fraction_bits | low


def bfloats():
    """Two bfloat16 in a 32-bit lane."""
    return floating(BFLOAT) << 16 | floating(BFLOAT)


# Kinds of lanes: bits and how a value is made.
LANES = [
    (8, lambda: random.choice([0, 1, 0x7F, 0x80, 0xFF, random.getrandbits(8)])),
    (16, lambda: random.choice([0, 1, 0x7FFF, 0x8000, 0xFFFF, random.getrandbits(16)])),
    (32, lambda: integer() & 0xFFFF_FFFF),
    (64, integer),
    (16, lambda: floating(HALF)),
    (32, lambda: floating(SINGLE)),
    (64, lambda: floating(DOUBLE)),
    (32, bfloats),
]


def near(value, bits):
    """A value that differs little, so that sums cancel."""
    return (value + random.choice([0, 0, 1, -1, 1 << bits - 1, 1 << random.randrange(bits)])) & (1 << bits) - 1


def ordinary(form):
    """A number of the kind that programs have most: about one, seldom a zero."""
    exponent_bits, fraction_bits = form
    sign = random.getrandbits(1) << exponent_bits + fraction_bits
    if random.random() < 0.02:
        return sign
    bias = (1 << exponent_bits - 1) - 1
    return sign | bias + random.randrange(-3, 4) << fraction_bits | fraction(fraction_bits)


def ordinary_vectors(count, forms):
    """Values for V registers whose lanes are all such numbers, of one of the formats."""
    form = random.choice(forms)
    bits = 1 + sum(form)
    return [sum(ordinary(form) << place for place in range(0, 128, bits)) for _ in range(count)]


def vectors(count):
    """Values for the V registers of an instruction: lanes of one kind, at times near each other."""
    bits, make = random.choices(LANES, [1, 1, 1, 1, 2, 3, 3, 0.5])[0]
    lanes = [[make() for _ in range(128 // bits)] for _ in range(count)]
    if random.random() < 0.2:
        for lane in lanes[1:]:
            lane[:] = [near(value, bits) for value in lanes[0]]
    return [sum(value << bits * place for place, value in enumerate(lane)) for lane in lanes]
