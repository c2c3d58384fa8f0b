//! What is to be run: [`PlannedRun`], and the order of them.
//!
//! An iteration is one run of each guest, in an order drawn from the seed, so that guests meet others each time. Guests
//! whose row says `once` come first, once: they are long, and the rest runs beside them.

use crate::event::{Phase, RunId};
use crate::shard::Shard;
use crate::storm::Mode;
use guest_tests::{Class, Guest, Manifest, Use};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Iterations of a gate that may be recorded as acceptance, at least.
pub const ACCEPTANCE_ITERATIONS: u32 = 500;

/// One run that is to be seen.
#[derive(Debug, Clone)]
pub struct PlannedRun {
    /// Which run.
    pub id: RunId,
    /// Its guest's row.
    pub guest: Arc<Guest>,
    /// What the storm sends it.
    pub mode: Mode,
    /// When the harness ends it.
    pub wall_limit: Duration,
    /// Processes that it may leave.
    pub leaves: u32,
    /// The value of `ELFUSE_CONTROL`, if elfuse is to break something.
    pub breakage: Option<String>,
}

/// Which guests.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Guests of these classes; all if empty.
    pub classes: Vec<Class>,
    /// Guests of these names, whatever their class; all if empty.
    pub guests: Vec<String>,
}

/// Why there is nothing to run.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The manifest, or a name that is not in it.
    #[error(transparent)]
    Manifest(#[from] guest_tests::Error),
    /// The selection is empty.
    #[error("no guest matches --class and --guest: `harness list` shows them")]
    Nothing,
}

/// The guests of `manifest` that `purpose` and the selection pick. A guest that is named is picked whatever its purpose.
///
/// # Errors
/// [`PlanError`]: an unknown name, or nothing left.
pub fn select(manifest: &Manifest, purpose: Use, selection: &Selection) -> Result<Vec<Arc<Guest>>, PlanError> {
    let of_class = |guest: &Guest| selection.classes.is_empty() || selection.classes.contains(&guest.class());
    let picked: Vec<Arc<Guest>> = if selection.guests.is_empty() {
        manifest.used_by(purpose).filter(|guest| of_class(guest)).map(|guest| Arc::new(guest.clone())).collect()
    } else {
        let named: Result<Vec<&Guest>, _> = selection.guests.iter().map(|name| manifest.guest(name)).collect();
        named?.into_iter().filter(|guest| of_class(guest)).map(|guest| Arc::new(guest.clone())).collect()
    };
    if picked.is_empty() { Err(PlanError::Nothing) } else { Ok(picked) }
}

/// Masks are read in every so many runs of a guest, beginning with one of its first [`FIRST_MASKS`]. Linux may spend seconds on taking a process away whose tasks somebody has
/// looked at in `/proc` (`shrink_dcache_parent`), and a gate that reads them in each run takes several times as long.
const MASKS_EVERY: u32 = 8;
/// See [`MASKS_EVERY`]: guests take turns, so that not all of them are looked at in the same iteration.
const FIRST_MASKS: u32 = 4;

/// The runs of a stormed phase: of iterations `first..first + iterations` of each guest those that fall to the shard. Guests
/// that run once are part of iteration 0.
#[must_use]
pub fn storm_runs(
    phase: Phase,
    guests: &[Arc<Guest>],
    first: u32,
    iterations: u32,
    seed: u64,
    terms: StormTerms,
) -> Vec<PlannedRun> {
    let turns: BTreeMap<&str, u32> = guests.iter().map(|guest| guest.name()).zip((0..FIRST_MASKS).cycle()).collect();
    let reads_masks = |guest: &Guest, iteration: u32| {
        let number = iteration / guest.every().max(1);
        number % MASKS_EVERY == turns.get(guest.name()).copied().unwrap_or_default()
    };
    let run = |guest: &Arc<Guest>, iteration| PlannedRun {
        id: RunId { phase, guest: guest.name().to_owned(), control: None, iteration },
        guest: Arc::clone(guest),
        mode: Mode::Storm { hz: terms.hz, reads_masks: reads_masks(guest, iteration) },
        wall_limit: terms.wall_limit,
        leaves: guest.leaves(),
        breakage: None,
    };
    let mut runs = Vec::new();
    if first == 0 {
        let once = guests.iter().filter(|guest| guest.once()).zip(0..);
        runs.extend(once.filter(|(_, number)| terms.shard.takes(*number)).map(|(guest, _)| run(guest, 0)));
    }
    let mut random = Random::new(seed ^ u64::from(first));
    let mut repeated: Vec<&Arc<Guest>> = guests.iter().filter(|guest| !guest.once()).collect();
    for iteration in first..first.saturating_add(iterations) {
        // Of each iteration, so that a shard runs its own in the order that they have in the whole.
        random.shuffle(&mut repeated);
        if terms.shard.takes(iteration) {
            let due = repeated.iter().filter(|guest| iteration.is_multiple_of(guest.every().max(1)));
            runs.extend(due.map(|guest| run(guest, iteration)));
        }
    }
    runs
}

