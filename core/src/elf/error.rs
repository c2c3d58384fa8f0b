//! [`LoadError`]: why a program cannot be started, as one line for people and as an errno for execve(2).

use std::io;
use std::path::{Path, PathBuf};

use crate::abi::Errno;
use crate::host::errno::{self, io_text};

/// Why a program cannot be started. The text is "what: why; what to do", without a prefix.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be opened or read.
    #[error("{}: {}; {}", path.display(), io_text(source), remedy(source))]
    Open {
        /// The file.
        path: PathBuf,
        /// The host's answer.
        source: io::Error,
    },
    /// The program that a script or a dynamic program needs cannot be opened.
    #[error("it needs the interpreter {}: {}; {}", path.display(), io_text(source), interpreter_remedy(path))]
    Interpreter {
        /// The interpreter.
        path: PathBuf,
        /// The host's answer.
        source: io::Error,
    },
    /// Not something that can be executed, by its type or permissions.
    #[error("{}: {why}; name an executable file", path.display())]
    NotExecutable {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        why: &'static str,
    },
    /// Neither ELF nor a script.
    #[error("not an ELF file; elfuse runs AArch64 Linux programs, and scripts that begin with `#!`")]
    NotElf,
    /// An ELF file of another kind of machine.
    #[error("an ELF file for {}; elfuse runs AArch64 Linux programs: {}", machine_name(*machine), machine_remedy(*machine))]
    WrongMachine {
        /// `e_machine`.
        machine: u16,
    },
    /// An ELF file that is no 64-bit little-endian program.
    #[error("an ELF file that is {0}; elfuse runs 64-bit little-endian executables")]
    WrongKind(&'static str),
    /// The file ends before what its headers promise.
    #[error("a truncated ELF file: {0} ends past the end of the file; fetch or build it again")]
    Truncated(&'static str),
    /// The headers contradict themselves.
    #[error("a damaged ELF file: {0}; build it again")]
    Malformed(&'static str),
    /// Scripts whose interpreters are scripts, and so on.
    #[error("scripts are nested too deep; name a program as the interpreter")]
    ScriptDepth,
    /// A `#!` line without a usable interpreter.
    #[error("a script with a bad first line; write `#!/path/of/interpreter`")]
    BadScript,
    /// Arguments and environment do not fit.
    #[error("arguments and environment are too long; shorten them or raise `ulimit -s`")]
    TooLong,
    /// The mappings cannot be made.
    #[error("cannot map {what}: {errno}; see that enough memory and address space are free")]
    Map {
        /// What was being mapped.
        what: &'static str,
        /// Why not.
        errno: Errno,
    },
}

impl LoadError {
    /// What execve(2) answers.
    #[must_use]
    pub fn errno(&self) -> Errno {
        match self {
            Self::Open { source, .. } | Self::Interpreter { source, .. } => errno::of(source),
            Self::NotExecutable { .. } => Errno::EACCES,
            Self::NotElf
            | Self::WrongMachine { .. }
            | Self::WrongKind(_)
            | Self::Truncated(_)
            | Self::Malformed(_)
            | Self::BadScript => Errno::ENOEXEC,
            Self::ScriptDepth => Errno::ELOOP,
            Self::TooLong => Errno::E2BIG,
            Self::Map { errno, .. } => *errno,
        }
    }
}

impl LoadError {
    /// The same about an interpreter that could not be opened.
    pub(super) fn of_interpreter(self, interpreter: &Path) -> Self {
        match self {
            Self::Open { source, .. } => Self::Interpreter { path: interpreter.to_owned(), source },
            other => other,
        }
    }
}

/// How the usual dynamic linkers, and other interpreters, are come by.
fn interpreter_remedy(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let package = if name.starts_with("ld-linux-aarch64") {
        "libc6:arm64"
    } else if name.starts_with("ld-musl-aarch64") {
        "musl:arm64"
    } else {
        return "install it, or name a system that has it with `--sysroot DIR`".to_owned();
    };
    format!("name an AArch64 system with `--sysroot DIR`, install Debian's {package}, or link the program statically")
}

/// What to do with a program for another machine.
fn machine_remedy(machine: u16) -> &'static str {
    use goblin::elf::header::{EM_AARCH64, EM_X86_64};
    let own = if cfg!(target_arch = "x86_64") { EM_X86_64 } else { EM_AARCH64 };
    if machine == own {
        "this host runs it without elfuse, and `--sysroot DIR` names a system that has it for AArch64"
    } else {
        "build it for aarch64"
    }
}

fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "check the path and `--sysroot`",
        io::ErrorKind::PermissionDenied => "check the permissions of the file and its directories",
        _other_kinds => "check the file",
    }
}

/// The name of an `e_machine`.
fn machine_name(machine: u16) -> String {
    use goblin::elf::header;
    let known = [
        (header::EM_X86_64, "x86-64"),
        (header::EM_386, "32-bit x86"),
        (header::EM_ARM, "32-bit Arm"),
        (header::EM_RISCV, "RISC-V"),
        (header::EM_PPC64, "64-bit PowerPC"),
        (header::EM_S390, "s390"),
        (header::EM_MIPS, "MIPS"),
    ];
    let name = known.iter().find(|(number, _)| *number == machine);
    name.map_or_else(|| format!("machine {machine}"), |(_, name)| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_one_line_that_says_what_to_do() {
        let missing = io::Error::from_raw_os_error(libc::ENOENT);
        let open = LoadError::Open { path: "/x".into(), source: missing };
        assert_eq!(open.errno(), Errno::ENOENT);
        let wrong = LoadError::WrongMachine { machine: 62 };
        assert!(wrong.to_string().contains("x86-64"));
        let interpreter = |name: &str| {
            let source = io::Error::from_raw_os_error(libc::ENOENT);
            LoadError::Open { path: "/x".into(), source }.of_interpreter(Path::new(name)).to_string()
        };
        assert!(interpreter("/lib/ld-linux-aarch64.so.1").contains("libc6:arm64"));
        assert!(interpreter("/bin/none").contains("--sysroot"));
        assert_eq!(wrong.errno(), Errno::ENOEXEC);
        for error in [open, wrong, LoadError::TooLong, LoadError::NotElf] {
            let text = error.to_string();
            assert!(text.contains(';') && !text.contains('\n'), "{text}");
        }
    }
}
