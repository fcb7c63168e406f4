//! What a person reads when a command could not do its work.

use std::fmt;

use super::exit::Exit;

/// A command's failure: what went wrong, why, and what to type next.
#[derive(Debug)]
pub(crate) struct CliError {
    pub(crate) exit: Exit,
    pub(crate) message: String,
    /// Causes, outermost first.
    pub(crate) causes: Vec<String>,
    pub(crate) help: Option<String>,
}

impl CliError {
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self { exit: Exit::Failed, message: message.into(), causes: Vec::new(), help: None }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, ..Self::failed(message) }
    }

    pub(crate) fn because(mut self, cause: impl fmt::Display) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        for cause in &self.causes {
            write!(f, "\n  because: {cause}")?;
        }
        if let Some(help) = &self.help {
            for (number, line) in help.lines().enumerate() {
                let label = if number == 0 { "help: " } else { "      " };
                write!(f, "\n  {label}{line}")?;
            }
        }
        Ok(())
    }
}

/// Writing to a closed pipe (`kafkaflow plan … | head`) ends the command quietly.
impl From<std::io::Error> for CliError {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self { exit: Exit::Fine, ..Self::failed("") };
        }
        Self::failed("could not write the output").because(error)
    }
}
