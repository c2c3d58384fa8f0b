//! The command line: [`Cli`], what `--version` says, and the exit statuses that are elfuse's own.
//!
//! [`main`] is the command: it parses, `run` acts on the result. Messages have one form, [`report_error`].

mod binfmt;
mod generate;

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::builder::Resettable;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, ValueHint};

use crate::fs::RootConfig;
use crate::host::errno::io_text;
use crate::host::signal::HostSignalState;
use crate::kernel::fd_table::open_host_fds;
use crate::kernel::process::{ForkWay, Options};
use crate::soft::a64::{CpuModel, CpuModelError};
use crate::syscall::tracing;
use crate::trace::{self, Filter, Format};

/// Exit status: elfuse itself could not start, or the hypervisor interface failed.
pub const EXIT_FAILURE: u8 = 1;
/// Exit status: the watchdog ended a run.
pub const EXIT_TIMEOUT: u8 = 124;
/// Exit status: an unexpected vCPU exit or another crash of elfuse.
pub const EXIT_CRASH: u8 = 128;

const USAGE: &str = "elfuse [OPTIONS] [--] PROGRAM [ARGUMENT]...
       elfuse binfmt print|install";

const EXAMPLES: &str = "\
elfuse ./hello                        run a guest
elfuse --timeout 2.5 ./guest a b      end a run of guest code that takes longer than 2.5 s
elfuse --trace -- ls -l               show its system calls on standard error
elfuse --trace=%file,path=/etc ./guest
                                      only those about files below /etc
elfuse --trace=%network --trace-format json --trace-file t.json ./guest
                                      those about sockets, as JSON lines in a file
elfuse --sysroot /opt/arm64 python3   run a program of an AArch64 Linux system
elfuse --clear-env -E HOME=/ ./guest  run it with one environment variable
elfuse binfmt install                 have the kernel run AArch64 programs by elfuse
                                      (a program of that name is run as ./binfmt)
elfuse --generate man .               write elfuse.1 (bash, zsh, fish: completions)";

const STATUSES: &str = "\
any  the guest's own; death by a signal is death by that signal
124  the watchdog (--timeout) ended a run
128  an unexpected vCPU exit or another crash; the crash report says which
1    elfuse could not start the program, or the hypervisor interface failed
A guest may exit with 124, 128 or 1 too: the record of --crash-json exists only where
the status is elfuse's.";

const VARIABLES: &str = "\
Every option can be given by the variable that stands with it. ELFUSE_SIGNAL_DIR names
the directory of the files by which signals travel between processes (default: /tmp, or
/dev/shm where only that is in memory).";

/// What stands behind the options, as help and manual page show it: a heading, and lines that are laid out already.
const SECTIONS: [(&str, &str); 3] = [("Examples", EXAMPLES), ("Exit status", STATUSES), ("Environment", VARIABLES)];

fn after_help() -> String {
    let indented = |text: &str| text.lines().map(|line| format!("  {line}\n")).collect::<String>();
    SECTIONS.map(|(heading, text)| format!("{heading}:\n{}", indented(text))).join("\n")
}

const FILES: &str = "Files of the guest";
const PROCESS: &str = "Arguments and environment of the guest";
const MACHINE: &str = "The guest's machine";
const LOOKING: &str = "Limits, traces and records";

