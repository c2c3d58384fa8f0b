//! The clock page (`[vvar]`): from the guest's counter to the time of day, for the vDSO's functions.
//!
//! | offset | content |
//! |---|---|
//! | 0 | sequence number, odd while the page is being written |
//! | 8 | nanoseconds of a tick, times 2^32 |
//! | 16 | CLOCK_MONOTONIC where the counter is 0, in nanoseconds |
//! | 24 | CLOCK_REALTIME less CLOCK_MONOTONIC, in nanoseconds |
//! | 32 | CLOCK_BOOTTIME less CLOCK_MONOTONIC, in nanoseconds |
//! | 40 | the counter when the two differences were taken |
//! | 48 | ticks after which they are too old: the guest then calls, and the call writes the page anew |
//!
//! So a clock that is set is seen within [`AGE_MAX_NS`]. The page is a memory file that the guest can only read; fork
//! children share it.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::abi::{Errno, PAGE_SIZE};
use crate::host::clock::{VIRTUAL_COUNTER_HZ, boottime_ns, monotonic_ns, realtime_ns, virtual_counter};
use crate::host::memory::memory_file;
use crate::mem::{AddressSpace, MappedFile, VmaBacking, VmaFlags};

/// How old the differences between clocks may be.
const AGE_MAX_NS: u64 = 500_000_000;
/// When the page of this process was last written, on the monotonic clock in nanoseconds.
static WRITTEN_NS: AtomicU64 = AtomicU64::new(0);
/// How often they are taken, to find the closest pair of readings.
const READINGS: u32 = 5;

/// What the page says behind the sequence number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Clocks {
    scale: u64,
    monotonic_base_ns: u64,
    real_offset_ns: u64,
    boot_offset_ns: u64,
    counter: u64,
    age_max_ticks: u64,
}

impl Clocks {
    fn read() -> Self {
        let scale = (1_000_000_000u128 << 32) / u128::from(VIRTUAL_COUNTER_HZ);
        let counter = virtual_counter();
        let scaled = (u128::from(counter) * scale) >> 32;
        // A counter that is the clock itself has no base: no two readings are compared.
        let is_the_clock = VIRTUAL_COUNTER_HZ == 1_000_000_000;
        Self {
            scale: scale as u64,
            monotonic_base_ns: if is_the_clock { 0 } else { monotonic_ns().wrapping_sub(scaled as u64) },
            real_offset_ns: offset(realtime_ns),
            boot_offset_ns: offset(boottime_ns),
            counter,
            age_max_ticks: (u128::from(AGE_MAX_NS) * u128::from(VIRTUAL_COUNTER_HZ) / 1_000_000_000) as u64,
        }
    }

    fn bytes(self) -> Vec<u8> {
        let words = [
            self.scale,
            self.monotonic_base_ns,
            self.real_offset_ns,
            self.boot_offset_ns,
            self.counter,
            self.age_max_ticks,
        ];
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }
}

/// A clock less the monotonic one, by the closest of some readings.
fn offset(clock: fn() -> u64) -> u64 {
    let reading = |_| {
        let (before, now, after) = (monotonic_ns(), clock(), monotonic_ns());
        (after - before, now.wrapping_sub(before + (after - before) / 2))
    };
    (0..READINGS).map(reading).min().map_or(0, |(_width, offset)| offset)
}

/// A fresh clock page.
pub(super) fn new() -> Result<MappedFile, Errno> {
    let file = File::from(memory_file(c"elfuse-clock", PAGE_SIZE)?);
    write(&file)?;
    MappedFile::new(Arc::new(OwnedFd::from(file)), b"[vvar]".to_vec())
}

/// Writes the page; readers in the meantime see an odd number first.
fn write(file: &File) -> Result<(), Errno> {
    let mut sequence = [0; 4];
    file.read_exact_at(&mut sequence, 0)?;
    // Another process that writes at the same time writes the same.
    let odd = u32::from_le_bytes(sequence) | 1;
    file.write_all_at(&odd.to_le_bytes(), 0)?;
    file.write_all_at(&Clocks::read().bytes(), 8)?;
    file.write_all_at(&odd.wrapping_add(1).to_le_bytes(), 0)?;
    WRITTEN_NS.store(monotonic_ns(), Ordering::Relaxed);
    Ok(())
}

/// Brings the guest's clock page up to date, if it has one and it is getting old.
pub fn refresh_clock_page(space: &AddressSpace) {
    if monotonic_ns().saturating_sub(WRITTEN_NS.load(Ordering::Relaxed)) < AGE_MAX_NS / 2 {
        return;
    }
    let page = space.vmas().into_iter().find(|vma| vma.flags.contains(VmaFlags::VVAR));
    if let Some(VmaBacking::File { file, .. }) = page.map(|vma| vma.backing)
        && let Ok(fd) = file.fd.try_clone()
    {
        // A page that is not written stays old, and the guest goes on calling.
        let _stays_old = write(&File::from(fd));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_tells_the_time() {
        let page = new().unwrap();
        let file = File::from(page.fd.try_clone().unwrap());
        let mut bytes = [0; 56];
        file.read_exact_at(&mut bytes, 0).unwrap();
        let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        assert_eq!(word(0), 2);
        let monotonic = ((u128::from(virtual_counter()) * u128::from(word(8))) >> 32) as u64 + word(16);
        let real = monotonic.wrapping_add(word(24));
        // The clock may be read later, not earlier; and nobody waits for minutes in between.
        assert!(realtime_ns().abs_diff(real) < 120_000_000_000);
        write(&file).unwrap();
        file.read_exact_at(&mut bytes, 0).unwrap();
        assert_eq!(bytes[..4], 4u32.to_le_bytes());
    }
}
