//! The address space over the software machine: real host mappings, errors as Linux gives them, and a property test
//! against an array of pages.

#![expect(clippy::unwrap_used, reason = "test helpers outside of #[test] functions")]

use std::os::fd::OwnedFd;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use elfuse::abi::mman::{Advice, MapFlags, MremapFlags};
use elfuse::abi::{Errno, GuestAddr, GuestPtr, GuestRange, PAGE_SIZE};
use elfuse::mem::{AddressSpace, MappedFile, Mapper, MmapRequest, Prot, VmaFlags};
use elfuse::soft::SoftMachine;
use proptest::prelude::*;

const RW: Prot = Prot::READ.union(Prot::WRITE);

/// One machine serves the whole process; each test empties it.
fn space() -> (MutexGuard<'static, ()>, AddressSpace) {
    static ONE: Mutex<()> = Mutex::new(());
    static MACHINE: LazyLock<Arc<SoftMachine>> = LazyLock::new(|| SoftMachine::new().unwrap());
    let turn = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let machine = Arc::clone(&MACHINE);
    let all = GuestRange::new(GuestAddr(0), machine.address_space_len()).unwrap();
    machine.unmap(all).unwrap();
    (turn, AddressSpace::new(machine))
}

fn file_of(bytes: &[u8]) -> Arc<MappedFile> {
    use std::io::Write;
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    Arc::new(MappedFile::new(Arc::new(OwnedFd::from(file)), b"/guest/file".to_vec()).unwrap())
}

fn ptr<T>(addr: u64) -> GuestPtr<T> {
    GuestPtr::new(GuestAddr(addr))
}

#[test]
fn bad_pointers_are_efault() {
    let (_turn, space) = space();
    let memory = space.memory();
    let page = space.mmap(&MmapRequest::anonymous(PAGE_SIZE, RW)).unwrap().0;
    memory.write(ptr(page + 8), &0x1122_3344_5566_7788_u64).unwrap();
    assert_eq!(memory.read::<u64>(ptr(page + 8)), Ok(0x1122_3344_5566_7788));
    // A value that crosses into an unmapped page is written as far as it goes.
    assert_eq!(memory.write(ptr(page + PAGE_SIZE - 4), &u64::MAX), Err(Errno::EFAULT));
    assert_eq!(memory.read::<u32>(ptr(page + PAGE_SIZE - 4)), Ok(u32::MAX));
    let mut buffer = [0; 16];
    assert_eq!(memory.read_up_to(GuestAddr(page + PAGE_SIZE - 8), &mut buffer), Ok(8));
    for bad in [0, 8, page - 8, page + PAGE_SIZE, 1 << 42, 1 << 47, u64::MAX - 7, u64::MAX, page | 0xab << 56] {
        assert_eq!(memory.read::<u64>(ptr(bad)), Err(Errno::EFAULT), "{bad:#x}");
        assert_eq!(memory.write(ptr(bad), &1_u64), Err(Errno::EFAULT), "{bad:#x}");
        assert_eq!(memory.zero(GuestAddr(bad), 8), Err(Errno::EFAULT), "{bad:#x}");
        assert_eq!(memory.read_cstr(GuestAddr(bad), 8), Err(Errno::EFAULT), "{bad:#x}");
        let word = ptr(bad & !3);
        assert_eq!(memory.load_u32(word), Err(Errno::EFAULT), "{bad:#x}");
        assert_eq!(memory.compare_exchange_u32(word, 0, 1), Err(Errno::EFAULT), "{bad:#x}");
    }
    assert_eq!(memory.load_u32(ptr(page + 2)), Err(Errno::EINVAL));
    space.mprotect(GuestAddr(page), PAGE_SIZE, Prot::READ.bits().into()).unwrap();
    assert_eq!(memory.write(ptr(page), &1_u8), Err(Errno::EFAULT));
    assert_eq!(memory.read::<u32>(ptr(page + 8)), Ok(0x5566_7788));
}

