//! What a member would leave behind, for handing over: each domain tells its part.

use std::sync::Arc;

use async_graphql::{Context, Enum, Error, ID, SimpleObject};
use identity::member::held;
use kernel::held::Held;
use kernel::{Permission, Tx};
use uuid::Uuid;

use crate::graphql::cost::about;
use crate::graphql::error::faulty;
use crate::graphql::guard::Told;
use crate::graphql::ids::public;
use crate::graphql::request::InRequest;

/// What kind of things somebody leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum HoldingKind {
    /// API keys that the person answers for: they stop when the person leaves.
    ApiKey,
    /// Applications that the person answers for: what they do for themselves stops when the person leaves.
    Application,
    /// Draft invoices and credit notes.
    DraftInvoice,
    /// Bills that the person has entered and nobody has approved.
    EnteredBill,
    /// Bills that wait for an approval which the person could give.
    BillToApprove,
    /// Draft journal entries.
    DraftJournalEntry,
}

/// Things of one kind that somebody leaves behind.
#[derive(SimpleObject)]
pub(crate) struct Holding {
    /// What kind of things they are.
    kind: HoldingKind,
    /// How many there are in all.
    total: u64,
    /// The first hundred of them; none where the viewer may not read such things.
    #[graphql(directive = about::apply(20))]
    things: Vec<HeldThing>,
}

/// A thing to hand over.
#[derive(SimpleObject)]
pub(crate) struct HeldThing {
    /// The thing's public id, for `node`.
    thing_id: ID,
    /// What tells it to people: a name, a date and a label, a supplier and a number.
    label: String,
}

/// What a member holds, past members too.
pub(super) async fn of_member(ctx: &Context<'_>, member: Uuid) -> Result<Vec<Holding>, Error> {
    let tx = ctx.session()?.read().await?;
    let (person, may) = held::holder(&tx, member).await.told()?;
    let [invoices, bills] = invoicing::held::held_by_in(&tx, person).await.map_err(|fault| faulty(&fault))?;
    let mut all = vec![
        told(&tx, HoldingKind::ApiKey, Permission::ApiKeysRead, held::held_by_in(&tx, person).await)?,
        told(
            &tx,
            HoldingKind::Application,
            Permission::ApplicationsRead,
            held::applications_held_by_in(&tx, person).await,
        )?,
        told(&tx, HoldingKind::DraftInvoice, Permission::InvoicingRead, Ok(invoices))?,
        told(&tx, HoldingKind::EnteredBill, Permission::BillsRead, Ok(bills))?,
    ];
    if may.has(Permission::BillsApprove) {
        let waiting = invoicing::held::waiting_for_in(&tx, person).await;
        all.push(told(&tx, HoldingKind::BillToApprove, Permission::BillsRead, waiting)?);
    }
    let entries = ledger::entry::held::held_by_in(&tx, person).await;
    all.push(told(&tx, HoldingKind::DraftJournalEntry, Permission::LedgerRead, entries)?);
    all.retain(|holding| holding.total > 0);
    Ok(all)
}

fn told(
    tx: &Arc<Tx>,
    kind: HoldingKind,
    reads: Permission,
    held: Result<Held, kernel::Fault>,
) -> Result<Holding, Error> {
    let held = held.map_err(|fault| faulty(&fault))?;
    let things = if tx.scope().permissions().has(reads) { held.things } else { Vec::new() };
    let thing = |(id, label)| HeldThing { thing_id: public(held.kind, id), label };
    Ok(Holding { kind, total: held.total, things: things.into_iter().map(thing).collect() })
}
