//! The guest's tree of files, as a guest meets it: `--sysroot`, `--bind`, `--workdir`, chroot(2), across fork and exec.

#![expect(clippy::unwrap_used, reason = "a test may say so")]

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A sysroot with the guest `tree` as a program in it, beside a directory of the host.
struct System {
    dir: tempfile::TempDir,
}

impl System {
    fn new() -> Self {
        // Not below /tmp, which is always the host's.
        let dir = tempfile::Builder::new().prefix("sysroot").tempdir_in("/var/tmp").unwrap();
        let system = Self { dir };
        for directory in ["root/usr/bin", "root/etc", "root/proc", "root/srv/inner/usr/bin", "host/deep"] {
            std::fs::create_dir_all(system.at(directory)).unwrap();
        }
        for program in ["root/usr/bin/tree", "root/srv/inner/usr/bin/tree", "host/tree"] {
            std::fs::copy(guest_tests::verify("tree").unwrap(), system.at(program)).unwrap();
        }
        for (path, text) in [("root/etc/name", "inside"), ("host/file", "outside"), ("host/deep/file", "deep")] {
            std::fs::write(system.at(path), text).unwrap();
        }
        for (target, link) in
            [("usr/bin", "root/bin"), ("/etc/name", "root/absolute"), ("../../../../../etc/name", "root/etc/escaping")]
        {
            symlink(target, system.at(link)).unwrap();
        }
        std::fs::write(system.at("root/usr/bin/script"), "#!/bin/tree read\n").unwrap();
        std::fs::set_permissions(system.at("root/usr/bin/script"), PermissionsExt::from_mode(0o755)).unwrap();
        system
    }

    fn at(&self, path: &str) -> PathBuf {
        std::fs::canonicalize(self.dir.path()).unwrap().join(path)
    }

    fn run(&self, options: &[&str], program: &str, verbs: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_elfuse"));
        command.arg("--sysroot").arg(self.at("root")).args(options).arg("--").arg(program).args(verbs);
        command.env("PATH", "/usr/bin").current_dir(self.at("host")).output().unwrap()
    }

    fn lines(&self, options: &[&str], verbs: &[&str]) -> Vec<String> {
        lines(&self.run(options, "tree", verbs))
    }
}

fn lines(output: &Output) -> Vec<String> {
    assert!(output.status.success(), "{output:?}");
    // What stands behind the path.
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| line.split_once(": ").map_or(line, |(_, result)| result).to_owned()).collect()
}

#[test]
fn absolute_paths_are_the_sysroots() {
    let system = System::new();
    let verbs = ["read", "/etc/name", "read", "/absolute", "read", "/etc/escaping", "read", "/../../etc/name"];
    assert_eq!(system.lines(&[], &verbs), ["inside"; 4]);
    let verbs =
        ["link", "/absolute", "link", "/proc/self/exe", "type", "/bin", "follow", "/bin/", "read", "/etc/name/x"];
    assert_eq!(system.lines(&[], &verbs), ["/etc/name", "/usr/bin/tree", "link", "directory", "error 20"]);
    // A loop within the tree, by one name and by two.
    for (target, link) in [("/usr/about", "root/usr/round"), ("round", "root/usr/about"), ("self", "root/etc/self")] {
        symlink(target, system.at(link)).unwrap();
    }
    let verbs = ["read", "/usr/round", "type", "/usr/round", "read", "/etc/self/x", "enter", "/etc/self"];
    assert_eq!(system.lines(&[], &verbs), ["error 40", "link", "error 40", "error 40"]);
}

