//! Writes the demo's year through the domains' own functions, day by day, each act by whom it belongs to.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, NaiveDate, NaiveTime, TimeZone, Utc};
use identity::{Authenticator, Role};
use invoicing::catalog::item::{self, NewItem};
use invoicing::catalog::tax_code;
use invoicing::party::{self, NewParty};
use kernel::page::Slice;
use kernel::{Clock, Db, Scope, vault::Vault};
use uuid::Uuid;

use super::acts;
use super::people::{self, House};
use super::story::{CAST, Cast, Decision, Story, amount};
use crate::server::Failure;

/// What was written of a company, by its place in the story.
#[derive(Debug, Default)]
pub(super) struct Stock {
    pub customers: Vec<Uuid>,
    pub suppliers: Vec<Uuid>,
    pub items: Vec<Uuid>,
    /// Expense accounts by number.
    pub accounts: HashMap<String, Uuid>,
}

/// Seeds both companies at once; they share nothing. The year ends yesterday: today is for the living.
pub(super) async fn run(db: &Db, vault: &Vault, today: NaiveDate) -> Result<(), Failure> {
    let first = first_day(today);
    let (one, two) =
        tokio::join!(company(db, vault, &CAST[0], first, today), company(db, vault, &CAST[1], first, today));
    one.and(two)
}

/// The first of the month, twelve months ago.
fn first_day(today: NaiveDate) -> NaiveDate {
    use chrono::{Datelike, Months};
    today.with_day(1).and_then(|day| day.checked_sub_months(Months::new(12))).unwrap_or(today)
}

/// A moment of a day in Paris.
pub(super) fn moment(day: NaiveDate, minute_of_day: u32) -> DateTime<Utc> {
    let time = NaiveTime::from_num_seconds_from_midnight_opt(minute_of_day * 60, 0).unwrap_or(NaiveTime::MIN);
    let local = chrono_tz::Europe::Paris.from_local_datetime(&day.and_time(time)).earliest();
    local.map_or_else(|| day.and_time(time).and_utc(), |local| local.with_timezone(&Utc))
}

async fn company(
    db: &Db,
    vault: &Vault,
    cast: &Cast,
    first: NaiveDate,
    today: NaiveDate,
) -> Result<(), Failure> {
    let clock = Clock::fixed(moment(first, 8 * 60));
    let auth = Authenticator::new(db.clone(), vault.clone(), clock.clone());
    let house = people::settle(&auth, cast, first).await?;
    let stock = stock(&house.scope(&auth, Role::Accountant), cast).await?;
    let yesterday = today.pred_opt().unwrap_or(today);
    let story = cast.story(first, yesterday);
    let year = Year {
        house: &house,
        auth: &auth,
        clock: &clock,
        cast,
        story: &story,
        stock: &stock,
        done: Mutex::default(),
    };
    for day in first.iter_days().take_while(|day| *day < today) {
        year.day(day).await?;
    }
    Ok(())
}

/// Customers, suppliers and items.
async fn stock(scope: &Scope, cast: &Cast) -> Result<Stock, invoicing::Error> {
    scope.write(|tx| Box::pin(lay_stock(tx, cast_of(cast.name)))).await
}

/// The stock of a company that was seeded at an earlier start, in the story's order.
pub(super) async fn stock_of(scope: &Scope, cast: &'static Cast) -> Result<Stock, invoicing::Error> {
    let snapshot = scope.read().await?;
    let found = find_stock(&snapshot, cast).await;
    snapshot.end().await;
    found
}

