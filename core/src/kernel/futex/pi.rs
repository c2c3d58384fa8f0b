//! Locks with owners: the word holds the owner's thread id, `FUTEX_WAITERS` and `FUTEX_OWNER_DIED`.
//!
//! A private lock is handed to its first waiter by who unlocks it. A lock that processes share is given up and taken by
//! whoever comes first, since the host can hand a lock only to a thread that sleeps in its own FUTEX_LOCK_PI, which no
//! kick could end. Waiters are served in the order in which they came. Source: futex(2) "Priority-inheritance futexes",
//! Linux `kernel/futex/pi.c`, `requeue.c`.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::queue::{Kind, Waiter, Woken};
use super::{FutexTable, Word};
use crate::abi::{Errno, GuestAddr, GuestPtr, Pid, Tid};
use crate::host;
use crate::host::futex_shared::{self, Expected, ForeignWord};
use crate::kernel::{Interrupted, Process, Task};
use crate::mem::GuestMemory;

/// `FUTEX_WAITERS`.
pub(super) const WAITERS: u32 = 0x8000_0000;
/// `FUTEX_OWNER_DIED`.
pub(super) const OWNER_DIED: u32 = 0x4000_0000;
/// `FUTEX_TID_MASK`.
pub(super) const TID_MASK: u32 = 0x3fff_ffff;

/// How long a call may wait for a lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LockWait {
    /// Not at all: `FUTEX_TRYLOCK_PI`.
    Try,
    /// For ever, or until a monotonic deadline.
    Until(Option<u64>),
}

/// What one look at a lock found.
enum Look {
    /// It is ours now.
    Taken,
    /// This thread has it, and the word says that others wait.
    Held(Tid),
}

fn id(tid: Tid) -> u32 {
    tid.0.cast_unsigned()
}

impl FutexTable {
    /// Locks, waiting as long as `wait` says.
    ///
    /// # Errors
    /// [`Interrupted::Failed`] with `EDEADLK` for the owner itself, `ESRCH` where the owner is no thread, `EAGAIN` where
    /// the lock is held and `wait` is [`LockWait::Try`], `EFAULT`; otherwise as [`Task::block_until`].
    pub fn lock(&self, task: &Arc<Task>, word: Word, wait: LockWait) -> Result<(), Interrupted> {
        let process = task.process();
        if let Some(shared) = word.shared {
            return lock_shared(task, word.at, shared, wait);
        }
        loop {
            let held = process.memory().load_u32(word.at).map_err(Interrupted::Failed)?;
            check_owner(process, held, task.tid()).map_err(Interrupted::Failed)?;
            let deadline_ns = match wait {
                LockWait::Try if held & TID_MASK != 0 => return Err(Interrupted::Failed(Errno::EAGAIN)),
                LockWait::Try => None,
                LockWait::Until(deadline_ns) => deadline_ns,
            };
            task.ticket().reset();
            match self.take_or_queue(task, word.at, held).map_err(Interrupted::Failed)? {
                None => {}
                Some(Look::Taken) => return Ok(()),
                Some(Look::Held(owner)) => {
                    if !is_thread(process, owner) {
                        // It ended between the look and the queue, and may not have seen us.
                        self.release_dead_owners(process, owner);
                    }
                    let slept = self.sleep_for_lock(task, word.at.addr(), deadline_ns);
                    return if task.ticket().is_moved() { self.lock(task, word.anew(process)?, wait) } else { slept };
                }
            }
        }
    }

