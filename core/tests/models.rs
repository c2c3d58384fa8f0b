//! The orders of steps on which no wake-up may be lost, as models small enough that every interleaving is looked at: the
//! blocking primitive (`kernel/blocking.rs`), futex queues (`kernel/futex/queue.rs`), sleeps on words that processes share
//! (`host/futex_shared.rs`), the latch of a kick (`vcpu/registry.rs`, the vCPU), the transport's request to drain
//! (`preempt/kicker.rs`).
//!
//! A model is the algorithm, not the code: each step of a thread is one atomic access, one system call or one section under
//! a lock of the code that it names. Each has variants with the order broken, which must be found.

use std::collections::HashSet;
use std::hash::Hash;

/// What a thread can do next.
enum Step<S> {
    /// It goes on to this state.
    To(S),
    /// It waits for others.
    Blocked,
    /// It is over.
    Done,
}

trait Model: Clone + Eq + Hash {
    const THREADS: usize;
    fn step(&self, thread: usize) -> Step<Self>;
    /// What must hold when all threads are over.
    fn is_right(&self) -> bool;
}

/// Looks at all interleavings; the answer is how many states there are, or what went wrong in one.
fn explore<M: Model>(start: M) -> Result<usize, &'static str> {
    let mut seen = HashSet::from([start.clone()]);
    let mut open = vec![start];
    while let Some(state) = open.pop() {
        let mut is_over = true;
        let mut can_go_on = false;
        for thread in 0..M::THREADS {
            match state.step(thread) {
                Step::To(next) => {
                    (is_over, can_go_on) = (false, true);
                    if seen.insert(next.clone()) {
                        open.push(next);
                    }
                }
                Step::Blocked => is_over = false,
                Step::Done => {}
            }
        }
        if !is_over && !can_go_on {
            return Err("stuck");
        }
        if is_over && !state.is_right() {
            return Err("wrong at the end");
        }
    }
    Ok(seen.len())
}

/// What is broken on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Planted {
    Nothing,
    /// The sleeper looks at its sequence after its condition.
    LateSequence,
    /// The waker looks who sleeps before it changes anything.
    EarlyLook,
    /// The sleeper says how it sleeps after its last look.
    LateSleeping,
    /// What was asked for is taken back after it was done.
    LateTake,
    /// The word is looked at outside of the queue's lock.
    LooseCheck,
    /// The sleeper's own word stands last in the vector.
    OwnLast,
    /// A kick of a vCPU that does not run is forgotten.
    NoLatch,
    /// A sender rings before it appends.
    EarlyBell,
}

/// `Waker`: thread 0 sleeps until the condition holds, threads 1 and 2 make it hold, one of two parts each.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Wakes {
    planted: Planted,
    is_on_fds: bool,
    /// What the condition needs: both.
    parts: [bool; 2],
    sequence: u8,
    sleeping: bool,
    /// The futex sleeper sleeps; the descriptor is readable.
    is_asleep: bool,
    is_readable: bool,
    /// Where each thread is; what the sleeper has seen; what each waker has seen.
    at: [u8; 3],
    seen: u8,
    found: bool,
    saw_sleeping: [bool; 2],
}

impl Wakes {
    fn new(planted: Planted, is_on_fds: bool) -> Self {
        Self {
            planted,
            is_on_fds,
            parts: [false; 2],
            sequence: 0,
            sleeping: false,
            is_asleep: false,
            is_readable: false,
            at: [0; 3],
            seen: 0,
            found: false,
            saw_sleeping: [false; 2],
        }
    }

    fn sleeper(&self) -> Step<Self> {
        let mut next = self.clone();
        next.at[0] += 1;
        // The order of `block_until` and `block_on_fds`: the latter says that it sleeps before it looks.
        let order: [u8; 5] = match (self.is_on_fds, self.planted) {
            (false, Planted::LateSequence) => [1, 0, 2, 3, 4],
            (false, _) | (true, Planted::LateSleeping) => [0, 1, 2, 3, 4],
            (true, _) => [2, 0, 1, 3, 4],
        };
        match order.get(usize::from(self.at[0])) {
            Some(0) => next.seen = self.sequence,
            Some(1) => {
                next.found = self.parts == [true; 2];
                if next.found {
                    next.at[0] = 5;
                }
            }
            Some(2) => next.sleeping = true,
            Some(3) if self.is_on_fds => {
                if !self.is_readable {
                    return Step::Blocked;
                }
                next.is_readable = false;
            }
            Some(3) if self.is_asleep => return Step::Blocked,
            // futex(2) compares and sleeps at once. Whoever wakes moves the sleeper on.
            Some(3) if self.sequence == self.seen => {
                next.is_asleep = true;
                next.at[0] = 3;
            }
            Some(3) => {}
            Some(_) => {
                next.sleeping = false;
                next.at[0] = 0;
            }
            None => return Step::Done,
        }
        Step::To(next)
    }

