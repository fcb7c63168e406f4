//! By whom notifications are delivered, as flags say it.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use lettre::Address;
use lettre::message::Mailbox;
use reqwest::Url;

use super::settings::{File, Printed};
use crate::cli::error::CliError;
use crate::services::notification::Providers;
use crate::services::notification::provider::{
    Encryption, FileSink, Pace, Provider, Sink, Smtp, SmtpSettings, Webhook, WebhookSettings,
};
use crate::text::quoted;
use crate::unit::{self, Rate};

pub(super) const CONSOLE: &str = "console";
const WHERE: &str =
    "console, file:PATH, smtp://HOST[:PORT], smtps://HOST[:PORT], or an http:// or https:// address";
/// For mail that is handed in (RFC 6409, RFC 8314).
const SUBMISSION: u16 = 587;
const SUBMISSIONS: u16 = 465;

#[derive(Args, Debug, Clone, Default)]
pub(super) struct MeansArgs {
    /// Where mails go: console, file:PATH, smtp://HOST, smtps://HOST or a webhook's address [default: console]
    #[arg(
        long,
        value_name = "WHERE",
        env = "KAFKAFLOW_EMAIL",
        hide_env_values = true,
        help_heading = "Delivery"
    )]
    email: Option<String>,

    /// Where text messages go; no smtp [default: console]
    #[arg(
        long,
        value_name = "WHERE",
        env = "KAFKAFLOW_SMS",
        hide_env_values = true,
        help_heading = "Delivery"
    )]
    sms: Option<String>,

    /// Where words to the operators go [default: console]
    #[arg(
        long,
        value_name = "WHERE",
        env = "KAFKAFLOW_OPERATOR",
        hide_env_values = true,
        help_heading = "Delivery"
    )]
    operator: Option<String>,

    /// Where notifications for customers without an address go: console or file:PATH [default: console]
    #[arg(long, value_name = "WHERE", help_heading = "Delivery")]
    without_address: Option<String>,

    /// How many a provider takes, such as 50/s or 1000/h; of each instance [default: no limit]
    #[arg(long, value_name = "RATE", help_heading = "Delivery")]
    rate: Option<String>,

    /// How many a provider takes at once after a quiet time [default: 1]
    #[arg(long, value_name = "COUNT", help_heading = "Delivery")]
    burst: Option<u32>,

    /// Connections to a provider [default: 4]
    #[arg(long, value_name = "COUNT", help_heading = "Delivery")]
    connections: Option<u32>,

    /// How long a provider may take for an answer [default: 10s]
    #[arg(long, value_name = "DURATION", help_heading = "Delivery")]
    send_timeout: Option<String>,

    /// Who mails come from: an address, or a name and an address
    #[arg(long, value_name = "NAME <ADDRESS>", help_heading = "SMTP")]
    from: Option<String>,

    /// The address of an operators' list, such as operations=ops@example.com; may be repeated
    #[arg(long, value_name = "LIST=ADDRESS", help_heading = "SMTP")]
    list: Vec<String>,

    /// The name to log in with
    #[arg(long, value_name = "NAME", help_heading = "SMTP")]
    smtp_user: Option<String>,

    /// A file with its password, read for every login
    #[arg(long, value_name = "FILE", help_heading = "SMTP")]
    smtp_password_file: Option<PathBuf>,

    /// smtp:// without encryption, for a relay on this machine
    #[arg(long, help_heading = "SMTP")]
    smtp_plain: bool,

    /// A file with the bearer token of webhooks, read for every call
    #[arg(long, value_name = "FILE", help_heading = "Webhooks")]
    webhook_token_file: Option<PathBuf>,

    /// How many notifications a call has: of 1 its body is one, else an array [default: 1]
    #[arg(long, value_name = "COUNT", help_heading = "Webhooks")]
    webhook_batch: Option<u32>,
}

