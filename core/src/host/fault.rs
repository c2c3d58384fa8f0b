//! Fault signals of elfuse's own threads: SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGTRAP.
//!
//! Guest memory is reached only by instructions that are listed in a **fixup table** (linker section `elfuse_fixups`,
//! made by [`fixup_entry!`](crate::host::fault::fixup_entry)): pairs of self-relative offsets, the instruction and the
//! place to go on. When a listed instruction faults, the handler notes the fault ([`last`]) and moves the host PC to the
//! fixup; nothing else happens, and no Rust frame is jumped over. A fault anywhere else is a bug in elfuse and goes to the
//! crash hook. A fault signal that somebody sent (`si_code <= 0`) is no fault and goes to the sent hook
//! (`docs/design.md` §2, invariant 3, and §5).
//!
//! Sources: sigaction(2), sigaltstack(2), `Documentation/arch/x86/exception-tables.rst` for the idea of the table.

#![expect(unsafe_code, reason = "signal handlers, alternate stacks and the fixup table of the linker")]

use std::cell::Cell;
use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, Ordering};

/// The signals that this module handles. They are never blocked: a blocked fault kills.
pub const FAULT_SIGNALS: [i32; 5] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP];

/// Size in bytes of an alternate signal stack: enough for the host's largest signal frame (AVX-512 and AMX state) and
/// a crash report's formatting.
const ALT_STACK_BYTES: usize = 256 * 1024;

/// The directive that opens the fixup table. It is marked as retained: linkers would otherwise drop it.
#[cfg(not(target_os = "macos"))]
macro_rules! fixup_section {
    () => {
        ".pushsection elfuse_fixups,\"aR\"\n"
    };
}
/// As on Linux, with the section syntax of Mach-O.
#[cfg(target_os = "macos")]
macro_rules! fixup_section {
    () => {
        ".pushsection __TEXT,__elfuse_fixups,regular,no_dead_strip\n"
    };
}
pub(crate) use fixup_section;

/// Assembly text that lists instruction label `$insn` with fixup label `$fixup` (numeric labels with their direction,
/// `"2b"`, `"3f"`) in the fixup table.
macro_rules! fixup_entry {
    ($insn:literal, $fixup:literal) => {
        concat!(
            $crate::host::fault::fixup_section!(),
            ".p2align 2\n.long ",
            $insn,
            " - .\n.long ",
            $fixup,
            " - .\n.popsection"
        )
    };
}
pub(crate) use fixup_entry;

/// A fault of a listed instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HostFault {
    /// The host address that was accessed.
    pub address: usize,
    /// True for SIGBUS: the mapping exists, the object behind it does not reach that far.
    pub is_bus_error: bool,
}

/// What the handler knows about a signal, for the hooks.
#[derive(Clone, Copy, Debug)]
pub struct FaultSignal {
    /// The signal number.
    pub signal: i32,
    /// `si_code`.
    pub code: i32,
    /// `si_addr` of a fault.
    pub address: usize,
    /// The host PC.
    pub pc: usize,
    /// `si_pid` of a signal that was sent.
    pub sender_pid: i32,
    /// `si_uid` of a signal that was sent.
    pub sender_uid: u32,
}

/// A hook of the handler: async-signal-safe code only. See [`set_crash_hook`] and [`set_sent_hook`].
pub type Hook = fn(&FaultSignal);

/// One line of the table as addresses.
#[derive(Clone, Copy)]
struct Fixup {
    insn: usize,
    fixup: usize,
}

/// A dynamic source of fixups (translated code): returns the place to go on for a faulting host PC.
pub type FixupSource = fn(pc: usize) -> Option<usize>;

/// The table, sorted by instruction. Filled before the handler is installed, read by the handler.
static FIXUPS: OnceLock<Box<[Fixup]>> = OnceLock::new();
static CRASH_HOOK: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());
static SENT_HOOK: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());
static FIXUP_SOURCE: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

