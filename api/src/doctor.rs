//! `coulisse doctor`: what is missing or misconfigured, and the fix.

use kernel::vault::Vault;
use mail::post::Post;
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Row};

use crate::post::post;
use crate::settings::Settings;

/// One check: what was looked at, and the fix when it is wrong.
struct Check {
    what: String,
    fix: Option<String>,
}

fn check(what: impl Into<String>, result: Result<(), String>) -> Check {
    Check { what: what.into(), fix: result.err() }
}

/// Looks at everything; whether all of it is right.
pub(crate) async fn examine(settings: &Settings) -> bool {
    let mut checks = vec![
        check("seal keys", Vault::parse(&settings.seal_keys).map(|_| ())),
        check(format!("files folder {}", settings.files.display()), files(settings)),
    ];
    for (role, url) in
        [("coulisse_server", &settings.database_url), ("coulisse_worker", &settings.worker_database_url)]
    {
        checks.push(check(format!("PostgreSQL as {role}"), database(url, role).await));
    }
    checks.push(check("migrations", migrations(settings).await));
    if let Some(url) = &settings.redis_url {
        checks.push(check("Redis", redis(url).await));
    }
    checks.push(check("letters", letters(settings).await));
    for Check { what, fix } in &checks {
        match fix {
            None => println!("ok       {what}"),
            Some(fix) => println!("WRONG    {what}: {fix}"),
        }
    }
    checks.iter().all(|check| check.fix.is_none())
}

fn files(settings: &Settings) -> Result<(), String> {
    let probe = settings.files.join(".doctor");
    std::fs::create_dir_all(&settings.files)
        .and_then(|()| std::fs::write(&probe, b"probe"))
        .and_then(|()| std::fs::remove_file(&probe))
        .map_err(|e| format!("cannot be written ({e}): make it, or give another one with --files"))
}

async fn database(url: &str, role: &str) -> Result<(), String> {
    let mut connection = PgConnection::connect(url)
        .await
        .map_err(|e| format!("cannot connect ({e}): is it running, and is the password that of {role}?"))?;
    let row = sqlx::query(
        "SELECT current_setting('server_version_num')::int, current_user::text, r.rolsuper OR r.rolbypassrls
         FROM pg_roles r WHERE r.rolname = current_user",
    )
    .fetch_one(&mut connection)
    .await
    .map_err(|e| e.to_string())?;
    let read = |e: sqlx::Error| e.to_string();
    let (version, user, bypasses): (i32, String, bool) =
        (row.try_get(0).map_err(read)?, row.try_get(1).map_err(read)?, row.try_get(2).map_err(read)?);
    if version < 150_000 {
        return Err(format!("PostgreSQL {} is too old: 15 or later is needed", version / 10_000));
    }
    if bypasses {
        return Err(format!("the role {user} passes the policies by: connect as {role}"));
    }
    if user != role {
        return Err(format!("connected as {user}: connect as {role}, whose grants the schema knows"));
    }
    Ok(())
}

async fn migrations(settings: &Settings) -> Result<(), String> {
    let pending = migration::pending(&settings.database_url).await.map_err(|e| e.to_string())?;
    if pending.is_empty() {
        Ok(())
    } else {
        Err(format!("{} are pending, the first is `{}`: run `coulisse migrate`", pending.len(), pending[0]))
    }
}

async fn letters(settings: &Settings) -> Result<(), String> {
    match post(settings).map_err(|e| e.to_string())? {
        None => Err(
            "no letter goes out, and nobody can confirm an address or reset a password: give --smtp-url and \
                     --mail-from, or --outbox true for developing"
                .to_owned(),
        ),
        Some(Post::Shelf) => Ok(()),
        Some(Post::Smtp(server)) => server.answers().await.map_err(|why| {
            format!("the SMTP server does not take them ({why}): see --smtp-url and --smtp-ca")
        }),
    }
}

async fn redis(url: &str) -> Result<(), String> {
    let hints = kernel::hint::Hints::over_redis(url).map_err(|e| format!("the URL is wrong: {e}"))?;
    match hints.redis_answers().await {
        Some(true) => Ok(()),
        _ => Err("does not answer: start it, or leave --redis-url out".to_owned()),
    }
}
