//! Rows: sockets.

use crate::syscall::{messages, net};

rows! {
    198 socket Full net (Int, Hex, Int);
    199 socketpair Full net (Int, Hex, Int, Ptr);
    200 bind Full net (Int, Ptr, Int);
    201 listen Full net (Int, Int);
    202 accept Full net (Int, Ptr, Ptr);
    203 connect Full net (Int, Ptr, Int);
    204 getsockname Full net (Int, Ptr, Ptr);
    205 getpeername Full net (Int, Ptr, Ptr);
    206 sendto Full messages (Int, Bytes, Size, Hex, Ptr, Int);
    207 recvfrom Full messages (Int, Ptr, Size, Hex, Ptr, Ptr);
    208 setsockopt Full net (Int, Int, Int, Ptr, Int);
    209 getsockopt Full net (Int, Int, Int, Ptr, Ptr);
    210 shutdown Full net (Int, Int);
    211 sendmsg Full messages (Int, Ptr, Hex);
    212 recvmsg Full messages (Int, Ptr, Hex);
    242 accept4 Full net (Int, Ptr, Ptr, Hex);
    243 recvmmsg Full messages (Int, Ptr, Int, Hex, Ptr);
    269 sendmmsg Full messages (Int, Ptr, Int, Hex);
}
