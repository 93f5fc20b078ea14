//! How bills are read and written.

use chrono::NaiveDate;
use entity::invoicing::{bill, bill_finding, bill_line, bill_tax};
use kernel::{Fault, Kind, Tx};
use rust_decimal::Decimal;
use sea_orm::{ActiveModelTrait, EntityTrait, NotSet, Value};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::BillKind;
use super::content::{Group, Line};
use crate::einvoice::{Finding, Severity};
use crate::error::Error;
use crate::tax::Waiting;

/// A bill's row, locked until the transaction ends.
pub(super) async fn lock(tx: &Tx, id: Uuid) -> Result<bill::Model, Error> {
    let row = tx.one("SELECT * FROM bill WHERE id = $1 FOR NO KEY UPDATE", [id.into()]).await?;
    row.ok_or(Error::NotFound(Kind::Bill, "id"))
}

pub(super) async fn by_ids(tx: &Tx, ids: &[Uuid]) -> Result<Vec<bill::Model>, Fault> {
    tx.all("SELECT * FROM bill WHERE id = ANY($1) ORDER BY id", [ids.to_vec().into()]).await
}

pub(super) async fn lines_of(tx: &Tx, bills: &[Uuid]) -> Result<Vec<bill_line::Model>, Fault> {
    let sql = "SELECT * FROM bill_line WHERE bill_id = ANY($1) ORDER BY bill_id, line_no";
    tx.all(sql, [bills.to_vec().into()]).await
}

pub(super) async fn credit_notes_of(tx: &Tx, bills: &[Uuid]) -> Result<Vec<bill::Model>, Fault> {
    let sql = "SELECT * FROM bill WHERE corrects_id = ANY($1) ORDER BY corrects_id, id";
    tx.all(sql, [bills.to_vec().into()]).await
}

pub(super) async fn taxes_of(tx: &Tx, bills: &[Uuid]) -> Result<Vec<bill_tax::Model>, Fault> {
    let sql = "SELECT * FROM bill_tax WHERE bill_id = ANY($1) ORDER BY bill_id, category DESC, rate DESC";
    tx.all(sql, [bills.to_vec().into()]).await
}

pub(super) async fn findings_of(tx: &Tx, bills: &[Uuid]) -> Result<Vec<bill_finding::Model>, Fault> {
    let sql = "SELECT * FROM bill_finding WHERE bill_id = ANY($1) ORDER BY bill_id, id";
    tx.all(sql, [bills.to_vec().into()]).await
}

/// What makes a bill the same as another.
pub(super) struct Likeness<'a> {
    pub(super) supplier_id: Uuid,
    pub(super) number: &'a str,
    pub(super) issue_date: NaiveDate,
    pub(super) kind: BillKind,
    pub(super) file_sha256: Option<&'a [u8]>,
}

/// The bill that has come already, if it has: the same supplier, number, kind and issue year, or the same file;
/// rejected ones aside.
pub(super) async fn first_of(tx: &Tx, like: &Likeness<'_>) -> Result<Option<Uuid>, Fault> {
    let found: Option<(Uuid,)> = tx
        .tuple(
            "SELECT id FROM (
                 SELECT id FROM bill WHERE supplier_id = $1 AND number = $2 AND kind = $4 AND state <> 'rejected'
                     AND issue_year = extract(year FROM $3::date)::smallint
                 UNION ALL SELECT id FROM bill WHERE file_sha256 = $5 AND state <> 'rejected') AS same
             ORDER BY id LIMIT 1",
            [
                like.supplier_id.into(),
                like.number.into(),
                like.issue_date.into(),
                like.kind.as_str().into(),
                like.file_sha256.map(<[u8]>::to_vec).into(),
            ],
        )
        .await?;
    Ok(found.map(|(id,)| id))
}

/// The bill of a file, rejected ones aside.
pub(super) async fn of_file(tx: &Tx, sha256: &[u8]) -> Result<Option<Uuid>, Fault> {
    let sql = "SELECT id FROM bill WHERE file_sha256 = $1 AND state <> 'rejected' ORDER BY id LIMIT 1";
    let found: Option<(Uuid,)> = tx.tuple(sql, [sha256.to_vec().into()]).await?;
    Ok(found.map(|(id,)| id))
}

/// The bill of a supplier that a credit note names as the one before it.
pub(super) async fn preceding(
    tx: &Tx,
    supplier: Uuid,
    number: &str,
    issued: Option<NaiveDate>,
) -> Result<Option<Uuid>, Fault> {
    let found: Option<(Uuid,)> = tx
        .tuple(
            "SELECT id FROM bill WHERE supplier_id = $1 AND number = $2 AND kind = 'bill' AND state <> 'rejected'
                 AND ($3::date IS NULL OR issue_date = $3)
             ORDER BY id DESC LIMIT 1",
            [supplier.into(), number.into(), issued.into()],
        )
        .await?;
    Ok(found.map(|(id,)| id))
}

