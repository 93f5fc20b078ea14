//! Definitions of a company's own: filled from history beside the writers, exact at every step, and switched at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use kernel::filler;
use kpi::definition::service::{self, NewKpi};
use kpi::definition::versions::{VersionState, versions};
use kpi::definition::{MeasureDraft, SpecDraft};
use kpi::{Condition, Error, Figure, Freshness, Grain, Window};
use testing::TestDb;
use uuid::Uuid;

use crate::random::{aimless, draft};
use crate::support::{Firm, Sale, current, firm, folded, sell_in, write};
use crate::work::{Dice, act};

pub(crate) fn new(key: &str, spec: SpecDraft) -> NewKpi {
    NewKpi {
        key: key.to_owned(),
        label_fr: key.to_owned(),
        label_en: key.to_owned(),
        description_fr: String::new(),
        description_en: String::new(),
        spec,
        goal: aimless(),
        owner: None,
    }
}

pub(crate) async fn create(firm: &Firm, key: &str, spec: SpecDraft) -> Result<Uuid, Error> {
    let new = new(key, spec);
    firm.scope.write(move |tx| Box::pin(service::create(tx, new.clone()))).await
}

async fn redefine(firm: &Firm, id: Uuid, spec: SpecDraft, version: i32) -> Result<Uuid, Error> {
    firm.scope.write(move |tx| Box::pin(service::redefine(tx, id, spec.clone(), version))).await
}

/// One round of the worker.
pub(crate) async fn round(test: &TestDb, firm: &Firm, step: i64) -> bool {
    let round = filler::advance(&test.db, &test.clock, step).await.expect("advanced");
    for filler::Filled { company, kpi, version } in round.filled.clone() {
        if company == firm.scope.company().id {
            let switched = firm.scope.write(move |tx| Box::pin(service::switch_in(tx, kpi, version))).await;
            switched.expect("switched or not wanted any more");
        }
    }
    round.more || !round.filled.is_empty()
}

/// Rounds until nothing is left to fill, to switch and to sweep.
pub(crate) async fn fill(test: &TestDb, firm: &Firm) {
    while round(test, firm, filler::STEP).await {}
}

/// Net of the month, to this customer alone: the cube's own rollup keeps no customers.
pub(crate) fn of_customer(customer: Uuid) -> SpecDraft {
    SpecDraft {
        cube: "invoice.issued".to_owned(),
        filter: vec![Condition::any_of("customer", [customer.to_string()])],
        measure: MeasureDraft::Sum("net".to_owned()),
        window: Window::Calendar { period: Grain::Year, to_date: false },
        dimensions: Vec::new(),
    }
}

fn without_customer(customer: Uuid) -> SpecDraft {
    let filter = vec![Condition::none_of("customer", [customer.to_string()])];
    SpecDraft { filter, ..of_customer(customer) }
}

fn plain(figures: Vec<Figure>) -> Vec<Figure> {
    figures.into_iter().map(|figure| Figure { revision: 0, ..figure }).collect()
}

/// In one snapshot: every figure equals its recomputation, and every cell that is kept its facts.
async fn check(firm: &Firm, settled: bool) -> Vec<Figure> {
    let tx = firm.scope.read().await.expect("snapshot");
    let current = plain(kpi::values(&tx, None, Freshness::Current).await.expect("current").1);
    let recomputed = kpi::recompute(&tx, None).await.expect("recomputed");
    for (current, recomputed) in current.iter().zip(&recomputed) {
        assert_eq!(current, recomputed, "{:?}", current.spec);
    }
    assert_eq!(current.len(), recomputed.len());
    assert_eq!(kpi::audit(&tx).await.expect("audited"), [], "every cell equals its facts");
    if settled {
        let folded = plain(kpi::values(&tx, None, Freshness::AtRevision).await.expect("folded").1);
        assert_eq!(folded, recomputed, "settled cells equal the recomputation");
    }
    tx.end().await;
    current
}

async fn slices(firm: &Firm, state: &str) -> i64 {
    let tx = firm.scope.read().await.expect("snapshot");
    let text = "SELECT count(*) FROM kpi_slice WHERE state = $1";
    let counted: Option<(i64,)> = tx.tuple(text, [state.into()]).await.expect("counted");
    tx.end().await;
    counted.map_or(0, |(count,)| count)
}

