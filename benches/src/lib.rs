//! Shared set-up of the benches: guest fixtures and the elfuse binary under test.
