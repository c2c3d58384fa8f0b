//! Descriptors that elfuse shares with other programs keep their flags, whatever waits on them: a shell whose terminal or
//! pipe were switched to `O_NONBLOCK` would fail with `EAGAIN` afterwards, and so would everybody else who has it open.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test may say so")]

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::pty::openpty;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
use nix::unistd::pipe2;

/// More than a pipe or a socket holds, so that the guest waits to write.
const MANY_BYTES: usize = 1 << 20;

/// Two ends, the test's first. No program but the guest gets the second, and none the first: its input would not end.
type Ends = (OwnedFd, OwnedFd);

fn flags(file: impl AsFd) -> OFlag {
    OFlag::from_bits_retain(fcntl(file, FcntlArg::F_GETFL).unwrap())
}

fn pipe_in() -> Ends {
    let (reader, writer) = pipe_out();
    (writer, reader)
}

fn pipe_out() -> Ends {
    pipe2(OFlag::O_CLOEXEC).unwrap()
}

fn sockets() -> Ends {
    socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC).unwrap()
}

fn terminal() -> Ends {
    let ends = openpty(None, None).unwrap();
    for end in [&ends.master, &ends.slave] {
        fcntl(end, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).unwrap();
    }
    let mut raw = tcgetattr(&ends.slave).unwrap();
    cfmakeraw(&mut raw);
    tcsetattr(&ends.slave, SetArg::TCSANOW, &raw).unwrap();
    (ends.master, ends.slave)
}

/// The guest's ends, until the guest has failed: then the test's ends are to see that nobody is there.
struct Shared(Mutex<Option<[OwnedFd; 2]>>, Mutex<Vec<OFlag>>);

impl Shared {
    /// Notes the flags that either end has now.
    fn look(&self) {
        let (ends, mut seen) = (self.0.lock().unwrap(), self.1.lock().unwrap());
        for flags in ends.iter().flatten().map(flags) {
            if !seen.contains(&flags) {
                seen.push(flags);
            }
        }
    }

    fn let_go(&self) {
        *self.0.lock().unwrap() = None;
    }
}

/// Has the guest relay between the ends; the answer is every set of flags that either shared end was seen with.
fn relay(how: &str, input: Ends, output: Ends) -> Vec<OFlag> {
    let ((to_guest, guest_input), (from_guest, guest_output)) = (input, output);
    let ends = [guest_input.try_clone().unwrap(), guest_output.try_clone().unwrap()];
    let shared = Shared(Mutex::new(Some(ends)), Mutex::default());
    shared.look();
    let mut command = Command::new(env!("CARGO_BIN_EXE_elfuse"));
    command.arg(guest_tests::verify("relay").unwrap()).arg(how);
    let mut guest = command.stdin(guest_input).stdout(guest_output).stderr(Stdio::inherit()).spawn().unwrap();
    drop(command);
    std::thread::scope(|scope| {
        let ended = scope.spawn(|| {
            let status = guest.wait().unwrap();
            shared.look();
            if !status.success() {
                shared.let_go();
            }
            status
        });
        // Somebody can read to the end: splice(2) looks for a reader before it sees that there is nothing more to move.
        let _from_guest = talk(how, File::from(to_guest), File::from(from_guest), &shared);
        assert!(ended.join().unwrap().success(), "{how}");
    });
    shared.1.into_inner().unwrap()
}

/// The answer is the end that the guest writes to.
fn talk(how: &str, mut to_guest: File, mut from_guest: File, shared: &Shared) -> File {
    // What has come back has been read: the guest waits for more, or is about to.
    for _ in 0..20 {
        to_guest.write_all(b"a message").unwrap();
        shared.look();
        let mut back = [0; 9];
        from_guest.read_exact(&mut back).unwrap();
        assert_eq!(&back, b"a message", "{how}");
        shared.look();
    }
    // And it waits to write until somebody reads.
    let writer = std::thread::spawn(move || {
        to_guest.write_all(&vec![7; MANY_BYTES]).unwrap();
        to_guest
    });
    let mut bytes = vec![0; MANY_BYTES];
    for part in bytes.chunks_mut(1 << 14) {
        shared.look();
        from_guest.read_exact(part).unwrap();
    }
    assert!(bytes.iter().all(|byte| *byte == 7), "{how}");
    // Not before: what a terminal still holds goes with its other side.
    drop(writer.join().unwrap());
    from_guest
}

#[test]
fn no_wait_changes_the_flags_of_a_shared_descriptor() {
    type Make = fn() -> Ends;
    let rows: [(&str, Make, Make); 8] = [
        ("read", pipe_in, pipe_out),
        ("vector", pipe_in, pipe_out),
        ("poll", pipe_in, pipe_out),
        ("splice", pipe_in, pipe_out),
        ("fork", pipe_in, pipe_out),
        ("read", sockets, sockets),
        ("socket", sockets, sockets),
        ("read", terminal, terminal),
    ];
    for (how, input, output) in rows {
        let (input, output) = (input(), output());
        let expected = [flags(&input.1), flags(&output.1)];
        let seen = relay(how, input, output);
        assert!(seen.iter().all(|flags| expected.contains(flags)), "{how}: {seen:?}, not only {expected:?}");
    }
}