    /// Takes the lock whose word was seen as `held`, or queues for it; `None` where the word has changed.
    fn take_or_queue(&self, task: &Arc<Task>, at: GuestPtr<u32>, held: u32) -> Result<Option<Look>, Errno> {
        let memory = task.process().memory();
        let mut bucket = self.bucket(at.addr());
        if held & TID_MASK == 0 {
            let waiters = if bucket.has_lockers(at.addr()) { WAITERS } else { 0 };
            let new = id(task.tid()) | held & OWNER_DIED | waiters;
            return Ok((memory.compare_exchange_u32(at, held, new)? == held).then_some(Look::Taken));
        }
        if memory.compare_exchange_u32(at, held, held | WAITERS)? != held {
            return Ok(None);
        }
        self.lockers.fetch_add(1, Ordering::SeqCst);
        bucket.push(Waiter { at: at.addr(), bitset: u32::MAX, kind: Kind::Lock, index: 0, task: task.clone() });
        Ok(Some(Look::Held(Tid((held & TID_MASK).cast_signed()))))
    }

    fn sleep_for_lock(&self, task: &Arc<Task>, at: GuestAddr, deadline_ns: Option<u64>) -> Result<(), Interrupted> {
        let slept = task.block_until(deadline_ns, || task.ticket().woken().map(drop));
        let result = slept.or_else(|end| if self.forget(task, at).is_empty() { Ok(()) } else { Err(end) });
        self.lockers.fetch_sub(1, Ordering::SeqCst);
        result
    }

    /// Unlocks: the lock becomes the first waiter's.
    ///
    /// # Errors
    /// `EPERM` where another thread owns the lock, `EFAULT`.
    pub fn unlock(&self, task: &Task, word: Word) -> Result<(), Errno> {
        let memory = task.process().memory();
        let mut held = memory.load_u32(word.at)?;
        loop {
            if held & TID_MASK != id(task.tid()) {
                return Err(Errno::EPERM);
            }
            if let Some(shared) = word.shared {
                let seen = memory.compare_exchange_u32(word.at, held, 0)?;
                if seen == held {
                    return futex_shared::wake(shared, 1).map(drop);
                }
                held = seen;
                continue;
            }
            match self.hand_over(memory, word.at, held, 0)? {
                Some(woken) => {
                    woken.wake();
                    return Ok(());
                }
                None => held = memory.load_u32(word.at)?,
            }
        }
    }

    /// Gives the lock whose word is `held` to its first waiter, or to nobody; `None` where the word has changed.
    fn hand_over(&self, memory: GuestMemory, at: GuestPtr<u32>, held: u32, flags: u32) -> Result<Option<Woken>, Errno> {
        let mut bucket = self.bucket(at.addr());
        let mut woken = Woken::default();
        let Some(next) = bucket.take_first(at.addr(), |waiter| waiter.kind == Kind::Lock) else {
            return Ok((memory.compare_exchange_u32(at, held, flags)? == held).then_some(woken));
        };
        let waiters = if bucket.has_lockers(at.addr()) { WAITERS } else { 0 };
        match memory.compare_exchange_u32(at, held, id(next.task.tid()) | waiters | flags) {
            Ok(seen) if seen == held => {
                woken.add(next);
                Ok(Some(woken))
            }
            changed_or_fault => {
                bucket.push_front(next);
                changed_or_fault.map(|_changed| None)
            }
        }
    }

    /// Hands a lock of a thread that has ended to the first waiter; false where there is none.
    pub(super) fn hand_over_dead(&self, process: &Process, owner: Tid, at: GuestPtr<u32>) -> Result<bool, Errno> {
        let memory = process.memory();
        loop {
            let held = memory.load_u32(at)?;
            if held & TID_MASK != id(owner) || !self.bucket(at.addr()).has_lockers(at.addr()) {
                return Ok(false);
            }
            if let Some(woken) = self.hand_over(memory, at, held, OWNER_DIED)? {
                return Ok(woken.wake() > 0);
            }
        }
    }

    /// Hands over every lock that is waited for and whose owner is this thread, which has ended.
    pub(super) fn release_dead_owners(&self, process: &Process, owner: Tid) {
        if self.lockers.load(Ordering::SeqCst) == 0 {
            return;
        }
        let locks: Vec<GuestAddr> = self.all().flat_map(|bucket| bucket.locks()).collect();
        for at in locks {
            // A lock whose memory is gone has no owner to be told from.
            let _is_handed_over = self.hand_over_dead(process, owner, GuestPtr::new(at));
        }
    }

