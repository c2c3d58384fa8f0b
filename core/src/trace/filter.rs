//! Which calls and signals a trace shows: [`Filter`], the parsed form of `--trace=FILTER`.
//!
//! The table of calls lies in a layer above: names and classes are looked up by who parses.

use serde::{Deserialize, Serialize};

use super::forms::{ArgForm, Memory, is_descriptor};
use super::{Outcome, Reader};
use crate::abi::{Fd, SigSet, Signal};

/// Numbers of calls that a filter can tell apart.
const NUMBERS: usize = 512;

/// A choice of calls. All conditions must hold; those of one kind are alternatives.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Filter {
    /// One bit a number.
    calls: Vec<u64>,
    /// Numbers beyond the bits.
    shows_unknown: bool,
    /// Paths at or below one of these.
    paths: Vec<Vec<u8>>,
    /// Descriptors.
    fds: Vec<i32>,
    /// Only calls that fail.
    only_failed: bool,
    /// Signals, one bit each.
    signals: u64,
}

/// Says which file a descriptor is of, as the guest names it; for `AT_FDCWD` the working directory.
pub type PathOf<'a> = dyn Fn(Fd) -> Option<Vec<u8>> + 'a;

/// `AT_FDCWD`.
const WORKING_DIRECTORY: Fd = Fd(-100);

/// The call in a filter's question.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// x8.
    pub number: u64,
    /// The forms of its arguments.
    pub forms: &'a [ArgForm],
    /// x0 to x5.
    pub args: [u64; 6],
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            calls: vec![u64::MAX; NUMBERS / 64],
            shows_unknown: true,
            paths: Vec::new(),
            fds: Vec::new(),
            only_failed: false,
            signals: SigSet::ALL.0,
        }
    }
}

impl Filter {
    /// Reads a filter: terms with commas between them, each a call's name, `%class`, either with `!` before it, `path=PATH`,
    /// `fd=N`, `signal=NAME` or `failed`. `lookup` gives the numbers of a name or of a `%class`.
    ///
    /// # Errors
    /// The term that means nothing, and what may stand there.
    pub fn parse(text: &str, lookup: impl Fn(&str) -> Vec<u16>) -> Result<Self, String> {
        let mut filter = Self::default();
        let terms = || text.split(',').map(str::trim).filter(|term| !term.is_empty() && *term != "all");
        let is_name = |term: &str| !term.contains('=') && term != "failed";
        if terms().any(|term| is_name(term) && !term.starts_with('!')) {
            filter.calls.fill(0);
            filter.shows_unknown = false;
        }
        if terms().any(|term| term.starts_with("signal=")) {
            filter.signals = SigSet::EMPTY.0;
        }
        for term in terms() {
            if term == "failed" {
                filter.only_failed = true;
            } else if let Some(path) = term.strip_prefix("path=") {
                let path = path.strip_suffix('/').unwrap_or(path);
                filter.paths.push(path.as_bytes().to_vec());
            } else if let Some(fd) = term.strip_prefix("fd=") {
                filter.fds.push(fd.parse().map_err(|_| format!("{fd:?} is no descriptor; write for example fd=3"))?);
            } else if let Some(name) = term.strip_prefix("signal=") {
                filter.signals |= signals_of(name)?.0;
            } else {
                filter.choose(term, &lookup)?;
            }
        }
        Ok(filter)
    }

    fn choose(&mut self, term: &str, lookup: &impl Fn(&str) -> Vec<u16>) -> Result<(), String> {
        let name = term.strip_prefix('!').unwrap_or(term);
        let numbers = lookup(name);
        if numbers.is_empty() {
            return Err(format!(
                "{name:?} is no system call of arm64 and no class; write names, %file, %desc, %process, %signal, %network, \
                 %memory, %ipc, %time, %futex, %system or %async_io, path=PATH, fd=N, signal=NAME, failed"
            ));
        }
        for number in numbers.into_iter().map(usize::from) {
            if let Some(word) = self.calls.get_mut(number / 64) {
                let bit = 1 << (number % 64);
                if term.starts_with('!') { *word &= !bit } else { *word |= bit }
            }
        }
        Ok(())
    }

