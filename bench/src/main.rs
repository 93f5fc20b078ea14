//! What a request costs: CPU of the server and of PostgreSQL, beside `pgbench` sending the very same statements
//! under the same policies in the same run. Ratios are the result; milliseconds only tell their scale.

mod cpu;
mod replay;
mod rig;
mod scenario;

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use rig::{Failure, Rig};
use scenario::{SCENARIOS, Scenario};

/// How long each side of a pair runs.
const SPAN: Duration = Duration::from_secs(8);
/// How often each pair runs; the median is told.
const ROUNDS: usize = 3;
/// Requests under way at once.
const CLIENTS: usize = 4;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(table) => {
            println!("{table}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// One round of a scenario, in CPU milliseconds a request.
#[derive(Clone, Copy, Debug)]
struct Round {
    server: f64,
    postgres: f64,
    pgbench: f64,
    pgbench_postgres: f64,
}

impl Round {
    fn ratio(&self) -> f64 {
        (self.server + self.postgres) / (self.pgbench + self.pgbench_postgres)
    }
}

async fn run() -> Result<String, Failure> {
    let rig = Rig::start().await?;
    let mut table = String::from(
        "| request | server ms | PostgreSQL ms | pgbench ms | its PostgreSQL ms | ratio (min–max) | statements |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for scenario in SCENARIOS {
        let (rounds, statements) = measure(&rig, scenario).await?;
        let mut sorted = rounds.clone();
        sorted.sort_by(|a, b| a.ratio().total_cmp(&b.ratio()));
        let (least, median, most) = (sorted[0], sorted[sorted.len() / 2], sorted[sorted.len() - 1]);
        writeln!(
            table,
            "| {} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} ({:.2}–{:.2}) | {statements} |",
            scenario.name,
            median.server,
            median.postgres,
            median.pgbench,
            median.pgbench_postgres,
            median.ratio(),
            least.ratio(),
            most.ratio(),
        )?;
        eprintln!("{}: {:.2} {median:.2?}", scenario.name, median.ratio());
    }
    rig.stop().await?;
    Ok(table)
}

async fn measure(rig: &Rig, scenario: &Scenario) -> Result<(Vec<Round>, usize), Failure> {
    let request = scenario.request(rig);
    let (statements, earlier) = rig.capture(&request).await?;
    let script = replay::script(&statements, &earlier);
    let file = rig.folder().join("script.sql");
    std::fs::write(&file, &script.text)?;
    let mut rounds = Vec::new();
    // Both sides take turns, so that a machine that slows down slows both.
    rig.load(&request, Duration::from_secs(2)).await?;
    for _ in 0..ROUNDS {
        let (server, postgres) = rig.load(&request, SPAN).await?;
        let (pgbench, pgbench_postgres) = rig.pgbench(&file, &script.variables, SPAN)?;
        rounds.push(Round { server, postgres, pgbench, pgbench_postgres });
    }
    Ok((rounds, statements.len()))
}
