//! QARMA5, the architected algorithm of pointer authentication: a tweakable block cipher over 16 cells of four bits.
//!
//! Cell 0 is the highest. Sources: Avanzi, "The QARMA Block Cipher Family" (ToSC 2017), QARMA-64 with five rounds and
//! S-box sigma 2; Arm ARM J1.1 `ComputePAC`.

/// Round constants: digits of pi.
const ROUNDS: [u64; 5] =
    [0, 0x1319_8a2e_0370_7344, 0xa409_3822_299f_31d0, 0x082e_fa98_ec4e_6c89, 0x4528_21e6_38d0_1377];
/// The constant that makes the backward rounds differ from the forward ones.
const ALPHA: u64 = 0xc0ac_29b7_c97c_50dd;
/// The S-box.
const SUBSTITUTE: [u8; 16] = [0xb, 0x6, 0x8, 0xf, 0xc, 0x0, 0x9, 0xe, 0x3, 0x7, 0x4, 0x5, 0xd, 0x2, 0x1, 0xa];
/// Where each cell of the state comes from in a shuffle.
const SHUFFLE: [u8; 16] = [0, 11, 6, 13, 10, 1, 12, 7, 5, 14, 3, 8, 15, 4, 9, 2];
/// The same for the tweak.
const TWEAK_SHUFFLE: [u8; 16] = [6, 5, 14, 15, 0, 1, 2, 3, 7, 12, 13, 4, 8, 9, 10, 11];
/// Cells of the tweak that a step also rotates.
const TWEAK_ROTATED: [usize; 7] = [0, 1, 3, 4, 8, 11, 13];

type Cells = [u8; 16];

const fn inverse(table: [u8; 16]) -> [u8; 16] {
    let mut inverse = [0; 16];
    let mut index = 0;
    while index < 16 {
        inverse[table[index] as usize] = index as u8;
        index += 1;
    }
    inverse
}

fn cells(value: u64) -> Cells {
    std::array::from_fn(|cell| (value >> (60 - 4 * cell)) as u8 & 15)
}

fn value(cells: Cells) -> u64 {
    cells.iter().fold(0, |value, &cell| value << 4 | u64::from(cell))
}

fn substitute(state: u64, table: &[u8; 16]) -> u64 {
    value(cells(state).map(|cell| table[usize::from(cell & 15)]))
}

fn shuffle(state: u64, table: &[u8; 16]) -> u64 {
    let old = cells(state);
    value(table.map(|from| old[usize::from(from & 15)]))
}

/// A cell rotated left.
const fn rotated(cell: u8, by: u32) -> u8 {
    (cell << by | cell >> (4 - by)) & 15
}

/// Multiplies each column of the 4 by 4 matrix of cells by circ(0, rho, rho^2, rho); its own inverse.
fn mix(state: u64) -> u64 {
    let old = cells(state);
    value(std::array::from_fn(|index| {
        let (row, column) = (index / 4, index % 4);
        let at = |step: usize| old[(row + step) % 4 * 4 + column];
        rotated(at(1), 1) ^ rotated(at(2), 2) ^ rotated(at(3), 1)
    }))
}

/// The tweak of the next round.
fn next_tweak(tweak: u64) -> u64 {
    let mut new = cells(shuffle(tweak, &TWEAK_SHUFFLE));
    for cell in TWEAK_ROTATED {
        new[cell] = (new[cell] & 1 ^ new[cell] >> 1 & 1) << 3 | new[cell] >> 1;
    }
    value(new)
}

/// The tweak of the round before.
fn previous_tweak(tweak: u64) -> u64 {
    let mut old = cells(tweak);
    for cell in TWEAK_ROTATED {
        old[cell] = old[cell] << 1 & 15 | (old[cell] & 1 ^ old[cell] >> 3);
    }
    shuffle(value(old), &inverse(TWEAK_SHUFFLE))
}

/// The authentication code of `data` with `modifier` under `key`.
pub(super) fn compute(data: u64, modifier: u64, key: u128) -> u64 {
    let (whitening, key) = ((key >> 64) as u64, key as u64);
    let last_whitening = whitening.rotate_right(1) ^ whitening >> 63;
    let (backward, forward) = (inverse(SUBSTITUTE), SUBSTITUTE);
    let back = inverse(SHUFFLE);
    let mut tweak = modifier;
    let mut state = data ^ whitening;
    for (round, constant) in ROUNDS.iter().enumerate() {
        state ^= key ^ tweak ^ constant;
        if round > 0 {
            state = mix(shuffle(state, &SHUFFLE));
        }
        state = substitute(state, &forward);
        tweak = next_tweak(tweak);
    }
    state = mix(shuffle(state ^ last_whitening ^ tweak, &SHUFFLE));
    state = mix(shuffle(substitute(state, &forward), &SHUFFLE)) ^ key;
    state = substitute(shuffle(state, &back), &backward);
    state = shuffle(mix(state), &back) ^ whitening ^ tweak;
    for (round, constant) in ROUNDS.iter().enumerate().rev() {
        state = substitute(state, &backward);
        if round > 0 {
            state = shuffle(mix(state), &back);
        }
        tweak = previous_tweak(tweak);
        state ^= key ^ tweak ^ constant ^ ALPHA;
    }
    state ^ last_whitening
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What PACGA gives on another implementation that was given this key; it shows the upper half.
    #[test]
    fn codes_are_those_of_another_implementation() {
        let key = 0x5c35_8ec4_2c1d_3fa5_2524_4cfd_f04b_ed73;
        assert_eq!(compute(0xfb62_3599_da6c_8127, 0x477d_469d_ec0b_8762, key) >> 32, 0x1caf_f40c);
        assert_eq!(compute(1, 2, key) >> 32, 0x8a0c_bb7a);
    }

    #[test]
    fn tweaks_go_back() {
        for tweak in [0, 1, 0x0123_4567_89ab_cdef, u64::MAX] {
            assert_eq!(previous_tweak(next_tweak(tweak)), tweak);
            assert_eq!(mix(mix(tweak)), tweak);
        }
    }
}
