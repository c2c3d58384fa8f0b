//! Rows: the rest: mounts, namespaces of the system, modules, keys, security.

use crate::syscall::misc;

rows! {
    18 lookup_dcookie;
    39 umount2;
    40 mount;
    41 pivot_root;
    42 nfsservctl;
    60 quotactl;
    89 acct;
    104 kexec_load;
    105 init_module;
    106 delete_module;
    116 syslog;
    142 reboot;
    160 uname Full misc (Ptr);
    161 sethostname;
    162 setdomainname;
    179 sysinfo Full misc (Ptr);
    217 add_key;
    218 request_key;
    219 keyctl;
    224 swapon;
    225 swapoff;
    241 perf_event_open;
    273 finit_module;
    278 getrandom Full misc (Ptr, Size, Hex);
    280 bpf;
    294 kexec_file_load;
    428 open_tree;
    429 move_mount;
    430 fsopen;
    431 fsconfig;
    432 fsmount;
    433 fspick;
    442 mount_setattr;
    443 quotactl_fd;
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
