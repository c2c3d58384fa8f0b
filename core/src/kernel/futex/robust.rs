//! What a thread that ends leaves locked: the robust list that it has registered, and locks with owners that others
//! wait for. Source: set_robust_list(2), Linux `kernel/futex/core.c` `exit_robust_list`, `exit_pi_state_list`.
//!
//! A process that the host kills (SIGKILL from outside) walks no list: the host cannot read the guest's.

use super::FutexTable;
use super::pi::{OWNER_DIED, TID_MASK, WAITERS};
use crate::abi::{Errno, GuestAddr, GuestPtr, Tid};
use crate::kernel::Process;

/// Most entries that are looked at, so that a list in a circle ends.
const LIST_LIMIT: usize = 2048;

/// Bit of an entry's address: the lock has an owner that inherits (`FUTEX_LOCK_PI`).
const IS_PI: u64 = 1;

impl FutexTable {
    /// Gives up everything that the thread `tid` has locked. It must not be among the threads of its process any more.
    pub fn end_thread(&self, process: &Process, tid: Tid, robust_list: GuestAddr) {
        if !robust_list.is_null() {
            // A list that cannot be read is the guest's affair: Linux stops there as well.
            let _as_far_as_readable = self.walk(process, tid, robust_list);
        }
        self.release_dead_owners(process, tid);
    }

    fn walk(&self, process: &Process, tid: Tid, list: GuestAddr) -> Result<(), Errno> {
        let memory = process.memory();
        // `struct robust_list_head`: the first entry, the offset of the words, the entry that is being worked on.
        let [first, offset, pending] = memory.read(GuestPtr::<[u64; 3]>::new(list))?;
        let word_of = |entry: u64| {
            let at = GuestAddr(entry & !IS_PI).wrapping_offset(offset.cast_signed());
            (GuestPtr::<u32>::new(at), entry & IS_PI != 0)
        };
        let mut entry = first;
        for _ in 0..LIST_LIMIT {
            if entry & !IS_PI == list.0 {
                break;
            }
            // Before the word is given up: its next owner may unlink the entry.
            let next = memory.read(GuestPtr::<u64>::new(GuestAddr(entry & !IS_PI)));
            if entry & !IS_PI != pending & !IS_PI {
                let (word, is_pi) = word_of(entry);
                self.give_up(process, tid, word, is_pi, false)?;
            }
            entry = next?;
        }
        if pending & !IS_PI != 0 {
            let (word, is_pi) = word_of(pending);
            self.give_up(process, tid, word, is_pi, true)?;
        }
        Ok(())
    }

    /// Marks one word as left behind by its owner, and wakes who waits for it.
    fn give_up(
        &self,
        process: &Process,
        tid: Tid,
        word: GuestPtr<u32>,
        is_pi: bool,
        is_pending: bool,
    ) -> Result<(), Errno> {
        let memory = process.memory();
        let mut held = memory.load_u32(word)?;
        if is_pending && !is_pi && held == 0 {
            // The thread ended between the unlock and the wake.
            self.wake_written(process, word, 1);
            return Ok(());
        }
        while held & TID_MASK == tid.0.cast_unsigned() {
            if is_pi && self.hand_over_dead(process, tid, word)? {
                return Ok(());
            }
            let seen = memory.compare_exchange_u32(word, held, held & WAITERS | OWNER_DIED)?;
            if seen == held {
                if held & WAITERS != 0 {
                    self.wake_written(process, word, 1);
                }
                return Ok(());
            }
            held = seen;
        }
        Ok(())
    }
}
