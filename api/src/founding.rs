//! A company comes to life: every domain lays its part in one transaction, or nothing is there.

use identity::company::{NewCompany, service as companies};
use identity::session::service::{self as session, Prepared};
use identity::{Authenticator, Error};
use kernel::{Actor, DomainError, Fault, Origin, Tx};
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
    session::store_in(tx, &founding.person).await?;
    companies::found_in(tx, &founding.company, founding.person.id).await?;
    let chart = if founding.company.chart == "fr_pcg" { Chart::FrPcg } else { Chart::Generic };
    let first_day = founding.company.fiscal_year_start(tx.scope().today());
    ledger::year::open_books_in(tx, chart, first_day).await.map_err(inner)?;
    invoicing::catalog::tax_code::service::seed_in(tx, chart).await.map_err(inner)?;
    kpi::definition::service::seed_in(tx).await.map_err(inner)?;
    Ok(())
}

/// The other domains' parts take no input of the user: whatever they refuse is our fault.
#[expect(clippy::needless_pass_by_value, reason = "so that it stands in map_err as it is")]
fn inner<E: DomainError>(error: E) -> Fault {
    Fault::Internal(format!("founding a company: {} {error}", error.code()))
}
