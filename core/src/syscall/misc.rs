//! Everything about the process and the machine that has no family: uname(2), limits, prctl(2), scheduling, getrandom(2).

use std::ffi::CString;

use super::Args;
use crate::abi::{Errno, GuestPtr};
use crate::host::sys;
use crate::kernel::signal::PendingLimit;
use crate::kernel::{SyscallResult, TaskContext};
use crate::vcpu::PauthKeys;

/// Length of each field of `struct new_utsname`.
const UTS_LEN: usize = 65;

const RLIMIT_NOFILE: u32 = 7;
const RLIMIT_SIGPENDING: u32 = 11;

pub(super) fn uname(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let uts = ctx.process().uts();
    let texts = [uts.system, &uts.node, &uts.release, uts.version, uts.machine, uts.domain];
    let mut bytes = [0; UTS_LEN * 6];
    for (field, text) in bytes.chunks_exact_mut(UTS_LEN).zip(texts) {
        let len = text.len().min(UTS_LEN - 1);
        field[..len].copy_from_slice(&text.as_bytes()[..len]);
    }
    ctx.memory().write_bytes(args.addr(0), &bytes)?;
    Ok(0)
}

/// Changes and reads limits: the host's, which fork children and executed programs inherit. Of the limits that bound
/// elfuse itself as well (`RLIMIT_AS`, `RLIMIT_DATA`, `RLIMIT_STACK`), none is enforced on the guest's memory alone.
pub(super) fn prlimit64(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let memory = ctx.memory();
    let resource = args.u32(1);
    let is_own = args.i32(0) == 0 || args.pid(0) == ctx.process().pid();
    if is_own && resource == RLIMIT_SIGPENDING {
        return own_pending_limit(ctx, args.ptr(2), args.ptr(3));
    }
    let result = sys::prlimit64(args.i32(0), resource, args.optional(memory, 2)?, args.optional(memory, 3)?)?;
    if is_own && resource == RLIMIT_NOFILE && !args.addr(2).is_null() {
        let [soft, _hard] = memory.read(args.ptr::<[u64; 2]>(2))?;
        ctx.files.set_limit(soft);
    }
    Ok(result)
}

/// `RLIMIT_SIGPENDING` of the process itself, which is not the host's: see [`ThreadGroup::pending_limit`].
///
/// [`ThreadGroup::pending_limit`]: crate::kernel::signal::ThreadGroup::pending_limit
fn own_pending_limit(ctx: &TaskContext, new: GuestPtr<[u64; 2]>, old: GuestPtr<[u64; 2]>) -> SyscallResult {
    let new = if new.addr().is_null() { None } else { Some(ctx.memory().read(new)?) };
    let mut group = ctx.process().group();
    let before = group.pending_limit();
    if let Some([soft, hard]) = new {
        if soft > hard {
            return Err(Errno::EINVAL.into());
        }
        // Linux asks for CAP_SYS_RESOURCE, which root has.
        if hard > before.hard && !nix::unistd::geteuid().is_root() {
            return Err(Errno::EPERM.into());
        }
        group.pending_limit = Some(PendingLimit { soft, hard });
    }
    drop(group);
    if !old.addr().is_null() {
        ctx.memory().write(old, &[before.soft, before.hard])?;
    }
    Ok(0)
}

pub(super) fn getrlimit(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    prlimit64(ctx, &Args([0, args.u64(0), 0, args.u64(1), 0, 0]))
}

/// setrlimit(2), as [`prlimit64`].
pub(super) fn setrlimit(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    prlimit64(ctx, &Args([0, args.u64(0), args.u64(1), 0, 0, 0]))
}

pub(super) fn getrusage(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(sys::getrusage(args.i32(0), args.structure(ctx.memory(), 1)?)?)
}

pub(super) fn sysinfo(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(sys::sysinfo(args.structure(ctx.memory(), 0)?)?)
}

pub(super) fn getrandom(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(sys::getrandom(args.buffer(ctx.memory(), 0)?, args.u32(2))?)
}

