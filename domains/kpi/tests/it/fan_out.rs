//! One reader a company and process, however many follow: what it costs, when it ends, and what it does when
//! something goes wrong.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use kernel::Db;
use kernel::db::DbOptions;
use kernel::hint::Hints;
use kpi::{Error, Hub, Watch};
use testing::TestDb;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::following::{fold, hub, keys, sell, soon, watch};
use crate::support::{BY_A_SALE, Firm, KEYS, amounts, firm};

/// How many transactions a database has seen, once its pools are closed.
async fn transactions(test: TestDb) -> i64 {
    test.db.close().await;
    let mut all = test.superuser().await;
    loop {
        let others: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .fetch_one(&mut all)
        .await
        .expect("pg_stat_activity");
        if others == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let count = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()";
    sqlx::query_scalar(count).fetch_one(&mut all).await.expect("pg_stat_database")
}

/// The transactions of a company's life with so many readers, of whom each is told each of so many revisions.
async fn cost(readers: usize, revisions: i64) -> i64 {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    test.settle().await;
    let hints = Hints::local();
    let hub = hub(&test, &hints);
    let mut watches: Vec<Watch> = (0..readers).map(|_| watch(&hub, &firm.scope, None, None)).collect();
    join_all(watches.iter_mut().map(soon)).await;
    for sold in 1..=revisions {
        sell(&firm).await;
        fold(&test, &hints).await;
        for push in join_all(watches.iter_mut().map(soon)).await {
            assert_eq!(amounts(&push.figures[0]), [("EUR", sold * 10_000)]);
        }
    }
    drop((watches, hub));
    transactions(test).await
}

#[tokio::test]
async fn two_hundred_readers_cost_the_database_no_more_than_one() {
    let (one, many) = (cost(1, 15).await, cost(200, 15).await);
    // The sweep makes one a second, and the runs differ in length by a little.
    assert!((many - one).abs() <= 8, "{one} transactions for one reader, {many} for 200");
}

#[tokio::test]
async fn readers_share_the_figures_and_an_idle_one_holds_little() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let hub = hub(&test, &Hints::local());
    let (mut one, mut other) = (watch(&hub, &firm.scope, None, None), watch(&hub, &firm.scope, None, None));
    let (told, told_too) = (soon(&mut one).await, soon(&mut other).await);
    assert!(told.figures.iter().zip(&told_too.figures).all(|(figure, same)| Arc::ptr_eq(figure, same)));
    assert_eq!(told.figures.len(), KEYS.len());
    assert!(size_of::<Watch>() <= 256, "{} bytes", size_of::<Watch>());
    let idle = size_of_val(&one.next());
    assert!(idle <= 1536, "{idle} bytes");
}

