//! Rows: System V and POSIX inter-process communication.

use crate::syscall::{mq, sysv};

rows! {
    180 mq_open Full mq (Str, Flags(OPEN), Octal, Ptr);
    181 mq_unlink Full mq (Str);
    182 mq_timedsend Full mq (Fd, Bytes, Size, Int, In(Timespec));
    183 mq_timedreceive Full mq (Fd, Filled, Size, Out(Number), In(Timespec));
    184 mq_notify Full mq (Fd, Ptr);
    185 mq_getsetattr Full mq (Fd, Ptr, Ptr);
    186 msgget Full sysv (Hex, Flags(IPC));
    187 msgctl Full sysv (Int, Int, Ptr);
    188 msgrcv Full sysv (Int, Ptr, Size, Long, Hex);
    189 msgsnd Full sysv (Int, Ptr, Size, Flags(IPC));
    190 semget Full sysv (Hex, Int, Flags(IPC));
    191 semctl Full sysv (Int, Int, Int, Hex);
    192 semtimedop Full sysv (Int, Ptr, Size, In(Timespec));
    193 semop Full sysv (Int, Ptr, Size);
    194 shmget Full sysv (Hex, Size, Hex);
    195 shmctl Full sysv (Int, Int, Ptr);
    196 shmat Full sysv (Int, Ptr, Hex);
    197 shmdt Full sysv (Ptr);
}
