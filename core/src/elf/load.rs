//! [`Plan`]: everything about a new program that can be known before the old one goes, and the mapping of it.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::clock_page;
use super::image::{ElfImage, ImageKind, Segment};
use super::program::{Finder, open_executable};
use super::stack::{self, HwCaps, ProgramAreas, StackContents};
use super::vdso::{self, VDSO_LEN};
use super::{LoadError, Program};
use crate::abi::mman::MapFlags;
use crate::abi::{Errno, GuestAddr, GuestRange, PAGE_SIZE};
use crate::mem::{AddressSpace, MMAP_MIN_ADDR, MappedFile, MmapRequest, Prot, Vma, VmaBacking, VmaFlags};

/// `MAP_PRIVATE`.
const MAP_PRIVATE: u32 = 2;
/// The main stack's length unless RLIMIT_STACK says otherwise, in bytes.
const STACK_LEN: u64 = 8 << 20;
/// The longest main stack: a larger or absent limit does not make it longer.
const STACK_LEN_MAX: u64 = 1 << 30;
/// The shortest: room for the least arguments and a few frames.
const STACK_LEN_MIN: u64 = 256 << 10;

/// A program that is ready to run.
#[derive(Clone, Debug)]
pub struct LoadedImage {
    /// The first instruction: the dynamic linker's where there is one.
    pub entry: GuestAddr,
    /// The stack pointer.
    pub sp: GuestAddr,
    /// `__kernel_rt_sigreturn`: where handlers without a restorer return to.
    pub sigtramp: GuestAddr,
    /// The program's absolute path, for /proc/self/exe.
    pub path: PathBuf,
    /// Where its parts lie.
    pub areas: ProgramAreas,
    /// The program's open file, which outlives its name.
    pub file: Arc<OwnedFd>,
    /// Its arguments.
    pub args: Vec<Vec<u8>>,
}

/// An ELF file, checked and open.
struct Part {
    image: ElfImage,
    file: Arc<MappedFile>,
}

impl Part {
    fn read(path: &Path, file: File) -> Result<Self, LoadError> {
        let image = ElfImage::read(&file)?;
        let name = path.as_os_str().as_bytes().to_vec();
        let file = MappedFile::new(Arc::new(OwnedFd::from(file)), name).map_err(mapping("the file"))?;
        Ok(Self { image, file: Arc::new(file) })
    }
}

/// A checked program.
pub struct Plan {
    main: Part,
    interpreter: Option<Part>,
    path: PathBuf,
    args: Vec<Vec<u8>>,
    env: Vec<Vec<u8>>,
    exec_fn: Vec<u8>,
    random: [u8; 16],
    stack_len: u64,
}

fn mapping(what: &'static str) -> impl Fn(Errno) -> LoadError {
    move |errno| LoadError::Map { what, errno }
}

impl Plan {
    /// Reads and checks a program and, where it names one, its dynamic linker.
    ///
    /// # Errors
    /// [`LoadError`]; nothing has changed then.
    pub fn new(program: Program, finder: &dyn Finder) -> Result<Self, LoadError> {
        let path = program.guest_path;
        let main = Part::read(&path, program.file)?;
        let interpreter = match &main.image.interpreter {
            None => None,
            Some(name) => {
                let name = Path::new(OsStr::from_bytes(name));
                let (file, path) = open_executable(finder, name).map_err(|error| error.of_interpreter(name))?;
                Some(Part::read(&path, file)?)
            }
        };
        let stack_len = stack_len();
        stack::check_limits(&program.args, &program.env, stack_len)?;
        let Program { args, env, exec_fn, .. } = program;
        Ok(Self { main, interpreter, path, args, env, exec_fn, random: random_bytes()?, stack_len })
    }

