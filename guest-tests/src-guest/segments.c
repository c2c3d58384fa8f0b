// segments: System V shared memory: what is attached where, who sees what, and what becomes of segments that are removed.
//
// Sources: shmget(2), shmop(2), shmctl(2).

#include "rt.h"

enum { NR_shmget = 194, NR_shmctl = 195, NR_shmat = 196, NR_shmdt = 197, NR_getrandom = 278 };
enum { IPC_CREAT = 01000, IPC_EXCL = 02000, IPC_RMID = 0, IPC_STAT = 2, EEXIST = 17 };
enum { SHM_RDONLY = 010000, SHM_RND = 020000, SHM_REMAP = 040000 };
enum { PAGE = 4096, LEN = 3 * PAGE };

struct shmid_ds {
    u32 key, uid, gid, cuid, cgid, mode, seq_and_pad[2];
    u64 unused[2];
    u64 size, atime, dtime, ctime;
    s32 cpid, lpid;
    u64 nattch, unused_too[2];
};
_Static_assert(sizeof(struct shmid_ds) == 112, "struct shmid64_ds is 112 bytes");

static s32 id;

static u64 attachments(void) {
    struct shmid_ds ds;
    CHECK_EQ(sys3(NR_shmctl, id, IPC_STAT, &ds), 0);
    CHECK_EQ(ds.size, LEN - 5);
    CHECK_EQ(ds.cpid, getpid());
    return ds.nattch;
}

static void attaching(void) {
    CHECK_EQ(attachments(), 0);
    long at = sys3(NR_shmat, id, 0, 0);
    CHECK(at > 0);
    CHECK_EQ(at % PAGE, 0);
    CHECK_EQ(attachments(), 1);
    volatile u32 *first = (u32 *)at;
    CHECK_EQ(first[LEN / 4 - 1], 0);
    first[1] = 7;
    // A second view, read-only, of the same memory.
    long view = sys3(NR_shmat, id, 0, SHM_RDONLY);
    CHECK(view > 0 && view != at);
    CHECK_EQ(attachments(), 2);
    CHECK_EQ(((volatile u32 *)view)[1], 7);
    first[1] = 8;
    CHECK_EQ(((volatile u32 *)view)[1], 8);
    CHECK_EQ(sys3(NR_mprotect, view, PAGE, PROT_READ | PROT_WRITE), -EACCES);
    // A place that is taken, or none.
    CHECK_EQ(sys3(NR_shmat, id, view, 0), -EINVAL);
    CHECK_EQ(sys3(NR_shmat, id, view + 8, 0), -EINVAL);
    CHECK_EQ(sys3(NR_shmat, id, 0, SHM_REMAP), -EINVAL);
    CHECK_EQ(sys3(NR_shmat, id, view + 8, SHM_REMAP | SHM_RND), view);
    ((volatile u32 *)view)[1] = 9;
    CHECK_EQ(first[1], 9);
    CHECK_EQ(attachments(), 2);
    CHECK_EQ(sys1(NR_shmdt, view + PAGE), -EINVAL);
    CHECK_EQ(sys1(NR_shmdt, view), 0);
    CHECK_EQ(sys1(NR_shmdt, view), -EINVAL);
    CHECK_EQ(sys3(NR_shmat, id, view, 0), view);
    // What is left of one that was taken apart goes as a whole.
    CHECK_EQ(sys2(NR_munmap, view + PAGE, PAGE), 0);
    CHECK_EQ(((volatile u32 *)view)[1], 9);
    CHECK_EQ(sys1(NR_shmdt, view), 0);
    CHECK_EQ(attachments(), 1);
    CHECK_EQ(sys3(NR_mprotect, view + 2 * PAGE, PAGE, PROT_READ), -ENOMEM);
    CHECK_EQ(sys1(NR_shmdt, at), 0);
    CHECK_EQ(attachments(), 0);
}

/// A child has the attachments of its parent, also where one was taken apart, and they go when it ends.
static void inheriting(void) {
    s32 status = 0;
    long at = sys3(NR_shmat, id, 0, 0), view = sys3(NR_shmat, id, 0, SHM_RDONLY);
    CHECK(at > 0 && view > 0);
    volatile u32 *words = (u32 *)at;
    words[0] = 1, words[LEN / 4 - 2] = 3;
    CHECK_EQ(sys2(NR_munmap, view, PAGE), 0);
    s32 pid = rt_fork();
    if (pid == 0) {
        CHECK_EQ(words[0], 1);
        CHECK_EQ(((volatile u32 *)view)[LEN / 4 - 2], 3);
        words[LEN / 4 - 2] = 4;
        CHECK_EQ(((volatile u32 *)view)[LEN / 4 - 2], 4);
        STORE((u32 *)at, 2);
        while (LOAD((u32 *)at) == 2) sys6(NR_futex, (u64)at, FUTEX_WAIT, 2, 0, 0, 0);
        CHECK_EQ(sys1(NR_shmdt, view), 0);
        CHECK_EQ(sys1(NR_shmdt, at), 0);
        rt_exit_group(5);
    }
    while (LOAD((u32 *)at) != 2) sys0(NR_sched_yield);
    CHECK_EQ(words[LEN / 4 - 2], 4);
    STORE((u32 *)at, 3);
    CHECK(sys6(NR_futex, (u64)at, FUTEX_WAKE, 9, 0, 0, 0) >= 0);
    CHECK_EQ(sys4(NR_wait4, pid, &status, 0, 0), pid);
    CHECK_EQ(status, 5 << 8);
    CHECK_EQ(attachments(), 2);
    // Removed, it lives as long as it is attached, and can be attached again by who knows it.
    CHECK_EQ(sys3(NR_shmctl, id, IPC_RMID, 0), 0);
    CHECK_EQ(words[0], 3);
    long again = sys3(NR_shmat, id, 0, 0);
    CHECK(again > 0);
    CHECK_EQ(*(volatile u32 *)again, 3);
    CHECK_EQ(sys1(NR_shmdt, again), 0);
    CHECK_EQ(sys1(NR_shmdt, at), 0);
    CHECK_EQ(sys1(NR_shmdt, view), 0);
    CHECK_EQ(sys3(NR_shmat, id, 0, 0), -EINVAL);
}

int main(int argc, char **argv, char **envp) {
    (void)argc, (void)argv, (void)envp;
    rt_guard(60);
    // A key that nobody has: a run that was killed leaves its segment, and ids of processes come again.
    s32 key = 0;
    do {
        CHECK_EQ(sys3(NR_getrandom, &key, sizeof key, 0), sizeof key);
    } while (key == 0 || sys3(NR_shmget, key, 1, 0) != -ENOENT);
    CHECK_EQ(sys3(NR_shmget, key, LEN, 0), -ENOENT);
    id = (s32)sys3(NR_shmget, key, LEN - 5, IPC_CREAT | IPC_EXCL | 0600);
    CHECK(id >= 0);
    CHECK_EQ(sys3(NR_shmget, key, LEN, IPC_CREAT | IPC_EXCL | 0600), -EEXIST);
    CHECK_EQ(sys3(NR_shmget, key, LEN * 2, 0), -EINVAL);
    CHECK_EQ(sys3(NR_shmget, key, 1, 0), id);
    CHECK_EQ(sys3(NR_shmctl, id, 99, 0), -EINVAL);
    CHECK_EQ(sys3(NR_shmctl, id, IPC_STAT, 64), -EFAULT);
    attaching();
    inheriting();
    say("segments: ok\n");
    return 0;
}
