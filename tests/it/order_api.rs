//! The order service's API as strangers use it.

use std::process::Command;

use crate::support::brokers::endpoint;
use crate::support::system::System;

/// Schemathesis makes requests from what /openapi.json promises and judges the answers by it. Left out: the streams, which
/// do not end, and the check that whatever the document allows is accepted, since no schema can say which cursors there
/// are and which keys were used.
#[test]
fn the_api_does_what_its_description_says() {
    let system = System::new("schemathesis", None);
    system.apply();
    let service = system.run("order", &[]);
    let output = Command::new(format!("{}/schemathesis", endpoint("KAFKAFLOW_TEST_PYTHON")))
        .args(["run", &format!("{}/openapi.json", service.url), "--checks", "all"])
        .args(["--exclude-checks", "positive_data_acceptance", "--exclude-path", "/orders/{id}/events"])
        .args(["--max-examples", "30", "--seed", "1", "--generation-database", "none", "--no-color"])
        .current_dir(system.folder.path())
        .output()
        .expect("schemathesis starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let (code, log) = service.end();
    assert_eq!(code, Some(0), "{log}");
}
