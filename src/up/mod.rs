//! All services of the design in one process.

pub(crate) mod embedded;
pub(crate) mod load;
pub(crate) mod page;

use futures_util::future::LocalBoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::watch;

use crate::runtime::service::ServiceError;

/// A service that is about to run: its name, and its work until it is told to end.
pub(crate) struct Part<'s> {
    pub(crate) name: &'static str,
    pub(crate) work: LocalBoxFuture<'s, Result<(), ServiceError>>,
}

/// A service that ended by itself, which ended the others.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) name: &'static str,
    pub(crate) error: ServiceError,
}

/// Works until all parts have ended: when `shutdown` completes, or one fails, `ending` tells the others, and each finishes
/// what it has in hand. The first failure is told.
pub(crate) async fn run(
    parts: Vec<Part<'_>>,
    ending: &watch::Sender<bool>,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Ended> {
    let mut working: FuturesUnordered<_> =
        parts.into_iter().map(|part| async move { (part.name, part.work.await) }).collect();
    let mut shutdown = std::pin::pin!(shutdown);
    let mut told = false;
    let mut first = Ok(());
    loop {
        tokio::select! {
            () = &mut shutdown, if !told => {
                told = true;
                ending.send_replace(true);
            }
            ended = working.next() => match ended {
                None => return first,
                Some((name, worked)) => {
                    if let Err(error) = worked
                        && first.is_ok()
                    {
                        first = Err(Ended { name, error });
                    }
                    told = true;
                    ending.send_replace(true);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn told(mut ending: watch::Receiver<bool>) -> Result<(), ServiceError> {
        let _ = ending.wait_for(|ending| *ending).await;
        Ok(())
    }

    #[tokio::test]
    async fn all_end_when_they_are_told_to() {
        let ending = watch::Sender::new(false);
        let part = |name| Part { name, work: Box::pin(told(ending.subscribe())) };
        assert!(run(vec![part("a"), part("b")], &ending, std::future::ready(())).await.is_ok());
    }

    #[tokio::test]
    async fn one_that_fails_ends_the_others_and_is_named() {
        let ending = watch::Sender::new(false);
        let parts = vec![
            Part { name: "a", work: Box::pin(told(ending.subscribe())) },
            Part { name: "b", work: Box::pin(std::future::ready(Err(ServiceError::NoGroup("b")))) },
        ];
        let ended = run(parts, &ending, std::future::pending()).await.unwrap_err();
        assert_eq!(
            (ended.name, ended.error.to_string().as_str()),
            ("b", "the topology gives b no group, or nothing to consume")
        );
    }
}