/// Runs AArch64 Linux programs in user mode.
#[derive(Parser, Clone, Debug)]
#[command(name = "elfuse", version = version(), about, override_usage = USAGE, after_help = after_help())]
pub struct Cli {
    /// End the process when one uninterrupted run of guest code takes longer than SECONDS; 0 is off
    #[arg(long, value_name = "SECONDS", env = "ELFUSE_TIMEOUT", default_value = "0", value_parser = parse_seconds,
        allow_negative_numbers = true, help_heading = LOOKING)]
    timeout: Duration,

    /// Show system calls and signals: all, or those of FILTER, a list between commas of names, %CLASS (file, desc, process,
    /// signal, network, memory, ipc, time, futex, system, async_io), !NAME, path=PATH, fd=N, failed, signal=NAME
    #[arg(long, value_name = "FILTER", env = "ELFUSE_TRACE", num_args = 0..=1, require_equals = true,
        default_missing_value = "all", value_parser = parse_filter, help_heading = LOOKING)]
    trace: Option<Filter>,

    /// The same as --trace
    #[arg(short, long, env = "ELFUSE_VERBOSE", value_parser = clap::builder::BoolishValueParser::new(), help_heading = LOOKING)]
    verbose: bool,

    /// Write the trace to FILE instead of standard error; it replaces what FILE had
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, env = "ELFUSE_TRACE_FILE", help_heading = LOOKING)]
    trace_file: Option<PathBuf>,

    /// Write the trace as text, or as one JSON object a line
    #[arg(long, value_name = "FORMAT", env = "ELFUSE_TRACE_FORMAT", default_value = "text", help_heading = LOOKING)]
    trace_format: TraceFormat,

    /// Count exits and kicks in FILE, shared by all processes of the run
    #[arg(long, value_name = "FILE", env = "ELFUSE_STATS", help_heading = LOOKING)]
    stats: Option<PathBuf>,

    /// Append crash records to FILE, one JSON object a line
    #[arg(long, value_name = "FILE", env = "ELFUSE_CRASH_JSON", help_heading = LOOKING)]
    crash_json: Option<PathBuf>,

    /// Give the guest the CPU NAME: a53, a72, n1, v1 (without SVE) or max, with features switched on or off
    #[arg(long, value_name = "NAME[,FEATURE=on|off]...", env = "ELFUSE_CPU", value_parser = parse_cpu, help_heading = MACHINE)]
    cpu: Option<String>,

    /// Make fork children by a host fork, where the back end allows it, or by starting elfuse anew
    #[arg(long, value_name = "WAY", env = "ELFUSE_FORK", default_value = "host", help_heading = MACHINE)]
    fork: ForkWay,

    /// Set an environment variable of the guest (repeatable)
    #[arg(short = 'E', long = "env", value_name = "NAME=VALUE", env = "ELFUSE_ENV", hide_env_values = true, help_heading = PROCESS, value_parser = clap::builder::ValueParser::new(parse_variable))]
    env: Vec<OsString>,

    /// Start with an empty environment
    #[arg(long, env = "ELFUSE_CLEAR_ENV", value_parser = clap::builder::BoolishValueParser::new(), help_heading = PROCESS)]
    clear_env: bool,

    /// Let DIR be the guest's `/`; what is missing there comes from the host
    #[arg(
        short = 'L',
        long,
        value_name = "DIR",
        value_hint = ValueHint::DirPath,
        env = "ELFUSE_SYSROOT",
        hide_env_values = true,
        overrides_with = "sysroot",
        help_heading = FILES
    )]
    sysroot: Option<PathBuf>,

    /// Show the host's file or directory HOST as GUEST (repeatable)
    #[arg(long, value_name = "HOST:GUEST", env = "ELFUSE_BIND", help_heading = FILES, value_parser = clap::builder::ValueParser::new(parse_bind))]
    bind: Vec<(PathBuf, PathBuf)>,

    /// Start in this directory of the guest
    #[arg(long, value_name = "DIR", env = "ELFUSE_WORKDIR", help_heading = FILES)]
    workdir: Option<PathBuf>,

    /// Let uname show this kernel release
    #[arg(short = 'r', long, value_name = "RELEASE", env = "ELFUSE_RELEASE", help_heading = MACHINE, value_parser = clap::builder::ValueParser::new(parse_release))]
    release: Option<String>,

    /// Give the guest NAME as its first argument instead of PROGRAM
    #[arg(short = '0', long, value_name = "NAME", env = "ELFUSE_ARGV0", allow_hyphen_values = true, help_heading = PROCESS)]
    argv0: Option<OsString>,

    /// Write the manual page (man) or the completions of a shell into the directory DIR
    #[arg(long, value_names = ["man|bash|zsh|fish", "DIR"], num_args = 2)]
    generate: Option<Vec<String>>,

    /// Take over a forked guest from this descriptor (elfuse uses it itself)
    #[arg(long, value_name = "FD", hide = true, conflicts_with = "program")]
    fork_child: Option<i32>,

    /// The program and its arguments
    #[arg(value_name = "PROGRAM", value_hint = ValueHint::CommandWithArguments, required_unless_present_any = ["fork_child", "generate"], trailing_var_arg = true)]
    program: Vec<OsString>,
}

/// A guest program as the command line names it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GuestCommand {
    /// The file: a path, or a name to be looked up in `PATH`.
    pub path: PathBuf,
    /// The argument vector, with the name at its start.
    pub args: Vec<Vec<u8>>,
    /// The environment.
    pub env: Vec<Vec<u8>>,
}

