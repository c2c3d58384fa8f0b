//! Rows: sockets.

use crate::syscall::{messages, net};

rows! {
    198 socket Full net (Flags(FAMILY), Flags(SOCKET), Int);
    199 socketpair Full net (Flags(FAMILY), Flags(SOCKET), Int, Out(Pair));
    200 bind Full net (Fd, In(Address), Int);
    201 listen Full net (Fd, Int);
    202 accept Full net (Fd, Out(AddressAt), Both(Number));
    203 connect Full net (Fd, In(Address), Int);
    204 getsockname Full net (Fd, Out(AddressAt), Both(Number));
    205 getpeername Full net (Fd, Out(AddressAt), Both(Number));
    206 sendto Full messages (Fd, Bytes, Size, Flags(MSG), In(Address), Int);
    207 recvfrom Full messages (Fd, Filled, Size, Flags(MSG), Out(AddressAt), Both(Number));
    208 setsockopt Full net (Fd, Flags(LEVEL), Int, Bytes, Int);
    209 getsockopt Full net (Fd, Flags(LEVEL), Int, Out(Number), Both(Number));
    210 shutdown Full net (Fd, Flags(SHUTDOWN));
    211 sendmsg Full messages (Fd, In(Message), Flags(MSG));
    212 recvmsg Full messages (Fd, Out(Message), Flags(MSG));
    242 accept4 Full net (Fd, Out(AddressAt), Both(Number), Flags(ACCEPT));
    243 recvmmsg Full messages (Fd, Ptr, Int, Flags(MSG), In(Timespec));
    269 sendmmsg Full messages (Fd, Ptr, Int, Flags(MSG));
}
