//! What the HTML report draws: stacked bars of exit reasons ([`stack`]), and the distribution of a latency guest's times
//! ([`distribution`]) over a logarithmic axis.

use crate::event::LatencyResult;
use crate::tally::Cell;
use std::fmt::{self, Write as _};

/// The exit reasons of the histogram, in the order in which they are stacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    InCode,
    Latched,
    Exception,
    Vtimer,
    Unknown,
    Failed,
}

impl Reason {
    pub(super) const ALL: [Self; 6] =
        [Self::InCode, Self::Latched, Self::Exception, Self::Vtimer, Self::Unknown, Self::Failed];

    /// The heading of its column.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::InCode => "in code",
            Self::Latched => "latched",
            Self::Exception => "exception",
            Self::Vtimer => "vtimer",
            Self::Unknown => "UNKNOWN",
            Self::Failed => "API failed",
        }
    }

    /// Its class in the style sheet.
    const fn class(self) -> &'static str {
        match self {
            Self::InCode => "in-code",
            Self::Latched => "latched",
            Self::Exception => "exception",
            Self::Vtimer => "vtimer",
            Self::Unknown => "unknown",
            Self::Failed => "failed",
        }
    }

    const fn explanation(self) -> &'static str {
        match self {
            Self::InCode => "CANCELED inside guest code",
            Self::Latched => "CANCELED, latched before the run",
            Self::Exception => "EXCEPTION (syscalls, faults)",
            Self::Vtimer => "VTIMER_ACTIVATED",
            Self::Unknown => "UNKNOWN",
            Self::Failed => "the hypervisor interface failed",
        }
    }

    pub(super) const fn count(self, cell: &Cell) -> u64 {
        match self {
            Self::InCode => cell.canceled_in_code,
            Self::Latched => cell.canceled_latched,
            Self::Exception => cell.exception,
            Self::Vtimer => cell.vtimer,
            Self::Unknown => cell.unknown,
            Self::Failed => cell.failed,
        }
    }
}

/// What the colours mean.
pub(super) fn legend(out: &mut String) -> fmt::Result {
    write!(out, "<div class=\"legend\">")?;
    for reason in Reason::ALL {
        write!(out, "<span><i class=\"{}\"></i>{}</span>", reason.class(), reason.explanation())?;
    }
    writeln!(out, "</div>")
}

/// The shares of the exit reasons as one bar. A reason that occurred is at least a sliver.
pub(super) fn stack(cell: &Cell, out: &mut String) -> fmt::Result {
    write!(out, "<div class=\"stack\">")?;
    let exits = cell.exits().max(1);
    for reason in Reason::ALL.into_iter().filter(|reason| reason.count(cell) > 0) {
        let count = reason.count(cell);
        let per_mille = u128::from(count) * 1000 / u128::from(exits);
        write!(
            out,
            "<i class=\"{}\" style=\"flex:{} 0 2px\" title=\"{}: {count}\"></i>",
            reason.class(),
            per_mille.max(1),
            reason.name()
        )?;
    }
    write!(out, "</div>")
}

const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 150.0;
/// Room for the labels below.
const FOOT: f64 = 20.0;

/// A column for each bucket of the distribution, the median and the 99th percentile marked.
pub(super) fn distribution(latency: &LatencyResult, out: &mut String) -> fmt::Result {
    let (Some(first), Some(last)) = (latency.buckets.first(), latency.buckets.last()) else {
        return write!(out, "<p>no distribution in this report</p>");
    };
    let low = (first.up_to_ns.max(2) as f64 / 2.0).ln();
    let high = (last.up_to_ns.max(4) as f64).ln();
    let x = |ns: u64| ((ns.max(1) as f64).ln() - low) / (high - low).max(f64::EPSILON) * WIDTH;
    let most = latency.buckets.iter().map(|bucket| bucket.count).max().unwrap_or(1).max(1) as f64;
    write!(out, "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\">", HEIGHT + FOOT)?;
    let mut left = 0.0;
    for bucket in &latency.buckets {
        let right = x(bucket.up_to_ns);
        let height = bucket.count as f64 / most * (HEIGHT - 14.0);
        write!(
            out,
            "<rect class=\"column\" x=\"{left:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\"><title>up to {} \u{b5}s: {}</title></rect>",
            HEIGHT - height,
            (right - left - 1.0).max(0.5),
            bucket.up_to_ns / 1000,
            bucket.count
        )?;
        left = right;
    }
    write!(out, "<line class=\"axis\" x1=\"0\" y1=\"{HEIGHT}\" x2=\"{WIDTH}\" y2=\"{HEIGHT}\"/>")?;
    for (name, ns) in [("p50", latency.p50_ns), ("p99", latency.p99_ns)] {
        let at = x(ns).clamp(0.0, WIDTH);
        let anchor = if at > WIDTH - 30.0 { "end" } else { "start" };
        write!(
            out,
            "<line class=\"mark\" x1=\"{at:.1}\" y1=\"12\" x2=\"{at:.1}\" y2=\"{HEIGHT}\"/><text x=\"{at:.1}\" y=\"10\" text-anchor=\"{anchor}\">{name}</text>"
        )?;
    }
    for decade in (3..).map_while(|power| 10_u64.checked_pow(power)).take_while(|decade| *decade <= last.up_to_ns) {
        let at = x(decade);
        if (0.0..WIDTH - 30.0).contains(&at) {
            write!(out, "<text x=\"{at:.1}\" y=\"{}\">{}</text>", HEIGHT + 14.0, label(decade))?;
        }
    }
    write!(out, "</svg>")
}

fn label(ns: u64) -> String {
    match ns {
        0..1_000_000 => format!("{} \u{b5}s", ns / 1000),
        1_000_000..1_000_000_000 => format!("{} ms", ns / 1_000_000),
        1_000_000_000.. => format!("{} s", ns / 1_000_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Bucket;

    #[test]
    fn every_reason_that_occurred_is_in_the_bar() {
        let cell = Cell { exception: 1_000_000, unknown: 1, ..Cell::default() };
        let mut bar = String::new();
        stack(&cell, &mut bar).unwrap();
        assert!(bar.contains("unknown") && bar.contains("exception") && !bar.contains("vtimer"), "{bar}");
        let mut none = String::new();
        stack(&Cell::default(), &mut none).unwrap();
        assert_eq!(none, "<div class=\"stack\"></div>");
    }

    #[test]
    fn a_distribution_has_a_column_for_each_bucket() {
        let buckets = vec![Bucket { up_to_ns: 2000, count: 5 }, Bucket { up_to_ns: 4000, count: 10 }];
        let latency = LatencyResult { samples: 15, p50_ns: 3000, p99_ns: 4000, buckets, ..LatencyResult::default() };
        let mut svg = String::new();
        distribution(&latency, &mut svg).unwrap();
        assert_eq!(svg.matches("<rect").count(), 2, "{svg}");
        assert!(svg.contains("p99") && !svg.contains("NaN"), "{svg}");
    }

    #[test]
    fn absurd_times_are_drawn_all_the_same() {
        let buckets = vec![Bucket { up_to_ns: 0, count: 0 }, Bucket { up_to_ns: u64::MAX, count: u64::MAX }];
        let latency = LatencyResult { buckets, p99_ns: u64::MAX, ..LatencyResult::default() };
        let mut svg = String::new();
        distribution(&latency, &mut svg).unwrap();
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}
