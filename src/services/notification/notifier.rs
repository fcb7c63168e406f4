//! Records become letters, and letters are delivered.

use std::sync::Arc;

use super::letter::Letter;
use super::provider::{Provider, Sender};
use super::templates::Templates;
use crate::event::Channel;
use crate::messaging::Record;
use crate::runtime::{HandleError, Performer};
use crate::store::{StoreError, Tx};

/// Who delivers what.
#[derive(Clone, Debug)]
pub(crate) struct Providers {
    pub(crate) email: Arc<Provider>,
    pub(crate) sms: Arc<Provider>,
    pub(crate) operators: Arc<Provider>,
    /// For customers who left no address.
    pub(crate) without_address: Arc<Provider>,
}

impl Providers {
    fn all(&self) -> [&Arc<Provider>; 4] {
        [&self.email, &self.sms, &self.operators, &self.without_address]
    }

    fn of(&self, letter: &Letter) -> &Arc<Provider> {
        match letter.channel {
            _ if !letter.has_address() => &self.without_address,
            Channel::Email => &self.email,
            Channel::Sms => &self.sms,
            Channel::Operator => &self.operators,
        }
    }
}

/// Sends what it is asked to send.
#[derive(Debug)]
pub(crate) struct Notifier {
    templates: Templates,
    providers: Providers,
    sender: Sender,
}

impl Notifier {
    pub(crate) fn new(templates: Templates, providers: Providers, sender: Sender) -> Self {
        for provider in providers.all() {
            sender.health.fine(provider.name(), "nothing was sent yet");
        }
        Self { templates, providers, sender }
    }
}

impl Performer for Notifier {
    /// A letter, or why there is none.
    type Task = Result<Letter, HandleError>;

    /// Nothing is written: the event's id is the key under which a letter is sent, each time it is.
    async fn claim(&self, _: &mut Tx, batch: &[Record]) -> Result<Vec<Self::Task>, StoreError> {
        let letter = |record| Letter::of(record, &self.templates).map_err(HandleError::poison);
        Ok(batch.iter().map(letter).collect())
    }

    async fn perform(&self, tasks: Vec<Self::Task>) -> Vec<Result<(), HandleError>> {
        let mut came: Vec<Option<Result<(), HandleError>>> = Vec::with_capacity(tasks.len());
        // Few, and compared by what they are.
        let mut posts: Vec<(&Arc<Provider>, Vec<usize>, Vec<Letter>)> = Vec::new();
        for (at, task) in tasks.into_iter().enumerate() {
            match task {
                Err(error) => came.push(Some(Err(error))),
                Ok(letter) => {
                    came.push(None);
                    let provider = self.providers.of(&letter);
                    let known = posts.iter_mut().find(|(known, ..)| Arc::ptr_eq(known, provider));
                    match known {
                        Some((_, places, letters)) => {
                            places.push(at);
                            letters.push(letter);
                        }
                        None => posts.push((provider, vec![at], vec![letter])),
                    }
                }
            }
        }
        let delivered = posts.iter().map(|(provider, _, letters)| provider.deliver(letters, &self.sender));
        let answers = futures_util::future::join_all(delivered).await;
        for ((_, places, _), answers) in posts.iter().zip(answers) {
            for (at, answer) in places.iter().zip(answers) {
                came[*at] = Some(answer);
            }
        }
        came.into_iter().flatten().collect()
    }

    /// The inbox has it; there is nothing else to record.
    async fn settle(&self, _: &mut Tx, _: &[&Record]) -> Result<(), StoreError> {
        Ok(())
    }
}