#[test]
fn a_program_is_looked_for_in_the_sysroot_first() {
    let system = System::new();
    // What a user's own directory of programs may hold, first in PATH.
    let host = system.at("host");
    let mut command = Command::new(env!("CARGO_BIN_EXE_elfuse"));
    command.arg("--sysroot").arg(system.at("root")).args(["tree", "link", "/proc/self/exe"]);
    let output = command.env("PATH", format!("{}:/usr/bin", host.display())).current_dir(&host).output().unwrap();
    assert_eq!(lines(&output), ["/usr/bin/tree"]);
    // And on the host where the sysroot has none of the name.
    std::fs::rename(system.at("host/tree"), system.at("host/other")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_elfuse"));
    command.arg("--sysroot").arg(system.at("root")).args(["other", "read", "/etc/name"]);
    let output = command.env("PATH", format!("/usr/bin:{}", host.display())).output().unwrap();
    assert_eq!(lines(&output), ["inside"]);
}

#[test]
fn the_host_stands_in_for_what_is_missing() {
    let system = System::new();
    let file = system.at("host/file");
    let file = file.to_str().unwrap();
    let verbs =
        ["read", file, "read", "file", "read", "deep/../file", "where", "read", "/etc/none", "follow", "/bin/sh"];
    let here = system.at("host");
    let expected = ["outside", "outside", "outside", here.to_str().unwrap(), "error 2", "error 2"];
    assert_eq!(system.lines(&[], &verbs), expected);
}

#[test]
fn changes_are_made_where_the_directory_is() {
    let system = System::new();
    let new = system.at("host/new");
    let verbs =
        ["write", "/etc/made", "x", "write", new.to_str().unwrap(), "y", "write", "relative", "z", "make", "/etc/d"];
    let verbs =
        [&verbs[..], &["move", "/etc/made", "/etc/moved", "remove", "/etc/moved", "write", "/etc/name", "w"]].concat();
    assert_eq!(system.lines(&[], &verbs), ["done", "done", "done", "done", "done", "done", "error 17"]);
    assert!(system.at("root/etc/d").is_dir() && !system.at("root/etc/moved").exists());
    assert_eq!(std::fs::read(new).unwrap(), b"y");
    assert_eq!(std::fs::read(system.at("host/relative")).unwrap(), b"z");
}

#[test]
fn bound_places_and_the_start_directory() {
    let system = System::new();
    let bind = format!("{}:/srv/data", system.at("host").display());
    let options = ["--bind", &bind, "--workdir", "/srv/data/deep"];
    let verbs = ["read", "file", "read", "../file", "where", "read", "../../../etc/name", "enter", "/etc", "where"];
    let expected = ["deep", "outside", "/srv/data/deep", "inside", "done", "/etc"];
    assert_eq!(system.lines(&options, &verbs), expected);
}

#[test]
fn children_and_programs_see_the_same_tree() {
    let system = System::new();
    let verbs =
        ["enter", "/etc", "fork", "read", "name", "where", "link", "/proc/self/exe", "run", "/bin/script", "absolute"];
    // The script's interpreter is given the script's name and the argument.
    let expected = ["done", "inside", "/etc", "/usr/bin/tree", "#!/bin/tree read"];
    let output = system.run(&[], "tree", &verbs);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let results: Vec<&str> = text.lines().filter_map(|line| line.split_once(": ")).map(|(_, result)| result).collect();
    assert_eq!(results, expected, "{output:?}");
    let by_descriptor = system.lines(&[], &["run", "/proc/self/exe", "link", "/proc/self/exe"]);
    assert_eq!(by_descriptor, ["/usr/bin/tree"]);
}

#[test]
fn sockets_have_names_in_the_tree() {
    let system = System::new();
    std::fs::create_dir(system.at("root/run")).unwrap();
    symlink("/run", system.at("root/etc/sockets")).unwrap();
    symlink("/run/here", system.at("root/etc/link")).unwrap();
    let verbs = ["listen", "/run/here", "connect", "/etc/sockets/here", "connect", "/etc/link", "connect", "/run/none"];
    let verbs = [&verbs[..], &["listen", "/etc/link", "sendto", "/run/own-datagrams", "type", "/run/here"]].concat();
    let verbs = [&verbs[..], &["enter", "/run", "listen", "relative", "connect", "relative"]].concat();
    let expected = ["/run/here", "/run/here", "/run/here", "error 2", "error 98", "/run/own-datagrams", "socket"];
    let expected = [&expected[..], &["done", "relative", "relative"]].concat();
    assert_eq!(system.lines(&[], &verbs), expected);
    assert!(system.at("root/run/here").exists());
    // A name that fits for the guest goes to the host where its own path is too long.
    let deep = format!("/run/{}", "d".repeat(80));
    std::fs::create_dir(system.at("root").join(&deep[1..])).unwrap();
    let name = format!("{deep}/socket");
    let results = system.lines(&[], &["listen", &name, "connect", &name, "type", &name]);
    assert_eq!(results[2], "socket", "{results:?}");
}

#[test]
fn watches_are_of_the_tree() {
    let system = System::new();
    let verbs = ["watch", "/etc/name", "watch", "/absolute", "watchlink", "/absolute", "watch", "/etc/none"];
    assert_eq!(system.lines(&[], &verbs), ["done", "done", "error 11", "error 2"]);
}

#[test]
fn the_sysroot_has_three_names() {
    let system = System::new();
    let root = system.at("root");
    let run = |options: &[&str], variable: Option<&Path>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_elfuse"));
        command.args(options).arg("--").arg(guest_tests::verify("tree").unwrap()).args(["read", "/etc/name"]);
        lines(&command.envs(variable.map(|value| ("ELFUSE_SYSROOT", value))).output().unwrap())
    };
    let path = root.to_str().unwrap();
    assert_eq!(run(&["-L", path], None), ["inside"]);
    assert_eq!(run(&["--sysroot", path], None), ["inside"]);
    assert_eq!(run(&[], Some(&root)), ["inside"]);
    // The command line is nearer than the environment, and its last word counts.
    let inner = system.at("root/srv/inner");
    assert_eq!(run(&["-L", path], Some(&inner)), ["inside"]);
    assert_eq!(run(&["-L", inner.to_str().unwrap(), "--sysroot", path], None), ["inside"]);
    assert_eq!(run(&[], Some(&inner)), ["error 2"]);
}

