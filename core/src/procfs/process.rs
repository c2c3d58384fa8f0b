//! Files and directories of the calling process. Sources: proc_pid_stat(5), proc_pid_status(5), proc_pid_fdinfo(5), ...

use std::fmt::Write;
use std::os::fd::{AsFd, AsRawFd};

use nix::fcntl::OFlag;

use super::{Subject, maps};
use crate::abi::{Errno, Fd, GuestAddr, PAGE_SIZE, SigSet};
use crate::fs::OpenFlags;
use crate::kernel::open_file::{Listing, ListingKind};
use crate::kernel::process::ImageInfo;
use crate::mem::{Prot, VmaFlags};

/// The host's file about the same thread.
fn host_file(subject: &Subject<'_>, name: &str) -> Result<Vec<u8>, Errno> {
    Ok(std::fs::read(format!("/proc/self/task/{}/{name}", subject.tid))?)
}

fn image(subject: &Subject<'_>) -> ImageInfo {
    subject.ctx.process().image()
}

/// Guest memory between two addresses, as far as it is there.
fn memory(subject: &Subject<'_>, (start, end): (u64, u64)) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(end.saturating_sub(start)).unwrap_or(0)];
    let got = subject.ctx.memory().read_up_to(GuestAddr(start), &mut bytes).unwrap_or(0);
    bytes.truncate(got);
    bytes
}

/// The command line as it stands in memory, where programs change it. One that was made longer goes on into the
/// environment, as Linux shows it.
pub(super) fn cmdline(subject: &Subject<'_>) -> Result<Vec<u8>, Errno> {
    let areas = image(subject).areas;
    let mut bytes = memory(subject, areas.args);
    if bytes.last().is_some_and(|last| *last != 0) {
        let more = memory(subject, areas.env);
        let end = more.iter().position(|byte| *byte == 0).unwrap_or(more.len());
        bytes.extend_from_slice(&more[..end]);
    }
    Ok(bytes)
}

pub(super) fn environ(subject: &Subject<'_>) -> Result<Vec<u8>, Errno> {
    Ok(memory(subject, image(subject).areas.env))
}

pub(super) fn auxv(subject: &Subject<'_>) -> Result<Vec<u8>, Errno> {
    Ok(image(subject).areas.auxv_bytes())
}

/// Host addresses are nobody's business: what shows them is not readable.
pub(super) fn no_memory(_subject: &Subject<'_>) -> Result<Vec<u8>, Errno> {
    Err(Errno::EACCES)
}

/// Sizes of the address space in bytes.
#[derive(Default)]
struct Sizes {
    all: u64,
    resident: u64,
    shared: u64,
    code: u64,
    data: u64,
    stack: u64,
    libraries: u64,
    locked: u64,
}

fn sizes(subject: &Subject<'_>) -> Sizes {
    let space = subject.ctx.process().space();
    let areas = image(subject).areas;
    let mut sizes = Sizes { code: areas.code.1.saturating_sub(areas.code.0), ..Sizes::default() };
    let mut executable = 0;
    for vma in space.vmas() {
        let (len, resident) = (vma.range.len(), maps::resident_bytes(space, &vma));
        sizes.all += len;
        sizes.resident += resident;
        let is_shared = vma.flags.contains(VmaFlags::SHARED);
        if !vma.is_anonymous() {
            sizes.shared += resident;
        }
        if vma.flags.contains(VmaFlags::STACK) {
            sizes.stack += len;
        } else if vma.prot.contains(Prot::WRITE) && !is_shared {
            sizes.data += len;
        } else if vma.prot.contains(Prot::EXEC) {
            executable += len;
        }
        if vma.flags.contains(VmaFlags::LOCKED) {
            sizes.locked += len;
        }
    }
    sizes.libraries = executable.saturating_sub(sizes.code);
    sizes
}

pub(super) fn statm(subject: &Subject<'_>) -> Result<Vec<u8>, Errno> {
    let sizes = sizes(subject);
    let pages = [sizes.all, sizes.resident, sizes.shared, sizes.code, 0, sizes.data + sizes.stack, 0];
    let texts = pages.map(|bytes| (bytes / PAGE_SIZE).to_string());
    Ok(format!("{}\n", texts.join(" ")).into_bytes())
}

/// The signal sets of a thread and of its process.
struct Sets {
    pending: SigSet,
    shared: SigSet,
    blocked: SigSet,
    ignored: SigSet,
    caught: SigSet,
    queued: usize,
}

fn signal_sets(subject: &Subject<'_>) -> Sets {
    let group = subject.ctx.process().group();
    let member = group.members.get(&subject.tid);
    let (ignored, caught) = (group.actions.ignored_set(), group.actions.caught_set());
    let pending = member.map_or(SigSet::EMPTY, |member| member.pending.set());
    Sets {
        queued: pending.iter().count() + group.shared.set().iter().count(),
        pending,
        shared: group.shared.set(),
        blocked: member.map_or(SigSet::EMPTY, |member| member.blocked),
        ignored,
        caught,
    }
}

