//! Progress for people: a bar with a live histogram on a terminal, plain lines otherwise. [`Terminal`].

use crate::event::{Event, Failure, Outcome, Phase, Reader, RunResult};
use crate::tally::{Cell, Tally};
use elfuse::host::tell;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

/// Time between two plain lines.
const LINE_PERIOD: Duration = Duration::from_secs(10);
/// Failed runs that are shown as they happen, in each phase.
const SHOWN_FAILURES: u32 = 10;

/// Writes to standard error.
#[derive(Debug)]
pub struct Terminal {
    bar: ProgressBar,
    is_terminal: bool,
    begun_at: Instant,
    last_line_at: Instant,
    phase: Option<Phase>,
    planned: u64,
    seen: u64,
    failed: u32,
    tally: Tally,
}

impl Default for Terminal {
    fn default() -> Self {
        Self::new()
    }
}

impl Terminal {
    /// One that finds out whether standard error is a terminal.
    #[must_use]
    pub fn new() -> Self {
        let is_terminal = io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        if is_terminal {
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(8));
        }
        if let Ok(style) = ProgressStyle::with_template("{prefix} [{bar:24}] {pos}/{len} {eta}  {msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        Self {
            bar,
            is_terminal,
            begun_at: Instant::now(),
            last_line_at: Instant::now(),
            phase: None,
            planned: 0,
            seen: 0,
            failed: 0,
            tally: Tally::default(),
        }
    }

    /// Takes the bar away, before something else is written.
    pub fn close(&self) {
        self.bar.finish_and_clear();
    }

    fn line(&self, text: &str) {
        if self.is_terminal {
            self.bar.println(text);
        } else {
            tell(format_args!("{:7.1} s  {text}", self.begun_at.elapsed().as_secs_f64()));
        }
    }

    fn phase_started(&mut self, phase: Phase) {
        (self.planned, self.seen, self.failed) = (0, 0, 0);
        self.phase = Some(phase);
        self.tally = Tally::default();
        self.bar.reset();
        self.bar.set_length(0);
        self.bar.set_prefix(phase.name());
        self.last_line_at = Instant::now();
        self.line(&format!("phase {} begins", phase.name()));
    }

    fn run_finished(&mut self, result: &RunResult) {
        self.seen += 1;
        self.tally.add(&result.tally);
        let total = self.tally.total();
        self.bar.set_position(self.seen);
        self.bar.set_message(histogram(&total));
        // With a control a run is to fail.
        let is_wrong = !matches!(result.outcome, Outcome::Passed | Outcome::Interrupted);
        if is_wrong && result.id.phase != Phase::Controls {
            self.failed += 1;
            if self.failed <= SHOWN_FAILURES {
                let reasons: Vec<String> = result.failures.iter().map(Failure::to_string).collect();
                self.line(&format!("{} FAILED: {}", result.id, reasons.join("; ").replace('\n', " | ")));
            }
        }
        if !self.is_terminal && self.last_line_at.elapsed() >= LINE_PERIOD {
            self.last_line_at = Instant::now();
            let (seen, planned, failed) = (self.seen, self.planned, self.failed);
            self.line(&format!("{seen}/{planned} runs, {failed} failed: {}", histogram(&total)));
        }
    }
}

/// Exits by reason in one line.
fn histogram(total: &Cell) -> String {
    format!(
        "CANCELED {} in code {} latched, EXCEPTION {}, VTIMER {}, UNKNOWN {}",
        total.canceled_in_code, total.canceled_latched, total.exception, total.vtimer, total.unknown
    )
}

impl Reader for Terminal {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::BuildStarted { kind } => {
                self.bar.set_prefix("building");
                self.line(&format!("building the {kind} elfuse"));
            }
            Event::BuildFinished(build) => {
                let seconds = build.wall_ms / 1000;
                self.line(&format!("built the {} elfuse in {seconds} s: {}", build.kind, build.version));
            }
            Event::PhaseStarted(phase) => self.phase_started(*phase),
            Event::Planned { runs, .. } => {
                self.planned += u64::from(*runs);
                self.bar.set_length(self.planned);
            }
            Event::RunStarted(_) => {}
            Event::RunFinished(result) => self.run_finished(result),
            Event::ControlFinished(control) => {
                let state = if control.passed() { "caught" } else { "MISSED" };
                let (name, check) = (&control.control, control.caught_by.name());
                self.line(&format!("control {name}: {state} by {check} in {} of {}", control.caught, control.planned));
            }
            Event::LatencyMeasured(latency) => {
                let us = [latency.p50_ns / 1000, latency.p99_ns / 1000, latency.max_ns / 1000];
                self.line(&format!("{}: p50 {} us, p99 {} us, max {} us", latency.guest, us[0], us[1], us[2]));
            }
            Event::PhaseFinished { phase, wall_ms, .. } => {
                let (name, seen, planned, failed) = (phase.name(), self.seen, self.planned, self.failed);
                let seconds = wall_ms / 1000;
                self.line(&format!("phase {name} ends: {seen}/{planned} runs, {failed} failed, {seconds} s"));
            }
            Event::Interrupted => self.line("interrupted: the runs in progress have been ended"),
            Event::Verdict(_) => self.close(),
        }
        Ok(())
    }
}
