//! The README is true: every command of its tour is run, in order, and prints what stands there.

use std::process::Command;

use crate::support::brokers::{ROOT, brokers, prefix};
use crate::support::{Folder, our_topology, own};

/// A command of the tour, and what stands below it.
struct Step {
    command: String,
    output: String,
}

fn steps(readme: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for line in readme.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if inside {
            match line.strip_prefix("$ ") {
                Some(command) => steps.push(Step { command: command.to_owned(), output: String::new() }),
                None => {
                    let step = steps.last_mut().expect("a command comes before its output");
                    step.output.push_str(line);
                    step.output.push('\n');
                }
            }
        }
    }
    steps
}

/// What an output says, apart from layout and from what is different on every cluster: names of
/// other lengths move columns and break lines elsewhere.
fn words(output: &str, prefix: &str) -> Vec<String> {
    let output = output.replace(&format!("{prefix}-"), "");
    let mut words: Vec<String> = output.split_whitespace().map(str::to_owned).collect();
    for at in 1..words.len() {
        if words[at - 1] == "cluster" {
            "ID".clone_into(&mut words[at]);
        }
        if words[at] == "events/s" {
            "RATE".clone_into(&mut words[at - 1]);
        }
    }
    words.retain(|word| !word.trim_matches('=').is_empty());
    words
}

#[test]
fn every_command_of_the_tour_prints_what_the_readme_says() {
    let readme = std::fs::read_to_string(format!("{ROOT}/README.md")).unwrap();
    let folder = Folder::new();
    let prefix = prefix("readme");
    our_topology(&folder, &prefix);
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_kafkaflow")).parent().unwrap().display().to_string();
    let mut run = 0;
    for step in steps(&readme) {
        // These two are how this test came to run, and the brokers are those of the test.
        if step.command.starts_with("./dev ") || step.command.starts_with("export KAFKAFLOW_BROKERS=") {
            continue;
        }
        let output = Command::new("sh")
            .args(["-c", &own(&step.command, &prefix)])
            .current_dir(folder.path())
            .env_clear()
            .env("PATH", format!("{bin}:/usr/bin:/bin"))
            .env("KAFKAFLOW_BROKERS", brokers())
            .output()
            .unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            words(&stdout, &prefix),
            words(&step.output, &prefix),
            "`{}` printed\n{stdout}{stderr}",
            step.command
        );
        run += 1;
    }
    assert!(run >= 8, "the tour was not found");
}

#[test]
fn the_graph_of_the_readme_is_current() {
    let readme = std::fs::read_to_string(format!("{ROOT}/README.md")).unwrap();
    let (_, rest) =
        readme.split_once("<!-- kafkaflow graph topology.yaml -->\n```mermaid\n").expect("the graph");
    let (embedded, _) = rest.split_once("```\n<!-- /graph -->\n").expect("its end");
    let graph = Folder::new().run(&["graph", &format!("{ROOT}/topology.yaml")]).stdout;
    assert!(embedded == graph, "write this between the two comments:\n{graph}");
}

#[test]
fn the_two_commands_of_the_readme_exist() {
    for command in ["up", "test"] {
        assert!(std::path::Path::new(ROOT).join("dev.d").join(command).is_file(), "./dev {command}");
    }
}
