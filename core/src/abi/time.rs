//! Times as the guest passes them: [`Timespec`], [`Timeval`]. Source: `include/uapi/linux/time_types.h`.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::Errno;

const NS_PER_S: u64 = 1_000_000_000;

/// `struct timespec`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Timespec {
    /// Seconds.
    pub tv_sec: i64,
    /// Nanoseconds, below 10^9.
    pub tv_nsec: i64,
}

const _: () = assert!(size_of::<Timespec>() == 16);

/// `struct timeval`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Timeval {
    /// Seconds.
    pub tv_sec: i64,
    /// Microseconds, below 10^6.
    pub tv_usec: i64,
}

impl Timespec {
    /// The time of this many nanoseconds.
    #[must_use]
    pub const fn from_ns(ns: u64) -> Self {
        Self { tv_sec: (ns / NS_PER_S).cast_signed(), tv_nsec: (ns % NS_PER_S).cast_signed() }
    }

    /// The nanoseconds, at most `u64::MAX`.
    ///
    /// # Errors
    /// `EINVAL` for negative seconds or nanoseconds outside 0 to 10^9 - 1.
    pub fn to_ns(self) -> Result<u64, Errno> {
        let seconds = u64::try_from(self.tv_sec).map_err(|_| Errno::EINVAL)?;
        let nanoseconds = u64::try_from(self.tv_nsec).map_err(|_| Errno::EINVAL)?;
        if nanoseconds >= NS_PER_S {
            return Err(Errno::EINVAL);
        }
        Ok(seconds.saturating_mul(NS_PER_S).saturating_add(nanoseconds))
    }
}

impl Timeval {
    /// The time of this many nanoseconds, cut to microseconds.
    #[must_use]
    pub const fn from_ns(ns: u64) -> Self {
        Self { tv_sec: (ns / NS_PER_S).cast_signed(), tv_usec: (ns % NS_PER_S / 1000).cast_signed() }
    }

    /// The nanoseconds, at most `u64::MAX`.
    ///
    /// # Errors
    /// `EINVAL` for negative seconds or microseconds outside 0 to 10^6 - 1.
    pub fn to_ns(self) -> Result<u64, Errno> {
        let micros = Some(self.tv_usec).filter(|micros| *micros < 1_000_000).ok_or(Errno::EINVAL)?;
        Timespec { tv_sec: self.tv_sec, tv_nsec: micros.checked_mul(1000).ok_or(Errno::EINVAL)? }.to_ns()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_round_trip_and_nonsense_is_einval() {
        assert_eq!(Timespec::from_ns(1_500_000_007), Timespec { tv_sec: 1, tv_nsec: 500_000_007 });
        assert_eq!(Timespec::from_ns(1_500_000_007).to_ns(), Ok(1_500_000_007));
        for bad in [(-1, 0), (0, -1), (0, 1_000_000_000), (i64::MIN, i64::MIN)] {
            assert_eq!(Timespec { tv_sec: bad.0, tv_nsec: bad.1 }.to_ns(), Err(Errno::EINVAL));
        }
        assert_eq!(Timespec { tv_sec: i64::MAX, tv_nsec: 0 }.to_ns(), Ok(u64::MAX));
        assert_eq!(Timeval { tv_sec: 2, tv_usec: 1_000_000 }.to_ns(), Err(Errno::EINVAL));
        assert_eq!(Timeval { tv_sec: 2, tv_usec: i64::MIN }.to_ns(), Err(Errno::EINVAL));
        assert_eq!(Timeval { tv_sec: 2, tv_usec: 5 }.to_ns(), Ok(2_000_005_000));
    }
}
