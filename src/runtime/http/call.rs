//! Calls that a service makes itself.

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder};

/// A client that goes where it is sent and nowhere else.
pub(crate) fn client() -> ClientBuilder {
    // Once a process; whoever comes second finds it done.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().redirect(Policy::none())
}

/// The causes, without the address, which may have a key in it.
pub(crate) fn causes(error: &reqwest::Error) -> String {
    let mut words = Vec::new();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        words.push(cause.to_string());
        source = cause.source();
    }
    if words.is_empty() {
        words.push(if error.is_timeout() { "no answer in time".to_owned() } else { "no answer".to_owned() });
    }
    words.dedup();
    words.join(": ")
}
