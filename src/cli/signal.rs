//! Being asked to end.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listens for Ctrl-C and SIGTERM from when it is made.
pub(crate) struct Ear(Option<(Signal, Signal)>);

impl Ear {
    /// Without a system that tells of signals, nothing is ever heard.
    pub(crate) fn open() -> Self {
        let (interrupt, terminate) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
        Self(interrupt.ok().zip(terminate.ok()))
    }

    /// Completes on the next; `false`: none can be heard.
    pub(crate) async fn asked(&mut self) -> bool {
        let Some((interrupt, terminate)) = &mut self.0 else { return false };
        tokio::select! {
            asked = interrupt.recv() => asked.is_some(),
            asked = terminate.recv() => asked.is_some(),
        }
    }

    /// Completes on the first; the second ends the process.
    pub(crate) async fn end(mut self) {
        if !self.asked().await {
            return std::future::pending().await;
        }
        eprintln!("ending: what is in hand is finished; once more to end at once");
        tokio::spawn(async move {
            if self.asked().await {
                std::process::exit(130);
            }
        });
    }
}

/// Completes on Ctrl-C or SIGTERM; `false`: the system tells nobody of signals.
pub(crate) async fn asked_to_end() -> bool {
    Ear::open().asked().await
}

/// Completes on the first; the second ends the process.
pub(crate) async fn end() {
    Ear::open().end().await;
}