    fn waker(&self, index: usize) -> Step<Self> {
        let mut next = self.clone();
        let at = &mut next.at[index + 1];
        let order: [u8; 4] = if self.planted == Planted::EarlyLook { [2, 0, 1, 3] } else { [0, 1, 2, 3] };
        let Some(step) = order.get(usize::from(*at)) else { return Step::Done };
        *at += 1;
        match step {
            0 => next.parts[index] = true,
            1 => next.sequence += 1,
            2 => next.saw_sleeping[index] = self.sleeping,
            _ if !self.saw_sleeping[index] => {}
            _ if self.is_on_fds => next.is_readable = true,
            _ if self.is_asleep => {
                next.is_asleep = false;
                next.at[0] = 4;
            }
            _ => {}
        }
        Step::To(next)
    }
}

impl Model for Wakes {
    const THREADS: usize = 3;

    fn step(&self, thread: usize) -> Step<Self> {
        if thread == 0 { self.sleeper() } else { self.waker(thread - 1) }
    }

    fn is_right(&self) -> bool {
        self.found
    }
}

#[test]
fn no_wake_of_the_blocking_primitive_is_lost() {
    for is_on_fds in [false, true] {
        let states = explore(Wakes::new(Planted::Nothing, is_on_fds));
        assert!(states.is_ok_and(|states| states > 100), "{states:?}");
        assert_eq!(explore(Wakes::new(Planted::EarlyLook, is_on_fds)), Err("stuck"));
    }
    assert_eq!(explore(Wakes::new(Planted::LateSequence, false)), Err("stuck"));
    assert_eq!(explore(Wakes::new(Planted::LateSleeping, true)), Err("stuck"));
}

/// A futex queue: thread 0 waits while the word is 0, thread 1 changes it and wakes.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Queue {
    planted: Planted,
    word: bool,
    is_queued: bool,
    is_woken: bool,
    saw_zero: bool,
    at: [u8; 2],
}

impl Model for Queue {
    const THREADS: usize = 2;

    fn step(&self, thread: usize) -> Step<Self> {
        let mut next = self.clone();
        next.at[thread] += 1;
        match (thread, self.at[thread], self.planted) {
            // The check of its own, and then the queue.
            (0, 0, Planted::LooseCheck) => next.saw_zero = !self.word,
            (0, 1, Planted::LooseCheck) if self.saw_zero => next.is_queued = true,
            // Under the bucket's lock.
            (0, 0, _) => {}
            (0, 1, _) if !self.word && self.planted != Planted::LooseCheck => next.is_queued = true,
            (0, 1, _) => next.at[0] = 3,
            (0, 2, _) if !self.is_woken => return Step::Blocked,
            (0, 2, _) => {}
            (1, 0, _) => next.word = true,
            (1, 1, _) => next.is_woken = std::mem::take(&mut next.is_queued) || self.is_woken,
            _over => return Step::Done,
        }
        Step::To(next)
    }

    fn is_right(&self) -> bool {
        !self.is_queued
    }
}

#[test]
fn no_wake_of_a_futex_queue_is_lost() {
    let queue =
        |planted| Queue { planted, word: false, is_queued: false, is_woken: false, saw_zero: false, at: [0; 2] };
    assert!(explore(queue(Planted::Nothing)).is_ok());
    assert_eq!(explore(queue(Planted::LooseCheck)), Err("stuck"));
}

/// A sleep on a shared word whose value stays, and on the own one: thread 0 sleeps, thread 1 wakes the word until it was told
/// that it has woken somebody, thread 2 kicks once. futex_waitv(2) names the last of the words that were woken.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Shared {
    planted: Planted,
    sequence: u8,
    seen: u8,
    is_asleep: bool,
    /// The own word, the shared one.
    woken: [bool; 2],
    at: [u8; 3],
}

impl Shared {
    fn sleeper(&self) -> Step<Self> {
        let mut next = self.clone();
        match self.at[0] {
            0 => {
                next.seen = self.sequence;
                next.at[0] = 1;
            }
            // The call begins, unless the own word has changed.
            1 if self.sequence != self.seen => next.at[0] = 0,
            1 => {
                (next.is_asleep, next.woken) = (true, [false; 2]);
                next.at[0] = 2;
            }
            2 if self.woken == [false; 2] => return Step::Blocked,
            // It comes back: who wakes now finds nobody.
            2 => {
                next.is_asleep = false;
                next.at[0] = 3;
            }
            3 => {
                let names_shared = match self.planted {
                    Planted::OwnLast => self.woken == [false, true],
                    _ => self.woken[1],
                };
                next.at[0] = if names_shared { 4 } else { 0 };
            }
            _over => return Step::Done,
        }
        Step::To(next)
    }
}

