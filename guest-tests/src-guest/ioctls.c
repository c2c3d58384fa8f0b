// ioctls: requests whose arguments name more than one buffer: interfaces, clones of files, namespaces.
//
// Sources: netdevice(7), ioctl_ficlone(2), ioctl_ns(2).

#include "rt.h"

enum {
    NR_ioctl_ = 29, NR_memfd_create_ = 279, NR_socket_ = 198, AF_INET_ = 2, SOCK_DGRAM_ = 2, SIOCGIFCONF = 0x8912,
    NS_GET_USERNS = 0xb701, NS_GET_PARENT = 0xb702, NS_GET_NSTYPE = 0xb703, NS_GET_OWNER_UID = 0xb704, CLONE_NEWUTS_ = 0x04000000,
    EXDEV_ = 18, ENOTTY_ = 25, EOPNOTSUPP_ = 95, F_GETFD_ = 1,
};
#define FICLONE 0x40049409
#define FICLONERANGE 0x4020940d

static long ioctl(long fd, u64 request, const void *argument) { return sys3(NR_ioctl_, fd, request, argument); }

/// The list has the address of lo; a buffer for less than one entry gets none.
static void interfaces(void) {
    struct { char name[16]; u16 family; u8 rest[22]; } list[64];
    struct { s32 len; void *list; } conf = { 0, 0 };
    _Static_assert(sizeof list[0] == 40, "struct ifreq is 40 bytes");
    long fd = sys3(NR_socket_, AF_INET_, SOCK_DGRAM_, 0);
    CHECK(fd >= 0);
    CHECK_EQ(ioctl(fd, SIOCGIFCONF, &conf), 0);
    s32 all = conf.len;
    CHECK(all >= 0 && all % 40 == 0);
    conf.len = sizeof list;
    conf.list = list;
    CHECK_EQ(ioctl(fd, SIOCGIFCONF, &conf), 0);
    CHECK_EQ(conf.len, all);
    for (s32 i = 0; i < all / 40; i++) CHECK(list[i].name[0] && list[i].family == AF_INET_);
    conf.len = 39;
    CHECK_EQ(ioctl(fd, SIOCGIFCONF, &conf), 0);
    CHECK_EQ(conf.len, 0);
    conf.len = sizeof list;
    conf.list = (void *)8;
    CHECK_EQ(ioctl(fd, SIOCGIFCONF, &conf), all ? -EFAULT : 0);
    CHECK_EQ(ioctl(fd, SIOCGIFCONF, (void *)8), -EFAULT);
    CHECK_EQ(sys1(NR_close, fd), 0);
}

/// File systems without shared extents say so, of descriptors that are the guest's.
static void clones(void) {
    long from = sys2(NR_memfd_create_, "from", 0), to = sys2(NR_memfd_create_, "to", 0);
    struct { s64 from; u64 offset, length, to; } range = { from, 0, 0, 0 };
    CHECK_EQ(ioctl(to, FICLONE, (void *)999), -EBADF);
    long answer = ioctl(to, FICLONE, (void *)from);
    CHECK(answer == -EOPNOTSUPP_ || answer == -EXDEV_ || answer == -EINVAL);
    CHECK_EQ(ioctl(to, FICLONERANGE, &range), answer);
    range.from = 999;
    CHECK_EQ(ioctl(to, FICLONERANGE, &range), -EBADF);
    CHECK_EQ(ioctl(to, FICLONERANGE, (void *)8), -EFAULT);
    CHECK_EQ(sys1(NR_close, from) | sys1(NR_close, to), 0);
}

/// Of a namespace, where the kernel has them.
static void namespaces(void) {
    long fd = sys4(NR_openat, AT_FDCWD, "/proc/self/ns/uts", O_RDONLY, 0);
    if (fd < 0) return;
    CHECK_EQ(ioctl(fd, NS_GET_NSTYPE, 0), CLONE_NEWUTS_);
    CHECK_EQ(ioctl(fd, NS_GET_PARENT, 0), -EINVAL);  // they have no parents
    long owner = ioctl(fd, NS_GET_USERNS, 0);
    CHECK(owner >= 0 || owner == -EPERM);
    if (owner >= 0) {
        u32 uid = 99;
        CHECK_EQ(sys2(NR_fcntl, owner, F_GETFD_), 1);
        CHECK_EQ(ioctl(owner, NS_GET_OWNER_UID, &uid), 0);
        CHECK_EQ(ioctl(owner, NS_GET_OWNER_UID, (void *)8), -EFAULT);
        CHECK_EQ(sys1(NR_close, owner), 0);
    }
    CHECK_EQ(sys1(NR_close, fd), 0);
    fd = sys2(NR_memfd_create_, "none", 0);
    CHECK_EQ(ioctl(fd, NS_GET_NSTYPE, 0), -ENOTTY_);
    CHECK_EQ(sys1(NR_close, fd), 0);
}

int main(int argc, char **argv, char **envp) {
    (void)argc, (void)argv, (void)envp;
    rt_guard(30);
    interfaces();
    clones();
    namespaces();
    say("ioctls: ok\n");
    return 0;
}
