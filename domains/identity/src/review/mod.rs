//! The review of accesses: who may do what in a company, and what of it was used. Managing accesses is back-office work, and
//! ISO 27001 (A.5.18) and SOC 2 (CC6.3) ask for it at intervals.
//!
//! It tells what is noted, and no more: a right that was not used since noting began may have been used before.

pub mod service;
pub mod uses;

use std::fmt::Write;

use chrono::{DateTime, NaiveDate, Utc};
use kernel::Permission;
use uuid::Uuid;

/// What kind of access it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A person with a role.
    Member,
    /// A program with a key.
    ApiKey,
    /// A partner's application that acts for a member.
    Grant,
}

impl Kind {
    /// Its name in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::ApiKey => "api_key",
            Self::Grant => "grant",
        }
    }
}

/// A right that somebody has, and when it was used last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Right {
    /// The right.
    pub permission: Permission,
    /// The company's day on which it was used last; none since noting began.
    pub last_used_on: Option<NaiveDate>,
}

/// Somebody's access.
#[derive(Clone, Debug)]
pub struct Access {
    /// What kind it is.
    pub kind: Kind,
    /// The membership, the key or the grant.
    pub id: Uuid,
    /// The name of the person, the key or the application.
    pub name: String,
    /// What tells it apart: the e-mail, the end of the key, the application's id.
    pub identifier: String,
    /// The role's key, for members.
    pub role: Option<String>,
    /// The role's name, when it is the company's own.
    pub role_name: Option<String>,
    /// What it may do now: of programs only what who answers for them may do as well.
    pub rights: Vec<Right>,
    /// The last day on which any right was used.
    pub last_used_on: Option<NaiveDate>,
    /// Whether the person has a second factor; programs have none.
    pub second_factor: Option<bool>,
    /// Since when it has been so.
    pub since: DateTime<Utc>,
    /// Who gave it, as a stored actor.
    pub granted_by: String,
    /// The name of who gave it, for a person.
    pub granted_by_name: Option<String>,
    /// Since when it is suspended.
    pub suspended_at: Option<DateTime<Utc>>,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
}

/// All accesses to a company.
#[derive(Clone, Debug)]
pub struct Review {
    /// When it was made.
    pub at: DateTime<Utc>,
    /// The first day on which uses were noted: what was not used was not used since then.
    pub noted_from: NaiveDate,
    /// The accesses: members, then keys, then grants, each oldest first.
    pub accesses: Vec<Access>,
}

impl Review {
    /// How many accesses of a kind there are.
    pub fn count(&self, kind: Kind) -> usize {
        self.accesses.iter().filter(|access| access.kind == kind).count()
    }

    /// How many rights nobody has used since noting began.
    pub fn unused(&self) -> usize {
        let rights = self.accesses.iter().flat_map(|access| &access.rights);
        rights.filter(|right| right.last_used_on.is_none()).count()
    }

    /// The review as a table, one line for each right of each access (RFC 4180).
    ///
    /// Whatever a spreadsheet would take for a formula begins with an apostrophe (OWASP, CSV injection): names are chosen by
    /// whoever bears them.
    pub fn csv(&self) -> String {
        let mut table = String::new();
        line(
            &mut table,
            &[
                "kind",
                "name",
                "identifier",
                "role",
                "permission",
                "meaning",
                "last_used_on",
                "not_noted_before",
                "second_factor",
                "since",
                "granted_by",
                "suspended_at",
                "expires_at",
            ],
        );
        for access in &self.accesses {
            let day = |day: Option<NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
            let time = |at: Option<DateTime<Utc>>| {
                at.map(|at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default()
            };
            for right in &access.rights {
                let second_factor = access.second_factor.map(|has| if has { "yes" } else { "no" });
                line(
                    &mut table,
                    &[
                        access.kind.as_str(),
                        &access.name,
                        &access.identifier,
                        access.role_name.as_deref().or(access.role.as_deref()).unwrap_or_default(),
                        right.permission.as_str(),
                        right.permission.meaning().trim(),
                        &day(right.last_used_on),
                        &self.noted_from.to_string(),
                        second_factor.unwrap_or_default(),
                        &time(Some(access.since)),
                        access.granted_by_name.as_deref().unwrap_or(&access.granted_by),
                        &time(access.suspended_at),
                        &time(access.expires_at),
                    ],
                );
            }
        }
        table
    }
}

fn line(table: &mut String, cells: &[&str]) {
    for (n, cell) in cells.iter().enumerate() {
        let comma = if n == 0 { "" } else { "," };
        let text = cell.replace('"', "\"\"");
        let guard = if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { "'" } else { "" };
        // Writing to a String cannot fail.
        let _written = write!(table, "{comma}\"{guard}{text}\"");
    }
    table.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_never_a_formula_of_a_spreadsheet() {
        let at = DateTime::from_timestamp(1_700_000_000, 0).expect("a time");
        let access = |name: &str| Access {
            kind: Kind::Member,
            id: Uuid::nil(),
            name: name.to_owned(),
            identifier: "ada@example.com".to_owned(),
            role: Some("owner".to_owned()),
            role_name: None,
            rights: vec![Right { permission: Permission::KpiRead, last_used_on: None }],
            last_used_on: None,
            second_factor: Some(true),
            since: at,
            granted_by: "system".to_owned(),
            granted_by_name: None,
            suspended_at: None,
            expires_at: None,
        };
        let names =
            ["=HYPERLINK(\"http://x\")", "+1", "-1", "@SUM(A1)", "\t=1", "Ada \"the first\", Countess"];
        let noted_from = NaiveDate::from_ymd_opt(2026, 1, 1).expect("a day");
        let review = Review { at, noted_from, accesses: names.map(access).to_vec() };
        let table = review.csv();
        let lines: Vec<&str> = table.split("\r\n").collect();
        assert_eq!(lines.len(), 8, "a head, six lines, an end");
        for line in &lines[1..6] {
            assert!(line.starts_with("\"member\",\"'"), "{line}");
        }
        assert!(
            lines[1].starts_with("\"member\",\"'=HYPERLINK(\"\"http://x\"\")\",\"ada@example.com\""),
            "{}",
            lines[1]
        );
        assert!(lines[6].starts_with("\"member\",\"Ada \"\"the first\"\", Countess\","), "{}", lines[6]);
        let right =
            format!("\"kpi.read\",\"{}\",\"\",\"2026-01-01\",\"yes\"", Permission::KpiRead.meaning().trim());
        assert!(lines[1].contains(&right), "{}", lines[1]);
    }
}