    /// Maps the program into an empty address space: segments, heap start, stack, vDSO.
    ///
    /// # Errors
    /// [`LoadError::Map`] where the host or the address space has no room, [`LoadError::Malformed`] for segments outside
    /// of it. The address space is then of no use.
    pub fn commit(self, space: &AddressSpace, hwcap: HwCaps) -> Result<LoadedImage, LoadError> {
        let layout = space.layout();
        let bias = match self.main.image.kind {
            ImageKind::Fixed => 0,
            ImageKind::Relocatable => {
                let (start, _) = self.main.image.span();
                layout.pie_base.0.next_multiple_of(self.main.image.align).wrapping_sub(start)
            }
        };
        let end = map_part(space, &self.main, bias)?;
        space.set_brk(GuestAddr(end.0 + layout.brk_gap_bytes), GuestAddr::NULL);

        let stack_range = self.map_stack(space)?;
        let (vdso, sigtramp) = map_vdso(space)?;
        let program_entry = self.main.image.entry.wrapping_add(bias);
        let (entry, base) = match &self.interpreter {
            None => (program_entry, 0),
            Some(part) => {
                let bias = place_interpreter(space, part)?;
                map_part(space, part, bias)?;
                (part.image.entry.wrapping_add(bias), part.image.span().0.wrapping_add(bias))
            }
        };
        let phdr = self.main.image.phdr_vaddr;
        let contents = StackContents {
            args: &self.args,
            env: &self.env,
            exec_fn: &self.exec_fn,
            random: self.random,
            hwcap,
            ids: [
                nix::unistd::getuid().as_raw(),
                nix::unistd::geteuid().as_raw(),
                nix::unistd::getgid().as_raw(),
                nix::unistd::getegid().as_raw(),
            ],
            phdr: if phdr == 0 { 0 } else { phdr.wrapping_add(bias) },
            phdr_count: self.main.image.phdr_count,
            base,
            entry: program_entry,
            vdso: vdso.0,
        };
        let stack = contents.build(stack_range.end);
        if stack.sp < stack_range.start {
            return Err(LoadError::TooLong);
        }
        space.memory().write_bytes(stack.sp, &stack.bytes).map_err(mapping("the stack"))?;
        let file = self.main.file.fd.clone();
        let placed = |(start, end): (u64, u64)| (start.wrapping_add(bias), end.wrapping_add(bias));
        let (code, data) = (self.main.image.part(Prot::EXEC), self.main.image.part(Prot::WRITE));
        let areas = ProgramAreas { code: placed(code), data: placed(data), ..stack.areas };
        let entry = GuestAddr(entry);
        Ok(LoadedImage { entry, sp: stack.sp, sigtramp, path: self.path, areas, file, args: self.args })
    }

    fn map_stack(&self, space: &AddressSpace) -> Result<GuestRange, LoadError> {
        let top = space.layout().stack_top;
        let range = GuestRange { start: GuestAddr(top.0.saturating_sub(self.stack_len)), end: top };
        let exec = if self.main.image.has_exec_stack { Prot::EXEC } else { Prot::empty() };
        let prot = Prot::READ | Prot::WRITE | exec;
        let vma = Vma { range, prot, flags: VmaFlags::STACK, backing: VmaBacking::Anonymous };
        space.insert(&vma, None).map_err(mapping("the stack"))?;
        Ok(range)
    }
}

/// Reads, checks and maps a program into an empty address space.
///
/// # Errors
/// As [`Plan::new`] and [`Plan::commit`].
pub fn load_program(
    space: &AddressSpace,
    finder: &dyn Finder,
    program: Program,
    hwcap: HwCaps,
) -> Result<LoadedImage, LoadError> {
    Plan::new(program, finder)?.commit(space, hwcap)
}

/// The length of the main stack: the soft limit, within bounds.
fn stack_len() -> u64 {
    use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};
    let soft = getrlimit(Resource::RLIMIT_STACK).map_or(STACK_LEN, |(soft, _hard)| soft);
    let wanted = if soft == RLIM_INFINITY { STACK_LEN } else { soft };
    wanted.clamp(STACK_LEN_MIN, STACK_LEN_MAX) & !(PAGE_SIZE - 1)
}

fn random_bytes() -> Result<[u8; 16], LoadError> {
    let path = Path::new("/dev/urandom");
    let mut bytes = [0; 16];
    File::open(path)
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(|source| LoadError::Open { path: path.to_owned(), source })?;
    Ok(bytes)
}

/// Maps all segments; returns the page-aligned end of the highest.
fn map_part(space: &AddressSpace, part: &Part, bias: u64) -> Result<GuestAddr, LoadError> {
    let (start, end) = part.image.span();
    let (start, end) = (start.wrapping_add(bias), end.wrapping_add(bias));
    if start < MMAP_MIN_ADDR.0 || end > space.layout().task_size || start >= end {
        return Err(LoadError::Malformed("a segment lies outside the address space"));
    }
    // The dynamic linker guards everything but itself, as on Linux.
    let is_guarded = part.image.is_guarded && part.image.interpreter.is_none();
    for segment in &part.image.segments {
        let mut segment = *segment;
        if is_guarded && segment.prot.contains(Prot::EXEC) {
            segment.prot |= Prot::BTI;
        }
        map_segment(space, part, &segment, bias)?;
    }
    Ok(GuestAddr(end))
}

