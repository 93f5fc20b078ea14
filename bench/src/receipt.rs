//! How long a committed change takes to the screens: from the commit, as PostgreSQL noted it, to the receipt of the pushed
//! figure over a socket, while many companies write. Beside it, on the same server at the same time, a bare
//! `LISTEN`/`NOTIFY`.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::StreamExt;
use serde_json::Value;
use sqlx::postgres::PgListener;
use sqlx::{Connection, Executor, PgConnection, Row};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use crate::house::{House, PRICE};
use crate::rig::{Failure, Rig};
use crate::scale::Scale;
use crate::spread::{Spread, as_f64};
use crate::streams;

/// What every company's screen follows.
const FIGURE: &str =
    "subscription { kpis(keys: [\"revenue_month\"]) { kpis { value { amounts { amount currency } } } } }";
/// How many articles each writer of a company sells at once. So a company's revenue tells how many invoices of each
/// writer are in it, and the receipt of each is known by itself, though several may come in one push.
const QUANTITIES: [i64; 2] = [1, 1000];
/// A writer issues an invoice this often; the writers of all companies start spread over that span.
const PACE: Duration = Duration::from_secs(4);
/// The bare notifier commits this often.
const BARE_PACE: Duration = Duration::from_millis(50);
/// How long what was committed last may take before it counts as missed.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came when, in seconds since 1970: of a company, the invoices of each writer that its revenue held.
type Pushes = Arc<Mutex<Vec<(f64, [i64; 2])>>>;

/// The table's lines.
pub(crate) async fn measure(rig: &Rig, scale: &Scale) -> Result<String, Failure> {
    let mut houses = Vec::with_capacity(scale.companies);
    for n in 0..scale.companies {
        houses.push(House::found(rig, &name(n)).await?);
    }
    let mut sockets = Vec::new();
    let mut pushes: Vec<Pushes> = Vec::new();
    for house in &houses {
        let (socket, received) = follow(rig, house).await?;
        sockets.push(socket);
        pushes.push(received);
    }
    let bare = Bare::start(rig).await?;
    sleep(Duration::from_secs(1)).await;

    let until = Instant::now() + scale.steady;
    let clients = houses.len() * QUANTITIES.len();
    // The rig is borrowed by all writers at once, so they are polled together and not spawned.
    let writers = (0..clients).map(|n| {
        let house = &houses[n / QUANTITIES.len()];
        let late = PACE.mul_f64(as_f64(n) / as_f64(clients));
        write(rig, house, QUANTITIES[n % QUANTITIES.len()], Instant::now() + late, until)
    });
    let answered: u64 = futures_util::future::try_join_all(writers).await?.iter().sum();
    let (bare_commits, bare_waits) = bare.finish().await?;

    let commits = commits(rig).await?;
    let counted: usize = commits.values().map(Vec::len).sum();
    if usize::try_from(answered)? != counted {
        return Err(format!("{answered} invoices were answered as issued, {counted} are in the log").into());
    }
    wait_for(&commits, &pushes, houses.len()).await;
    drop(sockets);
    let (waits, missed) = waits(&commits, &pushes)?;
    let (ours, theirs) = (Spread::of(waits), Spread::of(bare_waits));
    let mut lines = String::new();
    let mut line = |name: &str, spread: &Spread, more: &str| {
        writeln!(lines, "| {name} | {:.1} | {:.1} | {:.1} | {more} |", spread.p50, spread.p95, spread.p99)
    };
    line(
        &format!("commit to receipt, {} companies, {clients} writers", houses.len()),
        &ours,
        &format!(
            "{counted} commits, {missed} missed, {:.1} a second",
            as_f64(counted) / scale.steady.as_secs_f64()
        ),
    )?;
    line(
        "bare NOTIFY, from commit to LISTEN",
        &theirs,
        &format!("{bare_commits} commits, {} missed", bare_commits - theirs.count),
    )?;
    let by = |of: fn(&Spread) -> f64| of(&ours) / of(&theirs);
    writeln!(lines, "| ratio | ×{:.1} | ×{:.1} | ×{:.1} | |", by(|s| s.p50), by(|s| s.p95), by(|s| s.p99))?;
    // Nothing may be lost: a figure that is never pushed has no percentile.
    if missed > 0 {
        return Err(format!("{missed} of {counted} commits never reached their screen\n{lines}").into());
    }
    Ok(lines)
}

