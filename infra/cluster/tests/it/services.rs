//! The program `with-services`.

use crate::support::{ends, eventually, kill};
use rustix::process::Signal;
use std::fs;
use std::process::{Command, Output};

const WITH_SERVICES: &str = env!("CARGO_BIN_EXE_with-services");

fn run(arguments: &[&str]) -> Output {
    Command::new(WITH_SERVICES).args(arguments).output().unwrap()
}

/// The process id of the server at a URL.
fn postmaster(url: &str) -> i32 {
    let answer = crate::support::psql(url, "SELECT pg_read_file('postmaster.pid')").unwrap();
    answer.lines().next().unwrap().parse().unwrap()
}

#[test]
fn the_command_finds_both_servers_and_its_code_is_passed_on() {
    let script = r#"psql -XAtqd "$COULISSE_TEST_DATABASE_URL" -c 'SELECT 40 + 2' && echo "$COULISSE_TEST_REDIS_URL"; exit 7"#;
    let output = run(&["--", "sh", "-c", script]);
    assert_eq!(output.status.code(), Some(7), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with("42\nredis://:"), "{said}");
}

#[test]
fn redis_can_be_left_out() {
    let output = run(&["--no-redis", "--", "sh", "-c", r#"test -z "${COULISSE_TEST_REDIS_URL+set}""#]);
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_command_that_does_not_exist_is_named() {
    let output = run(&["--no-redis", "--", "/nonexistent/command"]);
    assert_eq!(output.status.code(), Some(126));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/nonexistent/command"));
}

#[test]
fn wrong_use_is_explained() {
    for arguments in [&["--"] as &[&str], &[], &["--nonsense", "--", "true"]] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).starts_with("Usage:"));
    }
}

/// Starts a run whose command writes its URL into a file and then sleeps; hands over the run, the URL
/// and the server's process id.
fn sleeping_run(dir: &std::path::Path) -> (std::process::Child, i32) {
    let note = dir.join("url");
    let script = format!(
        "echo \"$COULISSE_TEST_DATABASE_URL\" >'{0}.new'; mv '{0}.new' '{0}'; exec sleep 60",
        note.display()
    );
    let run =
        Command::new(WITH_SERVICES).args(["--", "sh", "-c", &script]).env("TMPDIR", dir).spawn().unwrap();
    assert!(eventually(|| note.exists()));
    let pid = postmaster(fs::read_to_string(&note).unwrap().trim());
    (run, pid)
}

fn leftovers(dir: &std::path::Path) -> usize {
    let entries = fs::read_dir(dir).unwrap().flatten();
    entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("coulisse-scratch-")).count()
}

#[test]
fn terminated_it_ends_the_command_and_the_servers() {
    let scratch = cluster::scratch().unwrap();
    let (mut run, postgres) = sleeping_run(scratch.path());
    kill(i32::try_from(run.id()).unwrap(), Signal::TERM);
    assert_eq!(run.wait().unwrap().code(), Some(128 + 15));
    assert!(ends(postgres));
    assert_eq!(leftovers(scratch.path()), 0, "the temporary folder is gone");
}

#[test]
fn killed_it_takes_the_servers_along() {
    let scratch = cluster::scratch().unwrap();
    let (mut run, postgres) = sleeping_run(scratch.path());
    kill(i32::try_from(run.id()).unwrap(), Signal::KILL);
    run.wait().unwrap();
    assert!(ends(postgres));
}