#[tokio::test]
async fn a_company_is_read_for_as_long_as_somebody_follows() {
    let test = TestDb::new().await;
    let firms = [firm(&test).await, firm(&test).await];
    let hub = hub(&test, &Hints::local());
    let mut one = watch(&hub, &firms[0].scope, None, None);
    let mut same = watch(&hub, &firms[0].scope, None, None);
    let mut other = watch(&hub, &firms[1].scope, None, None);
    for watch in [&mut one, &mut same, &mut other] {
        soon(watch).await;
    }
    assert_eq!(hub.following(), 2);
    drop(one);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(hub.following(), 2);
    drop(same);
    follows(&hub, 1).await;
    drop(other);
    follows(&hub, 0).await;
    assert_eq!(keys(&soon(&mut watch(&hub, &firms[0].scope, None, None)).await), KEYS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_comes_while_the_last_one_leaves_is_told() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let hub = hub(&test, &Hints::local());
    let comes_and_goes = || {
        let (hub, scope) = (hub.clone(), firm.scope.clone());
        tokio::spawn(async move {
            for turn in 0_u32..30_000 {
                let mut watch = watch(&hub, &scope, None, None);
                if turn.is_multiple_of(200) {
                    assert_eq!(keys(&soon(&mut watch).await), KEYS);
                }
                drop(watch);
                tokio::task::yield_now().await;
            }
        })
    };
    let all: Vec<_> = (0..3).map(|_| comes_and_goes()).collect();
    for one in all {
        one.await.expect("told each time");
    }
    follows(&hub, 0).await;
}

async fn follows(hub: &Hub, companies: usize) {
    let end = Instant::now() + Duration::from_secs(5);
    while hub.following() != companies {
        assert!(Instant::now() < end, "{} companies followed", hub.following());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn what_one_replica_folds_the_readers_of_another_are_told_over_redis() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    test.settle().await;
    let url = testing::redis_url();
    let (own, others) = (Hints::over_redis(&url).expect("a URL"), Hints::over_redis(&url).expect("a URL"));
    let (here, there) = (hub(&test, &own), hub(&test, &others));
    let mut watches = [watch(&here, &firm.scope, None, None), watch(&there, &firm.scope, None, None)];
    for watch in &mut watches {
        soon(watch).await;
    }
    let mut waits = Vec::new();
    for sold in 1..=9 {
        sell(&firm).await;
        let folded = Instant::now();
        fold(&test, &own).await;
        for watch in &mut watches {
            assert_eq!(amounts(&soon(watch).await.figures[0]), [("EUR", sold * 10_000)]);
        }
        waits.push(folded.elapsed());
        // At another moment of the sweep's second each time.
        tokio::time::sleep(Duration::from_millis(60 + 37 * u64::try_from(sold).expect("small"))).await;
    }
    waits.sort_unstable();
    assert!(waits[6] < Duration::from_millis(250), "a sweep would find half of them later: {waits:?}");
}

async fn set_revision(test: &TestDb, firm: &Firm, change: i64) {
    sqlx::query("UPDATE kpi_head SET revision = revision + $2 WHERE tenant_id = $1")
        .bind(firm.scope.company().id)
        .bind(change)
        .execute(&mut test.superuser().await)
        .await
        .expect("a revision");
}

#[tokio::test]
async fn a_revision_that_goes_back_is_a_gap_for_everybody() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    test.settle().await;
    set_revision(&test, &firm, 1000).await;
    let hints = Hints::local();
    let hub = hub(&test, &hints);
    let mut all = watch(&hub, &firm.scope, None, None);
    let mut one = watch(&hub, &firm.scope, Some(vec!["bills_waiting".to_owned()]), None);
    let mut slow = watch(&hub, &firm.scope, None, None);
    let before = soon(&mut all).await.revision;
    soon(&mut one).await;
    soon(&mut slow).await;
    // As after a restore from a backup.
    set_revision(&test, &firm, -500).await;
    let told = soon(&mut all).await;
    assert_eq!(
        (told.revision, told.gap, told.snapshot, keys(&told)),
        (before - 500, true, true, KEYS.to_vec())
    );
    let told = soon(&mut one).await;
    assert_eq!((told.gap, told.snapshot, keys(&told)), (true, true, vec!["bills_waiting"]));
    sell(&firm).await;
    fold(&test, &hints).await;
    let told = soon(&mut all).await;
    assert_eq!((told.gap, keys(&told)), (false, BY_A_SALE.to_vec()));
    // Who did not look in between is not told less for that, whatever the revision has grown to since.
    set_revision(&test, &firm, 600).await;
    tokio::time::sleep(Duration::from_millis(1200)).await;
    let told = soon(&mut slow).await;
    assert_eq!((told.revision, told.gap, told.snapshot), (before + 101, true, true));
    assert_eq!(amounts(&told.figures[0]), [("EUR", 10_000)]);
}

#[tokio::test]
async fn a_hint_that_does_not_come_true_costs_one_look_and_stops_no_other() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    test.settle().await;
    let hints = Hints::local();
    let hub = hub(&test, &hints);
    let mut watch = watch(&hub, &firm.scope, None, None);
    soon(&mut watch).await;
    hints.tell((firm.scope.company().id, i64::MAX));
    tokio::time::sleep(Duration::from_millis(1200)).await;
    sell(&firm).await;
    let folded = Instant::now();
    fold(&test, &hints).await;
    soon(&mut watch).await;
    let first = folded.elapsed();
    tokio::time::sleep(Duration::from_millis(330)).await;
    sell(&firm).await;
    let folded = Instant::now();
    fold(&test, &hints).await;
    soon(&mut watch).await;
    // The sweep finds one of the two within this time, but not both.
    assert!(first + folded.elapsed() < Duration::from_millis(600), "{first:?} and {:?}", folded.elapsed());
    drop((watch, hub));
    let count = transactions(test).await;
    assert!(count < 40, "{count} transactions: it is looked for again and again");
}