#[test]
fn strings_end_at_nul_limit_or_fault() {
    let (_turn, space) = space();
    let memory = space.memory();
    let page = space.mmap(&MmapRequest::anonymous(2 * PAGE_SIZE, RW)).unwrap().0;
    let long = vec![b'x'; 700];
    memory.write_bytes(GuestAddr(page + 4000), &long).unwrap();
    assert_eq!(memory.read_cstr(GuestAddr(page + 4000), 4096), Ok(long.clone()));
    assert_eq!(memory.read_cstr(GuestAddr(page + 4000), 700), Err(Errno::ENAMETOOLONG));
    assert_eq!(memory.read_cstr(GuestAddr(page + 4000), 701), Ok(long));
    let end = page + 2 * PAGE_SIZE;
    memory.write_bytes(GuestAddr(end - 3), b"abc").unwrap();
    assert_eq!(memory.read_cstr(GuestAddr(end - 3), 100), Err(Errno::EFAULT));
    memory.write_bytes(GuestAddr(end - 3), b"ab\0").unwrap();
    assert_eq!(memory.read_cstr(GuestAddr(end - 3), 100), Ok(b"ab".to_vec()));
}

#[test]
fn futex_words_are_atomic() {
    let (_turn, space) = space();
    let memory = space.memory();
    let word = ptr(space.mmap(&MmapRequest::anonymous(PAGE_SIZE, RW)).unwrap().0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10_000 {
                    memory.fetch_update_u32(word, |held| held + 1).unwrap();
                }
            });
        }
    });
    assert_eq!(memory.load_u32(word), Ok(40_000));
    assert_eq!(memory.compare_exchange_u32(word, 1, 2), Ok(40_000));
    assert_eq!(memory.compare_exchange_u32(word, 40_000, 2), Ok(40_000));
    assert_eq!(memory.load_u32(word), Ok(2));
}

#[test]
fn mmap_errors_are_those_of_linux() {
    let (_turn, space) = space();
    let base = MmapRequest::anonymous(PAGE_SIZE, RW);
    let page = space.mmap(&base).unwrap();
    let fixed_noreplace = MapFlags::FIXED_NOREPLACE.bits();
    let file = file_of(b"x");
    let cases = [
        (MmapRequest { len_bytes: 0, ..base.clone() }, Errno::EINVAL),
        (MmapRequest { len_bytes: u64::MAX, ..base.clone() }, Errno::ENOMEM),
        (MmapRequest { len_bytes: 1 << 43, ..base.clone() }, Errno::ENOMEM),
        (MmapRequest { offset: 1, ..base.clone() }, Errno::EINVAL),
        (MmapRequest { offset: u64::MAX - PAGE_SIZE + 1, len_bytes: 2 * PAGE_SIZE, ..base.clone() }, Errno::EOVERFLOW),
        (MmapRequest { flags: 0x20, ..base.clone() }, Errno::EINVAL),
        (MmapRequest { flags: 0x23, ..base.clone() }, Errno::EINVAL),
        (base.clone().at(GuestAddr(page.0 + 1)), Errno::EINVAL),
        (base.clone().at(GuestAddr(0)), Errno::EPERM),
        (base.clone().at(GuestAddr(1 << 42)), Errno::ENOMEM),
        (MmapRequest { addr: page, flags: base.flags | fixed_noreplace, ..base.clone() }, Errno::EEXIST),
        (MmapRequest { flags: 3 | 0x20_0000, file: Some(Arc::clone(&file)), ..base.clone() }, Errno::EOPNOTSUPP),
        (MmapRequest { flags: 2 | 0x100, file: Some(file), ..base.clone() }, Errno::EINVAL),
    ];
    for (request, errno) in cases {
        assert_eq!(space.mmap(&request), Err(errno), "{request:?}");
    }
    assert_eq!(space.vmas().len(), 1);
    let read_only = std::fs::File::open("/proc/self/exe").unwrap();
    let read_only = Arc::new(MappedFile::new(Arc::new(read_only.into()), Vec::new()).unwrap());
    let shared = MmapRequest { flags: 1, file: Some(read_only), ..base.clone() };
    assert_eq!(space.mmap(&shared), Err(Errno::EACCES));
    let view = space.mmap(&MmapRequest { prot: 1, ..shared }).unwrap();
    assert_eq!(space.mprotect(view, PAGE_SIZE, 3), Err(Errno::EACCES));
    let directory = Arc::new(MappedFile::new(Arc::new(std::fs::File::open("/").unwrap().into()), Vec::new()).unwrap());
    assert_eq!(space.mmap(&MmapRequest { flags: 2, prot: 1, file: Some(directory), ..base }), Err(Errno::ENODEV));
}