impl MeansArgs {
    /// With the file's settings where no flag says otherwise, and with `place` where that says nothing either.
    pub(super) fn or(self, file: &File, place: &str) -> Self {
        let or = |flag: Option<String>, setting: &Option<String>| {
            flag.or_else(|| setting.clone()).or_else(|| Some(place.to_owned()))
        };
        Self {
            email: or(self.email, &file.email),
            sms: or(self.sms, &file.sms),
            operator: or(self.operator, &file.operator),
            without_address: or(self.without_address, &file.without_address),
            rate: self.rate.or_else(|| file.rate.clone()),
            burst: self.burst.or(file.burst),
            connections: self.connections.or(file.connections),
            send_timeout: self.send_timeout.or_else(|| file.send_timeout.clone()),
            from: self.from.or_else(|| file.from.clone()),
            list: if self.list.is_empty() { file.list.clone().unwrap_or_default() } else { self.list },
            smtp_user: self.smtp_user.or_else(|| file.smtp_user.clone()),
            smtp_password_file: self.smtp_password_file.or_else(|| file.smtp_password.clone()),
            smtp_plain: self.smtp_plain || file.smtp_plain.unwrap_or(false),
            webhook_token_file: self.webhook_token_file.or_else(|| file.webhook_token.clone()),
            webhook_batch: self.webhook_batch.or(file.webhook_batch),
        }
    }

    pub(super) fn print(&self, printed: &mut Printed) {
        let place = |place: &Option<String>| Some(shown(place.as_deref().unwrap_or(CONSOLE)));
        printed.set("email", place(&self.email));
        printed.set("sms", place(&self.sms));
        printed.set("operator", place(&self.operator));
        printed.set("without-address", place(&self.without_address));
        printed.set("rate", self.rate.clone());
        printed.set("burst", self.burst.map(|burst| burst.to_string()));
        printed.set("connections", Some(self.connections.unwrap_or(4).to_string()));
        printed.set("send-timeout", Some(self.send_timeout.clone().unwrap_or_else(|| "10s".to_owned())));
        printed.set("from", self.from.clone());
        printed.list("list", &self.list);
        printed.set("smtp-user", self.smtp_user.clone());
        printed.path("smtp-password-file", self.smtp_password_file.as_deref());
        printed.set("smtp-plain", Some(self.smtp_plain.to_string()));
        printed.path("webhook-token-file", self.webhook_token_file.as_deref());
        printed.set("webhook-batch", Some(self.webhook_batch.unwrap_or(1).to_string()));
    }

    /// A provider for every kind of notification; one that delivers several kinds has one pace for all.
    pub(super) fn providers(&self) -> Result<Providers, CliError> {
        let mut known: Vec<(String, Arc<Provider>)> = Vec::new();
        let mut of = |flag: &str, place: Option<&String>| {
            let place = place.map_or(CONSOLE, String::as_str);
            if let Some((_, provider)) = known.iter().find(|(known, _)| known == place) {
                return Ok(Arc::clone(provider));
            }
            let sink = self.sink(flag, place)?;
            let provider = Arc::new(Provider::new(shown(place), sink, self.pace()?));
            known.push((place.to_owned(), Arc::clone(&provider)));
            Ok::<_, CliError>(provider)
        };
        Ok(Providers {
            email: of("--email", self.email.as_ref())?,
            sms: of("--sms", self.sms.as_ref())?,
            operators: of("--operator", self.operator.as_ref())?,
            without_address: of("--without-address", self.without_address.as_ref())?,
        })
    }

    fn sink(&self, flag: &str, place: &str) -> Result<Sink, CliError> {
        let wrong = || CliError::usage(format!("{flag} says no place: {}", quoted(place)));
        if place == CONSOLE {
            return Ok(Sink::File(FileSink::Stdout));
        }
        if let Some(path) = place.strip_prefix("file:") {
            return writable(Path::new(path));
        }
        if flag == "--without-address" {
            return Err(wrong()
                .because("whoever has no address is reached by no provider")
                .help("console or file:PATH"));
        }
        let url: Url =
            place.parse().map_err(|error| wrong().because(error).help(format!("it is {WHERE}")))?;
        match url.scheme() {
            "http" | "https" => self.webhook(url),
            "smtp" | "smtps" if flag == "--sms" => Err(wrong()
                .because("SMTP carries no text messages")
                .help("a webhook's address does, or console, or file:PATH")),
            "smtp" | "smtps" => self.smtp(&url),
            _ => Err(wrong().help(format!("it is {WHERE}"))),
        }
    }

