//! `elfuse binfmt print|install`: has the host's kernel run AArch64 programs by elfuse, for those who want that.
//!
//! A guest's own children need none of it: elfuse executes them itself. The registration has the flag `F`, so that it works
//! in containers and other roots, too; the guest's first argument is then the path of its program. Source:
//! `Documentation/admin-guide/binfmt-misc.rst` of Linux.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

/// Where the kernel takes registrations.
const REGISTER: &str = "/proc/sys/fs/binfmt_misc/register";

/// The first 20 bytes of a program: ELF, 64 bits, little endian, `ET_EXEC` (or `ET_DYN`, by the mask), `EM_AARCH64`.
const MAGIC: [u8; 20] = *b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xb7\0";
/// Which of their bits count: all but those of the system and of the last bit of the type.
const MASK: [u8; 20] = *b"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff";

/// Does what `binfmt` was asked for.
///
/// # Errors
/// One line that says what is wrong, and what to do.
pub(super) fn run(action: Option<&str>) -> Result<(), String> {
    let elfuse = std::env::current_exe().map_err(|error| format!("cannot find elfuse itself: {error}; mount /proc"))?;
    match action {
        Some("print") => super::printed(writeln!(std::io::stdout(), "{}", registration(&elfuse)?)),
        Some("install") => std::fs::write(REGISTER, registration(&elfuse)?).map_err(|error| {
            format!(
                "cannot write {REGISTER}: {error}; become root, `mount -t binfmt_misc none /proc/sys/fs/binfmt_misc`, and \
                 remove an older registration by `echo -1 > /proc/sys/fs/binfmt_misc/elfuse`"
            )
        }),
        Some(_) | None => Err("write `elfuse binfmt print` or `elfuse binfmt install`".to_owned()),
    }
}

/// The line that registers `elfuse`.
fn registration(elfuse: &Path) -> Result<String, String> {
    let path = elfuse.to_str().filter(|path| !path.contains(':'));
    let path = path.ok_or_else(|| {
        format!("{} cannot be registered: it has a colon or is no text; move elfuse elsewhere", elfuse.display())
    })?;
    Ok(format!(":elfuse:M::{}:{}:{path}:F", escaped(&MAGIC), escaped(&MASK)))
}

fn escaped(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _infallible = write!(text, "\\x{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the kernel would take a file that begins so.
    fn matches(start: &[u8]) -> bool {
        start.iter().zip(MAGIC).zip(MASK).all(|((byte, magic), mask)| byte & mask == magic & mask)
    }

    #[test]
    fn programs_of_aarch64_match_and_others_do_not() {
        let program = |kind: u8, machine: u8| {
            let mut start = MAGIC;
            (start[16], start[18]) = (kind, machine);
            start
        };
        assert!(matches(&program(2, 0xb7)) && matches(&program(3, 0xb7)));
        assert!(!matches(&program(2, 62)) && !matches(&program(1, 0xb7)) && !matches(b"#!/bin/sh -e\n       "));
    }

    #[test]
    fn the_registration_is_one_that_the_kernel_takes() {
        let line = registration(Path::new("/usr/bin/elfuse")).unwrap();
        assert!(line.starts_with(r":elfuse:M::\x7f\x45\x4c\x46\x02") && line.ends_with(":/usr/bin/elfuse:F"), "{line}");
        assert!(line.len() < 1920, "longer lines are refused");
        assert!(registration(Path::new("/a:b")).is_err());
        assert!(run(Some("remove")).is_err_and(|text| text.contains("binfmt print")));
    }
}