#[test]
fn a_failed_replacement_leaves_the_old_mapping() {
    let (_turn, space) = space();
    let page = space.mmap(&MmapRequest::anonymous(PAGE_SIZE, RW)).unwrap();
    space.memory().write(GuestPtr::new(page), &7_u32).unwrap();
    let directory = Arc::new(MappedFile::new(Arc::new(std::fs::File::open("/").unwrap().into()), Vec::new()).unwrap());
    let request = MmapRequest { flags: 2, prot: 1, file: Some(directory), ..MmapRequest::anonymous(PAGE_SIZE, RW) };
    assert_eq!(space.mmap(&request.at(page)), Err(Errno::ENODEV));
    assert_eq!(space.memory().read::<u32>(GuestPtr::new(page)), Ok(7));
}

#[test]
fn hints_and_top_down_placement() {
    let (_turn, space) = space();
    let one = MmapRequest::anonymous(PAGE_SIZE, RW);
    let first = space.mmap(&one).unwrap();
    assert_eq!(first.0 + PAGE_SIZE, space.layout().mmap_base.0);
    assert_eq!(space.mmap(&one).unwrap().0, first.0 - PAGE_SIZE);
    let hint = GuestAddr(0x4000_0123);
    assert_eq!(space.mmap(&MmapRequest { addr: hint, ..one.clone() }), Ok(GuestAddr(0x4000_0000)));
    // The hint is taken now, so the next place is below the others; a hole is used first.
    assert_eq!(space.mmap(&MmapRequest { addr: hint, ..one.clone() }).unwrap().0, first.0 - 2 * PAGE_SIZE);
    space.munmap(first, PAGE_SIZE).unwrap();
    assert_eq!(space.mmap(&one), Ok(first));
    assert_eq!(space.mmap(&MmapRequest { addr: GuestAddr(1), ..one }).unwrap().0, first.0 - 3 * PAGE_SIZE);
}

#[test]
fn files_private_and_shared() {
    let (_turn, space) = space();
    let memory = space.memory();
    let file = file_of(&[b'a'; 5000]);
    let request = MmapRequest { flags: 2, file: Some(Arc::clone(&file)), ..MmapRequest::anonymous(3 * PAGE_SIZE, RW) };
    let private = space.mmap(&request).unwrap().0;
    let shared = space.mmap(&MmapRequest { flags: 1, ..request }).unwrap().0;
    memory.write(ptr(private), &b'p').unwrap();
    memory.write(ptr(shared + 1), &b's').unwrap();
    assert_eq!(memory.read::<[u8; 2]>(ptr(shared)), Ok(*b"as"));
    assert_eq!(memory.read::<u8>(ptr(private)), Ok(b'p'));
    assert_eq!(memory.read::<u8>(ptr(private + 5000)), Ok(0));
    // Past the end of the file: SIGBUS on the host, EFAULT here.
    assert_eq!(memory.read::<u8>(ptr(private + 2 * PAGE_SIZE)), Err(Errno::EFAULT));
    assert!(elfuse::host::fault::last().is_bus_error);
    space.msync(GuestAddr(shared), PAGE_SIZE, 4).unwrap();
    assert_eq!(space.msync(GuestAddr(shared), PAGE_SIZE, 5), Err(Errno::EINVAL));
    let vma = space.lookup(GuestAddr(private + PAGE_SIZE)).unwrap();
    assert_eq!((vma.name(), vma.range.len()), (&b"/guest/file"[..], 3 * PAGE_SIZE));
}

