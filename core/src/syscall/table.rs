//! **The** syscall table: one [`Row`] a call, with its number, name, support level, handler and the form of its arguments
//! in the trace. Everything that must know all calls reads it: dispatch, trace, crash reports, documentation.
//!
//! A row reads `number name level family (argument forms);`, with the names of flags and the structures of pointers as
//! `Flags(OPEN)`, `In(Timespec)`, `Out(Stat)`, and its handler is the family's function of that name. A row
//! of number and name alone is a call that this elfuse does not have: ENOSYS. The rows of each family are in a file of their
//! own below this one. Source: arm64's use of
//! `include/uapi/asm-generic/unistd.h` and `scripts/syscall.tbl` of Linux, up to number 470 (Linux 6.18).

use super::Handler;
use crate::trace::ArgForm;

/// How much of a call there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// All that its manual page says of arm64.
    Full,
    /// Some; the handler's comment says what is missing.
    Partial,
    /// Nothing: ENOSYS.
    None,
}

/// A syscall.
#[derive(Debug)]
pub struct Row {
    /// x8.
    pub number: u16,
    /// The name in the manual.
    pub name: &'static str,
    /// How much of it there is.
    pub level: Level,
    /// What runs.
    pub handler: Option<Handler>,
    /// The form of each argument in the trace.
    pub args: &'static [ArgForm],
}

/// One more than the highest number that a row can have.
pub const NUMBERS: usize = 512;

/// Makes `ROWS` of a family file, in order of number.
macro_rules! rows {
    (@form Flags ($names:ident)) => { $crate::trace::ArgForm::Flags(&$crate::trace::names::$names) };
    (@form $form:ident ($shape:ident)) => { $crate::trace::ArgForm::$form($crate::trace::Shape::$shape) };
    (@form $form:ident) => { $crate::trace::ArgForm::$form };
    (@row $number:literal $name:ident) => {
        $crate::syscall::table::Row {
            number: $number,
            name: stringify!($name),
            level: $crate::syscall::table::Level::None,
            handler: None,
            args: &[],
        }
    };
    (@row $number:literal $name:ident $level:ident $family:ident ($($form:ident $(($what:ident))?),*)) => {
        $crate::syscall::table::Row {
            number: $number,
            name: stringify!($name),
            level: $crate::syscall::table::Level::$level,
            handler: Some($family::$name),
            args: &[$(rows!(@form $form $(($what))?)),*],
        }
    };
    ($($number:literal $name:ident $($level:ident $family:ident ($($form:ident $(($what:ident))?),*))?;)*) => {
        pub(super) static ROWS: &[$crate::syscall::table::Row] =
            &[$(rows!(@row $number $name $($level $family ($($form $(($what))?),*))?)),*];
    };
}

mod async_io;
mod descriptors;
mod files;
mod futex;
mod ipc;
mod memory;
mod net;
mod processes;
mod signals;
mod system;
mod time;

/// The rows by family, in order of number within each.
pub static FAMILIES: [&[Row]; 11] = [
    async_io::ROWS,
    descriptors::ROWS,
    files::ROWS,
    futex::ROWS,
    ipc::ROWS,
    memory::ROWS,
    net::ROWS,
    processes::ROWS,
    signals::ROWS,
    system::ROWS,
    time::ROWS,
];

/// Each number's row.
static INDEX: [Option<&'static Row>; NUMBERS] = index();

const fn index() -> [Option<&'static Row>; NUMBERS] {
    let mut index = [None; NUMBERS];
    let mut family = 0;
    while family < FAMILIES.len() {
        let rows = FAMILIES[family];
        let mut row = 0;
        while row < rows.len() {
            index[rows[row].number as usize] = Some(&rows[row]);
            row += 1;
        }
        family += 1;
    }
    index
}

/// The row of a number.
#[must_use]
pub fn find(number: u64) -> Option<&'static Row> {
    *INDEX.get(usize::try_from(number).ok()?)?
}

