//! Speed of every floating-point and Advanced SIMD row of the instruction table, in each of its forms.
//!
//! `cargo bench -p benches --bench rows -- [PART]...` takes a minute, or less for rows whose symbol or group has a PART in
//! it. Each form is a loop of [`COPIES`] of the instruction, on numbers near one of every format: the fastest counts, which
//! is the format that the instruction is for. Immediates are least, middle and greatest. FPSR has Inexact, as in any program
//! that has computed something. What the loop needs besides (a tenth) is not counted.

use std::sync::Arc;
use std::time::Duration;

use benches::{Failure, or_exit};
use elfuse::abi::{Errno, GuestAddr, GuestPtr, GuestRange};
use elfuse::host::signal;
use elfuse::mem::{Backing, Mapper, Prot};
use elfuse::soft::SoftMachine;
use elfuse::soft::a64::table::{GROUPS, Row};
use elfuse::soft::a64::{Inst, disassemble};
use elfuse::vcpu::{CpuState, ExceptionKind, Machine, Vcpu, VcpuExit};
use nix::time::{ClockId, clock_gettime};

/// Groups by how their names begin, with what each form is meant to reach, in million instructions a second.
const TARGETS: [(&str, f64); 5] =
    [("fp", 60.0), ("simd", 50.0), ("crypto", 50.0), ("ldst_simd", 50.0), ("ldst_struct", 50.0)];
/// Copies of the instruction in a turn of the loop.
const COPIES: usize = 60;
/// How long a loop is measured, each of [`ROUNDS`] times.
const MEASURED: Duration = Duration::from_millis(2);
const ROUNDS: usize = 3;

/// Where the code lies, and the middle of the data, which reaches as far as immediates do.
const CODE: u64 = 0x40_0000;
const DATA: u64 = 0x80_0000;
const REACH: u64 = 0x4_0000;

/// `mov x1, x9`: the base of memory accesses, which they may write back.
const RESTORE_BASE: u32 = 0xaa09_03e1;
/// `movi v0.2d, #0`: destinations are addends of some instructions.
const CLEAR: u32 = 0x6f00_e400;
/// `sub x10, x10, #1`
const COUNT_DOWN: u32 = 0xd100_054a;
/// `cbnz x10, .`
const REPEAT: u32 = 0xb500_000a;
/// `svc #0`
const CALL: u32 = 0xd400_0001;

/// FPSR.IXC.
const INEXACT: u32 = 1 << 4;

/// Numbers near one, lane by lane: half precision, BFloat16, single and double precision.
const NUMBERS: [[u64; 3]; 4] = [
    [0x3c01_3e02_3a80_3d55, 0x3b33_3c41_3f00_3c10, 0x3d11_bc20_3811_3e44],
    [0x3f81_3fc0_3f35_3faa, 0x3f66_3f88_3fe0_3f82, 0x3fa2_bf84_3f02_3fc8],
    [0x3f81_4567_3fc8_9abc, 0x3f66_1234_3f88_5678, 0x3fa2_2468_bf84_1357],
    [0x3ff1_2345_6789_abcd, 0x3fe6_fedc_ba98_7654, 0xbff4_8246_1357_9bdf],
];

/// Destinations, which take turns.
const DESTINATIONS: std::ops::Range<u32> = 4..8;

/// The word of a row with a destination, with values of the fields that choose a form, and of all immediates.
fn word(row: &Row, destination: u32, form: u32, immediate: u32) -> u32 {
    let (q, z, e, p) = (form & 1, form >> 1 & 1, form >> 2 & 3, form >> 4 & 3);
    let registers = [(b'd', destination), (b't', destination), (b'n', 1), (b'm', 2), (b'a', 3), (b'u', 8)];
    let mut fields = Vec::from([(b'q', q), (b'z', z), (b'e', e), (b'p', p)]);
    fields.extend(registers);
    fields.extend([b'i', b'j', b's'].map(|letter| (letter, immediate_of(row.pattern.width(letter), immediate))));
    row.pattern.encode(&fields)
}

/// The least, middle or greatest value of so many bits.
fn immediate_of(bits: u32, choice: u32) -> u32 {
    let most = (1u64 << bits) as u32 - 1;
    [0, most / 2, most][choice as usize % 3]
}

/// The words of all forms of a row, one for each destination.
fn forms(row: &'static Row) -> Vec<Vec<u32>> {
    let mut forms = Vec::new();
    for choice in 0..3 * 64 {
        let words: Vec<u32> = DESTINATIONS.map(|destination| word(row, destination, choice / 3, choice % 3)).collect();
        let is_row = |word: &u32| Inst::decode(*word).is_some_and(|inst| inst.row().symbol == row.symbol);
        if words.iter().all(is_row) && !forms.contains(&words) {
            forms.push(words);
        }
    }
    forms
}

/// A machine with a vCPU of this thread, a page of code and some data.
struct Rig {
    machine: Arc<SoftMachine>,
    vcpu: Box<dyn Vcpu>,
}