#[test]
fn brk_grows_shrinks_and_stops_at_neighbours() {
    let (_turn, space) = space();
    let start = GuestAddr(0x50_0000);
    assert_eq!(space.brk(start), GuestAddr::NULL, "no heap before the loader has said where");
    space.set_brk(start, start);
    assert_eq!(space.brk(GuestAddr(0)), start);
    assert_eq!(space.brk(GuestAddr(0x50_1234)), GuestAddr(0x50_1234));
    space.memory().write(ptr(0x50_1ff8), &5_u64).unwrap();
    assert_eq!(space.brk(GuestAddr(0x50_8000)), GuestAddr(0x50_8000));
    assert_eq!(space.vmas().len(), 1);
    assert_eq!(space.lookup(start).unwrap().name(), b"[heap]");
    space.mmap(&MmapRequest::anonymous(PAGE_SIZE, RW).at(GuestAddr(0x51_0000))).unwrap();
    assert_eq!(space.brk(GuestAddr(0x51_0001)), GuestAddr(0x50_8000));
    assert_eq!(space.brk(GuestAddr(0x50_0800)), GuestAddr(0x50_0800));
    assert_eq!(space.memory().read::<u64>(ptr(0x50_1ff8)), Err(Errno::EFAULT));
    assert_eq!(space.brk(GuestAddr(0x50_2000)), GuestAddr(0x50_2000));
    assert_eq!(space.memory().read::<u64>(ptr(0x50_1ff8)), Ok(0));
    assert_eq!(space.brk(GuestAddr(u64::MAX)), GuestAddr(0x50_2000));
}

#[test]
fn mremap_keeps_contents() {
    let (_turn, space) = space();
    let memory = space.memory();
    let maymove = MremapFlags::MAYMOVE.bits();
    // Something behind it, so that it cannot grow in place.
    space.mmap(&MmapRequest::anonymous(PAGE_SIZE, Prot::READ)).unwrap();
    let old = space.mmap(&MmapRequest::anonymous(4 * PAGE_SIZE, RW)).unwrap();
    // Rights given back and forth split and merge the host's mappings.
    space.mprotect(GuestAddr(old.0 + PAGE_SIZE), PAGE_SIZE, 0).unwrap();
    space.mprotect(GuestAddr(old.0 + PAGE_SIZE), PAGE_SIZE, 3).unwrap();
    (0..4).for_each(|page| memory.write(ptr(old.0 + page * PAGE_SIZE), &page).unwrap());
    assert_eq!(space.mremap(old, 4 * PAGE_SIZE, 5 * PAGE_SIZE, 0, GuestAddr(0)), Err(Errno::ENOMEM));
    let moved = space.mremap(old, 4 * PAGE_SIZE, 6 * PAGE_SIZE, maymove, GuestAddr(0)).unwrap();
    assert_ne!(moved, old);
    (0..6).for_each(|page| {
        let expected = if page < 4 { page } else { 0 };
        assert_eq!(memory.read::<u64>(ptr(moved.0 + page * PAGE_SIZE)), Ok(expected));
    });
    assert_eq!(memory.read::<u64>(ptr(old.0)), Err(Errno::EFAULT));
    assert_eq!(space.mremap(moved, 6 * PAGE_SIZE, PAGE_SIZE, 0, GuestAddr(0)), Ok(moved));
    assert_eq!(space.mremap(moved, PAGE_SIZE, 2 * PAGE_SIZE, 0, GuestAddr(0)), Ok(moved));
    let to = GuestAddr(0x10_0000);
    assert_eq!(space.mremap(moved, 2 * PAGE_SIZE, PAGE_SIZE, 3, to), Ok(to));
    assert_eq!(space.vmas().len(), 2);
    assert_eq!(space.mremap(to, PAGE_SIZE, PAGE_SIZE, 3, GuestAddr(0)), Err(Errno::EPERM));
    assert_eq!(space.mremap(to, PAGE_SIZE, PAGE_SIZE, 2, moved), Err(Errno::EINVAL));
    assert_eq!(space.mremap(to, PAGE_SIZE, PAGE_SIZE, 3, to), Err(Errno::EINVAL));
    assert_eq!(space.mremap(to, 2 * PAGE_SIZE, 3 * PAGE_SIZE, 1, moved), Err(Errno::EFAULT));
    assert_eq!(space.mremap(moved, PAGE_SIZE, PAGE_SIZE, 1, GuestAddr(0)), Err(Errno::EFAULT));
    assert_eq!(space.mremap(to, 0, PAGE_SIZE, 1, GuestAddr(0)), Err(Errno::EINVAL));
    memory.write(ptr(to.0), &77_u64).unwrap();
    let copy = space.mremap(to, PAGE_SIZE, PAGE_SIZE, 5, GuestAddr(0)).unwrap();
    assert_eq!((memory.read::<u64>(ptr(copy.0)), memory.read::<u64>(ptr(to.0))), (Ok(77), Ok(0)));
}