thread_local! {
    /// Const-initialised and without a destructor, so that a handler may touch it at any time.
    static LAST_FAULT: Cell<HostFault> = const { Cell::new(HostFault { address: 0, is_bus_error: false }) };
}

/// The last fault of a listed instruction on this thread. Meaningful right after an accessor reported one.
#[must_use]
pub fn last() -> HostFault {
    LAST_FAULT.get()
}

/// Sets what happens on a fault that is no guest access, before the process dies by the signal. The hook runs in the
/// handler: async-signal-safe code only. Without a hook one line with PC and address goes to standard error.
pub fn set_crash_hook(hook: Hook) {
    CRASH_HOOK.store(hook as *mut (), Ordering::Release);
}

/// Sets who gets fault signals that somebody sent (`si_code <= 0`). The hook runs in the handler. Without a hook
/// the signal does what it does by default: it ends the process.
pub fn set_sent_hook(hook: Hook) {
    SENT_HOOK.store(hook as *mut (), Ordering::Release);
}

/// Sets where to look for fixups that are not in the linker's table.
pub fn set_fixup_source(source: FixupSource) {
    FIXUP_SOURCE.store(source as *mut (), Ordering::Release);
}

/// Reads the fixup table and installs the handlers, once for the process; later calls do nothing.
///
/// # Errors
/// sigaction(2) failed.
pub fn install() -> io::Result<()> {
    static INSTALLED: OnceLock<Result<(), i32>> = OnceLock::new();
    INSTALLED.get_or_init(install_once).map_err(io::Error::from_raw_os_error)
}

fn install_once() -> Result<(), i32> {
    FIXUPS.get_or_init(read_table);
    // SAFETY: an all-zero sigaction is a valid value.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = handle_fault as *const () as usize;
    // SA_NODEFER: a second fault inside the crash hook must come back here and end the process, not hang it.
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
    for signal in FAULT_SIGNALS {
        // SAFETY: (1) the action is initialised; (2) the handler has the SA_SIGINFO signature and keeps to
        // async-signal-safe calls.
        if unsafe { libc::sigaction(signal, &action, ptr::null_mut()) } != 0 {
            return Err(io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL));
        }
    }
    Ok(())
}

unsafe extern "C" {
    #[cfg_attr(not(target_os = "macos"), link_name = "__start_elfuse_fixups")]
    #[cfg_attr(target_os = "macos", link_name = "\x01section$start$__TEXT$__elfuse_fixups")]
    static TABLE_START: [i32; 2];
    #[cfg_attr(not(target_os = "macos"), link_name = "__stop_elfuse_fixups")]
    #[cfg_attr(target_os = "macos", link_name = "\x01section$end$__TEXT$__elfuse_fixups")]
    static TABLE_END: [i32; 2];
}

/// Resolves the linker's table to addresses and sorts it.
fn read_table() -> Box<[Fixup]> {
    let start = &raw const TABLE_START;
    let end = &raw const TABLE_END;
    let count = (end.addr() - start.addr()) / size_of::<[i32; 2]>();
    // SAFETY: the linker puts all entries of the section between its start and end symbols, and they are never written.
    let entries = unsafe { std::slice::from_raw_parts(start, count) };
    let resolve = |offset: &i32| (&raw const *offset).addr().wrapping_add_signed(*offset as isize);
    let mut table: Vec<Fixup> =
        entries.iter().map(|[insn, fixup]| Fixup { insn: resolve(insn), fixup: resolve(fixup) }).collect();
    table.sort_unstable_by_key(|entry| entry.insn);
    table.into_boxed_slice()
}

/// Where to go on after a fault at host address `pc`, or `None` where it is not listed.
fn find_fixup(pc: usize) -> Option<usize> {
    let table = FIXUPS.get()?;
    if let Ok(index) = table.binary_search_by_key(&pc, |entry| entry.insn) {
        return Some(table[index].fixup);
    }
    let source = FIXUP_SOURCE.load(Ordering::Acquire);
    if source.is_null() {
        return None;
    }
    // SAFETY: only `set_fixup_source` stores here, and it stores a `FixupSource`.
    let source: FixupSource = unsafe { std::mem::transmute(source) };
    source(pc)
}

