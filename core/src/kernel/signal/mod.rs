//! Guest signals: dispositions, pending sets, who gets a signal, and the frame that a handler sees.
//!
//! All signal state of a process lies under one lock, [`ThreadGroup`], as Linux has one `siglock` for a thread group.
//! Sources: signal(7), sigaction(2), Linux `kernel/signal.c` and `arch/arm64/kernel/signal.c`.

mod action;
mod deliver;
pub mod fd;
mod frame;
mod group;
mod mask;
mod pending;

pub use action::{DefaultAction, Handler, SaFlags, SigAction, SignalActions};
pub use deliver::Delivery;
pub use frame::{
    AltStack, BadFrame, FaultRecord, FrameError, FrameRequest, PoppedFrame, SIGNAL_FRAME_LEN, pop_frame, push_frame,
};
pub use group::{GroupExit, Member, SignalTarget, ThreadGroup};
pub use pending::PendingSet;
