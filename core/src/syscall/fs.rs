//! Names and contents of files: openat(2), unlinkat(2), getdents64(2) and kin, on the host's file system.
//!
//! Metadata is in [`super::metadata`], paths in [`super::path`].

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileExt;

use nix::fcntl::OFlag;

use super::Args;
use super::messages::restartable;
use super::path::{at, cwd, last_of};
use crate::abi::Errno;
use crate::fs::{Last, OpenFlags, Root, RootConfig};
use crate::host::{paths, sys};
use crate::kernel::open_file::OpenFile;
use crate::kernel::paths::{HostPath, Magic};
use crate::kernel::{SyscallError, SyscallResult, TaskContext};
use crate::procfs::{self, Entry};

/// `AT_REMOVEDIR` and its kin have the same numbers everywhere; renameat(2) has none.
const NO_FLAGS: u32 = 0;

pub(super) fn openat(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    open(ctx, args, OpenFlags::from_bits_truncate(args.u32(2)), args.u32(3))
}

/// openat2(2). With a scope the host walks the path, absolute ones in the sysroot: bound places and the host's files do
/// not take part.
pub(super) fn openat2(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    const NO_MAGICLINKS: u64 = 2;
    const BENEATH: u64 = 8;
    const IN_ROOT: u64 = 16;
    const KNOWN: u64 = 0x3f;
    let [flags, mode, resolve] = read_how(ctx, args)?;
    let known = u64::from(OpenFlags::all().bits() | O_ACCMODE);
    let makes = u64::from((OpenFlags::CREAT | OpenFlags::TMPFILE_ONLY).bits());
    if flags & !known != 0 || resolve & !KNOWN != 0 || mode & !0o7777 != 0 || mode != 0 && flags & makes == 0 {
        return Err(Errno::EINVAL.into());
    }
    let flags = OpenFlags::from_bits_truncate(flags as u32);
    if resolve & !NO_MAGICLINKS == 0 {
        return open(ctx, args, flags, mode as u32);
    }
    let path = args.path(ctx.memory(), 1)?;
    let directory = match args.i32(0) {
        AT_FDCWD => None,
        _descriptor => Some(ctx.files.get(args.fd(0))?),
    };
    let root = ctx.process().root();
    let mut resolve = resolve;
    let mut start = directory.as_deref().map(AsFd::as_fd);
    if path.to_bytes().starts_with(b"/")
        && resolve & (BENEATH | IN_ROOT) == 0
        && let Some(sysroot) = root.sysroot()
    {
        start = Some(sysroot);
        resolve |= IN_ROOT;
    }
    let host_flags = flags.to_host() | OFlag::O_CLOEXEC;
    let opened = sys::openat2(start, &path, host_flags.bits(), mode as u32, resolve)?;
    let fd = ctx.files.add(OpenFile::new(opened), flags.contains(OpenFlags::CLOEXEC))?;
    Ok(u64::from(fd.0.cast_unsigned()))
}

/// `AT_FDCWD`.
const AT_FDCWD: i32 = -100;
/// `O_ACCMODE`.
const O_ACCMODE: u32 = 3;

/// `struct open_how` at argument 2; longer ones must end in zeros.
fn read_how(ctx: &TaskContext, args: &Args) -> Result<[u64; 3], Errno> {
    const LEN: usize = size_of::<[u64; 3]>();
    let len = args.usize(3);
    if len < LEN {
        return Err(Errno::EINVAL);
    }
    if len > crate::abi::PAGE_SIZE as usize {
        return Err(Errno::E2BIG);
    }
    let mut rest = vec![0; len - LEN];
    ctx.memory().read_bytes(args.addr(2).add(LEN as u64)?, &mut rest)?;
    if rest.iter().any(|byte| *byte != 0) {
        return Err(Errno::E2BIG);
    }
    ctx.memory().read(args.ptr(2))
}