#[test]
fn shared_anonymous_memory_can_be_seen_twice() {
    let (_turn, space) = space();
    let memory = space.memory();
    let request = MmapRequest { flags: 0x21, ..MmapRequest::anonymous(2 * PAGE_SIZE, RW) };
    let first = space.mmap(&request).unwrap();
    let second = space.mremap(first, 0, 2 * PAGE_SIZE, 1, GuestAddr(0)).unwrap();
    memory.write(ptr(first.0 + PAGE_SIZE), &0xabcd_u32).unwrap();
    assert_eq!(memory.read::<u32>(ptr(second.0 + PAGE_SIZE)), Ok(0xabcd));
    assert_eq!(space.lookup(first).unwrap().name(), b"/dev/zero (deleted)");
}

#[test]
fn advice_is_kept_or_passed_on() {
    let (_turn, space) = space();
    let memory = space.memory();
    let at = space.mmap(&MmapRequest::anonymous(3 * PAGE_SIZE, RW)).unwrap();
    memory.write(ptr(at.0), &1_u64).unwrap();
    space.madvise(at, PAGE_SIZE, Advice::DontNeed.raw()).unwrap();
    assert_eq!(memory.read::<u64>(ptr(at.0)), Ok(0));
    space.madvise(GuestAddr(at.0 + PAGE_SIZE), PAGE_SIZE, Advice::WipeOnFork.raw()).unwrap();
    assert_eq!(space.vmas().len(), 3);
    assert!(space.vmas()[1].flags.contains(VmaFlags::WIPEONFORK));
    space.madvise(GuestAddr(at.0 + PAGE_SIZE), PAGE_SIZE, Advice::KeepOnFork.raw()).unwrap();
    assert_eq!(space.vmas().len(), 1);
    assert_eq!(space.madvise(at, PAGE_SIZE, 5), Err(Errno::EINVAL));
    assert_eq!(space.madvise(GuestAddr(at.0 + 1), PAGE_SIZE, 4), Err(Errno::EINVAL));
    assert_eq!(space.madvise(at, 4 * PAGE_SIZE, 4), Err(Errno::ENOMEM));
    let mut seen = Vec::new();
    memory.write(ptr(at.0 + PAGE_SIZE), &1_u8).unwrap();
    let mut keep = |_first: u64, pages: &[u8]| {
        seen.extend(pages.iter().map(|page| page & 1));
        Ok(())
    };
    space.mincore(at, 3 * PAGE_SIZE, &mut keep).unwrap();
    assert_eq!(seen[1], 1);
    assert_eq!(seen.len(), 3);
    assert_eq!(space.mincore(at, 4 * PAGE_SIZE, |_, _| Ok(())), Err(Errno::ENOMEM));
}

