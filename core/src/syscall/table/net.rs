//! Rows: sockets.

rows! {
    198 socket;
    199 socketpair;
    200 bind;
    201 listen;
    202 accept;
    203 connect;
    204 getsockname;
    205 getpeername;
    206 sendto;
    207 recvfrom;
    208 setsockopt;
    209 getsockopt;
    210 shutdown;
    211 sendmsg;
    212 recvmsg;
    242 accept4;
    243 recvmmsg;
    269 sendmmsg;
}