    /// `FUTEX_WAIT_REQUEUE_PI`: waits on `from` until another thread moves the wait to the lock `to` and that becomes
    /// ours.
    ///
    /// # Errors
    /// [`Interrupted::Failed`] with `EAGAIN` where the word holds something else or a signal came after the move;
    /// `EINVAL` for twice the same word; otherwise as [`Task::block_until`].
    pub fn wait_for_requeue(
        &self,
        task: &Arc<Task>,
        from: Word,
        to: Word,
        expected: u32,
        bitset: u32,
        deadline_ns: Option<u64>,
    ) -> Result<(), Interrupted> {
        if from.addr() == to.addr() {
            return Err(Interrupted::Failed(Errno::EINVAL));
        }
        let memory = task.process().memory();
        if from.shared.is_some() || to.shared.is_some() {
            self.wait(task, memory, from, expected, bitset, deadline_ns)?;
            return self.lock(task, to, LockWait::Until(deadline_ns));
        }
        task.ticket().reset();
        let kind = Kind::RequeueToLock(to.addr());
        let waiter = Waiter { at: from.addr(), bitset, kind, index: 0, task: task.clone() };
        self.lockers.fetch_add(1, Ordering::SeqCst);
        let result = self.enqueue(memory, waiter, expected).map_err(Interrupted::Failed).and_then(|()| {
            let slept = task.block_until(deadline_ns, || task.ticket().woken().map(drop));
            slept.or_else(|end| match (self.forget(task, from.addr()).first(), end) {
                (None, _) => Ok(()),
                (Some(at), Interrupted::Signal) if *at == to.addr() => Err(Interrupted::Failed(Errno::EAGAIN)),
                (Some(_), end) => Err(end),
            })
        });
        self.lockers.fetch_sub(1, Ordering::SeqCst);
        if task.ticket().is_moved() {
            let (from, to) = (from.anew(task.process())?, to.anew(task.process())?);
            return match self.wait_for_requeue(task, from, to, expected, bitset, deadline_ns) {
                // Whoever has changed the word has meant this wait too.
                Err(Interrupted::Failed(Errno::EAGAIN)) => self.lock(task, to, LockWait::Until(deadline_ns)),
                ended => ended,
            };
        }
        result
    }

    /// `FUTEX_CMP_REQUEUE_PI`: gives the lock `to` to the first waiter of `from` if it is free, and moves up to
    /// `requeue` others to it. The answer is how many were woken and moved.
    ///
    /// # Errors
    /// `EAGAIN` where `from` does not hold `expected`, `EINVAL` where its waiters wait for another lock, `ESRCH`,
    /// `EDEADLK`, `EFAULT`.
    pub fn requeue_to_lock(
        &self,
        task: &Task,
        from: Word,
        to: Word,
        requeue: u32,
        expected: u32,
    ) -> Result<u32, Errno> {
        if from.addr() == to.addr() {
            return Err(Errno::EINVAL);
        }
        let memory = task.process().memory();
        let total = requeue.saturating_add(1);
        if from.shared.is_some() || to.shared.is_some() {
            if memory.load_u32(from.at)? != expected {
                return Err(Errno::EAGAIN);
            }
            return self.wake(from, total, u32::MAX);
        }
        loop {
            let held = memory.load_u32(to.at)?;
            if held & TID_MASK != 0 && !is_thread(task.process(), Tid((held & TID_MASK).cast_signed())) {
                return Err(Errno::ESRCH);
            }
            if let Some(count) = self.move_to_lock(memory, (from.at, to.at), expected, held, total)? {
                return Ok(count);
            }
        }
    }

