//! What the ledger keeps sums of.

use kernel::Kind;
use kernel::cube::{Column, Cube, Dimension, Measured, Quantity, Shape, Values};

/// Debits (`sum1`) and credits (`sum2`) of the posted lines, in minor units of the company's currency, by day
/// (the entry's date), account (`dim1`, its id), kind of entry (`dim2`: normal, result, opening, reversal) and journal
/// (`dim3`, its id).
/// The currency is left empty: it is always the company's.
pub const BALANCE: Cube = Cube {
    name: "ledger.balance",
    meaning: "Debits and credits posted, in the company's currency.",
    record: Kind::Posting,
    shape: Shape::Flow,
    dimensions: [
        Some(Dimension { name: "account", meaning: "The account.", values: Values::Account }),
        Some(Dimension {
            name: "kind",
            meaning: "Kind of entry.",
            values: Values::Closed(&["normal", "result", "opening", "reversal"]),
        }),
        Some(Dimension { name: "journal", meaning: "The journal.", values: Values::Journal }),
    ],
    kept: [true, true, false],
    quantities: &[
        Quantity {
            name: "debit",
            meaning: "What was debited.",
            column: Column::Sum1,
            measured: Measured::BaseMoney,
        },
        Quantity {
            name: "credit",
            meaning: "What was credited.",
            column: Column::Sum2,
            measured: Measured::BaseMoney,
        },
    ],
    facts: "SELECT p.id AS record_id, p.posted_on AS day, p.account_id::text AS dim1, e.kind AS dim2,
                   e.journal_id::text AS dim3,
                   '' AS currency, 1::bigint AS count, p.debit_minor AS sum1, p.credit_minor AS sum2
            FROM posting p JOIN journal_entry e ON e.id = p.entry_id WHERE p.posted_on IS NOT NULL",
};

/// Every cube of this domain.
pub const ALL: &[Cube] = &[BALANCE];