impl Cli {
    /// Parses the command line of this process.
    ///
    /// # Errors
    /// The exit status where there is nothing to run: 0 after `--help` and `--version`, [`EXIT_FAILURE`] after a mistake,
    /// which has been reported.
    pub fn from_command_line() -> Result<Self, ExitCode> {
        // A variable that is empty is none.
        let command = Self::command().mut_args(|arg| {
            let is_empty = arg.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
            if is_empty { arg.env(Resettable::Reset) } else { arg }
        });
        command.try_get_matches().and_then(|matches| Self::from_arg_matches(&matches)).map_err(|error| {
            if error.use_stderr() {
                report_error("command line", usage_text(&error));
                return ExitCode::from(EXIT_FAILURE);
            }
            exit_code(printed(error.print()).map_err(|why| ("standard output", why)))
        })
    }

    /// The options that outlive start-up and go to fork children.
    #[must_use]
    pub fn options(&self) -> Options {
        Options {
            timeout_ns: u64::try_from(self.timeout.as_nanos()).ok().filter(|timeout_ns| *timeout_ns != 0),
            trace: self.trace_config().map(Arc::new),
            crash_json: self.crash_json.as_deref().map(absolute),
            stats: self.stats.as_deref().map(absolute),
            cpu: self.cpu.clone(),
            root: RootConfig {
                sysroot: self.sysroot.as_deref().map(absolute),
                is_confined: false,
                binds: self.bind.iter().map(|(host, guest)| (absolute(host), guest.clone())).collect(),
            },
            release: self.release.clone(),
            fork_way: self.fork,
        }
    }

    fn trace_config(&self) -> Option<trace::Config> {
        let filter = self.trace.clone().or_else(|| self.verbose.then(Filter::default))?;
        let TraceFormat(format) = self.trace_format;
        Some(trace::Config { filter, file: self.trace_file.as_deref().map(absolute), format })
    }

    /// Does what needs no guest, where the command line asks for that; an error says what failed, and why.
    fn without_guest(&self) -> Option<Result<(), (&'static str, String)>> {
        if let Some([what, directory]) = self.generate.as_deref() {
            return Some(generate::write(what, Path::new(directory)).map_err(|why| ("--generate", why)));
        }
        match self.program.as_slice() {
            [name] if name == "binfmt" => Some(binfmt::run(None).map_err(|why| ("binfmt", why))),
            [name, action] if name == "binfmt" => Some(binfmt::run(action.to_str()).map_err(|why| ("binfmt", why))),
            _a_guest => None,
        }
    }

    /// Where the guest starts, as it names the directory.
    #[must_use]
    pub fn workdir(&self) -> Option<&Path> {
        self.workdir.as_deref()
    }

    /// The descriptor of a fork image, in a process that elfuse started as a fork child.
    #[must_use]
    pub const fn fork_child(&self) -> Option<i32> {
        self.fork_child
    }

    /// What to run, with `inherited` as the environment of elfuse itself. `None` in a fork child.
    #[must_use]
    pub fn guest_command(&self, inherited: impl Iterator<Item = (OsString, OsString)>) -> Option<GuestCommand> {
        use std::os::unix::ffi::OsStrExt;
        let path = self.program.first()?;
        let name = self.argv0.as_ref().unwrap_or(path);
        let args = std::iter::once(name).chain(&self.program[1..]);
        let kept = inherited.filter(|_| !self.clear_env).filter(|(name, _)| {
            let is_set_again = |variable: &OsString| {
                variable.as_bytes().strip_prefix(name.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'='))
            };
            !self.env.iter().any(is_set_again)
        });
        let kept = kept.map(|(name, value)| [name.as_bytes(), b"=", value.as_bytes()].concat());
        Some(GuestCommand {
            path: path.into(),
            args: args.map(|arg| arg.as_bytes().to_vec()).collect(),
            env: kept.chain(self.env.iter().map(|variable| variable.as_bytes().to_vec())).collect(),
        })
    }
}

/// The format of the trace, as the command line names it.
#[derive(Clone, Copy, Debug)]
struct TraceFormat(Format);

impl clap::ValueEnum for TraceFormat {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self(Format::Text), Self(Format::Json)]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(match self.0 {
            Format::Text => "text",
            Format::Json => "json",
        }))
    }
}

