//! What is done with accounts.

use std::collections::HashMap;

use chrono::NaiveDate;
use entity::ledger::account;
use kernel::page::{Cursor, Page, Slice};
use kernel::{Kind, NewEvent, Permission, Tx};
use uuid::Uuid;

use super::{AccountKind, NewAccount, Role, check_text, store};
use crate::error::Error;
use crate::report;

/// Which accounts are listed; everything by default.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Numbers that begin so, e.g. `44`.
    pub number_starts_with: Option<String>,
    /// Of one kind.
    pub kind: Option<AccountKind>,
    /// Open ones, or closed ones.
    pub open: Option<bool>,
}

/// Adds an account. Needs `ledger.configure`.
pub async fn create(tx: &Tx, account: NewAccount) -> Result<Uuid, Error> {
    tx.scope().require(Permission::LedgerConfigure)?;
    account.check()?;
    let id = tx.new_id();
    store::insert(tx, id, &account).await?;
    NewEvent::new("account.created", Kind::Account, id)
        .fact("number", &account.number)
        .fact("kind", account.kind.as_str())
        .append(tx)
        .await?;
    Ok(id)
}

/// New names for an account; its number and kind stay. Needs `ledger.configure`.
pub async fn rename(
    tx: &Tx,
    id: Uuid,
    expected_version: i32,
    name: &str,
    name_en: Option<&str>,
) -> Result<Uuid, Error> {
    tx.scope().require(Permission::LedgerConfigure)?;
    check_text("name", name, 200)?;
    if let Some(name) = name_en {
        check_text("nameEn", name, 200)?;
    }
    let before = store::load_version(tx, id, expected_version).await?;
    let after =
        account::Model { name: name.to_owned(), name_en: name_en.map(str::to_owned), ..before.clone() };
    store::update(tx, &after).await?;
    NewEvent::new("account.renamed", Kind::Account, id)
        .changed("name", &before.name, &after.name)
        .changed("nameEn", &before.name_en, &after.name_en)
        .append(tx)
        .await?;
    Ok(id)
}

/// Closes an account: nothing more is posted to it but what closes a year or reverses. Needs `ledger.configure`.
pub async fn close(tx: &Tx, id: Uuid, expected_version: i32) -> Result<Uuid, Error> {
    tx.scope().require(Permission::LedgerConfigure)?;
    let before = store::load_version(tx, id, expected_version).await?;
    if before.role.is_some() {
        return Err(Error::AccountHasRole);
    }
    if before.closed_at.is_some() {
        return Err(Error::WrongState("the account is closed already"));
    }
    store::update(tx, &account::Model { closed_at: Some(tx.scope().clock().now()), ..before }).await?;
    NewEvent::new("account.closed", Kind::Account, id).append(tx).await?;
    Ok(id)
}

/// Opens a closed account again. Needs `ledger.configure`.
pub async fn reopen(tx: &Tx, id: Uuid, expected_version: i32) -> Result<Uuid, Error> {
    tx.scope().require(Permission::LedgerConfigure)?;
    let before = store::load_version(tx, id, expected_version).await?;
    if before.closed_at.is_none() {
        return Err(Error::WrongState("the account is open"));
    }
    store::update(tx, &account::Model { closed_at: None, ..before }).await?;
    NewEvent::new("account.reopened", Kind::Account, id).append(tx).await?;
    Ok(id)
}

/// Deletes an account that nothing has ever referred to. Needs `ledger.configure`.
pub async fn delete(tx: &Tx, id: Uuid, expected_version: i32) -> Result<Uuid, Error> {
    tx.scope().require(Permission::LedgerConfigure)?;
    let account = store::load_version(tx, id, expected_version).await?;
    if account.role.is_some() {
        return Err(Error::AccountHasRole);
    }
    store::delete(tx, id).await?;
    NewEvent::new("account.deleted", Kind::Account, id).fact("number", &account.number).append(tx).await?;
    Ok(id)
}

/// Accounts by number. Needs `ledger.read`.
pub async fn list(tx: &Tx, filter: &Filter, slice: &Slice) -> Result<Page<account::Model>, Error> {
    tx.scope().require(Permission::LedgerRead)?;
    store::list(tx, filter, slice).await
}

/// How many accounts the filter lets through. Needs `ledger.read`.
pub async fn count(tx: &Tx, filter: &Filter) -> Result<u64, Error> {
    tx.scope().require(Permission::LedgerRead)?;
    store::count(tx, filter).await
}

/// The accounts of these ids; unknown ones are left out. Needs `ledger.read`.
pub async fn by_ids(tx: &Tx, ids: &[Uuid]) -> Result<Vec<account::Model>, Error> {
    tx.scope().require(Permission::LedgerRead)?;
    store::by_ids(tx, ids).await
}

/// The account of a number, if there is one. Needs `ledger.read`.
pub async fn by_number(tx: &Tx, number: &str) -> Result<Option<account::Model>, Error> {
    tx.scope().require(Permission::LedgerRead)?;
    store::by_number(tx, number).await
}

/// Where an account stands in its list.
pub fn cursor(account: &account::Model) -> Cursor {
    store::cursor(account)
}

/// The account of a role; `Error` when the company's books are not open.
pub async fn id_of_role(tx: &Tx, role: Role) -> Result<Uuid, Error> {
    let found = store::known(tx, Vec::new(), &[role]).await?;
    let open = found.into_iter().find(|account| !account.closed);
    open.map(|account| account.id).ok_or(Error::NoAccountForRole(role.as_str()))
}

/// The balances of accounts at the end of a day: debits less credits, minor units of the company's currency.
/// Accounts that were never posted to are left out. Needs `ledger.read`.
pub async fn balances_of(tx: &Tx, on: NaiveDate) -> Result<HashMap<Uuid, i64>, Error> {
    tx.scope().require(Permission::LedgerRead)?;
    let balance = report::trial_balance_in(tx, on, on, false).await?;
    Ok(balance.rows.iter().map(|row| (row.account_id, row.closing_minor())).collect())
}
