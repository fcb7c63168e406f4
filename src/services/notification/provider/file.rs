//! Into a file, or onto standard output: a line of JSON each.

use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Failure, Letter};

/// Where lines go.
#[derive(Clone, Debug)]
pub(crate) enum FileSink {
    Stdout,
    /// Appended to, and made where it is not. Opened anew each time, so that it may be moved away. Whoever appends holds
    /// the lock, which has whether the file ends with a whole line as far as this process knows.
    File(PathBuf, Arc<Mutex<bool>>),
}

impl FileSink {
    pub(crate) fn file(path: PathBuf) -> Self {
        Self::File(path, Arc::default())
    }

    /// Appends all letters with one write, and waits until the disk has them.
    pub(super) async fn append(&self, letters: &[&Letter]) -> Result<(), Failure> {
        let mut lines = Vec::new();
        for letter in letters {
            serde_json::to_writer(&mut lines, letter).map_err(|error| Failure::Refused(error.to_string()))?;
            lines.push(b'\n');
        }
        let to = self.clone();
        let written = tokio::task::spawn_blocking(move || to.write(&lines)).await;
        let failed = match written {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        Err(Failure::Away { after: None, reason: failed })
    }

    fn write(&self, lines: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Stdout => {
                // Whoever runs us may hold the lock for as long as we live.
                let out = std::io::stdout().as_fd().try_clone_to_owned()?;
                std::fs::File::from(out).write_all(lines)
            }
            Self::File(path, whole) => {
                let mut whole = whole.lock().unwrap_or_else(PoisonError::into_inner);
                let mut file = std::fs::OpenOptions::new().read(true).append(true).create(true).open(path)?;
                // Whoever was killed in the middle of a line left it open.
                let is_file = file.metadata()?.is_file();
                let torn = !*whole && is_file && file.seek(SeekFrom::End(0))? > 0 && {
                    let mut last = [0];
                    file.seek(SeekFrom::End(-1))?;
                    file.read_exact(&mut last)?;
                    last != *b"\n"
                };
                if torn {
                    file.write_all(b"\n")?;
                }
                *whole = false;
                file.write_all(lines)?;
                *whole = true;
                // A device or a pipe keeps nothing that could be synchronised.
                if is_file { file.sync_data() } else { Ok(()) }
            }
        }
    }
}
