//! What clients are told of their budget, by the fields of draft-ietf-httpapi-ratelimit-headers, revision 11 (May 2026),
//! and by `Retry-After` (RFC 9110, section 10.2.3).
//!
//! The draft's quota units are a registry without a unit of cost, so `qu` is left out and a parameter of our own says what
//! is counted, as section 3.1 allows: `graphql-unit="cost"`. No partition key is told: it would name the client.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use super::{Bucket, Count, Refused, Standing};

/// The field that tells the limits (section 3).
pub const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// The field that tells what is left of them (section 4).
pub const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// One limit, as a client is told of it: so many in each window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its name: letters, digits and hyphens.
    pub name: &'static str,
    /// Units in a window.
    pub quota: u32,
    /// The window: as long as a full bucket takes to drain.
    pub window_seconds: u64,
    /// Whether units of cost are counted, and not requests.
    pub is_cost: bool,
}

impl From<&Bucket> for Policy {
    fn from(bucket: &Bucket) -> Self {
        let window_seconds = bucket.capacity.div_ceil(bucket.drain_per_second.get()).max(1).into();
        Self { name: bucket.key.name(), quota: bucket.capacity, window_seconds, is_cost: true }
    }
}

impl From<&Count> for Policy {
    fn from(count: &Count) -> Self {
        let (quota, window_seconds) = (count.most.get(), count.per_seconds.get().into());
        Self { name: count.name, quota, window_seconds, is_cost: false }
    }
}

/// Tells the limits that a request was held against, and how the tightest of them stands.
pub fn tell(headers: &mut HeaderMap, policies: &[Policy], standing: &Standing) {
    let policies: Vec<String> = policies.iter().map(item_of_policy).collect();
    set(headers, RATE_LIMIT_POLICY, &policies.join(", "));
    set(headers, RATE_LIMIT, &item_of_standing(standing, standing.reset));
}

/// Tells why a request is refused: the limits, that nothing fits for now, and when to come back. Of a request that never
/// fits only the limits are told.
pub fn tell_refusal(headers: &mut HeaderMap, policies: &[Policy], refused: &Refused) {
    let policies: Vec<String> = policies.iter().map(item_of_policy).collect();
    set(headers, RATE_LIMIT_POLICY, &policies.join(", "));
    if let Refused::Exhausted { standing, retry_after } = refused {
        // Both fields name one moment: section 5 of the draft.
        set(headers, RATE_LIMIT, &item_of_standing(standing, *retry_after));
        tell_retry_after(headers, *retry_after);
    }
}

/// Says when to come back, in whole seconds, one at least.
pub fn tell_retry_after(headers: &mut HeaderMap, wait: Duration) {
    headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds(wait)));
}

/// A wait in whole seconds, rounded up, one at least.
pub fn seconds(wait: Duration) -> u64 {
    whole_seconds(wait).max(1)
}

fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

fn item_of_policy(policy: &Policy) -> String {
    let unit = if policy.is_cost { ";graphql-unit=\"cost\"" } else { "" };
    format!("{};q={};w={}{unit}", quoted(policy.name), policy.quota, policy.window_seconds)
}

fn item_of_standing(standing: &Standing, window: Duration) -> String {
    format!("{};r={};t={}", quoted(standing.name), standing.remaining, whole_seconds(window))
}

/// A String of structured fields (RFC 9651, section 4.1.6); what it cannot hold is left out.
fn quoted(name: &str) -> String {
    let kept = name.chars().filter(|c| (' '..='~').contains(c) && !['"', '\\'].contains(c));
    format!("\"{}\"", kept.collect::<String>())
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::budget::Key;
    use uuid::Uuid;

    fn bucket(name: &'static str, capacity: u32, drain: u32) -> Bucket {
        let drain_per_second = NonZeroU32::new(drain).expect("a drain");
        Bucket { key: Key::company(name, Uuid::nil()), capacity, drain_per_second }
    }

    fn standing() -> Standing {
        Standing { bucket: 0, name: "client", limit: 1000, remaining: 40, reset: Duration::from_millis(4300) }
    }

    fn text(headers: &HeaderMap, name: &HeaderName) -> String {
        headers.get(name).map(|value| value.to_str().expect("ASCII").to_owned()).unwrap_or_default()
    }

    #[test]
    fn the_fields_read_as_the_draft_writes_them() {
        let mut headers = HeaderMap::new();
        let policies =
            [Policy::from(&bucket("client", 1000, 100)), Policy::from(&bucket("company", 5000, 333))];
        tell(&mut headers, &policies, &standing());
        assert_eq!(
            text(&headers, &RATE_LIMIT_POLICY),
            "\"client\";q=1000;w=10;graphql-unit=\"cost\", \"company\";q=5000;w=16;graphql-unit=\"cost\""
        );
        assert_eq!(text(&headers, &RATE_LIMIT), "\"client\";r=40;t=5");
        assert!(headers.get(header::RETRY_AFTER).is_none());
    }

    #[test]
    fn a_count_is_told_in_requests() {
        let (most, per_seconds) = (NonZeroU32::new(10).expect("10"), NonZeroU32::new(60).expect("60"));
        let mut headers = HeaderMap::new();
        let count = Count { name: "sign-in", most, per_seconds };
        tell(&mut headers, &[Policy::from(&count)], &Standing { name: "sign-in", ..standing() });
        assert_eq!(text(&headers, &RATE_LIMIT_POLICY), "\"sign-in\";q=10;w=60");
    }

    #[test]
    fn a_refusal_names_one_moment_in_both_fields() {
        let mut headers = HeaderMap::new();
        let retry_after = Duration::from_millis(1500);
        let refused = Refused::Exhausted { standing: standing(), retry_after };
        tell_refusal(&mut headers, &[Policy::from(&bucket("client", 1000, 100))], &refused);
        assert_eq!(text(&headers, &header::RETRY_AFTER), "2");
        assert_eq!(text(&headers, &RATE_LIMIT), "\"client\";r=40;t=2");
    }

    #[test]
    fn nobody_is_told_to_come_back_with_what_never_fits() {
        let mut headers = HeaderMap::new();
        let refused = Refused::Never { bucket: 0, name: "client", limit: 1000, cost: 1001 };
        tell_refusal(&mut headers, &[Policy::from(&bucket("client", 1000, 100))], &refused);
        assert!(headers.get(header::RETRY_AFTER).is_none());
        assert_ne!(text(&headers, &RATE_LIMIT_POLICY), "");
    }

    #[test]
    fn a_wait_is_never_told_shorter_than_it_is() {
        for (micros, told) in [(0, 1), (1, 1), (1_000_000, 1), (1_000_001, 2), (59_999_999, 60)] {
            assert_eq!(seconds(Duration::from_micros(micros)), told);
        }
    }
}
