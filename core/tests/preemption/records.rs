//! The transport file.

use std::fs::{File, OpenOptions, Permissions};
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::sync::atomic::Ordering;

use elfuse::abi::{Pid, SigInfo, Signal, Tid};
use elfuse::host::{clock, process, thread::Role};
use elfuse::preempt::stats::ProcessCounter;
use elfuse::preempt::transport::{Directory, Receiver, SendError, SenderHandle, is_elfuse};
use elfuse::preempt::{KickCause, KickTargets};

use crate::rig::{Rig, start_helper, wait_until};
use crate::{Case, cases};

pub(crate) const CASES: &[Case] = cases![
    records_of_several_senders_arrive_once_each,
    null_and_undelivered_records_are_counted_apart,
    garbage_is_counted_and_harms_no_record,
    records_for_another_process_are_foreign,
    a_stale_file_is_replaced_and_foreign_ones_are_left_alone,
    senders_follow_no_symlink_and_trust_no_stranger,
    a_peer_that_keeps_the_lock_delays_neither_kicks_nor_records_for_ever,
    a_closed_receiver_gets_no_doorbell,
    a_receiver_that_does_not_drain_is_full,
    a_doorbell_that_lost_its_siginfo_is_none_of_the_guests_signals,
];

fn info(value: u64) -> SigInfo {
    SigInfo::queued(Signal::SIGUSR1, process::own_pid(), 0, value)
}

fn records_of_several_senders_arrive_once_each() {
    const EACH: usize = 2000;
    let rig = Rig::new();
    let worker = rig.worker(Role::Bootstrap);
    let pid = process::own_pid().to_string();
    let mut senders: Vec<_> = (0..3).map(|_| start_helper(&["send", &pid, &EACH.to_string()])).collect();
    let pids: Vec<Pid> = senders.iter().map(|child| Pid(child.id().cast_signed())).collect();
    for sender in &mut senders {
        assert!(sender.wait().unwrap().success());
    }
    wait_until("all records have come", || rig.notes.records.lock().unwrap().len() >= 3 * EACH);
    let records = rig.notes.records.lock().unwrap();
    for pid in pids {
        let values: Vec<u64> = records.iter().filter(|r| r.sender == pid).map(|r| r.info.value()).collect();
        assert!(values.iter().copied().eq(0..EACH as u64), "{} of {pid}", values.len());
    }
    assert_eq!(records.len(), 3 * EACH);
    assert_eq!(rig.count(ProcessCounter::RecordsDelivered), 3 * EACH as u64);
    assert_eq!(rig.count(ProcessCounter::RecordsMalformed), 0);
    drop(records);
    assert!(worker.canceled() > 0);
    assert_eq!(worker.state.unknown.load(Ordering::Acquire), 0);
    worker.stop();
}

fn null_and_undelivered_records_are_counted_apart() {
    let rig = Rig::new();
    let sender = rig.sender();
    sender.send_null().unwrap();
    sender.send_signal(Some(Tid(1)), &info(5)).unwrap();
    sender.send_signal(None, &info(6)).unwrap();
    wait_until("all three are counted", || {
        [ProcessCounter::RecordsNull, ProcessCounter::RecordsUndelivered, ProcessCounter::RecordsDelivered]
            .map(|counter| rig.count(counter))
            == [1, 1, 1]
    });
    assert_eq!(rig.count(ProcessCounter::RecordsReceived), 3);
    assert_eq!(rig.notes.records.lock().unwrap()[0].thread, Some(Tid(1)));
}

/// Writes to the file as no sender does, then rings.
fn scribble(rig: &Rig, bytes: &[u8]) {
    let file = OpenOptions::new().write(true).open(rig.directory.file_of(process::own_pid())).unwrap();
    file.lock().unwrap();
    file.write_all_at(bytes, file.metadata().unwrap().len()).unwrap();
    file.unlock().unwrap();
}

fn garbage_is_counted_and_harms_no_record() {
    let rig = Rig::new();
    let sender = rig.sender();
    scribble(&rig, b"not a record at all");
    sender.send_signal(None, &info(9)).unwrap();
    scribble(&rig, &[0xff; 500]);
    sender.ring().unwrap();
    wait_until("both runs of garbage are counted", || rig.count(ProcessCounter::RecordsMalformed) == 2);
    assert_eq!(rig.notes.records.lock().unwrap().iter().map(|r| r.info.value()).collect::<Vec<_>>(), [9]);
}

