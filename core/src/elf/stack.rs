//! The initial stack: argc, argv, envp and the auxiliary vector, as the kernel leaves them at SP.
//!
//! From SP up: argc, argument pointers, NULL, environment pointers, NULL, auxiliary vector, padding, 16 random bytes,
//! platform name, strings, the name of the executable, eight zero bytes. Sources: `create_elf_tables` in
//! `fs/binfmt_elf.c`, `arch/arm64/include/asm/elf.h`, getauxval(3).

use serde::{Deserialize, Serialize};

use super::LoadError;
use crate::abi::{GuestAddr, PAGE_SIZE, RSEQ_ALIGN, RSEQ_FEATURE_SIZE};

/// CPU features as `AT_HWCAP`, `AT_HWCAP2` and `AT_HWCAP3` show them.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct HwCaps {
    /// `AT_HWCAP`.
    pub hwcap: u64,
    /// `AT_HWCAP2`.
    pub hwcap2: u64,
    /// `AT_HWCAP3`.
    pub hwcap3: u64,
}

/// Everything that the stack tells the program.
pub(super) struct StackContents<'a> {
    pub(super) args: &'a [Vec<u8>],
    pub(super) env: &'a [Vec<u8>],
    pub(super) exec_fn: &'a [u8],
    pub(super) random: [u8; 16],
    pub(super) hwcap: HwCaps,
    pub(super) ids: [u32; 4],
    pub(super) phdr: u64,
    pub(super) phdr_count: u64,
    pub(super) base: u64,
    pub(super) entry: u64,
    pub(super) vdso: u64,
}

const AT_NULL: u64 = 0;
const AT_PHDR: u64 = 3;
const AT_PHENT: u64 = 4;
const AT_PHNUM: u64 = 5;
const AT_PAGESZ: u64 = 6;
const AT_BASE: u64 = 7;
const AT_FLAGS: u64 = 8;
const AT_ENTRY: u64 = 9;
const AT_UID: u64 = 11;
const AT_EUID: u64 = 12;
const AT_GID: u64 = 13;
const AT_EGID: u64 = 14;
const AT_PLATFORM: u64 = 15;
const AT_HWCAP: u64 = 16;
const AT_CLKTCK: u64 = 17;
const AT_SECURE: u64 = 23;
const AT_RANDOM: u64 = 25;
const AT_HWCAP2: u64 = 26;
const AT_RSEQ_FEATURE_SIZE: u64 = 27;
const AT_RSEQ_ALIGN: u64 = 28;
const AT_HWCAP3: u64 = 29;
const AT_EXECFN: u64 = 31;
const AT_SYSINFO_EHDR: u64 = 33;
const AT_MINSIGSTKSZ: u64 = 51;

/// The least stack for a signal handler without SVE: the frame, its frame record and alignment (`signal_minsigstksz`).
const MIN_SIGNAL_STACK: u64 = 4720;
/// Clock ticks a second of times(2) (`USER_HZ`).
const CLOCK_TICKS: u64 = 100;
/// Longest single argument, NUL included (`MAX_ARG_STRLEN`).
const ARG_MAX_LEN: usize = 32 * PAGE_SIZE as usize;

/// Where the parts of a program lie, as proc(5) shows them: pairs of first address and first address after it.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct ProgramAreas {
    /// Executable segments of the program.
    pub code: (u64, u64),
    /// Its writable segments.
    pub data: (u64, u64),
    /// The strings of the argument vector.
    pub args: (u64, u64),
    /// Those of the environment.
    pub env: (u64, u64),
    /// The stack pointer at the start.
    pub stack: u64,
    /// The auxiliary vector.
    pub auxv: Vec<(u64, u64)>,
}

impl ProgramAreas {
    /// The auxiliary vector as /proc shows it.
    #[must_use]
    pub fn auxv_bytes(&self) -> Vec<u8> {
        self.auxv.iter().flat_map(|(key, value)| [*key, *value]).flat_map(u64::to_le_bytes).collect()
    }
}

