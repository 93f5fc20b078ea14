//! Each figure's definition written as SQL by hand, apart from cubes, triggers and evaluation.

use chrono::NaiveDate;
use kernel::Tx;
use kpi::Value;
use rust_decimal::Decimal;

/// Per currency: its code, minor units, records.
type Amounts = Vec<(String, i64, i64)>;

/// What is open of documents at the end of a day, of each: currency, sign, kind, what is open, due date.
macro_rules! open_of {
    ($table:literal, $state:literal, $opened:literal, $total:literal, $target:literal, $source:literal) => {
        concat!(
            "(SELECT d.currency, d.kind, d.due_date, CASE d.kind WHEN 'credit_note' THEN -1 ELSE 1 END * (d.",
            $total,
            " - coalesce((SELECT sum(a.amount_minor) FROM allocation a WHERE (a.",
            $target,
            " = d.id OR a.",
            $source,
            " = d.id) AND greatest(a.on_date, d.",
            $opened,
            ") <= $1), 0)) AS open
             FROM ",
            $table,
            " d WHERE d.state = '",
            $state,
            "' AND d.",
            $opened,
            " <= $1) AS stood"
        )
    };
}
macro_rules! invoices {
    () => {
        open_of!("invoice", "issued", "issue_date", "total_minor", "invoice_id", "credit_note_id")
    };
}
macro_rules! bills {
    () => {
        open_of!("bill", "posted", "posted_on", "payable_minor", "bill_id", "bill_credit_id")
    };
}
macro_rules! standing {
    ($documents:expr, $condition:literal) => {
        concat!(
            "SELECT currency, sum(open)::bigint, count(*) FROM ",
            $documents,
            " WHERE open <> 0 AND ",
            $condition,
            " GROUP BY currency ORDER BY currency"
        )
    };
}

const REVENUE: &str = "
    SELECT currency, sum(CASE kind WHEN 'credit_note' THEN -1 ELSE 1 END * net_minor)::bigint, count(*) FROM invoice
    WHERE state = 'issued' AND date_trunc('month', issue_date) = date_trunc('month', $1::date)
    GROUP BY currency ORDER BY currency";
const INVOICES: &str = "
    SELECT currency, sum(net_minor)::bigint, count(*) FROM invoice
    WHERE state = 'issued' AND kind = 'invoice' AND date_trunc('month', issue_date) = date_trunc('month', $1::date)
    GROUP BY currency ORDER BY currency";
const AVERAGE: &str = "
    SELECT currency, round(avg(net_minor))::bigint, count(*) FROM invoice
    WHERE state = 'issued' AND kind = 'invoice' AND issue_date > $1::date - 90 AND issue_date <= $1
    GROUP BY currency ORDER BY currency";
const RECEIVED: &str = "
    SELECT currency, sum(amount_minor)::bigint, count(*) FROM payment
    WHERE direction = 'received' AND bounced_on IS NULL AND date_trunc('month', paid_on) = date_trunc('month', $1::date)
    GROUP BY currency ORDER BY currency";
const PAID: &str = "
    SELECT currency, sum(amount_minor)::bigint, count(*) FROM payment
    WHERE direction = 'made' AND bounced_on IS NULL AND date_trunc('month', paid_on) = date_trunc('month', $1::date)
    GROUP BY currency ORDER BY currency";
const RECEIVABLES: &str = standing!(invoices!(), "true");
const OVERDUE: &str = standing!(invoices!(), "kind = 'invoice' AND due_date < $1");
const OVERDUE_SHARE: &str = concat!(
    "SELECT round(sum(open) FILTER (WHERE due_date < $1) / nullif(sum(open), 0), 4),
            count(*) FILTER (WHERE due_date < $1 AND open <> 0) FROM ",
    invoices!(),
    " WHERE kind = 'invoice'"
);
const DAYS_TO_PAY: &str = "
    SELECT round(avg(86400000::bigint * (last_day - issue_date))), count(*) FROM (
        SELECT i.issue_date, max(greatest(a.on_date, i.issue_date)) AS last_day
        FROM invoice i JOIN allocation a ON a.invoice_id = i.id AND a.reverses_id IS NULL
            AND NOT EXISTS (SELECT FROM allocation r WHERE r.reverses_id = a.id)
        WHERE i.kind = 'invoice' AND i.state = 'issued' AND i.total_minor = i.settled_minor + i.credited_minor
            AND i.settled_minor > 0
        GROUP BY i.id, i.issue_date) AS paid
    WHERE last_day > $1::date - 90 AND last_day <= $1";
const PURCHASES: &str = "
    SELECT currency, sum(CASE kind WHEN 'credit_note' THEN -1 ELSE 1 END * net_minor)::bigint, count(*) FROM bill
    WHERE state = 'posted' AND date_trunc('month', posted_on) = date_trunc('month', $1::date)
    GROUP BY currency ORDER BY currency";
