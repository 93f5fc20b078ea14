//! What a request costs: CPU of the server and of PostgreSQL, beside `pgbench` sending the very same statements
//! under the same policies in the same run. Ratios are the result; milliseconds only tell their scale.

mod cold;
mod cpu;
mod dashboard;
mod fairness;
mod hot;
mod house;
mod receipt;
mod replay;
mod rig;
mod scale;
mod scenario;
mod spread;
mod streams;

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use rig::{Failure, Rig};
use scale::Scale;
use scenario::{SCENARIOS, Scenario};

/// The argument that makes a run brief.
const BRIEF: &str = "--brief";
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
    // Arguments choose among the scenarios by words of their names; one of them makes all of it small.
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let is_brief = words.iter().any(|word| word == BRIEF);
    words.retain(|word| word != BRIEF);
    let scale = if is_brief { Scale::BRIEF } else { Scale::FULL };
    let rig = Rig::start(scale.invoices).await?;
    let mut table = String::from(
        "| request | server ms | PostgreSQL ms | pgbench ms | its PostgreSQL ms | ratio (min–max) | statements |\n\
         |---|---|---|---|---|---|---|\n",
    );
    let chosen = |scenario: &&Scenario| {
        words.is_empty() || words.iter().any(|word| scenario.name.contains(word.as_str()))
    };
    for scenario in SCENARIOS.iter().filter(chosen) {
        let (rounds, statements) = measure(&rig, scenario, &scale).await?;
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
    if chosen("dashboard") {
        table.push_str(
            "\n| dashboard of 12 KPIs | server + PostgreSQL | plain SQL | ratio |\n|---|---|---|---|\n",
        );
        table.push_str(&cold::measure(&rig, &scale).await?);
    }
    if chosen("receipt") {
        table.push_str("\n| ms | p50 | p95 | p99 | |\n|---|---|---|---|---|\n");
        table.push_str(&receipt::measure(&rig, &scale).await?);
    }
    rig.stop().await?;
    // On a server and database of its own, whose figures are wrong afterwards.
    if chosen("hot") {
        let rig = Rig::start(1).await?;
        table.push_str("\n| one hot company | cubes on | off | ratio |\n|---|---|---|---|\n");
        table.push_str(&hot::measure(&rig, &scale).await?);
        rig.stop().await?;
    }
    Ok(table)
}

async fn measure(rig: &Rig, scenario: &Scenario, scale: &Scale) -> Result<(Vec<Round>, usize), Failure> {
    let request = scenario.request(rig);
    let (statements, earlier) = rig.capture(&request).await?;
    let script = replay::script(&statements, &earlier);
    let file = rig.folder().join("script.sql");
    std::fs::write(&file, &script.text)?;
    let mut rounds = Vec::new();
    // Both sides take turns, so that a machine that slows down slows both.
    rig.load(&request, Duration::from_secs(2)).await?;
    for _ in 0..scale.rounds {
        let (server, postgres) = rig.load(&request, scale.span).await?;
        let (pgbench, pgbench_postgres) = rig.pgbench(&file, &script.variables, scale.span)?;
        rounds.push(Round { server, postgres, pgbench, pgbench_postgres });
    }
    Ok((rounds, statements.len()))
}
