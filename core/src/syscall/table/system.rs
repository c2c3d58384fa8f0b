//! Rows: the rest: mounts, namespaces of the system, modules, keys, security.

use crate::syscall::{misc, privileged};

rows! {
    18 lookup_dcookie; // gone from Linux
    39 umount2 Partial privileged (Path, Hex);
    40 mount Partial privileged (Str, Path, Str, Hex, Ptr);
    41 pivot_root Partial privileged (Path, Path);
    42 nfsservctl; // gone from Linux
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
    217 add_key; // keyrings go by the host's threads and executed programs, which are not the guest's
    218 request_key; // keyrings go by the host's threads and executed programs, which are not the guest's
    219 keyctl; // keyrings go by the host's threads and executed programs, which are not the guest's
    224 swapon Partial privileged (Path, Hex);
    225 swapoff Partial privileged (Path);
    241 perf_event_open; // it would count elfuse's instructions
    273 finit_module Partial privileged (Fd, Str, Hex);
    278 getrandom Full misc (Filled, Size, Flags(RANDOM));
    280 bpf; // programs of the host's kernel
    294 kexec_file_load Partial privileged (Int, Int, Size, Ptr, Hex);
    428 open_tree; // mounts are the host's
    429 move_mount; // mounts are the host's
    430 fsopen; // mounts are the host's
    431 fsconfig; // mounts are the host's
    432 fsmount; // mounts are the host's
    433 fspick; // mounts are the host's
    442 mount_setattr; // mounts are the host's
    443 quotactl_fd Partial privileged (Fd, Hex, Int, Ptr);
    444 landlock_create_ruleset; // rules would bind elfuse's own threads
    445 landlock_add_rule; // rules would bind elfuse's own threads
    446 landlock_restrict_self; // rules would bind elfuse's own threads
    457 statmount; // they would show the host's tree, without the guest's places
    458 listmount; // they would show the host's tree, without the guest's places
    459 lsm_get_self_attr; // labels are those of elfuse's program
    460 lsm_set_self_attr; // labels are those of elfuse's program
    461 lsm_list_modules; // labels are those of elfuse's program
    467 open_tree_attr; // younger than the release that uname tells
    470 listns; // younger than the release that uname tells
}
