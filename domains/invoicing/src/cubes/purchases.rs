//! Cubes of purchases: bills, and what the company owes.

use kernel::Kind;
use kernel::cube::{Column, Cube, Dimension, Shape, Values};

use super::{BILL_KIND, FIRST, SOURCE, STANDING, SUPPLIER, money, movements};

/// What the company still owes to suppliers now, by due day.
pub const PAYABLE_OPEN: Cube = Cube {
    name: "payable.open",
    meaning: "Posted bills and supplier credit notes that are not settled in full, at their due date: how many, and what \
              is open; credit notes are negative.",
    record: Kind::Bill,
    shape: Shape::OpenByDueDay,
    dimensions: [Some(BILL_KIND), Some(SUPPLIER), None],
    kept: FIRST,
    quantities: &[money("open", "What is open.", Column::Sum1)],
    facts: "SELECT id AS record_id, due_date AS day, kind AS dim1, supplier_id::text AS dim2, '' AS dim3, currency, \
                   1::bigint AS count, \
                   CASE WHEN kind = 'bill' THEN payable_minor - (settled_minor + credited_minor) \
                        ELSE settled_minor + credited_minor - payable_minor END AS sum1, \
                   0::bigint AS sum2 \
            FROM bill WHERE state = 'posted' AND open_minor > 0",
};

/// What the company owed to suppliers on any day.
pub const PAYABLE_BALANCE: Cube = Cube {
    name: "payable.balance",
    meaning: "What the company owed at the end of a day: bills and supplier credit notes that were posted and not settled \
              in full by then, and what was open of them; credit notes are negative.",
    record: Kind::Bill,
    shape: Shape::Balance,
    dimensions: [Some(BILL_KIND), Some(SUPPLIER), None],
    kept: FIRST,
    quantities: STANDING,
    facts: movements!(
        "bill",
        "posted",
        "supplier_id",
        "payable_minor",
        "payable_base_minor",
        "d.posted_on",
        "bill_id",
        "bill_credit_id"
    ),
};

/// What the company owed and should have paid on any day.
pub const PAYABLE_OVERDUE: Cube = Cube {
    name: "payable.overdue",
    meaning: "What the company was late with at the end of a day: posted documents whose due date had passed and that \
              were not settled in full by then, and what was open of them; credit notes are negative.",
    record: Kind::Bill,
    shape: Shape::Balance,
    dimensions: [Some(BILL_KIND), Some(SUPPLIER), None],
    kept: FIRST,
    quantities: STANDING,
    facts: movements!(
        "bill",
        "posted",
        "supplier_id",
        "payable_minor",
        "payable_base_minor",
        "greatest(d.posted_on, d.due_date + 1)",
        "bill_id",
        "bill_credit_id"
    ),
};

/// What was bought.
pub const BILL_POSTED: Cube = Cube {
    name: "bill.posted",
    meaning: "Posted bills and supplier credit notes at their day of posting: how many, net and total; credit notes are \
              negative.",
    record: Kind::Bill,
    shape: Shape::Flow,
    dimensions: [Some(BILL_KIND), Some(SUPPLIER), Some(SOURCE)],
    kept: FIRST,
    quantities: &[money("net", "Net of tax.", Column::Sum1), money("total", "With tax.", Column::Sum2)],
    facts: "SELECT id AS record_id, posted_on AS day, kind AS dim1, supplier_id::text AS dim2, source AS dim3, currency, \
                   1::bigint AS count, \
                   CASE WHEN kind = 'bill' THEN net_minor ELSE -net_minor END AS sum1, \
                   CASE WHEN kind = 'bill' THEN total_minor ELSE -total_minor END AS sum2 \
            FROM bill WHERE state = 'posted'",
};

/// What waits for approval now, by day of receipt.
pub const BILL_WAITING: Cube = Cube {
    name: "bill.waiting",
    meaning: "Bills and supplier credit notes that nobody has approved or rejected yet, at the day of receipt: how many, \
              and what is payable; credit notes are negative.",
    record: Kind::Bill,
    shape: Shape::OpenByReceiptDay,
    dimensions: [Some(BILL_KIND), Some(SUPPLIER), Some(SOURCE)],
    kept: FIRST,
    quantities: &[money("payable", "What is payable.", Column::Sum1)],
    facts: "SELECT id AS record_id, received_on AS day, kind AS dim1, supplier_id::text AS dim2, source AS dim3, currency, \
                   1::bigint AS count, \
                   CASE WHEN kind = 'bill' THEN payable_minor ELSE -payable_minor END AS sum1, \
                   0::bigint AS sum2 \
            FROM bill WHERE state = 'received'",
};

/// What waited for approval on any day.
pub const BILL_QUEUE: Cube = Cube {
    name: "bill.queue",
    meaning: "Bills and supplier credit notes that nobody had approved or rejected at the end of a day: how many, and what \
              is payable; credit notes are negative. A correction restates the amount from the receipt on.",
    record: Kind::Bill,
    shape: Shape::Balance,
    dimensions: [Some(BILL_KIND), Some(SUPPLIER), Some(SOURCE)],
    kept: FIRST,
    quantities: &[money("payable", "What is payable.", Column::Sum1)],
    facts: "SELECT b.id AS record_id, move.day, b.kind AS dim1, b.supplier_id::text AS dim2, b.source AS dim3, b.currency, \
                   move.way AS count, \
                   CASE WHEN b.kind = 'bill' THEN move.way ELSE -move.way END * b.payable_minor AS sum1, \
                   0::bigint AS sum2 \
            FROM bill b CROSS JOIN LATERAL ( \
                SELECT b.received_on AS day, 1::bigint AS way \
                UNION ALL SELECT b.decided_on, -1 WHERE b.state IN ('approved', 'posted', 'rejected')) AS move",
};

/// How bills turned out.
pub const BILL_OUTCOME: Cube = Cube {
    name: "bill.outcome",
    meaning: "Bills and supplier credit notes that were decided on, at the day of receipt, by outcome: clean (approved \
              as received), corrected (approved after a correction) or rejected; how many.",
    record: Kind::Bill,
    shape: Shape::Flow,
    dimensions: [
        Some(Dimension {
            name: "outcome",
            meaning: "How it was decided.",
            values: Values::Closed(&["clean", "corrected", "rejected"]),
        }),
        Some(SUPPLIER),
        Some(SOURCE),
    ],
    kept: FIRST,
    quantities: &[],
    facts: "SELECT id AS record_id, received_on AS day, \
                   CASE WHEN state = 'rejected' THEN 'rejected' WHEN corrected THEN 'corrected' ELSE 'clean' END AS dim1, \
                   supplier_id::text AS dim2, source AS dim3, '' AS currency, 1::bigint AS count, 0::bigint AS sum1, \
                   0::bigint AS sum2 \
            FROM bill WHERE state IN ('approved', 'posted', 'rejected')",
};
