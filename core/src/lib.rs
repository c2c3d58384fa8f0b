//! The library of elfuse.
