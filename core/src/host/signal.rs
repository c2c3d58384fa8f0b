//! Host signals: the kick set, its mask, the proof that it is blocked, and the link between a signal handler and the
//! run that it interrupts.
//!
//! On Hypervisor.framework a handler that runs on a vCPU's thread inside `hv_vcpu_run` ends that run as UNKNOWN. The
//! software vCPU behaves the same: [`with_interrupt_word`] publishes the vCPU's interrupt word to the handlers of this
//! thread for the time of a run. `docs/design.md` §2 (invariants 1 to 3, 7) and §4.
//!
//! The **kick set** is every signal except the five synchronous fault signals, the two that cannot be blocked, and 32
//! and 33, which glibc keeps for thread cancellation and setuid. Guests see all 64 signals, so these two are blocked as
//! well ([`taken_set`], by the system call, since pthread_sigmask(3) filters them out), but some functions of glibc open
//! them again for a moment (pthread_create(3), in both threads), so that nothing is claimed about them.
//!
//! Sources: signal(7), signal-safety(7), rt_sigprocmask(2), rt_sigtimedwait(2).

#![expect(unsafe_code, reason = "signal handlers and masks of all 64 signals")]

use std::cell::Cell;
use std::io;
use std::marker::PhantomData;
use std::ptr;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicU32, AtomicU64, compiler_fence};
use std::sync::{Mutex, PoisonError};

use super::controls::{self, Control};
use crate::abi::{SigInfo, SigSet, Signal};

/// Bit of a vCPU's interrupt word: `exit_vcpus` asked for an exit (CANCELED).
pub const INTERRUPT_CANCEL: u32 = 1;
/// Bit of a vCPU's interrupt word: a handler of the kick set ran on this thread inside `run` (UNKNOWN).
pub const INTERRUPT_HOST_SIGNAL: u32 = 2;

/// Signals of synchronous faults: never blocked, since a blocked fault kills.
pub const FAULT_SIGNALS: SigSet =
    SigSet::of(&[Signal::SIGSEGV, Signal::SIGBUS, Signal::SIGILL, Signal::SIGFPE, Signal::SIGTRAP]);

/// Signals that the C library opens in every thread it makes, whatever the mask that the thread inherits: 32 and 33.
const LIBRARY_SIGNALS: SigSet = SigSet::of(&[Signal::SIGRTMIN, Signal::SIGRTMIN_PLUS_1]);

/// The signals that are blocked on every thread at every moment, so that only the kick thread takes them.
#[must_use]
pub const fn kick_set() -> SigSet {
    taken_set().difference(LIBRARY_SIGNALS)
}

/// The signals that the kick thread takes: the kick set, and 32 and 33, which are blocked where the C library lets them.
#[must_use]
pub const fn taken_set() -> SigSet {
    SigSet::ALL.difference(FAULT_SIGNALS).difference(SigSet::UNBLOCKABLE)
}

/// What a control that misses a mask site leaves open.
const CONTROL_OPEN: SigSet = SigSet::of(&[Signal::SIGUSR2, Signal::SIGALRM]);

/// Proof that the kick set is blocked on the calling thread (`docs/design.md` §2, invariant 1). Zero-sized, not
/// sendable to another thread, and made only in this module.
#[derive(Debug)]
pub struct SignalsBlocked {
    not_send: PhantomData<*const ()>,
}

impl SignalsBlocked {
    /// To be made by the function that blocks and verifies the mask.
    #[must_use]
    pub(crate) fn assume() -> Self {
        Self { not_send: PhantomData }
    }
}