fn records_for_another_process_are_foreign() {
    let rig = Rig::new();
    let sender = rig.sender();
    let mut record = sender.record(elfuse::preempt::transport::RecordKind::Signal, None, &info(1));
    record.target.start_time_ticks += 1;
    scribble(&rig, &record.to_bytes());
    record.target = sender.target();
    record.target.pid_namespace += 1;
    scribble(&rig, &record.to_bytes());
    sender.ring().unwrap();
    wait_until("both are foreign", || rig.count(ProcessCounter::RecordsForeign) == 2);
    assert!(rig.notes.records.lock().unwrap().is_empty());
}

fn a_stale_file_is_replaced_and_foreign_ones_are_left_alone() {
    let directory = Directory::from_environment();
    let path = directory.file_of(process::own_pid());
    std::fs::write(&path, b"left by an earlier process").unwrap();
    std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    drop(Receiver::create(&directory).unwrap());
    assert!(!path.exists());

    let treasure = path.with_extension("treasure");
    std::fs::write(&treasure, b"do not touch").unwrap();
    symlink(&treasure, &path).unwrap();
    let warning = Receiver::create(&directory).unwrap_err().to_string();
    assert!(warning.contains("foreign file or symlink"), "{warning}");
    assert_eq!(std::fs::read(&treasure).unwrap(), b"do not touch");
    assert!(path.symlink_metadata().unwrap().is_symlink());
    std::fs::remove_file(&path).unwrap();

    // A file that others may write is as good as foreign, and so is one under a second name.
    std::fs::write(&path, b"").unwrap();
    std::fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
    assert!(Receiver::create(&directory).is_err());
    std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    std::fs::hard_link(&path, path.with_extension("other")).unwrap();
    assert!(Receiver::create(&directory).is_err());
    std::fs::remove_file(&path).unwrap();

    std::fs::create_dir(&path).unwrap();
    assert!(Receiver::create(&directory).is_err());
    std::fs::remove_dir(&path).unwrap();
    if nix::unistd::geteuid().is_root() {
        std::fs::write(&path, b"").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        nix::unistd::chown(&path, Some(1.into()), None).unwrap();
        assert!(Receiver::create(&directory).is_err());
        assert!(path.exists());
        std::fs::remove_file(&path).unwrap();
        // One that says itself that it is of an earlier process of this id is root's to replace, whose ever it is.
        let stale = stale_file(&directory, &path);
        let left = directory.file_of(Pid(i32::MAX));
        for (place, pid) in [(&path, process::own_pid()), (&left, Pid(i32::MAX))] {
            let mut bytes = stale.clone();
            bytes[16..20].copy_from_slice(&pid.0.to_le_bytes());
            std::fs::write(place, &bytes).unwrap();
            std::fs::set_permissions(place, Permissions::from_mode(0o600)).unwrap();
            nix::unistd::chown(place, Some(1.into()), None).unwrap();
        }
        drop(Receiver::create(&directory).unwrap());
        assert!(!path.exists());
        directory.remove_file_of(Pid(i32::MAX));
        assert!(!left.exists());
    }
}

/// The bytes of this process's file, as if it had started at another time.
fn stale_file(directory: &Directory, path: &std::path::Path) -> Vec<u8> {
    let _receiver = Receiver::create(directory).unwrap();
    let mut bytes = std::fs::read(path).unwrap();
    bytes[24] ^= 1;
    bytes
}

fn senders_follow_no_symlink_and_trust_no_stranger() {
    let rig = Rig::new();
    let own = rig.directory.file_of(process::own_pid());
    assert!(is_elfuse(&rig.directory, process::own_pid()));
    let parent = Pid(std::os::unix::process::parent_id().cast_signed());
    assert!(!is_elfuse(&rig.directory, parent));
    // Another process's file says in its header that it is not this one's, whatever its name.
    symlink(&own, rig.directory.file_of(parent)).unwrap();
    assert!(!is_elfuse(&rig.directory, parent));
    std::fs::remove_file(rig.directory.file_of(parent)).unwrap();
    std::fs::copy(&own, rig.directory.file_of(parent)).unwrap();
    assert!(matches!(SenderHandle::open(&rig.directory, parent), Err(SendError::NotElfuse(_))));
    // The right file behind a symlink is refused too.
    let moved = own.with_extension("moved");
    std::fs::rename(&own, &moved).unwrap();
    symlink(&moved, &own).unwrap();
    assert!(!is_elfuse(&rig.directory, process::own_pid()));
    std::fs::rename(&moved, &own).unwrap();
    assert!(is_elfuse(&rig.directory, process::own_pid()));
    let mut child = start_helper(&["start-state"]);
    child.wait().unwrap();
    assert!(matches!(SenderHandle::open(&rig.directory, Pid(child.id().cast_signed())), Err(SendError::Gone(_))));
}