fn name(n: usize) -> String {
    format!("Active {n}")
}

/// Issues invoices at its pace until a moment; how many.
async fn write(
    rig: &Rig,
    house: &House,
    quantity: i64,
    first: Instant,
    until: Instant,
) -> Result<u64, Failure> {
    let quantity = quantity.to_string();
    let mut pace = interval_at(first, PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut issued = 0;
    loop {
        pace.tick().await;
        if Instant::now() >= until {
            return Ok(issued);
        }
        let draft = house.draft(rig, &quantity).await?;
        house.issue(rig, &draft, None).await?;
        issued += 1;
    }
}

/// A company's screen. Its first figure, which is nothing sold yet, has come when this returns.
async fn follow(rig: &Rig, house: &House) -> Result<(streams::Open, Pushes), Failure> {
    let mut socket = streams::open(&streams::address(rig), &house.token, FIGURE).await?;
    let first = timeout(PATIENCE, socket.next()).await?.ok_or("closed")??;
    if sold(&first).is_none_or(|sold| sold != [0, 0]) {
        return Err(format!("a first figure of nothing sold was expected: {first}").into());
    }
    let received = Pushes::default();
    let pushes = received.clone();
    let reader = tokio::spawn(async move {
        while let Some(Ok(message)) = socket.next().await {
            let at = now();
            if let Some(sold) = sold(&message) {
                pushes.lock().unwrap_or_else(PoisonError::into_inner).push((at, sold));
            }
        }
    });
    Ok((streams::Open(reader), received))
}

/// How many invoices of each writer the pushed revenue holds; nothing in a push without it.
fn sold(message: &Message) -> Option<[i64; 2]> {
    let Message::Text(text) = message else { return None };
    let message: Value = serde_json::from_str(text).ok()?;
    let figure = message["payload"]["data"]["kpis"]["kpis"].get(0)?;
    let amounts = figure["value"]["amounts"].as_array()?;
    let Some(amount) = amounts.iter().find(|amount| amount["currency"] == "EUR") else { return Some([0, 0]) };
    let cents: i64 = amount["amount"].as_str()?.replace('.', "").parse().ok()?;
    Some([cents / PRICE % QUANTITIES[1], cents / PRICE / QUANTITIES[1]])
}

fn now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(f64::NAN, |since| since.as_secs_f64())
}

/// The moments of the commits of each company's writer, in their order: of the transactions that wrote the events, and
/// events are never changed.
async fn commits(rig: &Rig) -> Result<HashMap<(usize, usize), Vec<f64>>, Failure> {
    let mut superuser = rig.superuser().await?;
    let rows = sqlx::query(
        "SELECT substr(c.name, 8)::int8 AS company, i.net_minor, \
                extract(epoch FROM pg_xact_commit_timestamp(e.xmin))::float8 AS at \
         FROM company c JOIN invoice i ON i.tenant_id = c.tenant_id \
         JOIN event e ON e.tenant_id = i.tenant_id AND e.subject_id = i.id AND e.kind = 'invoice.issued' \
         WHERE c.name LIKE 'Active %' ORDER BY at",
    )
    .fetch_all(&mut superuser)
    .await?;
    superuser.close().await?;
    let mut commits: HashMap<_, Vec<f64>> = HashMap::new();
    for row in rows {
        let company = usize::try_from(row.try_get::<i64, _>("company")?)?;
        let net: i64 = row.try_get("net_minor")?;
        let writer =
            QUANTITIES.iter().position(|quantity| quantity * PRICE == net).ok_or("an unknown amount")?;
        commits.entry((company, writer)).or_default().push(row.try_get("at")?);
    }
    Ok(commits)
}