#[test]
fn locked_memory_counts_against_its_limit_and_is_there() {
    let (_turn, space) = space();
    let at = space.mmap(&MmapRequest::anonymous(4 * PAGE_SIZE, RW)).unwrap();
    let page = |index: u64| GuestAddr(at.0 + index * PAGE_SIZE);
    assert_eq!(space.lock_range(at, 1, 0, true), Err(Errno::EPERM));
    space.lock_range(GuestAddr(at.0 + 5), 10, PAGE_SIZE, true).unwrap();
    assert!(space.lookup(at).unwrap().flags.contains(VmaFlags::LOCKED));
    let mut seen = Vec::new();
    let mut keep = |_first: u64, pages: &[u8]| {
        seen.extend(pages.iter().map(|page| page & 1));
        Ok(())
    };
    space.mincore(at, PAGE_SIZE, &mut keep).unwrap();
    assert_eq!(seen, [1], "faulted in");
    space.lock_range(at, PAGE_SIZE, PAGE_SIZE, true).unwrap();
    assert_eq!(space.lock_range(page(1), PAGE_SIZE, PAGE_SIZE, true), Err(Errno::ENOMEM));
    assert_eq!(space.check_lock(PAGE_SIZE, PAGE_SIZE), Err(Errno::EAGAIN));
    assert_eq!(space.lock_range(page(3), 2 * PAGE_SIZE, u64::MAX, true), Err(Errno::ENOMEM), "a gap");
    assert_eq!(space.lock_all(3 * PAGE_SIZE), Err(Errno::ENOMEM));
    space.lock_all(4 * PAGE_SIZE).unwrap();
    space.unlock_range(at, 4 * PAGE_SIZE).unwrap();
    assert_eq!(space.check_lock(PAGE_SIZE, PAGE_SIZE), Ok(()));
}

#[test]
fn the_address_space_grows_to_its_limit_and_no_further() {
    let (_turn, space) = space();
    let pages = |count: u64| MmapRequest::anonymous(count * PAGE_SIZE, RW);
    let at = space.mmap(&pages(4)).unwrap();
    space.limit_size(6 * PAGE_SIZE);
    assert_eq!(space.mmap(&pages(3)), Err(Errno::ENOMEM));
    space.mmap(&pages(4).at(at)).unwrap();
    assert_eq!(space.mremap(at, 4 * PAGE_SIZE, 7 * PAGE_SIZE, 1, GuestAddr(0)), Err(Errno::ENOMEM));
    let at = space.mremap(at, 4 * PAGE_SIZE, 5 * PAGE_SIZE, 1, GuestAddr(0)).unwrap();
    let heap = GuestAddr(0x1000_0000);
    space.set_brk(heap, heap);
    assert_eq!(space.brk(GuestAddr(heap.0 + 2 * PAGE_SIZE)), heap);
    assert_eq!(space.brk(GuestAddr(heap.0 + PAGE_SIZE)), GuestAddr(heap.0 + PAGE_SIZE));
    space.limit_size(PAGE_SIZE);
    space.mprotect(at, PAGE_SIZE, 1).unwrap();
    assert_eq!(space.mmap(&pages(1)), Err(Errno::ENOMEM));
}