/// personality(2): `PER_LINUX` and no other.
pub(super) fn personality(_ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    match args.u32(0) {
        0 | u32::MAX => Ok(0),
        _other => Err(Errno::EINVAL.into()),
    }
}

/// Options of prctl(2) that go to the host with a number: PDEATHSIG would fire for the wrong thread and is not among
/// them.
const PRCTL_VALUES: [i32; 7] = [
    libc::PR_GET_DUMPABLE,
    libc::PR_SET_DUMPABLE,
    libc::PR_SET_TIMERSLACK,
    libc::PR_GET_TIMERSLACK,
    libc::PR_SET_CHILD_SUBREAPER,
    libc::PR_SET_NO_NEW_PRIVS,
    libc::PR_GET_NO_NEW_PRIVS,
];

const PR_PAC_RESET_KEYS: i32 = 54;
const PR_PAC_SET_ENABLED_KEYS: i32 = 60;
const PR_PAC_GET_ENABLED_KEYS: i32 = 61;
/// The bit of AT_HWCAP that says "pointer authentication".
const HWCAP_PACA: u64 = 1 << 30;

fn has_pauth(ctx: &TaskContext) -> bool {
    ctx.process().machine().features().hwcaps[0] & HWCAP_PACA != 0
}

/// `PR_PAC_RESET_KEYS`: new keys for the calling thread; no key named is all of them.
fn reset_pauth_keys(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let mask = u8::try_from(args.u64(1)).unwrap_or(u8::MAX);
    let has_rest = (2..5).any(|index| args.u64(index) != 0);
    if has_rest || mask & !PauthKeys::ALL != 0 || !has_pauth(ctx) {
        return Err(Errno::EINVAL.into());
    }
    let mut state = ctx.vcpu.pull();
    state.pauth.reset(if mask == 0 { PauthKeys::ALL } else { mask });
    ctx.vcpu.push(&state);
    Ok(0)
}

/// `PR_PAC_SET_ENABLED_KEYS`: which of the named keys do something.
fn enable_pauth_keys(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let [named, enabled] = [1, 2].map(|index| u8::try_from(args.u64(index)).unwrap_or(u8::MAX));
    let has_rest = (3..5).any(|index| args.u64(index) != 0);
    if has_rest || named & !PauthKeys::ADDRESS_KEYS != 0 || enabled & !named != 0 || !has_pauth(ctx) {
        return Err(Errno::EINVAL.into());
    }
    let mut state = ctx.vcpu.pull();
    state.pauth.enabled = state.pauth.enabled & !named | enabled;
    ctx.vcpu.push(&state);
    Ok(0)
}

/// prctl(2). Missing: everything that is not named here is `EINVAL`, as on a kernel without it.
pub(super) fn prctl(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let memory = ctx.memory();
    match args.i32(0) {
        libc::PR_SET_NAME => {
            let mut name = [0; 16];
            let got = memory.read_up_to(args.addr(1), &mut name)?;
            let len = name[..got].iter().position(|byte| *byte == 0);
            // Fifteen bytes count, and the rest need not be there.
            let len = len.or((got == name.len()).then_some(name.len() - 1)).ok_or(Errno::EFAULT)?;
            let name = CString::new(&name[..len]).map_err(|_| Errno::EINVAL)?;
            Ok(sys::set_thread_name(&name)?)
        }
        libc::PR_GET_NAME => {
            memory.write_bytes(args.addr(1), &sys::thread_name()?)?;
            Ok(0)
        }
        PR_PAC_RESET_KEYS => reset_pauth_keys(ctx, args),
        PR_PAC_SET_ENABLED_KEYS => enable_pauth_keys(ctx, args),
        PR_PAC_GET_ENABLED_KEYS if (1..5).all(|index| args.u64(index) == 0) && has_pauth(ctx) => {
            Ok((ctx.vcpu.pull().pauth.enabled & PauthKeys::ADDRESS_KEYS).into())
        }
        option if PRCTL_VALUES.contains(&option) => Ok(sys::prctl(option, args.u64(1))?),
        _unsupported => Err(Errno::EINVAL.into()),
    }
}