    fn webhook(&self, url: Url) -> Result<Sink, CliError> {
        if let Some(file) = &self.webhook_token_file {
            readable("--webhook-token-file", file)?;
        }
        let settings = WebhookSettings {
            url,
            token: self.webhook_token_file.clone(),
            batch: self.webhook_batch.unwrap_or(1).max(1) as usize,
            connections: self.connections(),
            timeout: self.timeout()?,
        };
        let made = Webhook::new(settings);
        made.map(Sink::Webhook).map_err(|error| CliError::failed("no webhook can be called").because(error))
    }

    fn smtp(&self, url: &Url) -> Result<Sink, CliError> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(CliError::usage("an SMTP address has no name and no password")
                .help("`--smtp-user NAME --smtp-password-file FILE` log in"));
        }
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| {
            CliError::usage("an SMTP address has a host").help("smtp://mail.example.com:587")
        })?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let encryption = match (url.scheme(), self.smtp_plain) {
            ("smtps", _) => Encryption::Tls,
            (_, false) => Encryption::StartTls,
            (_, true) => Encryption::None,
        };
        let from = self.from.as_deref().ok_or_else(|| {
            CliError::usage("mails come from somebody").help("--from \"Orders <orders@example.com>\"")
        })?;
        let from: Mailbox = from.parse().map_err(|error| {
            CliError::usage(format!("--from says no mail address: {}", quoted(from)))
                .because(error)
                .help("--from \"Orders <orders@example.com>\"")
        })?;
        let login = match (&self.smtp_user, &self.smtp_password_file) {
            (Some(user), Some(file)) => {
                readable("--smtp-password-file", file)?;
                let local = matches!(host, "localhost" | "127.0.0.1" | "::1");
                if encryption == Encryption::None && !local {
                    return Err(CliError::usage("a password would be sent in the clear")
                        .help("leave out --smtp-plain, or --smtp-user"));
                }
                Some((user.clone(), file.clone()))
            }
            (None, None) => None,
            _ => {
                return Err(CliError::usage("a login has a name and a password")
                    .help("`--smtp-user NAME --smtp-password-file FILE`, both of them"));
            }
        };
        let default = if encryption == Encryption::Tls { SUBMISSIONS } else { SUBMISSION };
        Ok(Sink::Smtp(Smtp::new(SmtpSettings {
            host: host.to_owned(),
            port: url.port().unwrap_or(default),
            encryption,
            login,
            from,
            lists: self.lists()?,
            connections: self.connections(),
            timeout: self.timeout()?,
        })))
    }

    fn lists(&self) -> Result<Vec<(String, Address)>, CliError> {
        let list = |list: &String| {
            let wrong = || {
                CliError::usage(format!("--list is LIST=ADDRESS, not {}", quoted(list)))
                    .help("--list operations=ops@example.com")
            };
            let (name, address) = list.split_once('=').ok_or_else(wrong)?;
            Ok((name.to_owned(), address.parse().map_err(|error| wrong().because(error))?))
        };
        self.list.iter().map(list).collect()
    }

    fn pace(&self) -> Result<Option<Pace>, CliError> {
        let burst = NonZeroU32::new(self.burst.unwrap_or(1))
            .ok_or_else(|| CliError::usage("--burst is at least 1"))?;
        let Some(rate) = &self.rate else {
            return if self.burst.is_some() {
                Err(CliError::usage("--burst goes with --rate").help("`--rate 50/s --burst 100`"))
            } else {
                Ok(None)
            };
        };
        let wrong = |error| CliError::usage("--rate says no rate").because(error);
        let rate = Rate::parse(rate).map_err(wrong)?;
        Ok(Some(Pace { rate, burst }))
    }

    fn connections(&self) -> usize {
        self.connections.unwrap_or(4).max(1) as usize
    }

    fn timeout(&self) -> Result<Duration, CliError> {
        duration("--send-timeout", self.send_timeout.as_deref(), Duration::from_secs(10))
    }
}

