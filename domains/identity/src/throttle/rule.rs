//! How much of what is let through. All limits stand here, with why they are what they are.
//!
//! Sources: OWASP ASVS 5.0 6.1.1 and 6.3.1 (controls against credential stuffing and brute force, told, and without
//! locking the owner out by malice); NIST SP 800-63B-4 section 3.2.2 (at most 100 failures in a row with one
//! authenticator of one account); OWASP, "Slow Down Online Guessing Attacks with Device Cookies".

use chrono::TimeDelta;

/// What a right guess does to a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnSuccess {
    /// It empties it: the failures in a row have ended, or they were the owner's own.
    Empty,
    /// It gives back its own charge and leaves the failures: else who has one good password could guess at others
    /// without end, by signing in between.
    GiveBack,
    /// It stays charged, for what is counted is not failure but use.
    Keep,
}

/// A leaky bucket: so many at once, then one in every so long. In a time `t` it lets through at most
/// `at_once + t / every`.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// What is counted. Keys in the database are made with it.
    pub name: &'static str,
    /// How many at once.
    pub at_once: i32,
    /// After how long another.
    pub every: TimeDelta,
    /// What a right guess does.
    pub on_success: OnSuccess,
}

const fn rule(name: &'static str, at_once: i32, every: TimeDelta, on_success: OnSuccess) -> Rule {
    Rule { name, at_once, every, on_success }
}

/// Passwords for one account, from all devices that it does not know. People mistype a few times; ten at once and then
/// one a minute spares them and makes even one of the thousand commonest passwords a matter of a day, which the next
/// rule does not grant.
pub(super) const PASSWORD_STRANGERS: Rule =
    rule("password.strangers", 10, TimeDelta::seconds(60), OnSuccess::GiveBack);
/// The same, in a row: NIST's hundred. Then nothing from strangers for a month, until the password is reset by mail.
/// "In a row" is among strangers: that the owner signs in at home every morning does not give them another hundred.
pub(super) const PASSWORD_STRANGERS_ROW: Rule =
    rule("password.strangers.row", 100, TimeDelta::days(30), OnSuccess::Empty);
/// Passwords for one account, from one device on which it was signed in to before.
pub(super) const PASSWORD_DEVICE: Rule =
    rule("password.device", 10, TimeDelta::seconds(60), OnSuccess::Empty);
/// The same, in a row: NIST's hundred, for a device may be stolen.
pub(super) const PASSWORD_DEVICE_ROW: Rule =
    rule("password.device.row", 100, TimeDelta::days(30), OnSuccess::Empty);

/// Codes for one challenge. A challenge lives a few minutes and is not to be worked through; another needs the password
/// again.
pub(super) const CODE_CHALLENGE: Rule = rule("code.challenge", 5, TimeDelta::days(1), OnSuccess::Empty);
/// Codes for one account: never more than twenty in an hour (ten at once and ten more), of which a guess at six digits
/// with a step of skew hits one in 16,667 (ASVS 5.0 6.5.5 and 6.6.3: codes are limited too).
pub(super) const CODE_STRANGERS: Rule =
    rule("code.strangers", 10, TimeDelta::minutes(6), OnSuccess::GiveBack);
/// The same, in a row: NIST's hundred.
pub(super) const CODE_STRANGERS_ROW: Rule =
    rule("code.strangers.row", 100, TimeDelta::days(30), OnSuccess::Empty);
/// Codes for one account, from one device on which it was signed in to before.
pub(super) const CODE_DEVICE: Rule = rule("code.device", 10, TimeDelta::minutes(6), OnSuccess::Empty);
/// The same, in a row: NIST's hundred.
pub(super) const CODE_DEVICE_ROW: Rule = rule("code.device.row", 100, TimeDelta::days(30), OnSuccess::Empty);

/// Wrong passwords and codes from one network, at whatever accounts: an office behind one address mistypes less than
/// that, a list of stolen passwords is longer.
pub(super) const GUESS_NETWORK: Rule = rule("guess.network", 50, TimeDelta::seconds(10), OnSuccess::GiveBack);
/// The same from the network around it, for who has many addresses.
pub(super) const GUESS_WIDE: Rule = rule("guess.wide", 500, TimeDelta::seconds(1), OnSuccess::GiveBack);

/// Letters to one address that anybody can ask for: nobody's mailbox is filled by us.
pub(super) const LETTER_ADDRESS: Rule = rule("letter.address", 3, TimeDelta::minutes(20), OnSuccess::Keep);
/// Letters that one network asks for.
pub(super) const LETTER_NETWORK: Rule = rule("letter.network", 30, TimeDelta::minutes(2), OnSuccess::Keep);
/// The same for the network around it.
pub(super) const LETTER_WIDE: Rule = rule("letter.wide", 300, TimeDelta::seconds(12), OnSuccess::Keep);

/// Accounts that one network opens: a course of thirty may sign up in one room.
pub(super) const SIGN_UP_NETWORK: Rule = rule("sign_up.network", 30, TimeDelta::minutes(2), OnSuccess::Keep);
/// The same for the network around it.
pub(super) const SIGN_UP_WIDE: Rule = rule("sign_up.wide", 300, TimeDelta::seconds(12), OnSuccess::Keep);

/// Every rule.
pub const RULES: [&Rule; 16] = [
    &PASSWORD_STRANGERS,
    &PASSWORD_STRANGERS_ROW,
    &PASSWORD_DEVICE,
    &PASSWORD_DEVICE_ROW,
    &CODE_CHALLENGE,
    &CODE_STRANGERS,
    &CODE_STRANGERS_ROW,
    &CODE_DEVICE,
    &CODE_DEVICE_ROW,
    &GUESS_NETWORK,
    &GUESS_WIDE,
    &LETTER_ADDRESS,
    &LETTER_NETWORK,
    &LETTER_WIDE,
    &SIGN_UP_NETWORK,
    &SIGN_UP_WIDE,
];
