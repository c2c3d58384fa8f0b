//! The statistics file.

use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::Ordering;

use elfuse::abi::Pid;
use elfuse::host::thread::Role;
use elfuse::preempt::stats::{ProcessCounter, ProcessKind, Stats, StatsSnapshot, TaskCounter, TaskRole, layout};
use elfuse::preempt::{KickCause, KickTargets};

use crate::rig::{Rig, start_helper, wait_until};
use crate::{Case, cases};

pub(crate) const CASES: &[Case] = cases![
    counts_of_a_killed_process_are_kept,
    runs_and_exits_add_up,
    a_freed_slot_is_used_again_and_counts_on,
    a_full_file_is_counted_and_no_crash,
    a_disk_that_fills_later_costs_counts_and_nothing_else,
    hostile_files_are_errors_or_nonsense,
];

fn file() -> std::path::PathBuf {
    std::path::PathBuf::from(std::env::var_os("ELFUSE_SIGNAL_DIR").unwrap()).join("stats")
}

/// The helper process: a kicked worker that counts.
pub(crate) fn count_until_killed(path: &Path) {
    let rig = Rig::counting_in(Stats::open(path, ProcessKind::ForkChild).unwrap(), None);
    let worker = rig.worker(Role::Worker);
    println!("ready");
    std::io::stdout().flush().unwrap();
    for _ in 0..600_000 {
        rig.preemption.kicker().request(KickTargets::All, KickCause::Doorbell);
        std::thread::sleep(std::time::Duration::from_micros(100));
    }
    worker.stop();
}

fn counts_of_a_killed_process_are_kept() {
    let path = file();
    let _own = Stats::open(&path, ProcessKind::Initial).unwrap().claim_process();
    let mut children =
        [start_helper(&["count", path.to_str().unwrap()]), start_helper(&["count", path.to_str().unwrap()])];
    let total = || StatsSnapshot::open(&path).unwrap().sum_tasks(TaskCounter::ExitsCanceledInCode, |_| true);
    wait_until("both children count", || {
        let snapshot = StatsSnapshot::open(&path).unwrap();
        snapshot.tasks.len() == 2 && snapshot.tasks.iter().all(|task| task.exits() > 100)
    });
    children.iter_mut().for_each(|child| child.kill().unwrap());
    let statuses = children.each_mut().map(|child| child.wait().unwrap());
    assert!(statuses.iter().all(|status| !status.success()));
    assert!(total() > 100);
    let snapshot = StatsSnapshot::open(&path).unwrap();
    assert_eq!((snapshot.processes.len(), snapshot.unreadable_slots, snapshot.overflowed), (3, 0, 0));
    for task in &snapshot.tasks {
        assert!((0..=1).contains(&task.in_flight()), "{task:?}");
        assert_eq!((task.role, task.process, task.live), (TaskRole::Worker, ProcessKind::ForkChild, true));
        assert!(children.iter().any(|child| Pid(child.id().cast_signed()) == task.pid));
    }
    assert!(snapshot.sum_processes(ProcessCounter::KicksDoorbell) >= total());
}

fn runs_and_exits_add_up() {
    let path = file();
    let rig = Rig::counting_in(Stats::open(&path, ProcessKind::Initial).unwrap(), None);
    let workers = [rig.worker(Role::Bootstrap), rig.worker(Role::Worker)];
    let sender = rig.sender();
    for _ in 0..500 {
        sender.send_null().unwrap();
    }
    wait_until("the records are counted", || rig.count(ProcessCounter::RecordsNull) == 500);
    let canceled: u64 = {
        let states: Vec<_> = workers.iter().map(|worker| worker.state.clone()).collect();
        workers.into_iter().for_each(crate::rig::Worker::stop);
        states.iter().map(|state| state.canceled.load(Ordering::Acquire)).sum()
    };
    rig.preemption.shut_down();
    let snapshot = StatsSnapshot::open(&path).unwrap();
    assert_eq!(snapshot.tasks.iter().map(|task| task.exits()).sum::<u64>(), canceled);
    for task in &snapshot.tasks {
        assert_eq!((task.in_flight(), task.live, task.get(TaskCounter::ExitsUnknown)), (0, false, 0), "{task:?}");
    }
    assert!(!snapshot.processes[0].live);
}

