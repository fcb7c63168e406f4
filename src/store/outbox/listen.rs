//! Being told of new rows by the database; opt-in, since every NOTIFY takes a lock of the whole server at commit.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio::sync::Notify;

use crate::store::open::Pool;
use crate::store::{Connection, Store, StoreError};

/// How long to wait before a lost connection is made again; polling goes on meanwhile.
const AGAIN: Duration = Duration::from_secs(1);

/// Listens for as long as it lives.
pub struct Listener(Option<tokio::task::JoinHandle<()>>);

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            task.abort();
        }
    }
}

/// Notifies whenever another process says that it wrote to this outbox. SQLite has no such thing; there this does
/// nothing.
#[must_use]
pub fn listen(store: &Store, notify: Arc<Notify>) -> Listener {
    if matches!(store.pool, Pool::Sqlite { .. }) {
        return Listener(None);
    }
    let store = store.clone();
    Listener(Some(tokio::spawn(async move {
        loop {
            if let Err(error) = hear(&store, &notify).await {
                tracing::info!("outbox: not listening: {error}");
            }
            tokio::time::sleep(AGAIN).await;
        }
    })))
}

async fn hear(store: &Store, notify: &Notify) -> Result<(), StoreError> {
    let Pool::Postgres(connections) = &store.pool else { return Ok(()) };
    let mut listener = PgListener::connect_with(connections.pool()).await?;
    let mut tx = store.glance();
    let Connection::Postgres(connection) = tx.connection().await? else { return Ok(()) };
    let channel: String = sqlx::query_scalar("SELECT 'kafkaflow_outbox_' || hashtext(current_schema())")
        .fetch_one(connection)
        .await?;
    tx.commit().await?;
    listener.listen(&channel).await?;
    loop {
        listener.recv().await?;
        store.fresh().others();
        notify.notify_one();
    }
}
