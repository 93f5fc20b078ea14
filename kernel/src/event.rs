//! The event log: every change appends one event in its own transaction (see the design's L3).

use sea_orm::{FromQueryResult, Value};
use serde::Serialize;
use serde_json::{Map, json};
use uuid::Uuid;

use crate::fault::Fault;
use crate::id::Kind;
use crate::tx::Tx;

/// One field that changed.
#[derive(Clone, Debug)]
pub enum Change {
    /// A value that anyone with access to the log may read for ever.
    Plain {
        /// The field's public name.
        field: &'static str,
        /// Before, `null` when there was none.
        before: serde_json::Value,
        /// After.
        after: serde_json::Value,
    },
    /// A personal value: the event names the field, the value is kept apart and can be erased.
    Personal {
        /// The field's public name.
        field: &'static str,
        /// Before.
        before: Option<String>,
        /// After.
        after: Option<String>,
    },
}

/// An event to append. The subject's row must be locked or new: only then does order within a subject hold.
#[derive(Clone, Debug)]
pub struct NewEvent {
    kind: &'static str,
    subject: (Kind, Uuid),
    case: Uuid,
    facts: Map<String, serde_json::Value>,
    changes: Vec<Change>,
}

impl NewEvent {
    /// An event of a kind such as `invoice.issued`, about a thing; its case is the thing itself.
    pub fn new(kind: &'static str, subject: Kind, id: Uuid) -> Self {
        Self { kind, subject: (subject, id), case: id, facts: Map::new(), changes: Vec::new() }
    }

    /// The business case it belongs to, when that is not the subject: the invoice of a payment, say.
    #[must_use]
    pub fn case(mut self, case: Uuid) -> Self {
        self.case = case;
        self
    }

    /// A fact worth keeping. Never a personal value.
    #[must_use]
    pub fn fact(mut self, name: &str, value: impl Serialize) -> Self {
        self.facts.insert(name.to_owned(), json!(value));
        self
    }

    /// A changed field; nothing is added when before equals after.
    #[must_use]
    pub fn changed<T: Serialize + PartialEq + ?Sized>(
        mut self,
        field: &'static str,
        before: &T,
        after: &T,
    ) -> Self {
        if before != after {
            self.changes.push(Change::Plain { field, before: json!(before), after: json!(after) });
        }
        self
    }

    /// A changed field with a personal value; nothing is added when before equals after.
    #[must_use]
    pub fn changed_personal(
        mut self,
        field: &'static str,
        before: Option<&str>,
        after: Option<&str>,
    ) -> Self {
        if before != after {
            let (before, after) = (before.map(str::to_owned), after.map(str::to_owned));
            self.changes.push(Change::Personal { field, before, after });
        }
        self
    }

    /// Whether it tells of any change or fact.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty() && self.changes.is_empty()
    }

    /// Appends the event, in this transaction.
    pub async fn append(self, tx: &Tx) -> Result<(), Fault> {
        let scope = tx.scope();
        let company = scope.company().id;
        let payload = self.payload()?;
        let origin = scope.origin();
        let appended: Option<(i64,)> = tx
            .tuple(
                "WITH e AS (
                     INSERT INTO event (tenant_id, at, actor, kind, subject_kind, subject_id, case_id, payload)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING position),
                 o AS (
                     INSERT INTO event_origin (tenant_id, position, address, agent, request_id)
                     SELECT $1, position, $9, $10, $11 FROM e WHERE $9::text IS NOT NULL OR $11::text IS NOT NULL)
                 SELECT position FROM e",
                [
                    company.into(),
                    scope.clock().now().into(),
                    scope.actor().stored().into(),
                    self.kind.into(),
                    self.subject.0.prefix().into(),
                    self.subject.1.into(),
                    self.case.into(),
                    payload.into(),
                    origin.address.clone().into(),
                    origin.agent.clone().into(),
                    origin.request_id.clone().into(),
                ],
            )
            .await?;
        let (position,) =
            appended.ok_or_else(|| Fault::Corrupt("an appended event has no position".to_owned()))?;
        for change in self.changes {
            if let Change::Personal { field, before, after } = change {
                let values: [Value; 5] =
                    [company.into(), position.into(), field.into(), before.into(), after.into()];
                tx.run(
                    "INSERT INTO event_value (tenant_id, position, field, before, after) VALUES ($1, $2, $3, $4, $5)",
                    values,
                )
                .await?;
            }
        }
        Ok(())
    }

    fn payload(&self) -> Result<Vec<u8>, Fault> {
        let mut payload = self.facts.clone();
        let mut changes = Map::new();
        let mut personal = Vec::new();
        for change in &self.changes {
            match change {
                Change::Plain { field, before, after } => {
                    changes.insert((*field).to_owned(), json!([before, after]));
                }
                Change::Personal { field, .. } => personal.push(*field),
            }
        }
        if !changes.is_empty() {
            payload.insert("changes".to_owned(), changes.into());
        }
        if !personal.is_empty() {
            payload.insert("personal".to_owned(), json!(personal));
        }
        let payload = crate::canonical::sorted(payload.into());
        serde_json::to_vec(&payload).map_err(|e| Fault::Internal(format!("event payload: {e}")))
    }
}