/// What all runs of a stormed phase share.
#[derive(Debug, Clone, Copy)]
pub struct StormTerms {
    /// Doorbells a second for each process.
    pub hz: u32,
    /// When the harness ends a run.
    pub wall_limit: Duration,
    /// The part that is run here.
    pub shard: Shard,
}

/// How many runs of each guest there are.
#[must_use]
pub fn count_by_guest(runs: &[PlannedRun]) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for run in runs {
        *counts.entry(run.id.guest.clone()).or_default() += 1;
    }
    counts
}

/// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014): small, and the same everywhere,
/// so that a seed names one order for ever.
#[derive(Debug)]
struct Random(u64);

impl Random {
    const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.next() % (last as u64 + 1);
            items.swap(last, usize::try_from(other).unwrap_or(last));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: StormTerms = StormTerms { hz: 2000, wall_limit: Duration::from_secs(1), shard: Shard::WHOLE };

    fn guests(names: &[&str]) -> Vec<Arc<Guest>> {
        let selection =
            Selection { guests: names.iter().map(|name| (*name).to_owned()).collect(), classes: Vec::new() };
        select(&Manifest::load().unwrap(), Use::Test, &selection).unwrap()
    }

    #[test]
    fn a_seed_names_one_order() {
        let guests = guests(&["hello", "spin", "fork", "signal", "park-read"]);
        let order = |seed| -> Vec<RunId> {
            storm_runs(Phase::Measure, &guests, 0, 20, seed, TERMS).into_iter().map(|run| run.id).collect()
        };
        assert_eq!(order(1), order(1));
        assert_ne!(order(1), order(2));
        let mut sorted = order(1);
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted.len(), 100, "every guest once in every iteration");
    }

    #[test]
    fn masks_are_read_in_every_eighth_run_of_each_guest() {
        let guests = guests(&["hello", "spin", "fork", "signal", "park-read"]);
        let runs = storm_runs(Phase::Measure, &guests, 0, 16, 1, TERMS);
        for guest in &guests {
            let read = |run: &&PlannedRun| {
                run.id.guest == guest.name() && matches!(run.mode, Mode::Storm { reads_masks: true, .. })
            };
            assert_eq!(runs.iter().filter(read).count(), 2, "{}", guest.name());
        }
    }

    #[test]
    fn guests_that_run_once_are_planned_once() {
        let all = select(&Manifest::load().unwrap(), Use::Test, &Selection::default()).unwrap();
        let runs = storm_runs(Phase::Measure, &all, 0, 7, 1, TERMS);
        for guest in &all {
            let wanted = if guest.once() { 1 } else { 7_u32.div_ceil(guest.every()) };
            assert_eq!(count_by_guest(&runs)[guest.name()], wanted, "{}", guest.name());
        }
        assert!(storm_runs(Phase::Measure, &all, 7, 1, 1, TERMS).iter().all(|run| !run.guest.once()));
    }

    #[test]
    fn shards_together_run_the_whole_plan() {
        let all = select(&Manifest::load().unwrap(), Use::Test, &Selection::default()).unwrap();
        let ids = |shard| -> Vec<RunId> {
            let terms = StormTerms { shard, ..TERMS };
            storm_runs(Phase::Measure, &all, 0, 5, 1, terms).into_iter().map(|run| run.id).collect()
        };
        let mut parts: Vec<RunId> = (1..=3).flat_map(|index| ids(Shard { index, of: 3 })).collect();
        let mut whole = ids(Shard::WHOLE);
        parts.sort();
        whole.sort();
        assert_eq!(parts, whole);
    }

    #[test]
    fn selections_pick_by_class_and_name() {
        let manifest = Manifest::load().unwrap();
        let forks = Selection { classes: vec![Class::Fork], guests: Vec::new() };
        assert!(select(&manifest, Use::Test, &forks).unwrap().iter().all(|guest| guest.class() == Class::Fork));
        let nobody = Selection { classes: vec![Class::Fork], guests: vec!["hello".into()] };
        assert!(matches!(select(&manifest, Use::Test, &nobody), Err(PlanError::Nothing)));
        let unknown = Selection { guests: vec!["no-such".into()], ..Selection::default() };
        assert!(matches!(select(&manifest, Use::Test, &unknown), Err(PlanError::Manifest(_))));
    }

    #[test]
    fn the_generator_is_splitmix64() {
        // The first output for seed 0, as published with the reference implementation.
        assert_eq!(Random::new(0).next(), 0xe220_a839_7b1d_cdaf);
    }
}
