//! `kafkaflow graph` and `kafkaflow export`, judged by what reads their documents.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::Folder;
use crate::support::brokers::{ROOT, endpoint};

const ODD: &str = include_str!("../data/odd-names.yaml");

/// Runs one of the scripts of `tests/npm` over documents; one answer each.
fn judged(script: &str, documents: &[PathBuf]) -> Vec<Value> {
    let script = Path::new(&endpoint("KAFKAFLOW_TEST_NPM")).join(script);
    let output = Command::new("node").arg(script).args(documents).output().expect("node starts");
    let answers = succeeded(&output);
    answers.lines().map(|line| serde_json::from_str(line).expect("an answer is JSON")).collect()
}

fn succeeded(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// Runs the program, which must be content, and keeps what it wrote.
fn written(folder: &Folder, args: &[&str], document: &str) -> PathBuf {
    let run = folder.run(args);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{args:?}");
    folder.write(document, run.stdout)
}

/// A list of texts.
fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn the_official_parser_accepts_every_asyncapi_document() {
    let folder = Folder::new();
    let ours = format!("{ROOT}/topology.yaml");
    folder.write("odd.yaml", ODD);
    let secure = [
        "-b",
        "one:9092,[::1]:9093",
        "-X",
        "security.protocol=SASL_SSL",
        "-X",
        "sasl.mechanism=SCRAM-SHA-512",
        "-X",
        "sasl.username=me",
        "-X",
        "sasl.password=secret",
    ];
    let asked: Vec<(&str, Vec<&str>)> = vec![
        ("system.yaml", vec![ours.as_str()]),
        ("system.json", vec![ours.as_str(), "--format", "json", "--env", "dev", "--api-version", "7f3a"]),
        ("order.yaml", vec![ours.as_str(), "--service", "order-service"]),
        ("operations.yaml", vec![ours.as_str(), "--service", "operations"]),
        ("secure.yaml", [vec![ours.as_str()], secure.to_vec()].concat()),
        ("odd-names.yaml", vec!["odd.yaml"]),
        ("odd-names.json", vec!["odd.yaml", "--format", "json"]),
    ];
    let documents: Vec<PathBuf> = (asked.iter())
        .map(|(document, args)| {
            written(&folder, &[&["export", "asyncapi"], args.as_slice()].concat(), document)
        })
        .collect();
    let answers = judged("asyncapi.mjs", &documents);
    assert_eq!(answers.len(), asked.len());
    for (answer, (document, _)) in answers.iter().zip(&asked) {
        assert_eq!(answer["complaints"], serde_json::json!([]), "{document}");
        let wrong = answer["examples"]
            .as_array()
            .unwrap()
            .iter()
            .find(|example| example["wrong"] != serde_json::json!([]));
        assert_eq!(wrong, None, "{document}");
    }
    let [system, _, order, operations, secure, odd, _] = answers.as_slice() else { unreachable!() };
    assert_eq!((texts(&system["channels"]).len(), texts(&system["operations"]).len()), (8, 14));
    let examples = system["examples"].as_array().unwrap().iter();
    let with_examples: BTreeSet<&str> =
        examples.map(|example| example["message"].as_str().unwrap()).collect();
    assert_eq!(with_examples.len(), 9, "every event, and dead letters: {with_examples:?}");
    assert_eq!(order["title"], "order-service");
    assert_eq!(
        texts(&order["operations"]),
        [
            "order-service.send.order-service.order-placed",
            "order-service.receive.inventory-service.inventory-result",
            "order-service.send.inventory-service.inventory-result.DLT",
            "order-service.send.notification-service.send-notification",
            "order-service.send.inventory-service.cancel-reservation",
        ]
    );
    assert_eq!(texts(&operations["channels"]), ["order-service.order-placed.DLT"]);
    assert_eq!(texts(&secure["servers"]), ["kafka-secure://one:9092", "kafka-secure://[::1]:9093"]);
    assert_eq!(texts(&odd["channels"]).len(), 4);
}

#[test]
fn the_judge_of_asyncapi_documents_knows_wrong_ones() {
    let folder = Folder::new();
    let document = folder.run(&["export", "asyncapi", &format!("{ROOT}/topology.yaml")]).stdout;
    let wrong = [
        ("partitions: 12", "partitions: 0"),
        ("quantity: 2", "quantity: two"),
        ("#/channels/", "#/chanels/"),
    ];
    let documents = wrong.map(|(right, wrong)| {
        assert!(document.contains(right), "{right}");
        folder.write(&format!("{wrong:?}.yaml").replace('/', ""), document.replace(right, wrong))
    });
    let answers = judged("asyncapi.mjs", &documents);
    let [partitions, quantity, channels] = answers.as_slice() else { panic!("{answers:?}") };
    assert!(partitions["complaints"].to_string().contains("partitions"), "{partitions}");
    assert!(quantity["examples"].to_string().contains("/items/0/quantity must be integer"), "{quantity}");
    assert!(channels["complaints"].to_string().contains("chanels"), "{channels}");
}

#[test]
fn no_secret_and_nothing_of_the_environment_gets_into_a_document() {
    let folder = Folder::new();
    let ours = format!("{ROOT}/topology.yaml");
    let plain = folder.run(&["export", "asyncapi", &ours]).stdout;
    let environment = [("KAFKAFLOW_BROKERS", "elsewhere:9092")];
    assert_eq!(folder.run_with(&["export", "asyncapi", &ours], &environment, b"").stdout, plain);
    folder.write("client.properties", "bootstrap.servers=one:9092\nsecurity.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username=\"me\" password=\"hunter2\";\n");
    let run = folder.run(&["export", "asyncapi", &ours, "--config", "client.properties"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert!(run.stdout.contains("host: one:9092") && run.stdout.contains("type: plain"), "{}", run.stdout);
    assert!(!run.stdout.contains("hunter2") && !run.stdout.contains("elsewhere"), "{}", run.stdout);
}

#[test]
fn mermaid_reads_every_name_as_it_is() {
    let folder = Folder::new();
    folder.write("odd.yaml", ODD);
    let ours = written(&folder, &["graph", &format!("{ROOT}/topology.yaml")], "ours.mmd");
    let odd = written(&folder, &["graph", "odd.yaml"], "odd.mmd");
    let answers = judged("mermaid.mjs", &[ours, odd]);
    let [ours, odd] = answers.as_slice() else { panic!("{answers:?}") };
    let nodes = |answer: &Value| {
        let nodes = answer["nodes"].as_array().unwrap_or_else(|| panic!("{answer}")).iter();
        let text = |node: &Value, field: &str| node[field].as_str().unwrap().to_owned();
        nodes.map(|node| (text(node, "class"), text(node, "text"))).collect::<Vec<_>>()
    };
    assert_eq!((nodes(ours).len(), ours["edges"].as_array().unwrap().len()), (12, 14));
    assert_eq!(
        nodes(odd),
        [
            ("service", "<b>end</b>"),
            ("service", "<b>bill|ing [\"`x`\"] #1; style: y</b>"),
            ("service", "<b>1. www.example.com</b>"),
            ("service", "<b>_under__score_</b>"),
            (
                "topic",
                "<b>end.a_b-c--d.E.1</b><br><i>Order \"Placed\"</i><br><i><b>Bold</b></i><br><i>x#quot;y #35;</i>"
            ),
            ("dlt", "<b>end.a_b-c--d.E.1.DLT</b>"),
            ("topic", "<b>end.a_b_c--d.E.1</b>"),
            ("topic", "<b>__</b>"),
        ]
        .map(|(class, text)| (class.to_owned(), text.to_owned()))
    );
}

#[test]
fn graphviz_reads_every_graph() {
    let folder = Folder::new();
    folder.write("odd.yaml", ODD);
    for (file, nodes, edges) in [(format!("{ROOT}/topology.yaml"), 12, 14), ("odd.yaml".to_owned(), 8, 6)] {
        let graph = written(&folder, &["graph", &file, "--format", "dot"], "graph.dot");
        let plain = succeeded(&Command::new("dot").arg("-Tplain").arg(graph).output().expect("dot starts"));
        let count = |word: &str| plain.lines().filter(|line| line.starts_with(word)).count();
        assert_eq!((count("node "), count("edge ")), (nodes, edges), "{plain}");
    }
}

#[test]
fn a_graph_that_mermaid_refuses_is_written_with_a_warning() {
    let folder = Folder::new();
    let mut text = String::from("version: 1\nallow: [KF060, KF061, KF062]\nservices: { s: {} }\ntopics:\n");
    for at in 0..600 {
        writeln!(text, "  - {{ name: topic-{at}, partitions: 1, producers: [s] }}").unwrap();
    }
    folder.write("topology.yaml", text);
    let run = folder.run(&["graph", "topology.yaml"]);
    assert!(run.code == 0 && run.stderr.contains("--topic"), "{}", run.stderr);
    let run = folder.run(&["graph", "topology.yaml", "--topic", "topic-1*"]);
    assert_eq!((run.code, run.stderr.as_str(), run.stdout.matches("-->").count()), (0, "", 111));
    let run = folder.run(&["export", "docs", "topology.yaml"]);
    assert!(run.code == 0 && !run.stdout.contains("mermaid"));
}

const SMALL: &str = "\
version: 1
schemas: schemas
services: { shop: {} }
topics:
  - { name: shop.order-placed, partitions: 3, events: [A], producers: [shop], rationale: Orders. }
";

#[test]
fn schemas_that_cannot_be_used_are_named_with_the_place() {
    let folder = Folder::new();
    folder.write("topology.yaml", SMALL);
    for (schema, message) in [
        ("{ \"a\": 1,\n}", "schemas/A.v1.json:1:9: expected no comma after the last element"),
        ("", "schemas/A.v1.json:1:1: expected a value"),
        ("[]", "schemas/A.v1.json:1:1: a schema is an object, not an array"),
        ("{ \"a\": 1, \"a\": 2 }", "schemas/A.v1.json:1:11: expected each name once"),
    ] {
        folder.write("schemas/A.v1.json", schema);
        for form in ["asyncapi", "docs"] {
            let run = folder.run(&["export", form, "topology.yaml"]);
            assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{schema}");
            assert!(run.stderr.contains(message), "{}", run.stderr);
        }
    }
    folder.write("schemas/A.v1.json", "{ \"$ref\": \"B.json\" }");
    let run = folder.run(&["export", "asyncapi", "topology.yaml"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert!(run.stderr.contains("A.v1.json: the `$ref` \"B.json\" leads nowhere"), "{}", run.stderr);
}

#[test]
fn what_cannot_be_exported_says_so_and_what_to_type() {
    let folder = Folder::new();
    folder.write("topology.yaml", SMALL);
    folder.write("schemas/A.v1.json", "true");
    folder.write("wrong.yaml", "version: 1\ntopics: [{ name: a }]\n");
    for (args, code, message) in [
        (["export", "asyncapi", "topology.yaml", "--service", "shpo"], 2, "did you mean `shop`?"),
        (["export", "asyncapi", "topology.yaml", "--topic", "x*"], 2, "no topic of topology.yaml matches"),
        (["export", "docs", "topology.yaml", "--env", "dev"], 1, "nothing was exported"),
        (["graph", "wrong.yaml", "--format", "dot", "-v"], 1, "nothing was drawn"),
    ] {
        let run = folder.run(&args);
        assert_eq!((run.code, run.stdout.as_str()), (code, ""), "{args:?}");
        assert!(run.stderr.contains(message), "{}", run.stderr);
    }
}

#[test]
fn our_own_catalogue_checked_in_is_current() {
    let run = Folder::new().run(&["export", "docs", &format!("{ROOT}/topology.yaml")]);
    let path = format!("{ROOT}/docs/catalogue.md");
    let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        checked_in == run.stdout,
        "{path} is not current; write `kafkaflow export docs topology.yaml` there"
    );
}