fn map_segment(space: &AddressSpace, part: &Part, segment: &Segment, bias: u64) -> Result<(), LoadError> {
    let vaddr = segment.vaddr.wrapping_add(bias);
    let start = vaddr & !(PAGE_SIZE - 1);
    let file_end = vaddr + segment.file_len;
    let file_pages_end = if segment.file_len == 0 { start } else { file_end.next_multiple_of(PAGE_SIZE) };
    let flags = MAP_PRIVATE | MapFlags::FIXED.bits();
    if file_pages_end > start {
        let request = MmapRequest {
            addr: GuestAddr(start),
            len_bytes: file_pages_end - start,
            prot: segment.prot.bits().into(),
            flags,
            file: Some(part.file.clone()),
            offset: segment.file_offset & !(PAGE_SIZE - 1),
        };
        space.mmap(&request).map_err(mapping("a segment"))?;
        // The file's bytes behind the segment are not part of it. A segment that cannot be written keeps them, as on Linux.
        if segment.mem_len > segment.file_len && segment.prot.contains(Prot::WRITE) {
            let rest = file_pages_end - file_end;
            space.memory().zero(GuestAddr(file_end), rest).map_err(mapping("the zeros behind a segment"))?;
        }
    }
    let end = (vaddr + segment.mem_len).next_multiple_of(PAGE_SIZE);
    if end > file_pages_end {
        let request = MmapRequest::anonymous(end - file_pages_end, segment.prot).at(GuestAddr(file_pages_end));
        space.mmap(&request).map_err(mapping("the zeros behind a segment"))?;
    }
    Ok(())
}

/// Finds room for a relocatable dynamic linker and returns its load bias.
fn place_interpreter(space: &AddressSpace, part: &Part) -> Result<u64, LoadError> {
    if part.image.kind == ImageKind::Fixed {
        return Ok(0);
    }
    let (start, end) = part.image.span();
    let (len, align) = (end - start, part.image.align);
    let slack = align - PAGE_SIZE;
    let place =
        space.mmap(&MmapRequest::anonymous(len + slack, Prot::empty())).map_err(mapping("the dynamic linker"))?;
    space.munmap(place, len + slack).map_err(mapping("the dynamic linker"))?;
    Ok(place.0.next_multiple_of(align).wrapping_sub(start))
}

