//! What keeping the figures costs the company that writes most: its throughput with the cubes' triggers on, and with
//! them switched off by the tables' owner, in turns.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection};

use crate::cpu;
use crate::house::{House, PRICE};
use crate::rig::{Failure, Rig};
use crate::scale::Scale;
use crate::spread::as_f64;

/// Requests of the company under way at once.
const WRITERS: usize = 8;

/// One turn: invoices issued a second, and CPU milliseconds of both for each.
#[derive(Clone, Copy, Debug)]
struct Turn {
    throughput: f64,
    server: f64,
    postgres: f64,
}

/// The table's line. The rig is used up by it: figures are wrong once their triggers were off.
pub(crate) async fn measure(rig: &Rig, scale: &Scale) -> Result<String, Failure> {
    let house = House::found(rig, "Hot").await?;
    let mut owner = rig.owner().await?;
    // Every trigger that writes deltas, whatever it is called.
    let triggers: Vec<(String, String)> = sqlx::query_as(
        "SELECT t.tgrelid::regclass::text, quote_ident(t.tgname) FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid \
         WHERE NOT t.tgisinternal AND p.prosrc LIKE '%INSERT INTO kpi_delta%' ORDER BY 1, 2",
    )
    .fetch_all(&mut owner)
    .await?;
    if triggers.len() < 5 {
        return Err(format!("these cannot be all triggers of the cubes: {triggers:?}").into());
    }
    // What is made once is made before it is measured.
    turn(rig, &house, scale.turn / 4).await?;
    let (mut on, mut off) = (Vec::new(), Vec::new());
    // In pairs, so that growing tables slow both sides; every other pair begins with the other side.
    for n in 0..scale.rounds.max(2) * 2 {
        for is_on in if n % 2 == 0 { [true, false] } else { [false, true] } {
            switch(&mut owner, &triggers, is_on).await?;
            rig.settle().await?;
            let before = revenue(rig, &house).await?;
            let took = turn(rig, &house, scale.turn).await?;
            let moved = revenue(rig, &house).await? - before;
            let sold = if is_on { i64::try_from(scale.turn)? * PRICE } else { 0 };
            if moved != sold {
                let state = if is_on { "on" } else { "off" };
                return Err(
                    format!("with the cubes {state}, revenue moved by {moved} and not by {sold}").into()
                );
            }
            if is_on { &mut on } else { &mut off }.push(took);
        }
    }
    switch(&mut owner, &triggers, true).await?;
    owner.close().await?;
    let mut ratios: Vec<f64> = on.iter().zip(&off).map(|(on, off)| on.throughput / off.throughput).collect();
    ratios.sort_by(f64::total_cmp);
    let (on, off) = (median(&mut on), median(&mut off));
    let mut line = String::new();
    writeln!(
        line,
        "| issue an invoice, {WRITERS} at once | {:.0}/s, {:.2} + {:.2} ms | {:.0}/s, {:.2} + {:.2} ms | {:.2} ({:.2}–{:.2}) |",
        on.throughput,
        on.server,
        on.postgres,
        off.throughput,
        off.server,
        off.postgres,
        ratios[ratios.len() / 2],
        ratios[0],
        ratios[ratios.len() - 1],
    )?;
    Ok(line)
}

fn median(turns: &mut [Turn]) -> Turn {
    turns.sort_by(|a, b| a.throughput.total_cmp(&b.throughput));
    turns[turns.len() / 2]
}

/// Switches the cubes' triggers, as only the owner may.
async fn switch(owner: &mut PgConnection, triggers: &[(String, String)], is_on: bool) -> Result<(), Failure> {
    let how = if is_on { "ENABLE ALWAYS" } else { "DISABLE" };
    for (table, trigger) in triggers {
        let sql = format!("ALTER TABLE {table} {how} TRIGGER {trigger}");
        owner.execute(sqlx::AssertSqlSafe(sql)).await?;
    }
    Ok(())
}

/// Issues that many invoices, whose drafts are made before the clock runs. The folder's work on them is part of it.
async fn turn(rig: &Rig, house: &House, count: usize) -> Result<Turn, Failure> {
    let drafts: Vec<usize> = (0..count).collect();
    let mut made: Vec<Value> = Vec::with_capacity(count);
    for some in drafts.chunks(WRITERS) {
        made.extend(futures_util::future::try_join_all(some.iter().map(|_| house.draft(rig, "1"))).await?);
    }
    let next = Arc::new(AtomicUsize::new(0));
    let spent = || (cpu::of_process(rig.server_pid()), cpu::of_family(rig.postgres_pid()));
    let (before, began) = (spent(), Instant::now());
    let writers = (0..WRITERS).map(|_| async {
        while let Some(draft) = made.get(next.fetch_add(1, Ordering::Relaxed)) {
            house.issue(rig, draft, None).await?;
        }
        Ok::<_, Failure>(())
    });
    futures_util::future::try_join_all(writers).await?;
    let seconds = began.elapsed().as_secs_f64();
    // What was committed last is folded by now.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let after = spent();
    Ok(Turn {
        throughput: as_f64(count) / seconds,
        server: (after.0 - before.0) / as_f64(count),
        postgres: (after.1 - before.1) / as_f64(count),
    })
}

/// The revenue of the month, in cents.
async fn revenue(rig: &Rig, house: &House) -> Result<i64, Failure> {
    let query = "{ kpis(keys: [\"revenue_month\"]) { kpis { value { amounts { amount currency } } } } }";
    let answer = rig.ask_as(&house.token, query, json!({})).await?;
    let amounts = answer["kpis"]["kpis"][0]["value"]["amounts"].as_array().ok_or("no revenue")?;
    let amount =
        amounts.iter().find(|amount| amount["currency"] == "EUR").and_then(|of| of["amount"].as_str());
    Ok(amount.unwrap_or("0").replace('.', "").parse()?)
}
