//! The shape of the code, held by tests: levels, who may know what, files that a reader can hold in mind.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// The level of each domain: calls go to a lower level only.
const LEVELS: [(&str, u8); 6] =
    [("mail", 0), ("identity", 1), ("ledger", 2), ("documents", 2), ("invoicing", 5), ("kpi", 7)];

/// Files that may be longer than 500 lines; this list only shrinks.
const LONG: [&str; 0] = [];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_path_buf()
}

/// Each crate of ours with the crates that its shipped code depends on.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = MetadataCommand::new().current_dir(root()).no_deps().exec().expect("cargo metadata");
    let shipped = |package: &cargo_metadata::Package| {
        let normal = package.dependencies.iter().filter(|d| d.kind == DependencyKind::Normal);
        normal.map(|d| d.name.clone()).collect()
    };
    metadata.packages.iter().map(|package| (package.name.to_string(), shipped(package))).collect()
}

fn level(name: &str) -> Option<u8> {
    LEVELS.iter().find(|(domain, _)| *domain == name).map(|(_, level)| *level)
}

#[test]
fn every_domain_has_a_level_and_calls_lower_ones_only() {
    let dependencies = dependencies();
    let domains: BTreeSet<_> = std::fs::read_dir(root().join("domains"))
        .expect("domains")
        .map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(domains, LEVELS.iter().map(|(name, _)| (*name).to_owned()).collect());
    for (domain, own) in LEVELS {
        for needed in &dependencies[domain] {
            if let Some(other) = level(needed) {
                assert!(other < own, "{domain} (level {own}) depends on {needed} (level {other})");
            }
        }
    }
}

#[test]
fn imports_go_one_way() {
    let dependencies = dependencies();
    let forbidden: [(&str, &[&str]); 4] = [
        ("entity", &["kernel", "coulisse-api", "migration"]),
        ("kernel", &["entity", "coulisse-api", "migration", "async-graphql", "axum"]),
        ("migration", &["kernel", "entity", "coulisse-api"]),
        ("cluster", &["kernel", "entity", "coulisse-api", "migration"]),
    ];
    for (name, never) in forbidden {
        for other in never {
            assert!(!dependencies[name].contains(*other), "{name} depends on {other}");
        }
    }
    // What knows protocols only: nothing of the product, and nothing of where things are kept.
    for protocol in ["gateway", "credentials", "federation", "authority"] {
        for ours in ["kernel", "entity", "identity", "mail", "sea-orm", "sqlx", "coulisse-api"] {
            assert!(!dependencies[protocol].contains(ours), "{protocol} knows {ours}");
        }
    }
    for (domain, _) in LEVELS {
        for edge in
            ["async-graphql", "axum", "tower-http", "reqwest", "hyper", "coulisse-api", "migration", "redis"]
        {
            assert!(!dependencies[domain].contains(edge), "{domain} knows {edge}");
        }
    }
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("folder") {
        let path = entry.expect("entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !["target", ".git", ".coulisse", "node_modules"].contains(&name.as_str()) {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn all_sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    sources(&root(), &mut found);
    let named = |path: PathBuf| {
        let name = path.strip_prefix(root()).expect("inside").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("source");
        (name, text)
    };
    found.into_iter().map(named).collect()
}

#[test]
fn a_file_has_at_most_500_lines() {
    let long: Vec<_> = all_sources()
        .into_iter()
        .filter(|(name, text)| text.lines().count() > 500 && !LONG.contains(&name.as_str()))
        .map(|(name, text)| format!("{name}: {}", text.lines().count()))
        .collect();
    assert_eq!(long, Vec::<String>::new());
}

#[test]
fn every_domain_has_the_same_rooms() {
    for (domain, _) in LEVELS {
        for room in ["src/lib.rs", "src/error.rs", "tests/it/main.rs"] {
            let file = root().join("domains").join(domain).join(room);
            assert!(file.exists(), "{} is missing", file.display());
        }
        let lib =
            std::fs::read_to_string(root().join("domains").join(domain).join("src/lib.rs")).expect("lib.rs");
        let prose = lib.lines().filter(|line| line.starts_with("//!")).count();
        assert!(
            prose >= 8,
            "{domain}/src/lib.rs says what the domain is, what it never does, its invariants"
        );
        assert!(lib.contains("never"), "{domain}/src/lib.rs says what the domain never does");
    }
}

#[test]
fn shipped_code_opens_no_pool_and_no_raw_connection_in_a_domain() {
    for (name, text) in all_sources() {
        let shipped = name.starts_with("domains/") && !name.contains("/tests/");
        // People are in no company: what belongs to them stands in the global tables, whose names the catalogue's test
        // lists, as it does the functions that look across companies.
        let of_people =
            ["domains/identity/src/", "domains/mail/src/"].iter().any(|room| name.starts_with(room));
        let raw: &[&str] = if of_people {
            &["PgConnection", "DatabaseConnection", ".server()"]
        } else {
            &[
                "PgPool",
                "PgConnection",
                "DatabaseConnection",
                ".server()",
                ".worker()",
                ".directory()",
                "sqlx::query",
            ]
        };
        if shipped {
            for raw in raw {
                assert!(!text.contains(raw), "{name} uses {raw}: go through the scope");
            }
        }
    }
}
