//! Files of /proc and /sys whose contents are the guest's and not elfuse's: [`find`].
//!
//! A file is made when it is opened and does not change afterwards. Names that are not here are the host's and true of the
//! guest too: limits, io, meminfo, ... Links of the process (`exe`, `fd/N`, `root`) are `kernel::paths`'. Sources:
//! proc(5) and its pages, `fs/proc/` of Linux.

mod maps;
mod mounts;
mod others;
mod process;
mod system;

use crate::abi::{Errno, Pid, Tid};
use crate::kernel::TaskContext;
use crate::kernel::open_file::Listing;
use crate::kernel::published::Published;

/// What an opened name shows.
#[derive(Debug)]
pub enum Entry {
    /// A file with these bytes.
    Text(Vec<u8>),
    /// A directory with these names.
    Directory(Listing),
}

/// A process that a file is about: the calling one, by one of its threads.
struct Subject<'ctx> {
    ctx: &'ctx TaskContext,
    tid: Tid,
}

type Maker = fn(&Subject<'_>) -> Result<Vec<u8>, Errno>;

/// The files of a process and of its threads.
const FILES: [(&[u8], Maker); 13] = [
    (b"auxv", process::auxv),
    (b"cmdline", process::cmdline),
    (b"environ", process::environ),
    (b"maps", maps::maps),
    (b"mem", process::no_memory),
    (b"mountinfo", mounts::mountinfo),
    (b"mounts", mounts::mounts),
    (b"smaps", maps::smaps),
    (b"smaps_rollup", maps::smaps_rollup),
    (b"stat", process::stat),
    (b"statm", process::statm),
    (b"status", process::status),
    (b"pagemap", process::no_memory),
];

/// Looks a path up; `None` where the host's file is the right one.
#[must_use]
pub fn find(ctx: &TaskContext, path: &[u8]) -> Option<Result<Entry, Errno>> {
    let components: Vec<&[u8]> = path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()).collect();
    match components.as_slice() {
        [b"proc", owner, rest @ ..] if is_own(ctx, owner) => {
            let tid = if *owner == b"thread-self" { ctx.task.tid() } else { Tid(ctx.process().pid().0) };
            of_process(&Subject { ctx, tid }, rest)
        }
        // A link to self/mounts, which the host has followed in its own way where it walked the path.
        [b"proc", b"mounts"] => of_process(&Subject { ctx, tid: Tid(ctx.process().pid().0) }, &[b"mounts"]),
        [b"proc", owner, rest @ ..] if number(owner).is_some() => others::find(ctx, Pid(number(owner)?), rest),
        [b"proc" | b"sys", ..] => system::file(ctx, &components).map(|bytes| Ok(Entry::Text(bytes))),
        _elsewhere => None,
    }
}

/// The contents of a file that only the guest has, not the host: about its CPU, below /sys.
#[must_use]
pub fn of_guest_alone(ctx: &TaskContext, path: &[u8]) -> Option<Vec<u8>> {
    let components: Vec<&[u8]> = path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()).collect();
    match components.as_slice() {
        [b"sys", b"devices", b"system", b"cpu", cpu, b"regs", b"identification", name] if path.starts_with(b"/") => {
            system::identification(ctx, cpu, name)
        }
        _the_hosts => None,
    }
}

/// The target of a link of another process that runs a guest, as the guest names it.
#[must_use]
pub fn link(path: &[u8]) -> Option<Vec<u8>> {
    let components: Vec<&[u8]> = path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()).collect();
    match components.as_slice() {
        [b"proc", owner, b"exe"] => Published::of(Pid(number(owner)?)).map(|published| published.path),
        _the_hosts => None,
    }
}

fn number(name: &[u8]) -> Option<i32> {
    std::str::from_utf8(name).ok()?.parse().ok()
}

fn is_own(ctx: &TaskContext, owner: &[u8]) -> bool {
    owner == b"self" || owner == b"thread-self" || number(owner) == Some(ctx.process().pid().0)
}

fn of_process(subject: &Subject<'_>, rest: &[&[u8]]) -> Option<Result<Entry, Errno>> {
    match rest {
        [b"fd" | b"fdinfo"] => Some(Ok(Entry::Directory(process::descriptors(subject)))),
        [b"fdinfo", fd] => Some(process::descriptor_info(subject, number(fd)?).map(Entry::Text)),
        [b"task"] => Some(Ok(Entry::Directory(process::threads(subject)))),
        [b"task", tid, rest @ ..] => {
            let tid = Tid(number(tid)?);
            if !subject.ctx.process().group().members.contains_key(&tid) {
                return Some(Err(Errno::ENOENT));
            }
            of_process(&Subject { ctx: subject.ctx, tid }, rest)
        }
        [name] => {
            let (_, make) = FILES.iter().find(|(known, _)| known == name)?;
            Some(make(subject).map(Entry::Text))
        }
        _none_or_deeper => None,
    }
}
