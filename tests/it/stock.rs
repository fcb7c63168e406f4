//! `stock list`, `set` and `adjust` over both stores.

use std::time::Duration;

use kafkaflow::store::{Location, Migration, Store, StoreError};
use kafkaflow::with_connection;

use crate::support::stores::{database, sqlite};
use crate::support::{Folder, Run};

/// The inventory's tables, as its own migrations make them.
const MIGRATIONS: &[Migration] = kafkaflow::migrations!("../../src/services/inventory/migrations":
    1 "stock" "0001_stock",
    2 "fewer checks" "0002_fewer_checks",
    3 "few statistics" "0003_few_statistics",
);

async fn products(store: &Store, products: &[(&str, i64, i64, bool)]) -> Result<(), StoreError> {
    let mut tx = store.tx();
    for (id, available, reserved, told) in products {
        with_connection!(tx, |connection| {
            sqlx::query("INSERT INTO product (id, available, reserved, told) VALUES ($1, $2, $3, $4)")
                .bind(*id)
                .bind(*available)
                .bind(*reserved)
                .bind(*told)
                .execute(connection)
                .await?;
        });
    }
    tx.commit().await
}

/// Exit code, output and errors of a run, with the store's place left out.
fn said(run: &Run, location: &str) -> String {
    let text = format!("{}\n{}{}", run.code, run.stdout, run.stderr);
    let shown: Location = location.parse().unwrap();
    text.replace(&shown.to_string(), "STORE")
}

async fn commands_say_what_there_is_and_change_it(folder: &Folder, location: &str) {
    let run = |line: &str| {
        let args: Vec<&str> = ["stock"].into_iter().chain(line.split(' ')).collect();
        let run = folder.run_with(&args, &[("KAFKAFLOW_STORE", location)], b"");
        format!("$ stock {line}\n{}", said(&run, location))
    };
    let place: Location = location.parse().unwrap();
    let mut all = vec![run("list"), run("set PROD-101 5")];
    Store::open(&place, "inventory-service", &[], 2).await.unwrap().close().await;
    all.push(run("list"));
    let store = Store::open(&place, "inventory-service", MIGRATIONS, 2).await.unwrap();
    all.extend([run("list"), run("adjust PROD-101 1")]);
    let there = [
        ("PROD-205", 3, 0, false),
        ("PROD-101", 12_500, 2, false),
        ("LOAD-1", 2_147_483_647, 0, false),
        ("prod|404", 0, 7, true),
    ];
    products(&store, &there).await.unwrap();
    for line in [
        "list",
        "list --format markdown",
        "list prod|404 LOAD-1 --format json",
        "list PROD-101 PROD-20",
        "set PROD-205 0",
        "set PROD-205 40",
        "adjust PROD-205 +5",
        "adjust PROD-205 -- -5",
        "adjust PROD-205 -41",
        "adjust PROD-205 -40",
        "adjust PROD-205 -1",
        "adjust LOAD-1 1",
        "adjust prod|404 1",
        "adjust nothing-like-it 1",
        "adjust PROD-101 0",
        "adjust PROD-101 some",
        "set PROD-101 -1",
        "set PROD-101 2147483648",
        "list",
    ] {
        all.push(run(line));
    }
    store.close().await;
    insta::allow_duplicates! {
        insta::assert_snapshot!("stock", all.join("\n"));
    }
}

fn within<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(180), work).await.expect("in time") })
}

#[test]
fn the_stock_commands_say_what_there_is_and_change_it_over_sqlite() {
    let folder = Folder::new();
    within(commands_say_what_there_is_and_change_it(&folder, &sqlite(&folder)));
}

#[test]
fn the_stock_commands_say_what_there_is_and_change_it_over_postgresql() {
    within(async {
        let location = database().await;
        commands_say_what_there_is_and_change_it(&Folder::new(), &location).await;
    });
}
