//! Real servers, started, stopped, killed and left in a mess.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, like the tests")]

mod leftovers;
mod places;
mod services;
mod support;

use cluster::{ClusterError, Postgres, PostgresOptions, Redis, RedisOptions, scratch};
use support::{ends, psql, sql};

#[tokio::test]
async fn restart_keeps_data_password_and_port() {
    let scratch = scratch().unwrap();
    let options = PostgresOptions { ephemeral: true, ..PostgresOptions::new(scratch.path().join("pg")) };
    let first = Postgres::start(options.clone()).await.unwrap();
    sql(&first, "CREATE TABLE kept (word text); INSERT INTO kept VALUES ('hélas')");
    let (port, url) = (first.port(), first.url("postgres"));
    first.stop().await.unwrap();

    let second = Postgres::start(options).await.unwrap();
    assert_eq!(sql(&second, "SELECT word FROM kept"), "hélas");
    assert_eq!((second.port(), second.url("postgres")), (port, url));
    second.stop().await.unwrap();
}

#[tokio::test]
async fn a_durable_cluster_is_set_up_for_the_work() {
    let scratch = scratch().unwrap();
    let mut options = PostgresOptions::new(scratch.path().join("pg"));
    options.settings.push(("work_mem".into(), "9MB".into()));
    let postgres = Postgres::start(options).await.unwrap();
    let setting = |name: &str| sql(&postgres, &format!("SHOW {name}"));
    assert_eq!(setting("fsync"), "on");
    assert_eq!(setting("max_connections"), "100");
    assert_eq!(setting("max_locks_per_transaction"), "128");
    assert_eq!(setting("work_mem"), "9MB");
    assert_eq!(setting("server_encoding"), "UTF8");
    assert_eq!(sql(&postgres, "SELECT upper('été') || ('Z' < 'a')::text"), "ÉTÉtrue");
    assert_eq!(psql(&postgres.socket_url("postgres"), "SHOW fsync").unwrap(), "on");
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_password_is_asked_for() {
    let scratch = scratch().unwrap();
    let postgres = Postgres::start(PostgresOptions::ephemeral(scratch.path().join("pg"))).await.unwrap();
    let refused = psql(&postgres.url_as("postgres", "wrong", "postgres"), "SELECT 1").unwrap_err();
    assert!(refused.contains("password authentication failed"), "{refused}");
    assert!(!format!("{postgres:?}").contains(postgres.password()));
    postgres.remove().await.unwrap();
}

#[tokio::test]
async fn two_at_once_do_not_collide() {
    let scratch = scratch().unwrap();
    let start = |name: &str| Postgres::start(PostgresOptions::ephemeral(scratch.path().join(name)));
    let (one, two) = tokio::join!(start("one"), start("two"));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_ne!(one.port(), two.port());
    sql(&one, "CREATE TABLE only_here ()");
    assert!(psql(&two.url("postgres"), "SELECT FROM only_here").is_err());
    one.stop().await.unwrap();
    two.stop().await.unwrap();
}

#[tokio::test]
async fn a_second_program_is_refused() {
    let scratch = scratch().unwrap();
    let options = PostgresOptions::ephemeral(scratch.path().join("pg"));
    let first = Postgres::start(options.clone()).await.unwrap();
    let second = Postgres::start(options).await;
    assert!(matches!(second, Err(ClusterError::InUse { .. })), "{second:?}");
    assert_eq!(sql(&first, "SELECT 1"), "1");
    first.stop().await.unwrap();
}

#[tokio::test]
async fn a_taken_port_is_named_or_avoided() {
    let scratch = scratch().unwrap();
    let options = PostgresOptions::ephemeral(scratch.path().join("pg"));
    let first = Postgres::start(options.clone()).await.unwrap();
    let port = first.port();
    first.stop().await.unwrap();

    let stranger = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let refused = Postgres::start(PostgresOptions { port: Some(port), ..options.clone() }).await;
    assert!(matches!(refused, Err(ClusterError::PortTaken { port: taken }) if taken == port), "{refused:?}");
    let elsewhere = Postgres::start(options).await.unwrap();
    assert_ne!(elsewhere.port(), port);
    elsewhere.stop().await.unwrap();
    drop(stranger);
}

#[tokio::test]
async fn a_dropped_handle_stops_its_server() {
    let scratch = scratch().unwrap();
    let postgres = Postgres::start(PostgresOptions::ephemeral(scratch.path().join("pg"))).await.unwrap();
    let redis = Redis::start(RedisOptions::new(scratch.path().join("redis"))).await.unwrap();
    let pids = [postgres.pid(), redis.pid()];
    drop((postgres, redis));
    assert!(pids.into_iter().all(ends));
}

#[tokio::test]
async fn the_end_of_a_server_is_noticed() {
    let scratch = scratch().unwrap();
    let postgres = Postgres::start(PostgresOptions::ephemeral(scratch.path().join("pg"))).await.unwrap();
    support::kill(postgres.pid(), rustix::process::Signal::INT);
    assert!(postgres.ended().await.is_some_and(|status| status.success()));
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn redis_answers_and_leaves_nothing() {
    let scratch = scratch().unwrap();
    let redis = Redis::start(RedisOptions::new(scratch.path().join("redis"))).await.unwrap();
    assert!(redis.url().starts_with("redis://:"));
    let (pid, home) = (redis.pid(), redis.home().to_path_buf());
    redis.stop().await.unwrap();
    assert!(ends(pid));
    assert!(!home.exists());
}
