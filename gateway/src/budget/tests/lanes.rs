//! The gate is fair, work-conserving and bounded.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::budget::lanes::{Crowded, Lanes, Limits, Pass};

const A: Uuid = Uuid::from_u128(0xA);
const B: Uuid = Uuid::from_u128(0xB);
const C: Uuid = Uuid::from_u128(0xC);

fn gate(at_once: usize, queue: usize, wait_ms: u64) -> Lanes {
    let at_once = NonZeroUsize::new(at_once).expect("places");
    Lanes::new(Limits { at_once, queue, wait: Duration::from_millis(wait_ms) })
}

/// A request that waits, once it is in the queue.
async fn queue(gate: &Lanes, company: Uuid) -> JoinHandle<Result<Pass, Crowded>> {
    let (_, before) = gate.load();
    let waiting = tokio::spawn({
        let gate = gate.clone();
        async move { gate.enter(company).await }
    });
    while gate.load().1 == before && !waiting.is_finished() {
        tokio::task::yield_now().await;
    }
    waiting
}

/// Lets every task do what it can.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_company_alone_has_every_place() {
    let gate = gate(5, 10, 1000);
    let mut passes = Vec::new();
    for _ in 0..5 {
        passes.push(gate.enter(A).await.expect("a place"));
    }
    let waiting = queue(&gate, A).await;
    assert_eq!(gate.load(), (5, 1));
    passes.pop();
    settle().await;
    assert!(waiting.is_finished(), "no place is free while somebody waits");
}

#[tokio::test]
async fn whatever_one_company_queues_another_waits_for_one_completion() {
    for queued in [1, 10, 1000] {
        let gate = gate(4, 2000, 60_000);
        let mut running = Vec::new();
        for _ in 0..4 {
            running.push(gate.enter(A).await.expect("a place"));
        }
        let mut flood = Vec::new();
        for _ in 0..queued {
            flood.push(queue(&gate, A).await);
        }
        let other = queue(&gate, B).await;
        running.pop();
        settle().await;
        assert!(other.is_finished(), "with {queued} of A before it");
        assert_eq!(gate.load(), (4, queued), "and A got nothing of it");
    }
}

#[tokio::test]
async fn two_companies_that_flood_execute_alike() {
    let gate = gate(4, 500, 60_000);
    let done = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let mut tasks = Vec::new();
    // All of A's requests come before the first of B's.
    for (n, company) in [A, B].into_iter().enumerate() {
        for _ in 0..200 {
            let (gate, done) = (gate.clone(), done.clone());
            tasks.push(tokio::spawn(async move {
                let _pass = gate.enter(company).await.expect("a place");
                tokio::task::yield_now().await;
                let (own, other) = (&done[n], &done[1 - n]);
                own.fetch_add(1, Ordering::SeqCst);
                (n, own.load(Ordering::SeqCst), other.load(Ordering::SeqCst))
            }));
        }
    }
    let mut seen = Vec::new();
    for task in tasks {
        seen.push(task.await.expect("no panic"));
    }
    // When the last of B was done, A had not finished by more than its head start and one place a round.
    let last = seen.iter().filter(|(n, ..)| *n == 1).map(|(_, own, other)| (*own, *other)).max().expect("B");
    assert!(last.1 >= 190, "and A was not held back: {last:?}");
    let halfway = seen.iter().find(|(n, own, _)| *n == 1 && *own == 100).expect("B's hundredth");
    assert!(halfway.2 <= 110, "B had done 100 when A had done {}", halfway.2);
}

#[tokio::test]
async fn while_others_wait_a_company_holds_its_share_at_most() {
    let gate = gate(4, 100, 60_000);
    let mut a = Vec::new();
    for _ in 0..4 {
        a.push(gate.enter(A).await.expect("a place"));
    }
    let mut waiting = Vec::new();
    for company in [A, A, A, A, B, B, B, B] {
        waiting.push((company, queue(&gate, company).await));
    }
    a.clear();
    settle().await;
    let mut running = [0, 0];
    for (company, request) in &waiting {
        running[usize::from(*company == B)] += usize::from(request.is_finished());
    }
    assert_eq!(running, [2, 2]);
}

#[tokio::test]
async fn places_go_round_the_companies_that_wait() {
    let gate = gate(1, 100, 60_000);
    let first = gate.enter(C).await.expect("a place");
    let order = Arc::new(std::sync::Mutex::new(String::new()));
    let mut tasks = Vec::new();
    for (company, name) in [(A, 'a'), (A, 'a'), (A, 'a'), (B, 'b'), (B, 'b'), (C, 'c')] {
        let (inner, order) = (gate.clone(), order.clone());
        tasks.push(tokio::spawn(async move {
            let _pass = inner.enter(company).await.expect("a place");
            order.lock().expect("order").push(name);
        }));
        settle().await;
    }
    drop(first);
    for task in tasks {
        task.await.expect("no panic");
    }
    assert_eq!(*order.lock().expect("order"), "abcaba");
}