#[test]
fn image_pages_do_not_come_back() {
    use std::os::fd::AsFd;
    let (_turn, space) = space();
    let image = file_of(&[9; 4096]);
    let at = space.mmap(&MmapRequest::anonymous(PAGE_SIZE, RW)).unwrap();
    let vma = space.lookup(at).unwrap();
    let contents = elfuse::mem::Backing::PrivateFile { file: image.fd.as_fd(), offset: 0 };
    space.insert(&vma, Some(contents)).unwrap();
    assert_eq!(space.memory().read::<u8>(ptr(at.0)), Ok(9));
    space.madvise(at, PAGE_SIZE, Advice::DontNeed.raw()).unwrap();
    assert_eq!(space.memory().read::<u8>(ptr(at.0)), Ok(0));
    space.clear().unwrap();
    assert!(space.vmas().is_empty());
}

/// Host mappings inside the window, counted in /proc/self/maps.
fn host_mappings(space: &AddressSpace) -> usize {
    let start = space.memory().base().addr().get();
    let end = start + usize::try_from(space.memory().len_bytes()).unwrap();
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let first = |line: &str| usize::from_str_radix(line.split('-').next().unwrap(), 16).unwrap();
    maps.lines().map(first).filter(|at| (start..end).contains(at)).count()
}

/// The host limits the number of mappings: what is released must become one with the reservation again.
#[test]
fn released_memory_leaves_no_host_mappings_behind() {
    // A window as it was reserved; `space` has replaced the reservation of the common one.
    let space = AddressSpace::new(SoftMachine::new().unwrap());
    let before = host_mappings(&space);
    for index in 0..200 {
        let at = GuestAddr(ARENA + 2 * index * PAGE_SIZE);
        space.mmap(&MmapRequest::anonymous(PAGE_SIZE, RW).at(at)).unwrap();
        space.memory().write(GuestPtr::new(at), &1_u8).unwrap();
    }
    assert!(host_mappings(&space) >= before + 200);
    let moved = GuestAddr(ARENA + (1 << 24));
    space.mremap(GuestAddr(ARENA), PAGE_SIZE, PAGE_SIZE, 3, moved).unwrap();
    space.munmap(moved, PAGE_SIZE).unwrap();
    for index in 1..200 {
        space.munmap(GuestAddr(ARENA + 2 * index * PAGE_SIZE), PAGE_SIZE).unwrap();
    }
    assert!(host_mappings(&space) <= before + 1, "{} host mappings instead of {before}", host_mappings(&space));
}

/// A page of the model: its rights and the byte that was written to it.
type ModelPage = Option<(u8, u8)>;

/// Pages of the arena that the property test works in.
const ARENA_PAGES: u64 = 24;
const ARENA: u64 = 0x2000_0000;

#[derive(Clone, Debug)]
enum Call {
    Map { page: u64, pages: u64, prot: u8 },
    MapNoReplace { page: u64, pages: u64, prot: u8 },
    Unmap { page: u64, pages: u64 },
    Protect { page: u64, pages: u64, prot: u8 },
    Write { page: u64, byte: u8 },
    Move { page: u64, pages: u64, to: u64 },
}

fn call() -> impl Strategy<Value = Call> {
    let (page, pages) = (0..ARENA_PAGES, 1..8_u64);
    let prot = prop_oneof![Just(0_u8), Just(1), Just(3)];
    prop_oneof![
        3 => (page.clone(), pages.clone(), prot.clone()).prop_map(|(page, pages, prot)| Call::Map { page, pages, prot }),
        1 => (page.clone(), pages.clone(), prot.clone())
            .prop_map(|(page, pages, prot)| Call::MapNoReplace { page, pages, prot }),
        2 => (page.clone(), pages.clone()).prop_map(|(page, pages)| Call::Unmap { page, pages }),
        2 => (page.clone(), pages.clone(), prot).prop_map(|(page, pages, prot)| Call::Protect { page, pages, prot }),
        4 => (page.clone(), any::<u8>()).prop_map(|(page, byte)| Call::Write { page, byte }),
        2 => (page.clone(), pages, page).prop_map(|(page, pages, to)| Call::Move { page, pages, to }),
    ]
}