/// Why a thread may not go on.
#[derive(Debug, thiserror::Error)]
pub enum MaskError {
    /// The host refused to change or show the mask, or to install a handler.
    #[error("cannot {0}: {1}")]
    Host(&'static str, io::Error),
    /// The mask that was read back is not the one that was asked for.
    #[error("signals {missing:?} are open (the mask is {:#018x})", blocked.0)]
    Open {
        /// The mask.
        blocked: SigSet,
        /// Signals of the kick set that it does not hold.
        missing: SigSet,
    },
    /// Fault signals are blocked.
    #[error("the mask blocks the fault signals {0:?}")]
    FaultsBlocked(SigSet),
}

/// Blocks the kick set on the calling thread, opens the fault signals, and reads the mask back.
///
/// # Errors
/// [`MaskError`]; the process must not go on then.
pub fn block_kick_set() -> Result<SignalsBlocked, MaskError> {
    let before = own_mask().map_err(|error| MaskError::Host("read the signal mask", error))?;
    let wanted = before.union(taken_set()).difference(FAULT_SIGNALS);
    set_own_mask(wanted).map_err(|error| MaskError::Host("set the signal mask", error))?;
    verify_kick_set()
}

/// Reads the calling thread's mask, and proves with it that the kick set is blocked and no fault signal is.
///
/// # Errors
/// [`MaskError`] where that is not so.
pub fn verify_kick_set() -> Result<SignalsBlocked, MaskError> {
    let blocked = own_mask().map_err(|error| MaskError::Host("read the signal mask", error))?;
    let missing = kick_set().difference(blocked);
    if !missing.is_empty() {
        return Err(MaskError::Open { blocked, missing });
    }
    let faults = blocked.intersection(FAULT_SIGNALS);
    if !faults.is_empty() {
        return Err(MaskError::FaultsBlocked(faults));
    }
    Ok(SignalsBlocked::assume())
}

/// Blocks what the C library has opened on the calling thread.
pub(super) fn block_library_signals() -> io::Result<()> {
    imp::change_mask(libc::SIG_BLOCK, Some(LIBRARY_SIGNALS)).map(drop)
}

/// Opens what a control leaves open on the calling thread.
pub(super) fn open_for_control() {
    if let Ok(mask) = own_mask() {
        let _ = set_own_mask(mask.difference(CONTROL_OPEN));
    }
}

/// The calling thread's mask.
///
/// # Errors
/// None that a host is known to give.
pub fn own_mask() -> io::Result<SigSet> {
    imp::change_mask(libc::SIG_SETMASK, None)
}

/// Replaces the calling thread's mask, 32 and 33 included. For the last step before a host program is executed, and
/// for pool threads that open their cancel signal.
///
/// # Errors
/// None that a host is known to give.
pub fn set_own_mask(mask: SigSet) -> io::Result<()> {
    imp::change_mask(libc::SIG_SETMASK, Some(mask)).map(drop)
}

/// Takes one of the pending signals of `set` that wait for the calling thread, or for the process, without waiting.
/// `None` when there is none.
#[must_use]
pub fn take_pending(set: SigSet) -> Option<SigInfo> {
    imp::take_pending(set)
}

/// Takes a signal of `among` that was directed at the calling thread, and none that waits for the process.
///
/// Linux tells the two apart only in `/proc/thread-self/status`, which is read here: ask [`pending`] first. A set taken
/// from there cannot reach a process-directed signal, since the kernel prefers the thread's own and nobody else takes
/// those. More may wait than [`pending`] told before.
#[must_use]
pub fn take_thread_directed(among: SigSet) -> Option<SigInfo> {
    let own = imp::thread_pending().intersection(among);
    if own.is_empty() { None } else { take_pending(own) }
}

/// The signals of the kick set that wait for the calling thread or for the process.
#[must_use]
pub fn pending() -> SigSet {
    imp::pending()
}

/// Where the stop signal of [`stop_process`] comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StopBy {
    /// It is raised.
    Raising,
    /// It waits for the process, unless a SIGCONT has taken it away by now: the host knows.
    Waiting,
}

/// Stops this process by the default action of a stop signal, as whoever waits for it shall see, and comes back when it goes
/// on. Where the host takes no stop (the group is orphaned), or a SIGCONT came since the signal did, it comes back at once.
///
/// One thread stops the process at a time; `still_wanted` is asked when it is this one's turn, and answers with what keeps
/// others from taking a pending SIGCONT meanwhile: a signal raised beside one would make the host forget it.
///
/// The calling thread runs no vCPU now, and opens the signal for as long as it stops: the one exception to the rule of
/// masks, and no handler can run by it.
///
/// # Errors
/// The host's; it gives none for a stop signal.
pub fn stop_process<Kept>(signal: Signal, by: StopBy, still_wanted: impl FnOnce() -> Option<Kept>) -> io::Result<()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let is_blockable = !SigSet::UNBLOCKABLE.contains(signal);
    if is_blockable {
        imp::set_handler(signal, imp::Disposition::Default)?;
    }
    if let Some(_kept) = still_wanted() {
        match by {
            StopBy::Raising if imp::pending().contains(Signal::SIGCONT) => return restore_handler(signal),
            StopBy::Raising => imp::raise(signal)?,
            StopBy::Waiting => {}
        }
        if is_blockable {
            let only = SigSet::of(&[signal]);
            imp::change_mask(libc::SIG_UNBLOCK, Some(only))?;
            imp::change_mask(libc::SIG_BLOCK, Some(only))?;
        }
    }
    restore_handler(signal)
}

/// Raises a signal at this thread with its default action, opened for that; returns where the host has no such death.
pub fn raise_by_default(signal: Signal) {
    // SIGKILL has no other action, and a signal that the host does not know cannot be raised either.
    let _done = imp::set_handler(signal, imp::Disposition::Default)
        .and_then(|()| imp::change_mask(libc::SIG_UNBLOCK, Some(SigSet::of(&[signal]))));
    let _returns = imp::raise(signal);
}

