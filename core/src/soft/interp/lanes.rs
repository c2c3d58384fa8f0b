//! Vector registers as arrays of lanes: what all SIMD handlers are made of.
//!
//! [`Lane`] splits a register into lanes of one type and joins them again; [`Integer`] adds the exact arithmetic that
//! saturating and rounding instructions need. On them stand functions that apply one closure to every lane ([`map`],
//! [`map2`], ...). [`simd`](super::simd) makes handlers of those.

#[cfg(not(target_endian = "little"))]
compile_error!("lanes are laid out as a little-endian host has them");

/// An element type.
pub(super) trait Lane: Copy + 'static {
    /// Lanes of 128 bits.
    type Lanes: Copy + AsRef<[Self]> + AsMut<[Self]>;
    /// Number of lanes of 128 bits.
    const COUNT: usize;
    /// Zero.
    const ZERO: Self;

    /// The lanes of a register. It is taken by reference because the host's vectors serve then: loads of lanes are joined
    /// by the optimiser, parts of a 128-bit integer are not.
    fn split(register: &u128) -> Self::Lanes;
    /// The same to write to.
    fn split_mut(register: &mut u128) -> &mut Self::Lanes;
    /// The register of these lanes.
    fn join(lanes: Self::Lanes) -> u128;
    /// All lanes the same.
    fn splat(value: Self) -> Self::Lanes;
}

macro_rules! lane {
    ($($type:ty)*) => {$(
        impl Lane for $type {
            type Lanes = [$type; 16 / size_of::<$type>()];
            const COUNT: usize = 16 / size_of::<$type>();
            const ZERO: Self = 0;

            #[inline(always)]
            fn split(register: &u128) -> Self::Lanes {
                let lanes: &Self::Lanes = zerocopy::transmute_ref!(register);
                *lanes
            }

            #[inline(always)]
            fn split_mut(register: &mut u128) -> &mut Self::Lanes {
                zerocopy::transmute_mut!(register)
            }

            #[inline(always)]
            fn join(lanes: Self::Lanes) -> u128 {
                zerocopy::transmute!(lanes)
            }

            #[inline(always)]
            fn splat(value: Self) -> Self::Lanes {
                [value; 16 / size_of::<$type>()]
            }
        }
    )*};
}

lane!(u8 u16 u32 u64 u128 i8 i16 i32 i64 i128);

/// An element with a wider type in which sums, products and shifts of it are exact.
pub(super) trait Integer: Lane {
    /// The wider type.
    type Wide: Copy + PartialEq;

    /// The exact value.
    fn wide(self) -> Self::Wide;
    /// The exact value of the same bits as a signed number.
    fn signed(self) -> Self::Wide;
    /// The exact value of the same bits as an unsigned number.
    fn unsigned(self) -> Self::Wide;
    /// The low bits of an exact value.
    fn wrap(value: Self::Wide) -> Self;
    /// The nearest representable value, and whether that is another one.
    fn saturate(value: Self::Wide) -> (Self, bool);
    /// Shifted left by `amount`, or right by `-amount`, where what is shifted out is dropped or rounds half up. What is
    /// shifted left by more than the width stays out of range, and its low bits are zero.
    fn shifted(self, amount: i32, rounds: bool) -> Self::Wide;
    /// The amount of a shift by register: the least significant byte, signed (Arm ARM C7.2, SSHL).
    fn shift_amount(self) -> i32;
}

macro_rules! integer {
    ($($type:ty, $signed:ty, $unsigned:ty, $wide:ty;)*) => {$(
        impl Integer for $type {
            type Wide = $wide;

            #[inline(always)]
            fn wide(self) -> $wide {
                self as $wide
            }

            #[inline(always)]
            fn signed(self) -> $wide {
                self as $signed as $wide
            }

            #[inline(always)]
            fn unsigned(self) -> $wide {
                self as $unsigned as $wide
            }

            #[inline(always)]
            fn wrap(value: $wide) -> Self {
                value as Self
            }

            #[inline(always)]
            fn saturate(value: $wide) -> (Self, bool) {
                let clamped = value.clamp(Self::MIN as $wide, Self::MAX as $wide);
                (clamped as Self, clamped != value)
            }

            #[inline(always)]
            fn shifted(self, amount: i32, rounds: bool) -> $wide {
                const BITS: i32 = <$type>::BITS as i32;
                let value = self as $wide;
                if amount >= BITS {
                    value.signum() << BITS
                } else if amount >= 0 {
                    value << amount
                } else {
                    let amount = (-amount).min(BITS + 1);
                    let half = if rounds { 1 << (amount - 1) } else { 0 };
                    (value + half) >> amount
                }
            }

            #[inline(always)]
            fn shift_amount(self) -> i32 {
                i32::from(self as i8)
            }
        }
    )*};
}

integer! {
    i8, i8, u8, i32;
    u8, i8, u8, i32;
    i16, i16, u16, i32;
    u16, i16, u16, i32;
    i32, i32, u32, i64;
    u32, i32, u32, i64;
    i64, i64, u64, i128;
    u64, i64, u64, i128;
}