/// The bytes for the top of the stack and the stack pointer.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct InitialStack {
    pub(super) sp: GuestAddr,
    pub(super) bytes: Vec<u8>,
    /// Without code and data.
    pub(super) areas: ProgramAreas,
}

/// Says whether arguments and environment fit a stack of `stack_len` bytes: strings and pointers may take a quarter of
/// it, at least 128 KiB (execve(2), "Limits on size of arguments and environment").
pub(super) fn check_limits(args: &[Vec<u8>], env: &[Vec<u8>], stack_len: u64) -> Result<(), LoadError> {
    let limit = (stack_len / 4).clamp(128 << 10, 6 << 20);
    let mut total = 0u64;
    for string in args.iter().chain(env) {
        if string.len() >= ARG_MAX_LEN {
            return Err(LoadError::TooLong);
        }
        total = total.saturating_add(string.len() as u64 + 1 + 8);
    }
    if total > limit { Err(LoadError::TooLong) } else { Ok(()) }
}

/// Lays strings out below `top`, remembering their addresses.
struct Strings {
    start: u64,
    bytes: Vec<u8>,
}

impl Strings {
    fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    fn push(&mut self, bytes: &[u8]) -> u64 {
        let at = self.end();
        self.bytes.extend_from_slice(bytes);
        at
    }

    fn push_string(&mut self, bytes: &[u8]) -> u64 {
        let at = self.push(bytes);
        self.bytes.push(0);
        at
    }
}

