//! Measures the interpreter: guest instructions a second over loops of arithmetic, memory, calls, flags, branches.
//!
//! `cargo run --release -p elfuse --example interpreter_speed [MILLIONS]`. The loops were assembled by GNU as; `x0` is
//! the number of rounds, `x1` a buffer. The first argument is the number of million instructions per loop.

#![expect(unsafe_code, reason = "a window is made from a plain buffer")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::time::Instant;

use elfuse::abi::{GuestAddr, GuestRange};
use elfuse::mem::WindowRef;
use elfuse::soft::interp::{CodeSource, Interpreter, StaleCode};
use elfuse::vcpu::{AbortCause, CpuState};

/// Guest memory in bytes, and the room on both sides of it.
const MEMORY_BYTES: usize = 1 << 20;
const GUARD_BYTES: usize = 1 << 16;

/// Everything can be executed, nothing changes.
struct Fixed(AtomicU64);

impl CodeSource for Fixed {
    fn mark_decoded(&self, _: GuestAddr) -> Result<(), AbortCause> {
        Ok(())
    }

    fn generation(&self) -> &AtomicU64 {
        &self.0
    }

    fn stale_since(&self, seen: u64) -> (u64, StaleCode) {
        (seen, StaleCode::Everything)
    }

    fn invalidate(&self, _: GuestRange) {}

    fn abort_cause(&self, _: GuestAddr) -> AbortCause {
        AbortCause::Translation
    }
}

fn measure(code: &[u32], instructions: u64) -> (f64, u64) {
    let mut memory = vec![0u8; MEMORY_BYTES + 2 * GUARD_BYTES];
    for (word, place) in code.iter().zip(memory[GUARD_BYTES + 0x1000..].chunks_exact_mut(4)) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    // SAFETY: the buffer outlives every use of the window, has room on both sides, and nothing faults in these loops.
    let window = unsafe { WindowRef::new(memory.as_mut_ptr().add(GUARD_BYTES), MEMORY_BYTES as u64) };
    let mut interpreter = Interpreter::new(window, Arc::new(Fixed(AtomicU64::new(0))));
    let interrupt = AtomicU32::new(0);
    let mut run = |rounds: u64| {
        let mut state = CpuState { pc: 0x1000, sp: 0x8_0000, ..CpuState::default() };
        (state.x[0], state.x[1]) = (rounds, 0x1_0000);
        (state.x[3], state.x[5]) = (0x9e37_79b9_7f4a_7c15, 3);
        interpreter.run(&mut state, &interrupt).instructions_retired
    };
    let per_round = run(1000).div_ceil(1000).max(1);
    let started = Instant::now();
    let retired = run(instructions / per_round);
    (retired as f64 / started.elapsed().as_secs_f64() / 1e6, retired)
}

fn main() {
    let millions: u64 = std::env::args().nth(1).and_then(|argument| argument.parse().ok()).unwrap_or(200);
    let mut log_sum = 0.0;
    for (name, code) in LOOPS {
        let (speed, retired) = measure(code, millions * 1_000_000);
        println!("{name:10} {speed:8.1} million/s ({retired} instructions)");
        log_sum += speed.ln();
    }
    println!("{:10} {:8.1} million/s", "geomean", (log_sum / LOOPS.len() as f64).exp());
}

#[rustfmt::skip]
const LOOPS: &[(&str, &[u32])] = &[
    ("arith", &[
        0x8b030042, 0xca021c84, 0xd1004445, 0x92781c86, 0xaa0500c7, 0x9b0220e8, 0xd34bfd09, 0x0b0a012a,
        0xd1000400, 0xb5fffee0, 0xd4000001,
    ]),
    ("memory", &[
        0x92402c04, 0xf8647822, 0x8b000042, 0xf8247822, 0x39401425, 0x78008c25, 0xa9401c26, 0xa93f0826,
        0xb85f8428, 0xf1000400, 0x54fffec1, 0xd4000001,
    ]),
    ("calls", &[
        0xaa0003f4, 0xaa1403e0, 0x94000005, 0x8b000273, 0xf1000694, 0x54ffff81, 0xd4000001, 0xa9be7bfd,
        0x910003fd, 0xf9000bf3, 0x94000004, 0xf9400bf3, 0xa8c27bfd, 0xd65f03c0, 0x91000c00, 0xd65f03c0,
    ]),
    ("flags", &[
        0xab030042, 0x9a050084, 0xeb04005f, 0x9a848046, 0x54000043, 0x910004e7, 0xf24000df, 0x54000040,
        0x91000508, 0x710190ff, 0x7a43a904, 0x1a9fd7e9, 0x36180042, 0xd2401c63, 0xf1000400, 0x54fffe21,
        0xd4000001,
    ]),
    ("collatz", &[
        0xaa0003e9, 0xaa0903e2, 0xf240005f, 0x540000a0, 0x8b020442, 0x91000442, 0x91000463, 0x14000002,
        0xd341fc42, 0xf100045f, 0x54ffff01, 0xd1000529, 0xb5fffea9, 0xd4000001,
    ]),
    ("tight", &[
        0xf1000400, 0x54ffffe1, 0xd4000001,
    ]),
    ("sort", &[
        0xaa0003ea, 0xaa0103e2, 0xd2802003, 0x38401444, 0x0b0400a5, 0x138514a5, 0xf1000463, 0x54ffff81,
        0xf100054a, 0x54ffff01, 0xd4000001,
    ]),
    ("indirect", &[
        0x1000008b, 0x92400404, 0x8b040d65, 0xd61f00a0, 0x910004c6, 0x14000007, 0x910004e7, 0x14000005,
        0x91000508, 0x14000003, 0x91000529, 0x14000001, 0xf1000400, 0x54fffe81, 0xd4000001,
    ]),
];