#[test]
fn what_only_the_host_has_can_be_used() {
    let system = System::new();
    // The sysroot has an /etc, but nobody in it.
    let verbs = ["read", "/etc/passwd", "read", "/etc/group", "read", "/etc/name"];
    let host = |path: &str| std::fs::read_to_string(path).unwrap().lines().next().unwrap().to_owned();
    assert_eq!(system.lines(&[], &verbs), [host("/etc/passwd"), host("/etc/group"), "inside".to_owned()]);
}

#[test]
fn files_are_bound_too_and_the_last_place_counts() {
    let system = System::new();
    let bind = |host: &str, guest: &str| format!("{}:{guest}", system.at(host).display());
    let (file, deep) = (bind("host/file", "/etc/name"), bind("host/deep/file", "/etc/other"));
    assert_eq!(
        system.lines(
            &["--bind", &file, "--bind", &deep],
            &["read", "/etc/name", "read", "/etc/other", "read", "/absolute"]
        ),
        ["outside", "deep", "outside"]
    );
    // Relative to where elfuse starts, which is `host`.
    assert_eq!(system.lines(&["--bind", "deep:/mnt"], &["read", "/mnt/file"]), ["deep"]);
    let again = bind("host/deep", "/mnt");
    let other = bind("host", "/mnt");
    assert_eq!(system.lines(&["--bind", &other, "--bind", &again], &["read", "/mnt/file"]), ["deep"]);
    let output = system.run(&["--bind", &bind("host/none", "/mnt")], "tree", &["where"]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && text.contains("/host/none: No such file"), "{text}");
}

#[test]
fn chroot_confines() {
    if !nix::unistd::geteuid().is_root() {
        println!("skipped: chroot(2) needs root's rights");
        return;
    }
    let system = System::new();
    let host = system.at("host/file");
    let verbs = ["under", "/srv/inner", "type", "/usr", "read", host.to_str().unwrap(), "follow", "/../etc"];
    assert_eq!(system.lines(&[], &verbs), ["done", "directory", "error 2", "error 2"]);
}