/// Opens the path at argument 1.
fn open(ctx: &TaskContext, args: &Args, flags: OpenFlags, mode: u32) -> SyscallResult {
    match open_found(ctx, args, flags, mode) {
        Err(SyscallError::Errno(Errno::ENOENT)) => {
            let path = args.path(ctx.memory(), 1)?;
            let text = procfs::of_guest_alone(ctx, path.to_bytes()).ok_or(Errno::ENOENT)?;
            let fd = ctx.files.add(OpenFile::new(text_file(&text)?), flags.contains(OpenFlags::CLOEXEC))?;
            Ok(u64::from(fd.0.cast_unsigned()))
        }
        answer => answer,
    }
}

fn open_found(ctx: &TaskContext, args: &Args, flags: OpenFlags, mode: u32) -> SyscallResult {
    let must_be_new = flags.contains(OpenFlags::CREAT | OpenFlags::EXCL);
    let keeps_link = must_be_new || flags.contains(OpenFlags::NOFOLLOW);
    let path = at(ctx, args, 1, if keeps_link { Last::Itself } else { Last::Follow })?;
    if must_be_new && path.object().is_some() {
        return Err(Errno::EEXIST.into());
    }
    let entry = if path.object().is_none() { procfs::find(ctx, path.path().to_bytes()) } else { None };
    let opened = open_host(ctx, &path, flags, mode)?;
    let file = match entry.transpose()? {
        None => OpenFile::new(opened),
        Some(_) if flags.contains(OpenFlags::PATH) => OpenFile::new(opened),
        Some(Entry::Text(_)) if flags.intersects(OpenFlags::WRONLY | OpenFlags::RDWR) => OpenFile::new(opened),
        Some(Entry::Text(text)) => OpenFile::new(text_file(&text)?),
        Some(Entry::Directory(listing)) => OpenFile::with_listing(opened, listing),
    };
    let fd = ctx.files.add(file, flags.contains(OpenFlags::CLOEXEC))?;
    Ok(u64::from(fd.0.cast_unsigned()))
}

/// openat(2) of the host, the descriptor always closed by exec. Where the path names a FIFO, a pool thread waits for the
/// other side.
pub(super) fn open_host(
    ctx: &TaskContext,
    path: &HostPath,
    flags: OpenFlags,
    mode: u32,
) -> Result<OwnedFd, SyscallError> {
    let mut host_flags = flags.to_host() | OFlag::O_CLOEXEC;
    if path.object().is_some() {
        // It is there, and its name in /proc is a link.
        host_flags -= OFlag::O_NOFOLLOW | OFlag::O_CREAT;
    }
    let waits_for_nobody =
        flags.intersects(OpenFlags::NONBLOCK | OpenFlags::PATH | OpenFlags::DIRECTORY | OpenFlags::RDWR);
    let stat_flags = if host_flags.contains(OFlag::O_NOFOLLOW) { libc::AT_SYMLINK_NOFOLLOW } else { 0 };
    if waits_for_nobody || !sys::is_fifo(path.directory(), path.path(), stat_flags) {
        return Ok(sys::openat(path.directory(), path.path(), host_flags.bits(), mode)?);
    }
    let directory =
        path.directory().map(|directory| directory.try_clone_to_owned()).transpose().map_err(Errno::from)?;
    let name = path.path().to_owned();
    let call = move || sys::openat(directory.as_ref().map(AsFd::as_fd), &name, host_flags.bits(), mode);
    ctx.task.block_on_call(&ctx.proof, call).map_err(restartable)
}

/// A file of /proc: read-only, with these bytes.
fn text_file(text: &[u8]) -> Result<OwnedFd, Errno> {
    let file = sys::memfd_create(c"proc", sys::MFD_CLOEXEC)?;
    std::fs::File::from(file.try_clone()?).write_all_at(text, 0)?;
    sys::openat(None, &paths::name_of(file.as_fd()), (OFlag::O_RDONLY | OFlag::O_CLOEXEC).bits(), 0)
}

pub(super) fn memfd_create(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let name = args.path(ctx.memory(), 0)?;
    let opened = sys::memfd_create(&name, args.u32(1) | sys::MFD_CLOEXEC)?;
    let fd = ctx.files.add(OpenFile::new(opened), args.u32(1) & sys::MFD_CLOEXEC != 0)?;
    Ok(u64::from(fd.0.cast_unsigned()))
}

