//! Crashes of every kind, and the start after them.

use crate::support::{ends, kill, psql, sql};
use cluster::{ClusterError, Postgres, PostgresOptions, find_postgres, scratch};
use rustix::process::Signal;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Durable, because what is under test is recovery.
fn options(dir: &Path) -> PostgresOptions {
    PostgresOptions::new(dir.join("pg"))
}

async fn start(dir: &Path) -> Postgres {
    Postgres::start(options(dir)).await.unwrap()
}

/// Puts a file into the data folder as the server would have left it.
fn plant(postgres_home: &Path, name: &str, content: &str) {
    let data = postgres_home.join("data");
    let path = data.join(name);
    fs::write(&path, content).unwrap();
    let owner = fs::metadata(&data).unwrap();
    chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
}

#[tokio::test]
async fn a_killed_server_recovers_at_the_next_start() {
    let scratch = scratch().unwrap();
    let first = start(scratch.path()).await;
    sql(&first, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n");
    kill(first.pid(), Signal::KILL);
    assert!(first.ended().await.is_some());
    let data = first.home().join("data");
    drop(first);
    assert!(data.join("postmaster.pid").exists());

    let second = start(scratch.path()).await;
    assert_eq!(sql(&second, "SELECT count(*) FROM kept"), "1000");
    second.stop().await.unwrap();
}

#[tokio::test]
async fn a_busy_child_of_a_killed_server_is_ended_first() {
    let scratch = scratch().unwrap();
    let first = start(scratch.path()).await;
    // A loop that never looks up: it does not notice that its parent is gone.
    let busy = "DO $$ BEGIN LOOP PERFORM 1; END LOOP; END $$";
    let program = first.binaries().program("psql");
    let mut client = Command::new(program);
    client.args(["-d", &first.url("postgres"), "-c", busy]).stderr(Stdio::null());
    let mut client = client.spawn().unwrap();
    let active = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'DO %' AND state = 'active'";
    assert!(crate::support::eventually(|| sql(&first, active) == "1"));
    kill(first.pid(), Signal::KILL);
    drop(first);

    let second = start(scratch.path()).await;
    assert_eq!(sql(&second, "SELECT 1"), "1");
    second.stop().await.unwrap();
    client.wait().unwrap();
}

#[tokio::test]
async fn a_stale_lock_with_a_dead_number_is_passed_over() {
    let scratch = scratch().unwrap();
    let first = start(scratch.path()).await;
    let home = first.home().to_path_buf();
    first.stop().await.unwrap();
    let mut dead = Command::new("true").spawn().unwrap();
    dead.wait().unwrap();
    plant(&home, "postmaster.pid", &format!("{}\n{}/data\n1\n5432\n\n\n\n", dead.id(), home.display()));
    start(scratch.path()).await.stop().await.unwrap();
}

#[tokio::test]
async fn a_stale_lock_whose_number_a_stranger_has_is_passed_over() {
    let scratch = scratch().unwrap();
    let first = start(scratch.path()).await;
    let home = first.home().to_path_buf();
    first.stop().await.unwrap();
    // Of the server's own account: PostgreSQL alone would refuse to start.
    let owner = fs::metadata(home.join("data")).unwrap();
    let mut stranger = Command::new("sleep");
    stranger.arg("60").current_dir("/");
    if rustix::process::geteuid().is_root() {
        stranger.uid(owner.uid()).gid(owner.gid());
    }
    let mut stranger = stranger.spawn().unwrap();
    plant(&home, "postmaster.pid", &format!("{}\n{}/data\n1\n5432\n\n\n\n", stranger.id(), home.display()));

    start(scratch.path()).await.stop().await.unwrap();
    assert!(stranger.try_wait().unwrap().is_none(), "the stranger lives");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[tokio::test]
async fn an_empty_stale_lock_is_passed_over() {
    let scratch = scratch().unwrap();
    let first = start(scratch.path()).await;
    let home = first.home().to_path_buf();
    first.stop().await.unwrap();
    plant(&home, "postmaster.pid", "");
    start(scratch.path()).await.stop().await.unwrap();
}

#[tokio::test]
async fn an_orphaned_server_is_stopped_first() {
    let scratch = scratch().unwrap();
    let first = start(scratch.path()).await;
    let (home, port) = (first.home().to_path_buf(), first.port());
    let url = first.url("postgres");
    first.stop().await.unwrap();
    // A server on the same data that no program keeps, as after a crash of program and watchdog.
    let owner = fs::metadata(home.join("data")).unwrap();
    let mut orphan = Command::new(find_postgres().unwrap().program("postgres"));
    orphan.arg("-D").arg(home.join("data")).arg("-p").arg(port.to_string());
    orphan.args(["-c", "unix_socket_directories="]).stderr(Stdio::null()).current_dir("/");
    if rustix::process::geteuid().is_root() {
        orphan.uid(owner.uid()).gid(owner.gid());
    }
    let mut orphan = orphan.spawn().unwrap();
    assert!(crate::support::eventually(|| psql(&url, "SELECT 1").is_ok()));

    // The orphan is a child of this test, so somebody must reap it for its number to be free.
    let pid = i32::try_from(orphan.id()).unwrap();
    let reaper = std::thread::spawn(move || orphan.wait().unwrap());
    let second = start(scratch.path()).await;
    assert!(ends(pid));
    assert!(reaper.join().unwrap().success(), "it was stopped cleanly");
    assert_eq!(psql(&url, "SELECT 1").unwrap(), "1", "the port is kept");
    second.stop().await.unwrap();
}

#[tokio::test]
async fn an_unfinished_initdb_is_done_again() {
    let scratch = scratch().unwrap();
    let home = scratch.path().join("pg");
    // As `initdb` leaves it when killed: some files, no name yet; and the empty folder of a careful user.
    let unfinished = home.join("init-1-1");
    fs::create_dir_all(unfinished.join("base/1")).unwrap();
    fs::write(unfinished.join("PG_VERSION"), "15\n").unwrap();
    fs::write(home.join("password"), "of the attempt that was cut short\n").unwrap();
    fs::create_dir(home.join("data")).unwrap();

    let postgres = start(scratch.path()).await;
    assert!(!unfinished.exists());
    assert_eq!(sql(&postgres, "SELECT 1"), "1");
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_damaged_cluster_is_named_and_left_alone() {
    let scratch = scratch().unwrap();
    let first = start(scratch.path()).await;
    let control = first.home().join("data/global/pg_control");
    let version = first.home().join("data/PG_VERSION");
    first.stop().await.unwrap();

    let aside = control.with_extension("aside");
    fs::rename(&control, &aside).unwrap();
    let refused = Postgres::start(options(scratch.path())).await;
    assert!(matches!(refused, Err(ClusterError::Damaged { .. })), "{refused:?}");
    fs::rename(&aside, &control).unwrap();

    fs::write(&version, "9\n").unwrap();
    let refused = Postgres::start(options(scratch.path())).await;
    assert!(matches!(refused, Err(ClusterError::WrongMajor { data: 9, .. })), "{refused:?}");
}
