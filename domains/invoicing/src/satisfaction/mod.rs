//! What a customer thinks of an invoice: a score from 1 (bad) to 5 (good), left once, by a signed link.
//!
//! Nobody else can leave it, no member in the customer's name; and it is never changed.

pub mod service;

use chrono::{DateTime, TimeDelta, Utc};
use kernel::signed::{self, Grant};
use kernel::vault::Vault;
use uuid::Uuid;

/// What the links are signed for.
const PURPOSE: &str = "satisfaction";

/// How long a link is good, in days.
pub const LINK_DAYS: i64 = 90;

/// The right to rate one invoice once: only a signed link gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RatingLink {
    company: Uuid,
    invoice: Uuid,
}

impl RatingLink {
    /// The link of a token, unless it is forged, of another purpose, or expired.
    pub fn verify(vault: &Vault, token: &str, now: DateTime<Utc>) -> Option<Self> {
        let Grant { company, thing, .. } = signed::verify(vault, PURPOSE, token, now)?;
        Some(Self { company, invoice: thing })
    }

    /// The company that was rated: whose scope to open.
    pub fn company(&self) -> Uuid {
        self.company
    }

    /// The invoice that is rated: who acts is its customer.
    pub fn invoice(&self) -> Uuid {
        self.invoice
    }
}

fn expiry(now: DateTime<Utc>) -> DateTime<Utc> {
    now + TimeDelta::days(LINK_DAYS)
}

/// What customers think, in sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scores {
    /// How many scores there are.
    pub count: i64,
    /// Their sum.
    pub sum: i64,
}

impl Scores {
    /// The mean score in hundredths, rounded half up; `None` of nothing.
    pub fn mean_hundredths(self) -> Option<i64> {
        (self.count > 0).then(|| crate::tax::share(self.sum, 100, self.count))
    }
}