    /// Says before the call whether it may be shown.
    #[must_use]
    pub fn wants(&self, call: Subject<'_>, read: &Reader<'_>, path_of: &PathOf<'_>) -> bool {
        let is_chosen =
            match usize::try_from(call.number).ok().and_then(|number| Some((number, self.calls.get(number / 64)?))) {
                Some((number, word)) => word >> (number % 64) & 1 == 1,
                None => self.shows_unknown,
            };
        is_chosen
            && (self.fds.is_empty() || self.names_fd(call))
            && (self.paths.is_empty() || self.names_path(call, read, path_of))
    }

    /// Says after the call whether it is shown.
    #[must_use]
    pub const fn wants_outcome(&self, outcome: Outcome) -> bool {
        match outcome {
            Outcome::Errno(_) => true,
            Outcome::Value(_) | Outcome::Interrupted | Outcome::NoReturn => !self.only_failed,
        }
    }

    /// Says of a call that sleeps whether it is shown before it has ended.
    #[must_use]
    pub const fn wants_unfinished(&self) -> bool {
        !self.only_failed
    }

    /// Says whether the taking of a signal is shown.
    #[must_use]
    pub const fn wants_signal(&self, signal: Signal) -> bool {
        SigSet(self.signals).contains(signal)
    }

    fn names_fd(&self, call: Subject<'_>) -> bool {
        call.forms
            .iter()
            .zip(call.args)
            .any(|(form, value)| is_descriptor(*form) && self.fds.contains(&(value as u32).cast_signed()))
    }

    /// True where a path argument, or the file of a descriptor, is a wanted one. A relative path begins at the directory
    /// that is the argument before it, or else at the working directory.
    fn names_path(&self, call: Subject<'_>, read: &Reader<'_>, path_of: &PathOf<'_>) -> bool {
        let fd = |value: u64| Fd((value as u32).cast_signed());
        let mut directory = WORKING_DIRECTORY;
        for (form, value) in call.forms.iter().zip(call.args) {
            let path = match form {
                ArgForm::Dir => {
                    directory = fd(value);
                    continue;
                }
                ArgForm::Fd => path_of(fd(value)),
                ArgForm::Path => match Memory(read).string(value) {
                    Some(path) if path.starts_with(b"/") => Some(path),
                    // Without a path, the call is about the descriptor itself.
                    relative => path_of(directory).map(|base| join(base, &relative.unwrap_or_default())),
                },
                _no_file => continue,
            };
            if path.is_some_and(|path| self.holds(&path)) {
                return true;
            }
        }
        false
    }

    fn holds(&self, path: &[u8]) -> bool {
        let has_prefix = |prefix: &Vec<u8>| {
            path.strip_prefix(prefix.as_slice()).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        };
        self.paths.iter().any(has_prefix)
    }
}

/// `base/relative`, without components that mean nothing.
fn join(mut base: Vec<u8>, relative: &[u8]) -> Vec<u8> {
    for name in relative.split(|byte| *byte == b'/').filter(|name| !name.is_empty() && *name != b".") {
        if !base.ends_with(b"/") {
            base.push(b'/');
        }
        base.extend_from_slice(name);
    }
    base
}

