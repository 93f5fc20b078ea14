//! Cubes of sales: invoices, what customers owe, payments, satisfaction.

use kernel::Kind;
use kernel::cube::{Column, Cube, Dimension, Measured, Quantity, Shape, Values};

use super::{BUCKET, CUSTOMER, DOCUMENT, FIRST, STANDING, base_money, bucket, money, movements, time};

/// What was sold: issued invoices and credit notes.
pub const INVOICE_ISSUED: Cube = Cube {
    name: "invoice.issued",
    meaning: "Issued documents at their issue date: how many, net and total; credit notes are negative.",
    record: Kind::Invoice,
    shape: Shape::Flow,
    dimensions: [
        Some(DOCUMENT),
        Some(CUSTOMER),
        Some(Dimension {
            name: "country",
            meaning: "The customer's country at issue, ISO 3166-1; empty where it is not known.",
            values: Values::Text,
        }),
    ],
    kept: FIRST,
    quantities: &[money("net", "Net of tax.", Column::Sum1), money("total", "With tax.", Column::Sum2)],
    facts: "SELECT id AS record_id, issue_date AS day, kind AS dim1, customer_id::text AS dim2, \
                   CASE WHEN customer_as_issued->>'country' IS NULL THEN '' ELSE customer_as_issued->>'country' END AS dim3, \
                   currency, 1::bigint AS count, \
                   CASE WHEN kind = 'invoice' THEN net_minor ELSE -net_minor END AS sum1, \
                   CASE WHEN kind = 'invoice' THEN total_minor ELSE -total_minor END AS sum2 \
            FROM invoice WHERE state = 'issued'",
};

/// How long customers take to pay.
pub const INVOICE_PAID: Cube = Cube {
    name: "invoice.paid",
    meaning: "Invoices that are settled in full, and not by credit notes alone, at the day of their last settlement: how \
              many, how long after issue, and how long after they were due. One that is open again is none.",
    record: Kind::Invoice,
    shape: Shape::Flow,
    dimensions: [Some(BUCKET), Some(CUSTOMER), None],
    kept: FIRST,
    quantities: &[
        time("elapsed", "From the issue date to the last settlement, in whole days.", Column::Sum1),
        time(
            "late",
            "From the due date to a later last settlement, in whole days; else nothing.",
            Column::Sum2,
        ),
    ],
    facts: concat!(
        "SELECT id AS record_id, day, ",
        bucket!("elapsed"),
        " AS dim1, customer_id::text AS dim2, '' AS dim3, \
                '' AS currency, 1::bigint AS count, elapsed AS sum1, \
                CASE WHEN day > due_date THEN (day - due_date) * 86400000::bigint ELSE 0 END AS sum2 \
         FROM (SELECT i.id, i.customer_id, i.due_date, last.day, (last.day - i.issue_date) * 86400000::bigint AS elapsed \
               FROM invoice i CROSS JOIN LATERAL ( \
                   SELECT max(greatest(a.on_date, i.issue_date)) AS day, count(a.payment_id) AS payments FROM allocation a \
                   WHERE a.invoice_id = i.id AND a.amount_minor > 0 \
                     AND a.id NOT IN (SELECT r.reverses_id FROM allocation r WHERE r.invoice_id = i.id \
                                      AND r.reverses_id IS NOT NULL)) AS last \
               WHERE i.state = 'issued' AND i.kind = 'invoice' AND i.open_minor = 0 AND last.payments > 0) AS paid"
    ),
};

/// What customers still owe now, by due day.
pub const RECEIVABLE_OPEN: Cube = Cube {
    name: "receivable.open",
    meaning: "Issued documents that are not settled in full, at their due date: how many, and what is open; credit notes \
              are negative.",
    record: Kind::Invoice,
    shape: Shape::OpenByDueDay,
    dimensions: [Some(DOCUMENT), Some(CUSTOMER), None],
    kept: FIRST,
    quantities: &[money("open", "What is open.", Column::Sum1)],
    facts: "SELECT id AS record_id, due_date AS day, kind AS dim1, customer_id::text AS dim2, '' AS dim3, currency, \
                   1::bigint AS count, \
                   CASE WHEN kind = 'invoice' THEN total_minor - (settled_minor + credited_minor) \
                        ELSE settled_minor + credited_minor - total_minor END AS sum1, \
                   0::bigint AS sum2 \
            FROM invoice WHERE state = 'issued' AND open_minor > 0",
};

