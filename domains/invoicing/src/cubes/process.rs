//! Cubes of the times between the steps of processes.

use kernel::Kind;
use kernel::cube::{Column, Cube, Dimension, Shape, Values};

use super::{BUCKET, FIRST, SOURCE, SUPPLIER, bucket, time};

const PATH: Dimension = Dimension {
    name: "path",
    meaning: "What went through the process, from which step to which, e.g. bill.received.approved. Of an invoice: \
              created, issued, paid. Of a bill: received, corrected, approved, rejected, posted, paid.",
    values: Values::Path,
};

/// How long bills take from receipt to approval.
pub const BILL_APPROVAL_TIME: Cube = Cube {
    name: "bill.approval_time",
    meaning: "Approvals of bills, at their day: how many, and the time from receipt to approval.",
    record: Kind::Bill,
    shape: Shape::Flow,
    dimensions: [Some(BUCKET), Some(SUPPLIER), Some(SOURCE)],
    kept: FIRST,
    quantities: &[time("elapsed", "From receipt to approval.", Column::Sum1)],
    facts: concat!(
        "SELECT s.subject_id AS record_id, s.on_day AS day, ",
        bucket!("s.elapsed_ms"),
        " AS dim1, \
                b.supplier_id::text AS dim2, b.source AS dim3, '' AS currency, 1::bigint AS count, s.elapsed_ms AS sum1, \
                0::bigint AS sum2 \
         FROM step s JOIN bill b ON b.id = s.subject_id WHERE s.subject_kind = 'bill' AND s.step = 'approved'"
    ),
};

/// How long the ways through processes take, by the clock.
pub const PROCESS_TIME: Cube = Cube {
    name: "process.time",
    meaning: "Ways from each earlier step of an invoice or a bill to the one that came, at the day of that one: how many, \
              and the time between them.",
    // A record is of the kind that its path begins with.
    record: Kind::Bill,
    shape: Shape::Flow,
    dimensions: [Some(BUCKET), Some(PATH), None],
    kept: [true; 3],
    quantities: &[time("elapsed", "From the last time of the earlier step to the later one.", Column::Sum1)],
    facts: concat!(
        "SELECT subject_id AS record_id, on_day AS day, ",
        bucket!("elapsed_ms"),
        " AS dim1, \
                subject_kind || '.' || from_step || '.' || to_step AS dim2, '' AS dim3, '' AS currency, \
                1::bigint AS count, elapsed_ms AS sum1, 0::bigint AS sum2 FROM passage"
    ),
};

/// How long the ways through processes take, in working hours.
pub const PROCESS_BUSINESS_TIME: Cube = Cube {
    name: "process.business_time",
    meaning: "Ways from each earlier step of an invoice or a bill to the one that came, at the day of that one: how many, \
              and the time between them that was within the company's working hours.",
    record: Kind::Bill,
    shape: Shape::Flow,
    dimensions: [Some(BUCKET), Some(PATH), None],
    kept: [true; 3],
    quantities: &[time(
        "elapsed",
        "Working time from the last time of the earlier step to the later one.",
        Column::Sum1,
    )],
    facts: concat!(
        "SELECT subject_id AS record_id, on_day AS day, ",
        bucket!("business_ms"),
        " AS dim1, \
                subject_kind || '.' || from_step || '.' || to_step AS dim2, '' AS dim3, '' AS currency, \
                1::bigint AS count, business_ms AS sum1, 0::bigint AS sum2 FROM passage"
    ),
};
