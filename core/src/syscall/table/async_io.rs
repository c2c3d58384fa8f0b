//! Rows: asynchronous I/O. None of it is here, and none of it pretends to be: ENOSYS.

rows! {
    0 io_setup;
    1 io_destroy;
    2 io_submit;
    3 io_cancel;
    4 io_getevents;
    292 io_pgetevents;
    425 io_uring_setup;
    426 io_uring_enter;
    427 io_uring_register;
}
