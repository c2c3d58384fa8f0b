//! Rows: System V and POSIX inter-process communication.

use crate::syscall::{mq, sysv};

rows! {
    180 mq_open Full mq (Str, Hex, Octal, Ptr);
    181 mq_unlink Full mq (Str);
    182 mq_timedsend Full mq (Int, Bytes, Size, Int, Ptr);
    183 mq_timedreceive Full mq (Int, Ptr, Size, Ptr, Ptr);
    184 mq_notify Full mq (Int, Ptr);
    185 mq_getsetattr Full mq (Int, Ptr, Ptr);
    186 msgget Full sysv (Hex, Hex);
    187 msgctl Full sysv (Int, Int, Ptr);
    188 msgrcv Full sysv (Int, Ptr, Size, Long, Hex);
    189 msgsnd Full sysv (Int, Ptr, Size, Hex);
    190 semget Full sysv (Hex, Int, Hex);
    191 semctl Full sysv (Int, Int, Int, Hex);
    192 semtimedop Full sysv (Int, Ptr, Size, Ptr);
    193 semop Full sysv (Int, Ptr, Size);
    194 shmget Full sysv (Hex, Size, Hex);
    195 shmctl Full sysv (Int, Int, Ptr);
    196 shmat Full sysv (Int, Ptr, Hex);
    197 shmdt Full sysv (Ptr);
}
