//! The vDSO: a tiny ELF shared object, made here, that the guest finds by `AT_SYSINFO_EHDR`.
//!
//! It exports, with version `LINUX_2.6.39` as on arm64, the return from signal handlers and the clock calls. These read the
//! clock page right before the image ([`super::clock_page`]) and call the kernel only for what it does not tell. The
//! signal return is the two instructions that unwinders know (`mov x8, #139; svc #0`); for the others there are frames
//! ([`super::vdso_frames`]). Sources: vdso(7), `arch/arm64/kernel/vdso/`, System V ABI chapter 5.

use super::vdso_code::{ADR_X2, CLOCK_GETRES, CLOCK_GETTIME, GETTIMEOFDAY};
use super::vdso_frames::{self, CodeRange};

/// Length of the image in bytes: one page.
pub(super) const VDSO_LEN: usize = 4096;

/// Where the clock page begins, from the image's start.
const CLOCK_PAGE_AT: i64 = -4096;

/// `mov x8, #number; svc #0; ret; nop`.
const fn call(number: u32) -> [u32; 4] {
    [0xd280_0008 | number << 5, 0xd400_0001, 0xd65f_03c0, 0xd503_201f]
}

const RT_SIGRETURN: [u32; 4] = call(139);
const GETCPU: [u32; 4] = call(168);

/// Exported functions and their code.
const FUNCTIONS: [(&str, &[u32]); 5] = [
    ("__kernel_rt_sigreturn", &RT_SIGRETURN),
    ("__kernel_gettimeofday", &GETTIMEOFDAY),
    ("__kernel_clock_gettime", &CLOCK_GETTIME),
    ("__kernel_clock_getres", &CLOCK_GETRES),
    ("__kernel_getcpu", &GETCPU),
];

const VERSION: &str = "LINUX_2.6.39";
const SONAME: &str = "linux-vdso.so.1";

/// Functions begin at multiples of this, in bytes.
const FUNCTION_ALIGN: usize = 16;

/// The image and what the loader must know of it.
pub(super) struct Vdso {
    pub(super) bytes: Vec<u8>,
    /// Offset of `__kernel_rt_sigreturn`.
    pub(super) sigreturn: u64,
}

const EHDR_LEN: usize = 64;
const PHDR_LEN: usize = 56;
const SYM_LEN: usize = 24;
const PHDRS: usize = 3;

const fn align8(offset: usize) -> usize {
    offset.next_multiple_of(8)
}

/// The code of a function that begins at offset `at` of the image.
fn code(words: &[u32], at: usize) -> Vec<u8> {
    let place = |(index, word): (usize, &u32)| {
        if *word != ADR_X2 {
            return *word;
        }
        let distance = CLOCK_PAGE_AT - (at + index * 4) as i64;
        // ADR: bits 1:0 of the distance in 30:29, the rest in 23:5.
        ADR_X2 | (distance as u32 & 3) << 29 | ((distance >> 2) as u32 & 0x7_ffff) << 5
    };
    words.iter().enumerate().map(place).flat_map(u32::to_le_bytes).collect()
}

/// The hash of symbol and version names (System V ABI, "Hash Table").
fn elf_hash(name: &str) -> u32 {
    name.bytes().fold(0u32, |hash, byte| {
        let hash = (hash << 4).wrapping_add(u32::from(byte));
        let high = hash & 0xf000_0000;
        (hash ^ high >> 24) & !high
    })
}

/// A section under construction.
#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn u16(&mut self, value: u16) -> &mut Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    fn u32(&mut self, value: u32) -> &mut Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    fn u64(&mut self, value: u64) -> &mut Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// Adds a string and says where it is.
    fn string(&mut self, text: &str) -> u32 {
        let at = self.0.len() as u32;
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(0);
        at
    }
}

