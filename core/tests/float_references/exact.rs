//! [`Exact`]: numbers that are not negative, `mantissa * 2^exponent`, of any size: compared, added, subtracted and multiplied
//! without rounding.

use std::cmp::Ordering;

/// A number that is not negative.
#[derive(Clone, Debug)]
pub(crate) struct Exact {
    /// In digits of 32 bits, the lowest first; none above the highest that is not zero.
    mantissa: Vec<u32>,
    exponent: i32,
}

impl Exact {
    pub(crate) fn new(mantissa: u64, exponent: i32) -> Self {
        Self { mantissa: trimmed(vec![mantissa as u32, (mantissa >> 32) as u32]), exponent }
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.mantissa.is_empty()
    }

    /// The same number with a mantissa for this exponent, which is not larger than its own.
    fn at(&self, exponent: i32) -> Vec<u32> {
        let shift = (self.exponent - exponent) as usize;
        let mut digits = vec![0; shift / 32];
        let mut carry = 0;
        for digit in self.mantissa.iter().chain([&0]) {
            let wide = u64::from(*digit) << (shift % 32) | carry;
            digits.push(wide as u32);
            carry = wide >> 32;
        }
        trimmed(digits)
    }

    fn aligned(&self, other: &Self) -> (Vec<u32>, Vec<u32>, i32) {
        let exponent = self.exponent.min(other.exponent);
        (self.at(exponent), other.at(exponent), exponent)
    }

    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        let (own, other, _) = self.aligned(other);
        own.len().cmp(&other.len()).then_with(|| own.iter().rev().cmp(other.iter().rev()))
    }

    pub(crate) fn plus(&self, other: &Self) -> Self {
        let (own, other, exponent) = self.aligned(other);
        let mut digits = Vec::new();
        let mut carry = 0;
        for index in 0..=own.len().max(other.len()) {
            let digit = |of: &[u32]| u64::from(of.get(index).copied().unwrap_or(0));
            let sum = digit(&own) + digit(&other) + carry;
            digits.push(sum as u32);
            carry = sum >> 32;
        }
        Self { mantissa: trimmed(digits), exponent }
    }

    /// What is left of this number, which is not smaller than `other`.
    pub(crate) fn minus(&self, other: &Self) -> Self {
        let (own, other, exponent) = self.aligned(other);
        let mut borrow = 0;
        let digit = |(index, own): (usize, &u32)| {
            let difference = i64::from(*own) - i64::from(other.get(index).copied().unwrap_or(0)) - borrow;
            borrow = i64::from(difference < 0);
            difference as u32
        };
        Self { mantissa: trimmed(own.iter().enumerate().map(digit).collect()), exponent }
    }

    pub(crate) fn times(&self, other: &Self) -> Self {
        let mut digits = vec![0u32; self.mantissa.len() + other.mantissa.len()];
        for (index, own) in self.mantissa.iter().enumerate() {
            let mut carry = 0;
            for (digit, other) in digits[index..].iter_mut().zip(other.mantissa.iter().chain([&0])) {
                let wide = u64::from(*own) * u64::from(*other) + u64::from(*digit) + carry;
                *digit = wide as u32;
                carry = wide >> 32;
            }
        }
        Self { mantissa: trimmed(digits), exponent: self.exponent + other.exponent }
    }
}

fn trimmed(mut digits: Vec<u32>) -> Vec<u32> {
    while digits.last() == Some(&0) {
        digits.pop();
    }
    digits
}

#[test]
fn exact_numbers_are_those_of_wide_integers() {
    let numbers = [0u64, 1, 3, 0xffff_ffff, 0x1_0000_0000, u64::MAX / 3, u64::MAX];
    for (a, b) in numbers.iter().flat_map(|a| numbers.iter().map(move |b| (*a, *b))) {
        let (x, y) = (Exact::new(a, -3), Exact::new(b, 40));
        let (wide_x, wide_y) = (u128::from(a), u128::from(b) << 43);
        let is = |exact: &Exact, low: u128| {
            let expected = Exact::new(low as u64, -3).plus(&Exact::new((low >> 64) as u64, 61));
            exact.compare(&expected) == Ordering::Equal
        };
        assert_eq!(x.compare(&y), wide_x.cmp(&wide_y), "{a} {b}");
        assert!(is(&x.plus(&y), wide_x + wide_y), "{a} + {b}");
        let (large, small) = if wide_x < wide_y { (&y, &x) } else { (&x, &y) };
        assert!(is(&large.minus(small), wide_x.abs_diff(wide_y)), "{a} - {b}");
        assert!(is(&x.times(&Exact::new(b, 0)), wide_x * u128::from(b)), "{a} * {b}");
    }
}