/// Makes, redefines, withdraws or archives a definition.
async fn define(firm: &Firm, dice: &mut Dice, made: &mut Vec<Uuid>, n: u64) {
    let spec = draft(dice, firm.ids.party);
    let known =
        (!made.is_empty()).then(|| made[usize::try_from(dice.roll(made.len() as u64)).expect("small")]);
    let Some(id) = known.filter(|_| dice.roll(3) > 0) else {
        match create(firm, &format!("random_{n}"), spec).await {
            Ok(id) => made.push(id),
            Err(Error::Limit { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        return;
    };
    let tx = firm.scope.read().await.expect("snapshot");
    let definition = kpi::by_id(&tx, id).await.expect("read");
    let pending = versions(&tx, &[id]).await.expect("versions");
    tx.end().await;
    let Some(definition) = definition else { return };
    let version = definition.version;
    let done = match dice.roll(8) {
        0 => firm.scope.write(move |tx| Box::pin(service::archive(tx, id, version))).await,
        1 => {
            let number = pending.first().map_or(1, |newest| newest.number);
            firm.scope.write(move |tx| Box::pin(service::withdraw(tx, id, number))).await
        }
        _ => redefine(firm, id, spec, version).await,
    };
    match done {
        // Another unit, nothing to withdraw, or switched meanwhile.
        Ok(_) | Err(Error::Invalid { .. } | Error::Conflict { .. } | Error::Limit { .. }) => {}
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn random_definitions_equal_their_recomputation_whatever_runs_beside() {
    let test = Arc::new(TestDb::with_connections(16).await);
    let firm = firm(&test).await;
    let over = Arc::new(AtomicBool::new(false));
    let mut beside = Vec::new();
    for _ in 0..2 {
        let (filling, stop) = (test.clone(), over.clone());
        let (test, over) = (test.clone(), over.clone());
        beside.push(tokio::spawn(async move {
            while !over.load(Ordering::Relaxed) {
                kernel::folder::fold_pending(&test.db).await.expect("folded");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }));
        let (test, over, firm) = (filling.clone(), stop.clone(), firm.clone());
        beside.push(tokio::spawn(async move {
            while !over.load(Ordering::Relaxed) {
                round(&test, &firm, 15).await;
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }));
    }
    let checks = Arc::new(AtomicU64::new(0));
    let checker = {
        let (firm, over, checks) = (firm.clone(), over.clone(), checks.clone());
        tokio::spawn(async move {
            while !over.load(Ordering::Relaxed) {
                check(&firm, false).await;
                checks.fetch_add(1, Ordering::Relaxed);
            }
        })
    };
    let workers: Vec<_> = (0..4_u64)
        .map(|worker| {
            let (firm, over) = (firm.clone(), over.clone());
            tokio::spawn(async move {
                let mut dice = Dice(worker * 6271 + 3);
                for _ in 0..150 {
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                    act(&firm, Dice(dice.roll(1 << 30))).await;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            })
        })
        .collect();
    let mut dice = Dice(20_260_615);
    let mut made = Vec::new();
    for n in 0.. {
        define(&firm, &mut dice, &mut made, n).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        if n >= 80 && checks.load(Ordering::Relaxed) > 8 || checker.is_finished() {
            break;
        }
    }
    over.store(true, Ordering::Relaxed);
    for worker in workers {
        worker.await.expect("worker");
    }
    for task in beside {
        task.await.expect("beside");
    }
    checker.await.expect("checker");
    test.settle().await;
    fill(&test, &firm).await;
    test.settle().await;
    let figures = check(&firm, true).await;
    let sliced = figures.iter().filter(|figure| figure.spec.slices.own.is_some()).count();
    assert!(sliced > 5 && figures.len() > sliced + 10, "{sliced} sliced of {}", figures.len());
    assert_eq!(slices(&firm, "retired").await, 0, "what is over is swept");
    past_days(&firm, &figures).await;
}

/// At past days, too, and for each value of a dimension.
async fn past_days(firm: &Firm, figures: &[Figure]) {
    let tx = firm.scope.read().await.expect("snapshot");
    let mut dice = Dice(99);
    for figure in figures {
        let key = &figure.definition.key;
        let day = testing::day("2026-01-15") + chrono::Days::new(dice.roll(150));
        if let Some(at) = kpi::at_day(&tx, key, day).await.expect("as of") {
            let recomputed =
                kpi::recompute_on(&tx, Some(std::slice::from_ref(key)), day).await.expect("recomputed");
            assert_eq!(at.value, recomputed[0].value, "{key} as of {day}: {:?}", figure.spec);
        }
        let spark = kpi::sparkline(&tx, key, 5, Grain::Day).await.expect("sparkline");
        if figure.spec.history() == kpi::HistoryMeaning::AsOfDay {
            assert_eq!(
                spark.last().map(|point| &point.value),
                Some(&figure.value),
                "{key}: {:?}",
                figure.spec
            );
        }
        for dimension in &figure.spec.dimensions {
            let series = kpi::series(&tx, key, dimension, 1, (None, None)).await.expect("series");
            let parts = series.items.iter().map(|item| &item.comes_to).chain(series.other.iter());
            let records: i64 = parts.map(|value| value.records).sum();
            assert_eq!(records, figure.value.records, "{key} by {dimension}: {:?}", figure.spec);
        }
        kpi::comparison(&tx, key).await.expect("compared");
    }
    tx.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn filling_is_exact_at_every_step_and_goes_on_where_it_ended() {
    let test = TestDb::with_connections(12).await;
    let firm = firm(&test).await;
    let mut dice = Dice(5);
    for _ in 0..150 {
        act(&firm, Dice(dice.roll(1 << 30))).await;
    }
    test.settle().await;
    let id = create(&firm, "of_customer", of_customer(firm.ids.party)).await.expect("created");
    let over = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..2_u64)
        .map(|worker| {
            let (firm, over) = (firm.clone(), over.clone());
            tokio::spawn(async move {
                let mut dice = Dice(worker + 77);
                while !over.load(Ordering::Relaxed) {
                    act(&firm, Dice(dice.roll(1 << 30))).await;
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            })
        })
        .collect();
    let mut frontiers = Vec::new();
    loop {
        // Each call could be another process: nothing but the database knows how far it is.
        let more = round(&test, &firm, 6).await;
        check(&firm, false).await;
        kernel::folder::fold_pending(&test.db).await.expect("folded");
        check(&firm, false).await;
        let tx = firm.scope.read().await.expect("snapshot");
        let frontier =
            "SELECT filled_to, facts_done, coalesce(facts_total, 0) FROM kpi_slice WHERE kpi_id = $1";
        let at: Option<(chrono::NaiveDate, i64, i64)> =
            tx.tuple(frontier, [id.into()]).await.expect("frontier");
        let progress = versions(&tx, &[id]).await.expect("versions")[0].progress;
        tx.end().await;
        frontiers.push((at.expect("a slice"), progress));
        if !more {
            break;
        }
    }
    over.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.expect("writer");
    }
    let steps: std::collections::BTreeSet<_> = frontiers.iter().map(|((to, ..), _)| *to).collect();
    assert!(steps.len() > 4, "it took steps: {frontiers:?}");
    assert!(frontiers.is_sorted_by_key(|((to, ..), _)| *to), "a frontier never goes back: {frontiers:?}");
    assert!(frontiers.is_sorted_by_key(|(_, progress)| *progress), "neither does progress: {frontiers:?}");
    test.settle().await;
    let figures = check(&firm, true).await;
    assert!(figures.iter().any(|figure| figure.definition.id == id), "it is live");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_replicas_fill_once() {
    let test = Arc::new(TestDb::with_connections(12).await);
    let firm = firm(&test).await;
    let ids = firm.ids;
    for day in 10..29_u32 {
        let on = testing::day(&format!("2026-05-{day}"));
        let sale = Sale { issued: on, due: on, ..Sale::invoice("2026-05-01", "2026-05-01", 100) };
        write!(firm.scope, |tx| sell_in(tx, ids, sale));
    }
    test.settle().await;
    create(&firm, "of_customer", of_customer(ids.party)).await.expect("created");
    let replicas: Vec<_> = (0..4)
        .map(|_| {
            let (test, firm) = (test.clone(), firm.clone());
            tokio::spawn(async move {
                for _ in 0..40 {
                    round(&test, &firm, 1).await;
                }
            })
        })
        .collect();
    for replica in replicas {
        replica.await.expect("replica");
    }
    fill(&test, &firm).await;
    let figure = current(&firm, "of_customer").await;
    assert_eq!((figure.value.records, figure.value.amounts[0].money.minor), (19, 1900));
    check(&firm, false).await;
    let tx = firm.scope.read().await.expect("snapshot");
    let events = kernel::event::page(&tx, None, None, 50).await.expect("events");
    assert_eq!(events.iter().filter(|event| event.kind == "kpi.switched").count(), 1, "and switch once");
}

#[tokio::test]
async fn a_redefined_figure_switches_at_once() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let ids = firm.ids;
    for day in 10..29_u32 {
        let on = testing::day(&format!("2026-05-{day}"));
        let sale = Sale { issued: on, due: on, ..Sale::invoice("2026-05-01", "2026-05-01", 100) };
        write!(firm.scope, |tx| sell_in(tx, ids, sale));
    }
    test.settle().await;
    let id = create(&firm, "mine", of_customer(ids.party)).await.expect("created");
    let keys = [String::from("mine")];
    let tx = firm.scope.read().await.expect("snapshot");
    let unread = kpi::values(&tx, Some(&keys), Freshness::Current).await;
    assert!(matches!(unread, Err(Error::NotFound { .. })), "there is no figure before there is one");
    tx.end().await;
    fill(&test, &firm).await;
    test.settle().await;
    let before = folded(&firm, "mine").await;
    assert_eq!((before.definition.spec_version, before.value.records), (1, 19));
    redefine(&firm, id, without_customer(ids.party), before.definition.version).await.expect("redefined");
    let mut rounds = 0;
    loop {
        let figure = current(&firm, "mine").await;
        if figure.definition.spec_version == 2 {
            break;
        }
        assert_eq!((figure.value, &figure.spec), (before.value.clone(), &before.spec), "nothing in between");
        assert!(rounds < 100, "it never switches");
        rounds += 1;
        round(&test, &firm, 2).await;
        test.settle().await;
    }
    assert!(rounds > 5, "it took steps");
    let after = current(&firm, "mine").await;
    assert_eq!((after.value.records, after.value.amounts.len()), (0, 0), "all are to this customer");
    test.settle().await;
    let pushed = folded(&firm, "mine").await;
    assert!(pushed.revision > before.revision, "the revision tells of the switch");
    let tx = firm.scope.read().await.expect("snapshot");
    let states: Vec<_> =
        versions(&tx, &[id]).await.expect("versions").iter().map(|v| (v.number, v.state)).collect();
    assert_eq!(states, [(2, VersionState::Live), (1, VersionState::Replaced)]);
    tx.end().await;
    fill(&test, &firm).await;
    let tx = firm.scope.read().await.expect("snapshot");
    let cells = "SELECT count(*) FROM kpi_rollup WHERE cube LIKE 'slice:%'";
    assert_eq!(tx.tuple::<(i64,)>(cells, []).await.expect("counted"), Some((0,)), "old cells are swept");
    tx.end().await;
    check(&firm, true).await;
}

/// A slice that is filled in steps, with sales before and beyond its frontier, folded and not: what of it is wrong.
async fn step_by_step(test: &TestDb, firm: &Firm) -> usize {
    let ids = firm.ids;
    let days: Vec<String> = (10..29).map(|day| format!("2026-05-{day}")).collect();
    let sale = |day: &str| Sale { issued: testing::day(day), ..Sale::invoice(day, "2026-07-01", 100) };
    for day in &days {
        let sale = sale(day);
        write!(firm.scope, |tx| sell_in(tx, ids, sale));
    }
    test.settle().await;
    create(firm, "of_customer", of_customer(ids.party)).await.expect("created");
    let mut wrong = 0;
    for n in 0..4 {
        for day in [&days[0], &days[18 - n]] {
            let sale = sale(day);
            write!(firm.scope, |tx| sell_in(tx, ids, sale));
        }
        // What is there already is never filled over: the step fails, and is seen too.
        wrong += usize::from(filler::advance(&test.db, &test.clock, 5).await.is_err());
        for fold in [false, true] {
            if fold {
                kernel::folder::fold_pending(&test.db).await.expect("folded");
            }
            let tx = firm.scope.read().await.expect("snapshot");
            wrong += kpi::audit(&tx).await.expect("audited").len();
            tx.end().await;
        }
    }
    wrong
}

#[tokio::test]
async fn a_step_that_is_wrong_would_be_seen() {
    for (function, right, wrong) in [
        ("fill_slice", "-d.count, -d.sum1, -d.sum2", "0::bigint, 0::bigint, 0::bigint"),
        ("fold_deltas", "AND t.day <= s.filled_to", ""),
        ("fold_deltas", "s.state <> 'retired'", "false"),
        ("", "", ""),
    ] {
        let test = TestDb::new().await;
        let firm = firm(&test).await;
        if !function.is_empty() {
            let mut owner = test.superuser().await;
            let source = "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = $1";
            let body: String =
                sqlx::query_scalar(source).bind(function).fetch_one(&mut owner).await.expect("body");
            assert!(body.contains(right), "{function}");
            let body = sqlx::AssertSqlSafe(body.replace(right, wrong));
            sqlx::raw_sql(body).execute(&mut owner).await.expect("planted");
        }
        let found = step_by_step(&test, &firm).await;
        assert_eq!(found > 0, !function.is_empty(), "{function} without `{right}`: {found} wrong cells");
    }
}
