//! What the kick thread's news mean to the guest: [`Sink`]. Nothing here blocks.

use std::sync::Arc;

use super::Process;
use super::signal::SignalTarget;
use super::task::Interrupts;
use crate::abi::{SigInfo, Signal};
use crate::preempt::transport::{Record, RecordKind};
use crate::preempt::{Directed, Expired, KickCause, KickSink, Overrun, RecordOutcome, TimerKey};

/// The receiver of interruptions for one process.
pub struct Sink(pub Arc<Process>);

impl KickSink for Sink {
    fn host_signal(&self, info: &SigInfo, directed: Directed) {
        let target = match directed {
            Directed::Process => SignalTarget::Process,
            Directed::Thread(tid) => SignalTarget::Thread(tid),
        };
        let mut info = *info;
        if info.is_of_file()
            && let Some(fd) = self.0.async_file(info.fd())
        {
            info.set_fd(fd.0);
        }
        // A full queue or a thread that just ended loses the signal, as on Linux.
        let _lost = self.0.send_signal(info, target, KickCause::HostSignal);
    }

    fn stop_waits(&self, signal: Signal) -> bool {
        let chosen = self.0.group().let_stop_wait(signal);
        if let Some(task) = &chosen {
            task.interrupt(Interrupts::SIGNAL, KickCause::HostSignal);
        }
        chosen.is_some()
    }

    fn record(&self, record: &Record) -> RecordOutcome {
        match record.kind {
            RecordKind::Null => RecordOutcome::Delivered,
            RecordKind::Signal => {
                let target = record.thread.map_or(SignalTarget::Process, SignalTarget::Thread);
                match self.0.send_signal(record.info, target, KickCause::GuestSignal) {
                    Ok(()) => RecordOutcome::Delivered,
                    Err(_gone_or_full) => RecordOutcome::Undelivered,
                }
            }
        }
    }

    fn timer_expired(&self, expired: Expired) {
        self.0.timers().expired(&self.0, expired);
    }

    fn cpu_timer_expired(&self, key: TimerKey, overrun: u32) {
        self.0.timers().cpu_expired(&self.0, key, overrun);
    }

    fn child_changed(&self, info: &SigInfo) {
        self.0.child_changed(info);
    }

    fn overrun(&self, _overrun: Overrun) {
        // The owner of the vCPU was kicked and asks its watch.
    }
}
