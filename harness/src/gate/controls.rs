//! The controls: deliberate breakages, each with the guest that shows it and the one check that must catch it, [`CONTROLS`].
//!
//! A breakage has consequences: a missed mask ends a run as UNKNOWN, which writes a crash record, which changes the exit
//! status. So a row also names the checks that its breakage *explains*. A repetition counts as caught if the named check
//! failed and no check failed that the row does not explain; a control is caught if every repetition is ([`caught`]).

use crate::event::{Check, ControlResult, Failure, Outcome, Phase, RunId, RunResult};
use crate::plan::PlannedRun;
use crate::storm::Mode;
use elfuse::host::controls::Control;
use guest_tests::Manifest;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breakage {
    /// An invariant of elfuse.
    Elfuse(Control),
    /// Nothing of elfuse: the guest leaves a process, and the row's `leaves` is not believed.
    LeavesProcess,
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub struct ControlRow {
    /// What is broken.
    pub breakage: Breakage,
    /// The guest that shows it.
    pub guest: &'static str,
    /// Whether the guest is stormed. A storm heals a lost wake-up.
    pub is_stormed: bool,
    /// When the harness ends a run: short where the breakage shows as a hang.
    pub wall_limit: Duration,
    /// The check that must catch it.
    pub caught_by: Check,
    /// Checks that may fail besides, as consequences.
    pub explains: &'static [Check],
}

/// What an UNKNOWN exit entails: the handler that caused it, a crash record, and an early end.
const OF_UNKNOWN: &[Check] = &[
    Check::StrayHandler,
    Check::Mask,
    Check::Crash,
    Check::Ending,
    Check::Output,
    Check::InCode,
    Check::Undelivered,
    Check::LeftProcess,
    Check::LeftFile,
];
/// What a kick by the vCPU's own thread entails: it is a handler inside a run, so an UNKNOWN, too.
const OF_SELF_KICK: &[Check] = &[
    Check::Unknown,
    Check::StrayHandler,
    Check::Mask,
    Check::Crash,
    Check::Ending,
    Check::Output,
    Check::InCode,
    Check::Undelivered,
    Check::LeftProcess,
    Check::LeftFile,
];
/// Longer than any of the controls' guests takes when it works.
const PATIENCE: Duration = Duration::from_secs(60);
/// For controls that show as a hang: many times what the guest takes when it works.
const HANG: Duration = Duration::from_millis(1500);

/// All controls.
pub const CONTROLS: [ControlRow; 10] = [
    ControlRow {
        breakage: Breakage::Elfuse(Control::MaskBootstrap),
        guest: "spin",
        is_stormed: true,
        wall_limit: PATIENCE,
        caught_by: Check::Unknown,
        explains: OF_UNKNOWN,
    },
    ControlRow {
        breakage: Breakage::Elfuse(Control::MaskWorker),
        guest: "spin-workers",
        is_stormed: true,
        wall_limit: PATIENCE,
        caught_by: Check::Unknown,
        explains: OF_UNKNOWN,
    },
    ControlRow {
        breakage: Breakage::Elfuse(Control::MaskForkChild),
        guest: "spin-children",
        is_stormed: true,
        wall_limit: PATIENCE,
        caught_by: Check::Unknown,
        explains: OF_UNKNOWN,
    },
    ControlRow {
        breakage: Breakage::Elfuse(Control::MaskPool),
        guest: "spin",
        is_stormed: true,
        wall_limit: PATIENCE,
        caught_by: Check::Mask,
        // Doorbells that the pool thread swallows are not rung.
        explains: &[Check::StrayHandler, Check::InCode, Check::Undelivered],
    },
    ControlRow {
        breakage: Breakage::Elfuse(Control::KickFromHandler),
        guest: "spin",
        is_stormed: true,
        wall_limit: PATIENCE,
        caught_by: Check::SelfKick,
        explains: OF_SELF_KICK,
    },
    ControlRow {
        breakage: Breakage::Elfuse(Control::SingleHandleRegistry),
        guest: "spin-first-worker",
        is_stormed: true,
        wall_limit: PATIENCE,
        caught_by: Check::InCode,
        explains: &[],
    },
    ControlRow {
        breakage: Breakage::Elfuse(Control::ChildWithoutKickThread),
        guest: "spin-children",
        is_stormed: true,
        wall_limit: PATIENCE,
        caught_by: Check::InCode,
        explains: &[Check::Undelivered, Check::LeftFile],
    },
    ControlRow {
        breakage: Breakage::Elfuse(Control::LostWakeup),
        guest: "park-futex",
        is_stormed: false,
        wall_limit: HANG,
        caught_by: Check::WallLimit,
        explains: &[],
    },
    ControlRow {
        breakage: Breakage::Elfuse(Control::StaleWatchdog),
        guest: "long-calls",
        is_stormed: true,
        wall_limit: PATIENCE,
        caught_by: Check::Crash,
        explains: &[Check::Ending, Check::Output],
    },
    ControlRow {
        breakage: Breakage::LeavesProcess,
        guest: "orphan-leave",
        is_stormed: true,
        wall_limit: PATIENCE,
        caught_by: Check::LeftProcess,
        // The harness ends it by SIGKILL, after which nobody removes its transport file.
        explains: &[Check::LeftFile],
    },
];

impl Breakage {
    /// The name in reports, and of `ELFUSE_CONTROL` where elfuse is broken.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Elfuse(control) => control.name(),
            Self::LeavesProcess => "left-process",
        }
    }
}

