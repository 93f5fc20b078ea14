//! Pseudo-random work on the rows of invoicing, as many people at once would do it.

use chrono::{Days, NaiveDate};
use kernel::{Fault, Tx};
use testing::{Failed, day};
use uuid::Uuid;

use crate::support::{
    Firm, Ids, Pay, Sale, approve_in, bill_in, bounce_after_in, change_bill_in, credit_in, draft_in,
    issue_in, pay_all_in, pay_in, score_in, sell_in, step_in, undo_in,
};

/// A reproducible source of choices (a linear congruential generator, by Knuth's constants).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn amount(&mut self) -> i64 {
        i64::try_from(self.roll(100_000)).unwrap_or(0) + 1
    }

    /// None, or some days.
    fn days_later(&mut self) -> i32 {
        if self.roll(3) == 0 { 0 } else { i32::try_from(self.roll(40)).unwrap_or(0) }
    }

    /// A day of June 2026, or one within and beyond what rolling windows look at.
    fn day(&mut self) -> NaiveDate {
        if self.roll(2) == 0 {
            return day("2026-06-01") + Days::new(self.roll(30));
        }
        day("2026-01-20") + Days::new(self.roll(200))
    }
}

/// One piece of work: it commits, is refused, or its future is dropped in the middle.
pub(crate) async fn act(firm: &Firm, mut dice: Dice) {
    let ids = firm.ids;
    let (refused, dropped) = (dice.roll(8) == 0, dice.roll(8) == 0);
    let patience = std::time::Duration::from_micros(if dropped { dice.roll(6000) } else { 30_000_000 });
    let work = firm.scope.write(move |tx| {
        Box::pin(async move {
            act_in(tx, ids, dice).await?;
            if refused { Err(Failed::Refused) } else { Ok(()) }
        })
    });
    if let Ok(Err(Failed::Fault(fault))) = tokio::time::timeout(patience, work).await {
        assert!(by_chance(&fault), "{fault}");
    }
}

/// What two who act at once may run into: a check on what the other took first, or a lock held too long.
fn by_chance(fault: &Fault) -> bool {
    fault.sqlstate().is_some_and(|code| ["23514", "23505", "CO002", "55P03", "40P01"].contains(&&*code))
}

async fn act_in(tx: &Tx, ids: Ids, mut dice: Dice) -> Result<(), Fault> {
    let currency = if dice.roll(4) == 0 { "USD" } else { "EUR" };
    let issued = dice.day();
    let due = issued + Days::new(dice.roll(60));
    let other = dice.roll(3) == 0;
    let sale = Sale { corrects: None, issued, due, net: dice.amount(), tax: dice.amount(), currency, other };
    match dice.roll(15) {
        0 => drop(draft_in(tx, ids, sale).await?),
        1..=2 => drop(sell_in(tx, ids, sale).await?),
        3 => edit_in(tx, ids, dice, sale).await?,
        4 => take_back_in(tx, ids, sale).await?,
        5..=6 => settle_in(tx, ids, dice).await?,
        7 => {
            if let Some(payment) = some(tx, "SELECT id FROM payment WHERE state = 'recorded'").await? {
                bounce_after_in(tx, payment, dice.days_later()).await?;
            }
        }
        8 => {
            let kind = if dice.roll(5) == 0 { "credit_note" } else { "bill" };
            let bill = bill_in(tx, ids, kind, dice.day(), dice.amount()).await?;
            if dice.roll(3) == 0 {
                change_bill_in(tx, bill, "restated").await?;
            }
        }
        9..=10 => decide_in(tx, ids, dice).await?,
        11 => settle_many_in(tx, ids, dice).await?,
        12 => {
            let set = "SELECT id FROM invoice i WHERE kind = 'credit_note' AND credited_minor > 0";
            if let Some(note) = some(tx, set).await? {
                undo_in(tx, "a.credit_note_id = $1", note, dice.days_later()).await?;
            }
        }
        13 => walk_in(tx, dice).await?,
        _ => {
            let unscored = "SELECT id FROM invoice i WHERE state = 'issued'
                                AND NOT EXISTS (SELECT FROM satisfaction s WHERE s.invoice_id = i.id)";
            if let Some(invoice) = some(tx, unscored).await? {
                let score = i16::try_from(dice.roll(5)).unwrap_or(0) + 1;
                score_in(tx, invoice, score, dice.day()).await?;
            }
        }
    }
    Ok(())
}

/// Issues, discards or changes drafts, and touches what is issued.
async fn edit_in(tx: &Tx, ids: Ids, mut dice: Dice, sale: Sale) -> Result<(), Fault> {
    let Some(draft) = some(tx, "SELECT id FROM invoice WHERE state = 'draft'").await? else { return Ok(()) };
    match dice.roll(3) {
        0 => drop(issue_in(tx, ids, draft, sale).await?),
        1 => drop(tx.run("UPDATE invoice SET state = 'discarded' WHERE id = $1", [draft.into()]).await?),
        _ => {
            for text in [
                "UPDATE invoice_line SET net_minor = net_minor + 1 WHERE invoice_id = $1",
                "UPDATE invoice_tax SET base_minor = base_minor + 1 WHERE invoice_id = $1",
                "UPDATE invoice SET net_minor = net_minor + 1, total_minor = total_minor + 1,
                     net_base_minor = net_base_minor + 1, total_base_minor = total_base_minor + 1 WHERE id = $1",
                "UPDATE invoice SET version = version + 1 WHERE state = 'issued' AND $1::uuid IS NOT NULL",
            ] {
                tx.run(text, [draft.into()]).await?;
            }
        }
    }
    Ok(())
}

