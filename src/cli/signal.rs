//! Being asked to end.

use tokio::signal::unix::{SignalKind, signal};

/// Completes on Ctrl-C or SIGTERM; `false`: the system tells nobody of signals.
pub(crate) async fn asked_to_end() -> bool {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return tokio::signal::ctrl_c().await.is_ok();
    };
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.is_ok(),
        _ = terminate.recv() => true,
    }
}

/// Completes on the first; the second ends the process.
pub(crate) async fn end() {
    if !asked_to_end().await {
        return std::future::pending().await;
    }
    eprintln!("ending: what is in hand is finished; once more to end at once");
    tokio::spawn(async {
        if asked_to_end().await {
            std::process::exit(130);
        }
    });
}
