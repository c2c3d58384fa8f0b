//! Rows: asynchronous I/O. None of it is here, and none of it pretends to be: ENOSYS.

rows! {
    0 io_setup; // the host would put the ring of completions outside of guest memory
    1 io_destroy; // the host would put the ring of completions outside of guest memory
    2 io_submit; // the host would put the ring of completions outside of guest memory
    3 io_cancel; // the host would put the ring of completions outside of guest memory
    4 io_getevents; // the host would put the ring of completions outside of guest memory
    292 io_pgetevents; // the host would put the ring of completions outside of guest memory
    425 io_uring_setup; // the host would take guest addresses in its rings for its own
    426 io_uring_enter; // the host would take guest addresses in its rings for its own
    427 io_uring_register; // the host would take guest addresses in its rings for its own
}
