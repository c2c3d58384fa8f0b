//! Decides whether UNKNOWN is fatal in this build, from the gate's record (`docs/design.md` §8, `docs/harness.md`).
//!
//! Sets `ELFUSE_UNKNOWN_MODE` (`fatal` or `measuring`) for `--version`, and the cfg `elfuse_unknown_fatal`. The decision
//! itself is [`gate_record::decide`].

#[expect(unreachable_pub, reason = "shared with the harness, where it is public")]
#[path = "build/gate_record.rs"]
mod gate_record;
#[expect(unreachable_pub, reason = "shared with the harness, where it is public")]
#[path = "build/source_hash.rs"]
mod source_hash;

use gate_record::{GateRecord, Host, Mode, RECORD_VARIABLE, REQUIRE_VARIABLE, Request, TRACKED_RECORD};
use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            println!("cargo::error={problem}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    let manifest_dir = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let root = manifest_dir.parent().ok_or("core has no parent folder")?;
    for source in source_hash::SOURCES {
        println!("cargo::rerun-if-changed={}", root.join(source).display());
    }
    for variable in [RECORD_VARIABLE, REQUIRE_VARIABLE] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    let named = env::var_os(RECORD_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
    let request = Request {
        wants_fatal: env::var_os("CARGO_FEATURE_UNKNOWN_FATAL").is_some(),
        wants_measuring: env::var_os("CARGO_FEATURE_UNKNOWN_MEASURING").is_some(),
        requires_gate: env::var_os(REQUIRE_VARIABLE).is_some_and(|value| value == "1"),
        is_tracked: named.is_none(),
        host: Host::of_target(&variable("CARGO_CFG_TARGET_OS")?, &variable("CARGO_CFG_TARGET_ARCH")?),
        sources: source_hash::source_hash(root).map_err(|error| error.to_string())?,
    };
    let mode = gate_record::decide(&request, &read_record(root, named))?;
    println!("cargo::rustc-check-cfg=cfg(elfuse_unknown_fatal)");
    match mode {
        Mode::Fatal => {
            println!("cargo::rustc-cfg=elfuse_unknown_fatal");
            println!("cargo::rustc-env=ELFUSE_UNKNOWN_MODE=fatal");
        }
        Mode::Measuring(note) => {
            println!("cargo::rustc-env=ELFUSE_UNKNOWN_MODE=measuring");
            if let Some(note) = note {
                println!("cargo::warning=this build of elfuse measures UNKNOWN exits and makes no claim: {note}");
            }
        }
    }
    Ok(())
}

/// Reads the named record, or the tracked one. A file that does not exist cannot be watched, its folder can.
fn read_record(root: &Path, named: Option<PathBuf>) -> Result<GateRecord, String> {
    let path = named.unwrap_or_else(|| root.join(TRACKED_RECORD));
    let watched = if path.exists() { Some(path.as_path()) } else { path.parent() };
    if let Some(watched) = watched {
        println!("cargo::rerun-if-changed={}", watched.display());
    }
    let text = std::fs::read_to_string(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("there is no gate record at {}", path.display()),
        _ => format!("the gate record {} cannot be read: {error}", path.display()),
    })?;
    gate_record::parse(&text)
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("cargo does not say {name}"))
}
