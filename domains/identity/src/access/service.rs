//! Reading the changes of access, and sweeping the old ones.

use std::collections::HashSet;
use std::time::Duration;

use kernel::{Db, Fault};
use tokio::time::{Instant, MissedTickBehavior, interval};
use uuid::Uuid;

use super::{Access, Change};
use crate::authenticator::Authenticator;

/// How often the changes are read: what a revocation waits for at most, before it is acted upon.
const EVERY: Duration = Duration::from_millis(200);
/// Who has not read for so long may have missed some: rows are read as long as [`NEWEST`] says.
const MISSED: Duration = Duration::from_secs(15);
/// Most changes that are told apart.
const MOST: usize = 10_000;

/// The rows of the last half minute. Ids are given before the commit, so a cursor would pass rows by; no transaction of a
/// request lives as long as the half minute.
const NEWEST: &str = "SELECT id, tenant_id, person_id FROM access_change
     WHERE at > now() - interval '30 seconds' LIMIT 10001";

/// What was read already.
#[derive(Debug)]
struct Reader {
    seen: HashSet<i64>,
    read_at: Option<Instant>,
}

impl Reader {
    /// What is new in the rows of the last half minute.
    fn news(&mut self, rows: &[(i64, Option<Uuid>, Option<Uuid>)], now: Instant) -> Vec<Change> {
        let missed = self.read_at.is_none_or(|at| now.duration_since(at) > MISSED) || rows.len() > MOST;
        let news = rows.iter().filter(|(id, ..)| !self.seen.contains(id));
        let mut news: Vec<_> =
            news.map(|(_, company, person)| Change { company: *company, person: *person }).collect();
        if missed {
            news = vec![Change::EVERYBODY];
        }
        self.seen = rows.iter().map(|(id, ..)| *id).collect();
        self.read_at = Some(now);
        news
    }
}

/// Reads the changes for ever, and has this process forget what it knew. To be run once in every process that serves.
///
/// When PostgreSQL is away it is tried again; when it is back, everything is forgotten once.
pub async fn watch(auth: Authenticator) {
    let mut reader = Reader { seen: HashSet::new(), read_at: None };
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut away = false;
    loop {
        ticks.tick().await;
        let began = Instant::now();
        match newest(&auth).await {
            Ok(rows) => {
                if std::mem::take(&mut away) {
                    reader.read_at = None;
                    tracing::info!("changes of access are read again");
                }
                tell(auth.access(), reader.news(&rows, began));
            }
            Err(fault) if !away => {
                away = true;
                tracing::warn!(%fault, "changes of access cannot be read; it goes on");
            }
            Err(_) => {}
        }
    }
}

fn tell(access: &Access, news: Vec<Change>) {
    if !news.is_empty() {
        access.tell(news);
    }
}

async fn newest(auth: &Authenticator) -> Result<Vec<(i64, Option<Uuid>, Option<Uuid>)>, Fault> {
    Ok(sqlx::query_as(NEWEST).fetch_all(auth.db().directory()).await?)
}

/// Deletes changes that every process has read long ago. For one worker of all.
pub async fn sweep(db: &Db) -> Result<u64, Fault> {
    let old = sqlx::query("DELETE FROM access_change WHERE at < now() - interval '5 minutes'");
    Ok(old.execute(db.worker()).await?.rows_affected())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: i64) -> (i64, Option<Uuid>, Option<Uuid>) {
        (id, Some(Uuid::from_u128(1)), None)
    }

    const CHANGE: Change = Change { company: Some(Uuid::from_u128(1)), person: None };

    #[tokio::test(start_paused = true)]
    async fn each_change_is_told_once_also_when_a_later_one_was_committed_before_it() {
        let mut reader = Reader { seen: HashSet::new(), read_at: None };
        assert_eq!(reader.news(&[], Instant::now()), [Change::EVERYBODY], "nobody knows what was before");
        assert_eq!(reader.news(&[row(2)], Instant::now()), [CHANGE]);
        assert_eq!(reader.news(&[row(2)], Instant::now()), []);
        assert_eq!(reader.news(&[row(1), row(2)], Instant::now()), [CHANGE]);
        assert_eq!(reader.news(&[row(1), row(2)], Instant::now()), []);
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_not_read_for_long_or_reads_too_much_forgets_everything() {
        let mut reader = Reader { seen: HashSet::new(), read_at: Some(Instant::now()) };
        tokio::time::advance(MISSED + EVERY).await;
        assert_eq!(reader.news(&[row(1)], Instant::now()), [Change::EVERYBODY]);
        assert_eq!(reader.news(&[row(1), row(2)], Instant::now()), [CHANGE]);
        let many: Vec<_> = (0..10_001).map(row).collect();
        assert_eq!(reader.news(&many, Instant::now()), [Change::EVERYBODY]);
    }
}
