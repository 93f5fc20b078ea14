//! What can be done with satisfaction scores.

use chrono::NaiveDate;
use entity::invoicing::satisfaction::Model;
use kernel::signed::{self, Grant};
use kernel::{Actor, Denied, Kind, NewEvent, Permission, Tx};
use uuid::Uuid;

use crate::error::Error;
use crate::invoice::{DocumentKind, State, reading, store};
use crate::text::optional;

use super::{PURPOSE, RatingLink, Scores, expiry};

/// The token of a link by which the customer of an issued invoice can rate it, good for
/// [`LINK_DAYS`](super::LINK_DAYS) days.
pub async fn link_token(tx: &Tx, invoice_id: Uuid) -> Result<String, Error> {
    tx.scope().require(Permission::InvoicingRead)?;
    let invoice = reading::get(tx, invoice_id).await?;
    if invoice.state != State::Issued.as_str() || invoice.kind != DocumentKind::Invoice.as_str() {
        return Err(Error::NotIssued);
    }
    let scope = tx.scope();
    let grant =
        Grant { company: scope.company().id, thing: invoice_id, expires_at: expiry(scope.clock().now()) };
    Ok(signed::sign(scope.vault(), PURPOSE, grant)?)
}

/// Records the score of an invoice, once. Who acts is the customer who followed the link: the link is the
/// permission, and members have none of the kind.
pub async fn rate(tx: &Tx, link: &RatingLink, score: i16, comment: Option<&str>) -> Result<(), Error> {
    if !matches!(tx.scope().actor(), Actor::Customer(_)) {
        return Err(Denied(Permission::InvoicingIssue).into());
    }
    if !(1..=5).contains(&score) {
        return Err(Error::invalid("score", "a score lies between 1 (bad) and 5 (good)"));
    }
    let comment = optional("comment", comment, 2000)?;
    let unknown = || Error::NotFound(Kind::Invoice, "token");
    if link.company != tx.scope().company().id {
        return Err(unknown());
    }
    // The lock keeps the events of the invoice in order, and makes a second score wait for the first.
    let invoice = store::lock(tx, &[link.invoice]).await?.pop().ok_or_else(unknown)?;
    if invoice.state != State::Issued.as_str() {
        return Err(Error::NotIssued);
    }
    let given = tx
        .run(
            "INSERT INTO satisfaction (tenant_id, invoice_id, score, comment, given_on, given_at)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
            [
                tx.scope().company().id.into(),
                invoice.id.into(),
                score.into(),
                comment.clone().into(),
                tx.scope().today().into(),
                tx.scope().clock().now().into(),
            ],
        )
        .await?;
    if given == 0 {
        return Err(Error::AlreadyRated);
    }
    NewEvent::new("invoice.rated", Kind::Invoice, invoice.id)
        .fact("score", score)
        .changed_personal("comment", None, comment.as_deref())
        .append(tx)
        .await?;
    Ok(())
}

/// The scores of these invoices, by invoice; those without one are left out.
pub async fn of_invoices(tx: &Tx, invoices: &[Uuid]) -> Result<Vec<Model>, Error> {
    tx.scope().require(Permission::InvoicingRead)?;
    let sql = "SELECT * FROM satisfaction WHERE invoice_id = ANY($1) ORDER BY invoice_id";
    Ok(tx.all(sql, [invoices.to_vec().into()]).await?)
}

/// The scores that were given from one day to another, both included.
pub async fn scores(tx: &Tx, from: NaiveDate, to: NaiveDate) -> Result<Scores, Error> {
    tx.scope().require(Permission::InvoicingRead)?;
    let sums: Option<(i64, i64)> = tx
        .tuple(
            "SELECT count(*), coalesce(sum(score), 0)::bigint FROM satisfaction WHERE given_on BETWEEN $1 AND $2",
            [from.into(), to.into()],
        )
        .await?;
    let (count, sum) = sums.unwrap_or_default();
    Ok(Scores { count, sum })
}
