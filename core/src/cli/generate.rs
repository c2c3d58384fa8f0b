//! `elfuse --generate KIND DIR`: the manual page and the completions of shells, from the definition of the command line.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::{Generator as _, Shell};

use super::Cli;

/// Writes `what` (`man`, or the name of a shell) into `directory`, under the name that the system expects.
///
/// # Errors
/// One line that says what is wrong, and what to do.
pub(super) fn write(what: &str, directory: &Path) -> Result<(), String> {
    let mut command = Cli::command();
    let shell = match what {
        "man" => None,
        "bash" => Some(Shell::Bash),
        "zsh" => Some(Shell::Zsh),
        "fish" => Some(Shell::Fish),
        other => return Err(format!("{other:?} cannot be generated; write man, bash, zsh or fish")),
    };
    let name = shell.map_or_else(|| "elfuse.1".to_owned(), |shell| shell.file_name("elfuse"));
    let path = directory.join(name);
    let cannot = |error: io::Error| format!("cannot write {}: {error}; name a directory", path.display());
    let mut file = File::create(&path).map_err(cannot)?;
    match shell {
        None => manual(command, &mut file),
        Some(shell) => {
            command.set_bin_name("elfuse");
            command.build();
            shell.try_generate(&command, &mut file)
        }
    }
    .map_err(cannot)
}

/// The manual page: what clap knows, then the sections behind the options, whose lines are laid out already.
fn manual(command: clap::Command, page: &mut impl Write) -> io::Result<()> {
    let known = clap_mangen::Man::new(command);
    known.render_title(page)?;
    known.render_name_section(page)?;
    known.render_synopsis_section(page)?;
    known.render_description_section(page)?;
    known.render_options_section(page)?;
    for (heading, text) in super::SECTIONS {
        writeln!(page, ".SH \"{}\"\n.nf", heading.to_uppercase())?;
        for line in text.lines() {
            // Behind `\&` no line is a request.
            writeln!(page, "\\&{}", line.replace('\\', "\\e").replace('-', "\\-"))?;
        }
        writeln!(page, ".fi")?;
    }
    known.render_version_section(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_packagers_install_is_generated() {
        let directory = tempfile::tempdir().unwrap();
        for (what, name, part) in [
            ("man", "elfuse.1", ".TH elfuse"),
            ("man", "elfuse.1", ".SH \"EXIT STATUS\""),
            ("man", "elfuse.1", "ELFUSE_TIMEOUT"),
            ("bash", "elfuse.bash", "--trace-file"),
            ("zsh", "_elfuse", "--sysroot"),
            ("fish", "elfuse.fish", "-l sysroot"),
        ] {
            write(what, directory.path()).unwrap();
            let text = std::fs::read_to_string(directory.path().join(name)).unwrap();
            assert!(text.contains(part), "{part} in {text}");
            assert!(!text.contains("fork-child") || what != "man", "what is hidden stays hidden");
        }
        assert!(write("csh", directory.path()).is_err());
        assert!(write("man", &directory.path().join("missing")).is_err_and(|text| text.contains("elfuse.1")));
    }
}
