//! What a dashboard of twelve KPIs costs that nobody has read before, beside the same aggregates in plain SQL as the same
//! role under the same policies.
//!
//! Cold means two things, and both are measured. The server remembers no figure between requests, so every dashboard is
//! computed anew from the rollups: that is the CPU of both, under load, with connections and statements prepared on
//! either side. And the first request of a process that has just started knows nothing at all: no connection to
//! PostgreSQL, no prepared statement, nobody's rights, no definition; beside it, plain SQL on a new connection. The
//! pages of PostgreSQL are in memory for all of them.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::Value;
use sqlx::{Connection, PgConnection};

use crate::cpu;
use crate::dashboard::Dashboard;
use crate::rig::{Failure, Rig};
use crate::scale::Scale;
use crate::spread::{Spread, as_f64};

/// The table's lines.
pub(crate) async fn measure(rig: &Rig, scale: &Scale) -> Result<String, Failure> {
    let dashboard = Dashboard::found(rig, scale.behind).await?;
    let request = Dashboard::request();
    let mut plain = PgConnection::connect(&rig.as_server()).await?;
    // What is compared must be the same thing.
    let answer = ask(rig, rig.url(), &dashboard, &request).await?;
    Dashboard::compare(&answer, &dashboard.read(&mut plain).await?)?;

    let mut lines = String::new();
    loaded(rig, scale, &dashboard, &mut lines).await?;
    alone(rig, scale, &dashboard, &mut plain, &mut lines).await?;
    plain.close().await?;
    started(rig, scale, &dashboard, &mut lines).await?;
    Ok(lines)
}

async fn ask(rig: &Rig, url: &str, dashboard: &Dashboard, request: &Value) -> Result<Value, Failure> {
    Ok(rig.post(url, &dashboard.house.token, request).send().await?.error_for_status()?.json().await?)
}

/// CPU milliseconds a dashboard, with several under way, in turns with pgbench.
async fn loaded(rig: &Rig, scale: &Scale, dashboard: &Dashboard, lines: &mut String) -> Result<(), Failure> {
    let request = Dashboard::request();
    let file = rig.folder().join("dashboard.sql");
    std::fs::write(&file, dashboard.script())?;
    rig.load_as(&dashboard.house.token, &request, Duration::from_secs(1)).await?;
    let mut rounds = Vec::new();
    for _ in 0..scale.rounds {
        let ours = rig.load_as(&dashboard.house.token, &request, scale.span).await?;
        let theirs = rig.pgbench(&file, &[], scale.span)?;
        rounds.push((ours, theirs, (ours.0 + ours.1) / (theirs.0 + theirs.1)));
    }
    rounds.sort_by(|a, b| a.2.total_cmp(&b.2));
    let (ours, theirs, ratio) = rounds[rounds.len() / 2];
    writeln!(
        lines,
        "| CPU, 4 at once | {:.2} + {:.2} ms | {:.2} + {:.2} ms | ×{ratio:.2} ({:.2}–{:.2}) |",
        ours.0,
        ours.1,
        theirs.0,
        theirs.1,
        rounds[0].2,
        rounds[rounds.len() - 1].2,
    )?;
    Ok(())
}

/// Wall time of one dashboard after the other, in turns with plain SQL.
async fn alone(
    rig: &Rig,
    scale: &Scale,
    dashboard: &Dashboard,
    plain: &mut PgConnection,
    lines: &mut String,
) -> Result<(), Failure> {
    let request = Dashboard::request();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let until = Instant::now() + scale.span;
    while Instant::now() < until {
        let began = Instant::now();
        ask(rig, rig.url(), dashboard, &request).await?;
        ours.push(milliseconds(began));
        let began = Instant::now();
        dashboard.read(plain).await?;
        theirs.push(milliseconds(began));
    }
    let (ours, theirs) = (Spread::of(ours), Spread::of(theirs));
    writeln!(
        lines,
        "| wall p50, alone ({} each) | {:.1} ms | {:.1} ms | ×{:.2} |",
        ours.count,
        ours.p50,
        theirs.p50,
        ours.p50 / theirs.p50,
    )?;
    Ok(())
}

/// The first dashboard of a new process, in turns with plain SQL on a new connection. What servers do by themselves
/// in that time is in the CPU.
async fn started(rig: &Rig, scale: &Scale, dashboard: &Dashboard, lines: &mut String) -> Result<(), Failure> {
    let request = Dashboard::request();
    let (mut ours, mut theirs, mut spent) = (Vec::new(), Vec::new(), [0.0; 3]);
    for _ in 0..scale.starts {
        let (process, url) = rig.fresh()?;
        let first = async {
            // What it does once, before anybody asks, is not the dashboard's.
            tokio::time::sleep(Duration::from_secs(2)).await;
            let before = (cpu::of_process(process.pid()), cpu::of_family(rig.postgres_pid()));
            let began = Instant::now();
            let answer = ask(rig, &url, dashboard, &request).await?;
            let took = milliseconds(began);
            let after = (cpu::of_process(process.pid()), cpu::of_family(rig.postgres_pid()));
            Ok::<_, Failure>((answer, took, after.0 - before.0, after.1 - before.1))
        }
        .await;
        drop(process);
        let (answer, took, server, postgres) = first?;
        ours.push(took);
        spent[0] += server;
        spent[1] += postgres;
        // Its connections are gone before the other side begins.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let before = cpu::of_family(rig.postgres_pid());
        let began = Instant::now();
        let mut connection = PgConnection::connect(&rig.as_server()).await?;
        let plain = dashboard.read(&mut connection).await?;
        theirs.push(milliseconds(began));
        spent[2] += cpu::of_family(rig.postgres_pid()) - before;
        connection.close().await?;
        Dashboard::compare(&answer, &plain)?;
    }
    let spent = spent.map(|sum| sum / as_f64(scale.starts));
    let (ours, theirs) = (Spread::of(ours), Spread::of(theirs));
    writeln!(
        lines,
        "| first of a new process, wall p50 ({} each) | {:.1} ms | {:.1} ms | ×{:.2} |\n\
         | first of a new process, CPU | {:.1} + {:.1} ms | PostgreSQL {:.1} ms | |",
        ours.count,
        ours.p50,
        theirs.p50,
        ours.p50 / theirs.p50,
        spent[0],
        spent[1],
        spent[2],
    )?;
    Ok(())
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}
