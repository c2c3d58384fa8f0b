//! Deliberate breakages: [`Control`] names one invariant each that a test-only build can break at run time.
//!
//! The harness proves with them that its checks see what they look for (`docs/design.md` §8, "Controls"). Without the
//! cargo feature `controls`, [`active`] is constantly false and the hooks vanish. With it, the environment variable
//! `ELFUSE_CONTROL=<name>` is read once. The module lies in `host`, the lowest layer, because hooks are everywhere;
//! most code knows it as `preempt::controls`.

/// One invariant to break.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Control {
    /// The bootstrap thread leaves SIGUSR2 and SIGALRM open.
    MaskBootstrap,
    /// Every CLONE_THREAD worker leaves SIGUSR2 and SIGALRM open.
    MaskWorker,
    /// The bootstrap thread of a fork child leaves SIGUSR2 and SIGALRM open.
    MaskForkChild,
    /// Pool threads leave SIGUSR2 and SIGALRM open.
    MaskPool,
    /// SIGUSR2 is open on vCPU threads, and its handler itself asks for the exit of the run it interrupts.
    KickFromHandler,
    /// The registry remembers only the vCPU that registered last, as one global handle would.
    SingleHandleRegistry,
    /// A fork child runs without a kick thread.
    ChildWithoutKickThread,
    /// A task that sleeps is not woken: whoever wakes it believes that it will look by itself.
    LostWakeup,
    /// The watchdog does not compare the run it fired for with the run in progress.
    StaleWatchdog,
}

impl Control {
    /// All controls with their names in `ELFUSE_CONTROL`.
    pub const ALL: [(Self, &'static str); 9] = [
        (Self::MaskBootstrap, "mask-bootstrap"),
        (Self::MaskWorker, "mask-worker"),
        (Self::MaskForkChild, "mask-fork-child"),
        (Self::MaskPool, "mask-pool"),
        (Self::KickFromHandler, "kick-from-handler"),
        (Self::SingleHandleRegistry, "single-handle-registry"),
        (Self::ChildWithoutKickThread, "child-without-kick-thread"),
        (Self::LostWakeup, "lost-wakeup"),
        (Self::StaleWatchdog, "stale-watchdog"),
    ];

    /// The control of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(control, _)| *control)
    }

    /// The name in `ELFUSE_CONTROL`.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(control, _)| *control == self).map_or("", |(_, name)| name)
    }
}

/// The environment variable that chooses the control.
pub const VARIABLE: &str = "ELFUSE_CONTROL";

/// True in a build of the feature `controls` that was started with this control chosen.
#[cfg(feature = "controls")]
#[must_use]
pub fn active(control: Control) -> bool {
    use std::sync::OnceLock;
    static CHOSEN: OnceLock<Option<Control>> = OnceLock::new();
    *CHOSEN.get_or_init(|| std::env::var(VARIABLE).ok().and_then(|name| Control::from_name(&name))) == Some(control)
}

/// False: this build has no controls.
#[cfg(not(feature = "controls"))]
#[must_use]
pub const fn active(_control: Control) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for (control, name) in Control::ALL {
            assert_eq!(Control::from_name(name), Some(control));
            assert_eq!(control.name(), name);
        }
        assert_eq!(Control::from_name("no-such-control"), None);
    }
}