#[tokio::test]
async fn a_full_queue_refuses_its_own_company_only() {
    let gate = gate(1, 2, 5000);
    let _pass = gate.enter(A).await.expect("a place");
    let _waiting = [queue(&gate, A).await, queue(&gate, A).await];
    let refused = gate.enter(A).await.expect_err("full");
    assert_eq!(refused, Crowded::Queue { retry_after: Duration::from_secs(5) });
    let _other = queue(&gate, B).await;
    assert_eq!(gate.load(), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_the_bound_and_who_left_takes_no_place() {
    let gate = gate(1, 10, 2000);
    let pass = gate.enter(A).await.expect("a place");
    let late = queue(&gate, B).await;
    let refused = late.await.expect("no panic").expect_err("too long");
    assert_eq!(refused, Crowded::Wait { retry_after: Duration::from_secs(2) });
    assert_eq!(gate.load(), (1, 0));
    drop(pass);
    assert_eq!(gate.load(), (0, 0));
}

#[tokio::test]
async fn a_request_that_is_cancelled_gives_its_turn_on() {
    let gate = gate(1, 10, 60_000);
    let pass = gate.enter(A).await.expect("a place");
    let (gone, next) = (queue(&gate, B).await, queue(&gate, B).await);
    gone.abort();
    settle().await;
    assert_eq!(gate.load(), (1, 1));
    drop(pass);
    next.await.expect("no panic").map(drop).expect("its turn");
    // Called and not yet there: the place must not be lost with it.
    let pass = gate.enter(A).await.expect("a place");
    let called = queue(&gate, B).await;
    drop(pass);
    called.abort();
    settle().await;
    assert_eq!(gate.load(), (0, 0));
}

/// What happens at the gate: a company's request comes, one that executes ends, or one that waits gives up.
#[derive(Clone, Debug)]
enum Step {
    Come(u8),
    End(usize),
    GiveUp(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0_u8..4).prop_map(Step::Come),
        3 => (0_usize..100).prop_map(Step::End),
        1 => (0_usize..100).prop_map(Step::GiveUp),
    ];
    prop::collection::vec(step, 1..120)
}

/// A company's requests at a gate: those that execute have finished waiting.
struct Model {
    gate: Lanes,
    requests: Vec<(u8, JoinHandle<Result<Pass, Crowded>>)>,
}

impl Model {
    fn come(&mut self, company: u8) {
        let (gate, id) = (self.gate.clone(), Uuid::from_u128(company.into()));
        self.requests.push((company, tokio::spawn(async move { gate.enter(id).await })));
    }

    /// Ends the n-th of those that execute, or of those that wait.
    async fn end(&mut self, n: usize, executes: bool) {
        let those: Vec<usize> =
            (0..self.requests.len()).filter(|i| self.requests[*i].1.is_finished() == executes).collect();
        if !those.is_empty() {
            let (_, request) = self.requests.remove(those[n % those.len()]);
            request.abort();
            drop(request.await);
        }
    }

    fn executing(&self) -> Vec<bool> {
        self.requests.iter().map(|(_, request)| request.is_finished()).collect()
    }

    /// After one completion: whose request was called, if it held its share already while another company waited.
    fn greedy(&self, before: &[bool], share: usize) -> Option<u8> {
        let called = (0..before.len()).find(|i| self.executing()[*i] && !before[*i])?;
        let winner = self.requests[called].0;
        let was = |executes: bool| {
            let those = self.requests.iter().zip(before).filter(move |(_, before)| **before == executes);
            those.map(|((company, _), _)| *company)
        };
        let held = was(true).filter(|company| *company == winner).count();
        (held >= share && was(false).any(|company| company != winner)).then_some(winner)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_ends_and_gives_up_places_are_used_and_shared(steps in steps(), at_once in 1_usize..6) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
        runtime.block_on(async {
            let mut model = Model { gate: gate(at_once, 1000, 600_000), requests: Vec::new() };
            for step in steps {
                match step {
                    Step::Come(company) => model.come(company),
                    Step::GiveUp(n) => model.end(n, false).await,
                    Step::End(n) => {
                        // Without the one that ends: it is the only one that changes place in the list.
                        model.end(n, true).await;
                        let before = model.executing();
                        settle().await;
                        prop_assert_eq!(model.greedy(&before, at_once.div_ceil(2)), None);
                    }
                }
                settle().await;
                let executing = model.executing().into_iter().filter(|executes| *executes).count();
                let waiting = model.requests.len() - executing;
                prop_assert_eq!(model.gate.load(), (executing, waiting));
                prop_assert!(executing <= at_once);
                prop_assert!(waiting == 0 || executing == at_once, "a place is free and {} wait", waiting);
            }
            Ok(())
        })?;
    }
}
