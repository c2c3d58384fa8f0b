//! Rows: paths, directories and what is known about files.

use crate::syscall::{fs, metadata};

rows! {
    5 setxattr;
    6 lsetxattr;
    7 fsetxattr;
    8 getxattr;
    9 lgetxattr;
    10 fgetxattr;
    11 listxattr;
    12 llistxattr;
    13 flistxattr;
    14 removexattr;
    15 lremovexattr;
    16 fremovexattr;
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
    51 chroot;
    52 fchmod Full metadata (Int, Octal);
    53 fchmodat Full metadata (Dir, Str, Octal);
    54 fchownat Full metadata (Dir, Str, Int, Int, Hex);
    55 fchown Full metadata (Int, Int, Int);
    56 openat Partial fs (Dir, Str, Hex, Octal);
    58 vhangup;
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
    437 openat2;
    439 faccessat2 Full fs (Dir, Str, Octal, Hex);
    452 fchmodat2 Full metadata (Dir, Str, Octal, Hex);
    463 setxattrat;
    464 getxattrat;
    465 listxattrat;
    466 removexattrat;
    468 file_getattr;
    469 file_setattr;
}
