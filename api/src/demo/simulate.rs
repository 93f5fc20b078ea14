//! A gentle life: now and then somebody in the demo's companies does something, and the figures move.

use std::time::Duration;

use identity::{Authenticator, Role};
use invoicing::bill::service as bills;
use invoicing::invoice::reading::{self as invoices, InvoiceFilter, InvoiceSort};
use invoicing::{Error, bill, invoice};
use kernel::page::Slice;
use kernel::sparse::Columns;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::acts;
use super::people::House;
use super::seed::{Stock, stock_of};
use super::story::{Cast, Decision};

/// About two acts a second, over both companies.
const PAUSE_MS: std::ops::Range<u64> = 600..1400;

/// Lives in one company until it is dropped. What fails is told and left: people try again as well.
pub(super) async fn live(auth: Authenticator, cast: &'static Cast, house: House) {
    let mut dice = StdRng::from_rng(&mut rand::rng());
    let stock = match stock_of(&house.scope(&auth, Role::Accountant), cast).await {
        Ok(stock) => stock,
        Err(error) => {
            tracing::warn!(%error, company = cast.name, "no simulated life: its customers or items were changed");
            return;
        }
    };
    loop {
        tokio::time::sleep(Duration::from_millis(dice.random_range(PAUSE_MS))).await;
        if let Err(error) = act(&auth, cast, &house, &stock, &mut dice).await {
            tracing::warn!(%error, company = cast.name, "a simulated act failed");
        }
    }
}

async fn act(
    auth: &Authenticator,
    cast: &'static Cast,
    house: &House,
    stock: &Stock,
    dice: &mut StdRng,
) -> Result<(), Error> {
    let accountant = house.scope(auth, Role::Accountant);
    let today = accountant.today();
    match dice.random_range(0..100) {
        0..30 => {
            let sale = cast.sale(dice, today);
            acts::invoice(&house.scope(auth, Role::Sales), stock, &sale).await?;
        }
        30..55 => {
            if let Some(id) = some_invoice(auth, house, dice, true).await? {
                acts::collect(&accountant, id, 100).await?;
            }
        }
        55..75 => {
            let number = usize::try_from(kernel::id::new().as_u128() >> 80).unwrap_or_default();
            let purchase = cast.purchase(dice, today, number);
            acts::bill(&house.scope(auth, Role::Purchaser), cast, stock, &purchase, number).await?;
        }
        75..92 => {
            let decision = match dice.random_range(0..10) {
                0 => Decision::Reject,
                1 => Decision::CorrectAndApprove,
                _ => Decision::Approve,
            };
            let snapshot = accountant.read().await?;
            let filter = bill::list::BillFilter { states: vec![bill::State::Received], ..Default::default() };
            let waiting =
                bills::list(&snapshot, &filter, bill::list::BillSort::default(), &Slice::first(20)).await;
            snapshot.end().await;
            if let Some(oldest) = waiting?.items.last() {
                acts::decide(&accountant, &house.scope(auth, Role::Purchaser), oldest.id, decision).await?;
            }
        }
        _ => {
            if let Some(id) = some_invoice(auth, house, dice, false).await? {
                let score = dice.random_range(2..=5);
                match acts::rate(auth, &house.scope(auth, Role::Sales), id, score).await {
                    // Each invoice is rated once; another will be met next time.
                    Err(error) if kernel::DomainError::code(&error) == "ALREADY_RATED" => {}
                    other => other?,
                }
            }
        }
    }
    Ok(())
}

/// One of the newest issued invoices, open ones only when asked so.
async fn some_invoice(
    auth: &Authenticator,
    house: &House,
    dice: &mut StdRng,
    open: bool,
) -> Result<Option<uuid::Uuid>, Error> {
    let snapshot = house.scope(auth, Role::Accountant).read().await?;
    let filter = InvoiceFilter {
        states: Some(vec![invoice::State::Issued]),
        kind: Some(invoice::DocumentKind::Invoice),
        ..InvoiceFilter::default()
    };
    let newest =
        invoices::list(&snapshot, &filter, InvoiceSort::default(), &Slice::first(100), Columns::All).await;
    snapshot.end().await;
    let found: Vec<_> = newest?
        .items
        .into_iter()
        .filter(|i| !open || i.total_minor > i.settled_minor + i.credited_minor)
        .map(|i| i.id)
        .collect();
    Ok((!found.is_empty()).then(|| found[dice.random_range(0..found.len())]))
}