/// The handler of all fault signals.
extern "C" fn handle_fault(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let context = context.cast::<libc::ucontext_t>();
    // SAFETY: the kernel passes valid pointers to an SA_SIGINFO handler.
    let (info, pc) = unsafe { (&*info, context_pc(context)) };
    // SAFETY: reading union fields of a siginfo that the kernel filled in; each is an integer or pointer.
    let (address, sender_pid, sender_uid) = unsafe { (info.si_addr().addr(), info.si_pid(), info.si_uid()) };
    let event = FaultSignal { signal, code: linux_code(info.si_code), address, pc, sender_pid, sender_uid };
    if event.code <= 0 {
        return hand_over_sent(&event);
    }
    if let libc::SIGSEGV | libc::SIGBUS = signal
        && let Some(fixup) = find_fixup(pc)
    {
        LAST_FAULT.set(HostFault { address, is_bus_error: signal == libc::SIGBUS });
        // SAFETY: the context is the handler's own, and the fixup is code made for this instruction.
        unsafe { set_context_pc(context, fixup) };
        return;
    }
    crash(&event);
}

/// macOS counts the codes of senders up from `SI_USER`; Linux's is 0.
const fn linux_code(code: i32) -> i32 {
    const SI_USER_OF_MACOS: i32 = 0x1_0001;
    if cfg!(target_os = "macos") && code >= SI_USER_OF_MACOS { 0 } else { code }
}

/// A signal that somebody sent: the hook's, otherwise the default action.
fn hand_over_sent(event: &FaultSignal) {
    let hook = SENT_HOOK.load(Ordering::Acquire);
    if hook.is_null() {
        die_by(event.signal);
        return;
    }
    // SAFETY: only `set_sent_hook` stores here, and it stores a `Hook`.
    let hook: Hook = unsafe { std::mem::transmute(hook) };
    hook(event);
}

/// A fault of elfuse itself: report, then die by the signal.
fn crash(event: &FaultSignal) {
    // A fault inside the hook comes back with the hook gone, and dies.
    let hook = CRASH_HOOK.swap(ptr::null_mut(), Ordering::AcqRel);
    if hook.is_null() {
        report_line(event);
    } else {
        // SAFETY: only `set_crash_hook` stores here, and it stores a `Hook`.
        let hook: Hook = unsafe { std::mem::transmute(hook) };
        hook(event);
    }
    die_by(event.signal);
}

/// Restores the default action and raises the signal at this thread; a fault also repeats on return.
fn die_by(signal: i32) {
    // SAFETY: signal(2) and raise(3) are async-signal-safe and take plain numbers.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
}

/// Writes one line about a fault to standard error, without allocation or formatting machinery.
pub(super) fn report_line(event: &FaultSignal) {
    let mut line = Line::new();
    line.text(b"elfuse: internal fault, signal ");
    line.decimal(event.signal as usize);
    line.text(b" at host pc ");
    line.hex(event.pc);
    line.text(b", address ");
    line.hex(event.address);
    line.text(b"; this is a bug in elfuse\n");
    // SAFETY: write(2) is async-signal-safe; the buffer is initialised for `len` bytes.
    unsafe { libc::write(libc::STDERR_FILENO, line.bytes.as_ptr().cast(), line.len) };
}

/// Text on the stack, for handlers: no allocation, and what does not fit is cut.
pub(super) struct Line {
    bytes: [u8; 640],
    len: usize,
}

impl Line {
    pub(super) const fn new() -> Self {
        Self { bytes: [0; 640], len: 0 }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    pub(super) fn text(&mut self, text: &[u8]) {
        for &byte in text {
            if let Some(slot) = self.bytes.get_mut(self.len) {
                *slot = byte;
                self.len += 1;
            }
        }
    }

    fn number(&mut self, mut value: usize, base: usize) {
        let mut digits = [0; 20];
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b"0123456789abcdef"[value % base];
            value /= base;
            if value == 0 || at == 0 {
                break;
            }
        }
        self.text(&digits[at..]);
    }

