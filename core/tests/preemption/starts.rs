//! What a process begins with and what it leaves to the programs it executes.

#![expect(unsafe_code, reason = "signal state is given to a child between fork and exec")]

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use elfuse::abi::{SigInfo, SigSet, Signal};
use elfuse::host::signal::{self, HostSignalState};
use elfuse::host::{pidfd, process};

use crate::rig::Rig;
use crate::{Case, cases};

pub(crate) const CASES: &[Case] = cases![
    the_start_state_is_seen_before_the_runtime_changes_it,
    an_executed_program_gets_the_guests_state,
    blocked_fault_signals_are_opened,
];

fn the_start_state_is_seen_before_the_runtime_changes_it() {
    let start = |ignored: SigSet, blocked: SigSet, is_input_open: bool| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--helper", "start-state"]);
        // SAFETY: only async-signal-safe calls.
        unsafe {
            command.pre_exec(move || {
                if !is_input_open {
                    libc::close(0);
                }
                signal::restore_for_exec(blocked, ignored, SigSet::EMPTY)
            });
        }
        String::from_utf8(command.output().unwrap().stdout).unwrap().trim().to_owned()
    };
    for ignored in [SigSet::EMPTY, SigSet::of(&[Signal::SIGPIPE, Signal::SIGHUP])] {
        let blocked = SigSet::of(&[Signal::SIGALRM, Signal::new(33).unwrap()]);
        for is_input_open in [true, false] {
            let expected = HostSignalState { blocked, ignored, standard_open: [is_input_open, true, true] };
            assert_eq!(start(ignored, blocked, is_input_open), format!("{expected:?}"));
        }
    }
}

fn an_executed_program_gets_the_guests_state() {
    let rig = Rig::new();
    let pid = process::own_pid();
    let (blocked, ignored) = (SigSet::of(&[Signal::SIGUSR2, Signal::SIGTERM]), SigSet::of(&[Signal::SIGINT]));
    let mut command = Command::new("/bin/cat");
    command.arg("/proc/self/status").stdout(Stdio::piped());
    // SAFETY: only async-signal-safe calls.
    unsafe {
        command.pre_exec(move || {
            // Doorbells and leftovers that wait for the process that is about to change.
            let own = process::own_pid();
            assert_ne!(own, pid);
            pidfd::queue_to_process(own, &elfuse::preempt::transport::Doorbell::Process.info())?;
            pidfd::queue_to_process(own, &SigInfo::queued(Signal::SIGTERM, own, 0, 0))?;
            signal::restore_for_exec(blocked, ignored, SigSet::of(&[Signal::SIGTERM]))
        });
    }
    let status = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let set = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        SigSet(u64::from_str_radix(line.split_whitespace().nth(1).unwrap(), 16).unwrap())
    };
    assert_eq!(set("SigBlk"), blocked);
    assert_eq!(set("SigIgn"), ignored);
    assert_eq!(set("SigCgt"), SigSet::EMPTY);
    assert_eq!(set("ShdPnd"), SigSet::of(&[Signal::SIGTERM]));
    assert_eq!(set("SigPnd"), SigSet::EMPTY);
    rig.preemption.shut_down();
}

fn blocked_fault_signals_are_opened() {
    signal::set_own_mask(SigSet::ALL).unwrap();
    assert!(signal::verify_kick_set().is_err());
    let _proof = signal::block_kick_set().unwrap();
    let mask = signal::own_mask().unwrap();
    assert!(mask.intersection(signal::FAULT_SIGNALS).is_empty());
    assert!(signal::taken_set().difference(mask).is_empty());
    signal::set_own_mask(mask.without(Signal::SIGWINCH)).unwrap();
    let error = signal::verify_kick_set().unwrap_err().to_string();
    assert!(error.contains("{SIGWINCH} are open"), "{error}");
}
