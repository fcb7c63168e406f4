//! The exit codes that scripts rely on.

/// How a command ended, when it could do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done; nothing to report.
    Fine = 0,
    /// Failed: a blocker, a refusal by the broker, an answer of no, a cluster out of reach.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// Changes pending, violations found, an alert.
    Pending = 3,
    /// Partly done.
    Partly = 4,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
