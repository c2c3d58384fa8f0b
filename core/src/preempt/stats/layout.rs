//! The layout of the statistics file: a header page, then fixed-size slots of 64-bit words.
//!
//! | offset | what |
//! |---|---|
//! | 0 | [`Header`], padded to [`HEADER_BYTES`] |
//! | `HEADER_BYTES + i * SLOT_BYTES` | [`Slot`] `i` |
//!
//! All numbers are in the host's byte order: writers and readers run on one machine. A slot begins with who it is
//! about ([`Slot`]'s named fields), followed by its counters: [`TaskCounter`] or [`ProcessCounter`], as its kind says.
//! The file is sparse: pages of slots that nobody claimed take no room.

use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64};

/// First eight bytes of the file.
pub const MAGIC: [u8; 8] = *b"ELFSTAT1";
/// Version of this layout; changes with every counter that is added or moved.
pub const VERSION: u32 = 1;
/// Length of the header, in bytes.
pub const HEADER_BYTES: usize = 4096;
/// Length of a slot, in bytes.
pub const SLOT_BYTES: usize = 512;
/// Slots of a file made with `--stats`.
pub const FILE_SLOTS: u32 = 65_536;
/// Slots of the private mapping of a process that keeps no file.
pub const ANONYMOUS_SLOTS: u32 = 4_096;
/// Counters that fit into a slot.
pub const SLOT_COUNTERS: usize = (SLOT_BYTES - COUNTERS_OFFSET) / 8;

/// The beginning of the file.
#[repr(C)]
#[derive(Debug)]
pub struct Header {
    /// [`MAGIC`].
    pub magic: [u8; 8],
    /// [`VERSION`].
    pub version: u32,
    /// [`SLOT_BYTES`].
    pub slot_bytes: u32,
    /// Slots that the file has room for.
    pub slot_count: u32,
    /// Slots claimed so far; never more than `slot_count`.
    pub claimed: AtomicU32,
    /// Claims that found the file, or the disk under it, full: counts that went elsewhere.
    pub overflowed: AtomicU64,
}

/// A slot: 64 bytes of identity, then counters.
#[repr(C, align(64))]
#[derive(Debug)]
pub struct Slot {
    /// [`STATE_FREE`], [`STATE_LIVE`] or [`STATE_RETIRED`]; stored after the other fields.
    pub state: AtomicU32,
    /// [`KIND_PROCESS`] or [`KIND_TASK`].
    pub kind: AtomicU32,
    /// [`TaskRole`] of a task slot.
    pub role: AtomicU32,
    /// [`ProcessKind`] of the process.
    pub process: AtomicU32,
    /// Process id.
    pub pid: AtomicI32,
    /// Thread id of the (last) thread of a task slot; the process id otherwise.
    pub tid: AtomicI32,
    /// Start time of the process, in clock ticks since boot (field 22 of `/proc/PID/stat`).
    pub start_time_ticks: AtomicU64,
    /// How many threads have used this slot.
    pub generation: AtomicU64,
    reserved: [u64; 3],
    /// The counters.
    pub counters: [AtomicU64; SLOT_COUNTERS],
}

/// Offset of the counters in a slot, in bytes.
pub const COUNTERS_OFFSET: usize = 64;

const _: () = assert!(size_of::<Slot>() == SLOT_BYTES && std::mem::offset_of!(Slot, counters) == COUNTERS_OFFSET);
const _: () = assert!(size_of::<Header>() <= HEADER_BYTES);

/// State of a slot that nobody has claimed.
pub const STATE_FREE: u32 = 0;
/// State of a slot that somebody counts in.
pub const STATE_LIVE: u32 = 1;
/// State of a slot whose thread or process has ended in an orderly way.
pub const STATE_RETIRED: u32 = 2;
/// Kind of a process slot.
pub const KIND_PROCESS: u32 = 1;
/// Kind of a task slot.
pub const KIND_TASK: u32 = 2;

