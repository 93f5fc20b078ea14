//! One company in two worlds: in the first the hidden company lives beside it, in the second there never was one.
//! Both are copies of one database, and both are asked the same, letter by letter. What they answer may not differ.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::letter::{Letters, bare};
use super::seed::{ASKING, Company, FREE, HIDDEN, company};
use crate::server::Server;
use crate::socket::Client;

/// A database with both companies in it, at rest: no server runs on it.
pub(crate) struct Seeded {
    server: Server,
    pub(super) asking: Company,
    pub(super) hidden: Company,
    parted: DateTime<Utc>,
}

impl Seeded {
    /// Founds both companies and comes to rest.
    pub(crate) async fn new() -> Self {
        let mut server = Server::start().await;
        let asking = company(&server, ASKING).await;
        let hidden = company(&server, HIDDEN).await;
        server.found_by("Elsewhere", FREE, "another sentence to keep").await;
        server.crash();
        // What was queued at the stop is folded and sealed: from here on nothing of the hidden company moves by itself.
        server.db.settle().await;
        server.db.db.close().await;
        lock_out(&mut server.db.superuser().await, hidden.house.company()).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        let parted = DateTime::<Utc>::from(SystemTime::now());
        Self { server, asking, hidden, parted }
    }
}

/// An answer of both worlds.
pub(super) struct Both {
    pub with: Value,
    pub without: Value,
}

/// The two worlds.
pub(crate) struct Deployment<'a> {
    pub(super) seeded: &'a Seeded,
    plant: &'a str,
    with: World,
    without: World,
}

struct World {
    server: Server,
    letters: Letters,
    all: PgConnection,
    counts: String,
}

impl World {
    async fn new(seeded: &Seeded, plant: &str, alone: bool) -> Self {
        let db = seeded.server.db.copy().await;
        let mut all = db.superuser().await;
        sqlx::raw_sql(sqlx::AssertSqlSafe(plant.to_owned())).execute(&mut all).await.expect("planted");
        if alone {
            forget(&mut all, seeded.hidden.house.company()).await;
        }
        let server = seeded.server.beside(db);
        let letters = Letters::new(seeded.parted);
        let counts = counts(&mut all).await;
        Self { server, letters, all, counts }
    }

