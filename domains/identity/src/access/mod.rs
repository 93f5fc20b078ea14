//! Word that somebody's access has changed, on whichever replica: who is concerned is looked up anew within a second.
//!
//! Triggers write a row for each change into `access_change`; [`service::watch`] reads them in every process. What was
//! looked up before a change is known to be older than it ([`Access::generation`]), and is never used again.

pub mod service;

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use kernel::{Actor, Company, Mode};
use tokio::sync::watch;
use uuid::Uuid;

/// So long it is remembered at least who was concerned: whoever is told that something has changed asks before.
const REMEMBERED: Duration = Duration::from_secs(5);

/// A change of somebody's access. Of neither a company nor a person: it may concern everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Change {
    /// The company in which it holds; none for a person's changes in all companies.
    pub company: Option<Uuid>,
    /// Whose access it is; none for a role, a key or the company itself.
    pub person: Option<Uuid>,
}

impl Change {
    /// What may concern everybody.
    pub const EVERYBODY: Self = Self { company: None, person: None };
}

/// What is concerned by some changes.
#[derive(Debug, Default)]
struct Concerned {
    everybody: bool,
    people: HashSet<Uuid>,
    companies: HashSet<Uuid>,
    /// Companies whose programs are: the access of who answers for one may have changed.
    programs: HashSet<Uuid>,
    all_programs: bool,
}

impl Concerned {
    fn note(&mut self, change: Change) {
        match (change.company, change.person) {
            (None, None) => self.everybody = true,
            (Some(company), None) => {
                self.companies.insert(company);
            }
            (company, Some(person)) => {
                self.people.insert(person);
                match company {
                    Some(company) => self.programs.insert(company),
                    None => !std::mem::replace(&mut self.all_programs, true),
                };
            }
        }
    }

    fn has(&self, company: &Company, actor: Actor) -> bool {
        self.everybody
            || self.companies.contains(&company.id)
            || match actor {
                // Whoever may not act in a company may not act in its twin.
                Actor::Person(person) => self.people.contains(&person),
                _ => {
                    self.all_programs
                        || self.programs.contains(&company.id)
                        || (company.mode == Mode::Test && !self.programs.is_empty())
                }
            }
    }
}

#[derive(Debug)]
struct Recent {
    since: Instant,
    now: Concerned,
    before: Concerned,
}

#[derive(Debug)]
struct Shared {
    generation: AtomicU64,
    recent: Mutex<Recent>,
    word: watch::Sender<u64>,
}

/// What this process knows of changes of access. Clones share it.
#[derive(Clone, Debug)]
pub struct Access(Arc<Shared>);

impl Default for Access {
    fn default() -> Self {
        let recent =
            Recent { since: Instant::now(), now: Concerned::default(), before: Concerned::default() };
        Self(Arc::new(Shared {
            generation: AtomicU64::new(0),
            recent: Mutex::new(recent),
            word: watch::Sender::new(0),
        }))
    }
}

impl Access {
    /// What is looked up now belongs to this generation, and is good as long as it is the newest. Ask before looking up.
    pub fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::Acquire)
    }

    /// Begins a new generation: nothing that was looked up before is used again.
    pub fn forget(&self) {
        self.0.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// Forgets, and tells who follows ([`Access::follow`]).
    pub fn tell(&self, changes: impl IntoIterator<Item = Change>) {
        {
            let mut recent = self.0.recent.lock().unwrap_or_else(PoisonError::into_inner);
            if recent.since.elapsed() > REMEMBERED {
                recent.before = std::mem::take(&mut recent.now);
                recent.since = Instant::now();
            }
            changes.into_iter().for_each(|change| recent.now.note(change));
        }
        self.forget();
        self.0.word.send_modify(|told| *told += 1);
    }

    /// Changes whenever somebody's access has; then [`Access::concerns`] says whose.
    pub fn follow(&self) -> watch::Receiver<u64> {
        self.0.word.subscribe()
    }

    /// Whether a change of the last seconds may concern who acts in a company.
    pub fn concerns(&self, company: &Company, actor: Actor) -> bool {
        let recent = self.0.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.now.has(company, actor) || recent.before.has(company, actor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn company(id: u128, mode: Mode) -> Company {
        Company {
            id: Uuid::from_u128(id),
            mode,
            currency: kernel::Currency::parse("EUR").expect("EUR"),
            zone: chrono_tz::Europe::Paris,
            locale: "fr".into(),
        }
    }

    const fn id(id: u128) -> Uuid {
        Uuid::from_u128(id)
    }

    #[test]
    fn a_change_concerns_whose_access_it_is_and_nobody_else() {
        let (a, b, twin) = (company(1, Mode::Live), company(2, Mode::Live), company(3, Mode::Test));
        let (ada, bob) = (Actor::Person(Uuid::from_u128(10)), Actor::Person(Uuid::from_u128(11)));
        let key = Actor::ApiKey(Uuid::from_u128(20));
        let all =
            [(&a, ada), (&a, bob), (&a, key), (&b, ada), (&b, bob), (&b, key), (&twin, ada), (&twin, key)];
        let concerned = |company, person| {
            let access = Access::default();
            access.tell([Change { company, person }]);
            all.map(|(company, actor)| access.concerns(company, actor))
        };
        // A member of one company: everywhere the person itself, there the programs that it may answer for, and those of
        // twins.
        assert_eq!(concerned(Some(id(1)), Some(id(10))), [true, false, true, true, false, false, true, true]);
        // A role, a key or the company.
        assert_eq!(concerned(Some(id(1)), None), [true, true, true, false, false, false, false, false]);
        // A person everywhere.
        assert_eq!(concerned(None, Some(id(11))), [false, true, true, false, true, true, false, true]);
        assert_eq!(concerned(None, None), [true; 8]);
        assert!(!Access::default().concerns(&a, ada));
    }

    #[test]
    fn what_was_looked_up_before_a_change_is_of_an_older_generation() {
        let access = Access::default();
        let (before, told) = (access.generation(), access.follow());
        access.tell([Change::EVERYBODY]);
        assert!(access.generation() > before);
        assert!(told.has_changed().expect("it is there"));
    }
}
