//! The cubes that figures can be made of: what the other domains declare, and this domain's own.

use kernel::Kind;
use kernel::cube::Cube;

/// The versions of definitions: with them a new name or target moves the company's revision.
pub const DEFINITION: Cube = Cube {
    name: "kpi.definition",
    meaning: "Definitions at the UTC day of their making, by key: their version.",
    record: Kind::Kpi,
    facts: "SELECT id AS record_id, (created_at AT TIME ZONE 'UTC')::date AS day, key AS dim1, '' AS dim2, \
                   '' AS dim3, '' AS currency, version::bigint AS count, 0::bigint AS sum1, 0::bigint AS sum2 \
            FROM kpi_definition",
};

/// Every cube there is.
pub fn all() -> impl Iterator<Item = &'static Cube> {
    invoicing::cubes::ALL.into_iter().chain(ledger::cubes::ALL).chain([&DEFINITION])
}

/// The cube of that name.
pub fn by_name(name: &str) -> Option<&'static Cube> {
    all().find(|cube| cube.name == name)
}