impl clap::ValueEnum for ForkWay {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Host, Self::Spawn]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(match self {
            Self::Host => "host",
            Self::Spawn => "spawn",
        }))
    }
}

/// The whole command elfuse: parses the command line of this process and hands over to `run`.
#[must_use]
pub fn main() -> ExitCode {
    // First of all: descriptors that elfuse opens itself are none that the guest inherits.
    let inherited = open_host_fds();
    let cli = match Cli::from_command_line() {
        Ok(cli) => cli,
        Err(status) => return status,
    };
    if let Some(done) = cli.without_guest() {
        return exit_code(done);
    }
    match inherited {
        Ok(inherited) => crate::run::start(&cli, &inherited),
        Err(errno) => {
            report_error("cannot list open descriptors", format_args!("{errno}; see that /proc is mounted"));
            ExitCode::from(EXIT_FAILURE)
        }
    }
}

/// Success, or [`EXIT_FAILURE`] after a word about what failed.
fn exit_code(done: Result<(), (&str, String)>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err((what, why)) => {
            report_error(what, why);
            ExitCode::from(EXIT_FAILURE)
        }
    }
}

/// What became of text for standard output, which Rust's runtime replaces where it is closed.
fn printed(result: io::Result<()>) -> Result<(), String> {
    let [_, is_open, _] = HostSignalState::capture().standard_open;
    match result {
        _lost if !is_open => Err("it is closed; redirect it to a file".to_owned()),
        // Whoever read it has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|error| format!("{}; redirect it to a file with room", io_text(&error))),
    }
}

/// A path that means the same to a fork child of a guest that has changed its working directory.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The first paragraph of clap's message, and where to read on.
fn usage_text(error: &clap::Error) -> String {
    let text = error.to_string();
    let paragraph = text.split("\n\n").next().unwrap_or(&text);
    let words: Vec<_> = paragraph.trim_start_matches("error: ").split_whitespace().collect();
    format!("{}; see `elfuse --help`", words.join(" "))
}

fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds; write for example 2.5".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|_| "not a length of time; write 0 or more seconds".to_owned())
}

fn parse_filter(text: &str) -> Result<Filter, String> {
    Filter::parse(text, tracing::numbers_of)
}

fn parse_cpu(text: &str) -> Result<String, CpuModelError> {
    text.parse().map(|_: CpuModel| text.to_owned())
}

fn parse_variable(text: &str) -> Result<OsString, String> {
    match text.split_once('=') {
        Some((name, _)) if !name.is_empty() => Ok(text.into()),
        Some(_) | None => Err("not a variable; write NAME=VALUE".to_owned()),
    }
}

fn parse_bind(text: &str) -> Result<(PathBuf, PathBuf), String> {
    match text.rsplit_once(':') {
        Some((host, guest)) if !host.is_empty() && guest.starts_with('/') => Ok((host.into(), guest.into())),
        Some(_) | None => Err("not a bind; write HOST:GUEST, GUEST an absolute path".to_owned()),
    }
}

/// The longest release that fits uname(2), in bytes.
const RELEASE_LEN_MAX: usize = 64;

fn parse_release(text: &str) -> Result<String, String> {
    if text.is_empty() || text.len() > RELEASE_LEN_MAX {
        return Err(format!("not a release; write 1 to {RELEASE_LEN_MAX} bytes, for example 6.12.0"));
    }
    Ok(text.to_owned())
}

/// What `--version` says after the name: version, what UNKNOWN exits mean in this build, back end, host.
#[must_use]
pub fn version() -> &'static str {
    const fn mode() -> &'static str {
        match option_env!("ELFUSE_UNKNOWN_MODE") {
            Some(mode) => mode,
            None => "measuring",
        }
    }
    static TEXT: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    TEXT.get_or_init(|| {
        let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
        format!("{} ({}, {BACK_END} back end, {os} {arch})", env!("CARGO_PKG_VERSION"), mode())
    })
}

/// The back end of this build.
const BACK_END: &str = "soft";

/// Tells the user what failed: `elfuse: <what>: <why>; <what to do>`, one line whatever the text holds.
pub fn report_error(what: impl fmt::Display, why: impl fmt::Display) {
    crate::host::tell(error_line(what, why));
}