#[test]
fn errors_name_the_file_and_the_remedy() {
    let system = System::new();
    let error = |options: &[&str], program: &Path| {
        let output = system.run(options, program.to_str().unwrap(), &[]);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let dynamic = system.at("host/dynamic");
    std::fs::write(&dynamic, dynamic_program()).unwrap();
    std::fs::set_permissions(&dynamic, PermissionsExt::from_mode(0o755)).unwrap();
    let text = error(&[], &dynamic);
    for part in ["/host/dynamic", "/lib/ld-linux-aarch64.so.9", "--sysroot", "libc6:arm64"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(error(&[], Path::new("no-such-program")).contains("no-such-program"));
    let text = error(&["--sysroot", system.at("host/file").to_str().unwrap()], Path::new("tree"));
    assert!(text.contains("not a directory"), "{text}");
    symlink("round", system.at("host/about")).unwrap();
    symlink("about", system.at("host/round")).unwrap();
    for (sysroot, reason) in [("host/round", "Too many levels"), ("host/none", "No such file")] {
        let text = error(&["--sysroot", system.at(sysroot).to_str().unwrap()], Path::new("tree"));
        assert!(text.contains(sysroot) && text.contains(reason), "{text}");
    }
    assert!(error(&["--workdir", "/none"], Path::new("tree")).contains("cannot enter /none"));
    let own = error(&[], Path::new(env!("CARGO_BIN_EXE_elfuse")));
    assert!(own.contains("without elfuse"), "{own}");
}

/// The headers of a program that names a dynamic linker which no system has.
fn dynamic_program() -> Vec<u8> {
    let mut bytes = vec![0u8; 0x1000];
    let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    put(0, b"\x7fELF\x02\x01\x01");
    put(16, &[3, 0, 183, 0, 1]);
    put(32, &64u64.to_le_bytes());
    put(52, &[64, 0, 56, 0, 2, 0]);
    for (at, kind, offset, len) in [(64, 3u32, 0x200u64, 27u64), (120, 1, 0, 0x1000)] {
        put(at, &kind.to_le_bytes());
        put(at + 4, &5u32.to_le_bytes());
        for (field, value) in [(8, offset), (16, offset), (32, len), (40, len), (48, 0x1000)] {
            put(at + field, &value.to_le_bytes());
        }
    }
    put(0x200, b"/lib/ld-linux-aarch64.so.9\0");
    bytes
}

#[test]
fn proc_shows_the_guest() {
    let system = System::new();
    let fields = ["Name:", "Threads:", "SigBlk:", "FDSize:"];
    let finds = fields.iter().flat_map(|field| ["find", "/proc/self/status", field]);
    let verbs: Vec<&str> =
        finds.chain(["list", "/proc/self/task", "link", "/proc/self/cwd", "read", "/proc/self/comm"]).collect();
    let results = system.lines(&[], &verbs);
    assert_eq!(
        results[..4],
        ["Name:\ttree", "Threads:\t1", "SigBlk:\t0000000000000000", "FDSize:\t64"].map(String::from)
    );
    // One thread, and none of elfuse's own.
    assert_eq!(results[4].split_whitespace().count(), 3, "{results:?}");
    assert_eq!(results[5..], [system.at("host").to_str().unwrap(), "tree"].map(String::from));
    let results = system.lines(&[], &["read", "/proc/self/cmdline", "read", "/proc/self/environ", "list", "/dev/fd"]);
    assert_eq!(results[0], "tree");
    // The directory's own descriptor is among them.
    assert!(results[2].starts_with(". .. 0 1 2 3 "), "{results:?}");
    assert!(results[1].contains('='), "{results:?}");
}

#[test]
fn the_cpu_is_the_guests() {
    let system = System::new();
    let fields = ["CPU architecture", "CPU implementer", "CPU part", "vendor_id"];
    let verbs: Vec<&str> = fields.iter().flat_map(|field| ["find", "/proc/cpuinfo", field]).collect();
    let results = system.lines(&[], &verbs);
    // What only Arm's have, and what only the host's has.
    assert!(results[..3].iter().zip(fields).all(|(line, field)| line.starts_with(field)), "{results:?}");
    assert_eq!(results[3], "error 2");
    let id = "/sys/devices/system/cpu/cpu0/regs/identification/midr_el1";
    let other = "/sys/devices/system/cpu/cpu99999/regs/identification/midr_el1";
    let verbs = ["read", id, "read", other];
    // A Neoverse N1 of revision 3.
    assert_eq!(system.lines(&["--cpu", "n1"], &verbs), ["0x00000000413fd0c1", "error 2"]);
    let mut without_sysroot = Command::new(env!("CARGO_BIN_EXE_elfuse"));
    without_sysroot.args(["--cpu", "a72", "--"]).arg(system.at("host/tree")).args(["read", id]);
    assert_eq!(lines(&without_sysroot.output().unwrap()), ["0x00000000410fd083"]);
}

#[test]
fn mounts_are_where_the_guest_meets_them() {
    let system = System::new();
    let bind = format!("{}:/srv/data", system.at("host").display());
    let verbs =
        ["read", "/proc/self/mountinfo", "read", "/proc/mounts", "find", "/proc/self/mounts", "proc /proc proc "];
    let results = system.lines(&["--bind", &bind], &verbs);
    let fields: Vec<&str> = results[0].split(' ').collect();
    let root = system.at("root");
    // The file system's own path of the sysroot ends as the host's path does.
    assert!(fields[4] == "/" && root.ends_with(Path::new(fields[3]).file_name().unwrap()), "{results:?}");
    assert_eq!(results[1].split(' ').nth(1), Some("/"), "{results:?}");
    assert!(results[2].starts_with("proc /proc proc "), "{results:?}");
    let device = results[1].split(' ').next().unwrap();
    let found = system.lines(&["--bind", &bind], &["find", "/proc/self/mounts", &format!("{device} /srv/data ")]);
    assert!(found[0].starts_with(&format!("{device} /srv/data ")), "{found:?}");
}

#[test]
fn maps_show_the_guests_memory() {
    let system = System::new();
    let first = system.lines(&[], &["read", "/proc/self/maps", "read", "/proc/self/smaps"]);
    assert!(first[0].starts_with("00400000-") && first[0].ends_with("/usr/bin/tree"), "{first:?}");
    assert_eq!(first[0], first[1]);
    let verbs = ["find", "/proc/self/stat", "", "find", "/proc/self/statm", "", "read", "/proc/self/mem"];
    let results = system.lines(&[], &verbs);
    let fields: Vec<&str> = results[0].split_whitespace().collect();
    assert_eq!((fields.len(), fields[1], fields[19]), (52, "(tree)", "1"), "{results:?}");
    assert!(fields[25].parse::<u64>().unwrap() >= 0x40_0000);
    assert_eq!(results[1].split_whitespace().count(), 7);
    assert_eq!(results[2], "error 13");
}

#[test]
fn the_kernel_is_the_guests() {
    let system = System::new();
    let verbs = ["read", "/proc/sys/kernel/osrelease", "read", "/proc/version"];
    let results = system.lines(&["-r", "5.15.7"], &verbs);
    assert_eq!(results[0], "5.15.7");
    assert!(results[1].starts_with("Linux version 5.15.7 "), "{results:?}");
}

#[test]
fn clocks_are_read_without_system_calls() {
    let vdso = guest_tests::verify("vdso").unwrap();
    let output =
        Command::new(env!("CARGO_BIN_EXE_elfuse")).args(["--trace", "--"]).arg(vdso).arg("many").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let calls = String::from_utf8_lossy(&output.stderr).matches("clock_gettime").count();
    // A thousand readings: only a page that grew old in between is asked for.
    assert!(calls < 100, "{calls}");
}

/// Every call on files, on the host's tree and in a sysroot.
#[test]
fn files_are_made_changed_and_removed() {
    let system = System::new();
    let files = guest_tests::verify("files").unwrap();
    std::fs::copy(&files, system.at("root/usr/bin/files")).unwrap();
    std::fs::create_dir_all(system.at("root/var/inner")).unwrap();
    let plain = system.at("plain");
    std::fs::create_dir(&plain).unwrap();
    let on_host = Command::new(env!("CARGO_BIN_EXE_elfuse")).arg("--").arg(&files).arg(&plain).output().unwrap();
    assert_eq!(lines(&on_host), ["ok"]);
    assert_eq!(lines(&system.run(&[], "files", &["/var/inner"])), ["ok"]);
    assert!(system.at("root/var/inner/d/f").is_file() && plain.join("d/f").is_file());
}

#[test]
fn a_watch_of_a_link_is_none_of_what_it_leads_to() {
    let system = System::new();
    std::fs::copy(guest_tests::verify("events").unwrap(), system.at("root/usr/bin/events")).unwrap();
    let output = system.run(&[], "events", &[]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "events: ok\n", "{output:?}");
}

#[test]
fn proc_shows_other_guests() {
    use std::io::{BufRead, BufReader};
    let system = System::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_elfuse"));
    command.arg("--sysroot").arg(system.at("root")).args(["--clear-env", "-E", "WHO=other", "--", "/usr/bin/tree"]);
    command.args(["where", "read", "/dev/stdin"]).stdin(std::process::Stdio::piped());
    let mut other = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    // It has begun when it has said where it is, and then waits for its input.
    let mut said = String::new();
    BufReader::new(other.stdout.take().unwrap()).read_line(&mut said).unwrap();
    let names = ["cmdline", "environ", "maps", "smaps", "mounts", "auxv", "status", "comm"];
    let paths = names.map(|name| format!("/proc/{}/{name}", other.id()));
    let exe = format!("/proc/{}/exe", other.id());
    let mut verbs: Vec<&str> = paths.iter().flat_map(|path| ["read", path]).collect();
    verbs.extend(["link", &exe]);
    let results = system.lines(&[], &verbs);
    assert_eq!(results[..2], ["/usr/bin/tree", "WHO=other"], "{results:?}");
    for line in &results[2..4] {
        assert!(line.starts_with("00400000-") && line.ends_with(" /usr/bin/tree"), "{results:?}");
    }
    assert_eq!(results[4].split(' ').nth(1), Some("/"), "{results:?}");
    // AT_SYSINFO_EHDR.
    assert_eq!(results[5], "!", "{results:?}");
    assert_eq!(results[6..], ["Name:\ttree", "tree", "/usr/bin/tree"], "{results:?}");
    drop(other.stdin.take());
    other.wait().unwrap();
}

/// A copy of a system that ran has what its kernel showed, old and dead, and links to all of it.
#[test]
fn a_copy_of_a_running_system_works() {
    let system = System::new();
    for directory in ["root/proc/4242", "root/dev", "root/tmp", "root/run", "root/var", "root/etc/alternatives"] {
        std::fs::create_dir_all(system.at(directory)).unwrap();
    }
    for (path, text) in
        [("proc/version", "Linux version 1.0"), ("proc/4242/comm", "old"), ("dev/null", "old"), ("tmp/old", "old")]
    {
        std::fs::write(system.at("root").join(path), text).unwrap();
    }
    std::fs::write(system.at("root/run/name"), "run").unwrap();
    let links = [
        ("4242", "proc/self"),
        ("/proc/self/fd", "dev/fd"),
        ("../proc/self/mounts", "etc/mtab"),
        ("/run", "var/run"),
        ("/usr/bin/tree", "etc/alternatives/look"),
        ("/etc/alternatives/look", "usr/bin/look"),
        ("../run/nothing/resolv.conf", "etc/resolv.conf"),
    ];
    for (target, link) in links {
        symlink(target, system.at("root").join(link)).unwrap();
    }
    let verbs = ["read", "/proc/version", "read", "/proc/self/comm", "link", "/proc/self/exe", "type", "/dev/null"];
    let verbs =
        [&verbs[..], &["read", "/tmp/old", "read", "/etc/mtab", "read", "/var/run/name", "list", "/dev/fd"]].concat();
    let verbs = [&verbs[..], &["read", "/etc/resolv.conf", "run", "/usr/bin/look", "link", "/proc/self/exe"]].concat();
    let results = system.lines(&["-r", "6.7.8"], &verbs);
    assert!(results[0].starts_with("Linux version 6.7.8 "), "{results:?}");
    assert_eq!(results[1..5], ["tree", "/usr/bin/tree", "character", "error 2"], "{results:?}");
    assert_eq!(results[5].split(' ').nth(1), Some("/"), "{results:?}");
    assert_eq!(results[6], "run", "{results:?}");
    assert!(results[7].contains(" 0 1 2 "), "{results:?}");
    assert_eq!(results[8..], ["error 2", "/usr/bin/tree"], "{results:?}");
}