/// The account of the last bill of a supplier that was posted.
pub(super) async fn last_account(tx: &Tx, supplier: Uuid) -> Result<Option<Uuid>, Fault> {
    let found: Option<(Uuid,)> = tx
        .tuple(
            "SELECT l.account_id FROM bill b JOIN bill_line l ON l.tenant_id = b.tenant_id AND l.bill_id = b.id
             WHERE b.supplier_id = $1 AND b.state = 'posted' AND l.account_id IS NOT NULL
             ORDER BY b.id DESC, l.line_no LIMIT 1",
            [supplier.into()],
        )
        .await?;
    Ok(found.map(|(id,)| id))
}

/// Stores a new bill. In a savepoint, so that the transaction survives when its twin came first.
pub(super) async fn insert(tx: &Tx, row: &bill::Model) -> Result<(), Fault> {
    let mut active = bill::ActiveModel::from(row.clone()).reset_all();
    (active.issue_year, active.open_minor) = (NotSet, NotSet);
    tx.savepoint(async { Ok(bill::Entity::insert(active).exec_without_returning(tx).await.map(|_| ())?) })
        .await
}

/// Adds lines to a bill, numbered from `first` on.
pub(super) async fn insert_lines(tx: &Tx, bill: Uuid, first: i32, lines: &[Line]) -> Result<(), Error> {
    let rows: Vec<Json> = (first..)
        .zip(lines)
        .map(|(line_no, line)| {
            json!({
                "id": tx.new_id(), "line_no": line_no, "description": line.description,
                "quantity": line.quantity, "unit": line.unit, "unit_price": line.unit_price,
                "net_minor": line.net_minor, "category": line.category, "rate": line.rate,
                "account_id": line.account_id,
            })
        })
        .collect();
    tx.run(
        "INSERT INTO bill_line (tenant_id, id, bill_id, line_no, description, quantity, unit, unit_price, net_minor,
             category, rate, account_id)
         SELECT $1, l.id, $2, l.line_no, l.description, l.quantity, l.unit, l.unit_price, l.net_minor, l.category,
             l.rate, l.account_id
         FROM jsonb_to_recordset($3) AS l(id uuid, line_no integer, description text, quantity numeric, unit text,
             unit_price numeric, net_minor bigint, category text, rate numeric, account_id uuid)",
        [tx.scope().company().id.into(), bill.into(), Json::Array(rows).into()],
    )
    .await
    .map_err(Error::of_constraint)?;
    Ok(())
}

/// Replaces the tax groups of a bill.
pub(super) async fn replace_taxes(tx: &Tx, bill: Uuid, taxes: &[Group]) -> Result<(), Fault> {
    tx.run("DELETE FROM bill_tax WHERE bill_id = $1", [bill.into()]).await?;
    let rows: Vec<Json> = taxes
        .iter()
        .map(|tax| {
            json!({
                "category": tax.category, "rate": tax.rate, "reason": tax.reason,
                "base_minor": tax.base_minor, "tax_minor": tax.tax_minor,
            })
        })
        .collect();
    tx.run(
        "INSERT INTO bill_tax (tenant_id, bill_id, category, rate, reason, base_minor, tax_minor)
         SELECT $1, $2, t.category, t.rate, t.reason, t.base_minor, t.tax_minor
         FROM jsonb_to_recordset($3) AS t(category text, rate numeric, reason text, base_minor bigint,
             tax_minor bigint)",
        [tx.scope().company().id.into(), bill.into(), Json::Array(rows).into()],
    )
    .await?;
    Ok(())
}

/// Keeps what was found on a new bill.
pub(super) async fn insert_findings(tx: &Tx, bill: Uuid, findings: &[Finding]) -> Result<(), Fault> {
    let plain = |text: &str| text.replace('\0', " ");
    let rows: Vec<Json> = findings
        .iter()
        .map(|finding| {
            json!({
                "id": tx.new_id(), "rule": finding.rule, "severity": severity(finding.severity),
                "field": finding.field, "line": finding.line.as_deref().map(plain),
                "message": plain(&finding.message), "expected": finding.expected, "stated": finding.stated,
            })
        })
        .collect();
    tx.run(
        "INSERT INTO bill_finding (tenant_id, id, bill_id, rule, severity, field, line, message, expected, stated)
         SELECT $1, f.id, $2, f.rule, f.severity, f.field, f.line, f.message, f.expected, f.stated
         FROM jsonb_to_recordset($3) AS f(id uuid, rule text, severity text, field text, line text, message text,
             expected numeric, stated numeric)",
        [tx.scope().company().id.into(), bill.into(), Json::Array(rows).into()],
    )
    .await?;
    Ok(())
}

