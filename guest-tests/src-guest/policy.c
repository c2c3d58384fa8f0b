// policy: where memory lies and whose it is; calls that change the machine are refused.

#include "rt.h"

enum {
    NR_umount2 = 39, NR_mount = 40, NR_pivot_root = 41, NR_quotactl = 60, NR_acct = 89, NR_kexec_load = 104,
    NR_init_module = 105, NR_delete_module = 106, NR_syslog = 116, NR_reboot = 142, NR_sethostname = 161,
    NR_setdomainname = 162, NR_swapon = 224, NR_swapoff = 225, NR_mbind = 235, NR_get_mempolicy = 236,
    NR_set_mempolicy = 237, NR_process_vm_readv = 270, NR_process_vm_writev = 271, NR_finit_module = 273,
    NR_pkey_mprotect = 288, NR_pkey_alloc = 289, NR_pkey_free = 290, NR_kexec_file_load = 294, NR_quotactl_fd = 443,
};
enum { ENOSPC = 28 };

struct iovec { void *base; u64 len; };

int main(int argc, char **argv, char **envp) {
    (void)argc, (void)argv, (void)envp;
    rt_guard(30);
    char *page = rt_mmap(8192, PROT_READ | PROT_WRITE);
    s32 mode = 7;
    u64 nodes[16] = { 0 };
    CHECK_EQ(sys5(NR_get_mempolicy, &mode, nodes, 1024, 0, 0), 0);
    CHECK_EQ(mode, 0);
    CHECK_EQ(sys3(NR_set_mempolicy, 0, 0, 0), 0);
    CHECK_EQ(sys3(NR_set_mempolicy, 99, 0, 0), -EINVAL);
    CHECK_EQ(sys6(NR_mbind, (u64)page, 8192, 0, 0, 0, 0), 0);
    CHECK_EQ(sys6(NR_mbind, (u64)page + 1, 8192, 0, 0, 0, 0), -EINVAL);

    // Own memory, a child's, and none.
    char text[8] = "private", got[8] = { 0 };
    struct iovec local = { got, 8 }, remote = { text, 8 };
    CHECK_EQ(sys6(NR_process_vm_readv, getpid(), (u64)&local, 1, (u64)&remote, 1, 0), 8);
    CHECK(rt_streq(got, "private"));
    u32 *shared = (u32 *)page;
    *shared = 1;
    s32 child = rt_fork();
    if (child == 0) {
        rt_guard(30);
        text[0] = 'P';
        while (LOAD((volatile u32 *)shared) == 1) rt_sleep_ns(1000000);
        rt_exit_group(text[1] == 'X' ? 5 : 6);
    }
    do {
        rt_sleep_ns(1000000);
        CHECK_EQ(sys6(NR_process_vm_readv, child, (u64)&local, 1, (u64)&remote, 1, 0), 8);
    } while (got[0] != 'P');
    got[1] = 'X';
    CHECK_EQ(sys6(NR_process_vm_writev, child, (u64)&local, 1, (u64)&remote, 1, 0), 8);
    u32 two = 2;
    struct iovec word = { &two, 4 }, place = { shared, 4 };
    CHECK_EQ(sys6(NR_process_vm_writev, child, (u64)&word, 1, (u64)&place, 1, 0), 4);
    CHECK_EQ(WEXITSTATUS(rt_wait(child)), 5);
    CHECK_EQ(sys6(NR_process_vm_readv, child, (u64)&local, 1, (u64)&remote, 1, 0), -ESRCH);
    remote.base = (void *)8;
    CHECK_EQ(sys6(NR_process_vm_readv, getpid(), (u64)&local, 1, (u64)&remote, 1, 0), -EFAULT);
    CHECK_EQ(sys6(NR_process_vm_readv, getpid(), (u64)&local, 1, (u64)&remote, 1, 1), -EINVAL);

    CHECK_EQ(sys2(NR_pkey_alloc, 0, 0), -ENOSPC);
    CHECK_EQ(sys2(NR_pkey_alloc, 1, 0), -EINVAL);
    CHECK_EQ(sys1(NR_pkey_free, 1), -EINVAL);
    CHECK_EQ(sys4(NR_pkey_mprotect, page, 4096, PROT_READ, -1), 0);
    CHECK_EQ(sys4(NR_pkey_mprotect, page, 4096, PROT_READ, 1), -EINVAL);

    static const int refused[] = {
        NR_umount2, NR_mount, NR_pivot_root, NR_quotactl, NR_acct, NR_kexec_load, NR_init_module, NR_delete_module, NR_syslog,
        NR_reboot, NR_sethostname, NR_setdomainname, NR_swapon, NR_swapoff, NR_finit_module, NR_kexec_file_load, NR_quotactl_fd,
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) CHECK_EQ(sys3(refused[i], 0, 0, 0), -EPERM);
    say("policy: ok\n");
    return 0;
}