    pub(super) fn hex(&mut self, value: usize) {
        self.text(b"0x");
        self.number(value, 16);
    }

    pub(super) fn decimal(&mut self, value: usize) {
        self.number(value, 10);
    }
}

/// The PC of an interrupted context.
///
/// # Safety
/// `context` is the pointer that the kernel passed to the running handler.
unsafe fn context_pc(context: *const libc::ucontext_t) -> usize {
    // SAFETY: the caller's promise.
    let context = unsafe { &*context };
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    let pc = context.uc_mcontext.gregs[libc::REG_RIP as usize] as usize;
    #[cfg(all(target_os = "linux", target_arch = "aarch64"))]
    let pc = context.uc_mcontext.pc as usize;
    #[cfg(all(target_os = "macos", target_arch = "aarch64"))]
    // SAFETY: the kernel points uc_mcontext at a valid machine context.
    let pc = unsafe { (*context.uc_mcontext).__ss.__pc } as usize;
    pc
}

/// Changes the PC at which an interrupted context goes on.
///
/// # Safety
/// `context` is the pointer that the kernel passed to the running handler, and execution may go on at `pc`.
unsafe fn set_context_pc(context: *mut libc::ucontext_t, pc: usize) {
    // SAFETY: the caller's promise.
    let context = unsafe { &mut *context };
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    {
        context.uc_mcontext.gregs[libc::REG_RIP as usize] = pc as i64;
    }
    #[cfg(all(target_os = "linux", target_arch = "aarch64"))]
    {
        context.uc_mcontext.pc = pc as u64;
    }
    #[cfg(all(target_os = "macos", target_arch = "aarch64"))]
    // SAFETY: the kernel points uc_mcontext at a valid machine context.
    unsafe {
        (*context.uc_mcontext).__ss.__pc = pc as u64;
    }
}

/// The calling thread's alternate signal stack, for as long as this value lives: a fault on an exhausted stack is
/// reported instead of silently fatal, and handlers do not eat the thread's own stack.
pub struct AltStack {
    base: *mut libc::c_void,
    len_bytes: usize,
}

impl AltStack {
    /// Allocates a stack with a guard page below it and makes it the calling thread's.
    ///
    /// # Errors
    /// mmap(2) or sigaltstack(2) failed.
    pub fn install() -> io::Result<Self> {
        let guard = super::memory::page_size();
        let len_bytes = ALT_STACK_BYTES + guard;
        // SAFETY: a fresh private anonymous mapping.
        let base = unsafe {
            libc::mmap(ptr::null_mut(), len_bytes, libc::PROT_NONE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0)
        };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let stack = Self { base, len_bytes };
        let usable = base.wrapping_byte_add(guard);
        // SAFETY: the range lies in the mapping above.
        if unsafe { libc::mprotect(usable, ALT_STACK_BYTES, libc::PROT_READ | libc::PROT_WRITE) } != 0 {
            return Err(io::Error::last_os_error());
        }
        let description = libc::stack_t { ss_sp: usable, ss_flags: 0, ss_size: ALT_STACK_BYTES };
        // SAFETY: the stack stays mapped until `drop` takes it away from the thread.
        if unsafe { libc::sigaltstack(&description, ptr::null_mut()) } != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(stack)
    }
}

impl Drop for AltStack {
    fn drop(&mut self) {
        let mut current = libc::stack_t { ss_sp: ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 };
        // SAFETY: (1) `current` is a valid place; (2) the stack is unmapped only when it is no longer the thread's.
        unsafe {
            libc::sigaltstack(ptr::null(), &mut current);
            if current.ss_sp == self.base.wrapping_byte_add(self.len_bytes - ALT_STACK_BYTES) {
                let disable = libc::stack_t { ss_sp: ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 };
                libc::sigaltstack(&disable, ptr::null_mut());
            }
            libc::munmap(self.base, self.len_bytes);
        }
    }
}