/// An element with one of twice its width.
pub(super) trait Widening: Integer {
    /// The wider element.
    type Double: Integer;
    /// Lanes of 64 bits.
    type Half: Copy + AsRef<[Self]>;

    /// The same number, wider.
    fn double(self) -> Self::Double;
    /// The lanes of the lower or the upper half of a register.
    fn split_half(register: &u128, is_upper: bool) -> Self::Half;
}

/// The element of twice the width.
pub(super) type Double<T> = <T as Widening>::Double;

/// An element with one of half its width.
pub(super) trait Narrowing: Integer {
    /// The narrower element.
    type Narrow: Integer;

    /// The nearest narrower number, and whether that is another one.
    fn narrowed(self) -> (Self::Narrow, bool);
    /// The nearest unsigned narrower number, and whether that is another one.
    fn narrowed_unsigned(self) -> (Self::Narrow, bool);
}

macro_rules! double {
    ($($narrow:ty, $wide:ty;)*) => {$(
        impl Widening for $narrow {
            type Double = $wide;
            type Half = [$narrow; 8 / size_of::<$narrow>()];

            #[inline(always)]
            fn split_half(register: &u128, is_upper: bool) -> Self::Half {
                let halves: &[u64; 2] = zerocopy::transmute_ref!(register);
                let lanes: &Self::Half = zerocopy::transmute_ref!(&halves[usize::from(is_upper)]);
                *lanes
            }

            #[inline(always)]
            fn double(self) -> $wide {
                self.into()
            }
        }

        impl Narrowing for $wide {
            type Narrow = $narrow;

            #[inline(always)]
            fn narrowed(self) -> ($narrow, bool) {
                let clamped = self.clamp(<$narrow>::MIN as $wide, <$narrow>::MAX as $wide);
                (clamped as $narrow, clamped != self)
            }

            #[inline(always)]
            fn narrowed_unsigned(self) -> ($narrow, bool) {
                let clamped = self.clamp(0, (1 << <$narrow>::BITS) - 1);
                (clamped as $narrow, clamped != self)
            }
        }
    )*};
}

double! {
    u8, u16;
    u16, u32;
    u32, u64;
    i8, i16;
    i16, i32;
    i32, i64;
}

/// `f` of every lane; of the shorter vector's lanes where their numbers differ.
#[inline(always)]
pub(super) fn map<T: Lane, U: Lane>(a: impl AsRef<[T]>, mut f: impl FnMut(T) -> U) -> u128 {
    let mut result = U::splat(U::ZERO);
    for (result, a) in result.as_mut().iter_mut().zip(a.as_ref()) {
        *result = f(*a);
    }
    U::join(result)
}

/// `f` of every pair of lanes; of the shorter vector's lanes where their numbers differ.
#[inline(always)]
pub(super) fn map2<S: Lane, T: Lane, U: Lane>(
    a: impl AsRef<[S]>,
    b: impl AsRef<[T]>,
    mut f: impl FnMut(S, T) -> U,
) -> u128 {
    let mut result = U::splat(U::ZERO);
    for ((result, a), b) in result.as_mut().iter_mut().zip(a.as_ref()).zip(b.as_ref()) {
        *result = f(*a, *b);
    }
    U::join(result)
}

/// `f` of every three lanes; of the shorter vector's lanes where their numbers differ.
#[inline(always)]
pub(super) fn map3<S: Lane, T: Lane, U: Lane>(
    a: impl AsRef<[U]>,
    b: impl AsRef<[S]>,
    c: impl AsRef<[T]>,
    mut f: impl FnMut(U, S, T) -> U,
) -> u128 {
    let mut result = U::splat(U::ZERO);
    for (((result, a), b), c) in result.as_mut().iter_mut().zip(a.as_ref()).zip(b.as_ref()).zip(c.as_ref()) {
        *result = f(*a, *b, *c);
    }
    U::join(result)
}

/// `f` of neighbouring lanes of two vectors, one after the other.
#[inline(always)]
pub(super) fn map_pairs<T: Lane>(low: impl AsRef<[T]>, high: impl AsRef<[T]>, mut f: impl FnMut(T, T) -> T) -> u128 {
    let mut result = T::splat(T::ZERO);
    let pairs = low.as_ref().chunks_exact(2).chain(high.as_ref().chunks_exact(2));
    for (result, pair) in result.as_mut().iter_mut().zip(pairs) {
        *result = f(pair[0], pair[1]);
    }
    T::join(result)
}

/// All lanes folded by `f`, of 64 bits or of all 128.
#[inline(always)]
pub(super) fn fold<T: Lane, U: Lane>(
    lanes: T::Lanes,
    is_full: bool,
    widen: impl Fn(T) -> U,
    f: impl Fn(U, U) -> U,
) -> U {
    let lanes = lanes.as_ref();
    let all = |lanes: &[T]| lanes[1..].iter().fold(widen(lanes[0]), |value, &lane| f(value, widen(lane)));
    if is_full { all(lanes) } else { all(&lanes[..lanes.len() / 2]) }
}
