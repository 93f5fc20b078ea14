//! Where the files go, and who may see them.

use crate::support::{psql, sql};
use cluster::{Postgres, PostgresOptions, scratch};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

#[tokio::test]
async fn nobody_else_reads_the_files() {
    let scratch = scratch().unwrap();
    let postgres = Postgres::start(PostgresOptions::ephemeral(scratch.path().join("pg"))).await.unwrap();
    let home = postgres.home();
    for private in ["data", "sock"] {
        assert_eq!(mode(&home.join(private)), 0o700, "{private}");
    }
    for private in ["password", "port", "lock", "postgres.log"] {
        assert_eq!(mode(&home.join(private)), 0o600, "{private}");
    }
    assert_eq!(mode(home) & 0o066, 0, "the folder cannot be listed or changed");
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn below_a_folder_of_roots_the_cluster_goes_to_var_lib() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let scratch = scratch().unwrap();
    let closed = scratch.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, Permissions::from_mode(0o700)).unwrap();
    let options = PostgresOptions::ephemeral(closed.join("project/.coulisse/pg"));

    let first = Postgres::start(options.clone()).await.unwrap();
    let home = first.home().to_path_buf();
    assert!(home.starts_with("/var/lib/coulisse"), "{}", home.display());
    sql(&first, "CREATE TABLE kept ()");
    first.stop().await.unwrap();

    let second = Postgres::start(options).await.unwrap();
    assert_eq!(second.home(), home, "the same project finds its data again");
    assert_eq!(sql(&second, "SELECT count(*) FROM kept"), "0");
    second.remove().await.unwrap();
    assert!(!home.exists());
}

#[tokio::test]
async fn a_long_path_gets_its_socket_in_tmp() {
    let scratch = scratch().unwrap();
    let long = scratch.path().join("a".repeat(100));
    let postgres =
        Postgres::start(PostgresOptions::ephemeral(long.join("with \"quotes\", and more"))).await.unwrap();
    assert!(postgres.socket_url("postgres").contains("%2Ftmp%2Fcoulisse-"));
    assert_eq!(psql(&postgres.socket_url("postgres"), "SELECT 1").unwrap(), "1");
    postgres.remove().await.unwrap();
}

#[tokio::test]
async fn a_folder_with_strange_characters_works() {
    let scratch = scratch().unwrap();
    let strange = scratch.path().join("é \"x\" $y,z");
    let postgres = Postgres::start(PostgresOptions::ephemeral(strange.clone())).await.unwrap();
    assert_eq!(postgres.home(), strange);
    assert_eq!(psql(&postgres.socket_url("postgres"), "SELECT 1").unwrap(), "1");
    postgres.remove().await.unwrap();
}
