//! The steps of a process's bring-up that a first process and both kinds of fork child share: [`start_kicks`], then
//! [`enlist_first_thread`].

use std::sync::Arc;

use super::signal::Member;
use super::sink::Sink;
use super::task::Interrupts;
use super::{Process, Task};
use crate::abi::SigSet;
use crate::host::SignalsBlocked;
use crate::host::thread::{self, Role};
use crate::preempt::stats::TaskRole;
use crate::preempt::transport::OpenWarning;
use crate::preempt::{BringUpError, Enlisted};
use crate::vcpu::VcpuId;

/// Starts the kick thread. From here on signals are heard; a warning says why those of other elfuse processes are not.
///
/// # Errors
/// [`BringUpError`].
pub fn start_kicks(process: &Arc<Process>, proof: &SignalsBlocked) -> Result<Option<OpenWarning>, BringUpError> {
    process.preemption().start(proof, Arc::new(Sink(process.clone())))
}

/// Makes the calling thread, with its vCPU, the first one of the process.
#[must_use]
pub fn enlist_first_thread(process: &Arc<Process>, vcpu: VcpuId, role: Role, blocked: SigSet) -> (Arc<Task>, Enlisted) {
    let task = Task::new(process.clone(), thread::gettid());
    task.set_vcpu(vcpu);
    let enlisted = process.preemption().enlist(vcpu, role, TaskRole::Bootstrap);
    let member = Member::new(task.clone(), blocked.difference(SigSet::UNBLOCKABLE));
    process.group().members.insert(task.tid(), member);
    process.set_main_task(task.clone());
    process.lifetime().begin();
    // Signals may be pending since before there was a thread to tell.
    task.set_interrupts(Interrupts::SIGNAL);
    (task, enlisted)
}
