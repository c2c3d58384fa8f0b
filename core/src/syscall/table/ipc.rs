//! Rows: System V and POSIX inter-process communication.

rows! {
    180 mq_open;
    181 mq_unlink;
    182 mq_timedsend;
    183 mq_timedreceive;
    184 mq_notify;
    185 mq_getsetattr;
    186 msgget;
    187 msgctl;
    188 msgrcv;
    189 msgsnd;
    190 semget;
    191 semctl;
    192 semtimedop;
    193 semop;
    194 shmget;
    195 shmctl;
    196 shmat;
    197 shmdt;
}
