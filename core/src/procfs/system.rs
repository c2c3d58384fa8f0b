//! Files about the machine and the kernel as the guest sees them. Sources: proc_cpuinfo(5), proc_version(5),
//! proc_sys_kernel(5), `Documentation/ABI/testing/sysfs-devices-system-cpu` of Linux.

use crate::kernel::TaskContext;

/// The file at a path in /proc or /sys, in components; `None` where the host's is the right one.
pub(super) fn file(ctx: &TaskContext, path: &[&[u8]]) -> Option<Vec<u8>> {
    let uts = ctx.process().uts();
    let line = |text: &str| Some(format!("{text}\n").into_bytes());
    match path {
        [b"proc", b"cpuinfo"] => Some(cpuinfo(ctx).into_bytes()),
        [b"proc", b"version"] => line(&format!("{} version {} (elfuse) {}", uts.system, uts.release, uts.version)),
        [b"proc", b"sys", b"kernel", b"ostype"] => line(uts.system),
        [b"proc", b"sys", b"kernel", b"osrelease"] => line(&uts.release),
        [b"proc", b"sys", b"kernel", b"version"] => line(uts.version),
        [b"proc", b"sys", b"kernel", b"arch"] => line(uts.machine),
        _the_hosts => None,
    }
}

/// The guest's CPU, once for each CPU of the host that is online.
fn cpuinfo(ctx: &TaskContext) -> String {
    let online = nix::unistd::sysconf(nix::unistd::SysconfVar::_NPROCESSORS_ONLN).ok().flatten();
    let count = online.and_then(|count| usize::try_from(count).ok()).unwrap_or(1);
    ctx.process().machine().features().cpuinfo(0..count)
}
