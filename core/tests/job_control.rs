//! Job control as somebody at a terminal sees it: a guest shell with guest jobs on a pseudo terminal that this test types
//! on, and a guest that a program of the host stops and continues.
//!
//! Sources: pty(7), credentials(7), wait(2).

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may say so")]

use std::io::{BufRead, BufReader};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::openpty;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// Nothing here takes longer than a part of this on a busy machine.
const LIMIT_MS: u16 = 60_000;

/// A program that leads a session on a pseudo terminal, and the terminal's other end.
struct Terminal {
    master: OwnedFd,
    leader: Child,
    /// What was printed and not yet expected.
    screen: String,
}

impl Terminal {
    fn start(mut command: Command) -> Self {
        let pty = openpty(None, None).unwrap();
        let mut modes = tcgetattr(&pty.slave).unwrap();
        modes.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(&pty.slave, SetArg::TCSANOW, &modes).unwrap();
        for stream in [&pty.master, &pty.slave] {
            let close = nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::FD_CLOEXEC);
            nix::fcntl::fcntl(stream, close).unwrap();
        }
        let end = || Stdio::from(pty.slave.try_clone().unwrap());
        command.stdin(end()).stdout(end()).stderr(end());
        // SAFETY: the child calls only setsid(2) and ioctl(2), which are async-signal-safe.
        #[expect(unsafe_code, reason = "a new session is made between fork and exec")]
        unsafe {
            command.pre_exec(|| {
                nix::unistd::setsid()?;
                // The standard input is the slave by now.
                if libc::ioctl(0, libc::TIOCSCTTY as libc::c_ulong, 0) < 0 {
                    Err(std::io::Error::last_os_error())
                } else {
                    Ok(())
                }
            });
        }
        let leader = command.spawn().unwrap();
        Self { master: pty.master, leader, screen: String::new() }
    }

    fn type_in(&self, text: &str) {
        nix::unistd::write(&self.master, text.as_bytes()).unwrap();
    }

    /// Reads until the line `wanted` is on the screen, and takes it off.
    fn expect(&mut self, wanted: &str) {
        let line = format!("{wanted}\r\n");
        loop {
            if let Some(at) = self.screen.find(&line) {
                self.screen.replace_range(at..at + line.len(), "");
                return;
            }
            let mut ready = [PollFd::new(self.master.as_fd(), PollFlags::POLLIN)];
            let count = poll(&mut ready, PollTimeout::from(LIMIT_MS)).unwrap();
            assert!(count > 0, "waited for {wanted:?}, saw {:?}", self.screen);
            let mut bytes = [0; 512];
            let len = nix::unistd::read(&self.master, &mut bytes)
                .unwrap_or_else(|errno| panic!("{errno} while waiting for {wanted:?}, saw {:?}", self.screen));
            self.screen.push_str(&String::from_utf8_lossy(&bytes[..len]));
        }
    }

    /// Hangs up and waits for the leader's end.
    fn hang_up(mut self) -> std::process::ExitStatus {
        drop(self.master);
        self.leader.wait().unwrap()
    }
}

fn elfuse(program: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_elfuse"));
    command.arg("--").arg(guest_tests::verify(program).unwrap());
    command
}

#[test]
fn a_guest_shell_stops_and_continues_its_jobs() {
    let mut terminal = Terminal::start(elfuse("job-shell"));
    // A pipeline in the foreground, stopped by the key and continued.
    terminal.expect("HEAD");
    terminal.type_in("one\n");
    terminal.expect("PIPED one");
    terminal.type_in("\x1a");
    terminal.expect("STOPPED 20 20");
    terminal.type_in("fg\n");
    terminal.expect("CONTINUED");
    terminal.type_in("two\n");
    terminal.expect("PIPED two");
    terminal.type_in("quit\n");
    terminal.expect("ENDED 0 0");
    // A background reader stops by SIGTTIN, and reads once it is in the foreground.
    terminal.expect("READER 21");
    terminal.type_in("data\n");
    terminal.expect("READ data");
    // A background writer stops by SIGTTOU where the terminal says so, unless it ignores that; a change always stops it.
    terminal.expect("WRITER 22");
    terminal.expect("IGNORANT");
    terminal.expect("WRITTEN");
    terminal.expect("CHANGER 22");
    // Nobody could continue an orphan: it reads EIO.
    terminal.expect("ORPHAN -5");
    terminal.expect("READY");
    let status = terminal.hang_up();
    assert_eq!(status.code(), Some(7), "SIGHUP reached no handler: {status}");
}

#[test]
fn a_guest_stops_and_continues_for_a_parent_of_the_host() {
    let mut command = elfuse("endless");
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let pid = Pid::from_raw(child.id().cast_signed());
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "endless: begin\n");
    for signal in [Signal::SIGTSTP, Signal::SIGSTOP, Signal::SIGTTIN, Signal::SIGTTOU] {
        killpg(pid, signal).unwrap();
        assert_eq!(waitpid(pid, Some(WaitPidFlag::WUNTRACED)), Ok(WaitStatus::Stopped(pid, signal)));
        kill(pid, Signal::SIGCONT).unwrap();
        assert_eq!(waitpid(pid, Some(WaitPidFlag::WCONTINUED)), Ok(WaitStatus::Continued(pid)));
    }
    kill(pid, Signal::SIGTERM).unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(libc::SIGTERM));
}