    async fn ask(&self, token: &str, key: Option<&str>, document: &str, variables: &Value) -> Value {
        loop {
            let (status, answer) = self.server.send(Some(token), key, document, variables.clone()).await;
            if status.as_u16() != 429 {
                return bare(status.as_u16(), answer);
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Whether the workers have done all that a company has left them to do but letters.
    async fn is_at_rest(&mut self, company: Uuid) -> bool {
        sqlx::query_scalar(
            "SELECT NOT EXISTS (SELECT FROM event_queue WHERE tenant_id = $1)
                AND NOT EXISTS (SELECT FROM kpi_delta WHERE tenant_id = $1)
                AND NOT EXISTS (SELECT FROM kpi_slice WHERE tenant_id = $1 AND state <> 'live')
                AND NOT EXISTS (SELECT FROM kpi_definition_version WHERE tenant_id = $1 AND state = 'filling')
                AND NOT EXISTS (SELECT FROM kpi_alert_mark m JOIN kpi_head h USING (tenant_id)
                    WHERE m.tenant_id = $1 AND m.active AND m.revision <> h.revision)",
        )
        .bind(company)
        .fetch_one(&mut self.all)
        .await
        .expect("rest")
    }

    async fn first_push(&self, token: &str, document: &str, variables: &Value) -> Value {
        let mut client = Client::connect(&self.server, Some(token)).await;
        let first = client.next().await;
        assert_eq!(first["type"], "connection_ack", "{first:#}");
        client.subscribe_to("1", document, variables.clone()).await;
        // Who knows a revision is told nothing until something is other.
        let first = tokio::time::timeout(Duration::from_secs(5), client.next()).await;
        bare(0, first.unwrap_or_else(|_| json!({"silent": true})))
    }
}

impl<'a> Deployment<'a> {
    /// Two worlds with a hole planted in both by SQL; none when the text is empty.
    pub(crate) async fn new(seeded: &'a Seeded, plant: &'a str) -> Self {
        let with = World::new(seeded, plant, false).await;
        let without = World::new(seeded, plant, true).await;
        Self { seeded, plant, with, without }
    }

    /// The worlds anew, as they were at the start.
    pub(super) async fn renew(&mut self) {
        *self = Self::new(self.seeded, self.plant).await;
    }

    /// The server of the world that has both companies.
    pub(super) fn server(&self) -> &Server {
        &self.with.server
    }

    /// The server of the world where the asking company is alone.
    pub(super) fn lonely(&self) -> &Server {
        &self.without.server
    }

    /// Asks both worlds the same as the asking company.
    pub(super) async fn ask(&mut self, key: Option<&str>, document: &str, variables: &Value) -> Both {
        let token = &self.seeded.asking.house.token;
        let (with, without) = if document.starts_with("subscription") {
            tokio::join!(
                self.with.first_push(token, document, variables),
                self.without.first_push(token, document, variables)
            )
        } else {
            tokio::join!(
                self.with.ask(token, key, document, variables),
                self.without.ask(token, key, document, variables)
            )
        };
        if document.starts_with("mutation") && document.contains("Kpi") {
            // What is filled, and which alerts are open, comes of workers.
            let company = self.seeded.asking.house.company();
            for world in [&mut self.with, &mut self.without] {
                while !world.is_at_rest(company).await {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
        if with == without {
            return Both { with, without };
        }
        Both { with: self.with.letters.of(&with), without: self.without.letters.of(&without) }
    }

    /// The version of a thing as the asking company sees it.
    pub(super) async fn version(&self, id: &str, type_name: &str) -> Option<Value> {
        let query = format!("query($id: ID!) {{ node(id: $id) {{ ... on {type_name} {{ version }} }} }}");
        let token = &self.seeded.asking.house.token;
        let (_, answer) = self.without.server.send(Some(token), None, &query, json!({ "id": id })).await;
        Some(answer["data"]["node"]["version"].clone()).filter(|version| !version.is_null())
    }

    /// The version of what the asking company has one of, by the way to it.
    pub(super) async fn version_of_the_one(&self, (before, after): &(String, String)) -> Option<Value> {
        let token = &self.seeded.asking.house.token;
        let query = format!("{{ {before} version {after} }}");
        let (_, answer) = self.without.server.send(Some(token), None, &query, json!({})).await;
        let one = answer["data"].as_object()?.values().next()?;
        Some(one["version"].clone()).filter(|version| !version.is_null())
    }

    /// How many rows the hidden company and its people have, and the newest transaction that wrote one, by table.
    pub(super) async fn rows(&mut self) -> BTreeMap<String, String> {
        let rows: Vec<(String, String)> = sqlx::query_as(sqlx::AssertSqlSafe(self.with.counts.clone()))
            .bind(self.seeded.hidden.house.company())
            .fetch_all(&mut self.with.all)
            .await
            .expect("rows");
        rows.into_iter().collect()
    }

    /// The same once the workers have folded and sealed what the hidden company has just done.
    pub(super) async fn rows_at_rest(&mut self) -> BTreeMap<String, String> {
        loop {
            let rows = self.rows().await;
            tokio::time::sleep(Duration::from_millis(250)).await;
            let company = self.seeded.hidden.house.company();
            if self.with.is_at_rest(company).await && self.rows().await == rows {
                return rows;
            }
        }
    }
}

/// Gives the people of a company another password than the one that all tests use: whoever knows it may sign in.
async fn lock_out(all: &mut PgConnection, company: Uuid) {
    sqlx::query(
        "UPDATE credential SET password = (SELECT c.password FROM credential c JOIN person p ON p.id = c.person_id WHERE p.email = $2)
         WHERE person_id IN (SELECT person_id FROM membership WHERE tenant_id = $1)",
    )
    .bind(company)
    .bind(FREE)
    .execute(all)
    .await
    .expect("another password");
}

/// Tables with a company in each row.
async fn company_tables(all: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
         -- Which rights were used is noted by each world's own worker, once a minute.
         WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND c.relname <> 'permission_use' ORDER BY 1",
    )
    .fetch_all(all)
    .await
    .expect("tables")
}

async fn counts(all: &mut PgConnection) -> String {
    let count = |table: &str, whose: &str| {
        format!(
            "SELECT '{table}', format('%s rows, the newest by %s', count(*), max(xmin::text::bigint)) FROM {table} WHERE {whose}"
        )
    };
    // How far who evaluates alerts has come is noted by each world's own worker.
    let tables = company_tables(all).await.into_iter().filter(|table| table != "kpi_alert_mark");
    let mut parts: Vec<String> = tables.map(|table| count(&table, "tenant_id = $1")).collect();
    let people = "(SELECT person_id FROM membership WHERE tenant_id = $1)";
    parts.push(count("person", &format!("id IN {people}")));
    parts.push(count("credential", &format!("person_id IN {people}")));
    parts.join(" UNION ALL ")
}

/// Takes a company out of a database as if it had never been there. Its people stay: a person belongs to no company.
async fn forget(all: &mut PgConnection, company: Uuid) {
    let triggers: Vec<(String, String)> = sqlx::query_as(
        "SELECT tgrelid::regclass::text, quote_ident(tgname) FROM pg_trigger WHERE tgenabled = 'A' AND NOT tgisinternal",
    )
    .fetch_all(&mut *all)
    .await
    .expect("triggers");
    let tables = company_tables(all).await;
    let mut steps = vec!["BEGIN".to_owned()];
    steps.extend(tables.iter().map(|table| format!("ALTER TABLE {table} DISABLE TRIGGER ALL")));
    steps.extend(tables.iter().map(|table| format!("DELETE FROM {table} WHERE tenant_id = '{company}'")));
    steps.extend(tables.iter().map(|table| format!("ALTER TABLE {table} ENABLE TRIGGER ALL")));
    steps.extend(
        triggers.iter().map(|(table, name)| format!("ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")),
    );
    steps.push("COMMIT".to_owned());
    sqlx::raw_sql(sqlx::AssertSqlSafe(steps.join(";"))).execute(all).await.expect("forgotten");
}