fn restore_handler(signal: Signal) -> io::Result<()> {
    if SigSet::UNBLOCKABLE.contains(signal) { Ok(()) } else { imp::set_handler(signal, imp::Disposition::Count) }
}

/// `RLIMIT_SIGPENDING`, soft and hard: how many signals may be queued with their siginfo.
#[must_use]
pub fn pending_limit() -> (u64, u64) {
    imp::pending_limit()
}

thread_local! {
    /// The interrupt word of the run in progress on this thread, null outside of runs.
    static INTERRUPT_WORD: Cell<*const AtomicU32> = const { Cell::new(ptr::null()) };
    /// Where handlers that run on this thread count; `None` for a thread without counters of its own.
    static COUNTERS: Cell<Option<HandlerCounters>> = const { Cell::new(None) };
}

/// Runs `body` as "inside run" of the vCPU that owns `word`: a handler of the kick set that runs on this thread
/// meanwhile sets [`INTERRUPT_HOST_SIGNAL`] in it.
pub fn with_interrupt_word<R>(word: &AtomicU32, body: impl FnOnce() -> R) -> R {
    /// Takes the word back even where `body` panics.
    struct Published;
    impl Drop for Published {
        fn drop(&mut self) {
            compiler_fence(SeqCst);
            INTERRUPT_WORD.set(ptr::null());
        }
    }
    INTERRUPT_WORD.set(word);
    // A handler on this thread reads the cell: the stores must not move, nor vanish, across the body.
    compiler_fence(SeqCst);
    let _published = Published;
    body()
}

/// Where the handlers of a thread count.
#[derive(Clone, Copy, Debug)]
pub struct HandlerCounters {
    /// Handlers that interrupted a run.
    pub inside_run: &'static AtomicU64,
    /// Handlers that ran between runs, or on a thread that has none.
    pub outside_run: &'static AtomicU64,
    /// Exits that a handler asked for the run it interrupted (only a control does that).
    pub self_kicks: &'static AtomicU64,
}

/// Counters of a thread that has published none and a process that has none either.
static UNCLAIMED: [AtomicU64; 3] = [const { AtomicU64::new(0) }; 3];
/// Counters of threads that have published none: `inside_run`, `outside_run`, `self_kicks`, zero until published.
static PROCESS_COUNTERS: [AtomicU64; 3] = [const { AtomicU64::new(0) }; 3];

/// Makes the handlers that run on the calling thread count there; `None` goes back to the process's counters.
pub fn publish_handler_counters(counters: Option<HandlerCounters>) {
    COUNTERS.set(counters);
}

/// Makes handlers on threads without counters of their own count there, and adds what was counted before.
pub fn publish_process_handler_counters(counters: HandlerCounters) {
    let words = [counters.inside_run, counters.outside_run, counters.self_kicks];
    for ((slot, word), unclaimed) in PROCESS_COUNTERS.iter().zip(words).zip(&UNCLAIMED) {
        slot.store(ptr::from_ref(word) as u64, Release);
        word.fetch_add(unclaimed.swap(0, Relaxed), Relaxed);
    }
}

/// The counter `index` of a thread without counters of its own.
fn process_counter(index: usize) -> &'static AtomicU64 {
    let address = PROCESS_COUNTERS[index].load(Acquire) as *const AtomicU64;
    // SAFETY: the word is zero or the address of a `&'static AtomicU64`, see `publish_process_handler_counters`.
    unsafe { address.as_ref() }.unwrap_or(&UNCLAIMED[index])
}

/// The handler of every signal of the kick set. It runs only where a mask is open, which is what it counts.
///
/// Async-signal-safe: atomics and constant-initialised thread locals of the executable, no allocation, no lock.
extern "C" fn count(_number: libc::c_int, _info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    let word = INTERRUPT_WORD.get();
    let own = COUNTERS.get();
    // SAFETY: the word is null or that of the run in progress on this very thread, which this handler interrupts and
    // which outlives the handler.
    match unsafe { word.as_ref() } {
        Some(word) => {
            word.fetch_or(INTERRUPT_HOST_SIGNAL, Release);
            own.map_or_else(|| process_counter(0), |own| own.inside_run).fetch_add(1, Relaxed);
            if controls::active(Control::KickFromHandler) {
                word.fetch_or(INTERRUPT_CANCEL, Release);
                own.map_or_else(|| process_counter(2), |own| own.self_kicks).fetch_add(1, Relaxed);
            }
        }
        None => {
            own.map_or_else(|| process_counter(1), |own| own.outside_run).fetch_add(1, Relaxed);
        }
    }
}

/// Installs the counting handler for every signal that the kick thread takes. To be called after [`block_kick_set`].
///
/// # Errors
/// [`MaskError::Host`] where the host refuses one.
pub fn install_counting_handlers(_proof: &SignalsBlocked) -> Result<(), MaskError> {
    // The choice of a control is read here once, so that the handler never reads the environment.
    let _chosen = controls::active(Control::KickFromHandler);
    for signal in taken_set().iter() {
        imp::set_handler(signal, imp::Disposition::Count)
            .map_err(|error| MaskError::Host("install a signal handler", error))?;
    }
    Ok(())
}

