//! A dashboard of twelve KPIs: a company that fills it, the request that reads it, the same aggregates as plain SQL over
//! the documents, and how the answers of both are compared.

use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, Row};

use crate::house::House;
use crate::rig::{Failure, Rig};

/// How the figure is read from an answer, beside how many records it is made of.
#[derive(Clone, Copy, Debug)]
enum Shown {
    /// An amount in euros.
    Money,
    /// How many, and an amount in euros.
    Count,
    /// A mean, told with the sum it is made from.
    Mean,
    /// A quotient, told with what it is made from; of no records of its own.
    Quotient,
}

/// A KPI and its twin in SQL: records, total, and what a quotient is divided by. `{today}`, `{month}` and `{next}` stand
/// for today, the first day of its month and of the next.
struct Tile {
    key: &'static str,
    shown: Shown,
    sql: &'static str,
}

const TILES: [Tile; 12] = [
    Tile {
        key: "revenue_month",
        shown: Shown::Money,
        sql: "SELECT count(*), coalesce(sum(CASE kind WHEN 'invoice' THEN net_minor ELSE -net_minor END), 0)::int8, 0::int8 \
              FROM invoice WHERE state = 'issued' AND issue_date >= {month} AND issue_date < {next}",
    },
    Tile {
        key: "invoices_issued_month",
        shown: Shown::Count,
        sql: "SELECT count(*), coalesce(sum(net_minor), 0)::int8, 0::int8 FROM invoice \
              WHERE state = 'issued' AND kind = 'invoice' AND issue_date >= {month} AND issue_date < {next}",
    },
    Tile {
        key: "average_invoice",
        shown: Shown::Money,
        sql: "SELECT count(*), coalesce(round(avg(net_minor)), 0)::int8, 0::int8 FROM invoice \
              WHERE state = 'issued' AND kind = 'invoice' AND issue_date > {today} - 90 AND issue_date <= {today}",
    },
    Tile {
        key: "cash_received_month",
        shown: Shown::Money,
        sql: "SELECT count(*), coalesce(sum(amount_minor), 0)::int8, 0::int8 FROM payment \
              WHERE direction = 'received' AND state = 'recorded' AND paid_on >= {month} AND paid_on < {next}",
    },
    Tile {
        key: "receivables_open",
        shown: Shown::Money,
        sql: "SELECT count(*), coalesce(sum(CASE kind WHEN 'invoice' THEN open_minor ELSE -open_minor END), 0)::int8, 0::int8 \
              FROM invoice WHERE state = 'issued' AND open_minor > 0",
    },
    Tile {
        key: "receivables_overdue",
        shown: Shown::Money,
        sql: "SELECT count(*), coalesce(sum(open_minor), 0)::int8, 0::int8 FROM invoice \
              WHERE state = 'issued' AND kind = 'invoice' AND open_minor > 0 AND due_date < {today}",
    },
    Tile {
        key: "overdue_share",
        shown: Shown::Quotient,
        sql: "SELECT 0::int8, coalesce(sum(open_minor) FILTER (WHERE due_date < {today}), 0)::int8, \
                     coalesce(sum(open_minor), 0)::int8 \
              FROM invoice WHERE state = 'issued' AND kind = 'invoice' AND open_minor > 0",
    },
    Tile {
        key: "days_to_pay_mean",
        shown: Shown::Mean,
        sql: "SELECT count(*), coalesce(sum((day - issue_date) * 86400000::int8), 0)::int8, 0::int8 FROM ( \
                  SELECT i.issue_date, max(greatest(a.on_date, i.issue_date)) AS day FROM invoice i \
                  JOIN allocation a ON a.tenant_id = i.tenant_id AND a.invoice_id = i.id AND a.payment_id IS NOT NULL \
                  WHERE i.state = 'issued' AND i.kind = 'invoice' AND i.open_minor = 0 GROUP BY i.id, i.issue_date) AS paid \
              WHERE day > {today} - 90 AND day <= {today}",
    },
    Tile {
        key: "bills_waiting",
        shown: Shown::Count,
        sql: "SELECT count(*), coalesce(sum(CASE kind WHEN 'bill' THEN payable_minor ELSE -payable_minor END), 0)::int8, 0::int8 \
              FROM bill WHERE state = 'received'",
    },
    Tile {
        key: "purchases_month",
        shown: Shown::Money,
        sql: "SELECT count(*), coalesce(sum(CASE kind WHEN 'bill' THEN net_minor ELSE -net_minor END), 0)::int8, 0::int8 \
              FROM bill WHERE state = 'posted' AND posted_on >= {month} AND posted_on < {next}",
    },
    Tile {
        key: "payables_open",
        shown: Shown::Money,
        sql: "SELECT count(*), coalesce(sum(CASE kind WHEN 'bill' THEN open_minor ELSE -open_minor END), 0)::int8, 0::int8 \
              FROM bill WHERE state = 'posted' AND open_minor > 0",
    },
    Tile {
        key: "payables_overdue",
        shown: Shown::Money,
        sql: "SELECT count(*), coalesce(sum(open_minor), 0)::int8, 0::int8 FROM bill \
              WHERE state = 'posted' AND kind = 'bill' AND open_minor > 0 AND due_date < {today}",
    },
];

