//! The steps of processes: recorded where they are taken, for the times between them.
//!
//! An invoice (or credit note) is created and issued; a bill is received, corrected, approved, rejected and posted; an
//! invoice and a bill are paid, once nothing of them is open. A step is never changed: what is paid, opened again by a
//! bounce and paid anew has been paid twice.

use chrono::{DateTime, Utc};
use kernel::{Fault, Kind, Tx};
use uuid::Uuid;

/// Records that a document takes a step now. `began` is when its process did; `None` looks for its first step.
pub(crate) async fn take_in(
    tx: &Tx,
    kind: Kind,
    id: Uuid,
    began: Option<DateTime<Utc>>,
    step: &str,
) -> Result<(), Fault> {
    let scope = tx.scope();
    tx.run(
        "INSERT INTO step (tenant_id, id, subject_kind, subject_id, step, at, on_day, elapsed_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, greatest(0, floor(1000 * extract(epoch FROM $6 - coalesce($8,
             (SELECT min(s.at) FROM step s WHERE s.subject_id = $4), $6)))))",
        [
            scope.company().id.into(),
            scope.new_id().into(),
            kind.prefix().into(),
            id.into(),
            step.into(),
            scope.clock().now().into(),
            scope.today().into(),
            began.into(),
        ],
    )
    .await?;
    Ok(())
}
