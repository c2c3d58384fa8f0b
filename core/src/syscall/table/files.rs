//! Rows: paths, directories and what is known about files.

use crate::syscall::{fs, metadata, privileged, xattr};

rows! {
    5 setxattr Full xattr (Str, Str, Ptr, Size, Hex);
    6 lsetxattr Full xattr (Str, Str, Ptr, Size, Hex);
    7 fsetxattr Full xattr (Int, Str, Ptr, Size, Hex);
    8 getxattr Full xattr (Str, Str, Ptr, Size);
    9 lgetxattr Full xattr (Str, Str, Ptr, Size);
    10 fgetxattr Full xattr (Int, Str, Ptr, Size);
    11 listxattr Full xattr (Str, Ptr, Size);
    12 llistxattr Full xattr (Str, Ptr, Size);
    13 flistxattr Full xattr (Int, Ptr, Size);
    14 removexattr Full xattr (Str, Str);
    15 lremovexattr Full xattr (Str, Str);
    16 fremovexattr Full xattr (Int, Str);
    17 getcwd Full fs (Ptr, Size);
    33 mknodat Full fs (Dir, Str, Octal, Hex);
    34 mkdirat Full fs (Dir, Str, Octal);
    35 unlinkat Full fs (Dir, Str, Hex);
    36 symlinkat Full fs (Str, Dir, Str);
    37 linkat Full fs (Dir, Str, Dir, Str, Hex);
    38 renameat Full fs (Dir, Str, Dir, Str);
    43 statfs Full metadata (Str, Ptr);
    44 fstatfs Full metadata (Int, Ptr);
    45 truncate Full fs (Str, Long);
    48 faccessat Full fs (Dir, Str, Octal);
    49 chdir Full fs (Str);
    50 fchdir Full fs (Int);
    51 chroot Full fs (Str);
    52 fchmod Full metadata (Int, Octal);
    53 fchmodat Full metadata (Dir, Str, Octal);
    54 fchownat Full metadata (Dir, Str, Int, Int, Hex);
    55 fchown Full metadata (Int, Int, Int);
    56 openat Full fs (Dir, Str, Hex, Octal);
    58 vhangup Partial privileged ();
    78 readlinkat Full fs (Dir, Str, Ptr, Size);
    79 newfstatat Full metadata (Dir, Str, Ptr, Hex);
    80 fstat Full metadata (Int, Ptr);
    88 utimensat Full metadata (Dir, Str, Ptr, Hex);
    166 umask Full fs (Octal);
    264 name_to_handle_at;
    265 open_by_handle_at;
    276 renameat2 Full fs (Dir, Str, Dir, Str, Hex);
    279 memfd_create Full fs (Str, Hex);
    291 statx Full metadata (Dir, Str, Hex, Hex, Ptr);
    437 openat2 Full fs (Dir, Str, Ptr, Size);
    439 faccessat2 Full fs (Dir, Str, Octal, Hex);
    452 fchmodat2 Full metadata (Dir, Str, Octal, Hex);
    463 setxattrat Full xattr (Dir, Str, Hex, Str, Ptr, Size);
    464 getxattrat Full xattr (Dir, Str, Hex, Str, Ptr, Size);
    465 listxattrat Full xattr (Dir, Str, Hex, Ptr, Size);
    466 removexattrat Full xattr (Dir, Str, Hex, Str);
    468 file_getattr;
    469 file_setattr;
}