fn a_peer_that_keeps_the_lock_delays_neither_kicks_nor_records_for_ever() {
    let rig = Rig::new();
    let worker = rig.worker(Role::Bootstrap);
    let sender = rig.sender();
    let peer = File::open(rig.directory.file_of(process::own_pid())).unwrap();
    sender.send_signal(None, &info(1)).unwrap();
    wait_until("the first record comes", || rig.notes.records.lock().unwrap().len() == 1);
    peer.lock().unwrap();
    let began = clock::monotonic_ns();
    assert!(matches!(sender.send_signal(None, &info(2)), Err(SendError::Busy(_))));
    assert!(clock::monotonic_ns() - began >= 200_000_000);
    scribble_unlocked(&rig, &sender);
    sender.ring().unwrap();
    for _ in 0..100 {
        let before = worker.canceled();
        rig.preemption.kicker().request(KickTargets::All, KickCause::Timer);
        wait_until("kicks go on", || worker.canceled() > before);
    }
    wait_until("the drain has given up once", || rig.count(ProcessCounter::TransportBusy) > 0);
    assert_eq!(rig.notes.records.lock().unwrap().len(), 1);
    peer.unlock().unwrap();
    wait_until("the record comes after all", || rig.notes.records.lock().unwrap().len() == 2);
    worker.stop();
}

/// Appends a record without the lock, so that there is something to drain.
fn scribble_unlocked(rig: &Rig, sender: &SenderHandle) {
    let record = sender.record(elfuse::preempt::transport::RecordKind::Signal, None, &info(3));
    let file = OpenOptions::new().write(true).open(rig.directory.file_of(process::own_pid())).unwrap();
    file.write_all_at(&record.to_bytes(), file.metadata().unwrap().len()).unwrap();
}

fn a_closed_receiver_gets_no_doorbell() {
    let rig = Rig::new();
    let sender = rig.sender();
    sender.send_signal(None, &info(1)).unwrap();
    rig.preemption.close_transport();
    // What was in the file when it closed is not lost.
    wait_until("the record has come", || rig.notes.records.lock().unwrap().len() == 1);
    let doorbells = rig.count(ProcessCounter::Doorbells);
    assert!(matches!(sender.send_signal(None, &info(2)), Err(SendError::NotElfuse(_))));
    assert!(matches!(sender.send_null(), Err(SendError::NotElfuse(_))));
    assert!(matches!(sender.ring_thread(Tid(process::own_pid().0)), Err(SendError::NotElfuse(_))));
    assert!(!sender.takes_records());
    assert!(!is_elfuse(&rig.directory, process::own_pid()));
    rig.preemption.close_transport();
    rig.preemption.shut_down();
    assert!(rig.count(ProcessCounter::Doorbells) <= doorbells.max(1));
}

fn a_receiver_that_does_not_drain_is_full() {
    let directory = Directory::from_environment();
    let _proof = elfuse::host::signal::block_kick_set().unwrap();
    let receiver = Receiver::create(&directory).unwrap();
    let sender = SenderHandle::open(&directory, process::own_pid()).unwrap();
    let mut sent = 0;
    let refused = loop {
        match sender.send_null() {
            Ok(_) => sent += 1,
            Err(error) => break error,
        }
        assert!(sent < 1_000_000, "the file has no bound");
    };
    assert!(matches!(refused, SendError::Full(_)), "{refused}");
    let drained = receiver.drain().unwrap();
    assert_eq!((drained.records.len(), drained.malformed), (sent, 0));
    sender.send_null().unwrap();
    assert_eq!(receiver.drain().unwrap().records.len(), 1);
}

/// A limit of Linux.
const RLIMIT_SIGPENDING: u32 = 11;

/// Where the host keeps no siginfo of queued signals, doorbells come bare. See setrlimit(2), `RLIMIT_SIGPENDING`.
fn a_doorbell_that_lost_its_siginfo_is_none_of_the_guests_signals() {
    let rig = Rig::new();
    let worker = rig.worker(Role::Bootstrap);
    process::set_limit(RLIMIT_SIGPENDING, [0; 2]);
    if cfg!(target_os = "linux") {
        assert_eq!(process::limit_of(RLIMIT_SIGPENDING), Ok([0; 2]));
    }
    let sender = rig.sender();
    for value in 0..200 {
        sender.send_signal(None, &info(value)).unwrap();
        let so_far = usize::try_from(value).unwrap();
        // On the kick thread, or on a vCPU's.
        rig.preemption.kicker().request(worker.id(), KickCause::HostSignal);
        wait_until("the record has come", || rig.notes.records.lock().unwrap().len() > so_far);
    }
    assert_eq!(*rig.notes.signals.lock().unwrap(), []);
    assert_eq!(rig.count(ProcessCounter::ForeignDoorbells), 0);
    assert!(rig.count(ProcessCounter::Doorbells) > 0);
    worker.stop();
}
