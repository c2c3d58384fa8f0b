//! A thread by pthread_create(3): [`start`] and [`Handle`]. For [`super::thread::spawn`] alone.
//!
//! The standard library's threads take a lock of their own when they begin and when they end (for the report of stack
//! overflows). A fork in such a moment leaves it taken in the child for ever, and the child's first thread would never begin.
//! What the C library takes, its fork sees to.
//!
//! Sources: pthread_create(3), pthread_attr_setstacksize(3), pthread_setname_np(3), fork(2).

#![expect(unsafe_code, reason = "threads whose making and end take no lock of the runtime have no safe form")]

use std::ffi::{CString, c_void};
use std::io;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Result;

/// The stack of a thread, in bytes.
const STACK_BYTES: usize = 2 << 20;
/// Longest name that a host takes, in bytes.
const NAME_BYTES: usize = 15;

/// A thread that was started. Dropping this lets it go on by itself.
#[derive(Debug)]
pub struct Handle<T> {
    thread: libc::pthread_t,
    is_joined: bool,
    result: Arc<Mutex<Option<Result<T>>>>,
}

// SAFETY: a pthread_t may be used by any thread; Linux has a number for it, macOS a pointer.
unsafe impl<T: Send> Send for Handle<T> {}
// SAFETY: as above, and nothing is done by a shared reference.
unsafe impl<T: Send> Sync for Handle<T> {}

impl<T> Handle<T> {
    /// True when the thread has done its work.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.result.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Waits for the end of the thread; an error is what it panicked with.
    ///
    /// # Errors
    /// See above.
    pub fn join(mut self) -> Result<T> {
        self.is_joined = true;
        // SAFETY: the thread is neither joined nor detached yet, and `self` is gone after this.
        unsafe { libc::pthread_join(self.thread, std::ptr::null_mut()) };
        let result = self.result.lock().unwrap_or_else(PoisonError::into_inner).take();
        result.unwrap_or_else(|| Err(Box::new("the thread ended without a result")))
    }
}

impl<T> Drop for Handle<T> {
    fn drop(&mut self) {
        if !self.is_joined {
            // SAFETY: the thread is neither joined nor detached yet.
            unsafe { libc::pthread_detach(self.thread) };
        }
    }
}

type Body = Box<dyn FnOnce() + Send>;

/// Starts a thread; the first 15 bytes of its name count.
///
/// # Errors
/// The host's, mostly `EAGAIN`.
pub fn start<T: Send + 'static>(name: &str, body: impl FnOnce() -> T + Send + 'static) -> io::Result<Handle<T>> {
    let name = CString::new(&name.as_bytes()[..name.floor_char_boundary(NAME_BYTES)]).unwrap_or_default();
    let result = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&result);
    let body: Body = Box::new(move || {
        set_name(&name);
        let ended = catch_unwind(AssertUnwindSafe(body));
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(ended);
    });
    let thread = create(Box::new(body))?;
    Ok(Handle { thread, is_joined: false, result })
}

fn create(body: Box<Body>) -> io::Result<libc::pthread_t> {
    let mut attributes = MaybeUninit::uninit();
    let mut thread = MaybeUninit::uninit();
    let argument = Box::into_raw(body);
    // SAFETY: 1. the attributes are initialised before they are used, and destroyed once; 2. `begin` takes the argument over
    // if the thread was made, and nobody else uses it then.
    let error = unsafe {
        let attributes: *mut libc::pthread_attr_t = attributes.as_mut_ptr();
        let mut error = libc::pthread_attr_init(attributes);
        if error == 0 {
            error = libc::pthread_attr_setstacksize(attributes, STACK_BYTES);
            if error == 0 {
                error = libc::pthread_create(thread.as_mut_ptr(), attributes, begin, argument.cast());
            }
            libc::pthread_attr_destroy(attributes);
        }
        error
    };
    if error != 0 {
        // SAFETY: no thread was made that could own it.
        drop(unsafe { Box::from_raw(argument) });
        return Err(io::Error::from_raw_os_error(error));
    }
    // SAFETY: pthread_create(3) has written it.
    Ok(unsafe { thread.assume_init() })
}

extern "C" fn begin(argument: *mut c_void) -> *mut c_void {
    // SAFETY: `create` made it from a box of this type and has let go of it.
    let body = unsafe { Box::from_raw(argument.cast::<Body>()) };
    body();
    std::ptr::null_mut()
}

fn set_name(name: &CString) {
    #[cfg(target_os = "linux")]
    // SAFETY: the string ends with a zero byte.
    unsafe {
        libc::pthread_setname_np(libc::pthread_self(), name.as_ptr());
    }
    #[cfg(target_os = "macos")]
    // SAFETY: the string ends with a zero byte.
    unsafe {
        libc::pthread_setname_np(name.as_ptr());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_panics_and_names_come_back() {
        let named = start("a-name-that-is-much-too-long", || std::fs::read_to_string("/proc/thread-self/comm"));
        let name = named.unwrap().join().unwrap();
        if cfg!(target_os = "linux") {
            assert_eq!(name.unwrap(), "a-name-that-is-\n");
        }
        let panicked = start("panics", || std::panic::resume_unwind(Box::new(7))).unwrap().join();
        assert_eq!(panicked.unwrap_err().downcast_ref::<i32>(), Some(&7));
    }

    #[test]
    fn a_thread_that_is_let_go_runs_on() {
        let (sender, receiver) = std::sync::mpsc::channel();
        drop(start("let-go", move || sender.send(3)).unwrap());
        assert_eq!(receiver.recv(), Ok(3));
    }
}
