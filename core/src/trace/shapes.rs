//! The structures that arguments point to: [`Shape`] and how each is shown. Layouts are arm64's.
//!
//! A decoder answers `None` where memory cannot be read: the pointer is shown then. Sources: the manual pages of the calls,
//! `include/uapi/asm-generic/stat.h`, `include/uapi/linux`.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::forms::{Memory, pointer};
use super::names;
use crate::abi::{SigSet, Signal};

/// A structure behind a pointer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// `int`.
    Number,
    /// `int[2]`.
    Pair,
    /// A 64-bit number: offsets.
    Offset,
    /// `struct timespec`.
    Timespec,
    /// `struct timespec[2]`.
    Times,
    /// `struct timeval`.
    Timeval,
    /// `struct itimerspec`.
    Itimerspec,
    /// `struct itimerval`.
    Itimerval,
    /// I/O vectors, whose count is the next argument, with the bytes that are in them.
    Vector,
    /// A socket's address, whose length is the next argument.
    Address,
    /// The same, where the next argument is a pointer to the length.
    AddressAt,
    /// `struct msghdr`.
    Message,
    /// `struct pollfd[]`, whose count is the next argument.
    Poll,
    /// Signals.
    Signals,
    /// `struct sigaction` of the kernel.
    Action,
    /// `stack_t`.
    Stack,
    /// `struct epoll_event`.
    Event,
    /// The same, as many as the call's result.
    Events,
    /// `struct stat`.
    Stat,
    /// `struct statx`.
    Statx,
    /// How a child ended.
    Status,
    /// `struct rlimit`.
    Limit,
    /// `struct utsname`.
    Uname,
    /// A list of strings that a null pointer ends.
    Strings,
    /// As many as there are of those.
    Environment,
    /// `struct clone_args`.
    Clone,
    /// `struct open_how`.
    How,
}

/// Most elements of a list that are shown.
const SHOWN_ELEMENTS: u64 = 16;

/// The structure at `addr`. `next` is the following argument, `result` the call's where it has succeeded.
pub(super) fn show(shape: Shape, addr: u64, next: u64, result: Option<u64>, memory: Memory<'_>) -> Option<String> {
    match shape {
        Shape::Number => Some(format!("[{}]", memory.u32(addr)?.cast_signed())),
        Shape::Pair => {
            Some(format!("[{}, {}]", memory.u32(addr)?.cast_signed(), memory.u32(addr.checked_add(4)?)?.cast_signed()))
        }
        Shape::Offset => Some(format!("[{}]", memory.u64(addr)?.cast_signed())),
        Shape::Timespec => seconds(memory, addr, "tv_nsec"),
        Shape::Times => list(2, |index| seconds(memory, at(addr, index, 16)?, "tv_nsec")),
        Shape::Timeval => seconds(memory, addr, "tv_usec"),
        Shape::Itimerspec => timer(memory, addr, "tv_nsec"),
        Shape::Itimerval => timer(memory, addr, "tv_usec"),
        Shape::Vector => vector(memory, addr, next & 0xffff_ffff, result),
        Shape::Address => address(memory, addr, next & 0xffff_ffff),
        Shape::AddressAt => address(memory, addr, memory.u32(next)?.into()),
        Shape::Message => message(memory, addr, result),
        Shape::Poll => list(next, |index| poll(memory, at(addr, index, 8)?, result.is_some())),
        Shape::Signals => Some(signals(memory.u64(addr)?)),
        Shape::Action => action(memory, addr),
        Shape::Stack => {
            let [base, flags, len] = words(memory, addr)?;
            Some(format!("{{ss_sp={}, ss_flags={:#x}, ss_size={len}}}", pointer(base), flags as u32))
        }
        Shape::Event => event(memory, addr),
        Shape::Events => list(result?, |index| event(memory, at(addr, index, 16)?)),
        Shape::Stat => stat(memory, addr),
        Shape::Statx => statx(memory, addr),
        // Where no child has changed, the call gives nothing.
        Shape::Status => result.filter(|result| *result != 0).and(memory.u32(addr)).map(status),
        Shape::Limit => {
            let [soft, hard] = words(memory, addr)?.map(limit);
            Some(format!("{{rlim_cur={soft}, rlim_max={hard}}}"))
        }
        Shape::Uname => Some(format!(
            "{{sysname={}, nodename={}, release={}, ...}}",
            memory.quoted_string(addr)?,
            memory.quoted_string(addr.checked_add(65)?)?,
            memory.quoted_string(addr.checked_add(130)?)?
        )),
        Shape::Strings => strings(memory, addr),
        Shape::Environment => Some(format!("{} /* {} vars */", pointer(addr), count(memory, addr)?)),
        Shape::Clone => clone_args(memory, addr),
        Shape::How => {
            let [flags, mode, resolve] = words(memory, addr)?;
            Some(format!("{{flags={}, mode=0{mode:o}, resolve={resolve:#x}}}", names::OPEN.show(flags)))
        }
    }
}

