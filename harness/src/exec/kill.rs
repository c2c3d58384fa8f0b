//! Random kills: [`Kill`], the SIGKILL that one member of a run's tree gets at a moment of its own.
//!
//! What a guest does when somebody has killed its child or its parent is the guest's affair, so a run in which somebody was
//! killed is judged as one that the harness has ended: by its counts, its masks, its crash records and the files that nobody
//! will take away. That nobody is stuck shows when the rest of the tree is ended: who does not die of SIGKILL within the harness's patience ends the harness.

use super::tree;
use crate::event::RunId;
use crate::stats::StatsFile;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

/// How long the rest of a tree may go on after the kill.
pub(super) const AFTERMATH: Duration = Duration::from_secs(2);

/// log2 of the most milliseconds until a kill. The moments are spread over the powers of two, since a start takes a few
/// milliseconds and a guest up to seconds.
const MOMENT_BITS: u64 = 10;

/// Who is killed, and when: a function of the seed and the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kill {
    /// From the start of the run on.
    pub(super) after: Duration,
    /// Which of the processes that are there, by their number.
    choice: u64,
}

impl Kill {
    pub(super) fn of(seed: u64, run: &RunId) -> Self {
        let mut hasher = DefaultHasher::new();
        (seed, format!("{run:?}")).hash(&mut hasher);
        let drawn = hasher.finish();
        let most_us = 1000 << (drawn % (MOMENT_BITS + 1));
        Self { after: Duration::from_micros((drawn >> 8) % most_us), choice: drawn >> 32 }
    }

    /// Kills; false where no process has begun to count, or none is left.
    pub(super) fn strike(self, stats: &StatsFile) -> bool {
        let processes = stats.read().map(|snapshot| snapshot.processes).unwrap_or_default();
        let known = processes.iter().map(|process| (process.pid.0, process.start_time_ticks));
        let living: Vec<(i32, u64)> = known.filter(|known| tree::lives(*known)).collect();
        let Some(count) = u64::try_from(living.len()).ok().filter(|count| *count > 0) else { return false };
        let victim = usize::try_from(self.choice % count).unwrap_or(0);
        tree::kill_known(&living[victim..=victim]) > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Phase;

    fn run(iteration: u32) -> RunId {
        RunId { phase: Phase::Measure, guest: "tree".into(), control: None, iteration }
    }

    #[test]
    fn a_seed_names_the_moments_and_they_differ() {
        let moments: Vec<Kill> = (0..200).map(|iteration| Kill::of(7, &run(iteration))).collect();
        assert_eq!(moments[3], Kill::of(7, &run(3)));
        assert_ne!(moments[3], Kill::of(8, &run(3)));
        let limit = Duration::from_millis(1 << MOMENT_BITS);
        assert!(moments.iter().all(|kill| kill.after < limit));
        let early = moments.iter().filter(|kill| kill.after < Duration::from_millis(16)).count();
        assert!((50..150).contains(&early), "{early}");
    }
}
