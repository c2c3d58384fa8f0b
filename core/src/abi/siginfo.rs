//! [`SigInfo`]: what a signal says about itself, and its 128-byte wire form `siginfo_t`.
//!
//! Source: `include/uapi/asm-generic/siginfo.h`; the layout is the same on every 64-bit Linux.

use super::{GuestAddr, Pid, Signal};

/// `si_code`: why a signal was sent. Codes without a name here are values too.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct SiCode(pub i32);

impl SiCode {
    /// Sent by kill(2).
    pub const SI_USER: Self = Self(0);
    /// Sent by the kernel.
    pub const SI_KERNEL: Self = Self(0x80);
    /// Sent by rt_sigqueueinfo(2).
    pub const SI_QUEUE: Self = Self(-1);
    /// A POSIX timer expired.
    pub const SI_TIMER: Self = Self(-2);
    /// Sent by tkill(2) or tgkill(2).
    pub const SI_TKILL: Self = Self(-6);
    /// SIGSEGV: nothing is mapped at the address.
    pub const SEGV_MAPERR: Self = Self(1);
    /// SIGSEGV: the mapping does not allow the access.
    pub const SEGV_ACCERR: Self = Self(2);
    /// SIGBUS: misaligned access.
    pub const BUS_ADRALN: Self = Self(1);
    /// SIGBUS: past the end of the file behind the mapping.
    pub const BUS_ADRERR: Self = Self(2);
    /// SIGILL: undefined instruction.
    pub const ILL_ILLOPC: Self = Self(1);
    /// SIGTRAP: breakpoint instruction.
    pub const TRAP_BRKPT: Self = Self(1);
    /// SIGCHLD: the child exited.
    pub const CLD_EXITED: Self = Self(1);
    /// SIGCHLD: the child was killed by a signal.
    pub const CLD_KILLED: Self = Self(2);
    /// SIGCHLD: the child was killed by a signal and dumped core.
    pub const CLD_DUMPED: Self = Self(3);
    /// SIGCHLD: the child stopped.
    pub const CLD_STOPPED: Self = Self(5);
    /// SIGCHLD: the child continued.
    pub const CLD_CONTINUED: Self = Self(6);

    /// SIGCHLD: true where the child has ended, and does not only stop or continue.
    #[must_use]
    pub const fn is_end_of_child(self) -> bool {
        matches!(self, Self::CLD_EXITED | Self::CLD_KILLED | Self::CLD_DUMPED)
    }

    /// True when a process chose the code (`si_code <= 0`), which makes even a fault signal asynchronous.
    #[must_use]
    pub const fn is_from_process(self) -> bool {
        self.0 <= 0
    }
}

/// A signal with its `siginfo_t`, kept in wire form: 128 bytes, of which the first 12 are common to all kinds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SigInfo {
    bytes: [u8; 128],
    /// Made by a POSIX timer of this process, and by nobody who claims to be one.
    is_of_timer: bool,
}

impl SigInfo {
    /// A `siginfo_t` with signal and code, everything else zero.
    #[must_use]
    pub fn new(signal: Signal, code: SiCode) -> Self {
        let mut info = Self { bytes: [0; 128], is_of_timer: false };
        info.put_i32(0, signal.number());
        info.put_i32(8, code.0);
        info
    }

    /// What kill(2), tkill(2) and tgkill(2) send: `si_pid` and `si_uid` of the sender.
    #[must_use]
    pub fn from_sender(signal: Signal, code: SiCode, pid: Pid, uid: u32) -> Self {
        let mut info = Self::new(signal, code);
        info.put_i32(16, pid.0);
        info.put_i32(20, uid.cast_signed());
        info
    }

    /// What sigqueue(3) sends: the sender and a 64-bit `si_value`.
    #[must_use]
    pub fn queued(signal: Signal, pid: Pid, uid: u32, value: u64) -> Self {
        let mut info = Self::from_sender(signal, SiCode::SI_QUEUE, pid, uid);
        info.put_u64(24, value);
        info
    }

    /// A synchronous fault at `addr`.
    #[must_use]
    pub fn fault(signal: Signal, code: SiCode, addr: GuestAddr) -> Self {
        let mut info = Self::new(signal, code);
        info.put_u64(16, addr.0);
        info
    }

    /// A POSIX timer's expiry: timer id and `sigev_value`. Its overrun count is known when it is delivered.
    #[must_use]
    pub fn timer(signal: Signal, timer_id: i32, value: u64) -> Self {
        let mut info = Self { is_of_timer: true, ..Self::new(signal, SiCode::SI_TIMER) };
        info.put_i32(16, timer_id);
        info.put_u64(24, value);
        info
    }

