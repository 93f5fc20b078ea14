//! `coulisse person`: the operator keeps somebody out, or lets them in again.

use clap::{Args, Subcommand};
use identity::Authenticator;
use identity::person::service as people;
use kernel::db::DbOptions;
use kernel::vault::Vault;
use kernel::{Clock, Db};

use crate::server::Failure;

/// What to do, to whom.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Keeps a person out of every company, within a second: sessions, keys and applications that act for them
    Disable(Whom),
    /// Lets a person in again; what was revoked meanwhile stays revoked
    Enable(Whom),
}

/// A person, by the address that they have proved.
#[derive(Debug, Args)]
struct Whom {
    /// The address
    #[arg(value_name = "EMAIL")]
    email: String,

    /// PostgreSQL as `coulisse_server`
    #[arg(long, env = "COULISSE_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: String,
}

/// Does it, and says so.
pub(crate) async fn run(options: Options) -> Result<(), Failure> {
    let (whom, disabled) = match options.action {
        Action::Disable(whom) => (whom, true),
        Action::Enable(whom) => (whom, false),
    };
    let db = Db::connect(&DbOptions {
        server_url: whom.database_url.clone(),
        worker_url: whom.database_url,
        connections: 1,
        prepared_statements: true,
    })?;
    // Nothing sealed is opened here: any key will do.
    let auth = Authenticator::new(db, Vault::parse(&Vault::fresh_setting())?, Clock::system());
    let person = people::by_email(&auth, &whom.email).await?;
    let person = person.ok_or_else(|| format!("nobody has proved the address {}", whom.email))?;
    people::set_disabled(&auth, person.id, disabled).await?;
    println!("{} is {}", person.email, if disabled { "kept out" } else { "let in again" });
    Ok(())
}