impl Model for Shared {
    const THREADS: usize = 3;

    fn step(&self, thread: usize) -> Step<Self> {
        let mut next = self.clone();
        match (thread, self.at[thread]) {
            (0, _) => return self.sleeper(),
            (1, 0) if self.is_asleep && !self.woken[1] => {
                next.woken[1] = true;
                next.at[1] = 1;
            }
            (1, 0) => return Step::Blocked,
            (2, 0) => {
                next.sequence += 1;
                next.at[2] = 1;
            }
            (2, 1) => {
                next.woken[0] |= self.is_asleep;
                next.at[2] = 2;
            }
            _over => return Step::Done,
        }
        Step::To(next)
    }

    fn is_right(&self) -> bool {
        true
    }
}

#[test]
fn a_kick_does_not_swallow_the_wake_of_a_shared_word() {
    let sleep = |planted| Shared { planted, sequence: 0, seen: 0, is_asleep: false, woken: [false; 2], at: [0; 3] };
    assert!(explore(sleep(Planted::Nothing)).is_ok());
    assert_eq!(explore(sleep(Planted::OwnLast)), Err("stuck"));
}

/// A kick: thread 0 looks at its task's interrupts and runs, until they are set; thread 1 sets them and cancels the run.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Kick {
    planted: Planted,
    interrupts: bool,
    cancel: bool,
    is_running: bool,
    at: [u8; 2],
}

impl Model for Kick {
    const THREADS: usize = 2;

    fn step(&self, thread: usize) -> Step<Self> {
        let mut next = self.clone();
        match (thread, self.at[thread]) {
            (0, 0) => next.at[0] = if self.interrupts { 3 } else { 1 },
            (0, 1) => (next.is_running, next.at[0]) = (true, 2),
            // A run lasts until it is cancelled.
            (0, 2) if !self.cancel => return Step::Blocked,
            (0, 2) => (next.cancel, next.is_running, next.at[0]) = (false, false, 0),
            (1, 0) => (next.interrupts, next.at[1]) = (true, 1),
            (1, 1) => {
                next.cancel = self.is_running || self.planted != Planted::NoLatch;
                next.at[1] = 2;
            }
            _over => return Step::Done,
        }
        Step::To(next)
    }

    fn is_right(&self) -> bool {
        self.interrupts
    }
}

#[test]
fn no_kick_is_lost() {
    let kick = |planted| Kick { planted, interrupts: false, cancel: false, is_running: false, at: [0; 2] };
    assert!(explore(kick(Planted::Nothing)).is_ok());
    assert_eq!(explore(kick(Planted::NoLatch)), Err("stuck"));
}

/// The transport: threads 0 and 1 append a record and ring, thread 2 hears the bells and asks for a drain, thread 3 drains
/// until both records are there.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Transport {
    planted: Planted,
    in_file: u8,
    bells: u8,
    is_requested: bool,
    taken: u8,
    heard: u8,
    at: [u8; 4],
}

impl Model for Transport {
    const THREADS: usize = 4;

    fn step(&self, thread: usize) -> Step<Self> {
        let mut next = self.clone();
        next.at[thread] += 1;
        match (thread, self.at[thread]) {
            (0 | 1, at @ (0 | 1)) => {
                if (at == 0) == (self.planted != Planted::EarlyBell) {
                    next.in_file += 1;
                } else {
                    next.bells += 1;
                }
            }
            (2, 0) if self.heard == 2 => return Step::Done,
            (2, 0) if self.bells == 0 => return Step::Blocked,
            // Pending signals of one number are one.
            (2, 0) => (next.heard, next.bells) = (self.heard + self.bells, 0),
            (2, 1) => (next.is_requested, next.at[2]) = (true, 0),
            (3, _) if self.taken == 2 => return Step::Done,
            (3, 0) if !self.is_requested => return Step::Blocked,
            (3, 0) if self.planted == Planted::LateTake => {}
            (3, 0) => next.is_requested = false,
            (3, 1) => (next.taken, next.in_file) = (self.taken + self.in_file, 0),
            (3, 2) => {
                next.is_requested &= self.planted != Planted::LateTake;
                next.at[3] = 0;
            }
            _over => return Step::Done,
        }
        Step::To(next)
    }

    fn is_right(&self) -> bool {
        self.taken == 2 && self.in_file == 0
    }
}

#[test]
fn no_record_stays_in_the_file() {
    let transport =
        |planted| Transport { planted, in_file: 0, bells: 0, is_requested: false, taken: 0, heard: 0, at: [0; 4] };
    assert!(explore(transport(Planted::Nothing)).is_ok());
    assert_eq!(explore(transport(Planted::LateTake)), Err("stuck"));
    assert_eq!(explore(transport(Planted::EarlyBell)), Err("stuck"));
}