/// The signals of a term: one by its name, with or without `SIG`, or none.
fn signals_of(name: &str) -> Result<SigSet, String> {
    match name {
        "none" => Ok(SigSet::EMPTY),
        "all" => Ok(SigSet::ALL),
        name => {
            let full = format!("SIG{}", name.strip_prefix("SIG").unwrap_or(name));
            let signal = Signal::from_name(&full);
            signal.map(|signal| SigSet::of(&[signal])).ok_or_else(|| {
                format!("{name:?} is no signal; write for example signal=USR1, signal=SIGRTMIN+3, signal=none")
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::{Errno, GuestAddr};

    fn lookup(name: &str) -> Vec<u16> {
        match name {
            "read" => vec![63],
            "write" => vec![64],
            "%desc" => vec![63, 64],
            _other => Vec::new(),
        }
    }

    fn shown(text: &str) -> Vec<u64> {
        let filter = Filter::parse(text, lookup).unwrap();
        let calls = [63, 64, 65, 1000];
        let call = |number| Subject { number, forms: &[], args: [0; 6] };
        calls.into_iter().filter(|number| filter.wants(call(*number), &|_, _| None, &|_| None)).collect()
    }

    #[test]
    fn names_and_classes_choose_calls() {
        assert_eq!(shown("all"), [63, 64, 65, 1000]);
        assert_eq!(shown("read"), [63]);
        assert_eq!(shown("%desc,!write"), [63]);
        assert_eq!(shown("!read"), [64, 65, 1000]);
        let error = Filter::parse("raed", lookup).unwrap_err();
        assert!(error.starts_with("\"raed\" is no system call"), "{error}");
        assert!(Filter::parse("fd=x", lookup).is_err());
    }

    #[test]
    fn paths_descriptors_and_failures_are_conditions() {
        let read = |_: GuestAddr, len: usize| Some(b"/etc/motd\0"[..len.min(10)].to_vec());
        let nowhere = |_: Fd| None;
        let wants = |text: &str, forms: &[ArgForm]| {
            let call = Subject { number: 63, forms, args: [3, 0x1000, 0, 0, 0, 0] };
            Filter::parse(text, lookup).unwrap().wants(call, &read, &nowhere)
        };
        let forms = [ArgForm::Fd, ArgForm::Path];
        assert!(wants("path=/etc", &forms) && wants("path=/etc/motd", &forms) && wants("path=/etc/", &forms));
        assert!(!wants("path=/et", &forms) && !wants("path=/etc", &[ArgForm::Fd]));
        assert!(wants("fd=4,fd=3", &forms) && !wants("fd=4", &forms) && !wants("fd=3,path=/usr", &forms));
        let failed = Filter::parse("failed", lookup).unwrap();
        assert!(failed.wants_outcome(Outcome::Errno(Errno::EPERM)) && !failed.wants_outcome(Outcome::Value(0)));
    }

    #[test]
    fn paths_follow_descriptors_and_directories() {
        let path_of = |fd: Fd| match fd {
            WORKING_DIRECTORY => Some(b"/home/u".to_vec()),
            Fd(3) => Some(b"/etc".to_vec()),
            _closed => None,
        };
        let wants = |text: &str, forms: &[ArgForm], first: i64, path: &'static [u8]| {
            let read = |addr: GuestAddr, len: usize| (addr.0 != 0).then(|| path[..len.min(path.len())].to_vec());
            let call =
                Subject { number: 63, forms, args: [first as u64, if path.is_empty() { 0 } else { 1 }, 0, 0, 0, 0] };
            Filter::parse(text, lookup).unwrap().wants(call, &read, &path_of)
        };
        let at = [ArgForm::Dir, ArgForm::Path];
        assert!(wants("path=/etc/motd", &at, 3, b"./motd\0") && wants("path=/home/u/x", &at, -100, b"x\0"));
        assert!(!wants("path=/etc", &at, 3, b"/usr\0") && !wants("path=/home/u", &at, 7, b"x\0"));
        assert!(wants("path=/etc", &at, 3, b"") && wants("path=/etc", &[ArgForm::Fd], 3, b"x\0"));
        assert!(!wants("path=/etc", &[ArgForm::Fd], 4, b"x\0") && !wants("path=/etc", &[ArgForm::Int], 3, b"x\0"));
        assert!(wants("path=/home/u", &[ArgForm::Path], 5, b"") && !wants("path=/etc/x", &[ArgForm::Fd], 3, b"x\0"));
    }

    #[test]
    fn signals_are_all_shown_or_the_named_ones() {
        let shown = |text: &str| SigSet(Filter::parse(text, lookup).unwrap().signals);
        assert_eq!([shown("all"), shown("read"), shown("signal=none")], [SigSet::ALL, SigSet::ALL, SigSet::EMPTY]);
        let two = SigSet::of(&[Signal::SIGUSR1, Signal::SIGTERM]);
        assert_eq!(shown("signal=USR1,signal=SIGTERM"), two);
        assert_eq!(Filter::parse("signal=USR1", lookup).unwrap().calls, Filter::default().calls);
        assert!(Filter::parse("signal=nothing", lookup).unwrap_err().contains("is no signal"));
        let filter = Filter::parse("signal=SIGTERM", lookup).unwrap();
        assert!(filter.wants_signal(Signal::SIGTERM) && !filter.wants_signal(Signal::SIGHUP));
    }
}
