//! Logins that may not do everything. Their rights are set by Apache Kafka's own AclCommand.

use crate::plan::Shop;
use crate::support::Run;
use crate::support::brokers::{endpoint, eventually, tool};

fn allow(user: &str, operations: &[&str], topic: &str, pattern: &str) {
    let principal = format!("User:{user}");
    let mut args = vec!["acls", "--add", "--allow-principal", &principal, "--topic", topic];
    args.extend(["--resource-pattern-type", pattern]);
    for operation in operations {
        args.extend(["--operation", operation]);
    }
    tool(&args);
}

/// Runs a command as `user`, over SASL_SSL.
fn as_user(shop: &Shop, user: &str, command: &str, more: &[&str]) -> Run {
    let text = format!(
        "bootstrap.servers={}\nsecurity.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-256\nsasl.username={user}\n\
         sasl.password={user}-secret\nssl.ca.location={}/ca.pem\n",
        endpoint("KAFKAFLOW_TEST_SASL_SSL"),
        endpoint("KAFKAFLOW_TEST_CERTS")
    );
    shop.folder.write("client.properties", text);
    let glob = format!("{}*", shop.prefix);
    let args =
        [&[command, "topology.yaml", "--config", "client.properties", "--topic", &glob], more].concat();
    shop.shown(shop.folder.run(&args))
}

#[test]
fn a_read_only_login_plans_what_it_may_not_verify() {
    let shop = Shop::new("acl-read");
    shop.apply();
    allow("alice", &["Describe", "DescribeConfigs"], &shop.prefix, "prefixed");
    shop.edit(&[
        ("partitions: 6", "partitions: 8"),
        ("retention: 7d", "retention: 8d"),
        ("  - name: PAY.paid", "  - name: PAY.refunded"),
    ]);
    let run = eventually(std::time::Duration::from_secs(20), || {
        let run = as_user(&shop, "alice", "plan", &[]);
        (run.code == 3).then_some(run)
    });
    insta::assert_snapshot!("unverified", run.stdout);
    let run = as_user(&shop, "alice", "plan", &["--require-verification"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("3 changes not verified by the broker"), "{}", run.stderr);
}

#[test]
fn a_topic_that_the_login_may_not_see_is_named_and_never_taken_for_absent() {
    let shop = Shop::new("acl-hidden");
    shop.apply();
    let visible = format!("{}-shop", shop.prefix);
    allow("alice", &["Describe", "DescribeConfigs"], &visible, "prefixed");
    let run = eventually(std::time::Duration::from_secs(20), || {
        let run = as_user(&shop, "alice", "plan", &[]);
        (!run.stderr.contains("order-placed")).then_some(run)
    });
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    insta::assert_snapshot!("hidden", run.stderr);
}

#[test]
fn what_one_topic_lacks_the_right_for_fails_alone_and_is_finished_later() {
    let shop = Shop::new("acl-partly");
    allow("bob", &["Describe", "DescribeConfigs"], &shop.prefix, "prefixed");
    allow("bob", &["Create", "Alter", "AlterConfigs"], &format!("{}-shop", shop.prefix), "prefixed");
    let run = eventually(std::time::Duration::from_secs(20), || {
        let run = as_user(&shop, "bob", "plan", &[]);
        run.stdout.contains("1 change not verified by the broker").then_some(run)
    });
    assert_eq!(run.code, 3);
    let run = as_user(&shop, "bob", "apply", &["--yes"]);
    assert_eq!(run.code, 4, "{}", run.stderr);
    insta::assert_snapshot!("partly", run.stdout.split("\n\n").last().unwrap());
    let run = shop.run("apply", &["--yes"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.ends_with("1 done.\n"), "{}", run.stdout);
}
