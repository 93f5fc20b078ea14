//! Proof that a domain is somebody's: a TXT record that only who runs the domain can write.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;
use hickory_resolver::{ResolverBuilder, TokioResolver};

/// Longest wait for one answer.
const WAIT: Duration = Duration::from_secs(2);

/// A domain as it is compared: lower case, ASCII (RFC 5891), without a dot at its end. `None` for what is no name of two labels or
/// more, as an address is none.
pub fn domain(text: &str) -> Option<String> {
    let url::Host::Domain(name) = url::Host::parse(text.trim().trim_end_matches('.')).ok()? else {
        return None;
    };
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let labels: Vec<&str> = name.split('.').collect();
    let named = labels.last().is_some_and(|last| !last.bytes().all(|byte| byte.is_ascii_digit()));
    (labels.len() >= 2 && name.len() <= 253 && named && labels.iter().all(|one| label(one))).then_some(name)
}

/// Asks for TXT records, and keeps no answer: who has just written a record need not wait for an old answer to end.
#[derive(Clone)]
pub struct Records(Result<TokioResolver, String>);

impl std::fmt::Debug for Records {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Records").finish_non_exhaustive()
    }
}

impl Records {
    /// Asks the server at an address, or those that the machine names. Should it name none, asking fails, not this.
    pub fn new(server: Option<SocketAddr>) -> Self {
        Self(resolver(server).map_err(|error| error.to_string()))
    }

    /// Whether a name has a TXT record with exactly this text. `false` when the name has none or is not there.
    ///
    /// # Errors
    /// The servers could not be asked: nothing is known.
    pub async fn has(&self, name: &str, text: &str) -> Result<bool, String> {
        // The dot at the end keeps the machine's own search list out of it.
        let resolver = self.0.as_ref().map_err(Clone::clone)?;
        let found = match resolver.txt_lookup(format!("{name}.")).await {
            Ok(found) => found,
            Err(error) if is_nothing(&error) => return Ok(false),
            Err(error) => return Err(error.to_string()),
        };
        Ok(found.answers().iter().any(|record| match &record.data {
            RData::TXT(found) => found.txt_data.concat() == text.as_bytes(),
            _ => false,
        }))
    }
}

fn resolver(server: Option<SocketAddr>) -> Result<TokioResolver, NetError> {
    let mut builder: ResolverBuilder<TokioRuntimeProvider> = match server {
        None => TokioResolver::builder_tokio()?,
        Some(address) => {
            let (mut udp, mut tcp) = (ConnectionConfig::udp(), ConnectionConfig::tcp());
            (udp.port, tcp.port) = (address.port(), address.port());
            let server = NameServerConfig::new(address.ip(), true, vec![udp, tcp]);
            let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
    };
    let options = builder.options_mut();
    options.cache_size = 0;
    options.timeout = WAIT;
    options.attempts = 2;
    builder.build()
}

fn is_nothing(error: &NetError) -> bool {
    error.is_nx_domain() || error.is_no_records_found()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_has_one_spelling() {
        for (written, name) in [
            ("Example.COM", "example.com"),
            ("example.com.", "example.com"),
            (" example.com ", "example.com"),
            ("müller.example", "xn--mller-kva.example"),
        ] {
            assert_eq!(domain(written).as_deref(), Some(name));
        }
        for wrong in [
            "",
            "com",
            "127.0.0.1",
            "::1",
            "a..b",
            "-a.example",
            "a_b.example",
            "a b.example",
            "a.example/x",
            "*.example.com",
        ] {
            assert_eq!(domain(wrong), None, "{wrong}");
        }
    }
}