/// An event as it stands in the log.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Event {
    /// Where it stands, before the order is final.
    pub position: i64,
    /// Its place in the company's gapless log, once sealed.
    pub sequence: Option<i64>,
    /// When it happened.
    pub at: chrono::DateTime<chrono::Utc>,
    /// Who did it, see [`crate::Actor::parse`].
    pub actor: String,
    /// What happened, e.g. `invoice.issued`.
    pub kind: String,
    /// The prefix of the subject's ids.
    pub subject_kind: String,
    /// The subject.
    pub subject_id: Uuid,
    /// The business case.
    pub case_id: Uuid,
    /// The hashed bytes: JSON.
    pub payload: Vec<u8>,
    /// The network address it came from, unless erased.
    pub address: Option<String>,
    /// The client's name, unless erased.
    pub agent: Option<String>,
    /// The request's id.
    pub request_id: Option<String>,
}

/// Events about one thing (or about all, for `None`), newest first, before a position.
pub async fn page(
    tx: &Tx,
    subject: Option<Uuid>,
    before: Option<i64>,
    most: u64,
) -> Result<Vec<Event>, Fault> {
    let select = "SELECT e.*, s.sequence, o.address, o.agent, o.request_id
         FROM event e
         LEFT JOIN event_seal s ON s.tenant_id = e.tenant_id AND s.position = e.position
         LEFT JOIN event_origin o ON o.tenant_id = e.tenant_id AND o.position = e.position";
    let before: Value = before.unwrap_or(i64::MAX).into();
    let most: Value = i64::try_from(most).unwrap_or(i64::MAX).into();
    if let Some(subject) = subject {
        let sql =
            format!("{select} WHERE e.subject_id = $1 AND e.position < $2 ORDER BY e.position DESC LIMIT $3");
        tx.all(&sql, [subject.into(), before, most]).await
    } else {
        let sql = format!("{select} WHERE e.position < $1 ORDER BY e.position DESC LIMIT $2");
        tx.all(&sql, [before, most]).await
    }
}

/// The personal values that an event replaced, unless erased: field, before, after.
pub async fn personal_values(
    tx: &Tx,
    position: i64,
) -> Result<Vec<(String, Option<String>, Option<String>)>, Fault> {
    tx.tuples(
        "SELECT field, before, after FROM event_value WHERE position = $1 ORDER BY field",
        [position.into()],
    )
    .await
}

/// How many events there are about one thing, or in all.
pub async fn count(tx: &Tx, subject: Option<Uuid>) -> Result<u64, Fault> {
    let counted: Option<(i64,)> = match subject {
        Some(subject) => {
            tx.tuple("SELECT count(*) FROM event WHERE subject_id = $1", [subject.into()]).await?
        }
        None => tx.tuple("SELECT count(*) FROM event", []).await?,
    };
    Ok(counted.map_or(0, |(n,)| n.unsigned_abs()))
}
