//! The line format of `--trace`: strace-like, one line a call, from the argument forms of the syscall table.
//!
//! Pure text: guest memory comes in through a closure. Lines go to standard error in one write, so that those of several
//! threads and processes do not mix. Source of the look: strace(1).

use std::fmt::Write as _;
use std::io::Write as _;

use crate::abi::{Errno, GuestAddr, Signal, Tid};

/// How an argument is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ArgForm {
    /// A signed 32-bit number: descriptors and ids too.
    Int,
    /// A signed 64-bit number.
    Long,
    /// An unsigned number: lengths.
    Size,
    /// Flags.
    Hex,
    /// Permissions.
    Octal,
    /// An address.
    Ptr,
    /// A descriptor for paths, where -100 is `AT_FDCWD`.
    Dir,
    /// A NUL-terminated string.
    Str,
    /// Bytes whose count is the next argument.
    Bytes,
    /// A signal number.
    Signal,
    /// `PROT_*`.
    Prot,
}

/// How a call ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// With a value.
    Value(u64),
    /// With an error.
    Errno(Errno),
    /// A signal came; it may be restarted.
    Interrupted,
    /// Never.
    NoReturn,
}

/// Longest string that is shown, in bytes.
const SHOWN_BYTES: usize = 32;

/// Reads up to that many bytes of guest memory; `None` for a bad address.
pub type Reader<'a> = dyn Fn(GuestAddr, usize) -> Option<Vec<u8>> + 'a;

/// `name(arguments)`.
#[must_use]
pub fn format_call(name: &str, forms: &[ArgForm], args: [u64; 6], read: &Reader<'_>) -> String {
    let mut line = format!("{name}(");
    for (index, form) in forms.iter().enumerate().take(args.len()) {
        if index != 0 {
            line.push_str(", ");
        }
        let next = args.get(index + 1).copied().unwrap_or(0);
        push_arg(&mut line, *form, args[index], next, read);
    }
    line.push(')');
    line
}

/// A call whose number is not in the table.
#[must_use]
pub fn format_unknown(number: u64, args: [u64; 6]) -> String {
    let args: Vec<_> = args.iter().map(|arg| format!("{arg:#x}")).collect();
    format!("syscall_{number}({})", args.join(", "))
}

fn push_arg(line: &mut String, form: ArgForm, value: u64, next: u64, read: &Reader<'_>) {
    let low = value as u32;
    // Writing to a String cannot fail.
    let _infallible = match form {
        ArgForm::Int => write!(line, "{}", low.cast_signed()),
        ArgForm::Long => write!(line, "{}", value.cast_signed()),
        ArgForm::Size => write!(line, "{value}"),
        ArgForm::Hex => write!(line, "{value:#x}"),
        ArgForm::Octal => write!(line, "0{low:o}"),
        ArgForm::Ptr if value == 0 => line.write_str("NULL"),
        ArgForm::Ptr => write!(line, "{value:#x}"),
        ArgForm::Dir if low.cast_signed() == -100 => line.write_str("AT_FDCWD"),
        ArgForm::Dir => write!(line, "{}", low.cast_signed()),
        ArgForm::Str => push_bytes(line, value, SHOWN_BYTES * 8, true, read),
        ArgForm::Bytes => push_bytes(line, value, next.min(SHOWN_BYTES as u64 + 1) as usize, false, read),
        ArgForm::Signal => match Signal::new(low.cast_signed()) {
            Some(signal) => write!(line, "{signal}"),
            None => write!(line, "{}", low.cast_signed()),
        },
        ArgForm::Prot => push_prot(line, value),
    };
}

fn push_prot(line: &mut String, value: u64) -> std::fmt::Result {
    if value & !7 != 0 {
        return write!(line, "{value:#x}");
    }
    let names = [(1, "PROT_READ"), (2, "PROT_WRITE"), (4, "PROT_EXEC")];
    let set: Vec<_> = names.iter().filter(|(bit, _)| value & bit != 0).map(|(_, name)| *name).collect();
    line.write_str(if set.is_empty() { "PROT_NONE" } else { "" })?;
    line.write_str(&set.join("|"))
}

