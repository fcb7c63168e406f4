//! Logs, on standard error.

use tracing_subscriber::filter::LevelFilter;

/// Starts logging: warnings, and with `-v` what is done, with `-vv` every connection and request. What runs for long
/// says what is done at any rate, and when.
pub(crate) fn start(verbose: u8, runs_for_long: bool) {
    let level = match verbose + u8::from(runs_for_long) {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let log = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false);
    if runs_for_long { log.init() } else { log.without_time().init() }
}
