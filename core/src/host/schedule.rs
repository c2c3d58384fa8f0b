//! What a thread asks of the host's scheduler: [`prefer_promptness`], [`step_back`], [`Together`].
//!
//! A kick passes several threads before the guest's handler runs. Each of them wakes, works for some microseconds and sleeps
//! again; where it wakes on the processor of a spinning vCPU and must wait until that vCPU's time slice is over, the signal
//! is milliseconds late. Sources: sched(7), sched_setattr(2), Linux `Documentation/scheduler/sched-eevdf.rst`.

#![expect(
    unsafe_code,
    reason = "sched_setattr and nice have no safe wrappers, nor have these names of sysconf everywhere"
)]

use std::sync::OnceLock;

/// Asks the host to run the calling thread soon after each wake-up; for threads that work little and often.
///
/// A thread that computes would pay for it with more switches. A host that cannot do it goes on as before.
pub fn prefer_promptness() {
    imp::set_time_slice_ns(SHORTEST_SLICE_NS);
}

/// Gives the calling thread, and every process that it starts from now on, a smaller share of busy processors (nice(2)).
///
/// On Linux this is about the calling thread alone; elsewhere the whole process steps back, and nothing is gained or lost.
pub fn step_back() {
    const NICE: i32 = 5;
    // SAFETY: the call takes no pointers. The answer is not looked at: -1 may be a nice value, and a larger one is always
    // granted.
    let _ = unsafe { libc::nice(NICE) };
}

/// Keeps the calling thread, and the threads and processes that it makes, on the processor that it is on, until this is
/// dropped: in a forked process, its copy. A thread that was started stays there until it makes use of its [`Spread`].
///
/// While all threads of a process run on one processor, a page that is copied after a fork is nobody else's affair. Later
/// each of them interrupts the other processor and waits for its answer. A forked process that begins where its parent is
/// finds there, besides, what the parent had in the caches, and wakes nobody from sleep.
#[derive(Debug)]
pub struct Together {
    before: imp::Processors,
}

/// Where a thread of [`Together`] may run otherwise.
#[derive(Clone, Debug)]
pub struct Spread {
    processors: imp::Processors,
}

impl Together {
    /// `None` where the host cannot, and for a thread that shares its processor with nobody while it computes (a real-time
    /// policy): others would not run there.
    #[must_use]
    pub fn begin() -> Option<Self> {
        imp::stay_here().map(|before| Self { before })
    }

    /// For a thread that is started.
    #[must_use]
    pub fn spread(&self) -> Spread {
        Spread { processors: self.before.clone() }
    }
}

impl Drop for Together {
    fn drop(&mut self) {
        imp::let_go(&self.before);
    }
}

impl Spread {
    /// Lets the calling thread run wherever the one that started it may.
    pub fn apply(&self) {
        imp::let_go(&self.processors);
    }
}

/// How many processors the host is configured with. It reads a file for that, so the answer is kept, for fork children too.
#[must_use]
pub fn configured_processors() -> usize {
    static COUNT: OnceLock<usize> = OnceLock::new();
    *COUNT.get_or_init(|| processors(libc::_SC_NPROCESSORS_CONF))
}

/// How many processors of the host are online.
#[must_use]
pub fn online_processors() -> usize {
    processors(libc::_SC_NPROCESSORS_ONLN)
}

/// At least one.
fn processors(name: libc::c_int) -> usize {
    // SAFETY: the call takes no pointers.
    let count = unsafe { libc::sysconf(name) };
    usize::try_from(count).unwrap_or(1).max(1)
}

/// The processors that the calling thread may run on, empty where the host does not tell.
#[must_use]
pub fn own_affinity() -> Vec<u32> {
    imp::own_affinity()
}

/// The shortest slice that Linux grants (since 6.12; older kernels ignore the request). A waking thread whose slice is
/// shorter than the running one's preempts it.
const SHORTEST_SLICE_NS: u64 = 100_000;

#[cfg(target_os = "linux")]
mod imp {
    /// `struct sched_attr` in its first published size; the C library has none.
    #[repr(C)]
    #[derive(Default)]
    struct SchedAttr {
        size: u32,
        policy: u32,
        flags: u64,
        nice: i32,
        priority: u32,
        runtime_ns: u64,
        deadline_ns: u64,
        period_ns: u64,
    }

    const ATTR_BYTES: u32 = size_of::<SchedAttr>() as u32;
    const _: () = assert!(ATTR_BYTES == 48);

