//! How many doorbells a process is due, and over how much of its life: [`Pace`].
//!
//! What the storm could not send in time it sends at the next tick, up to [`BURST`]. Where the storm's thread was without a
//! processor for longer than that, the rest of the gap is no storm: it does not count as the process's time under it, and is
//! added up apart, so that the gate can see how much of the whole was missed.

/// Most doorbells that a process gets in one tick, when the storm is late.
pub(super) const BURST: u64 = 64;
/// A process whose time under the storm is shorter, in microseconds, says nothing about the rate: ticks are too coarse.
const TELLING_US: u64 = 100_000;
/// Nanoseconds of ten seconds: rates are in elevenths of a tenth, a tenth more than is promised, so that the last tick of a
/// run does not make the difference.
const TEN_SECONDS_NS: u64 = 10_000_000_000;

/// One process's doorbells. Times are those of the monotonic clock in nanoseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    hz: u64,
    since_ns: u64,
    last_ns: u64,
    sent: u64,
    late_ns: u64,
}

impl Pace {
    /// A process that will get `hz` doorbells a second from `now_ns` on.
    pub(super) const fn new(hz: u64, now_ns: u64) -> Self {
        Self { hz, since_ns: now_ns, last_ns: now_ns, sent: 0, late_ns: 0 }
    }

    /// The doorbells to send at `now_ns`.
    pub(super) const fn due(&self, now_ns: u64) -> u64 {
        let stormed_ns = now_ns.saturating_sub(self.since_ns).saturating_sub(self.missed_ns(now_ns));
        let due = stormed_ns.saturating_mul(self.hz * 11) / TEN_SECONDS_NS + 1;
        let owed = due.saturating_sub(self.sent);
        if owed < BURST { owed } else { BURST }
    }

    /// What is more than [`BURST`] can make up for, of the time since the last tick.
    const fn missed_ns(&self, now_ns: u64) -> u64 {
        match (BURST * TEN_SECONDS_NS).checked_div(self.hz * 11) {
            Some(made_up_ns) => now_ns.saturating_sub(self.last_ns).saturating_sub(made_up_ns),
            None => 0,
        }
    }

    /// One was sent.
    pub(super) const fn sent(&mut self) {
        self.sent += 1;
    }

    /// The tick of `now_ns` is over.
    pub(super) const fn ticked(&mut self, now_ns: u64) {
        let missed_ns = self.missed_ns(now_ns);
        self.since_ns += missed_ns;
        self.late_ns += missed_ns;
        self.last_ns = now_ns;
    }

    /// The process could not take any at `now_ns`, stopped with its file locked or at the mercy of a busy machine: the time
    /// since the last tick is no storm.
    pub(super) const fn refused(&mut self, now_ns: u64) {
        self.since_ns += now_ns.saturating_sub(self.last_ns);
        self.last_ns = now_ns;
    }

    /// Time under the storm, in microseconds. It ends with the last tick: when the process went after that nobody knows.
    pub(super) const fn us(&self) -> u64 {
        self.last_ns.saturating_sub(self.since_ns) / 1000
    }

    /// Time that the storm missed, in microseconds.
    pub(super) const fn late_us(&self) -> u64 {
        self.late_ns / 1000
    }

    /// Doorbells a second, where there was time enough to tell.
    pub(super) const fn rate(&self) -> Option<u64> {
        let us = self.us();
        if us < TELLING_US { None } else { Some(self.sent * 1_000_000 / us) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    /// Ticks from the first time to the last, each sending all that is due.
    fn tick(pace: &mut Pace, from_ms: u64, to_ms: u64) {
        for ms in from_ms..=to_ms {
            for _ in 0..pace.due(ms * MS) {
                pace.sent();
            }
            pace.ticked(ms * MS);
        }
    }

    #[test]
    fn a_storm_in_time_keeps_its_promise() {
        let mut pace = Pace::new(2000, 0);
        tick(&mut pace, 0, 500);
        assert!(pace.rate().is_some_and(|hz| (2000..=2220).contains(&hz)), "{pace:?}");
        assert_eq!(pace.late_us(), 0);
    }

    #[test]
    fn a_process_that_lives_shortly_says_nothing() {
        let mut pace = Pace::new(2000, 0);
        tick(&mut pace, 0, 99);
        assert_eq!(pace.rate(), None);
    }

    #[test]
    fn what_is_a_little_late_is_sent_later() {
        let mut pace = Pace::new(2000, 0);
        tick(&mut pace, 0, 100);
        tick(&mut pace, 120, 150);
        assert!(pace.rate().is_some_and(|hz| hz >= 2000), "{pace:?}");
        assert_eq!((pace.us(), pace.late_us()), (150_000, 0));
    }

    #[test]
    fn a_storm_without_a_processor_is_none() {
        let mut pace = Pace::new(2000, 0);
        tick(&mut pace, 0, 100);
        // 200 ms, of which 64 doorbells are worth 29.
        tick(&mut pace, 300, 300);
        assert!(pace.rate().is_some_and(|hz| hz >= 2000), "{pace:?}");
        assert_eq!((pace.us() + 500) / 1000, 129);
        assert_eq!((pace.us() + pace.late_us()).div_ceil(10), 30_000);
    }

    #[test]
    fn the_time_after_the_last_tick_does_not_count() {
        let mut pace = Pace::new(2000, 0);
        tick(&mut pace, 0, 110);
        // It is found gone at 150 ms: nothing could be sent.
        assert!(pace.due(150 * MS) > 0);
        assert!(pace.rate().is_some_and(|hz| hz >= 2000), "{pace:?}");
    }

    #[test]
    fn a_process_that_gets_none_is_seen() {
        let mut pace = Pace::new(2000, 0);
        for ms in 0..=200 {
            assert!(pace.due(ms * MS) > 0);
            pace.ticked(ms * MS);
        }
        assert_eq!(pace.rate(), Some(0));
    }

    #[test]
    fn refused_time_is_no_storm() {
        let mut pace = Pace::new(2000, 0);
        tick(&mut pace, 0, 100);
        for ms in 101..=400 {
            pace.refused(ms * MS);
        }
        assert_eq!(pace.us(), 100_000);
    }
}