async fn find_stock(tx: &kernel::Tx, cast: &Cast) -> Result<Stock, invoicing::Error> {
    let missing = |what: &str| invoicing::Error::invalid("name", format!("{what} is gone"));
    let mut stock = Stock::default();
    let parties = party::service::list(
        tx,
        &party::service::PartyFilter::default(),
        party::service::PartySort::default(),
        &Slice::first(100),
    )
    .await?;
    let party =
        |name: &str| parties.items.iter().find(|p| p.name == name).map(|p| p.id).ok_or_else(|| missing(name));
    for name in cast.customers {
        stock.customers.push(party(name)?);
    }
    for supplier in cast.suppliers {
        stock.suppliers.push(party(supplier.name)?);
        if let Some(account) = ledger::account::service::by_number(tx, supplier.account).await? {
            stock.accounts.insert(supplier.account.to_owned(), account.id);
        }
    }
    let items = item::service::list(
        tx,
        &item::service::ItemFilter::default(),
        item::service::ItemSort::default(),
        &Slice::first(100),
    )
    .await?;
    for article in cast.items {
        let found = items.items.iter().find(|item| item.code == article.code);
        stock.items.push(found.ok_or_else(|| missing(article.code))?.id);
    }
    Ok(stock)
}

/// The cast by name: closures of transactions hold nothing that is borrowed.
fn cast_of(name: &str) -> &'static Cast {
    CAST.iter().find(|cast| cast.name == name).unwrap_or(&CAST[0])
}

async fn lay_stock(tx: &kernel::Tx, cast: &'static Cast) -> Result<Stock, invoicing::Error> {
    let mut stock = Stock::default();
    for (n, name) in cast.customers.iter().enumerate() {
        let days = [30, 30, 45, 60][n % 4];
        let customer = NewParty {
            is_customer: true,
            name: (*name).to_owned(),
            email: Some(format!("compta{n}@clients.example")),
            street: Some(format!("{} rue des Métiers", n + 1)),
            postcode: Some("69001".to_owned()),
            city: Some("Lyon".to_owned()),
            country: "FR".to_owned(),
            payment_days: Some(days),
            end_of_month: n % 5 == 0,
            ..NewParty::default()
        };
        stock.customers.push(party::service::create(tx, customer).await?);
    }
    for supplier in cast.suppliers {
        let sender = NewParty {
            is_supplier: true,
            name: supplier.name.to_owned(),
            country: "FR".to_owned(),
            ..NewParty::default()
        };
        stock.suppliers.push(party::service::create(tx, sender).await?);
        let account = ledger::account::service::by_number(tx, supplier.account).await?;
        if let Some(account) = account {
            stock.accounts.insert(supplier.account.to_owned(), account.id);
        }
    }
    let codes =
        tax_code::service::list(tx, &tax_code::service::TaxCodeFilter::default(), &Slice::first(100)).await?;
    for article in cast.items {
        let code = codes.items.iter().find(|code| code.code == article.tax_code);
        let code = code.ok_or_else(|| invoicing::Error::invalid("taxCode", article.tax_code))?;
        let new = NewItem {
            code: article.code.to_owned(),
            name: article.name.to_owned(),
            nature: if article.service { item::Nature::Services } else { item::Nature::Goods },
            unit: None,
            unit_price: amount(article.price),
            currency: None,
            tax_code_id: code.id,
            account_id: None,
            external_ref: None,
        };
        stock.items.push(item::service::create(tx, new).await?);
    }
    Ok(stock)
}

/// A company's year while it is written.
struct Year<'a> {
    house: &'a House,
    auth: &'a Authenticator,
    clock: &'a Clock,
    cast: &'a Cast,
    story: &'a Story,
    stock: &'a Stock,
    done: Mutex<Done>,
}

/// What exists already, by place in the story.
#[derive(Debug, Default)]
struct Done {
    invoices: HashMap<usize, Uuid>,
    payments: HashMap<usize, Uuid>,
    bills: HashMap<usize, Uuid>,
}

