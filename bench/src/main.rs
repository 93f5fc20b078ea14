//! What a request costs: CPU of the server and of PostgreSQL, beside `pgbench` sending the very same statements
//! under the same policies in the same run. Ratios are the result; milliseconds only tell their scale.

mod cpu;
mod fairness;
mod replay;
mod rig;
mod scenario;
mod streams;

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
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
    // Ten thousand sockets are as many files, here and in the server that inherits the limit.
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE)
        && let Err(error) = setrlimit(Resource::RLIMIT_NOFILE, most, most)
    {
        eprintln!("bench: the limit of open files stays as it is: {error}");
    }
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
    // Arguments choose among the scenarios by words of their names.
    let words: Vec<String> = std::env::args().skip(1).collect();
    let chosen = |scenario: &&Scenario| {
        words.is_empty() || words.iter().any(|word| scenario.name.contains(word.as_str()))
    };
    for scenario in SCENARIOS.iter().filter(chosen) {
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
    let chosen = |name: &str| words.is_empty() || words.iter().any(|word| word == name);
    if chosen("streams") {
        table.push_str("\n| subscriptions | |\n|---|---|\n");
        table.push_str(&streams::deliver(&rig, 1, 1000).await?);
        table.push_str(&streams::deliver(&rig, 200, 25).await?);
        table.push_str(&streams::idle(&rig, 10_000).await?);
    }
    if chosen("fairness") {
        table.push_str("\n| fairness | |\n|---|---|\n");
        table.push_str(&fairness::measure(&rig).await?);
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
