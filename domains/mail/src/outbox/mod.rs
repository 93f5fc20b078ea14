//! Letters that wait: when each is tried, and what becomes of it. Pure.

pub mod service;
pub(crate) mod store;

use chrono::{DateTime, TimeDelta, Utc};

/// How long who claims a letter may take to send it. Longer than the longest conversation with a server.
pub(crate) const LEASE: TimeDelta = TimeDelta::minutes(3);
/// How long a letter is tried at most (RFC 5321, section 4.5.4.1: four to five days).
const PATIENCE: TimeDelta = TimeDelta::days(5);
/// The longest wait between two tries.
const LONGEST: TimeDelta = TimeDelta::hours(24);
/// The longest wait while no server answers at all: that says nothing about the letter.
const LONGEST_AWAY: TimeDelta = TimeDelta::minutes(5);

/// What came of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The server has taken it over.
    Sent,
    /// The server refused it for now (4xx).
    Later(String),
    /// No server was reached, or it broke off.
    Away(String),
    /// The server refused it for good (5xx), or it cannot be a letter.
    Refused(String),
}

/// What is written down after a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Sent,
    Again { at: DateTime<Utc>, why: String },
    GivenUp { why: String },
}

/// What becomes of a letter after its `attempts`-th try.
pub(crate) fn fate(
    outcome: Outcome,
    attempts: i32,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Fate {
    let (why, longest) = match outcome {
        Outcome::Sent => return Fate::Sent,
        Outcome::Refused(why) => return Fate::GivenUp { why },
        Outcome::Later(why) => (why, LONGEST),
        Outcome::Away(why) => (why, LONGEST_AWAY),
    };
    let end = expires_at.unwrap_or(created_at + PATIENCE).min(created_at + PATIENCE);
    if now >= end {
        return Fate::GivenUp { why: format!("not taken in time; last: {why}") };
    }
    let at = now + wait(attempts).min(longest);
    // A last try just before the end is worth more than one after it.
    Fate::Again { at: at.min(end), why }
}

/// One minute, then twice as long each time.
fn wait(attempts: i32) -> TimeDelta {
    let doublings = u32::try_from(attempts - 1).unwrap_or(0).min(11);
    TimeDelta::minutes(1 << doublings)
}

/// A reason as it may be kept: bounded, on one line, and without the address of the recipient, which servers like to
/// repeat.
pub(crate) fn reason(said: &str, recipient: &str) -> String {
    let line: String = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = if recipient.is_empty() { line } else { without(&line, recipient) };
    line.chars().filter(|letter| !letter.is_control()).take(300).collect()
}

/// A text without a word, whatever its case.
fn without(text: &str, word: &str) -> String {
    let (lower, word) = (text.to_ascii_lowercase(), word.to_ascii_lowercase());
    let mut kept = String::new();
    let mut from = 0;
    for (at, found) in lower.match_indices(&word) {
        kept.push_str(&text[from..at]);
        kept.push_str("(recipient)");
        from = at + found.len();
    }
    kept + &text[from..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes)
    }

    fn again(outcome: Outcome, attempts: i32) -> i64 {
        match fate(outcome, attempts, at(0), None, at(10)) {
            Fate::Again { at: next, .. } => (next - at(10)).num_minutes(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn waits_double_from_a_minute_to_a_day() {
        let later = || Outcome::Later("451".into());
        let waits: Vec<_> = (1..=13).map(|attempts| again(later(), attempts)).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1440, 1440]);
    }

    #[test]
    fn a_server_that_is_away_is_asked_every_five_minutes() {
        assert_eq!(again(Outcome::Away("refused".into()), 1), 1);
        assert_eq!(again(Outcome::Away("refused".into()), 9), 5);
    }

    #[test]
    fn nothing_is_tried_for_ever() {
        let later = || Outcome::Later("451".into());
        let end = at(5 * 24 * 60);
        assert_eq!(
            fate(later(), 12, at(0), None, end),
            Fate::GivenUp { why: "not taken in time; last: 451".into() }
        );
        assert!(
            matches!(fate(later(), 12, at(0), None, end - TimeDelta::minutes(1)), Fate::Again { at, .. } if at == end)
        );
        // A letter whose link is dead is not sent.
        assert!(matches!(fate(later(), 1, at(0), Some(at(30)), at(31)), Fate::GivenUp { .. }));
        assert!(
            matches!(fate(Outcome::Refused("550".into()), 1, at(0), None, at(0)), Fate::GivenUp { why } if why == "550")
        );
    }

    #[test]
    fn a_reason_does_not_hold_the_recipient() {
        let said = "5.1.1 <Ada@Example.com>:\r\n Recipient ada@example.com unknown";
        assert_eq!(reason(said, "ada@example.com"), "5.1.1 <(recipient)>: Recipient (recipient) unknown");
        assert_eq!(reason(&"x".repeat(1000), "").len(), 300);
    }
}