impl StackContents<'_> {
    /// The stack whose mapping ends at `top`, which is a multiple of 16.
    pub(super) fn build(&self, top: GuestAddr) -> InitialStack {
        const PLATFORM: &[u8] = b"aarch64";
        let strings = self.args.iter().chain(self.env).map(|string| string.len() + 1).sum::<usize>();
        let len = 16 + PLATFORM.len() + 1 + strings + self.exec_fn.len() + 1 + 8;
        let mut area = Strings { start: (top.0 - len as u64) & !15, bytes: Vec::with_capacity(len + 16) };
        let random = area.push(&self.random);
        let platform = area.push_string(PLATFORM);
        let args_start = area.end();
        let args: Vec<u64> = self.args.iter().map(|arg| area.push_string(arg)).collect();
        let env_start = area.end();
        let env: Vec<u64> = self.env.iter().map(|variable| area.push_string(variable)).collect();
        let env_end = area.end();
        let exec_fn = area.push_string(self.exec_fn);
        let start = area.start;
        area.bytes.resize((top.0 - start) as usize, 0);

        let auxv = self.auxv(random, platform, exec_fn);
        let argc = [args.len() as u64];
        let words: Vec<u64> = argc
            .into_iter()
            .chain(args)
            .chain([0])
            .chain(env)
            .chain([0])
            .chain(auxv.iter().flat_map(|(key, value)| [*key, *value]))
            .collect();
        let sp = (start - words.len() as u64 * 8) & !15;
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.resize((start - sp) as usize, 0);
        bytes.append(&mut area.bytes);
        let areas = ProgramAreas {
            args: (args_start, env_start),
            env: (env_start, env_end),
            stack: sp,
            auxv: auxv.to_vec(),
            ..ProgramAreas::default()
        };
        InitialStack { sp: GuestAddr(sp), bytes, areas }
    }

    fn auxv(&self, random: u64, platform: u64, exec_fn: u64) -> [(u64, u64); 24] {
        let [uid, euid, gid, egid] = self.ids.map(u64::from);
        [
            (AT_SYSINFO_EHDR, self.vdso),
            (AT_MINSIGSTKSZ, MIN_SIGNAL_STACK),
            (AT_HWCAP, self.hwcap.hwcap),
            (AT_PAGESZ, PAGE_SIZE),
            (AT_CLKTCK, CLOCK_TICKS),
            (AT_PHDR, self.phdr),
            (AT_PHENT, 56),
            (AT_PHNUM, self.phdr_count),
            (AT_BASE, self.base),
            (AT_FLAGS, 0),
            (AT_ENTRY, self.entry),
            (AT_UID, uid),
            (AT_EUID, euid),
            (AT_GID, gid),
            (AT_EGID, egid),
            (AT_SECURE, 0),
            (AT_RANDOM, random),
            (AT_HWCAP2, self.hwcap.hwcap2),
            (AT_HWCAP3, self.hwcap.hwcap3),
            (AT_RSEQ_FEATURE_SIZE, RSEQ_FEATURE_SIZE),
            (AT_RSEQ_ALIGN, RSEQ_ALIGN),
            (AT_EXECFN, exec_fn),
            (AT_PLATFORM, platform),
            (AT_NULL, 0),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_finds_everything_where_it_looks() {
        let args: Vec<Vec<u8>> = vec![b"prog".to_vec(), b"".to_vec(), b"x y".to_vec()];
        for count in 0..=args.len() {
            let contents = StackContents {
                args: &args[..count],
                env: &[b"A=1".to_vec()],
                exec_fn: b"/bin/prog",
                random: *b"0123456789abcdef",
                hwcap: HwCaps { hwcap: 0xff, hwcap2: 3, hwcap3: 0 },
                ids: [1, 2, 3, 4],
                phdr: 0x40_0040,
                phdr_count: 5,
                base: 0,
                entry: 0x40_0100,
                vdso: 0x7000,
            };
            let top = GuestAddr(0x10_0000);
            let InitialStack { sp, bytes, areas } = contents.build(top);
            assert_eq!(sp.0 % 16, 0);
            assert_eq!(sp.0 + bytes.len() as u64, top.0);
            let word = |index: usize| u64::from_le_bytes(bytes[index * 8..index * 8 + 8].try_into().unwrap());
            let string = |addr: u64| {
                let start = (addr - sp.0) as usize;
                bytes[start..].split(|byte| *byte == 0).next().unwrap().to_vec()
            };
            assert_eq!(word(0), count as u64);
            for (index, arg) in args[..count].iter().enumerate() {
                assert_eq!(&string(word(1 + index)), arg);
            }
            assert_eq!((word(1 + count), string(word(2 + count)), word(3 + count)), (0, b"A=1".to_vec(), 0));
            let pairs = (0..).map(|pair| (word(4 + count + pair * 2), word(5 + count + pair * 2)));
            let auxv: std::collections::BTreeMap<u64, u64> = pairs.take_while(|(tag, _)| *tag != AT_NULL).collect();
            assert_eq!((auxv[&AT_ENTRY], auxv[&AT_EGID], auxv[&AT_HWCAP2]), (0x40_0100, 4, 3));
            assert_eq!(string(auxv[&AT_PLATFORM]), b"aarch64");
            assert_eq!(string(auxv[&AT_EXECFN]), b"/bin/prog");
            assert_eq!(string(areas.env.0), b"A=1");
            assert_eq!((areas.env.1 - areas.env.0, areas.args.1), (4, areas.env.0));
            let random = (auxv[&AT_RANDOM] - sp.0) as usize;
            assert_eq!(bytes[random..random + 16], *b"0123456789abcdef");
        }
    }

    #[test]
    fn too_much_is_e2big() {
        let many = vec![vec![b'x'; 1000]; 2200];
        assert!(check_limits(&many, &[], 8 << 20).is_err());
        assert!(check_limits(&many[..1900], &[], 8 << 20).is_ok());
        assert!(check_limits(&[vec![b'x'; ARG_MAX_LEN]], &[], 8 << 20).is_err());
        assert!(check_limits(&[vec![b'x'; ARG_MAX_LEN - 1]], &[], 8 << 20).is_ok());
    }
}
