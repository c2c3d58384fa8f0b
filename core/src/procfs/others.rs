//! Files of other processes that run guests: what the host says of them, without elfuse's own threads.

use super::{Entry, number};
use crate::abi::{Errno, Pid};
use crate::kernel::open_file::{Listing, ListingKind};
use crate::kernel::published::Published;

/// How the names of elfuse's own threads begin.
const OWN_THREADS: &[u8] = b"elfuse-";

/// A file of process `pid`; `None` where that runs no guest, and for files that the host tells right.
pub(super) fn find(pid: Pid, rest: &[&[u8]]) -> Option<Result<Entry, Errno>> {
    let make: fn(Pid, &Published) -> Result<Entry, Errno> = match rest {
        [b"cmdline"] => |_pid, published| Ok(Entry::Text(published.command_line.clone())),
        [b"stat"] => |pid, _| stat(pid).map(Entry::Text),
        [b"status"] => |pid, _| status(pid).map(Entry::Text),
        [b"task"] => |pid, _| Ok(Entry::Directory(threads(pid)?)),
        _the_hosts => return None,
    };
    Published::of(pid).map(|published| make(pid, &published))
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
