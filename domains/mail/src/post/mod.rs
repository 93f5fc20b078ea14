//! Handing letters over: to an SMTP server, or to a shelf on which they stay readable.

mod message;
mod smtp;

use std::time::Duration;

use futures_util::future::join_all;
use kernel::vault::Vault;
use kernel::{Clock, Db, Fault};

pub use smtp::{Smtp, SmtpOptions};

use crate::letter::Letter;
use crate::outbox::store::{self, Claimed};
use crate::outbox::{Outcome, fate, reason};

/// Letters of one round.
const AT_ONCE: i64 = 8;
/// Longest conversation about one letter; shorter than a lease.
const PATIENCE: Duration = Duration::from_mins(1);

/// Who takes letters.
#[derive(Clone, Debug)]
pub enum Post {
    /// An SMTP server. What it has taken is erased here.
    Smtp(Box<Smtp>),
    /// A shelf, for a demo and for developing: nothing leaves, everything stays readable.
    Shelf,
}

impl Post {
    async fn take(&self, letter: &Claimed, what: &Letter, clock: &Clock) -> Outcome {
        match self {
            Self::Shelf => Outcome::Sent,
            Self::Smtp(smtp) => {
                let sending = smtp.send(letter.id, what, clock.now());
                match tokio::time::timeout(PATIENCE, sending).await {
                    Ok(outcome) => outcome,
                    Err(_) => Outcome::Away("the server did not answer in time".to_owned()),
                }
            }
        }
    }
}

/// Sends some letters that are due; how many were tried. Nothing is locked meanwhile: a letter is claimed, tried, and then
/// marked, each in a statement of its own. Who dies in between leaves a claim that ends by itself.
pub async fn deliver(db: &Db, vault: &Vault, clock: &Clock, post: &Post) -> Result<usize, Fault> {
    let claimed = store::claim(db, vault, AT_ONCE, clock.now()).await?;
    let tried = join_all(claimed.iter().map(|letter| one(db, clock, post, letter))).await;
    tried.into_iter().collect::<Result<Vec<()>, Fault>>()?;
    Ok(claimed.len())
}

async fn one(db: &Db, clock: &Clock, post: &Post, claimed: &Claimed) -> Result<(), Fault> {
    let (recipient, outcome) = match &claimed.letter {
        // What does not open under any key we have will not open later.
        Err(fault) => (String::new(), Outcome::Refused(fault.to_string())),
        Ok(letter) if claimed.expires_at.is_some_and(|end| end <= clock.now()) => {
            (letter.to.clone(), Outcome::Later("its link had ended before it was sent".to_owned()))
        }
        Ok(letter) => (letter.to.clone(), post.take(claimed, letter, clock).await),
    };
    if let Outcome::Later(why) | Outcome::Away(why) | Outcome::Refused(why) = &outcome {
        tracing::warn!(letter = %claimed.id, attempts = claimed.attempts, why = reason(why, &recipient), "a letter was not sent");
    }
    let outcome = match outcome {
        Outcome::Sent => Outcome::Sent,
        Outcome::Later(why) => Outcome::Later(reason(&why, &recipient)),
        Outcome::Away(why) => Outcome::Away(reason(&why, &recipient)),
        Outcome::Refused(why) => Outcome::Refused(reason(&why, &recipient)),
    };
    let now = clock.now();
    let fate = fate(outcome, claimed.attempts, claimed.created_at, claimed.expires_at, now);
    store::mark(db, claimed, &fate, matches!(post, Post::Smtp(_)), now).await
}
