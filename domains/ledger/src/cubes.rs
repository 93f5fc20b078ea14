//! What the ledger keeps sums of.

use kernel::Kind;
use kernel::cube::Cube;

/// Debits (`sum1`) and credits (`sum2`) of the posted lines, in minor units of the company's currency, by day
/// (the entry's date), account (`dim1`, its id) and kind of entry (`dim2`: normal, result, opening, reversal).
/// The currency is left empty: it is always the company's.
pub const BALANCE: Cube = Cube {
    name: "ledger.balance",
    meaning: "Debits and credits posted, by account and kind of entry, in the company's currency",
    record: Kind::Posting,
    facts:
        "SELECT p.id AS record_id, p.posted_on AS day, p.account_id::text AS dim1, e.kind AS dim2, '' AS dim3,
                   '' AS currency, 1::bigint AS count, p.debit_minor AS sum1, p.credit_minor AS sum2
            FROM posting p JOIN journal_entry e ON e.id = p.entry_id WHERE p.posted_on IS NOT NULL",
};

/// Every cube of this domain.
pub const ALL: &[Cube] = &[BALANCE];