macro_rules! numbered {
    ($(#[$doc:meta])* $type:ident { $($(#[$item_doc:meta])* $name:ident = $number:literal, $text:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
        #[repr(u32)]
        pub enum $type { $($(#[$item_doc])* $name = $number,)* }

        impl $type {
            /// All of them, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The name in reports.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The one with this number in the file.
            #[must_use]
            pub fn from_number(number: u32) -> Option<Self> {
                Self::ALL.iter().copied().find(|item| *item as u32 == number)
            }
        }
    };
}

numbered! {
    /// What a vCPU thread is in its process.
    TaskRole {
        /// The first vCPU thread of the process.
        Bootstrap = 1, "bootstrap";
        /// A CLONE_THREAD worker.
        Worker = 2, "worker";
    }
}

numbered! {
    /// How a process came to be.
    ProcessKind {
        /// Started by the user.
        Initial = 1, "initial";
        /// Made by a guest's fork.
        ForkChild = 2, "fork-child";
    }
}

numbered! {
    /// Counters of a task slot; the number is the index into [`Slot::counters`].
    TaskCounter {
        /// Calls of `Vcpu::run`.
        RunsEntered = 0, "runs_entered";
        /// CANCELED after at least one guest instruction.
        ExitsCanceledInCode = 1, "canceled_in_code";
        /// CANCELED by a latched kick, before any guest instruction.
        ExitsCanceledLatched = 2, "canceled_latched";
        /// EXCEPTION.
        ExitsException = 3, "exception";
        /// VTIMER_ACTIVATED.
        ExitsVtimer = 4, "vtimer";
        /// UNKNOWN.
        ExitsUnknown = 5, "unknown";
        /// `run` returned an error of the hypervisor interface.
        ExitsError = 6, "error";
        /// Handlers of the kick set that ran on this thread inside a run.
        HandlersInsideRun = 7, "handlers_inside_run";
        /// Handlers of the kick set that ran on this thread outside of runs (`stray_handler`).
        HandlersOutsideRun = 8, "stray_handlers";
        /// Host signals directed at this thread that it drained itself, doorbells included.
        DirectedSignals = 9, "directed_signals";
        /// Doorbells (with the cookie) among them.
        DirectedDoorbells = 10, "directed_doorbells";
        /// Exits that this thread asked for its own vCPU.
        SelfKicks = 11, "self_kicks";
        /// Watchdog expiries that came for an earlier run and were dropped.
        StaleWatchdogs = 12, "stale_watchdogs";
        /// Guest signals that this thread began to deliver.
        SignalsDelivered = 13, "signals_delivered";
        /// Crash reports written by this thread.
        CrashRecords = 14, "crash_records";
        /// Guest syscalls handled.
        Syscalls = 15, "syscalls";
    }
}

numbered! {
    /// Counters of a process slot; the number is the index into [`Slot::counters`].
    ProcessCounter {
        /// SIGUSR2 taken with the cookie.
        Doorbells = 0, "doorbells";
        /// SIGUSR2 taken without the cookie: also a guest's signal from outside.
        ForeignDoorbells = 1, "foreign_doorbells";
        /// Other host signals taken.
        HostSignals = 2, "host_signals";
        /// SIGCHLD taken.
        ChildSignals = 3, "child_signals";
        /// vCPUs kicked for a doorbell.
        KicksDoorbell = 4, "kicks_doorbell";
        /// vCPUs kicked for a guest signal.
        KicksGuestSignal = 5, "kicks_guest_signal";
        /// vCPUs kicked for a host signal.
        KicksHostSignal = 6, "kicks_host_signal";
        /// vCPUs kicked for a timer.
        KicksTimer = 7, "kicks_timer";
        /// vCPUs kicked by the watchdog.
        KicksWatchdog = 8, "kicks_watchdog";
        /// vCPUs kicked for exit_group.
        KicksExitGroup = 9, "kicks_exit_group";
        /// vCPUs kicked for exec.
        KicksExec = 10, "kicks_exec";
        /// vCPUs kicked for the quiet moment of a fork.
        KicksFork = 11, "kicks_fork";
        /// Array calls of `exit_vcpus`.
        KickCalls = 12, "kick_calls";
        /// Requests that an array call already under way carried along.
        KicksCoalesced = 13, "kicks_coalesced";
        /// Records read from the transport file.
        RecordsReceived = 14, "records_received";
        /// Signal records whose signal the guest got.
        RecordsDelivered = 15, "records_delivered";
        /// Signal records for which there was no receiver.
        RecordsUndelivered = 16, "records_undelivered";
        /// Null records.
        RecordsNull = 17, "records_null";
        /// Runs of bytes in the transport file that are no record.
        RecordsMalformed = 18, "records_malformed";
        /// Whole records that name another process.
        RecordsForeign = 19, "records_foreign";
        /// Exits that a thread asked for a vCPU of its own.
        SelfKicks = 20, "self_kicks";
        /// Handlers of the kick set that ran on a thread without a task slot.
        StrayHandlers = 21, "stray_handlers";
        /// Timers that expired.
        TimersExpired = 22, "timers_expired";
        /// Times the watchdog found a run past its deadline.
        WatchdogsFired = 23, "watchdogs_fired";
        /// Crash reports written on behalf of the process.
        CrashRecords = 24, "crash_records";
        /// vCPUs registered.
        VcpusCreated = 25, "vcpus_created";
        /// Longest time between a request and the array call that answered it, in nanoseconds.
        MaxKickLatencyNs = 26, "max_kick_latency_ns";
        /// Drains of the transport file that gave up because a peer held its lock.
        TransportBusy = 27, "transport_busy";
        /// Processes of the guest that ended by exit or exec in an orderly way.
        OrderlyExits = 28, "orderly_exits";
    }
}

const _: () = assert!((TaskCounter::Syscalls as usize) < SLOT_COUNTERS);
const _: () = assert!((ProcessCounter::OrderlyExits as usize) < SLOT_COUNTERS);
