//! Correcting a received bill before its approval.

use std::collections::HashMap;

use entity::invoicing::{bill, bill_line};
use kernel::{Currency, Kind, NewEvent, Permission, Tx};
use uuid::Uuid;

use super::content::{Group, description, lines, minor, taxes, treatment};
use super::service::{currency_of, state_of};
use super::{Correction, LineCorrection, State, Totals, store};
use crate::error::Error;
use crate::step;

/// Corrects a received bill: due date, accounts, categories, amounts. It is marked as corrected; what was found
/// when it came stays. Needs `bills.enter`.
pub async fn correct(
    tx: &Tx,
    id: Uuid,
    expected_version: i32,
    correction: &Correction,
) -> Result<Uuid, Error> {
    tx.scope().require(Permission::BillsEnter)?;
    let before = store::lock(tx, id).await?;
    Error::unless_version(expected_version, before.version)?;
    if state_of(&before)? != State::Received {
        return Err(Error::WrongState(
            "only a received bill is corrected: reject it, and record it anew".into(),
        ));
    }
    let currency = currency_of(&before)?;
    let after = bill::Model {
        due_date: correction.due_date.unwrap_or(before.due_date),
        vat_on_payment: correction.vat_on_payment.unwrap_or(before.vat_on_payment),
        corrected: true,
        corrected_by: Some(tx.scope().actor().stored()),
        ..with_totals(&before, currency, &correction.totals)?
    };
    let changed_lines = correct_lines(tx, id, currency, correction).await?;
    let changed_taxes = correct_taxes(tx, id, currency, correction).await?;
    let same = bill::Model {
        corrected: before.corrected,
        corrected_by: before.corrected_by.clone(),
        ..after.clone()
    } == before;
    if same && changed_lines.is_empty() && !changed_taxes {
        return Err(Error::invalid("input", "nothing differs from what is recorded: change something"));
    }
    store::update(tx, &after).await?;
    step::take_in(tx, Kind::Bill, id, Some(before.received_at), "corrected").await?;
    let mut event = NewEvent::new("bill.corrected", Kind::Bill, id)
        .changed("dueDate", &before.due_date, &after.due_date)
        .changed("vatOnPayment", &before.vat_on_payment, &after.vat_on_payment)
        .changed("allowancesMinor", &before.allowance_minor, &after.allowance_minor)
        .changed("chargesMinor", &before.charge_minor, &after.charge_minor)
        .changed("netMinor", &before.net_minor, &after.net_minor)
        .changed("taxMinor", &before.tax_minor, &after.tax_minor)
        .changed("totalMinor", &before.total_minor, &after.total_minor)
        .changed("prepaidMinor", &before.prepaid_minor, &after.prepaid_minor)
        .changed("roundingMinor", &before.rounding_minor, &after.rounding_minor)
        .changed("payableMinor", &before.payable_minor, &after.payable_minor);
    if !changed_lines.is_empty() {
        event = event.fact("lines", changed_lines);
    }
    if changed_taxes {
        event = event.fact("taxesReplaced", true);
    }
    event.append(tx).await?;
    Ok(id)
}

fn with_totals(before: &bill::Model, currency: Currency, totals: &Totals) -> Result<bill::Model, Error> {
    let corrected = |field: &str, given: Option<rust_decimal::Decimal>, stated: i64| match given {
        Some(amount) => minor(currency, &format!("totals.{field}"), amount),
        None => Ok(stated),
    };
    Ok(bill::Model {
        allowance_minor: corrected("allowances", totals.allowances, before.allowance_minor)?,
        charge_minor: corrected("charges", totals.charges, before.charge_minor)?,
        net_minor: corrected("net", totals.net, before.net_minor)?,
        tax_minor: corrected("tax", totals.tax, before.tax_minor)?,
        total_minor: corrected("total", totals.total, before.total_minor)?,
        prepaid_minor: corrected("prepaid", totals.prepaid, before.prepaid_minor)?,
        rounding_minor: corrected("rounding", totals.rounding, before.rounding_minor)?,
        payable_minor: corrected("payable", totals.payable, before.payable_minor)?,
        ..before.clone()
    })
}

/// What became of the lines, by their numbers; for the event.
async fn correct_lines(
    tx: &Tx,
    bill: Uuid,
    currency: Currency,
    correction: &Correction,
) -> Result<HashMap<String, &'static str>, Error> {
    let known = store::lines_of(tx, &[bill]).await?;
    let find = |id: Uuid, field: String| {
        known.iter().find(|line| line.id == id).ok_or(Error::NotFoundAt(Kind::BillLine, field.into()))
    };
    let mut told = HashMap::new();
    for (index, change) in correction.lines.iter().enumerate() {
        let before = find(change.id, format!("lines.{index}.id"))?;
        let after = corrected_line(before, currency, &format!("lines.{index}"), change)?;
        if after != *before {
            store::update_line(tx, &after).await?;
            told.insert(before.line_no.to_string(), "corrected");
        }
    }
    for (index, id) in correction.removed.iter().enumerate() {
        let line = find(*id, format!("removed.{index}"))?;
        told.insert(line.line_no.to_string(), "removed");
    }
    let added = lines(currency, "added", &correction.added)?;
    let removed = told.values().filter(|what| **what == "removed").count();
    if known.len() + added.len() == removed {
        return Err(Error::NoLines);
    }
    if !correction.removed.is_empty() {
        store::delete_lines(tx, &correction.removed).await?;
    }
    if !added.is_empty() {
        let next = known.iter().map(|line| line.line_no).max().unwrap_or(0) + 1;
        store::insert_lines(tx, bill, next, &added).await?;
        told.extend((next..).zip(&added).map(|(number, _)| (number.to_string(), "added")));
    }
    Ok(told)
}

fn corrected_line(
    before: &bill_line::Model,
    currency: Currency,
    at: &str,
    change: &LineCorrection,
) -> Result<bill_line::Model, Error> {
    let mut after = before.clone();
    if let Some(text) = &change.description {
        after.description = description(&format!("{at}.description"), text)?;
    }
    if let Some(net) = change.net {
        after.net_minor = minor(currency, &format!("{at}.net"), net)?;
    }
    if change.category.is_some() || change.rate.is_some() {
        let category = change.category.as_deref().unwrap_or(&before.category);
        (after.category, after.rate) = treatment(at, category, change.rate.unwrap_or(before.rate))?;
    }
    after.account_id = change.account_id.or(before.account_id);
    Ok(after)
}

/// Replaces the tax groups when they are given and differ; whether they did.
async fn correct_taxes(
    tx: &Tx,
    bill: Uuid,
    currency: Currency,
    correction: &Correction,
) -> Result<bool, Error> {
    let Some(given) = &correction.taxes else { return Ok(false) };
    let mut after = taxes(currency, given)?;
    let before = store::taxes_of(tx, &[bill]).await?;
    let before: Vec<Group> = before
        .into_iter()
        .map(|row| Group {
            category: row.category,
            rate: row.rate.normalize(),
            reason: row.reason,
            base_minor: row.base_minor,
            tax_minor: row.tax_minor,
        })
        .collect();
    let key = |tax: &Group| (tax.category.clone(), tax.rate);
    after.sort_by_key(|tax| std::cmp::Reverse(key(tax)));
    if after == before {
        return Ok(false);
    }
    store::replace_taxes(tx, bill, &after).await?;
    Ok(true)
}