/// Maps the vDSO behind its clock page; returns its address and that of the signal return in it.
fn map_vdso(space: &AddressSpace) -> Result<(GuestAddr, GuestAddr), LoadError> {
    let error = mapping("the vDSO");
    let image = vdso::build();
    let len = VDSO_LEN as u64;
    let page = space.mmap(&MmapRequest::anonymous(PAGE_SIZE + len, Prot::empty())).map_err(&error)?;
    let place = page.add(PAGE_SIZE).map_err(&error)?;
    let part = |start: GuestAddr, len, prot, flags, backing| {
        let range = GuestRange::new(start, len).map_err(&error)?;
        space.insert(&Vma { range, prot, flags, backing }, None).map_err(&error)
    };
    let file = Arc::new(clock_page::new().map_err(&error)?);
    let clocks = VmaBacking::File { file, offset: 0 };
    part(page, PAGE_SIZE, Prot::READ, VmaFlags::VVAR | VmaFlags::SHARED, clocks)?;
    part(place, len, Prot::READ | Prot::WRITE, VmaFlags::VDSO, VmaBacking::Anonymous)?;
    space.memory().write_bytes(place, &image.bytes).map_err(&error)?;
    space.mprotect(place, len, (Prot::READ | Prot::EXEC).bits().into()).map_err(&error)?;
    Ok((place, GuestAddr(place.0 + image.sigreturn)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::program::{HostFinder, Location};
    use super::*;
    use crate::abi::GuestPtr;
    use crate::soft::SoftMachine;

    /// A static program: one segment of code from the file, one of data whose zeros reach into another page.
    fn program(dir: &Path, kind: u16) -> PathBuf {
        let base = if kind == 2 { 0x40_0000u64 } else { 0 };
        let mut bytes = vec![0xccu8; 0x1800];
        bytes[..0x100].fill(0);
        bytes[..8].copy_from_slice(b"\x7fELF\x02\x01\x01\x00");
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(16, &kind.to_le_bytes());
        put(18, &183u16.to_le_bytes());
        put(24, &(base + 0x200).to_le_bytes());
        put(32, &64u64.to_le_bytes());
        put(54, &[56, 0, 2, 0]);
        for (at, flags, offset, vaddr, file_len, mem_len) in
            [(64, 5u32, 0u64, base, 0x1000u64, 0x1000u64), (120, 6, 0x1000, base + 0x3000, 0x400, 0x1400)]
        {
            put(at, &1u32.to_le_bytes());
            put(at + 4, &flags.to_le_bytes());
            for (field, value) in [(8, offset), (16, vaddr), (32, file_len), (40, mem_len), (48, 0x1000)] {
                put(at + field, &value.to_le_bytes());
            }
        }
        let path = dir.join(format!("program{kind}"));
        std::fs::write(&path, bytes).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// The guest's `/` is a directory.
    struct Below<'dir>(&'dir Path);

    impl Finder for Below<'_> {
        fn find(&self, path: &Path) -> std::io::Result<Location> {
            HostFinder.find(&self.0.join(path.strip_prefix("/").unwrap_or(path)))
        }
    }

    fn load(kind: u16) -> (AddressSpace, LoadedImage, u64) {
        let dir = tempfile::tempdir().unwrap();
        let path = program(dir.path(), kind);
        let space = AddressSpace::new(SoftMachine::new().unwrap());
        let program = Program::open(&HostFinder, &path, vec![b"prog".to_vec()], vec![b"A=1".to_vec()]).unwrap();
        let image = load_program(&space, &HostFinder, program, HwCaps { hwcap: 0x1ff, ..HwCaps::default() }).unwrap();
        let bias = if kind == 2 { 0x40_0000 } else { space.layout().pie_base.0 };
        (space, image, bias)
    }

    #[test]
    fn segments_are_mapped_and_zeros_are_zero() {
        for kind in [2, 3] {
            let (space, image, base) = load(kind);
            assert_eq!(image.entry.0, base + 0x200);
            let byte = |addr: u64| space.memory().read(GuestPtr::<u8>::new(GuestAddr(base + addr)));
            assert_eq!((byte(0x200), byte(0xfff)), (Ok(0xcc), Ok(0xcc)));
            assert_eq!((byte(0x33ff), byte(0x3400), byte(0x3fff), byte(0x4000)), (Ok(0xcc), Ok(0), Ok(0), Ok(0)));
            assert_eq!(byte(0x5000), Err(Errno::EFAULT));
            assert_eq!(space.brk_area().0.0, base + 0x5000);
            let rights = |addr: u64| space.lookup(GuestAddr(base + addr)).map(|vma| vma.prot);
            assert_eq!((rights(0), rights(0x4000)), (Some(Prot::READ | Prot::EXEC), Some(Prot::READ | Prot::WRITE)));
        }
    }

    #[test]
    fn the_stack_holds_the_arguments_and_the_vdso_returns_from_signals() {
        let (space, image, _) = load(2);
        let memory = space.memory();
        let word = |index: u64| memory.read(GuestPtr::<u64>::new(GuestAddr(image.sp.0 + index * 8))).unwrap();
        assert_eq!((image.sp.0 % 16, word(0)), (0, 1));
        assert_eq!(memory.read_cstr(GuestAddr(word(1)), 64).unwrap(), b"prog");
        let code = memory.read(GuestPtr::<[u32; 2]>::new(image.sigtramp)).unwrap();
        assert_eq!(code, [0xd280_1168, 0xd400_0001]);
        assert_eq!(space.lookup(image.sigtramp).unwrap().prot, Prot::READ | Prot::EXEC);
        assert_eq!(space.lookup(image.sp).unwrap().name(), b"[stack]");
    }

    #[test]
    fn a_missing_dynamic_linker_is_found_before_anything_is_mapped() {
        let dir = tempfile::tempdir().unwrap();
        let path = program(dir.path(), 3);
        let mut bytes = std::fs::read(&path).unwrap();
        // The second segment becomes the interpreter's path.
        bytes[120] = 3;
        bytes[0x1000..0x1400].fill(0);
        bytes[0x1000..0x100b].copy_from_slice(b"/lib/ld-x.1");
        std::fs::write(&path, bytes).unwrap();
        let open = || Program::open(&HostFinder, &path, Vec::new(), Vec::new()).unwrap();
        let missing = Plan::new(open(), &Below(dir.path())).err().map(|error| error.errno());
        assert_eq!(missing, Some(Errno::ENOENT));
        std::fs::create_dir(dir.path().join("lib")).unwrap();
        std::fs::copy(program(dir.path(), 2), dir.path().join("lib/ld-x.1")).unwrap();
        let space = AddressSpace::new(SoftMachine::new().unwrap());
        let image = Plan::new(open(), &Below(dir.path())).unwrap().commit(&space, HwCaps::default()).unwrap();
        assert_eq!(image.entry.0, 0x40_0200);
    }

    #[test]
    fn the_prebuilt_guests_load() {
        let space = AddressSpace::new(SoftMachine::new().unwrap());
        let mut loaded = 0;
        for entry in std::fs::read_dir(guest_tests::fixtures_dir()).unwrap() {
            let path = entry.unwrap().path();
            // The folder also holds texts: checksums and the recipe.
            if path.extension().is_some() || path.metadata().unwrap().permissions().mode() & 0o111 == 0 {
                continue;
            }
            // One window for all: a window is never given back.
            space.clear().unwrap();
            let program = Program::open(&HostFinder, &path, vec![b"guest".to_vec()], Vec::new()).unwrap();
            let image = load_program(&space, &HostFinder, program, HwCaps::default()).unwrap();
            let entry = space.lookup(image.entry).unwrap();
            assert!(entry.prot.contains(Prot::EXEC), "{}", path.display());
            loaded += 1;
        }
        assert!(loaded >= 10, "{loaded}");
    }
}