#[tokio::test]
async fn what_cannot_be_read_is_a_fault_for_who_follows_and_is_tried_again() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    test.settle().await;
    let hints = Hints::local();
    let mut watch = watch(&hub(&test, &hints), &firm.scope, None, None);
    soon(&mut watch).await;
    let mut all = test.superuser().await;
    let mut damage = async |parameters: &'static str| {
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("UPDATE kpi_definition SET parameters = {parameters}")))
            .execute(&mut all)
            .await
            .expect("parameters");
    };
    damage("jsonb_build_object('broken', parameters)").await;
    sell(&firm).await;
    fold(&test, &hints).await;
    let fault = tokio::time::timeout(Duration::from_secs(5), watch.next()).await.expect("soon");
    assert!(matches!(fault, Err(Error::Fault(_))), "{fault:?}");
    damage("parameters -> 'broken'").await;
    let mut told = tokio::time::timeout(Duration::from_secs(5), watch.next()).await.expect("soon");
    if told.is_err() {
        told = tokio::time::timeout(Duration::from_secs(5), watch.next()).await.expect("soon");
    }
    assert_eq!(keys(&told.expect("read again").expect("a reader")), BY_A_SALE);
}

/// A wire to PostgreSQL that is cut while the value is `true`; its port.
async fn wire(target: String, cut: watch::Receiver<bool>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let (target, mut cut) = (target.clone(), cut.clone());
            tokio::spawn(async move {
                if *cut.borrow() {
                    return;
                }
                let mut server = TcpStream::connect(target).await.expect("PostgreSQL");
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                    _ = cut.wait_for(|cut| *cut) => {}
                }
            });
        }
    });
    port
}

#[tokio::test]
async fn a_database_that_is_away_is_waited_for() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    test.settle().await;
    let (cut, is_cut) = watch::channel(false);
    let host = test.url("coulisse_server");
    let host = host.split(['@', '/']).nth(3).expect("host and port").to_owned();
    let port = wire(host.clone(), is_cut).await;
    let over = |role: &str| test.url(role).replace(&host, &format!("127.0.0.1:{port}"));
    let db = Db::connect(&DbOptions {
        server_url: over("coulisse_server"),
        worker_url: over("coulisse_worker"),
        connections: 2,
        prepared_statements: true,
    });
    let hints = Hints::local();
    let hub = Hub::new(db.expect("pools"), test.vault.clone(), test.clock.clone(), hints.clone());
    let mut reads = watch(&hub, &firm.scope, None, None);
    soon(&mut reads).await;
    cut.send_replace(true);
    sell(&firm).await;
    fold(&test, &hints).await;
    let mut comes = watch(&hub, &firm.scope, None, Some(1_000_000));
    for watch in [&mut reads, &mut comes] {
        let waits = tokio::time::timeout(Duration::from_millis(1500), watch.next()).await;
        assert!(waits.is_err(), "{waits:?}");
    }
    cut.send_replace(false);
    assert_eq!(keys(&soon(&mut reads).await), BY_A_SALE);
    assert!(soon(&mut comes).await.gap, "told once it is known, not before");
}
