//! The software vCPU: instruction table, interpreter, machine. `docs/design.md` §5.
