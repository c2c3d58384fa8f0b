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

/// A register of `regs/identification`, of a CPU that is there.
pub(super) fn identification(ctx: &TaskContext, cpu: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    let number: u32 = std::str::from_utf8(cpu.strip_prefix(b"cpu")?).ok()?.parse().ok()?;
    let value = match name {
        b"midr_el1" => ctx.process().machine().features().midr,
        b"revidr_el1" => 0,
        _none => return None,
    };
    let is_there = std::path::Path::new(&format!("/sys/devices/system/cpu/cpu{number}")).exists();
    is_there.then(|| format!("{value:#018x}\n").into_bytes())
}

/// The guest's CPU, once for each CPU of the host that is online.
fn cpuinfo(ctx: &TaskContext) -> String {
    ctx.process().machine().features().cpuinfo(0..crate::host::schedule::online_processors())
}