fn error_line(what: impl fmt::Display, why: impl fmt::Display) -> String {
    format!("elfuse: {what}: {why}").replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(std::iter::once(&"elfuse").chain(args))
    }

    fn command(args: &[&str]) -> GuestCommand {
        let env = [("A".into(), "1".into()), ("AB".into(), "2".into())];
        parse(args).unwrap().guest_command(env.into_iter()).unwrap()
    }

    #[test]
    fn the_definition_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
        assert!(version().contains("measuring") || version().contains("fatal"));
    }

    #[test]
    fn options_end_at_the_program() {
        let run = command(&["--trace", "prog", "--trace", "-v", "--", "x"]);
        assert_eq!(run.path, PathBuf::from("prog"));
        assert_eq!(run.args, [&b"prog"[..], b"--trace", b"-v", b"--", b"x"]);
        let run = command(&["-0", "name", "--", "-prog", "a"]);
        assert_eq!((run.path, run.args), ("-prog".into(), vec![b"name".to_vec(), b"a".to_vec()]));
        // As a login shell is called.
        assert_eq!(command(&["-0", "-sh", "p"]).args, [b"-sh"]);
    }

    #[test]
    fn the_environment_is_inherited_replaced_or_cleared() {
        assert_eq!(command(&["p"]).env, [b"A=1".to_vec(), b"AB=2".to_vec()]);
        assert_eq!(command(&["-E", "A=9", "p"]).env, [b"AB=2".to_vec(), b"A=9".to_vec()]);
        assert_eq!(command(&["--clear-env", "--env", "B=", "p"]).env, [b"B=".to_vec()]);
        assert!(parse(&["-E", "novalue", "p"]).is_err());
    }

    #[test]
    fn the_tree_of_files_is_described() {
        let root = |args: &[&str]| parse(args).map(|cli| cli.options().root);
        let config = root(&["-L", "/arm64", "--bind", "/a:b:/c", "p"]).unwrap();
        assert_eq!((config.sysroot, config.binds), (Some("/arm64".into()), vec![("/a:b".into(), "/c".into())]));
        assert_eq!(root(&["--sysroot", "x", "p"]).unwrap().sysroot, std::path::absolute("x").ok());
        for bad in ["/a", "/a:", ":/c", "/a:c"] {
            assert!(root(&["--bind", bad, "p"]).is_err(), "{bad}");
        }
        assert_eq!(parse(&["-r", "5.4.0", "p"]).unwrap().options().release.as_deref(), Some("5.4.0"));
        assert!(parse(&["-r", &"5".repeat(65), "p"]).is_err());
    }

    #[test]
    fn a_timeout_of_zero_is_off() {
        let timeout = |args: &[&str]| parse(args).map(|cli| cli.options().timeout_ns).ok();
        assert_eq!(timeout(&["p"]), Some(None));
        assert_eq!(timeout(&["--timeout", "0", "p"]), Some(None));
        assert_eq!(timeout(&["--timeout", "2.5", "p"]), Some(Some(2_500_000_000)));
        for bad in ["-1", "x", "nan", "inf", "1e300"] {
            assert_eq!(timeout(&[&format!("--timeout={bad}"), "p"]), None, "{bad}");
        }
    }

    #[test]
    fn a_program_or_a_fork_child_is_needed() {
        assert!(parse(&[]).is_err());
        assert_eq!(parse(&["--fork-child", "5"]).unwrap().fork_child(), Some(5));
        assert!(parse(&["--fork-child", "5", "p"]).is_err());
    }

    #[test]
    fn a_cpu_is_checked_before_anything_runs() {
        assert_eq!(parse(&["--cpu", "n1,lse=off", "p"]).unwrap().options().cpu.as_deref(), Some("n1,lse=off"));
        let text = usage_text(&parse(&["--cpu", "z80", "p"]).unwrap_err());
        assert!(text.contains("no CPU is called \"z80\"; there are a53, a72, n1, v1, max"), "{text}");
    }

    #[test]
    fn mistakes_are_one_line() {
        let text = |args: &[&str]| usage_text(&parse(args).unwrap_err());
        assert_eq!(text(&[]), "the following required arguments were not provided: <PROGRAM>...; see `elfuse --help`");
        assert!(text(&["--timeout", "x", "p"]).contains("not a number of seconds"));
        assert!(!text(&["--nonsense", "p"]).contains('\n'));
    }

    #[test]
    fn errors_are_one_line() {
        assert_eq!(error_line("x", "bad\nthing; stop"), "elfuse: x: bad thing; stop");
    }
}
