//! Rows: the rest: mounts, namespaces of the system, modules, keys, security.

use crate::syscall::{misc, privileged};

rows! {
    18 lookup_dcookie;
    39 umount2 Partial privileged (Path, Hex);
    40 mount Partial privileged (Str, Path, Str, Hex, Ptr);
    41 pivot_root Partial privileged (Path, Path);
    42 nfsservctl;
    60 quotactl Partial privileged (Hex, Str, Int, Ptr);
    89 acct Partial privileged (Path);
    104 kexec_load Partial privileged (Ptr, Size, Ptr, Hex);
    105 init_module Partial privileged (Ptr, Size, Str);
    106 delete_module Partial privileged (Str, Hex);
    116 syslog Partial privileged (Int, Ptr, Int);
    142 reboot Partial privileged (Hex, Hex, Hex, Ptr);
    160 uname Full misc (Out(Uname));
    161 sethostname Partial privileged (Ptr, Size);
    162 setdomainname Partial privileged (Ptr, Size);
    179 sysinfo Full misc (Ptr);
    217 add_key;
    218 request_key;
    219 keyctl;
    224 swapon Partial privileged (Path, Hex);
    225 swapoff Partial privileged (Path);
    241 perf_event_open;
    273 finit_module Partial privileged (Fd, Str, Hex);
    278 getrandom Full misc (Filled, Size, Flags(RANDOM));
    280 bpf;
    294 kexec_file_load Partial privileged (Int, Int, Size, Ptr, Hex);
    428 open_tree;
    429 move_mount;
    430 fsopen;
    431 fsconfig;
    432 fsmount;
    433 fspick;
    442 mount_setattr;
    443 quotactl_fd Partial privileged (Fd, Hex, Int, Ptr);
    444 landlock_create_ruleset;
    445 landlock_add_rule;
    446 landlock_restrict_self;
    451 cachestat;
    457 statmount;
    458 listmount;
    459 lsm_get_self_attr;
    460 lsm_set_self_attr;
    461 lsm_list_modules;
    467 open_tree_attr;
    470 listns;
}
