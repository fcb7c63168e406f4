//! `kafkaflow up --load`

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::progress;
use crate::text::quoted;
use crate::unit::{Duration, Rate, grouped};
use crate::up::load::{Account, Figures, Load, LoadError, Percentiles, Report, Target, run as place};

/// What the embedded broker was measured to hold, in orders a second (BENCHMARKS.md).
const EMBEDDED_HOLDS: u64 = 1000;
const LASTS: &str = "60s";

/// Load, where it is asked for.
#[derive(clap::Args, Debug, Clone, Default)]
pub(super) struct LoadArgs {
    /// Place this many orders, show what becomes of them, and end: `500/s`
    #[arg(long, value_name = "RATE", help_heading = "Load")]
    load: Option<String>,

    /// How long orders are placed [default: 60s]
    #[arg(long = "for", value_name = "DURATION", requires = "load", help_heading = "Load")]
    lasts: Option<String>,
}

impl LoadArgs {
    /// What is asked for. On the embedded broker it is no more than that holds; the second part says so.
    pub(super) fn asked(&self, embedded: bool) -> Result<Option<(Load, Option<String>)>, CliError> {
        let Some(text) = &self.load else { return Ok(None) };
        let rate = Rate::parse(text).map_err(|error| {
            CliError::usage(format!("{} is no rate of orders", quoted(text))).because(&error).help(error.help)
        })?;
        let (count, seconds) = rate.as_fraction();
        let text = self.lasts.as_deref().unwrap_or(LASTS);
        let lasts = Duration::parse(text).map_err(|error| {
            CliError::usage(format!("{} is no duration", quoted(text))).because(&error).help(error.help)
        })?;
        let lasts = u64::try_from(lasts.as_millis()).unwrap_or(0);
        if count == 0 || lasts == 0 {
            return Err(
                CliError::usage("a load is some orders for some time").help("such as --load 500/s --for 60s")
            );
        }
        let capped = embedded && count > EMBEDDED_HOLDS.saturating_mul(seconds);
        let rate = if capped { Rate::per_second(EMBEDDED_HOLDS) } else { rate };
        let said = capped.then(|| {
            format!("the embedded broker holds {EMBEDDED_HOLDS}/s; that is what is placed (a cluster takes more: -b)")
        });
        Ok(Some((Load { rate, lasts: std::time::Duration::from_millis(lasts) }, said)))
    }
}

/// Where a client of this machine reaches the API.
pub(super) fn target(api: SocketAddr, token: Option<String>) -> Target {
    let ip = match api.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    Target { url: format!("http://{}", SocketAddr::new(ip, api.port())), token }
}

/// Places the load with a line that lives, and reports; whether everything adds up.
pub(super) async fn carry_out(load: Load, target: &Target) -> Result<(String, Exit), CliError> {
    let bar = progress::spinner();
    bar.set_message("load: waiting for a first order to be confirmed");
    let name = uuid::Uuid::new_v4().simple().to_string();
    let shown = |figures: &Figures| bar.set_message(line(figures));
    let report = place(load, target, &name[..8], &shown).await;
    bar.finish_and_clear();
    let report = report.map_err(|error| {
        let failed = CliError::failed("the load was not carried through").because(&error);
        match error {
            LoadError::NoStock(_) => failed.help(
                "`kafkaflow stock set LOAD-1 10000000` fills a shelf; so does a shorter or slower load",
            ),
            _ => failed,
        }
    })?;
    let exit = if report.account.is_exact() { Exit::Fine } else { Exit::Failed };
    Ok((rendered(load, target, &report), exit))
}

fn milliseconds(duration: std::time::Duration) -> String {
    format!("{:.1}", duration.as_secs_f64() * 1000.0)
}

fn number(count: u64) -> String {
    grouped(usize::try_from(count).unwrap_or(usize::MAX))
}

/// The line that lives.
fn line(figures: &Figures) -> String {
    let mut line = format!(
        "load: {} of {} orders, {:.0}/s",
        number(figures.accepted()),
        number(figures.planned),
        figures.rate()
    );
    for (name, of) in [("POST", figures.post()), ("CONFIRMED", figures.outcome())] {
        if let Some(of) = of {
            let _ = write!(line, "; {name} p50 {} p99 {} ms", milliseconds(of.p50), milliseconds(of.p99));
        }
    }
    line
}

/// The report, when everything is over.
fn rendered(load: Load, target: &Target, report: &Report) -> String {
    let Report { figures, account, sold_out } = report;
    let mut out = String::new();
    let mut row = |name: &str, text: String| {
        let _ = writeln!(out, "{name:<10} {text}");
    };
    row("load", format!("{} for {} s to {}", load.rate, load.lasts.as_secs_f64(), target.url));
    let refused: u64 = figures.refused.values().sum();
    let mut placed = format!(
        "{} orders taken ({:.0}/s), {} refused, {} without an answer",
        number(figures.accepted()),
        figures.rate(),
        number(refused),
        number(figures.unanswered)
    );
    for (status, count) in &figures.refused {
        let _ = write!(placed, "; {} with {status}", number(*count));
    }
    row("placed", placed);
    let latency = |of: Option<Percentiles>| {
        of.map(|of| {
            format!(
                "p50 {} ms, p95 {} ms, p99 {} ms, at most {} ms",
                milliseconds(of.p50),
                milliseconds(of.p95),
                milliseconds(of.p99),
                milliseconds(of.most)
            )
        })
    };
    row("POST", latency(figures.post()).unwrap_or_else(|| "no order was taken".to_owned()));
    if let Some(of) = figures.outcome() {
        let text = latency(Some(of)).unwrap_or_default();
        row("outcome", format!("{text} ({} orders followed by their events)", number(of.count)));
    }
    let Account { outcomes, reserved, wrong } = account;
    let mut ended = format!(
        "{} confirmed, {} cancelled, {} payment failed",
        number(outcomes.confirmed),
        number(outcomes.cancelled),
        number(outcomes.payment_failed)
    );
    if outcomes.other > 0 {
        let _ = write!(ended, ", {} other", number(outcomes.other));
    }
    if !sold_out {
        ended.push_str(" (no product is sold out, so none had to be cancelled)");
    }
    row("orders", ended);
    row("stock", format!("{} pieces became reserved", number(u64::try_from(*reserved).unwrap_or(0))));
    if wrong.is_empty() {
        out.push_str("Every order is accounted for, and the stock adds up.\n");
    } else {
        out.push_str("It does not add up:\n");
        for one in wrong {
            let _ = writeln!(out, "  {one}");
        }
    }
    out
}