const PAYABLES: &str = standing!(bills!(), "true");
const PAYABLES_OVERDUE: &str = standing!(bills!(), "kind = 'bill' AND due_date < $1");
const WAITING: &str = "
    SELECT currency, sum(CASE kind WHEN 'credit_note' THEN -1 ELSE 1 END * payable_minor)::bigint, count(*) FROM bill
    WHERE received_on <= $1 AND (state = 'received'
        OR greatest(received_on, (coalesce(approved_at, rejected_at) AT TIME ZONE 'Europe/Paris')::date) > $1)
    GROUP BY currency ORDER BY currency";
const APPROVAL_MEAN: &str = "
    SELECT round(avg(elapsed_ms)), count(*) FROM step
    WHERE subject_kind = 'bill' AND step = 'approved' AND on_day > $1::date - 90 AND on_day <= $1";
const APPROVAL_P90: &str = "
    SELECT percentile_disc(0.9) WITHIN GROUP (ORDER BY elapsed_ms)::numeric, count(*) FROM step
    WHERE subject_kind = 'bill' AND step = 'approved' AND on_day > $1::date - 90 AND on_day <= $1";
const APPROVAL_WORKING: &str = "
    SELECT round(avg(p.business_ms)), count(*) FROM step s
    JOIN step r ON r.subject_id = s.subject_id AND r.step = 'received' AND r.at < s.at
    LEFT JOIN passage p ON p.step_id = s.id AND p.from_step = 'received'
    WHERE s.step = 'approved' AND s.on_day > $1::date - 90 AND s.on_day <= $1";
const ERRORS: &str = "
    SELECT round(avg((corrected OR state = 'rejected')::integer), 4), count(*) FROM bill
    WHERE state <> 'received' AND received_on > $1::date - 90 AND received_on <= $1";
const SATISFACTION: &str = "
    SELECT round(avg(score), 2), count(*) FROM satisfaction WHERE given_on > $1::date - 90 AND given_on <= $1";

/// Compares a figure as of a day with its definition in the same snapshot.
pub(crate) async fn assert_by_hand(tx: &Tx, key: &str, today: NaiveDate, value: &Value) {
    let amounts = match key {
        "revenue_month" => Some(REVENUE),
        "invoices_issued_month" => Some(INVOICES),
        "average_invoice" => Some(AVERAGE),
        "cash_received_month" => Some(RECEIVED),
        "cash_paid_month" => Some(PAID),
        "receivables_open" => Some(RECEIVABLES),
        "receivables_overdue" => Some(OVERDUE),
        "purchases_month" => Some(PURCHASES),
        "payables_open" => Some(PAYABLES),
        "payables_overdue" => Some(PAYABLES_OVERDUE),
        "bills_waiting" => Some(WAITING),
        _ => None,
    };
    if let Some(text) = amounts {
        let by_hand: Amounts = tx.tuples(text, [today.into()]).await.expect(key);
        let found: Amounts = value
            .amounts
            .iter()
            .map(|amount| (amount.money.currency.code().to_owned(), amount.money.minor, amount.records))
            .collect();
        assert_eq!(found, by_hand, "{key} on {today}");
        assert_eq!(value.records, by_hand.iter().map(|(_, _, records)| records).sum::<i64>(), "{key}");
        let counts = ["bills_waiting", "invoices_issued_month"].contains(&key);
        assert_eq!(value.number, counts.then(|| Decimal::from(value.records)), "{key}");
        return;
    }
    let text = match key {
        "overdue_share" => OVERDUE_SHARE,
        "days_to_pay_mean" => DAYS_TO_PAY,
        "approval_time_mean" => APPROVAL_MEAN,
        "approval_time_p90" => APPROVAL_P90,
        "approval_working_time" => APPROVAL_WORKING,
        "bill_error_rate" => ERRORS,
        "satisfaction_mean" => SATISFACTION,
        _ => panic!("no definition of {key} by hand"),
    };
    let (number, records): (Option<Decimal>, i64) =
        tx.tuple(text, [today.into()]).await.expect(key).expect("one row");
    assert_eq!(value.records, records, "{key} on {today}");
    if key == "approval_time_p90" {
        let (Some(found), Some(exact)) = (value.number, number) else {
            return assert_eq!(value.number, number, "{key}");
        };
        let bound = exact / Decimal::from(16);
        assert!((found - exact).abs() <= bound, "{key}: {found} is more than 6.25 % from {exact}");
    } else if key == "overdue_share" {
        // Where nothing is overdue of something, SQL's sum over no row is none.
        assert_eq!(value.number.unwrap_or_default(), number.unwrap_or_default(), "{key} on {today}");
    } else {
        assert_eq!(value.number, number, "{key} on {today}");
    }
}