    /// Sets the slice of the calling thread where it has the ordinary policy; its nice value stays.
    pub(super) fn set_time_slice_ns(slice_ns: u64) {
        if let Some(mut attr) = own_attr()
            && attr.policy == libc::SCHED_OTHER.cast_unsigned()
        {
            attr.runtime_ns = slice_ns;
            // SAFETY: the kernel reads as many bytes as the structure's own size says. A refusal changes nothing.
            let _ = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attr, 0) };
        }
    }

    /// Sets of processors of at most this many words: 1024 processors. Threads of hosts with more go where they like, and the
    /// stacks of all others are a page shorter for that.
    const WORDS: usize = 16;

    /// Where a thread may run that is kept on one processor.
    #[derive(Clone, Debug)]
    pub(super) struct Processors {
        otherwise: [u64; WORDS],
        now: [u64; WORDS],
    }

    /// Fills in the processors of the calling thread; the answer is how many bytes the host knows, 0 where those are more.
    fn read_affinity(words: &mut [u64]) -> usize {
        // SAFETY: the kernel writes at most as many bytes as it is told of.
        let len = unsafe { libc::syscall(libc::SYS_sched_getaffinity, 0, size_of_val(words), words.as_mut_ptr()) };
        usize::try_from(len).unwrap_or(0)
    }

    /// Lets the calling thread run on these. A refusal changes nothing.
    fn run_on(words: &[u64; WORDS]) {
        // SAFETY: the kernel reads as many bytes as it is told of.
        let _ = unsafe { libc::syscall(libc::SYS_sched_setaffinity, 0, size_of_val(words), words.as_ptr()) };
    }

    /// Keeps the calling thread where it is; the answer is where it may run otherwise.
    pub(super) fn stay_here() -> Option<Processors> {
        // SAFETY: the calls take no pointers.
        let (policy, here) = unsafe { (libc::sched_getscheduler(0), libc::sched_getcpu()) };
        let mut kept = Processors { otherwise: [0; WORDS], now: [0; WORDS] };
        let known = read_affinity(&mut kept.otherwise);
        let here = usize::try_from(here).ok().filter(|here| *here < known * 8)?;
        if policy != libc::SCHED_OTHER {
            return None;
        }
        kept.now[here / 64] = 1 << (here % 64);
        run_on(&kept.now);
        Some(kept)
    }

    /// Lets the calling thread go, unless somebody else has told it meanwhile where to run.
    pub(super) fn let_go(kept: &Processors) {
        let mut now = [0; WORDS];
        if read_affinity(&mut now) > 0 && now == kept.now {
            run_on(&kept.otherwise);
        }
    }

    pub(super) fn own_affinity() -> Vec<u32> {
        // As many as Linux can be built for.
        let mut own = [0u64; 128];
        let known = read_affinity(&mut own);
        (0..known as u32 * 8).filter(|cpu| own[*cpu as usize / 64] & 1 << (cpu % 64) != 0).collect()
    }

    fn own_attr() -> Option<SchedAttr> {
        let mut attr = SchedAttr { size: ATTR_BYTES, ..SchedAttr::default() };
        // SAFETY: the kernel writes at most the size that is passed.
        let result = unsafe { libc::syscall(libc::SYS_sched_getattr, 0, &raw mut attr, ATTR_BYTES, 0) };
        (result == 0).then_some(attr)
    }

    #[cfg(test)]
    mod tests {
        use super::super::Together;
        use super::*;

        #[test]
        fn threads_that_are_started_together_stay_until_they_spread() {
            let before = own_affinity();
            let together = Together::begin().expect("the test has the ordinary policy");
            assert_eq!(own_affinity().len(), 1);
            let spread = together.spread();
            let started = std::thread::spawn(move || {
                let at_first = own_affinity();
                spread.apply();
                (at_first, own_affinity())
            });
            drop(together);
            assert_eq!(own_affinity(), before);
            let (at_first, afterwards) = started.join().expect("it does not panic");
            assert_eq!((at_first.len(), afterwards), (1, before));
        }

        #[test]
        fn who_is_told_meanwhile_where_to_run_stays_there() {
            let before = own_affinity();
            let together = Together::begin().expect("the test has the ordinary policy");
            let here = own_affinity()[0];
            // On a host with one processor both are the same.
            let other = before.into_iter().find(|cpu| *cpu != here).unwrap_or(here);
            let mut told = [0; WORDS];
            told[other as usize / 64] = 1 << (other % 64);
            run_on(&told);
            drop(together);
            assert_eq!(own_affinity(), [other]);
        }

        #[test]
        fn a_slice_is_asked_for_and_the_nice_value_stays() {
            let before = own_attr().expect("every Linux since 3.14 answers");
            set_time_slice_ns(super::super::SHORTEST_SLICE_NS);
            let after = own_attr().expect("it did before");
            assert_eq!((after.policy, after.nice), (before.policy, before.nice));
            // Kernels before 6.12 show no slice for ordinary threads.
            if before.runtime_ns != 0 {
                assert_eq!(after.runtime_ns, super::super::SHORTEST_SLICE_NS);
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    /// macOS schedules by QoS classes, and threads of a user's program already preempt at wake-up.
    pub(super) fn set_time_slice_ns(_slice_ns: u64) {}

    pub(super) fn own_affinity() -> Vec<u32> {
        Vec::new()
    }

    /// Never made.
    #[derive(Clone, Debug)]
    pub(super) enum Processors {}

    /// macOS has no such thing.
    pub(super) fn stay_here() -> Option<Processors> {
        None
    }

    pub(super) fn let_go(kept: &Processors) {
        match *kept {}
    }
}