fn a_freed_slot_is_used_again_and_counts_on() {
    let path = file();
    let stats = Stats::open(&path, ProcessKind::Initial).unwrap();
    for _ in 0..100 {
        let worker = stats.claim_task(TaskRole::Worker);
        worker.bump(TaskCounter::RunsEntered);
    }
    let bootstrap = stats.claim_task(TaskRole::Bootstrap);
    bootstrap.bump(TaskCounter::RunsEntered);
    let snapshot = StatsSnapshot::open(&path).unwrap();
    assert_eq!(snapshot.tasks.len(), 2);
    let of = |role| snapshot.tasks.iter().find(|task| task.role == role).unwrap();
    assert_eq!((of(TaskRole::Worker).generation, of(TaskRole::Worker).get(TaskCounter::RunsEntered)), (100, 100));
    assert_eq!((of(TaskRole::Bootstrap).generation, of(TaskRole::Bootstrap).live), (1, true));
}

fn a_full_file_is_counted_and_no_crash() {
    let path = file();
    let stats = Stats::open(&path, ProcessKind::Initial).unwrap();
    let claimed = (0..layout::FILE_SLOTS + 3).map(|_| stats.claim_task(TaskRole::Worker)).collect::<Vec<_>>();
    claimed.iter().for_each(|task| task.bump(TaskCounter::RunsEntered));
    let snapshot = StatsSnapshot::open(&path).unwrap();
    assert_eq!((snapshot.tasks.len(), snapshot.overflowed), (layout::FILE_SLOTS as usize, 3));
}

fn a_disk_that_fills_later_costs_counts_and_nothing_else() {
    let path = file();
    let stats = Stats::open(&path, ProcessKind::Initial).unwrap();
    // Behind its end a file has pages as little as on a full disk.
    let room = 64 << 10;
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(room).unwrap();
    let claimed = (0..130).map(|_| stats.claim_task(TaskRole::Worker)).collect::<Vec<_>>();
    claimed.iter().for_each(|task| task.bump(TaskCounter::RunsEntered));
    let in_room = (room as usize - layout::HEADER_BYTES) / layout::SLOT_BYTES;
    let snapshot = StatsSnapshot::open(&path).unwrap();
    assert_eq!((snapshot.tasks.len(), snapshot.overflowed), (in_room, 130 - in_room as u64));
}

fn hostile_files_are_errors_or_nonsense() {
    let path = file();
    for bytes in [&b""[..], b"ELFSTAT1", &[0; 5000], b"/bin/sh"] {
        std::fs::write(&path, bytes).unwrap();
        assert!(StatsSnapshot::open(&path).is_err());
        if !bytes.is_empty() {
            assert!(Stats::open(&path, ProcessKind::Initial).is_err());
        }
    }
    assert!(StatsSnapshot::open(Path::new("/dev/zero")).is_err());
    // A good header over nonsense: claims more than there is, kinds that do not exist, all counters at their maximum.
    std::fs::remove_file(&path).unwrap();
    let _process = Stats::open(&path, ProcessKind::Initial).unwrap().claim_process();
    let raw = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    raw.write_all_at(&u32::MAX.to_ne_bytes(), 20).unwrap();
    raw.write_all_at(&[0xff; 4096], layout::HEADER_BYTES as u64).unwrap();
    raw.set_len(layout::HEADER_BYTES as u64 + 3 * layout::SLOT_BYTES as u64 + 100).unwrap();
    let snapshot = StatsSnapshot::open(&path).unwrap();
    assert_eq!((snapshot.tasks.len(), snapshot.processes.len(), snapshot.unreadable_slots), (0, 0, 3));
    // Killed while it claimed the second slot.
    raw.write_all_at(&[0; 4], (layout::HEADER_BYTES + layout::SLOT_BYTES) as u64).unwrap();
    let snapshot = StatsSnapshot::open(&path).unwrap();
    assert_eq!((snapshot.unreadable_slots, snapshot.unfinished_slots), (2, 1));
    // One that is too short to be mapped whole is refused, or counting would raise SIGBUS.
    assert!(Stats::open(&path, ProcessKind::Initial).is_err());
}