/// What customers owed on any day.
pub const RECEIVABLE_BALANCE: Cube = Cube {
    name: "receivable.balance",
    meaning: "What customers owed at the end of a day: documents that were issued and not settled in full by then, and \
              what was open of them; credit notes are negative.",
    record: Kind::Invoice,
    shape: Shape::Balance,
    dimensions: [Some(DOCUMENT), Some(CUSTOMER), None],
    kept: FIRST,
    quantities: STANDING,
    facts: movements!(
        "invoice",
        "issued",
        "customer_id",
        "total_minor",
        "total_base_minor",
        "d.issue_date",
        "invoice_id",
        "credit_note_id"
    ),
};

/// What customers owed and should have paid on any day.
pub const RECEIVABLE_OVERDUE: Cube = Cube {
    name: "receivable.overdue",
    meaning: "What was overdue at the end of a day: documents whose due date had passed and that were not settled in full \
              by then, and what was open of them; credit notes are negative.",
    record: Kind::Invoice,
    shape: Shape::Balance,
    dimensions: [Some(DOCUMENT), Some(CUSTOMER), None],
    kept: FIRST,
    quantities: STANDING,
    facts: movements!(
        "invoice",
        "issued",
        "customer_id",
        "total_minor",
        "total_base_minor",
        "greatest(d.issue_date, d.due_date + 1)",
        "invoice_id",
        "credit_note_id"
    ),
};

/// What was paid, in both directions.
pub const PAYMENT_RECORDED: Cube = Cube {
    name: "payment.recorded",
    meaning: "Payments at the day they were made: how many, their amount and what moved on the bank account. A bounced \
              payment is none: it leaves the day it was counted at.",
    record: Kind::Payment,
    shape: Shape::Flow,
    dimensions: [
        Some(Dimension {
            name: "direction",
            meaning: "Received or made.",
            values: Values::Closed(&["received", "made"]),
        }),
        Some(Dimension { name: "party", meaning: "Who paid or was paid.", values: Values::Party }),
        Some(Dimension {
            name: "method",
            meaning: "How it was paid.",
            values: Values::Closed(&["transfer", "card", "direct_debit", "cheque", "cash", "other"]),
        }),
    ],
    kept: FIRST,
    quantities: &[
        money("amount", "What was paid.", Column::Sum1),
        base_money("base", "What moved on the bank account.", Column::Sum2),
    ],
    facts: "SELECT id AS record_id, paid_on AS day, direction AS dim1, party_id::text AS dim2, method AS dim3, currency, \
                   1::bigint AS count, amount_minor AS sum1, base_minor AS sum2 \
            FROM payment WHERE state <> 'bounced'",
};

/// What customers think.
pub const SATISFACTION: Cube = Cube {
    name: "satisfaction",
    meaning: "Scores from 1 (bad) to 5 (good) that customers left for an invoice, at the day they did: how many, and \
              their points.",
    record: Kind::Invoice,
    shape: Shape::Flow,
    dimensions: [
        None,
        Some(CUSTOMER),
        Some(Dimension {
            name: "score",
            meaning: "The score.",
            values: Values::Closed(&["1", "2", "3", "4", "5"]),
        }),
    ],
    kept: FIRST,
    quantities: &[Quantity {
        name: "score",
        meaning: "The score.",
        column: Column::Sum1,
        measured: Measured::Score,
    }],
    facts: "SELECT s.invoice_id AS record_id, s.given_on AS day, '' AS dim1, i.customer_id::text AS dim2, \
                   trim(to_char(s.score, '9')) AS dim3, '' AS currency, 1::bigint AS count, s.score::bigint AS sum1, \
                   0::bigint AS sum2 \
            FROM satisfaction s JOIN invoice i ON i.id = s.invoice_id",
};