pub(super) fn memfd_secret(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let flags = OpenFlags::from_bits(args.u32(0)).ok_or(Errno::EINVAL)?;
    if !OpenFlags::CLOEXEC.contains(flags) {
        return Err(Errno::EINVAL.into());
    }
    let opened = sys::memfd_secret(OFlag::O_CLOEXEC.bits())?;
    let fd = ctx.files.add(OpenFile::new(opened), !flags.is_empty())?;
    Ok(u64::from(fd.0.cast_unsigned()))
}

pub(super) fn getdents64(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    if let Some(listing) = file.listing() {
        let bytes = listing.read(args.u32(2) as usize)?;
        ctx.memory().write_bytes(args.addr(1), &bytes)?;
        return Ok(bytes.len() as u64);
    }
    Ok(sys::getdents64(file.as_fd(), args.buffer(ctx.memory(), 1)?)?)
}

pub(super) fn readlinkat(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let memory = ctx.memory();
    if args.i32(3) <= 0 {
        return Err(Errno::EINVAL.into());
    }
    let path = at(ctx, args, 1, Last::Itself)?;
    let target = match path.magic() {
        None if path.object().is_some() => return Err(Errno::EINVAL.into()),
        None if !path.path().to_bytes().starts_with(b"/proc/") => {
            return Ok(sys::readlinkat(path.directory(), path.path(), args.buffer(memory, 2)?)?);
        }
        Some(Magic::Executable) => ctx.process().image().path.as_os_str().as_bytes().to_vec(),
        Some(Magic::Root) => b"/".to_vec(),
        // A link of /proc leads to a host path.
        None | Some(Magic::Descriptor(_)) => match procfs::link(path.path().to_bytes()) {
            Some(target) => target,
            None => {
                let target = std::fs::read_link(path.to_path()).map_err(Errno::from)?.into_os_string().into_vec();
                ctx.process().root().guest_path(&target)
            }
        },
    };
    let shown = &target[..target.len().min(args.usize(3))];
    memory.write_bytes(args.addr(2), shown)?;
    Ok(shown.len() as u64)
}

pub(super) fn getcwd(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let root = ctx.process().root();
    if root.is_plain() {
        return Ok(sys::getcwd(args.buffer(ctx.memory(), 0)?)?);
    }
    let mut path = root.guest_path(&paths::working_directory()?);
    path.push(0);
    if path.len() > args.usize(1) {
        return Err(Errno::ERANGE.into());
    }
    ctx.memory().write_bytes(args.addr(0), &path)?;
    Ok(path.len() as u64)
}

pub(super) fn chdir(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let path = cwd(ctx, args, 0)?;
    match path.object() {
        Some(directory) => Ok(sys::fchdir(directory)?),
        None => Ok(sys::chdir(&path.to_host_string()?)?),
    }
}

/// chroot(2), for a guest with root's rights: another tree of files for this process, nothing of the host's in it.
pub(super) fn chroot(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let path = cwd(ctx, args, 0)?;
    let directory = path.to_path();
    if !std::fs::metadata(&directory).map_err(Errno::from)?.is_dir() {
        return Err(Errno::ENOTDIR.into());
    }
    if !nix::unistd::geteuid().is_root() {
        return Err(Errno::EPERM.into());
    }
    let sysroot = Some(std::fs::canonicalize(directory).map_err(Errno::from)?);
    let config = RootConfig { sysroot, is_confined: true, binds: Vec::new() };
    ctx.process().set_root(Root::new(config).map_err(|_gone| Errno::ENOENT)?);
    Ok(0)
}

pub(super) fn fchdir(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    Ok(sys::fchdir(file.as_fd())?)
}

pub(super) fn faccessat(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let path = at(ctx, args, 1, Last::Follow)?;
    Ok(sys::faccessat(path.directory(), path.path(), args.u32(2))?)
}

pub(super) fn faccessat2(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let path = at(ctx, args, 1, last_of(args.u32(3)))?;
    Ok(sys::faccessat2(path.directory(), path.path(), args.u32(2), path.flags(args.u32(3)))?)
}