/// How far back the company's documents go.
const DAYS: i32 = 80;

/// The dashboard of a company, and its days as the company's calendar has them.
pub(crate) struct Dashboard {
    pub house: House,
    pub tenant: String,
    statements: Vec<String>,
}

impl Dashboard {
    /// Founds a company that has sold, was paid in part, and has bills in every state, spread over the last days.
    pub(crate) async fn found(rig: &Rig, invoices: usize) -> Result<Self, Failure> {
        let house = House::found(rig, "Dashboard").await?;
        let mut superuser = rig.superuser().await?;
        let tenant: String =
            sqlx::query_scalar("SELECT tenant_id::text FROM company WHERE name = 'Dashboard'")
                .fetch_one(&mut superuser)
                .await?;
        // From the first day of the year at the earliest: the books of the former one are not open.
        let days: Vec<String> = sqlx::query_scalar(
            "SELECT d::date::text FROM (SELECT (now() AT TIME ZONE 'Europe/Paris')::date AS today) AS t, \
             generate_series(greatest(today - $1, date_trunc('year', today)::date), today, interval '1 day') AS d ORDER BY d",
        )
        .bind(DAYS)
        .fetch_all(&mut superuser)
        .await?;
        superuser.close().await?;
        let last = days.len() - 1;
        let supplier = house.supplier(rig).await?;
        let mut issued = Vec::with_capacity(invoices);
        for n in 0..invoices {
            let day = n * last / invoices.max(1);
            let draft = house.draft(rig, &(n % 7 + 1).to_string()).await?;
            issued.push((day, house.issue(rig, &draft, Some(&days[day])).await?));
            if n % 4 == 0 {
                let due = &days[(day + 20).min(last)];
                let bill = house.bill(rig, &supplier, n, &days[day], due).await?;
                // Every third bill waits.
                if n % 12 != 0 {
                    house.post_bill(rig, &bill, &days[day]).await?;
                }
            }
        }
        for (n, (day, invoice)) in issued.iter().enumerate() {
            let total = &invoice["total"];
            let paid_on = &days[(day + 10 + n % 5).min(last)];
            match n % 3 {
                0 => {}
                1 => house.receive(rig, invoice, total, paid_on).await?,
                _ => {
                    let part = json!({"amount": "7.50", "currency": total["currency"]});
                    house.receive(rig, invoice, &part, paid_on).await?;
                }
            }
        }
        rig.settle().await?;
        let today = &days[last];
        let month = format!("{}-01", &today[..7]);
        let statements = TILES.iter().map(|tile| {
            tile.sql
                .replace("{today}", &format!("DATE '{today}'"))
                .replace("{month}", &format!("DATE '{month}'"))
                .replace("{next}", &format!("(DATE '{month}' + interval '1 month')"))
        });
        Ok(Self { house, tenant, statements: statements.collect() })
    }

