//! Progress, on standard error, where that is a terminal.

use std::io::IsTerminal;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work that is done sooner shows nothing: a flicker informs nobody.
const WORTH_SHOWING: Duration = Duration::from_millis(700);

/// A bar of so many steps.
pub(crate) fn bar(length: u64) -> ProgressBar {
    styled(Some(length), "{bar:30} {pos}/{len} {elapsed}")
}

/// What is read, with a bar once that takes its time.
pub(crate) struct Reading {
    bar: ProgressBar,
    shown: AtomicBool,
}

impl Reading {
    pub(crate) fn of_bytes() -> Self {
        Self::styled("{bar:30} {bytes}/{total_bytes} {elapsed}")
    }

    pub(crate) fn of_records() -> Self {
        Self::styled("{bar:30} {human_pos}/{human_len} records {elapsed}")
    }

    fn styled(template: &str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template(template);
        Self { bar: style.map_or(bar.clone(), |style| bar.with_style(style)), shown: AtomicBool::new(false) }
    }

    pub(crate) fn set_length(&self, length: u64) {
        self.bar.set_length(length);
    }

    pub(crate) fn advance(&self, by: u64) {
        self.bar.inc(by);
        let worth = self.bar.elapsed() > WORTH_SHOWING && self.bar.length().is_some();
        if worth && !self.shown.swap(true, Ordering::Relaxed) && std::io::stderr().is_terminal() {
            self.bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        }
    }

    /// Writes something without the bar in its way.
    pub(crate) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// A sign of life with a message.
pub(crate) fn spinner() -> ProgressBar {
    let spinner = styled(None, "{spinner} {msg}");
    if !spinner.is_hidden() {
        spinner.enable_steady_tick(Duration::from_millis(100));
    }
    spinner
}

/// Awaits `work`; says what is done when it takes its time.
pub(crate) async fn shown_while<T>(message: &'static str, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    tokio::select! {
        biased;
        done = &mut work => return done,
        () = tokio::time::sleep(WORTH_SHOWING) => {}
    }
    let spinner = spinner();
    spinner.set_message(message);
    let done = work.await;
    spinner.finish_and_clear();
    done
}

fn styled(length: Option<u64>, template: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr_with_hz(10));
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