/// Has the host take ended children away by itself (`SA_NOCLDWAIT`), or not. SIGCHLD is counted and taken either way.
///
/// # Errors
/// The host's.
pub fn set_automatic_reaping(is_automatic: bool) -> io::Result<()> {
    let disposition = if is_automatic { imp::Disposition::CountAndReap } else { imp::Disposition::Count };
    imp::set_handler(Signal::SIGCHLD, disposition)
}

/// Installs the handler of the signal that ends calls of pool threads: without `SA_RESTART`, so that it does.
#[cfg(target_os = "linux")]
pub(super) fn install_cancel_handler(
    signal: Signal,
    handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void),
) -> io::Result<()> {
    imp::install_cancel_handler(signal, handler)
}

/// What elfuse was started with, before any runtime changed it (`docs/design.md` §2, invariant 7).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HostSignalState {
    /// The signal mask.
    pub blocked: SigSet,
    /// Signals with the disposition SIG_IGN.
    pub ignored: SigSet,
    /// Which of the descriptors 0, 1 and 2 were open. Rust's runtime opens `/dev/null` over closed ones.
    pub standard_open: [bool; 3],
}

impl HostSignalState {
    /// The state at the start of this process, as a constructor of the executable saw it before `main`.
    #[must_use]
    pub fn capture() -> Self {
        let flags = START_FLAGS.load(Acquire);
        Self {
            blocked: SigSet(START_BLOCKED.load(Relaxed)),
            ignored: SigSet(START_IGNORED.load(Relaxed)),
            standard_open: std::array::from_fn(|fd| flags & 1 << fd != 0),
        }
    }
}

static START_BLOCKED: AtomicU64 = AtomicU64::new(0);
static START_IGNORED: AtomicU64 = AtomicU64::new(0);
static START_FLAGS: AtomicU32 = AtomicU32::new(0);

/// Runs before `main` and so before Rust's runtime ignores SIGPIPE and fills descriptors 0 to 2.
extern "C" fn at_start() {
    START_BLOCKED.store(own_mask().map_or(0, |mask| mask.0), Relaxed);
    let ignored = Signal::all().filter(|signal| imp::is_ignored(*signal)).fold(SigSet::EMPTY, SigSet::with);
    START_IGNORED.store(ignored.0, Relaxed);
    // SAFETY: the call takes no pointers.
    let open = (0..3).filter(|fd| unsafe { libc::fcntl(*fd, libc::F_GETFD) } >= 0).fold(0, |bits, fd| bits | 1 << fd);
    START_FLAGS.store(open, Release);
}

#[used]
#[cfg_attr(target_os = "macos", unsafe(link_section = "__DATA,__mod_init_func"))]
#[cfg_attr(not(target_os = "macos"), unsafe(link_section = ".init_array"))]
static AT_START: extern "C" fn() = at_start;

/// The host's number of any signal that it has, those included that nobody can block.
#[cfg(target_os = "macos")]
pub(super) fn host_number_of_any(signal: Signal) -> Option<libc::c_int> {
    imp::host_number_of_any(signal)
}

/// The signal that the host has under this number.
pub(super) fn of_host_number(number: libc::c_int) -> Option<Signal> {
    imp::of_host_number(number)
}

/// The host's numbers of the kick set.
#[cfg(target_os = "macos")]
pub(super) fn host_numbers() -> impl Iterator<Item = libc::c_int> {
    imp::host_numbers()
}

/// Gives the calling thread, the last of its process, what a host program is to start with: the guest's mask, its
/// ignored signals, the default for all others, and no pending signal of the kick set but those `keep` names.
///
/// Async-signal-safe, so that it can be called between fork and exec.
///
/// # Errors
/// None that a host is known to give.
pub fn restore_for_exec(blocked: SigSet, ignored: SigSet, keep: SigSet) -> io::Result<()> {
    for signal in SigSet::ALL.difference(SigSet::UNBLOCKABLE).iter() {
        let disposition = if ignored.contains(signal) { imp::Disposition::Ignore } else { imp::Disposition::Default };
        imp::set_handler(signal, disposition)?;
    }
    // Doorbells must not reach the new program; a bounded number of tries, since others may go on ringing.
    for _ in 0..1024 {
        if take_pending(taken_set().difference(keep)).is_none() {
            break;
        }
    }
    set_own_mask(blocked)
}

#[cfg(target_os = "linux")]
#[path = "linux/signal.rs"]
mod imp;
#[cfg(target_os = "macos")]
#[path = "macos/signal.rs"]
mod imp;