/// Does a call on the address space and on the model, and compares the answers.
fn step(space: &AddressSpace, model: &mut [ModelPage], call: &Call) -> Result<(), TestCaseError> {
    let place = |page: u64| GuestAddr(ARENA + page * PAGE_SIZE);
    let cells = |page: u64, pages: u64| page as usize..(page + pages) as usize;
    match *call {
        Call::Map { page, pages, prot } => {
            let request = MmapRequest::anonymous(pages * PAGE_SIZE, Prot::from_bits_retain(prot)).at(place(page));
            prop_assert_eq!(space.mmap(&request), Ok(place(page)));
            model[cells(page, pages)].fill(Some((prot, 0)));
        }
        Call::MapNoReplace { page, pages, prot } => {
            let request = MmapRequest::anonymous(pages * PAGE_SIZE, Prot::from_bits_retain(prot));
            let flags = request.flags | MapFlags::FIXED_NOREPLACE.bits();
            let answer = space.mmap(&MmapRequest { addr: place(page), flags, ..request });
            if model[cells(page, pages)].iter().all(Option::is_none) {
                prop_assert_eq!(answer, Ok(place(page)));
                model[cells(page, pages)].fill(Some((prot, 0)));
            } else {
                prop_assert_eq!(answer, Err(Errno::EEXIST));
            }
        }
        Call::Unmap { page, pages } => {
            prop_assert_eq!(space.munmap(place(page), pages * PAGE_SIZE), Ok(()));
            model[cells(page, pages)].fill(None);
        }
        Call::Protect { page, pages, prot } => {
            let answer = space.mprotect(place(page), pages * PAGE_SIZE, prot.into());
            let gap = model[cells(page, pages)].iter().position(Option::is_none);
            prop_assert_eq!(answer, gap.map_or(Ok(()), |_| Err(Errno::ENOMEM)));
            let reach = gap.unwrap_or(pages as usize) as u64;
            model[cells(page, reach)].iter_mut().flatten().for_each(|cell| cell.0 = prot);
        }
        Call::Write { page, byte } => {
            let is_writable = model[page as usize].is_some_and(|(prot, _)| prot & 2 != 0);
            let answer = space.memory().write(GuestPtr::new(place(page)), &byte);
            prop_assert_eq!(answer.is_ok(), is_writable);
            if is_writable {
                model[page as usize] = model[page as usize].map(|(prot, _)| (prot, byte));
            }
        }
        Call::Move { page, pages, to } => {
            let answer = space.mremap(place(page), pages * PAGE_SIZE, pages * PAGE_SIZE, 3, place(to));
            let source = model[cells(page, pages)].to_vec();
            let same =
                source[0].is_some_and(|first| source.iter().all(|cell| cell.is_some_and(|cell| cell.0 == first.0)));
            if page.abs_diff(to) < pages {
                prop_assert_eq!(answer, Err(Errno::EINVAL));
            } else if !same {
                prop_assert_eq!(answer, Err(Errno::EFAULT));
            } else {
                prop_assert_eq!(answer, Ok(place(to)));
                model[cells(page, pages)].fill(None);
                model[cells(to, pages)].copy_from_slice(&source);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn agrees_with_an_array_of_pages(calls in prop::collection::vec(call(), 1..60)) {
        let (_turn, space) = space();
        let mut model = [None; (ARENA_PAGES + 8) as usize];
        for call in calls {
            step(&space, &mut model, &call)?;
            for (page, cell) in model.iter().enumerate() {
                let at = GuestAddr(ARENA + page as u64 * PAGE_SIZE);
                let read = space.memory().read::<u8>(GuestPtr::new(at));
                prop_assert_eq!(space.lookup(at).map(|vma| vma.prot.bits()), cell.map(|cell| cell.0), "page {}", page);
                let expected = cell.filter(|cell| cell.0 & 1 != 0).map(|cell| cell.1);
                prop_assert_eq!(read.ok(), expected, "page {} after {:?}", page, &call);
            }
        }
    }
}
