//! `harness`: storms guests and decides about UNKNOWN.

fn main() {}
