//! Identifiers of the guest's world: [`Pid`], [`Tid`], [`Fd`].
//!
//! Guest process and thread ids are the host's own (`docs/design.md` §7), so these types also name host tasks.

use std::fmt;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
            #[repr(transparent)]
            pub struct $name(pub i32);

            impl fmt::Debug for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write!(f, concat!(stringify!($name), "({})"), self.0)
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    self.0.fmt(f)
                }
            }
        )*
    };
}

ids! {
    /// A process id (thread group id in kernel terms).
    Pid;
    /// A thread id.
    Tid;
    /// A guest file descriptor number. It is a key of the guest's table, not a host descriptor.
    Fd;
}