fn at(addr: u64, index: u64, size: u64) -> Option<u64> {
    addr.checked_add(index.checked_mul(size)?)
}

/// The 64-bit words of a structure.
fn words<const COUNT: usize>(memory: Memory<'_>, addr: u64) -> Option<[u64; COUNT]> {
    let mut words = [0; COUNT];
    for (index, word) in words.iter_mut().enumerate() {
        *word = memory.u64(at(addr, index as u64, 8)?)?;
    }
    Some(words)
}

/// `[a, b, ...]`; the first that cannot be read ends it, and none at all is no list.
fn list(count: u64, element: impl Fn(u64) -> Option<String>) -> Option<String> {
    let shown: Vec<_> = (0..count.min(SHOWN_ELEMENTS)).map_while(&element).collect();
    let is_cut = (shown.len() as u64) < count;
    let is_readable = count == 0 || !shown.is_empty();
    is_readable.then(|| format!("[{}{}]", shown.join(", "), if is_cut { ", ..." } else { "" }))
}

fn seconds(memory: Memory<'_>, addr: u64, fraction: &str) -> Option<String> {
    let [whole, rest] = words(memory, addr)?.map(u64::cast_signed);
    Some(format!("{{tv_sec={whole}, {fraction}={rest}}}"))
}

fn timer(memory: Memory<'_>, addr: u64, fraction: &str) -> Option<String> {
    let (interval, value) = (seconds(memory, addr, fraction)?, seconds(memory, addr.checked_add(16)?, fraction)?);
    Some(format!("{{it_interval={interval}, it_value={value}}}"))
}

/// After a call that fills the vectors, `result` bytes are in them.
fn vector(memory: Memory<'_>, addr: u64, count: u64, result: Option<u64>) -> Option<String> {
    let mut left = result.unwrap_or(u64::MAX);
    let mut parts = Vec::new();
    for index in 0..count.min(SHOWN_ELEMENTS) {
        let [base, len] = words(memory, at(addr, index, 16)?)?;
        let filled = len.min(left);
        left -= filled;
        let text = memory.quoted(base, filled).unwrap_or_else(|| pointer(base));
        parts.push(format!("{{iov_base={text}, iov_len={len}}}"));
    }
    Some(format!("[{}{}]", parts.join(", "), if count > SHOWN_ELEMENTS { ", ..." } else { "" }))
}

fn address(memory: Memory<'_>, addr: u64, len: u64) -> Option<String> {
    const AF_UNIX: u16 = 1;
    const AF_INET: u16 = 2;
    const AF_INET6: u16 = 10;
    let bytes = memory.bytes(addr, usize::try_from(len).ok()?.min(128))?;
    let family = u16::from_le_bytes([*bytes.first()?, *bytes.get(1)?]);
    let name = names::FAMILY.show(family.into());
    let rest = bytes.get(2..)?;
    let port = rest.get(..2).map(|port| u16::from_be_bytes([port[0], port[1]]));
    let text = match family {
        AF_UNIX if rest.first() == Some(&0) => format!("sun_path=@\"{}\"", rest[1..].escape_ascii()),
        AF_UNIX => format!("sun_path=\"{}\"", rest.split(|byte| *byte == 0).next()?.escape_ascii()),
        AF_INET => {
            let host: [u8; 4] = rest.get(2..6)?.try_into().ok()?;
            format!("sin_port={}, sin_addr={}", port?, Ipv4Addr::from(host))
        }
        AF_INET6 => {
            let host: [u8; 16] = rest.get(6..22)?.try_into().ok()?;
            format!("sin6_port={}, sin6_addr={}", port?, Ipv6Addr::from(host))
        }
        _other_family => format!("sa_data=\"{}\"", rest.escape_ascii()),
    };
    Some(format!("{{sa_family={name}, {text}}}"))
}

fn message(memory: Memory<'_>, addr: u64, result: Option<u64>) -> Option<String> {
    let [name, name_len, iov, iov_len, control, control_len, flags] = words(memory, addr)?;
    let name = address(memory, name, name_len & 0xffff_ffff).unwrap_or_else(|| pointer(name));
    let data = vector(memory, iov, iov_len, result).unwrap_or_else(|| pointer(iov));
    let control = pointer(control);
    let flags = names::MSG.show(flags & 0xffff_ffff);
    Some(format!(
        "{{msg_name={name}, msg_iov={data}, msg_control={control}, msg_controllen={control_len}, msg_flags={flags}}}"
    ))
}