    /// True for [`timer`](Self::timer)'s, which a process cannot forge by rt_sigqueueinfo(2).
    #[must_use]
    pub const fn is_of_timer(&self) -> bool {
        self.is_of_timer
    }

    /// `si_timerid` of a POSIX timer's signal.
    #[must_use]
    pub fn timer_id(&self) -> i32 {
        self.get_i32(16)
    }

    /// SIGCHLD: which child, its user, and its status (exit code or signal number, as `code` says).
    #[must_use]
    pub fn child(code: SiCode, pid: Pid, uid: u32, status: i32) -> Self {
        let mut info = Self::from_sender(Signal::SIGCHLD, code, pid, uid);
        info.put_i32(24, status);
        info
    }

    /// A `siginfo_t` as it came over a wire, with `signal` put into `si_signo`.
    #[must_use]
    pub fn from_bytes(signal: Signal, bytes: [u8; 128]) -> Self {
        let mut info = Self { bytes, is_of_timer: false };
        info.put_i32(0, signal.number());
        info
    }

    /// The wire form.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 128] {
        &self.bytes
    }

    /// `si_signo`.
    #[must_use]
    pub fn signal(&self) -> Signal {
        Signal::new(self.get_i32(0)).unwrap_or(Signal::SIGKILL)
    }

    /// `si_code`.
    #[must_use]
    pub fn code(&self) -> SiCode {
        SiCode(self.get_i32(8))
    }

    /// `si_pid`, where the code has one.
    #[must_use]
    pub fn pid(&self) -> Pid {
        Pid(self.get_i32(16))
    }

    /// `si_uid`, where the code has one.
    #[must_use]
    pub fn uid(&self) -> u32 {
        self.get_i32(20).cast_unsigned()
    }

    /// `si_value` (sigqueue, timers) as 64 bits.
    #[must_use]
    pub fn value(&self) -> u64 {
        u64::from_le_bytes(std::array::from_fn(|i| self.bytes[24 + i]))
    }

    /// `si_addr` of a fault.
    #[must_use]
    pub fn addr(&self) -> GuestAddr {
        GuestAddr(u64::from_le_bytes(std::array::from_fn(|i| self.bytes[16 + i])))
    }

    /// True for what a descriptor with `O_ASYNC` and F_SETSIG sends: a code `POLL_IN` to `POLL_HUP`.
    #[must_use]
    pub fn is_of_file(&self) -> bool {
        let is_others = self.signal() == Signal::SIGCHLD || super::SigSet::SYNCHRONOUS.contains(self.signal());
        (1..=6).contains(&self.code().0) && !is_others
    }

    /// `si_fd` of a signal that F_SETSIG of fcntl(2) asked for.
    #[must_use]
    pub fn fd(&self) -> i32 {
        self.get_i32(24)
    }

    /// `si_status` of a child's signal.
    #[must_use]
    pub fn status(&self) -> i32 {
        self.get_i32(24)
    }

    /// Changes `si_fd`.
    pub fn set_fd(&mut self, fd: i32) {
        self.put_i32(24, fd);
    }

    /// Clears the tag of `si_addr`, which the kernel shows only where it is asked to.
    pub fn hide_addr_tag(&mut self) {
        self.put_u64(16, self.addr().without_tag().0);
    }

    /// `si_overrun` of a timer's signal.
    #[must_use]
    pub fn timer_overrun(&self) -> u32 {
        self.get_i32(20).cast_unsigned()
    }

    /// Sets `si_overrun` of a timer's signal when it is delivered.
    pub fn set_timer_overrun(&mut self, overrun: i32) {
        self.put_i32(20, overrun);
    }

    fn get_i32(&self, at: usize) -> i32 {
        i32::from_le_bytes(std::array::from_fn(|i| self.bytes[at + i]))
    }

    fn put_i32(&mut self, at: usize, value: i32) {
        self.bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }

    fn put_u64(&mut self, at: usize, value: u64) {
        self.bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
    }
}

impl std::fmt::Debug for SigInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigInfo")
            .field("signal", &self.signal())
            .field("code", &self.code().0)
            .field("pid", &self.pid())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_lie_where_linux_puts_them() {
        let info = SigInfo::queued(Signal::SIGUSR1, Pid(77), 1000, 0x1122_3344_5566_7788);
        assert_eq!(info.as_bytes()[16..20], 77i32.to_le_bytes());
        assert_eq!(info.value(), 0x1122_3344_5566_7788);
        assert_eq!((info.signal(), info.code(), info.uid()), (Signal::SIGUSR1, SiCode::SI_QUEUE, 1000));
        assert_eq!(SigInfo::from_bytes(Signal::SIGUSR2, *info.as_bytes()).signal(), Signal::SIGUSR2);
    }
}
