//! `coulisse verify-events`: whether a company's sealed log holds.

use std::process::ExitCode;

use clap::Args;
use identity::Authenticator;
use kernel::db::DbOptions;
use kernel::vault::Vault;
use kernel::{Actor, Clock, Db, Kind, Origin, id, sequencer};

use crate::server::Failure;

/// Which company's log, and where.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The company, by its public id
    #[arg(long, value_name = "ID")]
    company: String,

    /// PostgreSQL as `coulisse_server`
    #[arg(long, env = "COULISSE_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: String,
}

/// Verifies, and tells what was found.
pub(crate) async fn run(options: Options) -> Result<ExitCode, Failure> {
    let company = id::decode(Kind::Company, &options.company)?;
    let db = Db::connect(&DbOptions {
        server_url: options.database_url.clone(),
        worker_url: options.database_url,
        connections: 1,
        prepared_statements: true,
    })?;
    // Nothing sealed is opened here: any key will do.
    let auth = Authenticator::new(db, Vault::parse(&Vault::fresh_setting())?, Clock::system());
    let scope = auth.link_scope(company, Actor::System, Origin::default()).await?;
    let Some(scope) = scope else { return Err(format!("no such company: {}", options.company).into()) };
    let verdict = sequencer::verify_chain(&scope.read().await?).await?;
    match verdict.broken {
        None => {
            println!("{} events verified, the chain holds", verdict.verified);
            Ok(ExitCode::SUCCESS)
        }
        Some(link) => {
            println!("BROKEN after {} good events: {link}", verdict.verified);
            Ok(ExitCode::FAILURE)
        }
    }
}
