//! Families: tokens that follow from one another, and end together.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{Clock, Db, Fault, PermissionSet};
use sqlx::{Postgres, Transaction};
use uuid::Uuid;

use crate::authenticator::Authenticator;
use crate::oauth::names;
use crate::oauth::principal::GrantRow;
use crate::secret;

/// A transaction on the directory.
pub(super) type Tx = Transaction<'static, Postgres>;

/// What is kept once it is over, so that what comes again is known as such.
const KEPT: TimeDelta = TimeDelta::days(1);

pub(super) async fn begin(auth: &Authenticator) -> Result<Tx, Fault> {
    auth.db().begin_directory().await
}

/// A family, and what is behind it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Family {
    pub id: Uuid,
    pub company: Uuid,
    pub grant: Uuid,
    pub client: Uuid,
}

impl Family {
    /// Begins a family.
    pub(super) async fn begin_in(
        &self,
        tx: &mut Tx,
        now: DateTime<Utc>,
        ends_at: DateTime<Utc>,
    ) -> Result<(), Fault> {
        sqlx::query(
            "INSERT INTO oauth_family (id, tenant_id, grant_id, client_id, created_at, ends_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(self.id)
        .bind(self.company)
        .bind(self.grant)
        .bind(self.client)
        .bind(now)
        .bind(ends_at)
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// What is behind it, if all of that lives.
    pub(super) async fn granted_in(
        &self,
        tx: &mut Tx,
        now: DateTime<Utc>,
    ) -> Result<Option<GrantRow>, Fault> {
        let sql = "SELECT * FROM oauth_grant_principal($1, $2, $3, $4)";
        let found = sqlx::query_as(sql).bind(self.company).bind(self.grant).bind(self.id).bind(now);
        let found: Option<GrantRow> = found.fetch_optional(&mut **tx).await?;
        Ok(found.filter(|row| row.client_id == self.client))
    }

    /// The next refresh token.
    pub(super) async fn renew_in(
        &self,
        tx: &mut Tx,
        permissions: PermissionSet,
        now: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<String, Fault> {
        let token = credentials::secret::generate(credentials::secret::REFRESH_TOKEN);
        sqlx::query(
            "INSERT INTO oauth_refresh (hash, family_id, permissions, issued_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(secret::hash(&token))
        .bind(self.id)
        .bind(names(permissions))
        .bind(now)
        .bind(expires_at)
        .execute(&mut **tx)
        .await?;
        Ok(token)
    }
}

/// Ends a family. Ending an ended one changes nothing.
pub(super) async fn revoke_in(tx: &mut Tx, family: Uuid, now: DateTime<Utc>) -> Result<(), Fault> {
    sqlx::query("UPDATE oauth_family SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL")
        .bind(family)
        .bind(now)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Removes families, codes and assertions that were over a day ago. How many.
///
/// # Errors
/// A fault.
pub async fn sweep(db: &Db, clock: &Clock) -> Result<u64, Fault> {
    let (now, mut swept) = (clock.now(), 0);
    for sql in [
        "DELETE FROM oauth_code WHERE expires_at < $1",
        "DELETE FROM oauth_family WHERE ends_at < $1",
        "DELETE FROM oauth_assertion WHERE expires_at < $1",
    ] {
        swept += sqlx::query(sql).bind(now - KEPT).execute(db.directory()).await?.rows_affected();
    }
    Ok(swept)
}
