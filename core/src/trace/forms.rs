//! How arguments are shown: [`ArgForm`], which the rows of the syscall table name, and [`Memory`], the guest's memory as
//! decoders read it. Structures are in [`super::shapes`].

use super::Reader;
use super::names::Names;
use super::shapes::{self, Shape};
use crate::abi::{GuestAddr, Signal};

/// How an argument is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ArgForm {
    /// A signed 32-bit number: ids and counts too.
    Int,
    /// A signed 64-bit number.
    Long,
    /// An unsigned number: lengths.
    Size,
    /// Bits without names.
    Hex,
    /// Permissions.
    Octal,
    /// An address.
    Ptr,
    /// A descriptor.
    Fd,
    /// A descriptor for paths, where -100 is `AT_FDCWD`.
    Dir,
    /// A NUL-terminated string.
    Str,
    /// The same, and it names a file.
    Path,
    /// Bytes that the guest gives, whose count is the next argument.
    Bytes,
    /// Bytes that the call gives, whose count is its result.
    Filled,
    /// A signal number.
    Signal,
    /// Flags or a choice of an `int` argument, by name.
    Flags(&'static Names),
    /// A structure that the guest gives.
    In(Shape),
    /// A structure that the call gives.
    Out(Shape),
    /// A structure that both write: shown as it is after the call.
    Both(Shape),
}

/// Longest string that is shown, in bytes.
const SHOWN_BYTES: usize = 32;
/// Longest path that is shown, in bytes.
const SHOWN_PATH_BYTES: usize = 256;

/// The guest's memory as decoders read it: `None` for a bad address.
#[derive(Clone, Copy)]
pub(super) struct Memory<'a>(pub(super) &'a Reader<'a>);

impl Memory<'_> {
    /// Exactly `len` bytes.
    pub(super) fn bytes(self, addr: u64, len: usize) -> Option<Vec<u8>> {
        (self.0)(GuestAddr(addr), len).filter(|bytes| addr != 0 && bytes.len() == len)
    }

    pub(super) fn array<const LEN: usize>(self, addr: u64) -> Option<[u8; LEN]> {
        self.bytes(addr, LEN)?.try_into().ok()
    }

    pub(super) fn u32(self, addr: u64) -> Option<u32> {
        self.array(addr).map(u32::from_le_bytes)
    }

    pub(super) fn u64(self, addr: u64) -> Option<u64> {
        self.array(addr).map(u64::from_le_bytes)
    }

    /// A string without its NUL, cut where it is longer than what is shown.
    pub(super) fn string(self, addr: u64) -> Option<Vec<u8>> {
        let mut bytes = (self.0)(GuestAddr(addr), SHOWN_PATH_BYTES).filter(|_| addr != 0)?;
        bytes.truncate(bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len()));
        Some(bytes)
    }

    /// A string in quotation marks.
    pub(super) fn quoted_string(self, addr: u64) -> Option<String> {
        let bytes = self.string(addr)?;
        Some(format!("\"{}\"{}", bytes.escape_ascii(), if bytes.len() == SHOWN_PATH_BYTES { "..." } else { "" }))
    }

    /// The first of `len` bytes in quotation marks.
    pub(super) fn quoted(self, addr: u64, len: u64) -> Option<String> {
        let shown = usize::try_from(len).unwrap_or(usize::MAX).min(SHOWN_BYTES);
        let bytes = if shown == 0 { Vec::new() } else { self.bytes(addr, shown)? };
        Some(format!("\"{}\"{}", bytes.escape_ascii(), if len > SHOWN_BYTES as u64 { "..." } else { "" }))
    }
}

/// True for the forms that hold a descriptor.
pub(super) fn is_descriptor(form: ArgForm) -> bool {
    matches!(form, ArgForm::Fd | ArgForm::Dir)
}

/// An argument before the call; `None` where only the call gives it.
pub(super) fn before(form: ArgForm, value: u64, next: u64, memory: Memory<'_>) -> Option<String> {
    let low = value as u32;
    let signed = low.cast_signed();
    let shown = match form {
        ArgForm::Filled | ArgForm::Out(_) | ArgForm::Both(_) => return None,
        ArgForm::Int | ArgForm::Fd => signed.to_string(),
        ArgForm::Long => value.cast_signed().to_string(),
        ArgForm::Size => value.to_string(),
        ArgForm::Hex => format!("{value:#x}"),
        ArgForm::Octal => format!("0{low:o}"),
        ArgForm::Ptr => pointer(value),
        ArgForm::Dir if signed == -100 => "AT_FDCWD".to_owned(),
        ArgForm::Dir => signed.to_string(),
        ArgForm::Str | ArgForm::Path => memory.quoted_string(value).unwrap_or_else(|| pointer(value)),
        ArgForm::Bytes => memory.quoted(value, next).unwrap_or_else(|| pointer(value)),
        ArgForm::Signal => Signal::new(signed).map_or_else(|| signed.to_string(), |signal| signal.to_string()),
        ArgForm::Flags(names) => names.show(low.into()),
        ArgForm::In(shape) => shapes::show(shape, value, next, None, memory).unwrap_or_else(|| pointer(value)),
    };
    Some(shown)
}

/// An argument that the call gives, after it. `result` is its value where it has succeeded.
pub(super) fn after(form: ArgForm, value: u64, next: u64, result: Option<u64>, memory: Memory<'_>) -> String {
    let shown = match form {
        ArgForm::Filled => result.and_then(|count| memory.quoted(value, count)),
        ArgForm::Out(shape) => result.and_then(|result| shapes::show(shape, value, next, Some(result), memory)),
        ArgForm::Both(shape) => shapes::show(shape, value, next, result, memory),
        ArgForm::Int
        | ArgForm::Long
        | ArgForm::Size
        | ArgForm::Hex
        | ArgForm::Octal
        | ArgForm::Ptr
        | ArgForm::Fd
        | ArgForm::Dir
        | ArgForm::Str
        | ArgForm::Path
        | ArgForm::Bytes
        | ArgForm::Signal
        | ArgForm::Flags(_)
        | ArgForm::In(_) => before(form, value, next, memory),
    };
    shown.unwrap_or_else(|| pointer(value))
}

/// An address.
pub(super) fn pointer(value: u64) -> String {
    if value == 0 { "NULL".to_owned() } else { format!("{value:#x}") }
}
