//! The buckets in the database. Each holds one instant: when it will have leaked empty.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{Db, Fault};

use super::Rule;
use crate::authenticator::Authenticator;

/// A rule and the key of a bucket of it.
pub(super) type Bucket = (&'static Rule, Vec<u8>);

/// Pours one into each bucket that has room for it, in one statement: who asks at the same time waits for the row, and
/// finds it fuller. Rows are taken in the order of their keys, so that two who ask for the same never wait for each
/// other. Parameters: the keys, the microseconds in which one leaks out of each, and those in which it leaks empty when it
/// is full, in the order of the keys; now.
///
/// A refused bucket is read as it was when the statement began, which is good enough to say how long to wait. It is not
/// there at all when somebody else filled it at this very moment.
pub const POUR: &str = "
WITH asked AS MATERIALIZED (
    SELECT a.key, a.one * interval '1 microsecond' AS one, a.holds * interval '1 microsecond' AS holds
    FROM unnest($1::bytea[], $2::bigint[], $3::bigint[]) AS a (key, one, holds)
), poured AS (
    INSERT INTO throttle AS t (key, empty_at, holds)
    SELECT a.key, $4 + a.one, a.holds FROM asked a ORDER BY a.key
    ON CONFLICT (key) DO UPDATE
        SET empty_at = greatest(t.empty_at, $4) + (excluded.empty_at - $4), holds = excluded.holds
        WHERE greatest(t.empty_at, $4) + (excluded.empty_at - $4) <= $4 + excluded.holds
    RETURNING t.key
)
SELECT a.key, coalesce(extract(epoch FROM t.empty_at + a.one - a.holds - $4) * 1000000, 0)::bigint AS wait
FROM asked a LEFT JOIN throttle t ON t.key = a.key
WHERE NOT EXISTS (SELECT FROM poured p WHERE p.key = a.key)";

/// Pours one into each bucket; the places (in `buckets`) of those that were full, and how long until they have room.
pub(super) async fn pour(auth: &Authenticator, buckets: &[Bucket]) -> Result<Vec<(usize, TimeDelta)>, Fault> {
    if buckets.is_empty() {
        return Ok(Vec::new());
    }
    let refused: Vec<(Vec<u8>, i64)> = sqlx::query_as(POUR)
        .bind(buckets.iter().map(|(_, key)| key.clone()).collect::<Vec<_>>())
        .bind(buckets.iter().map(|(rule, _)| micros(rule.every)).collect::<Vec<_>>())
        .bind(buckets.iter().map(|(rule, _)| micros(rule.every * rule.at_once)).collect::<Vec<_>>())
        .bind(auth.clock().now())
        .fetch_all(auth.db().directory())
        .await?;
    let place = |(key, wait): (Vec<u8>, i64)| {
        let place = buckets.iter().position(|(_, known)| *known == key)?;
        Some((place, TimeDelta::microseconds(wait)))
    };
    Ok(refused.into_iter().filter_map(place).collect())
}

/// Takes one out of each bucket. An empty one stays empty: it is only ever in the past.
pub(super) async fn give_back<'a>(
    auth: &Authenticator,
    buckets: impl Iterator<Item = &'a Bucket>,
) -> Result<(), Fault> {
    let (keys, micros): (Vec<_>, Vec<_>) =
        buckets.map(|(rule, key)| (key.clone(), micros(rule.every))).unzip();
    if keys.is_empty() {
        return Ok(());
    }
    // Locked in the order of the keys, as they are poured into.
    sqlx::query(
        "WITH given AS MATERIALIZED (
             SELECT t.key, g.one * interval '1 microsecond' AS one
             FROM unnest($1::bytea[], $2::bigint[]) AS g (key, one) JOIN throttle t ON t.key = g.key
             ORDER BY t.key FOR NO KEY UPDATE OF t)
         UPDATE throttle t SET empty_at = t.empty_at - given.one FROM given WHERE t.key = given.key",
    )
    .bind(keys)
    .bind(micros)
    .execute(auth.db().directory())
    .await?;
    Ok(())
}

/// Empties buckets.
pub(super) async fn empty(auth: &Authenticator, keys: Vec<Vec<u8>>) -> Result<(), Fault> {
    if keys.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "DELETE FROM throttle t USING (
             SELECT key FROM throttle WHERE key = ANY($1) ORDER BY key FOR UPDATE) AS locked
         WHERE t.key = locked.key",
    )
    .bind(keys)
    .execute(auth.db().directory())
    .await?;
    Ok(())
}

/// Deletes rows of empty buckets, which are as good as none; how many. Who is being poured into is passed by.
pub(super) async fn forget_old(db: &Db, now: DateTime<Utc>) -> Result<u64, Fault> {
    let forgotten = sqlx::query(
        "DELETE FROM throttle t USING (
             SELECT key FROM throttle WHERE empty_at < $1 LIMIT 10000 FOR UPDATE SKIP LOCKED) AS old
         WHERE t.key = old.key",
    )
    .bind(now)
    .execute(db.directory())
    .await?;
    Ok(forgotten.rows_affected())
}

/// Microseconds of a rule's time: a century of them fits.
fn micros(time: TimeDelta) -> i64 {
    time.num_microseconds().unwrap_or(i64::MAX)
}
