//! Limits guesses at passwords and codes, and requests for letters, by account and by network.
//!
//! A guess is **charged when it is asked for**, before the password is hashed or the code compared, so that guesses sent
//! at once are counted as guesses sent one after the other. [`service::succeeded`] gives back what a right one was
//! charged; a wrong one stays charged, and there is nothing to call for it. When one of its buckets is full a guess is
//! refused and charges none.
//!
//! **The victim is not locked out.** Who shows the token of a device on which the account was signed in to before is
//! counted in a bucket of that device alone; all others share one. So strangers who spend theirs leave the owner's
//! alone (OWASP, "Device cookies"). Where that does not help, on a new device, a reset of the password by mail gives
//! the strangers' bucket back, and passkeys are not guessed at and not counted.
//!
//! A bucket of an account is that of the address that was typed, whether an account has it or not: a refusal tells
//! nothing. What is counted stands in the database as a keyed hash, so it holds in every replica and over restarts.
//!
//! It never decides whether a guess is right, and it never refuses a request that is not a guess.

mod rule;
pub mod service;
mod store;

use std::net::{IpAddr, Ipv6Addr};

use kernel::Origin;
pub use rule::{OnSuccess, RULES, Rule};
pub use store::POUR;
use uuid::Uuid;

/// Something that is tried, and could be tried again and again.
#[derive(Clone, Debug)]
pub enum Guess {
    /// An e-mail and a password.
    Password {
        /// The address as it was typed.
        email: String,
        /// The device that the request's device token names, **if it belongs to the account of the address**.
        device: Option<Uuid>,
        /// From where.
        network: Option<IpAddr>,
    },
    /// A code of a second factor, or a recovery code.
    Code {
        /// Whose.
        person: Uuid,
        /// What the code answers: the hash of the challenge's token, or the session in which it was asked for.
        challenge: Vec<u8>,
        /// The device that the request's device token names, if it is the person's.
        device: Option<Uuid>,
        /// From where.
        network: Option<IpAddr>,
    },
    /// A letter that anybody can ask to be sent to any address: reset, confirmation, invitation.
    Letter {
        /// What kind of letter: somebody who has one kind sent in numbers keeps no other from arriving.
        kind: &'static str,
        /// To which address.
        email: String,
        /// From where it is asked.
        network: Option<IpAddr>,
    },
    /// A new account.
    SignUp {
        /// From where.
        network: Option<IpAddr>,
    },
}

/// What may be done with a guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Verify it, send it.
    Go,
    /// Answer as if the letter were sent, and send none: this address has had enough of them.
    Silent,
    /// Refuse it; how many seconds until another would be let through.
    Wait(u64),
}

/// The network address of a request; `None` when it is not known, or is this machine's own: then a proxy stands there
/// whose word is not taken, and one bucket would count all of its clients as one.
pub fn network(origin: &Origin) -> Option<IpAddr> {
    let address = origin.address.as_deref()?.parse::<IpAddr>().ok()?.to_canonical();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

/// The network that is counted as one client: an IPv4 address; of IPv6 a /64, which is what one subscriber gets (RFC
/// 6177) and in which an address is anybody's choice.
fn near(address: IpAddr) -> Vec<u8> {
    match address.to_canonical() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => prefix(address, 64),
    }
}

/// The wider network around it: the /24, and of IPv6 the /48, which is the most that a site gets.
fn wide(address: IpAddr) -> Vec<u8> {
    match address.to_canonical() {
        IpAddr::V4(address) => address.octets()[..3].to_vec(),
        IpAddr::V6(address) => prefix(address, 48),
    }
}

fn prefix(address: Ipv6Addr, bits: usize) -> Vec<u8> {
    address.octets()[..bits / 8].to_vec()
}

