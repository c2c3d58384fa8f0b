//! Rows: paths, directories and what is known about files.

use crate::syscall::{fs, handles, metadata, privileged, xattr};

rows! {
    5 setxattr Full xattr (Path, Str, Bytes, Size, Flags(XATTR));
    6 lsetxattr Full xattr (Path, Str, Bytes, Size, Flags(XATTR));
    7 fsetxattr Full xattr (Fd, Str, Bytes, Size, Flags(XATTR));
    8 getxattr Full xattr (Path, Str, Filled, Size);
    9 lgetxattr Full xattr (Path, Str, Filled, Size);
    10 fgetxattr Full xattr (Fd, Str, Filled, Size);
    11 listxattr Full xattr (Path, Filled, Size);
    12 llistxattr Full xattr (Path, Filled, Size);
    13 flistxattr Full xattr (Fd, Filled, Size);
    14 removexattr Full xattr (Path, Str);
    15 lremovexattr Full xattr (Path, Str);
    16 fremovexattr Full xattr (Fd, Str);
    17 getcwd Full fs (Filled, Size);
    33 mknodat Full fs (Dir, Path, Octal, Hex);
    34 mkdirat Full fs (Dir, Path, Octal);
    35 unlinkat Full fs (Dir, Path, Flags(AT));
    36 symlinkat Full fs (Str, Dir, Path);
    37 linkat Full fs (Dir, Path, Dir, Path, Flags(AT));
    38 renameat Full fs (Dir, Path, Dir, Path);
    43 statfs Full metadata (Path, Ptr);
    44 fstatfs Full metadata (Fd, Ptr);
    45 truncate Full fs (Path, Long);
    48 faccessat Full fs (Dir, Path, Flags(ACCESS));
    49 chdir Full fs (Path);
    50 fchdir Full fs (Fd);
    51 chroot Full fs (Path);
    52 fchmod Full metadata (Fd, Octal);
    53 fchmodat Full metadata (Dir, Path, Octal);
    54 fchownat Full metadata (Dir, Path, Int, Int, Flags(AT));
    55 fchown Full metadata (Fd, Int, Int);
    56 openat Full fs (Dir, Path, Flags(OPEN), Octal);
    58 vhangup Partial privileged ();
    78 readlinkat Full fs (Dir, Path, Filled, Size);
    79 newfstatat Full metadata (Dir, Path, Out(Stat), Flags(AT));
    80 fstat Full metadata (Fd, Out(Stat));
    88 utimensat Full metadata (Dir, Path, In(Times), Flags(AT));
    166 umask Full fs (Octal);
    264 name_to_handle_at Full handles (Dir, Path, Ptr, Ptr, Flags(AT_HANDLE));
    265 open_by_handle_at Full handles (Dir, Ptr, Flags(OPEN));
    276 renameat2 Full fs (Dir, Path, Dir, Path, Flags(RENAME));
    279 memfd_create Full fs (Str, Flags(MEMFD));
    291 statx Full metadata (Dir, Path, Flags(AT), Flags(STATX_MASK), Out(Statx));
    437 openat2 Full fs (Dir, Path, In(How), Size);
    439 faccessat2 Full fs (Dir, Path, Flags(ACCESS), Flags(AT_ACCESS));
    452 fchmodat2 Full metadata (Dir, Path, Octal, Flags(AT));
    463 setxattrat Full xattr (Dir, Path, Flags(AT), Str, Ptr, Size);
    464 getxattrat Full xattr (Dir, Path, Flags(AT), Str, Ptr, Size);
    465 listxattrat Full xattr (Dir, Path, Flags(AT), Filled, Size);
    466 removexattrat Full xattr (Dir, Path, Flags(AT), Str);
    468 file_getattr; // younger than the release that uname tells
    469 file_setattr; // younger than the release that uname tells
}