/// What a flag says, or the default.
pub(super) fn duration(flag: &str, text: Option<&str>, default: Duration) -> Result<Duration, CliError> {
    let Some(text) = text else { return Ok(default) };
    let parsed = unit::Duration::parse(text)
        .map_err(|error| CliError::usage(format!("{flag} says no duration")).because(error))?;
    u64::try_from(parsed.as_millis())
        .ok()
        .map(Duration::from_millis)
        .ok_or_else(|| CliError::usage(format!("{flag} is a time, not {}", quoted(text))))
}

/// A place without what is nobody's business: a webhook's path and query may be its key.
fn shown(place: &str) -> String {
    match place.parse::<Url>() {
        Ok(url) if url.has_host() => {
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            let rest = if url.path().len() > 1 || url.query().is_some() { "/…" } else { "" };
            format!("{}://{}{port}{rest}", url.scheme(), url.host_str().unwrap_or_default())
        }
        _ => place.to_owned(),
    }
}

fn writable(path: &Path) -> Result<Sink, CliError> {
    std::fs::OpenOptions::new().append(true).create(true).open(path).map_err(|error| {
        CliError::failed(format!("cannot append to {}", quoted(&path.display().to_string()))).because(error)
    })?;
    Ok(Sink::File(FileSink::file(path.to_owned())))
}

fn readable(flag: &str, path: &Path) -> Result<(), CliError> {
    std::fs::File::open(path).map(drop).map_err(|error| {
        CliError::failed(format!("{flag} cannot be read: {}", quoted(&path.display().to_string())))
            .because(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_shown_without_its_keys() {
        let rows = [
            ("console", "console"),
            ("file:/var/lib/letters.ndjson", "file:/var/lib/letters.ndjson"),
            ("smtp://mail.example.com", "smtp://mail.example.com"),
            ("smtps://mail.example.com:465", "smtps://mail.example.com:465"),
            ("https://hooks.example.com/services/T0/SECRET?key=1", "https://hooks.example.com/…"),
            ("https://user:secret@hooks.example.com:8443", "https://hooks.example.com:8443"),
        ];
        for (place, expected) in rows {
            assert_eq!(shown(place), expected);
        }
    }

    #[test]
    fn what_cannot_be_delivered_by_is_refused_with_what_can() {
        let from = || Some("Orders <orders@example.com>".to_owned());
        let email =
            |place: &str| MeansArgs { email: Some(place.to_owned()), from: from(), ..MeansArgs::default() };
        let sms = |place: &str| MeansArgs { sms: Some(place.to_owned()), ..MeansArgs::default() };
        let password = tempfile::NamedTempFile::new().unwrap();
        let login = |place: &str| MeansArgs {
            smtp_user: Some("orders".to_owned()),
            smtp_password_file: Some(password.path().to_owned()),
            smtp_plain: true,
            ..email(place)
        };
        let rows = [
            email("mail.example.com"),
            email("ftp://mail.example.com"),
            email("smtp://user:secret@mail.example.com"),
            MeansArgs { from: None, ..email("smtp://mail.example.com") },
            MeansArgs { from: Some("orders".to_owned()), ..email("smtp://mail.example.com") },
            MeansArgs { smtp_password_file: None, ..login("smtp://localhost") },
            login("smtp://mail.example.com"),
            sms("smtp://mail.example.com"),
            MeansArgs { without_address: Some("https://example.com".to_owned()), ..MeansArgs::default() },
            MeansArgs { rate: Some("fast".to_owned()), ..MeansArgs::default() },
            MeansArgs { burst: Some(5), ..MeansArgs::default() },
            MeansArgs { list: vec!["operations".to_owned()], ..email("smtp://mail.example.com") },
            MeansArgs { send_timeout: Some("soon".to_owned()), ..email("smtp://mail.example.com") },
        ];
        let errors: Vec<String> = rows.iter().map(|args| args.providers().unwrap_err().to_string()).collect();
        insta::assert_snapshot!(errors.join("\n"));
        assert!(login("smtp://localhost:2525").providers().is_ok());
    }

    #[test]
    fn one_place_is_one_provider() {
        let args = MeansArgs { rate: Some("5/s".to_owned()), ..MeansArgs::default() };
        let providers = args.providers().unwrap();
        assert!(Arc::ptr_eq(&providers.email, &providers.without_address));
    }
}
