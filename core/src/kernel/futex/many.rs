//! futex_waitv(2): waiting on several words, private and shared ones. Source: Linux `kernel/futex/waitwake.c`
//! `futex_wait_multiple`.

use std::sync::Arc;

use super::queue::{Kind, Waiter};
use super::{FutexTable, Word};
use crate::abi::Errno;
use crate::host::futex_shared::Expected;
use crate::kernel::blocking::WordEnd;
use crate::kernel::{Interrupted, Task};
use crate::mem::GuestMemory;

/// One of the words that a call waits for.
#[derive(Clone, Copy, Debug)]
pub struct Awaited {
    /// The word.
    pub word: Word,
    /// What it must hold.
    pub expected: u32,
}

impl FutexTable {
    /// Waits until one of the words is woken, while each holds its value; the answer is the index of one that was.
    ///
    /// # Errors
    /// [`Interrupted::Failed`] with `EAGAIN` where one holds something else, or `EFAULT`; otherwise as
    /// [`Task::block_until`].
    pub fn wait_any(
        &self,
        task: &Arc<Task>,
        memory: GuestMemory,
        list: &[Awaited],
        deadline_ns: Option<u64>,
    ) -> Result<u32, Interrupted> {
        task.ticket().reset();
        let queued = self.enqueue_all(task, memory, list);
        let result = match queued {
            Ok(()) => self.sleep_on_any(task, list, deadline_ns),
            Err(errno) => Err(Interrupted::Failed(errno)),
        };
        if list.iter().any(|awaited| awaited.word.shared.is_none()) {
            self.forget_all(task);
        }
        if task.ticket().is_moved() {
            let anew = |awaited: &Awaited| Ok(Awaited { word: awaited.word.anew(task.process())?, ..*awaited });
            let list: Vec<Awaited> = list.iter().map(anew).collect::<Result<_, Interrupted>>()?;
            return match self.wait_any(task, memory, &list, deadline_ns) {
                // One has changed since, which is how a wake looks to who has not slept.
                Err(Interrupted::Failed(Errno::EAGAIN)) => Ok(0),
                ended => ended,
            };
        }
        // A wake that came before the waits were taken back counts.
        match task.ticket().woken() {
            Some(index) => Ok(index),
            None => result,
        }
    }

    fn enqueue_all(&self, task: &Arc<Task>, memory: GuestMemory, list: &[Awaited]) -> Result<(), Errno> {
        for (awaited, index) in list.iter().zip(0..) {
            if awaited.word.shared.is_none() {
                let at = awaited.word.addr();
                let waiter = Waiter { at, bitset: u32::MAX, kind: Kind::Plain, index, task: task.clone() };
                self.enqueue(memory, waiter, awaited.expected)?;
            }
        }
        Ok(())
    }

    fn sleep_on_any(&self, task: &Arc<Task>, list: &[Awaited], deadline_ns: Option<u64>) -> Result<u32, Interrupted> {
        let (indices, words): (Vec<u32>, Vec<Expected>) = (0..)
            .zip(list)
            .filter_map(|(index, awaited)| {
                awaited.word.shared.map(|word| (index, Expected { word, value: awaited.expected }))
            })
            .unzip();
        let woken = || task.ticket().woken();
        if words.is_empty() {
            return task.block_until(deadline_ns, woken);
        }
        match task.block_on_words(&words, deadline_ns, || woken().is_some())? {
            // Of a private word; the ticket says which.
            WordEnd::Woken(None) => Ok(0),
            WordEnd::Woken(Some(at)) => Ok(indices.get(at).copied().unwrap_or(0)),
            WordEnd::Changed { has_slept: true } => Ok(indices.first().copied().unwrap_or(0)),
            WordEnd::Changed { has_slept: false } => Err(Interrupted::Failed(Errno::EAGAIN)),
        }
    }
}