impl Year<'_> {
    fn done<T>(&self, read: impl FnOnce(&mut Done) -> T) -> T {
        read(&mut self.done.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn day(&self, day: NaiveDate) -> Result<(), Failure> {
        self.clock.set(moment(day, 8 * 60));
        self.open_year(day).await?;
        self.sell(day).await?;
        self.receive(day).await?;
        self.keep_books(day).await?;
        self.hear(day).await?;
        Ok(())
    }

    /// The next fiscal year is opened on its first day.
    async fn open_year(&self, day: NaiveDate) -> Result<(), Failure> {
        let scope = self.house.scope(self.auth, Role::Accountant);
        acts::open_year_when_needed(&scope, day).await?;
        Ok(())
    }

    /// The day's invoices and credit notes, by sales.
    async fn sell(&self, day: NaiveDate) -> Result<(), Failure> {
        let scope = self.house.scope(self.auth, Role::Sales);
        let mut minute = 9 * 60;
        for (n, sale) in self.story.sales.iter().enumerate().filter(|(_, sale)| sale.day == day) {
            minute += 7;
            self.clock.set(moment(day, minute));
            let id = acts::invoice(&scope, self.stock, sale).await?;
            self.done(|done| done.invoices.insert(n, id));
        }
        for (n, _) in self.story.sales.iter().enumerate().filter(|(_, sale)| sale.credited_on == Some(day)) {
            if let Some(invoice) = self.done(|done| done.invoices.get(&n).copied()) {
                acts::credit(&scope, invoice).await?;
            }
        }
        Ok(())
    }

    /// The day's bills, by the purchaser.
    async fn receive(&self, day: NaiveDate) -> Result<(), Failure> {
        let scope = self.house.scope(self.auth, Role::Purchaser);
        let mut minute = 10 * 60;
        for (n, purchase) in self.story.purchases.iter().enumerate().filter(|(_, p)| p.day == day) {
            minute += 11;
            self.clock.set(moment(day, minute));
            let id = acts::bill(&scope, self.cast, self.stock, purchase, n).await?;
            self.done(|done| done.bills.insert(n, id));
        }
        Ok(())
    }

    /// Approvals, postings and payments, by the accountant.
    async fn keep_books(&self, day: NaiveDate) -> Result<(), Failure> {
        let scope = self.house.scope(self.auth, Role::Accountant);
        let purchaser = self.house.scope(self.auth, Role::Purchaser);
        let mut minute = 14 * 60;
        for (n, purchase) in self.story.purchases.iter().enumerate() {
            let Some(bill) = self.done(|done| done.bills.get(&n).copied()) else { continue };
            if purchase.decided_on == day {
                minute += 3;
                self.clock.set(moment(day, minute));
                acts::decide(&scope, &purchaser, bill, purchase.decision).await?;
            }
            if purchase.paid_on == Some(day) && purchase.decision != Decision::Reject {
                acts::pay_bill(&scope, bill).await?;
            }
        }
        for (n, sale) in self.story.sales.iter().enumerate() {
            let Some(paid) = sale.paid else { continue };
            if paid.on == day {
                let Some(invoice) = self.done(|done| done.invoices.get(&n).copied()) else { continue };
                if let Some(payment) = acts::collect(&scope, invoice, paid.percent).await? {
                    self.done(|done| done.payments.insert(n, payment));
                }
            }
            if paid.bounced_on == Some(day)
                && let Some(payment) = self.done(|done| done.payments.get(&n).copied())
            {
                acts::bounce(&scope, payment).await?;
            }
        }
        Ok(())
    }

    /// What customers say of their invoices, by their signed links.
    async fn hear(&self, day: NaiveDate) -> Result<(), Failure> {
        self.clock.set(moment(day, 18 * 60));
        let scope = self.house.scope(self.auth, Role::Sales);
        for (n, sale) in self.story.sales.iter().enumerate() {
            if let Some((_, score)) = sale.rating.filter(|(on, _)| *on == day)
                && let Some(invoice) = self.done(|done| done.invoices.get(&n).copied())
            {
                acts::rate(self.auth, &scope, invoice, score).await?;
            }
        }
        Ok(())
    }
}
