//! Asking whether a guess may be made, and telling that it was right.

use chrono::TimeDelta;
use kernel::{Clock, Db, Fault};

use super::{Counted, Guess, OnSuccess, Verdict, normal, rule, store};
use crate::authenticator::Authenticator;
use crate::error::Error;

/// Charges a guess, or refuses it. To be asked before anything is verified.
///
/// # Errors
/// A fault when it could not be counted: then the guess must not be verified either.
pub async fn ask(auth: &Authenticator, guess: &Guess) -> Result<Verdict, Fault> {
    let buckets = keyed(auth, guess.buckets())?;
    let refused = store::pour(auth, &buckets).await?;
    let Some(longest) =
        refused.iter().filter(|(at, _)| !guess.is_silent(buckets[*at].0)).map(|(_, wait)| *wait).max()
    else {
        return Ok(if refused.is_empty() { Verdict::Go } else { Verdict::Silent });
    };
    // All or nothing: what is refused by one bucket is not to fill the others.
    let charged = buckets.iter().enumerate().filter(|(at, _)| refused.iter().all(|(other, _)| other != at));
    store::give_back(auth, charged.map(|(_, bucket)| bucket)).await?;
    Ok(Verdict::Wait(seconds(longest)))
}

/// As [`ask`], for what is refused aloud.
///
/// # Errors
/// [`Error::TooManyAttempts`], and a fault as [`ask`].
pub async fn let_through(auth: &Authenticator, guess: &Guess) -> Result<(), Error> {
    match ask(auth, guess).await? {
        Verdict::Wait(retry_after_seconds) => Err(Error::TooManyAttempts { retry_after_seconds }),
        Verdict::Go | Verdict::Silent => Ok(()),
    }
}

/// A guess that was let through was right: gives its charge back, and ends the failures in a row.
///
/// # Errors
/// A fault; the charge then stays, which harms nobody but in great numbers.
pub async fn succeeded(auth: &Authenticator, guess: &Guess) -> Result<(), Fault> {
    let buckets = keyed(auth, guess.buckets())?;
    let of = |wanted| buckets.iter().filter(move |(rule, _)| rule.on_success == wanted);
    store::give_back(auth, of(OnSuccess::GiveBack)).await?;
    store::empty(auth, of(OnSuccess::Empty).map(|(_, key)| key.clone()).collect()).await
}

/// The account's password has been replaced by who reads its mail: strangers' failures were at another password.
///
/// # Errors
/// A fault.
pub async fn password_replaced(auth: &Authenticator, email: &str) -> Result<(), Fault> {
    let account = normal(email);
    let buckets =
        vec![(&rule::PASSWORD_STRANGERS, account.clone()), (&rule::PASSWORD_STRANGERS_ROW, account)];
    let keys = keyed(auth, buckets)?.into_iter().map(|(_, key)| key);
    store::empty(auth, keys.collect()).await
}

/// Forgets buckets that have leaked empty; how many.
///
/// # Errors
/// A fault.
pub async fn forget_old(db: &Db, clock: &Clock) -> Result<u64, Fault> {
    store::forget_old(db, clock.now()).await
}

/// The buckets with their keys in the database: nothing that is counted can be read there.
fn keyed(auth: &Authenticator, buckets: Vec<Counted>) -> Result<Vec<store::Bucket>, Fault> {
    let keyed = buckets.into_iter().map(|(rule, counted)| {
        Ok((rule, auth.vault().digest(&format!("throttle.{}", rule.name), &counted)?))
    });
    keyed.collect()
}

/// Whole seconds, rounded up: who waits so long is let through.
fn seconds(wait: TimeDelta) -> u64 {
    let whole = wait.num_seconds() + i64::from(wait.subsec_nanos() > 0);
    u64::try_from(whole.max(1)).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_as_told_waits_long_enough() {
        assert_eq!(seconds(TimeDelta::seconds(60)), 60);
        assert_eq!(seconds(TimeDelta::milliseconds(59_001)), 60);
        assert_eq!(seconds(TimeDelta::microseconds(1)), 1);
        assert_eq!(seconds(TimeDelta::zero()), 1);
    }
}
