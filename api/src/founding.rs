//! A company comes to life: every domain lays its part in one transaction, or nothing is there.

use identity::company::twin::{self, Original};
use identity::company::{NewCompany, service as companies};
use identity::person::service::{self as people, Prepared};
use identity::{Authenticator, Error};
use kernel::{Actor, DomainError, Fault, Origin, Scope, Tx};
use ledger::year::Chart;
use uuid::Uuid;

/// A company and its first owner.
#[derive(Clone, Debug)]
pub(crate) struct Founding {
    pub company: NewCompany,
    pub person: Prepared,
}

/// Founds it; the company's id.
pub(crate) async fn found(auth: &Authenticator, founding: Founding, origin: Origin) -> Result<Uuid, Error> {
    let id = kernel::id::new();
    let facts = companies::facts(id, &founding.company)?;
    let scope = auth.system_scope(facts, Actor::Person(founding.person.id), origin);
    scope
        .write(|tx| {
            let founding = founding.clone();
            Box::pin(async move { lay(tx, &founding).await })
        })
        .await?;
    Ok(id)
}

async fn lay(tx: &Tx, founding: &Founding) -> Result<(), Error> {
    people::store_in(tx, &founding.person).await?;
    companies::found_in(tx, &founding.company, founding.person.id).await?;
    lay_others(tx, &founding.company).await
}

/// Founds the test twin of the scope's company under the id that is kept for it, by another name if one is given; a twin
/// that is there already gets the members and roles that it does not know.
pub(crate) async fn found_twin(
    auth: &Authenticator,
    live: &Scope,
    twin: Uuid,
    name: Option<&str>,
) -> Result<(), Error> {
    // A key of the live company is nobody in the twin.
    let actor = match live.actor() {
        person @ Actor::Person(_) => person,
        _ => Actor::System,
    };
    let origin = live.origin().clone();
    if auth.link_scope(twin, actor, origin.clone()).await?.is_some() {
        return twin::follow(auth, live.company().id, actor, origin).await;
    }
    let snapshot = live.read().await?;
    let original = twin::original_in(&snapshot).await;
    snapshot.end().await;
    let original = original?.called(name);
    let scope = auth.system_scope(original.facts(twin)?, actor, origin.clone());
    let founded = scope.write(|tx| {
        let original = original.clone();
        Box::pin(async move { lay_twin(tx, &original).await })
    });
    match founded.await {
        // Somebody else has just founded it.
        Err(Error::Fault(fault)) if fault.is_duplicate() => {
            twin::follow(auth, live.company().id, actor, origin).await
        }
        founded => founded,
    }
}

async fn lay_twin(tx: &Tx, original: &Original) -> Result<(), Error> {
    twin::found_in(tx, original).await?;
    lay_others(tx, original.company()).await
}

/// What the other domains lay.
async fn lay_others(tx: &Tx, company: &NewCompany) -> Result<(), Error> {
    let chart = if company.chart == "fr_pcg" { Chart::FrPcg } else { Chart::Generic };
    let first_day = company.fiscal_year_start(tx.scope().today());
    ledger::year::open_books_in(tx, chart, first_day).await.map_err(inner)?;
    invoicing::catalog::tax_code::service::seed_in(tx, chart).await.map_err(inner)?;
    kpi::definition::service::seed_in(tx).await.map_err(inner)?;
    kpi::dashboard::service::seed_in(tx).await.map_err(inner)?;
    Ok(())
}

/// The other domains' parts take no input of the user: whatever they refuse is our fault.
#[expect(clippy::needless_pass_by_value, reason = "so that it stands in map_err as it is")]
fn inner<E: DomainError>(error: E) -> Fault {
    Fault::Internal(format!("founding a company: {} {error}", error.code()))
}