    /// One attempt of [`requeue_to_lock`](Self::requeue_to_lock) with the lock's word seen as `held`; `None` where that
    /// has changed.
    fn move_to_lock(
        &self,
        memory: GuestMemory,
        (from, to): (GuestPtr<u32>, GuestPtr<u32>),
        expected: u32,
        held: u32,
        total: u32,
    ) -> Result<Option<u32>, Errno> {
        let (from_at, to_at) = (from.addr(), to.addr());
        let mut woken = Woken::default();
        let mut moved = 0;
        {
            let mut pair = self.pair(from_at, to_at);
            if memory.load_u32(from)? != expected {
                return Err(Errno::EAGAIN);
            }
            match pair.from().first_kind(from_at) {
                None => return Ok(Some(0)),
                Some(Kind::RequeueToLock(target)) if target == to_at => {}
                Some(Kind::Plain | Kind::Lock | Kind::RequeueToLock(_)) => return Err(Errno::EINVAL),
            }
            if held & TID_MASK == 0 {
                let Some(first) = pair.from().take_first(from_at, |_any| true) else { return Ok(Some(0)) };
                let waiters =
                    if pair.from().first_kind(from_at).is_some() || pair.to().has_lockers(to_at) { WAITERS } else { 0 };
                let new = id(first.task.tid()) | held & OWNER_DIED | waiters;
                if memory.compare_exchange_u32(to, held, new)? != held {
                    pair.from().push_front(first);
                    return Ok(None);
                }
                woken.add(first);
            } else if memory.compare_exchange_u32(to, held, held | WAITERS)? != held {
                return Ok(None);
            }
            while woken.len() + moved < total
                && let Some(waiter) = pair.from().take_first(from_at, |_any| true)
            {
                pair.to().push(Waiter { at: to_at, kind: Kind::Lock, ..waiter });
                moved += 1;
            }
        }
        Ok(Some(woken.wake() + moved))
    }
}

/// Refuses locks of the caller itself and of threads that do not exist.
fn check_owner(process: &Process, held: u32, own: Tid) -> Result<(), Errno> {
    let owner = Tid((held & TID_MASK).cast_signed());
    if owner == own {
        return Err(Errno::EDEADLK);
    }
    if owner.0 != 0 && !is_thread(process, owner) { Err(Errno::ESRCH) } else { Ok(()) }
}

fn is_thread(process: &Process, tid: Tid) -> bool {
    process.group().members.contains_key(&tid)
}

/// A lock that processes share: looked at, slept on, and looked at again.
fn lock_shared(task: &Task, at: GuestPtr<u32>, shared: ForeignWord, wait: LockWait) -> Result<(), Interrupted> {
    let memory = task.process().memory();
    let mut waiters = 0;
    loop {
        let held = memory.load_u32(at).map_err(Interrupted::Failed)?;
        let owner = held & TID_MASK;
        if owner == id(task.tid()) {
            return Err(Interrupted::Failed(Errno::EDEADLK));
        }
        if owner == 0 {
            // Who has slept does not know whether others still do.
            let new = id(task.tid()) | held & OWNER_DIED | held & WAITERS | waiters;
            if memory.compare_exchange_u32(at, held, new).map_err(Interrupted::Failed)? == held {
                return Ok(());
            }
            continue;
        }
        let LockWait::Until(deadline_ns) = wait else { return Err(Interrupted::Failed(Errno::EAGAIN)) };
        if !is_thread(task.process(), Tid(owner.cast_signed()))
            && host::children::probe(Pid(owner.cast_signed()), None) == Err(Errno::ESRCH)
        {
            return Err(Interrupted::Failed(Errno::ESRCH));
        }
        let marked = held | WAITERS;
        if memory.compare_exchange_u32(at, held, marked).map_err(Interrupted::Failed)? != held {
            continue;
        }
        waiters = WAITERS;
        let words = [Expected { word: shared, value: marked }];
        if let Err(end) = task.block_on_words(&words, deadline_ns, || false) {
            // A wake that was meant for us goes to another waiter.
            let _woken = futex_shared::wake(shared, 1);
            return Err(end);
        }
    }
}
