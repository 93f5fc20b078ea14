//! What a person has begun in sales and purchases and not finished.

use kernel::held::Held;
use kernel::{Actor, Fault, Kind, Tx};
use uuid::Uuid;

/// The invoices and credit notes that a person has drafted and nobody has issued; then the bills that the person has
/// entered and nobody has approved. For another domain's use case, in its transaction.
pub async fn held_by_in(tx: &Tx, person: Uuid) -> Result<[Held; 2], Fault> {
    let by = Actor::Person(person).stored();
    let invoices = "SELECT i.id, p.name, count(*) OVER () FROM invoice i
         JOIN party p ON p.tenant_id = i.tenant_id AND p.id = i.customer_id
         WHERE i.state = 'draft' AND i.created_by = $1";
    let bills = "SELECT b.id, p.name || ' ' || b.number, count(*) OVER () FROM bill b
         JOIN party p ON p.tenant_id = b.tenant_id AND p.id = b.supplier_id
         WHERE b.state = 'received' AND b.created_by = $1";
    Ok([
        Held::read(tx, Kind::Invoice, invoices, [by.clone().into()]).await?,
        Held::read(tx, Kind::Bill, bills, [by.into()]).await?,
    ])
}

/// The bills that wait for an approval which a person could give: with the four eyes of the company, of bills that
/// somebody else has entered. For another domain's use case, in its transaction.
pub async fn waiting_for_in(tx: &Tx, person: Uuid) -> Result<Held, Fault> {
    let sql = "SELECT b.id, p.name || ' ' || b.number, count(*) OVER () FROM bill b
         JOIN party p ON p.tenant_id = b.tenant_id AND p.id = b.supplier_id
         JOIN company c ON c.tenant_id = b.tenant_id
         WHERE b.state = 'received' AND NOT (c.four_eyes AND b.created_by = $1)";
    Held::read(tx, Kind::Bill, sql, [Actor::Person(person).stored().into()]).await
}
