//! What tests of the whole program share.

pub(crate) mod brokers;
pub(crate) mod stores;
pub(crate) mod system;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What a run of the program came to.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A folder of its own for one test, removed at its end.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, making the folders on its way.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        let parent = path.parent().expect("a folder");
        std::fs::create_dir_all(parent).expect("the folders");
        std::fs::write(&path, bytes).expect("the file");
        path
    }

    /// Runs the program here, with nothing of this process's environment.
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.run_with(args, &[], b"")
    }

    pub(crate) fn run_with(&self, args: &[&str], env: &[(&str, &str)], stdin: &[u8]) -> Run {
        let mut child = self.start(args, env);
        let mut pipe = child.stdin.take().expect("a pipe");
        let stdin = stdin.to_vec();
        // Beside the reading of its output, so that neither waits for the other; a program that
        // does not read its input closes the pipe, and that is its business.
        let writer = std::thread::spawn(move || drop(pipe.write_all(&stdin)));
        let output = child.wait_with_output().expect("the program ends");
        writer.join().expect("the writer ends");
        let text = |bytes| String::from_utf8(bytes).expect("the program writes UTF-8");
        Run {
            code: output.status.code().expect("the program exits"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Starts the program here without waiting for it.
    pub(crate) fn start(&self, args: &[&str], env: &[(&str, &str)]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_kafkaflow"))
            .args(args)
            .current_dir(self.path())
            .env_clear()
            .env("COLUMNS", "80")
            .envs(env.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts")
    }
}

/// A text with the names of our own services made one test's own.
pub(crate) fn own(text: &str, prefix: &str) -> String {
    let services = ["order-service", "inventory-service", "notification-service"];
    services.iter().fold(text.to_owned(), |text, name| text.replace(name, &format!("{prefix}-{name}")))
}

/// Our own topology and its schemas, with the services' names made one test's own.
pub(crate) fn our_topology(folder: &Folder, prefix: &str) {
    let text = std::fs::read_to_string(format!("{}/topology.yaml", brokers::ROOT)).unwrap();
    folder.write("topology.yaml", own(&text, prefix));
    for entry in std::fs::read_dir(format!("{}/schemas", brokers::ROOT)).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        folder.write(&format!("schemas/{name}"), std::fs::read(&path).unwrap());
    }
}
