//! prctl(2): what a process or thread is called, and what it may do. Most options are the host's, since guest threads are
//! host threads.

use std::ffi::CString;

use super::Args;
use super::args::buffer;
use crate::abi::{Errno, prctl};
use crate::host::sys;
use crate::kernel::{SyscallResult, TaskContext};
use crate::vcpu::PauthKeys;

/// Options that go to the host with numbers. `PR_SET_PDEATHSIG` is about the thread that made this process, which is a
/// thread of the host too.
const NUMBERS: [i32; 20] = [
    prctl::PR_SET_PDEATHSIG,
    prctl::PR_GET_KEEPCAPS,
    prctl::PR_SET_KEEPCAPS,
    prctl::PR_GET_SECCOMP,
    prctl::PR_CAPBSET_READ,
    prctl::PR_CAPBSET_DROP,
    prctl::PR_GET_SECUREBITS,
    prctl::PR_SET_SECUREBITS,
    prctl::PR_SET_TIMERSLACK,
    prctl::PR_GET_TIMERSLACK,
    prctl::PR_MCE_KILL,
    prctl::PR_MCE_KILL_GET,
    prctl::PR_SET_CHILD_SUBREAPER,
    prctl::PR_SET_NO_NEW_PRIVS,
    prctl::PR_GET_NO_NEW_PRIVS,
    prctl::PR_SET_THP_DISABLE,
    prctl::PR_GET_THP_DISABLE,
    prctl::PR_CAP_AMBIENT,
    prctl::PR_SET_PTRACER,
    prctl::PR_GET_SPECULATION_CTRL,
];

/// Options that store an `int` where the second argument points.
const INTEGERS: [i32; 2] = [prctl::PR_GET_PDEATHSIG, prctl::PR_GET_CHILD_SUBREAPER];

/// Whether the process leaves a core file: `SUID_DUMP_DISABLE` and `SUID_DUMP_USER` are what can be set.
const DUMPABLE: std::ops::RangeInclusive<u64> = 0..=1;

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
        prctl::PR_SET_NAME => {
            let mut name = [0; 16];
            let got = memory.read_up_to(args.addr(1), &mut name)?;
            let len = name[..got].iter().position(|byte| *byte == 0);
            // Fifteen bytes count, and the rest need not be there.
            let len = len.or((got == name.len()).then_some(name.len() - 1)).ok_or(Errno::EFAULT)?;
            let name = CString::new(&name[..len]).map_err(|_| Errno::EINVAL)?;
            Ok(sys::set_thread_name(&name)?)
        }
        prctl::PR_GET_NAME => {
            memory.write_bytes(args.addr(1), &sys::thread_name()?)?;
            Ok(0)
        }
        // Not the host's: a process without it may not open its own memory, which fork does.
        prctl::PR_GET_DUMPABLE => Ok(ctx.process().limits().is_dumpable().into()),
        prctl::PR_SET_DUMPABLE if DUMPABLE.contains(&args.u64(1)) => {
            ctx.process().limits().set_dumpable(args.u64(1) != 0);
            Ok(0)
        }
        PR_PAC_RESET_KEYS => reset_pauth_keys(ctx, args),
        PR_PAC_SET_ENABLED_KEYS => enable_pauth_keys(ctx, args),
        PR_PAC_GET_ENABLED_KEYS if (1..5).all(|index| args.u64(index) == 0) && has_pauth(ctx) => {
            Ok((ctx.vcpu.pull().pauth.enabled & PauthKeys::ADDRESS_KEYS).into())
        }
        option if INTEGERS.contains(&option) => {
            Ok(sys::prctl_at(option, buffer(memory, args.addr(1), size_of::<i32>() as u64)?)?)
        }
        option if NUMBERS.contains(&option) => {
            Ok(sys::prctl_numbers(option, args.u64(1), args.u64(2), args.u64(3), args.u64(4))?)
        }
        _unsupported => Err(Errno::EINVAL.into()),
    }
}