/// A rule, and what it counts in this case.
type Counted = (&'static Rule, Vec<u8>);

impl Guess {
    /// The buckets that it is charged to.
    fn buckets(&self) -> Vec<Counted> {
        match self {
            Self::Password { email, device, network } => {
                let account = normal(email);
                let own = match device {
                    Some(device) => {
                        let known = joined(&account, device.as_bytes());
                        vec![(&rule::PASSWORD_DEVICE, known.clone()), (&rule::PASSWORD_DEVICE_ROW, known)]
                    }
                    None => vec![
                        (&rule::PASSWORD_STRANGERS, account.clone()),
                        (&rule::PASSWORD_STRANGERS_ROW, account),
                    ],
                };
                with_network(own, *network, &rule::GUESS_NETWORK, &rule::GUESS_WIDE)
            }
            Self::Code { person, challenge, device, network } => {
                let person = person.as_bytes();
                let mut own = vec![(&rule::CODE_CHALLENGE, joined(person, challenge))];
                match device {
                    Some(device) => {
                        let known = joined(person, device.as_bytes());
                        own.extend([(&rule::CODE_DEVICE, known.clone()), (&rule::CODE_DEVICE_ROW, known)]);
                    }
                    None => own.extend([
                        (&rule::CODE_STRANGERS, person.to_vec()),
                        (&rule::CODE_STRANGERS_ROW, person.to_vec()),
                    ]),
                }
                with_network(own, *network, &rule::GUESS_NETWORK, &rule::GUESS_WIDE)
            }
            Self::Letter { kind, email, network } => {
                let own = vec![(&rule::LETTER_ADDRESS, joined(kind.as_bytes(), &normal(email)))];
                with_network(own, *network, &rule::LETTER_NETWORK, &rule::LETTER_WIDE)
            }
            Self::SignUp { network } => {
                with_network(Vec::new(), *network, &rule::SIGN_UP_NETWORK, &rule::SIGN_UP_WIDE)
            }
        }
    }

    /// Whether one more than a bucket holds is refused in silence.
    fn is_silent(&self, rule: &Rule) -> bool {
        matches!(self, Self::Letter { .. }) && rule.name == rule::LETTER_ADDRESS.name
    }
}

/// An address as it is counted: as it is looked up.
fn normal(email: &str) -> Vec<u8> {
    email.trim().to_lowercase().into_bytes()
}

/// Two values as one that no other two make.
fn joined(first: &[u8], second: &[u8]) -> Vec<u8> {
    [&(first.len() as u64).to_be_bytes(), first, second].concat()
}

fn with_network(
    mut own: Vec<Counted>,
    network: Option<IpAddr>,
    narrow_rule: &'static Rule,
    wide_rule: &'static Rule,
) -> Vec<Counted> {
    if let Some(address) = network {
        own.extend([(narrow_rule, near(address)), (wide_rule, wide(address))]);
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(address: &str) -> Option<IpAddr> {
        network(&Origin { address: Some(address.to_owned()), ..Origin::default() })
    }

    #[test]
    fn one_client_has_one_bucket_however_it_writes_its_address() {
        let counted = |address: &str| from(address).map(near);
        assert_eq!(counted("2001:db8:1:2::1"), counted("2001:db8:1:2:ffff:ffff:ffff:ffff"), "one /64");
        assert_ne!(counted("2001:db8:1:2::1"), counted("2001:db8:1:3::1"), "another /64");
        assert_eq!(counted("::ffff:192.0.2.7"), counted("192.0.2.7"), "IPv4 in IPv6");
        assert_ne!(counted("192.0.2.7"), counted("192.0.2.8"));
        let around = |address: &str| from(address).map(wide);
        assert_eq!(around("192.0.2.7"), around("192.0.2.8"));
        assert_eq!(around("2001:db8:1:2::1"), around("2001:db8:1:3::1"));
        assert_ne!(around("2001:db8:1:2::1"), around("2001:db8:2:2::1"));
    }

    #[test]
    fn a_proxy_that_is_not_told_does_not_make_all_clients_one() {
        for own in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", "", "unix"] {
            assert_eq!(from(own), None, "{own}");
        }
    }

    #[test]
    fn addresses_are_counted_as_they_are_looked_up() {
        assert_eq!(normal(" Ada@Example.COM "), normal("ada@example.com"));
        assert_ne!(joined(b"ab", b"c"), joined(b"a", b"bc"));
    }

    #[test]
    fn rules_have_names_of_their_own_and_refuse_no_first_guess() {
        let names: std::collections::BTreeSet<_> = RULES.iter().map(|rule| rule.name).collect();
        assert_eq!(names.len(), RULES.len());
        for rule in RULES {
            assert!(rule.at_once >= 1 && rule.every > chrono::TimeDelta::zero(), "{}", rule.name);
        }
    }
}