/// Waits until everything has come, or no longer.
async fn wait_for(commits: &HashMap<(usize, usize), Vec<f64>>, pushes: &[Pushes], companies: usize) {
    let expected = |company| {
        QUANTITIES.iter().enumerate().map(move |(w, _)| commits.get(&(company, w)).map_or(0, Vec::len))
    };
    let late = Instant::now() + PATIENCE;
    while Instant::now() < late {
        let all = (0..companies).all(|company| {
            let pushes = pushes[company].lock().unwrap_or_else(PoisonError::into_inner);
            let last = pushes.last().map_or([0, 0], |(_, sold)| *sold);
            expected(company)
                .zip(last)
                .all(|(expected, last)| i64::try_from(expected).is_ok_and(|n| n <= last))
        });
        if all {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
}

/// Milliseconds from each commit to the first push that holds it, and how many no push held.
fn waits(
    commits: &HashMap<(usize, usize), Vec<f64>>,
    pushes: &[Pushes],
) -> Result<(Vec<f64>, usize), Failure> {
    let (mut waits, mut missed) = (Vec::new(), 0);
    for ((company, writer), moments) in commits {
        let pushes = pushes[*company].lock().unwrap_or_else(PoisonError::into_inner);
        for (n, moment) in moments.iter().enumerate() {
            let nth = i64::try_from(n)? + 1;
            match pushes.iter().find(|(_, sold)| sold[*writer] >= nth) {
                Some((at, _)) if at < moment => {
                    return Err("a figure was pushed before its commit: the clocks differ".into());
                }
                Some((at, _)) => waits.push((at - moment) * 1000.0),
                None => missed += 1,
            }
        }
        // More than was committed would be another defect.
        let most = pushes.iter().map(|(_, sold)| sold[*writer]).max().unwrap_or(0);
        if most > i64::try_from(moments.len())? {
            return Err(format!(
                "company {company}: {most} invoices were pushed, {} committed",
                moments.len()
            )
            .into());
        }
    }
    Ok((waits, missed))
}

/// What PostgreSQL alone needs to tell another connection of a commit, in a database of its own.
struct Bare {
    writer: JoinHandle<Result<PgConnection, sqlx::Error>>,
    ended: Arc<AtomicBool>,
    _listener: streams::Open,
    received: Arc<Mutex<HashMap<i64, f64>>>,
}

impl Bare {
    async fn start(rig: &Rig) -> Result<Self, Failure> {
        let url = rig.beside("bare").await?;
        let mut connection = PgConnection::connect(&url).await?;
        connection.execute("CREATE TABLE note (n bigint GENERATED ALWAYS AS IDENTITY)").await?;
        let mut listener = PgListener::connect(&url).await?;
        listener.listen("note").await?;
        let received = Arc::new(Mutex::new(HashMap::new()));
        let notes = received.clone();
        let listener = tokio::spawn(async move {
            while let Ok(note) = listener.recv().await {
                let at = now();
                if let Ok(n) = note.payload().parse() {
                    notes.lock().unwrap_or_else(PoisonError::into_inner).insert(n, at);
                }
            }
        });
        let ended = Arc::new(AtomicBool::new(false));
        let told = ended.clone();
        let writer = tokio::spawn(async move {
            let mut pace = tokio::time::interval(BARE_PACE);
            pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
            while !told.load(Ordering::Relaxed) {
                pace.tick().await;
                // A row beside the note, for PostgreSQL tells the moment of a commit by a row.
                sqlx::query(
                    "WITH made AS (INSERT INTO note DEFAULT VALUES RETURNING n) \
                     SELECT pg_notify('note', n::text) FROM made",
                )
                .execute(&mut connection)
                .await?;
            }
            Ok(connection)
        });
        Ok(Self { writer, ended, _listener: streams::Open(listener), received })
    }

    /// How many commits there were, and the milliseconds from each that was heard of to its receipt.
    async fn finish(self) -> Result<(usize, Vec<f64>), Failure> {
        self.ended.store(true, Ordering::Relaxed);
        let mut connection = self.writer.await??;
        sleep(Duration::from_secs(1)).await;
        let made: Vec<(i64, f64)> =
            sqlx::query_as("SELECT n, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 FROM note")
                .fetch_all(&mut connection)
                .await?;
        connection.close().await?;
        let received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        let waits =
            made.iter().filter_map(|(n, moment)| Some((received.get(n)? - moment) * 1000.0)).collect();
        Ok((made.len(), waits))
    }
}
