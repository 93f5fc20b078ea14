//! `docs/security.md` says which test proves which requirement. Here it is held to it: each test that it names is there,
//! nothing is claimed without one, and each test that is named after a requirement stands in that requirement's row.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Where the tests that are named after requirements stand.
const NAMED: &str = "tests/tests/it/asvs";

/// What the last column may begin with in the place of a test.
const REASONS: [&str; 2] = ["not held: ", "does not apply: "];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_path_buf()
}

fn page() -> String {
    std::fs::read_to_string(root().join("docs/security.md")).expect("docs/security.md")
}

/// A row of a table: a requirement.
struct Row {
    line: usize,
    id: String,
    proof: String,
}

impl Row {
    /// What the names of its own tests begin with: `V7.2.4` is `v7_2_4_`.
    fn prefix(&self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
        self.id.chars().map(plain).chain(['_']).collect()
    }
}

/// The rows of the tables of requirements, without their heads.
fn rows(page: &str) -> Vec<Row> {
    let mut found = Vec::new();
    let mut inside = false;
    for (at, line) in page.lines().enumerate() {
        let is_head = line.starts_with("| id |");
        inside = line.starts_with('|') && (inside || is_head);
        if !inside || is_head || line.starts_with("|--") {
            continue;
        }
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        assert_eq!(cells.len(), 4, "line {}: a row has an id, a demand, an answer and a proof", at + 1);
        found.push(Row { line: at + 1, id: cells[0].to_owned(), proof: cells[3].to_owned() });
    }
    found
}

/// The tests that a text names, each as its file and its function.
fn named(text: &str) -> Vec<(&str, &str)> {
    let code = text.split('`').skip(1).step_by(2);
    code.filter_map(|code| {
        code.split_once("::").filter(|(file, _)| Path::new(file).extension().is_some_and(|kind| kind == "rs"))
    })
    .collect()
}

/// The functions of a file that are tests.
fn tests(file: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(root().join(file)).unwrap_or_default();
    let mut found = BTreeSet::new();
    let mut awaited = false;
    for line in text.lines().map(str::trim) {
        awaited |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        if let Some(rest) = line.strip_prefix("async fn ").or(line.strip_prefix("fn "))
            && std::mem::take(&mut awaited)
        {
            found.extend(rest.split_once('(').map(|(name, _)| name.to_owned()));
        }
    }
    found
}

fn all_named_after_requirements() -> Vec<(String, String)> {
    let folder = std::fs::read_dir(root().join(NAMED)).expect(NAMED);
    let files = folder.map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned());
    let mut all: Vec<_> = files
        .map(|file| format!("{NAMED}/{file}"))
        .flat_map(|file| tests(&file).into_iter().map(move |name| (file.clone(), name)))
        .collect();
    all.sort();
    all
}

#[test]
fn every_test_that_the_page_names_exists() {
    let page = page();
    let missing: Vec<_> =
        named(&page).into_iter().filter(|(file, name)| !tests(file).contains(*name)).collect();
    assert_eq!(missing, []);
    assert!(named(&page).len() > 100, "the page is read");
}

#[test]
fn every_claim_has_a_test_or_a_place_on_the_page_and_every_gap_a_reason() {
    let page = page();
    let heads: BTreeSet<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .map(|head| format!("(#{})", head.to_lowercase().replace(' ', "-")))
        .collect();
    for row in rows(&page) {
        let (id, line) = (&row.id, row.line);
        let reason = REASONS.iter().find_map(|reason| row.proof.strip_prefix(reason));
        let told = heads.iter().any(|head| row.proof.contains(head));
        let proved = told || !named(&row.proof).is_empty();
        match reason {
            Some(reason) => assert!(reason.len() > 20, "{id}, line {line}: why?"),
            None => assert!(proved, "{id}, line {line}: no test, no place on the page, no reason"),
        }
    }
}

#[test]
fn every_requirement_stands_once() {
    let page = page();
    let mut seen = BTreeSet::new();
    for row in rows(&page) {
        assert!(seen.insert(row.id.clone()), "{} again in line {}", row.id, row.line);
    }
}

#[test]
fn every_test_named_after_a_requirement_stands_in_its_row() {
    let page = page();
    let rows = rows(&page);
    let all = all_named_after_requirements();
    assert!(all.len() > 20, "the folder is read");
    let lost: Vec<_> = all
        .iter()
        .filter(|(file, name)| {
            let told = |row: &&Row| named(&row.proof).contains(&(file.as_str(), name.as_str()));
            !rows.iter().filter(told).any(|row| name.starts_with(&row.prefix()))
        })
        .collect();
    assert_eq!(lost, Vec::<&(String, String)>::new(), "tests that no row of their requirement names");
}

#[test]
fn what_is_read_of_the_page_is_what_stands_there() {
    let page = "| a | b |\n|---|---|\n| c | d |\n\n| id | asks | held by | proof |\n|---|---|---|---|\n| V7.2.4 | a | b | `a/b.rs::c`, `d` |\n";
    let rows = rows(page);
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].prefix().as_str(), rows[0].line), ("v7_2_4_", 7));
    assert_eq!(named(&rows[0].proof), [("a/b.rs", "c")]);
    let own = tests("tests/tests/it/security_table.rs");
    assert!(own.contains("every_requirement_stands_once") && !own.contains("tests"), "{own:?}");
}
