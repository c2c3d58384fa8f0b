"""Random operands: integers with their borders, floating-point numbers of all kinds, vectors of them."""

import random

BORDERS = [
    0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x1_0000_0000,
    0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000, 0xFFFF_FFFF_FFFF_FFFF,
]

# Width: bits of the exponent.
EXPONENTS = {16: 5, 32: 8, 64: 11}


def integer():
    """A register value, often a border."""
    kind = random.random()
    if kind < 0.4:
        return random.choice(BORDERS)
    return random.getrandbits(32 if kind < 0.5 else 6 if kind < 0.6 else 64)


def fraction(bits):
    """A fraction, often with few bits set or few clear."""
    kind = random.random()
    if kind < 0.5:
        return random.getrandbits(bits)
    few = sum({1 << random.randrange(bits) for _ in range(random.randrange(4))})
    return few if kind < 0.8 else few ^ (1 << bits) - 1


def floating(width, near=None, exponent_bits=None):
    """A floating-point number; `near` is an exponent field that it may be near to."""
    exponent_bits = exponent_bits or EXPONENTS[width]
    fraction_bits = width - 1 - exponent_bits
    top = (1 << exponent_bits) - 1
    bias = top >> 1
    sign = random.getrandbits(1) << (width - 1)
    kind = random.random()
    if kind < 0.05:
        return sign
    if kind < 0.12:
        return sign | top << fraction_bits | random.choice([0, fraction(fraction_bits)])
    if kind < 0.2:
        return sign | fraction(fraction_bits)
    if kind < 0.25:
        field = random.choice([1, 2, top - 1, top - 2, top >> 2, 3 * top >> 2])
    elif kind < 0.45:
        # About the sizes of integers.
        field = bias + random.randrange(-4, 70 if width > 16 else 16)
    elif kind < 0.75 and near is not None:
        field = near + random.choice([-60, -54, -30, -25, -12, -11, -2, -1, 0, 0, 1, 2, 11, 24, 53])
    elif kind < 0.9:
        field = bias + random.randrange(-3, 4)
    else:
        field = random.getrandbits(exponent_bits)
    return sign | min(max(field, 0), top) << fraction_bits | fraction(fraction_bits)


def vector_of(width):
    """A vector of floating-point numbers of this width."""
    return sum(floating(width) << at for at in range(0, 128, width))


def floating_vectors(width, count):
    """Vectors whose elements in the same place are often of related sizes."""
    near = [random.getrandbits(EXPONENTS[width]) for _ in range(0, 128, width)]
    def vector():
        return sum(floating(width, near[at // width]) << at for at in range(0, 128, width))
    return [vector() for _ in range(count)]


def control():
    """FPCR: every field, the default often."""
    if random.random() < 0.3:
        return 0
    return sum(bits for bits in (1 << 26, 1 << 25, 1 << 24, 1 << 19) if random.random() < 0.3) | random.getrandbits(2) << 22


def status():
    """FPSR: the cumulative bits set, or not, or some."""
    return random.choice([0, 0, 0x10, 0x0800_009F, random.getrandbits(5) | random.getrandbits(1) << 7])
