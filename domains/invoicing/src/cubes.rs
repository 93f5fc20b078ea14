//! What figures can be made of sales and purchases: the cubes that triggers keep (migration `0040_cubes.sql`).
//!
//! The facts here are written apart from the trigger functions and never read a rollup: they are the independent
//! recomputation that a figure is compared with, and the records that it is drilled down to. Whoever changes the
//! meaning of a cube changes both, and a test holds them together.

use kernel::Kind;
use kernel::cube::Cube;

/// What was sold: issued invoices and credit notes.
pub const INVOICE_ISSUED: Cube = Cube {
    name: "invoice.issued",
    meaning: "Issued documents at their issue date, by kind (invoice, credit_note) and currency: how many, net \
              (sum1) and total (sum2) in minor units; credit notes are negative.",
    record: Kind::Invoice,
    facts: "SELECT id AS record_id, issue_date AS day, kind AS dim1, '' AS dim2, '' AS dim3, currency, \
                   1::bigint AS count, \
                   CASE WHEN kind = 'invoice' THEN net_minor ELSE -net_minor END AS sum1, \
                   CASE WHEN kind = 'invoice' THEN total_minor ELSE -total_minor END AS sum2 \
            FROM invoice WHERE state = 'issued'",
};

/// What customers still owe.
pub const RECEIVABLE_OPEN: Cube = Cube {
    name: "receivable.open",
    meaning: "Issued documents that are not settled in full, at their due date, by kind and currency: how many, and \
              what is open (sum1) in minor units; credit notes are negative.",
    record: Kind::Invoice,
    facts: "SELECT id AS record_id, due_date AS day, kind AS dim1, '' AS dim2, '' AS dim3, currency, \
                   1::bigint AS count, \
                   CASE WHEN kind = 'invoice' THEN total_minor - (settled_minor + credited_minor) \
                        ELSE settled_minor + credited_minor - total_minor END AS sum1, \
                   0::bigint AS sum2 \
            FROM invoice WHERE state = 'issued' AND open_minor > 0",
};

/// What the company still owes to suppliers.
pub const PAYABLE_OPEN: Cube = Cube {
    name: "payable.open",
    meaning: "Posted bills and supplier credit notes that are not settled in full, at their due date, by kind and \
              currency: how many, and what is open (sum1) in minor units; credit notes are negative.",
    record: Kind::Bill,
    facts: "SELECT id AS record_id, due_date AS day, kind AS dim1, '' AS dim2, '' AS dim3, currency, \
                   1::bigint AS count, \
                   CASE WHEN kind = 'bill' THEN payable_minor - (settled_minor + credited_minor) \
                        ELSE settled_minor + credited_minor - payable_minor END AS sum1, \
                   0::bigint AS sum2 \
            FROM bill WHERE state = 'posted' AND open_minor > 0",
};

/// What was paid, in both directions.
pub const PAYMENT_RECORDED: Cube = Cube {
    name: "payment.recorded",
    meaning: "Payments at the day they were made, by direction (received, made) and currency: how many, their amount \
              (sum1) and what moved on the bank account in the company's currency (sum2), in minor units. A bounced \
              payment is none: it leaves the day it was counted at.",
    record: Kind::Payment,
    facts: "SELECT id AS record_id, paid_on AS day, direction AS dim1, '' AS dim2, '' AS dim3, currency, \
                   1::bigint AS count, amount_minor AS sum1, base_minor AS sum2 \
            FROM payment WHERE state <> 'bounced'",
};

/// What waits for approval.
pub const BILL_WAITING: Cube = Cube {
    name: "bill.waiting",
    meaning: "Bills and supplier credit notes that nobody has approved or rejected yet, at the day of receipt, by kind \
              and currency: how many, and what is payable (sum1) in minor units; credit notes are negative.",
    record: Kind::Bill,
    facts: "SELECT id AS record_id, received_on AS day, kind AS dim1, '' AS dim2, '' AS dim3, currency, \
                   1::bigint AS count, \
                   CASE WHEN kind = 'bill' THEN payable_minor ELSE -payable_minor END AS sum1, \
                   0::bigint AS sum2 \
            FROM bill WHERE state = 'received'",
};

/// How bills turned out.
pub const BILL_OUTCOME: Cube = Cube {
    name: "bill.outcome",
    meaning: "Bills and supplier credit notes that were decided on, at the day of receipt, by outcome: clean (approved \
              as received), corrected (approved after a correction) or rejected; how many.",
    record: Kind::Bill,
    facts: "SELECT id AS record_id, received_on AS day, \
                   CASE WHEN state = 'rejected' THEN 'rejected' WHEN corrected THEN 'corrected' ELSE 'clean' END AS dim1, \
                   '' AS dim2, '' AS dim3, '' AS currency, 1::bigint AS count, 0::bigint AS sum1, 0::bigint AS sum2 \
            FROM bill WHERE state IN ('approved', 'posted', 'rejected')",
};

/// How long bills take from receipt to approval.
pub const BILL_APPROVAL_TIME: Cube = Cube {
    name: "bill.approval_time",
    meaning: "Approvals of bills, at their day, by duration bucket (its lower bound in milliseconds, 19 digits; a bucket \
              is at most 1/16 of that wide): how many, and the time from receipt to approval (sum1) in milliseconds.",
    record: Kind::Bill,
    // All but the five leading binary digits are cut off; how many there are is read from the hexadecimal digits,
    // where the trigger counts bits.
    facts: "SELECT subject_id AS record_id, on_day AS day, \
                   to_char(elapsed_ms - elapsed_ms % (1::bigint << greatest(0, 4 * length(to_hex(elapsed_ms)) - 5 \
                       - translate(left(to_hex(elapsed_ms), 1), '0123456789abcdef', '4322111100000000')::integer)), \
                       'FM0000000000000000000') AS dim1, \
                   '' AS dim2, '' AS dim3, '' AS currency, 1::bigint AS count, elapsed_ms AS sum1, 0::bigint AS sum2 \
            FROM step WHERE subject_kind = 'bill' AND step = 'approved'",
};

/// What customers think.
pub const SATISFACTION: Cube = Cube {
    name: "satisfaction",
    meaning: "Scores from 1 (bad) to 5 (good) that customers left for an invoice, at the day they did: how many, and \
              the sum of the scores (sum1).",
    record: Kind::Invoice,
    facts: "SELECT invoice_id AS record_id, given_on AS day, '' AS dim1, '' AS dim2, '' AS dim3, '' AS currency, \
                   1::bigint AS count, score::bigint AS sum1, 0::bigint AS sum2 \
            FROM satisfaction",
};

/// Every cube of this domain.
pub const ALL: [&Cube; 8] = [
    &INVOICE_ISSUED,
    &RECEIVABLE_OPEN,
    &PAYABLE_OPEN,
    &PAYMENT_RECORDED,
    &BILL_WAITING,
    &BILL_OUTCOME,
    &BILL_APPROVAL_TIME,
    &SATISFACTION,
];
