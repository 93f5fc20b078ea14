//! What one company's flood does to another: the other's requests, alone and beside it.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::house::House;
use crate::rig::{Failure, Rig};

/// Requests of the flooding company that are always under way.
const FLOOD: usize = 64;
/// How long each side is measured.
const SPAN: Duration = Duration::from_secs(8);

/// The other company's times, alone and beside the flood.
pub(crate) async fn measure(rig: &Rig) -> Result<String, Failure> {
    let other = House::found(rig, "Other").await?;
    let alone = times(rig, &other).await?;
    let until = Instant::now() + SPAN + Duration::from_secs(1);
    let page = json!({"query": "{ invoices(first: 50) { edges { node { id number total { amount } lines { description net { amount } } } } } }"});
    let flood: Vec<_> = (0..FLOOD).map(|_| rig.flood(&page, until)).collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let beside = times(rig, &other).await?;
    let mut sent = 0;
    for flood in flood {
        sent += flood.await??;
    }
    Ok(format!(
        "| one company alone, then beside {FLOOD} requests of another at once ({sent} answered) | p50 ×{:.1}, p99 ×{:.1} \
         (alone p50 {:.1} ms, p99 {:.1} ms) |\n",
        beside.0 / alone.0,
        beside.1 / alone.1,
        alone.0,
        alone.1,
    ))
}

/// p50 and p99 of a small request, one after the other, in milliseconds.
async fn times(rig: &Rig, house: &House) -> Result<(f64, f64), Failure> {
    let mut times = Vec::new();
    let began = Instant::now();
    while began.elapsed() < SPAN {
        let sent = Instant::now();
        house.ask(rig).await?;
        times.push(sent.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    Ok((times[times.len() / 2], times[times.len() * 99 / 100]))
}
