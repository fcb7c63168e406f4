//! `kafkaflow explain`

use std::io::Write;

use super::error::CliError;
use super::exit::Exit;
use super::view::screen::Screen;
use super::view::text::wrap;
use crate::catalog;
use crate::text::quoted;
use crate::topology::problem::Code;
use crate::topology::rules::{self, Rule};

/// Say why a rule exists, with an example of what is wrong and what is right.
///
/// Without a code, list every rule.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The code that a problem was reported with, like `KF012`
    code: Option<String>,
}

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Exit, CliError> {
    let screen = Screen::of_stdout();
    match &args.code {
        None => list(out)?,
        Some(code) => explain(find(code)?, screen.width, out)?,
    }
    Ok(Exit::Fine)
}

/// `KF012`, `kf012` and `12` are one code.
fn find(text: &str) -> Result<&'static Rule, CliError> {
    let bare = || text.parse().ok().map(Code);
    let code = Code::parse(text).or_else(bare);
    code.and_then(|code| all().find(|rule| rule.code == code)).ok_or_else(|| {
        CliError::usage(format!("there is no rule {}", quoted(text)))
            .help("`kafkaflow explain` lists every rule")
    })
}

/// The rules about topologies and about catalogues.
fn all() -> impl Iterator<Item = &'static Rule> {
    rules::ALL.into_iter().chain(catalog::rules::ALL)
}

fn list(out: &mut impl Write) -> std::io::Result<()> {
    for rule in all() {
        writeln!(out, "{}  {:<7}  {}", rule.code, rule.severity, rule.title)?;
    }
    writeln!(out, "\n`kafkaflow explain {}` says more about one.", rules::ALL[0].code)
}

fn explain(rule: &Rule, width: usize, out: &mut impl Write) -> std::io::Result<()> {
    writeln!(out, "{} ({}): {}\n", rule.code, rule.severity, rule.title)?;
    for line in wrap(rule.why, width) {
        writeln!(out, "{line}")?;
    }
    if rule.silenceable {
        writeln!(out)?;
        let how = format!("`allow: [{}]` in a topic or at the top of the file silences it.", rule.code);
        for line in wrap(&how, width) {
            writeln!(out, "{line}")?;
        }
    }
    let env = rule.environment.map_or(String::new(), |env| format!(" (with `--env {env}`)"));
    for (title, example) in [("Wrong", rule.wrong), ("Right", rule.right)] {
        writeln!(out, "\n{title}{env}:\n")?;
        for line in example.lines() {
            writeln!(out, "    {line}")?;
        }
    }
    Ok(())
}
