//! The stress harness of elfuse.
