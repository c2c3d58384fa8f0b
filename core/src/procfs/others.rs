//! Files of other processes that run guests: what the host says of them, without elfuse's own threads.

use std::fs::File;
use std::os::unix::fs::FileExt;

use super::{Entry, Subject, maps, mounts, number};
use crate::abi::{Errno, Pid, Tid};
use crate::kernel::TaskContext;
use crate::kernel::open_file::{Listing, ListingKind};
use crate::kernel::published::Published;

/// How the names of elfuse's own threads begin.
const OWN_THREADS: &[u8] = b"elfuse-";

/// Longest environment that is read, in bytes.
const ENVIRONMENT_MAX: u64 = 32 << 20;

/// Another process that runs a guest.
struct Other<'ctx> {
    ctx: &'ctx TaskContext,
    pid: Pid,
    published: Published,
}

/// A file of process `pid`; `None` where that runs no guest, and for files that the host tells right.
pub(super) fn find(ctx: &TaskContext, pid: Pid, rest: &[&[u8]]) -> Option<Result<Entry, Errno>> {
    let make: fn(&Other<'_>) -> Result<Vec<u8>, Errno> = match rest {
        [b"auxv"] => |other| Ok(other.published.auxv.clone()),
        [b"cmdline"] => |other| Ok(other.published.command_line.clone()),
        [b"environ"] => environ,
        [b"maps"] => |other| mappings(other, "maps"),
        [b"smaps"] => |other| mappings(other, "smaps"),
        [b"mountinfo"] => |other| mounts::mountinfo(&other.caller()),
        [b"mounts"] => |other| mounts::mounts(&other.caller()),
        [b"stat"] => |other| stat(other.pid),
        [b"status"] => |other| status(other.pid),
        [b"task"] => return Published::of(pid).map(|_guest| threads(pid).map(Entry::Directory)),
        _the_hosts => return None,
    };
    Published::of(pid).map(|published| make(&Other { ctx, pid, published }).map(Entry::Text))
}

impl Other<'_> {
    /// The process that asks: who sees another guest sees the tree of both.
    fn caller(&self) -> Subject<'_> {
        Subject { ctx: self.ctx, tid: Tid(self.ctx.process().pid().0) }
    }

    /// The guest's line for one of the host's lines of `maps`: empty for what is no mapping of the guest, `None` for a line
    /// that does not begin with a range.
    fn mapping(&self, line: &str) -> Option<Vec<u8>> {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let address = |text| u64::from_str_radix(text, 16).ok()?.checked_sub(self.published.window);
        let is_range = [start, end].iter().all(|text| u64::from_str_radix(text, 16).is_ok());
        let mut fields = rest.splitn(5, ' ');
        let [rights, offset, device, inode, name] = std::array::from_fn(|_| fields.next().unwrap_or_default().trim());
        let is_reserve = rights == "---p" && name.is_empty();
        let (Some(start), Some(end)) = (address(start), address(end)) else { return is_range.then(Vec::new) };
        if is_reserve || end > self.ctx.memory().len_bytes() {
            return Some(Vec::new());
        }
        let is_file = name.starts_with('/') && !name.starts_with("/memfd:elfuse");
        let place = if is_file { format!("{offset} {device} {inode}") } else { "00000000 00:00 0".to_owned() };
        let name = match name {
            file if is_file => self.ctx.process().root().guest_path(file.as_bytes()),
            _memory if (start..end).contains(&self.published.stack) => b"[stack]".to_vec(),
            _memory => Vec::new(),
        };
        Some(maps::named(format!("{start:08x}-{end:08x} {rights} {place} "), &name))
    }
}

/// The environment as it stands in the process's memory.
fn environ(other: &Other<'_>) -> Result<Vec<u8>, Errno> {
    let (start, end) = other.published.env;
    let len = end.saturating_sub(start).min(ENVIRONMENT_MAX);
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
    let memory = File::open(format!("/proc/{}/mem", other.pid))?;
    let got = memory.read_at(&mut bytes, other.published.window.saturating_add(start))?;
    bytes.truncate(got);
    Ok(bytes)
}

/// `maps` or `smaps`, of what the host says of the window. That knows neither rights to execute nor names of memory, other
/// than the stack's.
fn mappings(other: &Other<'_>, name: &str) -> Result<Vec<u8>, Errno> {
    let host = std::fs::read(format!("/proc/{}/{name}", other.pid))?;
    let (mut text, mut is_shown) = (Vec::new(), false);
    for line in String::from_utf8_lossy(&host).lines() {
        match other.mapping(line) {
            Some(mapping) => {
                is_shown = !mapping.is_empty();
                text.extend(mapping);
            }
            // A number about the mapping above.
            None if is_shown => text.extend([line.as_bytes(), b"\n"].concat()),
            None => {}
        }
    }
    Ok(text)
}

/// The guest's threads of another process.
fn thread_ids(pid: Pid) -> Result<Vec<i32>, Errno> {
    let mut ids = Vec::new();
    for entry in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let path = entry?.path();
        let name = std::fs::read(path.join("comm")).unwrap_or_default();
        let id = path.file_name().and_then(|name| number(name.as_encoded_bytes()));
        if !name.starts_with(OWN_THREADS) {
            ids.extend(id);
        }
    }
    ids.sort_unstable();
    Ok(ids)
}

fn threads(pid: Pid) -> Result<Listing, Errno> {
    Ok(Listing::new(thread_ids(pid)?.iter().map(|id| (id.to_string(), ListingKind::Directory))))
}

/// The host's line with the number of the guest's threads: field 20, the 18th behind the name.
fn stat(pid: Pid) -> Result<Vec<u8>, Errno> {
    let host = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let name_end = host.rfind(')').ok_or(Errno::EIO)?;
    let (name, rest) = host.split_at(name_end + 1);
    let mut fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let threads = thread_ids(pid)?.len().to_string();
    if let Some(field) = fields.get_mut(17) {
        *field = &threads;
    }
    Ok(format!("{name} {}\n", fields.join(" ")).into_bytes())
}

fn status(pid: Pid) -> Result<Vec<u8>, Errno> {
    let host = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let threads = thread_ids(pid)?.len();
    let line = |line: &str| match line.strip_prefix("Threads:") {
        Some(_) => format!("Threads:\t{threads}\n"),
        None => format!("{line}\n"),
    };
    Ok(host.lines().map(line).collect::<String>().into_bytes())
}