impl Rig {
    fn new() -> Result<Self, String> {
        let proof = signal::block_kick_set().map_err(|error| error.to_string())?;
        let machine = SoftMachine::new().map_err(|error| error.to_string())?;
        let data = GuestRange { start: GuestAddr(DATA - REACH), end: GuestAddr(DATA + REACH) };
        let map = |range| machine.map(range, Prot::READ | Prot::WRITE | Prot::EXEC, Backing::Anonymous);
        map(data).and_then(|()| map(Self::code())).map_err(|errno| errno.to_string())?;
        let vcpu = machine.create_vcpu(&proof).map_err(|error| error.to_string())?;
        Ok(Self { machine, vcpu })
    }

    fn code() -> GuestRange {
        GuestRange { start: GuestAddr(CODE), end: GuestAddr(CODE + 0x1000) }
    }

    /// Writes the loop of these words.
    fn load(&self, words: &[u32]) -> Result<(), Errno> {
        let mut code = Vec::from([RESTORE_BASE]);
        code.extend(DESTINATIONS.map(|destination| CLEAR | destination));
        code.extend(words.iter().cycle().take(COPIES));
        code.push(COUNT_DOWN);
        let back = (code.len() as u32).wrapping_neg() & 0x7_ffff;
        code.extend([REPEAT | back << 5, CALL]);
        for (at, word) in (CODE..).step_by(4).zip(&code) {
            self.machine.memory().write(GuestPtr::new(GuestAddr(at)), word)?;
        }
        self.machine.invalidate_code(Self::code());
        Ok(())
    }

    /// The processor time that so many turns take; `None` where the loop does not come to its end.
    fn run(&mut self, numbers: [u64; 3], turns: u64) -> Option<Duration> {
        let mut state = CpuState { pc: CODE, fpsr: INEXACT, ..CpuState::default() };
        (state.x[1], state.x[2], state.x[9], state.x[10]) = (DATA, 16, DATA, turns);
        for (index, number) in numbers.into_iter().enumerate() {
            // The field M, the top bit of a register's number, is always clear.
            state.v[1 + index] = u128::from(number) << 64 | u128::from(number);
        }
        self.vcpu.push(&state);
        let started = processor_time()?;
        let exit = self.vcpu.run().ok()?;
        let took = processor_time()?.saturating_sub(started);
        let VcpuExit::Exception(exception) = exit else { return None };
        matches!(exception.kind, ExceptionKind::Syscall { .. }).then_some(took)
    }

    /// Million instructions a second of the loop that was loaded.
    fn speed(&mut self, numbers: [u64; 3]) -> Option<f64> {
        const FIRST_TURNS: u64 = 50;
        self.run(numbers, 1)?;
        let first = self.run(numbers, FIRST_TURNS)?;
        let turns = (FIRST_TURNS as f64 * MEASURED.as_secs_f64() / first.as_secs_f64()).max(1.0) as u64;
        let seconds = (0..ROUNDS).filter_map(|_| self.run(numbers, turns)).map(|took| took.as_secs_f64());
        Some((turns * COPIES as u64) as f64 / seconds.min_by(f64::total_cmp)? / 1e6)
    }
}

/// What this thread has used: a busy machine is no slow interpreter.
fn processor_time() -> Option<Duration> {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).ok().map(Duration::from)
}

/// What the rows are to be named by: arguments that are no options of Criterion's, nor the values of such.
fn parts() -> Vec<String> {
    let arguments: Vec<String> = std::env::args().collect();
    let is_part = |pair: &&[String]| !pair[0].starts_with("--") && !pair[1].starts_with('-');
    arguments.windows(2).filter(is_part).map(|pair| pair[1].clone()).collect()
}

fn main() {
    let parts = parts();
    let mut rig = or_exit(Rig::new().map_err(Failure::new));
    let (mut measured, mut missed) = (0, 0);
    for (group, rows) in GROUPS {
        let Some((_, target)) = TARGETS.iter().find(|(prefix, _)| group.starts_with(prefix)) else { continue };
        let is_wanted =
            |row: &&Row| parts.is_empty() || parts.iter().any(|part| format!("{group} {}", row.symbol).contains(part));
        for words in rows.iter().filter(is_wanted).flat_map(forms) {
            or_exit(rig.load(&words).map_err(|errno| Failure::new(errno.to_string())));
            let text = disassemble(words[0], CODE);
            let Some(speed) = NUMBERS.iter().filter_map(|&numbers| rig.speed(numbers)).max_by(f64::total_cmp) else {
                println!("       -  {group:16} {text}: does not run in a loop");
                continue;
            };
            let verdict = if speed < *target { "  MISSED" } else { "" };
            println!("{speed:8.1}  {group:16} {text}{verdict}");
            measured += 1;
            missed += usize::from(speed < *target);
        }
    }
    println!("{measured} forms, {missed} of them below what they are meant to reach");
}