/// Makes the image.
pub(super) fn build() -> Vdso {
    let mut strings = Bytes(vec![0]);
    let names: Vec<u32> = FUNCTIONS.iter().map(|(name, _)| strings.string(name)).collect();
    let (version, soname) = (strings.string(VERSION), strings.string(SONAME));

    let count = FUNCTIONS.len() + 1;
    let hash_at = EHDR_LEN + PHDRS * PHDR_LEN;
    let symbols_at = align8(hash_at + (3 + count) * 4);
    let strings_at = symbols_at + count * SYM_LEN;
    let versym_at = align8(strings_at + strings.0.len());
    let verdef_at = align8(versym_at + count * 2);
    let dynamic_at = align8(verdef_at + 2 * 28);
    let text_at = (dynamic_at + 10 * 16).next_multiple_of(FUNCTION_ALIGN);

    let mut hash = Bytes::default();
    hash.u32(1).u32(count as u32).u32(1).u32(0);
    for symbol in 1..count {
        hash.u32(if symbol + 1 < count { symbol as u32 + 1 } else { 0 });
    }

    let mut symbols = Bytes(vec![0; SYM_LEN]);
    let mut text = Bytes::default();
    let mut ranges = Vec::new();
    for (name, (_, words)) in names.iter().zip(FUNCTIONS) {
        let value = text_at + text.0.len();
        let bytes = code(words, value);
        // STB_GLOBAL and STT_FUNC, default visibility, an absolute section index that no loader looks up.
        symbols.u32(*name).u16(0x12).u16(1).u64(value as u64).u64(bytes.len() as u64);
        ranges.push(CodeRange { at: value, len: bytes.len() });
        text.0.extend_from_slice(&bytes);
        text.0.resize(text.0.len().next_multiple_of(FUNCTION_ALIGN), 0);
    }

    let mut versym = Bytes::default();
    versym.u16(0);
    for _function in 1..count {
        versym.u16(2);
    }

    // Two definitions: the object itself (VER_FLG_BASE) and the version; each is followed by its name.
    let mut verdef = Bytes::default();
    verdef.u16(1).u16(1).u16(1).u16(1).u32(elf_hash(SONAME)).u32(20).u32(28).u32(soname).u32(0);
    verdef.u16(1).u16(0).u16(2).u16(1).u32(elf_hash(VERSION)).u32(20).u32(0).u32(version).u32(0);

    let mut dynamic = Bytes::default();
    for (tag, value) in [
        (14, u64::from(soname)),         // DT_SONAME
        (4, hash_at as u64),             // DT_HASH
        (5, strings_at as u64),          // DT_STRTAB
        (6, symbols_at as u64),          // DT_SYMTAB
        (10, strings.0.len() as u64),    // DT_STRSZ
        (11, SYM_LEN as u64),            // DT_SYMENT
        (0x6fff_fff0, versym_at as u64), // DT_VERSYM
        (0x6fff_fffc, verdef_at as u64), // DT_VERDEF
        (0x6fff_fffd, 2),                // DT_VERDEFNUM
        (0, 0),                          // DT_NULL
    ] {
        dynamic.u64(tag).u64(value);
    }

    // All but the return from signal handlers.
    let framed = &ranges[1..];
    let frames_at = align8(text_at + text.0.len());
    let frames = Bytes(vdso_frames::build(framed, frames_at));
    let end = frames_at + frames.0.len();
    let segments = [
        Segment { kind: 1, flags: 5, at: 0, len: end, align: VDSO_LEN },
        Segment { kind: 2, flags: 4, at: dynamic_at, len: dynamic.0.len(), align: 8 },
        Segment { kind: 0x6474_e550, flags: 4, at: frames_at, len: vdso_frames::header_len(framed.len()), align: 4 },
    ];
    let header = header(text_at, &segments);
    let mut bytes = vec![0; VDSO_LEN];
    for (at, part) in [
        (0, header),
        (hash_at, hash),
        (symbols_at, symbols),
        (strings_at, strings),
        (versym_at, versym),
        (verdef_at, verdef),
        (dynamic_at, dynamic),
        (text_at, text),
        (frames_at, frames),
    ] {
        bytes[at..at + part.0.len()].copy_from_slice(&part.0);
    }
    Vdso { bytes, sigreturn: text_at as u64 }
}

/// What a program header says: `p_type`, `p_flags`, and the offset, which is the address too.
struct Segment {
    kind: u32,
    flags: u32,
    at: usize,
    len: usize,
    align: usize,
}

/// The ELF header and the program headers: PT_LOAD of everything, PT_DYNAMIC, PT_GNU_EH_FRAME.
fn header(entry: usize, segments: &[Segment; PHDRS]) -> Bytes {
    let mut header = Bytes(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec());
    // ET_DYN, EM_AARCH64, EV_CURRENT; no sections.
    header.u16(3).u16(183).u32(1).u64(entry as u64).u64(EHDR_LEN as u64).u64(0).u32(0);
    header.u16(EHDR_LEN as u16).u16(PHDR_LEN as u16).u16(PHDRS as u16).u16(64).u16(0).u16(0);
    for Segment { kind, flags, at, len, align } in segments {
        let (at, len) = (*at as u64, *len as u64);
        header.u32(*kind).u32(*flags).u64(at).u64(at).u64(at).u64(len).u64(len).u64(*align as u64);
    }
    header
}

#[cfg(test)]
mod tests {
    use goblin::elf::Elf;

    use super::*;

    #[test]
    fn a_linker_finds_the_functions() {
        let vdso = build();
        let elf = Elf::parse(&vdso.bytes).unwrap();
        assert_eq!(elf.soname, Some(SONAME));
        let found: Vec<_> =
            elf.dynsyms.iter().skip(1).map(|symbol| elf.dynstrtab.get_at(symbol.st_name).unwrap().to_owned()).collect();
        assert_eq!(found, FUNCTIONS.map(|(name, _)| name));
        let sigreturn = elf.dynsyms.get(1).unwrap();
        assert_eq!(sigreturn.st_value, vdso.sigreturn);
        let at = vdso.sigreturn as usize;
        assert_eq!(vdso.bytes[at..at + 8], [0x68, 0x11, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4]);
        // As musl walks them: index, hash and name of each definition (`vd_next` leads to the next).
        let dynamic = elf.dynamic.unwrap();
        let verdef = dynamic.dyns.iter().find(|entry| entry.d_tag == 0x6fff_fffc).unwrap().d_val as usize;
        let u16_at = |at: usize| u16::from_le_bytes(vdso.bytes[at..at + 2].try_into().unwrap());
        let u32_at = |at: usize| u32::from_le_bytes(vdso.bytes[at..at + 4].try_into().unwrap());
        let mut versions = Vec::new();
        let mut at = verdef;
        loop {
            let name = u32_at(at + u32_at(at + 12) as usize) as usize;
            versions.push((u16_at(at + 4), u32_at(at + 8), elf.dynstrtab.get_at(name).unwrap().to_owned()));
            match u32_at(at + 16) {
                0 => break,
                next => at += next as usize,
            }
        }
        assert_eq!(versions[0].2, SONAME);
        assert_eq!(versions[1], (2, elf_hash(VERSION), VERSION.to_owned()));
    }

    #[test]
    fn the_hash_is_that_of_the_abi() {
        // Known values: printf, and the kernel's version as musl's vdso lookup compares it.
        assert_eq!(elf_hash("printf"), 0x077905a6);
        assert_eq!(elf_hash("LINUX_2.6.39"), 0x075fcb89);
        assert_eq!(elf_hash(""), 0);
    }
}
