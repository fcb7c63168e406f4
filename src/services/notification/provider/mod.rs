//! Whoever delivers notifications: what one is asked, and what it answers.

mod file;
mod gate;
mod post;
mod smtp;
mod webhook;

#[cfg(test)]
mod contract;
#[cfg(test)]
pub(super) mod fakes;

use std::time::Duration;

pub(crate) use file::FileSink;
pub(crate) use post::{Pace, Provider, Sender};
pub(crate) use smtp::{Encryption, Smtp, SmtpSettings};
pub(crate) use webhook::{Webhook, WebhookSettings};

use super::letter::Letter;

/// Why a letter was not taken. Never with an address in it, since it gets into logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It may be taken the next time.
    Again(String),
    /// It never will.
    Refused(String),
    /// Nobody is there, or says when to come again. No fault of the letter.
    Away { after: Option<Duration>, reason: String },
    /// We are not known there, or may not: nothing will be taken before somebody mends it.
    Locked(String),
}

/// A means of delivery.
#[derive(Debug)]
pub(crate) enum Sink {
    File(FileSink),
    Smtp(Smtp),
    Webhook(Webhook),
}

impl Sink {
    /// How many letters one call takes.
    fn batch(&self) -> usize {
        match self {
            Self::File(_) => usize::MAX,
            Self::Smtp(_) => 1,
            Self::Webhook(webhook) => webhook.batch(),
        }
    }

    /// How many calls may be under way.
    fn calls(&self) -> usize {
        match self {
            Self::File(_) => 1,
            Self::Smtp(smtp) => smtp.connections(),
            Self::Webhook(webhook) => webhook.connections(),
        }
    }

    /// Delivers letters of different keys; what came of each, in their order.
    async fn send(&self, letters: &[&Letter]) -> Vec<Result<(), Failure>> {
        match self {
            Self::File(file) => {
                let came = file.append(letters).await;
                letters.iter().map(|_| came.clone()).collect()
            }
            Self::Smtp(smtp) => {
                let mut came = Vec::with_capacity(letters.len());
                for letter in letters {
                    came.push(smtp.send(letter).await);
                }
                came
            }
            Self::Webhook(webhook) => webhook.post(letters).await,
        }
    }
}