/// Issues a credit note over half of an invoice that has none yet.
async fn take_back_in(tx: &Tx, ids: Ids, sale: Sale) -> Result<(), Fault> {
    let text = "SELECT id, net_minor / 2, tax_minor / 2, customer_id FROM invoice i
                WHERE state = 'issued' AND kind = 'invoice' AND currency = $1
                    AND NOT EXISTS (SELECT FROM invoice c WHERE c.corrects_id = i.id)
                ORDER BY random() LIMIT 1 FOR UPDATE SKIP LOCKED";
    let found: Option<(Uuid, i64, i64, Uuid)> = tx.tuple(text, [sale.currency.into()]).await?;
    if let Some((invoice, net, tax, customer)) = found {
        let other = customer == ids.other;
        sell_in(tx, ids, Sale { corrects: Some(invoice), net, tax, other, ..sale }).await?;
    }
    Ok(())
}

/// A row of a query, any one; locked.
async fn some(tx: &Tx, query: &str) -> Result<Option<Uuid>, Fault> {
    let text = format!("{query} ORDER BY random() LIMIT 1 FOR UPDATE SKIP LOCKED");
    Ok(tx.tuple(&text, []).await?.map(|(id,): (Uuid,)| id))
}

/// Pays part of an invoice, or sets a credit note against it.
async fn settle_in(tx: &Tx, ids: Ids, mut dice: Dice) -> Result<(), Fault> {
    let text = "SELECT id, currency, total_minor - settled_minor - credited_minor FROM invoice
                WHERE state = 'issued' AND kind = 'invoice' AND total_minor > settled_minor + credited_minor
                ORDER BY random() LIMIT 1 FOR UPDATE SKIP LOCKED";
    let Some((invoice, currency, open)) = tx.tuple::<(Uuid, String, i64)>(text, []).await? else {
        return Ok(());
    };
    let part = if dice.roll(2) == 0 { open } else { open / 2 + 1 };
    let currency = if currency == "USD" { "USD" } else { "EUR" };
    if dice.roll(4) == 0 {
        let text = "SELECT id, total_minor - settled_minor - credited_minor FROM invoice
                    WHERE state = 'issued' AND kind = 'credit_note' AND total_minor > settled_minor + credited_minor
                        AND currency = $1 AND customer_id = (SELECT customer_id FROM invoice WHERE id = $2)
                    ORDER BY random() LIMIT 1 FOR UPDATE SKIP LOCKED";
        if let Some((note, left)) = tx.tuple::<(Uuid, i64)>(text, [currency.into(), invoice.into()]).await? {
            return credit_in(tx, note, invoice, left.min(part), dice.day()).await;
        }
    }
    pay_in(tx, ids, Pay { on: dice.day(), amount: part, currency, invoice: Some(invoice), bill: None })
        .await?;
    Ok(())
}

/// Pays parts of several invoices of a customer by one statement.
async fn settle_many_in(tx: &Tx, ids: Ids, mut dice: Dice) -> Result<(), Fault> {
    let party = if dice.roll(2) == 0 { ids.party } else { ids.other };
    let text = "SELECT id, open_minor FROM invoice
                WHERE state = 'issued' AND kind = 'invoice' AND open_minor > 0 AND currency = 'EUR' AND customer_id = $1
                ORDER BY id LIMIT 3 FOR UPDATE SKIP LOCKED";
    let mut invoices: Vec<(Uuid, i64)> = tx.tuples(text, [party.into()]).await?;
    for (_, amount) in &mut invoices {
        if dice.roll(2) == 0 {
            *amount = *amount / 2 + 1;
        }
    }
    if invoices.is_empty() { Ok(()) } else { pay_all_in(tx, ids, dice.day(), &invoices, party).await }
}

/// Takes steps of processes, some of them twice on a day.
async fn walk_in(tx: &Tx, mut dice: Dice) -> Result<(), Fault> {
    if let Some(invoice) = some(tx, "SELECT id FROM invoice WHERE state <> 'discarded'").await? {
        let on = dice.day();
        for step in ["created", "issued", "paid", "paid"] {
            let after = i64::try_from(dice.roll(1 << 27)).unwrap_or(0);
            step_in(tx, "invoice", invoice, step, on, after).await?;
        }
    }
    Ok(())
}

/// Takes a bill one step on.
async fn decide_in(tx: &Tx, ids: Ids, mut dice: Dice) -> Result<(), Fault> {
    let waiting = "SELECT id FROM bill WHERE state = 'received'";
    let approved = "SELECT id FROM bill WHERE state = 'approved'";
    match dice.roll(6) {
        0 => {
            if let Some(bill) = some(tx, waiting).await? {
                change_bill_in(tx, bill, "rejected late").await?;
            }
        }
        1 => {
            if let Some(bill) = some(tx, waiting).await? {
                change_bill_in(tx, bill, "restated").await?;
            }
        }
        2..=3 => {
            if let Some(bill) = some(tx, waiting).await? {
                let elapsed = 1_i64 << dice.roll(32);
                approve_in(tx, bill, dice.day(), elapsed + i64::try_from(dice.roll(1000)).unwrap_or(0))
                    .await?;
            }
        }
        4 => {
            if let Some(bill) = some(tx, approved).await? {
                change_bill_in(tx, bill, "posted late").await?;
            }
        }
        _ => {
            let text = "SELECT id, payable_minor - settled_minor FROM bill WHERE state = 'posted' AND kind = 'bill'
                            AND payable_minor > settled_minor ORDER BY random() LIMIT 1 FOR UPDATE SKIP LOCKED";
            if let Some((bill, open)) = tx.tuple::<(Uuid, i64)>(text, []).await? {
                let pay =
                    Pay { on: dice.day(), amount: open, currency: "EUR", invoice: None, bill: Some(bill) };
                pay_in(tx, ids, pay).await?;
            }
        }
    }
    Ok(())
}