fn push_bytes(line: &mut String, addr: u64, len: usize, is_string: bool, read: &Reader<'_>) -> std::fmt::Result {
    let Some(mut bytes) = read(GuestAddr(addr), len).filter(|_| addr != 0 || len == 0) else {
        return write!(line, "{addr:#x}");
    };
    let mut is_cut = !is_string && len > SHOWN_BYTES;
    if is_string {
        let end = bytes.iter().position(|byte| *byte == 0);
        is_cut = end.is_none();
        bytes.truncate(end.unwrap_or(bytes.len()));
    } else {
        bytes.truncate(SHOWN_BYTES);
    }
    write!(line, "\"{}\"{}", bytes.escape_ascii(), if is_cut { "..." } else { "" })
}

/// `call = outcome`, as in the line of a finished call.
#[must_use]
pub fn format_result(call: &str, outcome: Outcome) -> String {
    match outcome {
        // Addresses are unreadable in decimal, counts in hexadecimal.
        Outcome::Value(value) if value > u64::from(u32::MAX) => format!("{call} = {value:#x}"),
        Outcome::Value(value) => format!("{call} = {value}"),
        Outcome::Errno(errno) => format!("{call} = -1 {errno:?} ({})", errno.text().unwrap_or("no text")),
        Outcome::Interrupted => format!("{call} = ? (interrupted by a signal)"),
        Outcome::NoReturn => format!("{call} = ?"),
    }
}

/// Writes the line of a finished call to standard error. A trace that cannot be written is lost, the guest goes on.
pub fn print(tid: Tid, call: &str, outcome: Outcome) {
    let line = format!("[{tid}] {}\n", format_result(call, outcome));
    let _lost = std::io::stderr().lock().write_all(line.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(forms: &[ArgForm], args: [u64; 6]) -> String {
        let memory = b"/etc/motd\0 and more than thirty-o bytes of text";
        let read = |addr: GuestAddr, len: usize| (addr.0 == 0x1000).then(|| memory[..len.min(memory.len())].to_vec());
        format_call("call", forms, args, &read)
    }

    #[test]
    fn arguments_have_their_forms() {
        use ArgForm::{Bytes, Dir, Hex, Int, Octal, Prot, Ptr, Signal, Size, Str};
        assert_eq!(
            call(&[Dir, Str, Hex, Octal], [-100i64 as u64, 0x1000, 0x241, 0o644, 0, 0]),
            r#"call(AT_FDCWD, "/etc/motd", 0x241, 0644)"#
        );
        assert_eq!(call(&[Int, Str], [u64::MAX, 0x2000, 0, 0, 0, 0]), "call(-1, 0x2000)");
        assert_eq!(call(&[Int, Bytes, Size], [1, 0x1000, 4, 0, 0, 0]), r#"call(1, "/etc", 4)"#);
        assert_eq!(call(&[Bytes], [0x1000, 1 << 40, 0, 0, 0, 0]), r#"call("/etc/motd\x00 and more than thirty-"...)"#);
        assert_eq!(
            call(&[Ptr, Prot, Prot, Signal, Signal], [0, 3, 0, 10, 77, 0]),
            "call(NULL, PROT_READ|PROT_WRITE, PROT_NONE, SIGUSR1, 77)"
        );
    }

    #[test]
    fn outcomes_are_told_apart() {
        let line = |outcome| format_result("f()", outcome);
        assert_eq!(line(Outcome::Value(3)), "f() = 3");
        assert_eq!(line(Outcome::Value(0x3ff_0000_0000)), "f() = 0x3ff00000000");
        assert_eq!(line(Outcome::Errno(Errno::ENOENT)), "f() = -1 ENOENT (No such file or directory)");
        assert_eq!(line(Outcome::NoReturn), "f() = ?");
        assert_eq!(format_unknown(1000, [1, 0, 0, 0, 0, 0]), "syscall_1000(0x1, 0x0, 0x0, 0x0, 0x0, 0x0)");
    }
}
