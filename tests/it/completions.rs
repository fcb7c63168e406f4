//! The completions that are checked in, and the manual.

use crate::support::Folder;
use crate::support::brokers::ROOT;

#[test]
fn the_completions_checked_in_are_current() {
    for (shell, file) in [("bash", "kafkaflow.bash"), ("zsh", "_kafkaflow"), ("fish", "kafkaflow.fish")] {
        let run = Folder::new().run(&["completions", shell]);
        assert_eq!(run.code, 0);
        let path = format!("{ROOT}/completions/{file}");
        let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            checked_in == run.stdout,
            "{path} is not current; write `kafkaflow completions {shell}` there"
        );
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = Folder::new();
    let run = folder.run(&["man", "--dir", "man"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    for page in ["kafkaflow", "kafkaflow-plan", "kafkaflow-apply", "kafkaflow-validate"] {
        assert!(folder.path().join(format!("man/{page}.1")).is_file(), "{page}");
    }
    assert!(folder.run(&["man"]).stdout.contains(".TH kafkaflow 1"));
}
