//! How accounts are read and written.

use entity::ledger::account;
use kernel::page::{Page, Slice};
use kernel::{Kind, Tx};
use sea_orm::{ColumnTrait, FromQueryResult, PaginatorTrait, QueryFilter, QueryOrder, Select};
use uuid::Uuid;

use super::{NewAccount, Role};
use crate::error::Error;
use crate::listing;

/// What posting needs to know of an account.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct Known {
    pub id: Uuid,
    pub number: String,
    pub role: Option<String>,
    pub closed: bool,
    pub party_required: bool,
    pub reconcilable: bool,
}

/// The accounts of these ids and roles, in one statement.
pub(crate) async fn known(tx: &Tx, ids: Vec<Uuid>, roles: &[Role]) -> Result<Vec<Known>, Error> {
    let roles: Vec<String> = roles.iter().map(|role| role.as_str().to_owned()).collect();
    let sql = "SELECT id, number, role, closed_at IS NOT NULL AS closed, party_required, reconcilable
               FROM account WHERE id = ANY($1) OR role = ANY($2)";
    Ok(tx.all(sql, [ids.into(), roles.into()]).await?)
}

pub(super) async fn load(tx: &Tx, id: Uuid) -> Result<Option<account::Model>, Error> {
    Ok(tx.one("SELECT * FROM account WHERE id = $1 FOR NO KEY UPDATE", [id.into()]).await?)
}

/// Loads and locks an account of the version that the client had.
pub(super) async fn load_version(tx: &Tx, id: Uuid, expected: i32) -> Result<account::Model, Error> {
    let found = load(tx, id).await?.ok_or(Error::NotFound(Kind::Account, "id"))?;
    crate::error::same_version(expected, found.version)?;
    Ok(found)
}

pub(super) async fn insert(tx: &Tx, id: Uuid, account: &NewAccount) -> Result<(), Error> {
    let scope = tx.scope();
    tx.run(
        "INSERT INTO account (tenant_id, id, number, name, name_en, kind, reconcilable, party_required, external_ref,
             created_at, created_by, updated_at, updated_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $10, $11)",
        [
            scope.company().id.into(),
            id.into(),
            account.number.clone().into(),
            account.name.clone().into(),
            account.name_en.clone().into(),
            account.kind.as_str().into(),
            account.reconcilable.into(),
            account.party_required.into(),
            account.external_ref.clone().into(),
            scope.clock().now().into(),
            scope.actor().stored().into(),
        ],
    )
    .await?;
    Ok(())
}

/// Writes the names and the state of an account; its version grows.
pub(super) async fn update(tx: &Tx, account: &account::Model) -> Result<(), Error> {
    let scope = tx.scope();
    tx.run(
        "UPDATE account SET name = $2, name_en = $3, closed_at = $4, external_ref = $5, version = version + 1,
             updated_at = $6, updated_by = $7 WHERE id = $1",
        [
            account.id.into(),
            account.name.clone().into(),
            account.name_en.clone().into(),
            account.closed_at.into(),
            account.external_ref.clone().into(),
            scope.clock().now().into(),
            scope.actor().stored().into(),
        ],
    )
    .await?;
    Ok(())
}

pub(super) async fn delete(tx: &Tx, id: Uuid) -> Result<(), Error> {
    match tx.run("DELETE FROM account WHERE id = $1", [id.into()]).await {
        Ok(_) => Ok(()),
        // 23503: something refers to it, in whichever domain.
        Err(fault) if fault.sqlstate().as_deref() == Some("23503") => Err(Error::AccountInUse),
        Err(fault) => Err(fault.into()),
    }
}

fn filtered(tx: &Tx, filter: &super::service::Filter) -> Select<account::Entity> {
    let mut query = tx.find(account::Entity);
    if let Some(prefix) = &filter.number_starts_with {
        query = query.filter(account::Column::Number.gte(prefix.as_str()));
        // `~` stands after all digits and capital letters in the order "C".
        query = query.filter(account::Column::Number.lt(format!("{prefix}~")));
    }
    if let Some(kind) = filter.kind {
        query = query.filter(account::Column::Kind.eq(kind.as_str()));
    }
    match filter.open {
        Some(true) => query.filter(account::Column::ClosedAt.is_null()),
        Some(false) => query.filter(account::Column::ClosedAt.is_not_null()),
        None => query,
    }
}

pub(super) async fn list(
    tx: &Tx,
    filter: &super::service::Filter,
    slice: &Slice,
) -> Result<Page<account::Model>, Error> {
    let sorting =
        listing::Sorting { key: Some(account::Column::Number), id: account::Column::Id, descending: false };
    Ok(listing::page(tx, filtered(tx, filter), &sorting, slice, |key| Some(key.into())).await?)
}

pub(super) async fn count(tx: &Tx, filter: &super::service::Filter) -> Result<u64, Error> {
    Ok(filtered(tx, filter).count(tx).await?)
}

pub(super) async fn by_ids(tx: &Tx, ids: &[Uuid]) -> Result<Vec<account::Model>, Error> {
    let sql = "SELECT * FROM account WHERE id = ANY($1)";
    Ok(tx.all(sql, [ids.to_vec().into()]).await?)
}

pub(super) async fn by_number(tx: &Tx, number: &str) -> Result<Option<account::Model>, Error> {
    let query = tx.find(account::Entity).filter(account::Column::Number.eq(number));
    Ok(query.order_by_asc(account::Column::Id).one(tx).await?)
}

/// The cursor of an account in its list.
pub(super) fn cursor(account: &account::Model) -> kernel::page::Cursor {
    kernel::page::Cursor { key: account.number.clone(), id: account.id }
}
