//! Each figure's definition written as SQL by hand, apart from cubes, triggers and evaluation.

use kernel::Tx;
use kpi::Value;
use rust_decimal::Decimal;

/// Per currency: its code, minor units, records.
type Amounts = Vec<(String, i64, i64)>;

const REVENUE: &str = "
    SELECT currency, sum(CASE kind WHEN 'credit_note' THEN -1 ELSE 1 END * net_minor)::bigint, count(*) FROM invoice
    WHERE state = 'issued' AND date_trunc('month', issue_date) = date_trunc('month', $1::date)
    GROUP BY currency ORDER BY currency";
const CASH: &str = "
    SELECT currency, sum(amount_minor)::bigint, count(*) FROM payment
    WHERE direction = 'received' AND bounced_on IS NULL AND date_trunc('month', paid_on) = date_trunc('month', $1::date)
    GROUP BY currency ORDER BY currency";
const RECEIVABLES: &str = "
    SELECT currency, sum(CASE kind WHEN 'credit_note' THEN -1 ELSE 1 END * (total_minor - settled_minor - credited_minor))::bigint,
           count(*)
    FROM invoice WHERE state = 'issued' AND total_minor > settled_minor + credited_minor AND $1::date IS NOT NULL
    GROUP BY currency ORDER BY currency";
const OVERDUE: &str = "
    SELECT currency, sum(total_minor - settled_minor - credited_minor)::bigint, count(*) FROM invoice
    WHERE state = 'issued' AND kind = 'invoice' AND due_date < $1 AND total_minor > settled_minor + credited_minor
    GROUP BY currency ORDER BY currency";
const PAYABLES: &str = "
    SELECT currency, sum(CASE kind WHEN 'credit_note' THEN -1 ELSE 1 END * (payable_minor - settled_minor - credited_minor))::bigint,
           count(*)
    FROM bill WHERE state = 'posted' AND payable_minor <> settled_minor + credited_minor AND $1::date IS NOT NULL
    GROUP BY currency ORDER BY currency";
const WAITING: &str = "
    SELECT currency, sum(CASE kind WHEN 'credit_note' THEN -1 ELSE 1 END * payable_minor)::bigint, count(*) FROM bill
    WHERE state = 'received' AND $1::date IS NOT NULL GROUP BY currency ORDER BY currency";
const APPROVAL_MEAN: &str = "
    SELECT round(avg(elapsed_ms)), count(*) FROM step
    WHERE subject_kind = 'bill' AND step = 'approved' AND on_day > $1::date - 90 AND on_day <= $1";
const APPROVAL_P90: &str = "
    SELECT percentile_disc(0.9) WITHIN GROUP (ORDER BY elapsed_ms)::numeric, count(*) FROM step
    WHERE subject_kind = 'bill' AND step = 'approved' AND on_day > $1::date - 90 AND on_day <= $1";
const ERRORS: &str = "
    SELECT round(avg((corrected OR state = 'rejected')::integer), 4), count(*) FROM bill
    WHERE state <> 'received' AND received_on > $1::date - 90 AND received_on <= $1";
const SATISFACTION: &str = "
    SELECT round(avg(score), 2), count(*) FROM satisfaction WHERE given_on > $1::date - 90 AND given_on <= $1";

/// Compares a figure with its definition in the same snapshot.
pub(crate) async fn assert_by_hand(tx: &Tx, key: &str, value: &Value) {
    let amounts = match key {
        "revenue_month" => Some(REVENUE),
        "cash_received_month" => Some(CASH),
        "receivables_open" => Some(RECEIVABLES),
        "receivables_overdue" => Some(OVERDUE),
        "payables_open" => Some(PAYABLES),
        "bills_waiting" => Some(WAITING),
        _ => None,
    };
    let today = tx.scope().today();
    if let Some(text) = amounts {
        let by_hand: Amounts = tx.tuples(text, [today.into()]).await.expect(key);
        let found: Amounts = value
            .amounts
            .iter()
            .map(|amount| (amount.money.currency.code().to_owned(), amount.money.minor, amount.records))
            .collect();
        assert_eq!(found, by_hand, "{key}");
        assert_eq!(value.records, by_hand.iter().map(|(_, _, records)| records).sum::<i64>(), "{key}");
        let number = (key == "bills_waiting").then(|| Decimal::from(value.records));
        assert_eq!(value.number, number, "{key}");
        return;
    }
    let text = match key {
        "approval_time_mean" => APPROVAL_MEAN,
        "approval_time_p90" => APPROVAL_P90,
        "bill_error_rate" => ERRORS,
        "satisfaction_mean" => SATISFACTION,
        _ => panic!("no definition of {key} by hand"),
    };
    let (number, records): (Option<Decimal>, i64) =
        tx.tuple(text, [today.into()]).await.expect(key).expect("one row");
    assert_eq!(value.records, records, "{key}");
    if key == "approval_time_p90" {
        let (Some(found), Some(exact)) = (value.number, number) else {
            return assert_eq!(value.number, number, "{key}");
        };
        let bound = exact / Decimal::from(16);
        assert!((found - exact).abs() <= bound, "{key}: {found} is more than 6.25 % from {exact}");
    } else {
        assert_eq!(value.number, number, "{key}");
    }
}
