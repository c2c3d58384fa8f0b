//! The elfuse command.

fn main() {}