    /// The request that reads all twelve, as a dashboard shows them.
    pub(crate) fn request() -> Value {
        let keys: Vec<&str> = TILES.iter().map(|tile| tile.key).collect();
        json!({
            "query": "query($keys: [String!]!) { kpis(keys: $keys) { revision kpis { key \
                      value { number records sum over amounts { amount currency records } } } } }",
            "variables": {"keys": keys},
        })
    }

    /// What opens the transaction that the plain statements run in: one snapshot, and the company that the policies ask.
    pub(crate) fn begin(&self) -> [String; 2] {
        let id = &self.tenant;
        [
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY".to_owned(),
            format!("SET LOCAL app.tenant_id = '{id}'"),
        ]
    }

    /// The same aggregates, as one may ask them of the documents.
    pub(crate) fn script(&self) -> String {
        let mut script = self.begin().join(";\n") + ";\n";
        for statement in &self.statements {
            script += &statement.split_whitespace().collect::<Vec<_>>().join(" ");
            script += ";\n";
        }
        script + "COMMIT;\n"
    }

    /// Reads them with plain SQL: the records, the total and the divisor of each.
    pub(crate) async fn read(&self, connection: &mut PgConnection) -> Result<Vec<[i64; 3]>, Failure> {
        sqlx::raw_sql(sqlx::AssertSqlSafe(self.begin().join("; "))).execute(&mut *connection).await?;
        let mut figures = Vec::with_capacity(self.statements.len());
        for statement in &self.statements {
            let row = sqlx::query(sqlx::AssertSqlSafe(statement.clone())).fetch_one(&mut *connection).await?;
            figures.push([row.try_get(0)?, row.try_get(1)?, row.try_get(2)?]);
        }
        sqlx::raw_sql("COMMIT").execute(&mut *connection).await?;
        Ok(figures)
    }

    /// Holds an answer against the plain aggregates.
    pub(crate) fn compare(answer: &Value, plain: &[[i64; 3]]) -> Result<(), Failure> {
        let figures = answer["data"]["kpis"]["kpis"].as_array().ok_or_else(|| format!("{answer}"))?;
        if figures.len() != TILES.len() || plain.len() != TILES.len() {
            return Err(format!("{} figures and {} aggregates", figures.len(), plain.len()).into());
        }
        for ((tile, figure), plain) in TILES.iter().zip(figures).zip(plain) {
            let shown = tile.shown.of(&figure["value"]);
            let is_equal = figure["key"] == tile.key && shown.is_some_and(|shown| shown == *plain);
            if !is_equal {
                return Err(format!("{}: shown as {figure}, computed as {plain:?}", tile.key).into());
            }
            // A figure of nothing would be equal whatever is wrong.
            if plain[1] == 0 {
                return Err(format!("{}: the company has nothing to show", tile.key).into());
            }
        }
        Ok(())
    }
}

impl Shown {
    /// Records, total and divisor of a value as the API answers it.
    fn of(self, value: &Value) -> Option<[i64; 3]> {
        let number = |field: &str| value[field].as_i64();
        let euros = || {
            let amounts = value["amounts"].as_array()?;
            let [amount] = amounts.as_slice() else { return None };
            let cents = amount["amount"].as_str()?.replace('.', "").parse().ok()?;
            (amount["currency"] == "EUR").then_some(cents)
        };
        match self {
            Self::Money => Some([number("records")?, euros()?, 0]),
            Self::Count => {
                let counted = value["number"].as_str()?.parse().ok()?;
                (number("records")? == counted).then_some([counted, euros()?, 0])
            }
            Self::Mean => Some([number("records")?, number("sum")?, 0]),
            Self::Quotient => Some([0, number("sum")?, number("over")?]),
        }
    }
}