/// The host's line with what the guest's own differs in; numbering of the fields as in proc_pid_stat(5).
pub(super) fn stat(subject: &Subject<'_>) -> Result<Vec<u8>, Errno> {
    let host = host_file(subject, "stat")?;
    let name_end = host.iter().rposition(|byte| *byte == b')').ok_or(Errno::EIO)?;
    let (name, rest) = host.split_at(name_end + 1);
    let mut fields: Vec<String> = String::from_utf8_lossy(rest).split_ascii_whitespace().map(str::to_owned).collect();
    let (process, areas, sizes, sets) =
        (subject.ctx.process(), image(subject).areas, sizes(subject), signal_sets(subject));
    let (brk_start, _) = process.space().brk_area();
    let low = |set: SigSet| set.0 & 0x7fff_ffff;
    for (number, value) in [
        (20, process.group().members.len() as u64),
        (23, sizes.all),
        (24, sizes.resident / PAGE_SIZE),
        (26, areas.code.0),
        (27, areas.code.1),
        (28, areas.stack),
        (29, 0),
        (30, 0),
        (31, low(sets.pending)),
        (32, low(sets.blocked)),
        (33, low(sets.ignored)),
        (34, low(sets.caught)),
        (45, areas.data.0),
        (46, areas.data.1),
        (47, brk_start.0),
        (48, areas.args.0),
        (49, areas.args.1),
        (50, areas.env.0),
        (51, areas.env.1),
    ] {
        // The third field is the first behind the name.
        if let Some(field) = fields.get_mut(number - 3) {
            *field = value.to_string();
        }
    }
    Ok([name, b" ", fields.join(" ").as_bytes(), b"\n"].concat())
}

/// The host's lines with what the guest's own differs in.
pub(super) fn status(subject: &Subject<'_>) -> Result<Vec<u8>, Errno> {
    let host = String::from_utf8_lossy(&host_file(subject, "status")?).into_owned();
    let (sizes, sets) = (sizes(subject), signal_sets(subject));
    let threads = subject.ctx.process().group().members.len();
    let kib = |bytes: u64| format!("{:>8} kB", bytes >> 10);
    let set = |set: SigSet| format!("{:016x}", set.0);
    let limit = |line: &str| line.rsplit_once('/').map_or(String::new(), |(_, limit)| limit.to_owned());
    let mut text = String::with_capacity(host.len());
    for line in host.lines() {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let own = match name {
            "FDSize" => Some(subject.ctx.files.entries().len().next_multiple_of(64).to_string()),
            "VmPeak" | "VmSize" => Some(kib(sizes.all)),
            "VmHWM" | "VmRSS" => Some(kib(sizes.resident)),
            "RssAnon" => Some(kib(sizes.resident.saturating_sub(sizes.shared))),
            "RssFile" => Some(kib(sizes.shared)),
            "RssShmem" | "VmSwap" => Some(kib(0)),
            "VmLck" => Some(kib(sizes.locked)),
            "VmData" => Some(kib(sizes.data)),
            "VmStk" => Some(kib(sizes.stack)),
            "VmExe" => Some(kib(sizes.code)),
            "VmLib" => Some(kib(sizes.libraries)),
            "Threads" => Some(threads.to_string()),
            "SigQ" => Some(format!("{}/{}", sets.queued, limit(value))),
            "SigPnd" => Some(set(sets.pending)),
            "ShdPnd" => Some(set(sets.shared)),
            "SigBlk" => Some(set(sets.blocked)),
            "SigIgn" => Some(set(sets.ignored)),
            "SigCgt" => Some(set(sets.caught)),
            // What x86 has and arm64 has not.
            "x86_Thread_features" | "x86_Thread_features_locked" => continue,
            _same => None,
        };
        let written = match own {
            Some(own) => writeln!(text, "{name}:\t{own}"),
            None => writeln!(text, "{line}"),
        };
        // Writing to a string does not fail.
        written.map_err(|_| Errno::EIO)?;
    }
    Ok(text.into_bytes())
}

/// `fd` and `fdinfo`, with the descriptor that the directory itself is about to get.
pub(super) fn descriptors(subject: &Subject<'_>) -> Listing {
    let mut numbers: Vec<i32> = subject.ctx.files.entries().iter().map(|entry| entry.fd.0).collect();
    let free = (0..).zip(&numbers).find(|(index, number)| index != *number);
    let own = free.map_or(numbers.len() as i32, |(index, _)| index);
    numbers.insert(own as usize, own);
    Listing::new(numbers.iter().map(|number| (number.to_string(), ListingKind::Link)))
}

/// `task`: the guest's threads, without those of elfuse.
pub(super) fn threads(subject: &Subject<'_>) -> Listing {
    let group = subject.ctx.process().group();
    Listing::new(group.members.keys().map(|tid| (tid.to_string(), ListingKind::Directory)))
}

/// `fdinfo/N`: the host's lines with arm64's numbers of the flags.
pub(super) fn descriptor_info(subject: &Subject<'_>, fd: i32) -> Result<Vec<u8>, Errno> {
    let file = subject.ctx.files.get(Fd(fd)).map_err(|_closed| Errno::ENOENT)?;
    let host = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", file.as_fd().as_raw_fd()))?;
    let close_on_exec = subject.ctx.files.is_close_on_exec(Fd(fd))?;
    let translated = host.lines().map(|line| match line.strip_prefix("flags:") {
        None => format!("{line}\n"),
        Some(flags) => {
            let flags = i32::from_str_radix(flags.trim(), 8).unwrap_or(0);
            let mut flags = OpenFlags::from_host(OFlag::from_bits_retain(flags) - OFlag::O_CLOEXEC);
            flags.set(OpenFlags::CLOEXEC, close_on_exec);
            format!("flags:\t0{:o}\n", flags.bits())
        }
    });
    Ok(translated.collect::<String>().into_bytes())
}