fn poll(memory: Memory<'_>, addr: u64, is_done: bool) -> Option<String> {
    let (fd, events) = (memory.u32(addr)?.cast_signed(), memory.u32(addr.checked_add(4)?)?);
    let asked = names::POLL_EVENTS.show((events & 0xffff).into());
    if is_done {
        Some(format!("{{fd={fd}, events={asked}, revents={}}}", names::POLL_EVENTS.show((events >> 16).into())))
    } else {
        Some(format!("{{fd={fd}, events={asked}}}"))
    }
}

/// The signals of a set; of a nearly full one those that are missing.
pub(super) fn signals(bits: u64) -> String {
    let names = |set: u64| {
        let signals = SigSet(set).iter().map(|signal| signal.to_string().trim_start_matches("SIG").to_owned());
        signals.collect::<Vec<_>>().join(" ")
    };
    if bits.count_ones() > 32 { format!("~[{}]", names(!bits)) } else { format!("[{}]", names(bits)) }
}

fn action(memory: Memory<'_>, addr: u64) -> Option<String> {
    let [handler, flags, _restorer, mask] = words(memory, addr)?;
    let handler = match handler {
        0 => "SIG_DFL".to_owned(),
        1 => "SIG_IGN".to_owned(),
        handler => format!("{handler:#x}"),
    };
    Some(format!(
        "{{sa_handler={handler}, sa_mask={}, sa_flags={}}}",
        signals(mask),
        names::SA.show(flags & 0xffff_ffff)
    ))
}

fn event(memory: Memory<'_>, addr: u64) -> Option<String> {
    let (events, data) = (memory.u32(addr)?, memory.u64(addr.checked_add(8)?)?);
    Some(format!("{{events={}, data={data:#x}}}", names::EPOLL_EVENTS.show(events.into())))
}

/// `S_IFREG|0644`.
fn mode(mode: u32) -> String {
    let kind = match mode >> 12 {
        1 => "S_IFIFO",
        2 => "S_IFCHR",
        4 => "S_IFDIR",
        6 => "S_IFBLK",
        8 => "S_IFREG",
        10 => "S_IFLNK",
        12 => "S_IFSOCK",
        _no_type => return format!("0{mode:o}"),
    };
    format!("{kind}|0{:o}", mode & 0o7777)
}

fn stat(memory: Memory<'_>, addr: u64) -> Option<String> {
    let (kind, size) = (memory.u32(addr.checked_add(16)?)?, memory.u64(addr.checked_add(48)?)?);
    Some(format!("{{st_mode={}, st_size={size}, ...}}", mode(kind)))
}

fn statx(memory: Memory<'_>, addr: u64) -> Option<String> {
    let (mask, size) = (memory.u32(addr)?, memory.u64(addr.checked_add(40)?)?);
    let kind = memory.u32(addr.checked_add(28)?)? & 0xffff;
    Some(format!("{{stx_mask={}, stx_mode={}, stx_size={size}, ...}}", names::STATX_MASK.show(mask.into()), mode(kind)))
}

/// A wait status, as the macros of wait(2) take it apart.
fn status(status: u32) -> String {
    let signal =
        |number: u32| Signal::new(number.cast_signed()).map_or_else(|| number.to_string(), |signal| signal.to_string());
    match (status & 0x7f, status >> 8 & 0xff) {
        (0, code) => format!("[{{WIFEXITED && WEXITSTATUS == {code}}}]"),
        (0x7f, _) if status == 0xffff => "[{WIFCONTINUED}]".to_owned(),
        (0x7f, number) => format!("[{{WIFSTOPPED && WSTOPSIG == {}}}]", signal(number)),
        (number, _) if status & 0x80 != 0 => {
            format!("[{{WIFSIGNALED && WTERMSIG == {} && WCOREDUMP}}]", signal(number))
        }
        (number, _) => format!("[{{WIFSIGNALED && WTERMSIG == {}}}]", signal(number)),
    }
}

fn limit(limit: u64) -> String {
    if limit == u64::MAX { "RLIM64_INFINITY".to_owned() } else { limit.to_string() }
}

fn strings(memory: Memory<'_>, addr: u64) -> Option<String> {
    let count = count(memory, addr)?;
    list(count, |index| memory.quoted_string(memory.u64(at(addr, index, 8)?)?))
}

