//! Writing down which rights are used: in every process once a minute, and when it ends.

use std::collections::HashMap;
use std::time::Duration;

use kernel::usage::Use;
use kernel::{Actor, Fault, Origin, Tx};
use uuid::Uuid;

use crate::authenticator::Authenticator;
use crate::error::Error;

/// What a crash loses at most.
const EVERY: Duration = Duration::from_mins(1);

/// Writes down what is used, for ever. To be run once in every process that serves.
pub async fn watch(auth: Authenticator) {
    loop {
        // Sooner when there is much, so that it takes no more memory.
        let _early = tokio::time::timeout(EVERY, auth.uses().many()).await;
        if let Err(fault) = flush(&auth).await {
            tracing::warn!(%fault, "uses of rights are not written down; they are kept");
        }
    }
}

/// Writes down what was used since the last time; a company whose turn fails is kept for the next.
pub async fn flush(auth: &Authenticator) -> Result<(), Fault> {
    let mut by_company: HashMap<Uuid, Vec<Use>> = HashMap::new();
    for used in auth.uses().take() {
        by_company.entry(used.company).or_default().push(used);
    }
    let mut outcome = Ok(());
    for (company, uses) in by_company {
        if let Err(fault) = write(auth, company, &uses).await {
            auth.uses().give_back(uses);
            outcome = Err(fault);
        }
    }
    outcome
}

async fn write(auth: &Authenticator, company: Uuid, uses: &[Use]) -> Result<(), Fault> {
    let Some(scope) = auth.link_scope(company, Actor::System, Origin::default()).await? else {
        return Ok(());
    };
    let written: Result<(), Error> = scope
        .write(|tx| {
            let uses = uses.to_vec();
            Box::pin(async move { Ok(store(tx, &uses).await?) })
        })
        .await;
    written.map_err(|error| match error {
        Error::Fault(fault) => fault,
        other => Fault::Internal(other.to_string()),
    })
}

async fn store(tx: &Tx, uses: &[Use]) -> Result<(), Fault> {
    // In one order, so that two processes that write at once wait for each other and do not lock each other out.
    let mut rows: Vec<(String, &'static str, chrono::NaiveDate)> = uses
        .iter()
        .flat_map(|used| used.permissions.iter().map(|p| (used.actor.stored(), p.as_str(), used.day)))
        .collect();
    rows.sort_unstable();
    // The same right on two days, around midnight: the later one is kept.
    rows.dedup_by(|later, kept| {
        let same = (&later.0, later.1) == (&kept.0, kept.1);
        if same {
            kept.2 = later.2;
        }
        same
    });
    let actors: Vec<String> = rows.iter().map(|(actor, ..)| actor.clone()).collect();
    let permissions: Vec<String> = rows.iter().map(|(_, permission, _)| (*permission).to_owned()).collect();
    let days: Vec<chrono::NaiveDate> = rows.iter().map(|(.., day)| *day).collect();
    tx.run(
        "INSERT INTO permission_use AS u (tenant_id, actor, permission, first_used_on, last_used_on)
         SELECT $1, actor, permission, day, day FROM unnest($2::text[], $3::text[], $4::date[]) AS new (actor, permission, day)
         ON CONFLICT (tenant_id, actor, permission) DO UPDATE SET last_used_on = excluded.last_used_on
             WHERE u.last_used_on < excluded.last_used_on",
        [tx.scope().company().id.into(), actors.into(), permissions.into(), days.into()],
    )
    .await?;
    Ok(())
}
