//! The bytes of a transport file: a header that names the receiver, then fixed-size [`Record`]s.
//!
//! | header offset | what | | record offset | what |
//! |---|---|---|---|---|
//! | 0 | magic `ELFUSSIG` | | 0 | magic `ELFR` |
//! | 8 | version (u32) | | 4 | version (u16), kind (u16) |
//! | 12 | 1 open, 2 closed (u32) | | 8 | checksum of the record with this field zero (u32) |
//! | 16 | receiver's pid (i32), 0 | | 12 | target pid (i32), target tid or 0 (i32), sender's pid (i32) |
//! | 24 | its start time (u64) | | 24 | target's start time, target's pid namespace (u64 each) |
//! | 32 | its pid namespace (u64) | | 40 | sent at (monotonic ns, u64), sender's uid (u32), 0 |
//! | 40 | 0 | | 56 | 0 (u64), then at 64 the 128-byte siginfo |
//!
//! Little endian. A record whose magic, version, kind, checksum or signal is wrong is malformed: a reader counts it and
//! goes on at the next magic.

use std::fs::OpenOptions;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use crate::abi::{Pid, SigInfo, Signal, Tid};
use crate::host::process::ProcessIdentity;

/// Length of the header, in bytes.
pub const HEADER_BYTES: usize = 64;
/// Length of a record, in bytes.
pub const RECORD_BYTES: usize = 192;
/// Longest file that senders append to, in bytes: a receiver that far behind is not draining.
pub const MAX_FILE_BYTES: u64 = 4 << 20;

const FILE_MAGIC: [u8; 8] = *b"ELFUSSIG";
const RECORD_MAGIC: [u8; 4] = *b"ELFR";
const VERSION: u16 = 1;
const STATE_OPEN: u32 = 1;
const STATE_CLOSED: u32 = 2;

/// What a record asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum RecordKind {
    /// Nothing: the doorbell is the message.
    Null,
    /// A guest signal.
    Signal,
}

impl RecordKind {
    const fn number(self) -> u16 {
        match self {
            Self::Null => 1,
            Self::Signal => 2,
        }
    }
}

/// A message to a guest process or thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record {
    /// What it asks for.
    pub kind: RecordKind,
    /// The process it is for.
    pub target: ProcessIdentity,
    /// The thread it is for, or `None` for the process.
    pub thread: Option<Tid>,
    /// Who sent it.
    pub sender: Pid,
    /// The sender's user.
    pub sender_uid: u32,
    /// When, on the monotonic clock, in nanoseconds.
    pub sent_at_ns: u64,
    /// The signal; without meaning in a null record.
    pub info: SigInfo,
}

impl Record {
    /// The wire form.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; RECORD_BYTES] {
        let mut bytes = [0; RECORD_BYTES];
        bytes[..4].copy_from_slice(&RECORD_MAGIC);
        bytes[4..6].copy_from_slice(&VERSION.to_le_bytes());
        bytes[6..8].copy_from_slice(&self.kind.number().to_le_bytes());
        bytes[12..16].copy_from_slice(&self.target.pid.0.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.thread.map_or(0, |tid| tid.0).to_le_bytes());
        bytes[20..24].copy_from_slice(&self.sender.0.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.target.start_time_ticks.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.target.pid_namespace.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.sent_at_ns.to_le_bytes());
        bytes[48..52].copy_from_slice(&self.sender_uid.to_le_bytes());
        bytes[64..].copy_from_slice(self.info.as_bytes());
        let checksum = checksum(&bytes);
        bytes[8..12].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// Reads the wire form, or `None` for anything else.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; RECORD_BYTES]) -> Option<Self> {
        let kind = [RecordKind::Null, RecordKind::Signal].into_iter().find(|kind| kind.number() == u16_at(bytes, 6))?;
        let siginfo = std::array::from_fn(|i| bytes[64 + i]);
        // A null record's siginfo is not looked at; any signal will do to keep it.
        let signal = match kind {
            RecordKind::Null => Signal::SIGUSR2,
            RecordKind::Signal => Signal::new(i32_at(bytes, 64))?,
        };
        let whole = bytes[..4] == RECORD_MAGIC
            && u16_at(bytes, 4) == VERSION
            && u32_at(bytes, 8) == checksum(bytes)
            && i32_at(bytes, 16) >= 0;
        whole.then(|| Self {
            kind,
            target: ProcessIdentity {
                pid: Pid(i32_at(bytes, 12)),
                start_time_ticks: u64_at(bytes, 24),
                pid_namespace: u64_at(bytes, 32),
            },
            thread: Some(Tid(i32_at(bytes, 16))).filter(|tid| tid.0 != 0),
            sender: Pid(i32_at(bytes, 20)),
            sender_uid: u32_at(bytes, 48),
            sent_at_ns: u64_at(bytes, 40),
            info: SigInfo::from_bytes(signal, siginfo),
        })
    }
}

