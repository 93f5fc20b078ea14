//! What figures can be made of sales and purchases: the cubes that triggers keep (migrations `0040_cubes.sql`,
//! `0061_kpi_cubes.sql`, `0064_business_time.sql`).
//!
//! The facts here are written apart from the trigger functions and never read a rollup: they are the independent
//! recomputation that a figure is compared with, and the records that it is drilled down to. Whoever changes the
//! meaning of a cube changes both, and a test holds them together.

use kernel::cube::{Column, Cube, Dimension, Measured, Quantity, Values};

mod process;
mod purchases;
mod sales;

pub use process::{BILL_APPROVAL_TIME, PROCESS_BUSINESS_TIME, PROCESS_TIME};
pub use purchases::{
    BILL_OUTCOME, BILL_POSTED, BILL_QUEUE, BILL_WAITING, PAYABLE_BALANCE, PAYABLE_OPEN, PAYABLE_OVERDUE,
};
pub use sales::{
    INVOICE_ISSUED, INVOICE_PAID, PAYMENT_RECORDED, RECEIVABLE_BALANCE, RECEIVABLE_OPEN, RECEIVABLE_OVERDUE,
    SATISFACTION,
};

/// Every cube of this domain.
pub const ALL: [&Cube; 17] = [
    &INVOICE_ISSUED,
    &INVOICE_PAID,
    &RECEIVABLE_OPEN,
    &RECEIVABLE_BALANCE,
    &RECEIVABLE_OVERDUE,
    &PAYABLE_OPEN,
    &PAYABLE_BALANCE,
    &PAYABLE_OVERDUE,
    &PAYMENT_RECORDED,
    &BILL_WAITING,
    &BILL_QUEUE,
    &BILL_OUTCOME,
    &BILL_POSTED,
    &BILL_APPROVAL_TIME,
    &PROCESS_TIME,
    &PROCESS_BUSINESS_TIME,
    &SATISFACTION,
];

/// Rollups keep the first dimension only: there are many customers and suppliers.
const FIRST: [bool; 3] = [true, false, false];

const DOCUMENT: Dimension = Dimension {
    name: "kind",
    meaning: "Kind of document.",
    values: Values::Closed(&["invoice", "credit_note"]),
};

const BILL_KIND: Dimension = Dimension {
    name: "kind",
    meaning: "Kind of document.",
    values: Values::Closed(&["bill", "credit_note"]),
};

const CUSTOMER: Dimension = Dimension { name: "customer", meaning: "Whom it is to.", values: Values::Party };

const SUPPLIER: Dimension =
    Dimension { name: "supplier", meaning: "Whom it is from.", values: Values::Party };

const SOURCE: Dimension = Dimension {
    name: "source",
    meaning: "How it came: typed by somebody, or as an e-invoice in the syntax CII or UBL.",
    values: Values::Closed(&["manual", "cii", "ubl"]),
};

const BUCKET: Dimension = Dimension { name: "bucket", meaning: "Duration bucket.", values: Values::Bucket };

const fn money(name: &'static str, meaning: &'static str, column: Column) -> Quantity {
    Quantity { name, meaning, column, measured: Measured::Money }
}

const fn base_money(name: &'static str, meaning: &'static str, column: Column) -> Quantity {
    Quantity { name, meaning, column, measured: Measured::BaseMoney }
}

const fn time(name: &'static str, meaning: &'static str, column: Column) -> Quantity {
    Quantity { name, meaning, column, measured: Measured::Milliseconds }
}

/// What stands open, in the two currencies.
const STANDING: &[Quantity] = &[
    money("open", "What is open.", Column::Sum1),
    base_money("base", "What is open, in the company's currency at the document's rate.", Column::Sum2),
];

/// SQL of the bucket of a duration. All but the five leading binary digits are cut off; how many there are is read from the
/// hexadecimal digits, where the trigger counts bits.
macro_rules! bucket {
    ($ms:literal) => {
        concat!(
            "to_char(",
            $ms,
            " - ",
            $ms,
            " % (1::bigint << greatest(0, 4 * length(to_hex(",
            $ms,
            ")) - 5 \
             - translate(left(to_hex(",
            $ms,
            "), 1), '0123456789abcdef', '4322111100000000')::integer)), \
             'FM0000000000000000000')"
        )
    };
}
use bucket;

/// SQL of the movements of what is open of documents: on each day on which something may have changed, what stands after
/// it and what stood before. The trigger adds up in order; this adds up anew for each day. `$begins` is the first day of
/// it, `$target` and `$source` the allocation's columns that name the document.
macro_rules! movements {
    (
        $table:literal, $state:literal, $party:literal, $total:literal, $base:literal, $begins:literal,
        $target:literal, $source:literal
    ) => {
        concat!(
            "SELECT d.id AS record_id, x.day, d.kind AS dim1, d.", $party, "::text AS dim2, '' AS dim3, d.currency, \
                    ((later.open, later.base) <> (0, 0))::integer::bigint \
                        - ((former.open, former.base) <> (0, 0))::integer AS count, \
                    (later.open - former.open) * CASE d.kind WHEN 'credit_note' THEN -1 ELSE 1 END AS sum1, \
                    (later.base - former.base) * CASE d.kind WHEN 'credit_note' THEN -1 ELSE 1 END AS sum2 \
             FROM ", $table, " d CROSS JOIN LATERAL ( \
                 SELECT ", $begins, " AS day \
                 UNION SELECT greatest(a.on_date, ", $begins, ") FROM allocation a \
                 WHERE a.", $target, " = d.id OR a.", $source, " = d.id) AS x \
             CROSS JOIN LATERAL ( \
                 SELECT d.", $total, " - coalesce(sum(a.amount_minor), 0)::bigint AS open, \
                        d.", $base, " - coalesce(sum(CASE WHEN a.", $target, " = d.id THEN a.target_base_minor \
                                                     ELSE a.source_base_minor END), 0)::bigint AS base \
                 FROM allocation a WHERE (a.", $target, " = d.id OR a.", $source, " = d.id) \
                     AND greatest(a.on_date, ", $begins, ") <= x.day) AS later \
             CROSS JOIN LATERAL ( \
                 SELECT CASE WHEN x.day > ", $begins, " THEN d.", $total, " ELSE 0 END \
                            - coalesce(sum(a.amount_minor), 0)::bigint AS open, \
                        CASE WHEN x.day > ", $begins, " THEN d.", $base, " ELSE 0 END \
                            - coalesce(sum(CASE WHEN a.", $target, " = d.id THEN a.target_base_minor \
                                           ELSE a.source_base_minor END), 0)::bigint AS base \
                 FROM allocation a WHERE (a.", $target, " = d.id OR a.", $source, " = d.id) \
                     AND greatest(a.on_date, ", $begins, ") < x.day) AS former \
             WHERE d.state = '", $state, "'"
        )
    };
}
use movements;
