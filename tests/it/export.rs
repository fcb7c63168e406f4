//! `kafkaflow graph`, judged by what reads its graphs.

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
}

#[test]
fn what_cannot_be_drawn_says_so_and_what_to_type() {
    let folder = Folder::new();
    folder.write("topology.yaml", ODD);
    folder.write("wrong.yaml", "version: 1\ntopics: [{ name: a }]\n");
    for (args, code, message) in [
        (["graph", "topology.yaml", "--topic", "x*"], 2, "no topic of topology.yaml matches"),
        (["graph", "wrong.yaml", "--format", "dot"], 1, "nothing was drawn"),
    ] {
        let run = folder.run(&args);
        assert_eq!((run.code, run.stdout.as_str()), (code, ""), "{args:?}");
        assert!(run.stderr.contains(message), "{}", run.stderr);
    }
}