/// All rows, family by family.
pub fn all() -> impl Iterator<Item = &'static Row> {
    FAMILIES.iter().flat_map(|rows| rows.iter())
}

/// The rows of a family, by its name or the one that strace(1) has for it; none for an unknown one.
#[must_use]
pub fn family(name: &str) -> &'static [Row] {
    match name {
        "async_io" => async_io::ROWS,
        "descriptors" => descriptors::ROWS,
        "files" => files::ROWS,
        "futex" => futex::ROWS,
        "ipc" => ipc::ROWS,
        "memory" => memory::ROWS,
        "net" | "network" => net::ROWS,
        "processes" | "process" => processes::ROWS,
        "signals" | "signal" => signals::ROWS,
        "system" => system::ROWS,
        "time" | "clock" => time::ROWS,
        _no_family => &[],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn rows_are_sorted_and_unique() {
        for rows in FAMILIES {
            assert!(rows.is_sorted_by(|a, b| a.number < b.number));
        }
        let names: BTreeSet<_> = all().map(|row| row.name).collect();
        assert_eq!(names.len(), all().count());
        for row in all() {
            // A number that two families have would find the later row.
            assert_eq!(find(row.number.into()).map(|found| found.name), Some(row.name));
            assert_eq!(row.level == Level::None, row.handler.is_none(), "{}", row.name);
            assert!(row.args.len() <= 6, "{}", row.name);
        }
    }

    #[test]
    fn numbers_are_those_of_arm64() {
        let known = [
            (17, "getcwd"),
            (29, "ioctl"),
            (56, "openat"),
            (63, "read"),
            (64, "write"),
            (73, "ppoll"),
            (79, "newfstatat"),
            (93, "exit"),
            (94, "exit_group"),
            (98, "futex"),
            (129, "kill"),
            (134, "rt_sigaction"),
            (139, "rt_sigreturn"),
            (172, "getpid"),
            (214, "brk"),
            (220, "clone"),
            (221, "execve"),
            (222, "mmap"),
            (260, "wait4"),
            (278, "getrandom"),
            (291, "statx"),
            (435, "clone3"),
            (439, "faccessat2"),
            (452, "fchmodat2"),
            (470, "listns"),
        ];
        for (number, name) in known {
            assert_eq!(find(number).map(|row| row.name), Some(name));
        }
        for unknown in [244, 259, 300, 471, 511, 512, 1000, u64::MAX] {
            assert!(find(unknown).is_none(), "{unknown}");
        }
    }

    /// The fuzzing guest has a row for each, with its arguments' kinds or why it is left out.
    #[test]
    fn every_row_is_fuzzed_or_left_out_with_a_reason() {
        let rows = include_str!("../../../guest-tests/src-guest/syscall-fuzz-rows.h");
        let row = |line: &'static str| {
            let row = line.strip_prefix("ROW(").or_else(|| line.strip_prefix("LEAVE("))?.strip_suffix(')')?;
            let (number, rest) = row.split_once(", ")?;
            let (name, text) = rest.split_once(", ")?;
            assert!(text.starts_with('"') && (line.starts_with("ROW") || text.len() > 2), "{line}");
            Some((number.parse::<u16>().unwrap(), name))
        };
        let fuzzed: BTreeSet<_> = rows.lines().filter_map(row).collect();
        let known: BTreeSet<_> = all().map(|row| (row.number, row.name)).collect();
        assert_eq!(fuzzed.symmetric_difference(&known).collect::<Vec<_>>(), Vec::<&(u16, &str)>::new());
    }

    #[test]
    fn levels_are_counted() {
        let count = |level| all().filter(|row| row.level == level).count();
        let (full, partial, none) = (count(Level::Full), count(Level::Partial), count(Level::None));
        println!("{} calls: {full} full, {partial} partial, {none} unsupported", all().count());
        assert_eq!(full + partial + none, all().count());
    }
}
