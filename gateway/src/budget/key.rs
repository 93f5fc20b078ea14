//! What a bucket belongs to.

use std::net::{IpAddr, Ipv6Addr};

use uuid::Uuid;

/// Whose buckets are kept together in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Class {
    /// Of somebody who is signed in.
    Known,
    /// Of a network address.
    Stranger,
}

/// Names a bucket. Every key of a company carries its id as a hash tag (`{…}`), so that a Redis cluster keeps the
/// buckets of one charge on one machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    name: &'static str,
    class: Class,
    text: Box<str>,
}

impl Key {
    /// The bucket that all clients of a company share. `name` tells what is bounded: letters, digits and hyphens.
    pub fn company(name: &'static str, company: Uuid) -> Self {
        Self { name, class: Class::Known, text: format!("{{{company}}}:{name}").into() }
    }

    /// The bucket of one client of a company: of a session's person, or of an API key.
    pub fn client(name: &'static str, company: Uuid, client: &str) -> Self {
        Self { name, class: Class::Known, text: format!("{{{company}}}:{name}:{client}").into() }
    }

    /// The bucket of who is known by a network address only.
    pub fn address(name: &'static str, address: IpAddr) -> Self {
        Self { name, class: Class::Stranger, text: format!("{{{}}}:{name}", network(address)).into() }
    }

    /// What is bounded, as header fields name it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn class(&self) -> Class {
        self.class
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// The part of an address that one subscriber has: all of IPv4, the first 64 bits of IPv6 (RFC 6177, section 2: an end
/// site chooses the rest as it likes). An IPv4 address mapped into IPv6 is the IPv4 address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(address: &str) -> Key {
        Key::address("requests", address.parse().expect("address"))
    }

    #[test]
    fn an_ipv6_subscriber_has_one_bucket_whatever_address_it_takes() {
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
    }

    #[test]
    fn an_ipv4_address_has_one_bucket_by_either_protocol() {
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }

    #[test]
    fn buckets_of_companies_clients_and_limits_are_told_apart() {
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let keys = [
            Key::company("cost", a),
            Key::company("cost", b),
            Key::company("sockets", a),
            Key::client("cost", a, ""),
            Key::client("cost", a, "x"),
            Key::client("cost", b, "x"),
        ];
        let distinct: std::collections::HashSet<_> = keys.iter().map(ToString::to_string).collect();
        assert_eq!(distinct.len(), keys.len());
    }
}
