//! The cubes that figures can be made of: what the other domains declare, and this domain's own.

use kernel::Kind;
use kernel::cube::{Cube, Dimension, Shape, Values};

/// The versions of definitions: with them a new name or target moves the company's revision.
pub const DEFINITION: Cube = Cube {
    name: "kpi.definition",
    meaning: "Definitions at the UTC day of their making, by key: their version.",
    record: Kind::Kpi,
    shape: Shape::Flow,
    dimensions: [Some(Dimension { name: "key", meaning: "The key.", values: Values::Text }), None, None],
    kept: [true; 3],
    quantities: &[],
    facts: "SELECT id AS record_id, (created_at AT TIME ZONE 'UTC')::date AS day, key AS dim1, '' AS dim2, \
                   '' AS dim3, '' AS currency, version::bigint AS count, 0::bigint AS sum1, 0::bigint AS sum2 \
            FROM kpi_definition",
};

/// Alerts, by how they stand: with them a changed alert moves the company's revision, and who follows alerts is told.
pub const ALERT: Cube = Cube {
    name: "kpi.alert",
    meaning: "Alerts at the company's day on which they opened, by level, or `closed`.",
    record: Kind::KpiAlert,
    shape: Shape::Flow,
    dimensions: [
        Some(Dimension {
            name: "state",
            meaning: "How it stands.",
            values: Values::Closed(&["warning", "critical", "closed"]),
        }),
        None,
        None,
    ],
    kept: [true; 3],
    quantities: &[],
    facts: "SELECT id AS record_id, opened_on AS day, CASE WHEN closed_at IS NULL THEN level ELSE 'closed' END AS dim1, \
                   '' AS dim2, '' AS dim3, '' AS currency, 1::bigint AS count, version::bigint AS sum1, \
                   0::bigint AS sum2 \
            FROM kpi_alert",
};

/// Every cube there is.
pub fn all() -> impl Iterator<Item = &'static Cube> {
    invoicing::cubes::ALL.into_iter().chain(ledger::cubes::ALL).chain([&DEFINITION, &ALERT])
}

/// The cubes that companies can make figures of.
pub fn offered() -> impl Iterator<Item = &'static Cube> {
    all().filter(|cube| **cube != DEFINITION && **cube != ALERT)
}

/// The cube of that name.
pub fn by_name(name: &str) -> Option<&'static Cube> {
    all().find(|cube| cube.name == name)
}