const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// Overwrites a line of a bill with a corrected one.
pub(super) async fn update_line(tx: &Tx, line: &bill_line::Model) -> Result<(), Error> {
    tx.run(
        "UPDATE bill_line SET description = $2, net_minor = $3, category = $4, rate = $5, account_id = $6
         WHERE id = $1",
        [
            line.id.into(),
            line.description.as_str().into(),
            line.net_minor.into(),
            line.category.as_str().into(),
            line.rate.into(),
            line.account_id.into(),
        ],
    )
    .await
    .map_err(Error::of_constraint)?;
    Ok(())
}

pub(super) async fn delete_lines(tx: &Tx, lines: &[Uuid]) -> Result<(), Fault> {
    tx.run("DELETE FROM bill_line WHERE id = ANY($1)", [lines.to_vec().into()]).await?;
    Ok(())
}

/// Writes the accounts that lines took.
pub(super) async fn set_accounts(tx: &Tx, lines: &[Uuid], accounts: &[Uuid]) -> Result<(), Error> {
    tx.run(
        "UPDATE bill_line l SET account_id = a.account_id
         FROM unnest($1::uuid[], $2::uuid[]) AS a(line_id, account_id)
         WHERE l.id = a.line_id AND l.account_id IS DISTINCT FROM a.account_id",
        [lines.to_vec().into(), accounts.to_vec().into()],
    )
    .await
    .map_err(Error::of_constraint)?;
    Ok(())
}

/// Writes what of a tax group waits for payment.
pub(super) async fn set_waiting(tx: &Tx, tax: &bill_tax::Model, waiting: Waiting) -> Result<(), Fault> {
    tx.run(
        "UPDATE bill_tax SET waiting_minor = $4, waiting_base_minor = $5
         WHERE bill_id = $1 AND category = $2 AND rate = $3",
        [
            tax.bill_id.into(),
            tax.category.as_str().into(),
            tax.rate.into(),
            waiting.tax_minor.into(),
            waiting.base_minor.into(),
        ],
    )
    .await?;
    Ok(())
}

/// Overwrites what of a bill may change; the triggers refuse the rest. The row is locked.
pub(super) async fn update(tx: &Tx, after: &bill::Model) -> Result<(), Error> {
    let values: [Value; 28] = [
        after.id.into(),
        after.state.as_str().into(),
        after.due_date.into(),
        after.vat_on_payment.into(),
        after.allowance_minor.into(),
        after.charge_minor.into(),
        after.net_minor.into(),
        after.tax_minor.into(),
        after.total_minor.into(),
        after.prepaid_minor.into(),
        after.rounding_minor.into(),
        after.payable_minor.into(),
        after.corrected.into(),
        after.approved_by.clone().into(),
        after.approved_at.into(),
        after.rejected_by.clone().into(),
        after.rejected_at.into(),
        after.rejected_reason.clone().into(),
        after.posted_by.clone().into(),
        after.posted_at.into(),
        after.posted_on.into(),
        after.entry_id.into(),
        after.rate.into(),
        after.payable_base_minor.into(),
        tx.scope().clock().now().into(),
        tx.scope().actor().stored().into(),
        after.version.into(),
        after.corrected_by.clone().into(),
    ];
    tx.run(
        "UPDATE bill SET state = $2, due_date = $3, vat_on_payment = $4, allowance_minor = $5, charge_minor = $6,
             net_minor = $7, tax_minor = $8, total_minor = $9, prepaid_minor = $10, rounding_minor = $11,
             payable_minor = $12, corrected = $13, approved_by = $14, approved_at = $15, rejected_by = $16,
             rejected_at = $17, rejected_reason = $18, posted_by = $19, posted_at = $20, posted_on = $21,
             entry_id = $22, rate = $23, payable_base_minor = $24, updated_at = $25, updated_by = $26,
             version = $27 + 1, corrected_by = $28
         WHERE id = $1",
        values,
    )
    .await?;
    Ok(())
}

/// The company's standard rate of VAT, percent: that of the tax code `S20`, else the highest of category S.
pub(super) async fn standard_rate(tx: &Tx) -> Result<Option<Decimal>, Fault> {
    let found: Option<(Decimal,)> = tx
        .tuple(
            "SELECT rate FROM tax_code WHERE category = 'S' AND archived_at IS NULL
             ORDER BY code = 'S20' DESC, rate DESC LIMIT 1",
            [],
        )
        .await?;
    Ok(found.map(|(rate,)| rate))
}