pub(super) fn unlinkat(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let path = at(ctx, args, 1, Last::Itself)?;
    Ok(sys::unlinkat(path.directory(), path.path(), args.u32(2))?)
}

pub(super) fn mkdirat(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let path = at(ctx, args, 1, Last::Itself)?;
    Ok(sys::mkdirat(path.directory(), path.path(), args.u32(2))?)
}

pub(super) fn mknodat(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let path = at(ctx, args, 1, Last::Itself)?;
    Ok(sys::mknodat(path.directory(), path.path(), args.u32(2), args.u32(3))?)
}

pub(super) fn symlinkat(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let target = args.path(ctx.memory(), 0)?;
    let path = at(ctx, args, 2, Last::Itself)?;
    Ok(sys::symlinkat(&target, path.directory(), path.path())?)
}

pub(super) fn linkat(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    /// `AT_SYMLINK_FOLLOW`.
    const FOLLOW: u32 = 0x400;
    let mut flags = args.u32(4);
    let old = at(ctx, args, 1, if flags & FOLLOW == 0 { Last::Itself } else { Last::Follow })?;
    let new = at(ctx, args, 3, Last::Itself)?;
    if old.object().is_some() {
        flags |= FOLLOW;
    }
    Ok(sys::linkat(old.directory(), old.path(), new.directory(), new.path(), flags)?)
}

fn rename(ctx: &TaskContext, args: &Args, flags: u32) -> SyscallResult {
    let (old, new) = (at(ctx, args, 1, Last::Itself)?, at(ctx, args, 3, Last::Itself)?);
    Ok(sys::renameat2(old.directory(), old.path(), new.directory(), new.path(), flags)?)
}

pub(super) fn renameat(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    rename(ctx, args, NO_FLAGS)
}

pub(super) fn renameat2(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    rename(ctx, args, args.u32(4))
}

pub(super) fn truncate(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let path = cwd(ctx, args, 0)?;
    Ok(sys::truncate(&path.to_host_string()?, args.i64(1))?)
}

pub(super) fn ftruncate(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    Ok(sys::ftruncate(file.as_fd(), args.i64(1))?)
}

pub(super) fn fallocate(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    Ok(sys::fallocate(file.as_fd(), args.u32(1), args.i64(2), args.i64(3))?)
}

pub(super) fn sync(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Ok(sys::sync()?)
}

pub(super) fn fsync(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    Ok(sys::fsync(file.as_fd())?)
}

pub(super) fn fdatasync(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    Ok(sys::fdatasync(file.as_fd())?)
}

pub(super) fn syncfs(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    Ok(sys::syncfs(file.as_fd())?)
}

pub(super) fn sync_file_range(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    Ok(sys::sync_file_range(file.as_fd(), args.i64(1), args.i64(2), args.u32(3))?)
}

pub(super) fn readahead(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    Ok(sys::readahead(file.as_fd(), args.i64(1), args.usize(2))?)
}

pub(super) fn copy_file_range(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let (from, to) = (ctx.files.get(args.fd(0))?, ctx.files.get(args.fd(2))?);
    let (from_offset, to_offset) = (args.optional(ctx.memory(), 1)?, args.optional(ctx.memory(), 3)?);
    Ok(sys::copy_file_range(from.as_fd(), from_offset, to.as_fd(), to_offset, args.usize(4), args.u32(5))?)
}

pub(super) fn fadvise64(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    Ok(sys::fadvise64(file.as_fd(), args.i64(1), args.i64(2), args.u32(3))?)
}

pub(super) fn cachestat(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    let memory = ctx.memory();
    Ok(sys::cachestat(file.as_fd(), args.structure(memory, 1)?, args.structure(memory, 2)?, args.u32(3))?)
}

/// umask(2): the host process's, which is the guest process's alone.
pub(super) fn umask(_ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let mask = nix::sys::stat::Mode::from_bits_truncate((args.u32(0) & 0o777) as libc::mode_t);
    Ok(u64::from(nix::sys::stat::umask(mask).bits()))
}