/// Splits what was drained into records, and counts the runs of bytes between them that are none.
#[must_use]
pub fn parse_all(bytes: &[u8]) -> (Vec<Record>, u64) {
    let mut records = Vec::with_capacity(bytes.len() / RECORD_BYTES);
    let mut malformed = 0;
    let mut rest = bytes;
    while !rest.is_empty() {
        if let Some((first, after)) = rest.split_first_chunk::<RECORD_BYTES>()
            && let Some(record) = Record::from_bytes(first)
        {
            records.push(record);
            rest = after;
            continue;
        }
        malformed += 1;
        // Goes on at the next magic after this byte, or not at all.
        let next = rest.windows(4).skip(1).position(|window| window == RECORD_MAGIC);
        rest = next.and_then(|at| rest.get(at + 1..)).unwrap_or(&[]);
    }
    (records, malformed)
}

/// The header of an open or closed transport file of this process.
#[must_use]
pub(super) fn header(receiver: ProcessIdentity, open: bool) -> [u8; HEADER_BYTES] {
    let mut bytes = [0; HEADER_BYTES];
    bytes[..8].copy_from_slice(&FILE_MAGIC);
    bytes[8..12].copy_from_slice(&u32::from(VERSION).to_le_bytes());
    bytes[12..16].copy_from_slice(&if open { STATE_OPEN } else { STATE_CLOSED }.to_le_bytes());
    bytes[16..20].copy_from_slice(&receiver.pid.0.to_le_bytes());
    bytes[24..32].copy_from_slice(&receiver.start_time_ticks.to_le_bytes());
    bytes[32..40].copy_from_slice(&receiver.pid_namespace.to_le_bytes());
    bytes
}

/// The process whose transport file is at `path`; `None` where it is no transport file.
#[must_use]
pub(super) fn receiver_of(path: &Path) -> Option<ProcessIdentity> {
    let mut bytes = [0; HEADER_BYTES];
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC | libc::O_NONBLOCK);
    options.open(path).and_then(|file| file.read_exact_at(&mut bytes, 0)).ok()?;
    let word = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
    let pid = i32::from_le_bytes(std::array::from_fn(|i| bytes[16 + i]));
    let identity = ProcessIdentity { pid: Pid(pid), start_time_ticks: word(24), pid_namespace: word(32) };
    bytes.starts_with(&FILE_MAGIC).then_some(identity)
}

/// FNV-1a over the record with its checksum field taken as zero. It guards against accidents, not against forgery: who
/// can write the file may signal the process anyway.
fn checksum(bytes: &[u8; RECORD_BYTES]) -> u32 {
    bytes.iter().enumerate().fold(0x811c_9dc5, |hash: u32, (at, byte)| {
        let byte = if (8..12).contains(&at) { 0 } else { *byte };
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

fn u16_at(bytes: &[u8; RECORD_BYTES], at: usize) -> u16 {
    u16::from_le_bytes(std::array::from_fn(|i| bytes[at + i]))
}

fn u32_at(bytes: &[u8; RECORD_BYTES], at: usize) -> u32 {
    u32::from_le_bytes(std::array::from_fn(|i| bytes[at + i]))
}

fn i32_at(bytes: &[u8; RECORD_BYTES], at: usize) -> i32 {
    u32_at(bytes, at).cast_signed()
}

fn u64_at(bytes: &[u8; RECORD_BYTES], at: usize) -> u64 {
    u64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample(thread: Option<Tid>, value: u64) -> Record {
        Record {
            kind: RecordKind::Signal,
            target: ProcessIdentity { pid: Pid(42), start_time_ticks: 7, pid_namespace: 9 },
            thread,
            sender: Pid(43),
            sender_uid: 1000,
            sent_at_ns: 123,
            info: SigInfo::queued(Signal::SIGUSR1, Pid(43), 1000, value),
        }
    }

    #[test]
    fn records_round_trip_and_every_flipped_bit_is_seen() {
        let record = sample(Some(Tid(44)), 5);
        let bytes = record.to_bytes();
        assert_eq!(Record::from_bytes(&bytes), Some(record));
        for bit in 0..RECORD_BYTES * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Record::from_bytes(&flipped), None, "bit {bit}");
        }
    }

    #[test]
    fn garbage_between_records_is_counted_and_skipped() {
        let mut bytes = sample(None, 1).to_bytes().to_vec();
        bytes.extend_from_slice(b"ELFR garbage ELFR");
        bytes.extend_from_slice(&sample(None, 2).to_bytes());
        bytes.extend_from_slice(&sample(None, 3).to_bytes()[..100]);
        let (records, malformed) = parse_all(&bytes);
        assert_eq!(records, [sample(None, 1), sample(None, 2)]);
        assert_eq!(malformed, 3);
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2048)) {
            let (records, malformed) = parse_all(&bytes);
            prop_assert!(records.is_empty());
            prop_assert_eq!(malformed > 0, !bytes.is_empty());
        }

        #[test]
        fn records_survive_garbage_before_them(garbage in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut bytes = garbage;
            bytes.extend_from_slice(&sample(None, 2).to_bytes());
            prop_assert_eq!(parse_all(&bytes).0, [sample(None, 2)]);
        }
    }
}