/// The runs of one control.
///
/// # Errors
/// The manifest has no such guest.
pub fn runs(
    row: &ControlRow,
    manifest: &Manifest,
    repetitions: u32,
    storm_hz: u32,
) -> Result<Vec<PlannedRun>, guest_tests::Error> {
    let guest = Arc::new(manifest.guest(row.guest)?.clone());
    let run = |iteration| PlannedRun {
        id: RunId {
            phase: Phase::Controls,
            guest: guest.name().to_owned(),
            control: Some(row.breakage.name().to_owned()),
            iteration,
        },
        guest: Arc::clone(&guest),
        mode: if row.is_stormed { Mode::Storm { hz: storm_hz, reads_masks: true } } else { Mode::Quiet },
        wall_limit: row.wall_limit,
        leaves: match row.breakage {
            Breakage::Elfuse(_) => guest.leaves(),
            Breakage::LeavesProcess => 0,
        },
        breakage: match row.breakage {
            Breakage::Elfuse(control) => Some(control.name().to_owned()),
            Breakage::LeavesProcess => None,
        },
    };
    Ok((0..repetitions).map(run).collect())
}

/// Whether this repetition was caught by the row's check, and by none that the row does not explain.
#[must_use]
pub fn caught(row: &ControlRow, failures: &[Failure]) -> bool {
    let is_explained = |check| check == row.caught_by || row.explains.contains(&check);
    failures.iter().any(|failure| failure.check() == row.caught_by)
        && failures.iter().all(|failure| is_explained(failure.check()))
}

/// Adds up the repetitions of a control.
#[must_use]
pub fn sum_up(row: &ControlRow, planned: u32, results: &[RunResult]) -> ControlResult {
    let mut sum = ControlResult {
        control: row.breakage.name().to_owned(),
        guest: row.guest.to_owned(),
        caught_by: row.caught_by,
        planned,
        seen: 0,
        caught: 0,
        fired: BTreeMap::new(),
    };
    for result in results.iter().filter(|result| result.outcome != Outcome::Interrupted) {
        sum.seen += 1;
        sum.caught += u32::from(caught(row, &result.failures));
        let mut checks: Vec<Check> = result.failures.iter().map(Failure::check).collect();
        checks.dedup();
        for check in checks {
            *sum.fired.entry(check).or_default() += 1;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_breakage_of_elfuse_has_a_row_and_every_row_a_guest() {
        let manifest = Manifest::load().unwrap();
        for (control, name) in Control::ALL {
            let rows = CONTROLS.iter().filter(|row| row.breakage == Breakage::Elfuse(control)).count();
            assert_eq!(rows, 1, "{name}");
        }
        for row in &CONTROLS {
            assert_eq!(runs(row, &manifest, 3, 2000).unwrap().len(), 3, "{}", row.guest);
            assert!(!row.explains.contains(&row.caught_by));
        }
    }

    #[test]
    fn a_control_is_caught_by_its_check_alone() {
        let row = &CONTROLS[0];
        let unknown = Failure::Unknown { count: 1 };
        let explained = Failure::StrayHandler { count: 1 };
        let unexplained = Failure::WallLimit { limit_ms: 1 };
        assert!(caught(row, std::slice::from_ref(&unknown)));
        assert!(caught(row, &[unknown.clone(), explained.clone()]));
        assert!(!caught(row, &[]), "nothing noticed");
        assert!(!caught(row, &[explained]), "another check instead");
        assert!(!caught(row, &[unknown, unexplained]), "something else is wrong, too");
    }

    #[test]
    fn repetitions_add_up() {
        let row = &CONTROLS[0];
        let result = |outcome, failures| RunResult {
            id: RunId { phase: Phase::Controls, guest: row.guest.into(), control: None, iteration: 0 },
            outcome,
            failures,
            tally: crate::tally::Tally::default(),
            storm: crate::event::StormCounts::default(),
            wall_us: 0,
            latencies_ns: Vec::new(),
        };
        let good = result(Outcome::Failed, vec![Failure::Unknown { count: 1 }]);
        let missed = result(Outcome::Passed, Vec::new());
        let cut = result(Outcome::Interrupted, Vec::new());
        let sum = sum_up(row, 3, &[good.clone(), missed, cut]);
        assert_eq!((sum.planned, sum.seen, sum.caught, sum.passed()), (3, 2, 1, false));
        assert!(sum_up(row, 1, &[good]).passed());
        assert!(!sum_up(row, 0, &[]).passed(), "no repetition proves nothing");
    }
}
