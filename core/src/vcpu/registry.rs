//! The live vCPUs of a process, and the one place from where they are kicked: [`Registry`].
//!
//! Registering, kicking and unregistering share one leaf lock, so that a kick never names a vCPU that is being
//! destroyed; only the owner thread registers and unregisters. A handle of zero is valid. Kicks are array calls of
//! [`exit_vcpus`](super::Machine::exit_vcpus): one that finds a vCPU between runs is latched there and cancels the next run.
//! `docs/design.md` §2, invariants 4 and 5. Neighbour: `preempt`'s kick thread is the only caller of
//! [`kick`](Registry::kick) in the product.

use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{VcpuError, VcpuId};
use crate::abi::Tid;
use crate::host::controls::{self, Control};
use crate::host::thread::{self, Role};

macro_rules! causes {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        /// Why a vCPU is kicked.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
        pub enum KickCause { $($(#[$doc])* $name,)* }

        impl KickCause {
            /// All causes, in order.
            pub const ALL: &[Self] = &[$(Self::$name,)*];
        }
    };
}

causes! {
    /// The doorbell rang.
    Doorbell;
    /// A guest signal was queued for it.
    GuestSignal;
    /// A host signal from a program that is not elfuse.
    HostSignal;
    /// A timer of the guest expired.
    Timer;
    /// Its run is past the watchdog's deadline.
    Watchdog;
    /// The process ends.
    ExitGroup;
    /// Another thread executes a new image.
    Exec;
    /// A fork needs a quiet moment.
    Fork;
}

/// Number of causes.
pub const KICK_CAUSES: usize = KickCause::ALL.len();

/// Which vCPUs to kick.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum KickTargets {
    /// All live ones.
    All,
    /// All live ones but this.
    AllExcept(VcpuId),
    /// This one, if it is alive.
    One(VcpuId),
}

impl From<VcpuId> for KickTargets {
    fn from(id: VcpuId) -> Self {
        Self::One(id)
    }
}

impl KickTargets {
    /// True when the targets include `id`.
    #[must_use]
    pub fn include(self, id: VcpuId) -> bool {
        match self {
            Self::All => true,
            Self::AllExcept(excluded) => excluded != id,
            Self::One(target) => target == id,
        }
    }
}

/// A wish to have vCPUs kicked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct KickRequest {
    /// Which.
    pub targets: KickTargets,
    /// Why.
    pub cause: KickCause,
}

/// What an array call did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Kicked {
    /// vCPUs in the array.
    pub vcpus: usize,
    /// For each cause (in the order of [`KickCause::ALL`]), vCPUs that its requests named.
    pub by_cause: [u64; KICK_CAUSES],
}

/// A live vCPU.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LiveVcpu {
    /// Its handle.
    pub id: VcpuId,
    /// The thread that made it and runs it.
    pub owner: Tid,
    /// What that thread is.
    pub role: Role,
}

/// The live vCPUs of this process.
#[derive(Debug, Default)]
pub struct Registry {
    /// Leaf lock; it is held across `exit_vcpus`, which does not block and takes no lock of ours.
    live: Mutex<Vec<LiveVcpu>>,
}

/// Keeps a vCPU registered; its owner thread drops it before it destroys the vCPU.
#[derive(Debug)]
#[must_use = "the vCPU is unregistered when this is dropped"]
pub struct Registration {
    registry: Arc<Registry>,
    id: VcpuId,
    not_send: PhantomData<*const ()>,
}

impl Registry {
    /// An empty registry.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<LiveVcpu>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a vCPU of the calling thread.
    pub fn register(self: &Arc<Self>, id: VcpuId, role: Role) -> Registration {
        let mut live = self.lock();
        if controls::active(Control::SingleHandleRegistry) {
            live.clear();
        }
        live.push(LiveVcpu { id, owner: thread::gettid(), role });
        Registration { registry: Arc::clone(self), id, not_send: PhantomData }
    }

    /// Kicks all live vCPUs that the requests name, in one array call, and none twice. `exit_vcpus` is the machine's
    /// [`exit_vcpus`](super::Machine::exit_vcpus); without a vCPU to kick it is not called.
    ///
    /// # Errors
    /// What `exit_vcpus` says.
    pub fn kick(
        &self,
        requests: &[KickRequest],
        exit_vcpus: impl FnOnce(&[VcpuId]) -> Result<(), VcpuError>,
    ) -> Result<Kicked, VcpuError> {
        let live = self.lock();
        let mut kicked = Kicked::default();
        let mut ids = Vec::with_capacity(live.len());
        for vcpu in live.iter() {
            let mut is_named = false;
            for request in requests.iter().filter(|request| request.targets.include(vcpu.id)) {
                is_named = true;
                kicked.by_cause[request.cause as usize] += 1;
            }
            if is_named {
                ids.push(vcpu.id);
            }
        }
        if !ids.is_empty() {
            exit_vcpus(&ids)?;
        }
        kicked.vcpus = ids.len();
        drop(live);
        Ok(kicked)
    }

    /// True when the targets include a live vCPU of the thread `owner`.
    #[must_use]
    pub fn names_own(&self, targets: KickTargets, owner: Tid) -> bool {
        self.lock().iter().any(|vcpu| vcpu.owner == owner && targets.include(vcpu.id))
    }

    /// The live vCPUs, for audits and crash reports.
    #[must_use]
    pub fn live(&self) -> Vec<LiveVcpu> {
        self.lock().clone()
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.registry.lock().retain(|vcpu| vcpu.id != self.id);
    }
}

#[cfg(test)]
mod tests;
