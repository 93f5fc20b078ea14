//! SMTP: encrypted, unless the server is on this very machine.

use std::error::Error as _;
use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use lettre::message::Mailbox;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{Error as Failure, PoolConfig};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use url::{Host, Url};
use uuid::Uuid;

use super::message::message;
use crate::error::Error;
use crate::letter::Letter;
use crate::outbox::Outcome;

/// Longest wait for a server's answer to one command.
const ANSWER: Duration = Duration::from_secs(20);
/// Most conversations at once.
const CONVERSATIONS: u32 = 4;

/// Where letters are handed over, and whom they are from.
#[derive(Clone, Copy, Default)]
pub struct SmtpOptions<'a> {
    /// `smtp://…` (with STARTTLS) or `smtps://…`, with user and password, percent-encoded.
    pub url: &'a str,
    /// The sender, as `Coulisse <post@example.com>`.
    pub from: &'a str,
    /// Certificates to trust beside the system's, in PEM.
    pub ca: Option<&'a [u8]>,
}

/// A server that takes letters.
#[derive(Clone)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smtp").field("from", &self.from).finish_non_exhaustive()
    }
}

fn wrong(why: impl Into<String>) -> Error {
    Error::Setting { option: "--smtp-url", why: why.into() }
}

/// Whether a server is on this machine: what is said to it passes no network.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            name.eq_ignore_ascii_case("localhost")
                || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl Smtp {
    /// Reads the settings; nothing is asked of the server yet. `smtp://` needs STARTTLS, and a server that does not offer
    /// it gets no letter, unless it is on this machine, where `?tls=required` asks for it all the same.
    ///
    /// # Errors
    /// A setting is wrong; the text never holds the URL, for there is a password in it. Needs a tokio runtime.
    pub fn new(options: SmtpOptions<'_>) -> Result<Self, Error> {
        let url = Url::parse(options.url).map_err(|_| {
            wrong("this is not an address such as smtp://user:password@mail.example.com:587 or smtps://…")
        })?;
        let host =
            url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| wrong("it names no server"))?;
        let asked = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
        let required = match (url.scheme(), asked.as_deref()) {
            ("smtps", None) | ("smtp" | "smtps", Some("required")) => true,
            ("smtp", None) => !is_loopback(&url),
            ("smtp", Some("none")) if is_loopback(&url) => false,
            ("smtp" | "smtps", Some("none")) => {
                return Err(wrong("letters are not sent unencrypted over a network: leave tls=none out"));
            }
            ("smtp" | "smtps", Some(_)) => return Err(wrong("tls is `required`, or left out")),
            _ => return Err(wrong("the address begins with smtp:// or smtps://")),
        };
        let from: Mailbox = options.from.parse().map_err(|_| Error::Setting {
            option: "--mail-from",
            why: "this is not a sender such as `Coulisse <post@example.com>`".to_owned(),
        })?;
        let mut spoken = url.clone();
        spoken.set_query(match (url.scheme(), required) {
            ("smtp", true) => Some("tls=required"),
            _ => None,
        });
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(spoken.as_str()).map_err(|_| {
            wrong("user or password is not written as an address needs it: percent-encode it")
        })?;
        if required {
            let mut trusted = TlsParameters::builder(host.trim_matches(['[', ']']).to_owned());
            if let Some(pem) = options.ca {
                trusted =
                    trusted.add_root_certificate(Certificate::from_pem(pem).map_err(|_| Error::Setting {
                        option: "--smtp-ca",
                        why: "the file holds no certificate in PEM".to_owned(),
                    })?);
            }
            let trusted = trusted.build().map_err(|e| wrong(format!("TLS cannot be prepared: {e}")))?;
            let wrapped = url.scheme() == "smtps";
            builder = builder.tls(if wrapped { Tls::Wrapper(trusted) } else { Tls::Required(trusted) });
        }
        let transport = builder
            .hello_name(ClientId::Domain(from.email.domain().to_owned()))
            .timeout(Some(ANSWER))
            .pool_config(PoolConfig::new().max_size(CONVERSATIONS))
            .build();
        Ok(Self { transport, from })
    }

    /// Whether the server answers, and lets us in; else why not.
    ///
    /// # Errors
    /// The reason, for people.
    pub async fn answers(&self) -> Result<(), String> {
        match self.transport.test_connection().await {
            Ok(true) => Ok(()),
            Ok(false) => Err("it answers, and then does not".to_owned()),
            Err(failure) => Err(told(&failure)),
        }
    }

    /// Hands a letter over.
    pub(super) async fn send(&self, id: Uuid, letter: &Letter, now: DateTime<Utc>) -> Outcome {
        let message = match message(id, letter, &self.from, now) {
            Ok(message) => message,
            Err(why) => return Outcome::Refused(why),
        };
        match self.transport.send(message).await {
            Ok(_) => Outcome::Sent,
            Err(failure) => outcome(&failure),
        }
    }
}

/// Codes that refuse us, and not the letter: the service is closing or not there, a password is wrong, encryption is missing
/// (RFC 5321, 4954 and 7504).
const OF_OURS: [u16; 6] = [421, 521, 530, 534, 535, 538];

fn outcome(failure: &Failure) -> Outcome {
    let why = told(failure);
    let code = failure.status().map(u16::from);
    if code.is_some_and(|code| OF_OURS.contains(&code)) {
        Outcome::Away(why)
    } else if failure.is_permanent() {
        Outcome::Refused(why)
    } else if failure.is_transient() {
        Outcome::Later(why)
    } else {
        Outcome::Away(why)
    }
}

/// What a failure says, with its causes. It never holds what was sent.
fn told(failure: &Failure) -> String {
    let mut told = failure.to_string();
    let mut cause = failure.source();
    while let Some(deeper) = cause {
        let words = deeper.to_string();
        if !told.contains(&words) {
            told.push_str(": ");
            told.push_str(&words);
        }
        cause = deeper.source();
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    const FROM: &str = "Coulisse <post@example.com>";

    fn read(url: &str) -> Result<Smtp, Error> {
        Smtp::new(SmtpOptions { url, from: FROM, ca: None })
    }

    #[tokio::test]
    async fn letters_are_not_sent_in_the_clear_over_a_network() {
        for url in
            ["smtp://mail.example.com?tls=none", "smtps://localhost?tls=none", "smtp://10.0.0.1/?tls=none"]
        {
            assert!(matches!(read(url), Err(Error::Setting { option: "--smtp-url", .. })), "{url}");
        }
        for url in
            ["smtp://mail.example.com", "smtps://mail.example.com", "smtp://localhost", "smtp://[::1]:2525"]
        {
            assert!(read(url).is_ok(), "{url}");
        }
    }

    #[tokio::test]
    async fn what_is_wrong_is_told_without_the_password() {
        for url in [
            "secret",
            "http://u:secret@example.com",
            "smtp://u:secret@example.com?tls=perhaps",
            "smtp:secret",
        ] {
            let told = read(url).err().map(|error| format!("{error} {error:?}")).unwrap_or_default();
            assert!(told.contains("--smtp-url") && !told.contains("secret"), "{url}: {told}");
        }
        let smtp = read("smtp://u:secret@example.com").expect("settings");
        assert!(!format!("{smtp:?}").contains("secret"));
        let options = SmtpOptions { url: "smtp://localhost", from: "nobody", ca: None };
        assert!(matches!(Smtp::new(options), Err(Error::Setting { option: "--mail-from", .. })));
    }
}
