//! Sums and tax of invoices, over many pseudo-random ones: what the domain computes equals an independent
//! computation from the lines, and the entry equals the document.

use invoicing::invoice::NewLine;
use kernel::Currency;
use rust_decimal::{Decimal, RoundingStrategy};
use uuid::Uuid;

use crate::fixture::{Shop, number};

/// A small deterministic generator (Knuth's MMIX constants): the same invoices in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn random_lines(shop: &Shop, dice: &mut Dice) -> Vec<NewLine> {
    let codes = ["S20", "S20S", "S10", "S55", "S21", "Z0", "E0", "K"];
    (0..=dice.roll(7))
        .map(|_| NewLine {
            quantity: Decimal::new(i64::try_from(dice.roll(20_000) + 1).expect("small"), 3),
            unit_price: Some(Decimal::new(i64::try_from(dice.roll(5_000_000) + 1).expect("small"), 4)),
            discount_percent: (dice.roll(3) == 0).then(|| Decimal::from(dice.roll(50))),
            ..shop.line("1", "1", codes[usize::try_from(dice.roll(8)).expect("small")])
        })
        .collect()
}

fn half_up(amount: Decimal) -> i64 {
    let cents =
        (amount * Decimal::ONE_HUNDRED).round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
    i64::try_from(cents).expect("fits")
}

async fn entry_sum(shop: &Shop, invoice: Uuid, accounts: &str) -> i64 {
    let sql = format!(
        "SELECT sum(p.debit_minor - p.credit_minor)::bigint FROM posting p
         JOIN account a ON a.id = p.account_id AND a.tenant_id = p.tenant_id
         JOIN invoice i ON i.entry_id = p.entry_id AND i.tenant_id = p.tenant_id
         WHERE i.tenant_id = $1 AND i.id = '{invoice}' AND a.number ~ '{accounts}'"
    );
    shop.figure(&sql).await
}

#[tokio::test]
async fn lines_groups_totals_and_entry_agree() {
    let shop = Shop::new().await;
    let mut dice = Dice(42);
    for _ in 0..25 {
        let id = shop.issued(random_lines(&shop, &mut dice)).await;
        let (invoice, lines, taxes) = (shop.invoice(id).await, shop.lines(id).await, shop.taxes(id).await);
        assert_eq!(invoice.net_minor, lines.iter().map(|line| line.net_minor).sum::<i64>());
        assert_eq!(invoice.net_minor, taxes.iter().map(|tax| tax.base_minor).sum::<i64>());
        assert_eq!(invoice.tax_minor, taxes.iter().map(|tax| tax.tax_minor).sum::<i64>());
        assert_eq!(invoice.total_minor, invoice.net_minor + invoice.tax_minor);
        for line in &lines {
            let net = line.quantity * line.unit_price * (Decimal::ONE_HUNDRED - line.discount_percent);
            assert_eq!(line.net_minor, half_up(net / Decimal::ONE_HUNDRED), "{line:?}");
        }
        let mut waiting = 0;
        for tax in &taxes {
            let of_group = lines.iter().filter(|line| line.category == tax.category && line.rate == tax.rate);
            let base: i64 = of_group.clone().map(|line| line.net_minor).sum();
            assert_eq!(tax.base_minor, base);
            let whole = Currency::EUR.from_minor(base) * tax.rate / Decimal::ONE_HUNDRED;
            assert_eq!(tax.tax_minor, half_up(whole), "on the group, not on the line: {tax:?}");
            let waits: i64 =
                of_group.filter(|line| line.chargeable == "payment").map(|line| line.net_minor).sum();
            let share = Decimal::from(tax.tax_minor) * Decimal::from(waits) / Decimal::from(base.max(1));
            assert_eq!(tax.waiting_minor, half_up(share / Decimal::ONE_HUNDRED));
            waiting += tax.waiting_minor;
        }
        assert_eq!(entry_sum(&shop, id, "^411").await, invoice.total_minor);
        assert_eq!(entry_sum(&shop, id, "^70").await, -invoice.net_minor);
        assert_eq!(entry_sum(&shop, id, "^44571").await, waiting - invoice.tax_minor);
        assert_eq!(entry_sum(&shop, id, "^44574").await, -waiting);
        assert_eq!(entry_sum(&shop, id, ".").await, 0, "the entry balances");
        assert_eq!(
            (invoice.total_base_minor, invoice.net_base_minor),
            (invoice.total_minor, invoice.net_minor)
        );
    }
}

#[tokio::test]
async fn tax_bases_in_the_ledger_equal_the_groups() {
    let shop = Shop::new().await;
    let mut lines =
        vec![shop.line("1", "100", "S20"), shop.line("1", "50", "S20S"), shop.line("2", "10", "K")];
    lines.push(shop.line("1", "7.77", "S55"));
    let id = shop.issued(lines).await;
    let base = async |code: &str| {
        let sql = format!(
            "SELECT sum(p.tax_base_minor)::bigint FROM posting p JOIN invoice i ON i.entry_id = p.entry_id
             WHERE i.tenant_id = $1 AND i.id = '{id}' AND p.tax_code = '{code}'"
        );
        shop.figure(&sql).await
    };
    assert_eq!((base("S 20").await, base("S 5.5").await, base("K 0").await), (15_000, 777, 2_000));
    let taxes = shop.taxes(id).await;
    let k = taxes.iter().find(|tax| tax.category == "K").expect("K");
    assert!(k.reason.as_deref().is_some_and(|reason| reason.contains("262 ter I")), "the invoice says why");
    assert_eq!(number("20"), taxes.iter().map(|tax| tax.rate).max().expect("rates").normalize());
}