/// Pointers before the null pointer, of which a guest may have thousands.
fn count(memory: Memory<'_>, addr: u64) -> Option<u64> {
    const MOST: u64 = 1 << 16;
    (0..MOST).find_map(|index| match memory.u64(at(addr, index, 8)?) {
        Some(0) => Some(Some(index)),
        Some(_pointer) => None,
        None => Some(None),
    })?
}

fn clone_args(memory: Memory<'_>, addr: u64) -> Option<String> {
    let [flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls] = words(memory, addr)?;
    let [pidfd, child_tid, parent_tid, stack, tls] = [pidfd, child_tid, parent_tid, stack, tls].map(pointer);
    let flags = names::CLONE.show(flags);
    Some(format!(
        "{{flags={flags}, pidfd={pidfd}, child_tid={child_tid}, parent_tid={parent_tid}, exit_signal={exit_signal}, \
         stack={stack}, stack_size={stack_size}, tls={tls}}}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::GuestAddr;

    fn shown(shape: Shape, next: u64, result: Option<u64>, memory: &[u8]) -> Option<String> {
        let read = |addr: GuestAddr, len: usize| {
            let from = usize::try_from(addr.0.checked_sub(0x1000)?).ok().filter(|from| *from < memory.len())?;
            Some(memory[from..(from + len).min(memory.len())].to_vec())
        };
        show(shape, 0x1000, next, result, Memory(&read))
    }

    fn longs(words: &[u64]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn structures_are_taken_apart() {
        let text = |shape, next, memory: &[u8]| shown(shape, next, Some(0), memory).unwrap();
        assert_eq!(text(Shape::Pair, 0, &[3, 0, 0, 0, 4, 0, 0, 0]), "[3, 4]");
        assert_eq!(text(Shape::Timespec, 0, &longs(&[1, 500])), "{tv_sec=1, tv_nsec=500}");
        assert_eq!(text(Shape::Poll, 1, &longs(&[0x0001_0001_0000_0003])), "[{fd=3, events=POLLIN, revents=POLLIN}]");
        assert_eq!(text(Shape::Signals, 0, &longs(&[0x1_0200])), "[USR1 CHLD]");
        assert_eq!(text(Shape::Signals, 0, &longs(&[!1])), "~[HUP]");
        assert_eq!(
            text(Shape::Action, 0, &longs(&[1, 0x1000_0000, 0, 0])),
            "{sa_handler=SIG_IGN, sa_mask=[], sa_flags=SA_RESTART}"
        );
        assert_eq!(text(Shape::Limit, 0, &longs(&[8, u64::MAX])), "{rlim_cur=8, rlim_max=RLIM64_INFINITY}");
        assert_eq!(
            text(Shape::Address, 8, &[2, 0, 0, 80, 127, 0, 0, 1]),
            "{sa_family=AF_INET, sin_port=80, sin_addr=127.0.0.1}"
        );
        assert_eq!(text(Shape::Address, 5, b"\x01\0/a\0"), "{sa_family=AF_UNIX, sun_path=\"/a\"}");
        let mut strings = longs(&[0x1010, 0]);
        strings.extend(b"ls\0");
        assert_eq!(text(Shape::Strings, 0, &strings), "[\"ls\"]");
    }

    #[test]
    fn how_a_child_ended_is_said() {
        let texts = [0x300, 9, 0x8b, 0x137f, 0xffff].map(status);
        assert_eq!(texts[0], "[{WIFEXITED && WEXITSTATUS == 3}]");
        assert_eq!(texts[1], "[{WIFSIGNALED && WTERMSIG == SIGKILL}]");
        assert_eq!(texts[2], "[{WIFSIGNALED && WTERMSIG == SIGSEGV && WCOREDUMP}]");
        assert_eq!(texts[3], "[{WIFSTOPPED && WSTOPSIG == SIGSTOP}]");
        assert_eq!(texts[4], "[{WIFCONTINUED}]");
        assert_eq!(shown(Shape::Status, 0, Some(0), &[9, 0, 0, 0]), None);
    }

    #[test]
    fn vectors_show_what_was_moved_and_bad_memory_is_a_pointer() {
        let mut memory = longs(&[0x1020, 4, 0x1024, 4]);
        memory.extend(b"abcdefgh");
        let text = shown(Shape::Vector, 2, Some(5), &memory).unwrap();
        assert_eq!(text, "[{iov_base=\"abcd\", iov_len=4}, {iov_base=\"e\", iov_len=4}]");
        assert_eq!(shown(Shape::Vector, 3, None, &memory[..16]), None);
        for shape in [Shape::Stat, Shape::Clone, Shape::Message, Shape::Uname, Shape::Strings, Shape::Environment] {
            assert_eq!(shown(shape, 1, Some(1), &[1, 2, 3]), None, "{shape:?}");
        }
    }
}
