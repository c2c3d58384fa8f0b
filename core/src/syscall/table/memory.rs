//! Rows: memory.

use crate::syscall::{fs, memory_policy, mm, schedule};

rows! {
    214 brk Full mm (Ptr);
    215 munmap Full mm (Ptr, Size);
    216 mremap Full mm (Ptr, Size, Size, Flags(MREMAP), Ptr);
    222 mmap Full mm (Ptr, Size, Flags(PROT), Flags(MAP), Fd, Hex);
    226 mprotect Full mm (Ptr, Size, Flags(PROT));
    227 msync Full mm (Ptr, Size, Flags(MSYNC));
    228 mlock Partial mm (Ptr, Size);
    229 munlock Partial mm (Ptr, Size);
    230 mlockall Partial mm (Flags(MLOCKALL));
    231 munlockall Partial mm ();
    232 mincore Full mm (Ptr, Size, Ptr);
    233 madvise Full mm (Ptr, Size, Flags(MADVISE));
    234 remap_file_pages; // Linux only emulates it, by mmap
    235 mbind Full memory_policy (Ptr, Size, Int, Ptr, Size, Hex);
    236 get_mempolicy Full memory_policy (Ptr, Ptr, Size, Ptr, Hex);
    237 set_mempolicy Full memory_policy (Int, Ptr, Size);
    238 migrate_pages Full memory_policy (Int, Size, Ptr, Ptr);
    239 move_pages Full memory_policy (Int, Size, Ptr, Ptr, Ptr, Hex);
    270 process_vm_readv Full memory_policy (Int, In(Vector), Size, Ptr, Size, Hex);
    271 process_vm_writev Full memory_policy (Int, In(Vector), Size, Ptr, Size, Hex);
    282 userfaultfd; // who waits in a fault could not be interrupted
    283 membarrier Full schedule (Int, Hex, Int);
    284 mlock2 Partial mm (Ptr, Size, Hex);
    288 pkey_mprotect Full memory_policy (Ptr, Size, Flags(PROT), Int);
    289 pkey_alloc Full memory_policy (Hex, Hex);
    290 pkey_free Full memory_policy (Int);
    440 process_madvise Partial memory_policy (Fd, Ptr, Size, Flags(MADVISE), Hex);
    447 memfd_secret Full fs (Flags(MEMFD_SECRET));
    448 process_mrelease Full memory_policy (Fd, Hex);
    450 set_mempolicy_home_node Full memory_policy (Ptr, Size, Int, Hex);
    453 map_shadow_stack; // no shadow stacks on this CPU
    462 mseal Full mm (Ptr, Size, Hex);
}
