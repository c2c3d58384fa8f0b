//! The crash report for people: sections of text on standard error.

use std::fmt::{self, Write as _};

use super::report::{Place, Registers, Report};

/// The whole text.
pub(super) fn of(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut out, report);
    out
}

fn write(out: &mut String, report: &Report) -> fmt::Result {
    writeln!(out, "==== elfuse crash report ====")?;
    writeln!(out, "## Environment\nelfuse {}\nhost {}", report.version, report.host)?;
    writeln!(out, "## Crash\ntype: {}\ndetail: {}\nexit status: {}", report.kind, report.detail, report.exit_status)?;
    writeln!(out, "## Binary\npath: {}\ncommand: {}", report.path, report.command.join(" "))?;
    writeln!(out, "## Registers (process {}, thread {})", report.pid, report.tid)?;
    write_registers(out, &report.registers)?;
    write_exception(out, report)?;
    writeln!(out, "## Mappings")?;
    report.mappings.iter().try_for_each(|place| write_place(out, place))?;
    writeln!(out, "## Code")?;
    for line in &report.code {
        let mark = if line.is_pc { "=>" } else { "  " };
        writeln!(out, "{mark} {}: {}  {}", line.address, line.word, line.text)?;
    }
    writeln!(out, "## Threads")?;
    for thread in &report.threads {
        write!(out, "{} {} SigBlk {} SigPnd {}", thread.tid, thread.name, thread.sig_blk, thread.sig_pnd)?;
        if let Some(mask) = &thread.guest_mask {
            write!(out, " guest mask {mask}, last call {}", thread.last_call.as_deref().unwrap_or("none"))?;
        }
        writeln!(out)?;
    }
    writeln!(out, "## Last system calls of thread {}, oldest first", report.tid)?;
    report.calls.iter().try_for_each(|call| writeln!(out, "{}", call.text))?;
    writeln!(out, "## What to do\n{}", report.remedy)
}

fn write_registers(out: &mut String, registers: &Registers) -> fmt::Result {
    let Registers { pc, sp, pstate, tpidr, fpcr, fpsr, x } = registers;
    writeln!(out, "PC {pc}  SP {sp}  PSTATE {pstate}  TPIDR {tpidr}  FPCR {fpcr}  FPSR {fpsr}")?;
    for (row, values) in x.chunks(4).enumerate() {
        let line: Vec<_> = values.iter().zip(4 * row..).map(|(value, at)| format!("X{at:<2} {value:>18}")).collect();
        writeln!(out, "{}", line.join("  "))?;
    }
    Ok(())
}

fn write_exception(out: &mut String, report: &Report) -> fmt::Result {
    writeln!(out, "## Last exception")?;
    let Some(syndrome) = &report.exception else { return writeln!(out, "none yet") };
    write!(out, "ESR {} ({})", syndrome.esr, syndrome.class)?;
    for (name, value) in &syndrome.fields {
        write!(out, ", {name}: {value}")?;
    }
    if let Some(far) = &syndrome.far {
        write!(out, "\nFAR {far}")?;
    }
    writeln!(out)
}

fn write_place(out: &mut String, place: &Place) -> fmt::Result {
    writeln!(out, "{} {}", place.of, place.address)?;
    let none = || "nothing is mapped there".to_owned();
    if let Some(below) = &place.below {
        writeln!(out, "   {below}")?;
    }
    writeln!(out, "=> {}", place.here.clone().unwrap_or_else(none))?;
    if let Some(above) = &place.above {
        writeln!(out, "   {above}")?;
    }
    Ok(())
}
