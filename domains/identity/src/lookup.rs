//! Look-ups of many tokens that share statements: what is asked for while a statement runs goes into the next one.
//! Planning the statement costs twenty times of what one token in it costs.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kernel::Fault;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

/// The shortest time between the beginnings of two statements. Who asks while nobody else does never waits for it.
const PACE: Duration = Duration::from_millis(5);

/// Most tokens of one statement.
const AT_ONCE: usize = 500;

/// A row, with the place (from 1) of its token among those that were asked for.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Placed<T> {
    place: i64,
    #[sqlx(flatten)]
    row: T,
}

type Answer<T> = oneshot::Sender<Result<Option<T>, Fault>>;

struct Queue<T> {
    waiting: Vec<(Vec<u8>, Answer<T>)>,
    /// Whether somebody is reading what waits.
    read: bool,
}

/// Look-ups of one kind of token. Cheap to clone; clones share it.
pub(crate) struct Lookups<T>(Arc<Mutex<Queue<T>>>);

impl<T> Clone for Lookups<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Default for Lookups<T> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Queue { waiting: Vec::new(), read: false })))
    }
}

impl<T> fmt::Debug for Lookups<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookups").finish_non_exhaustive()
    }
}

impl<T: Send + 'static> Lookups<T> {
    /// The row of a token's hash. `statement` reads the rows of many.
    pub(crate) async fn find<F, Fut>(&self, hash: Vec<u8>, statement: F) -> Result<Option<T>, Fault>
    where
        F: Fn(Vec<Vec<u8>>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<Vec<Placed<T>>, Fault>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let first = {
            let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            queue.waiting.push((hash, answer));
            !std::mem::replace(&mut queue.read, true)
        };
        if first {
            // A task of its own: who asked first may go away while others wait.
            tokio::spawn(read_on(Reader { lookups: self.clone(), ended: false }, statement));
        }
        answered.await.unwrap_or_else(|_| Err(Fault::Internal("a look-up was given up".to_owned())))
    }
}

/// Who reads what waits. When it ends otherwise than by itself, as by a panic, the next who asks gets another.
struct Reader<T> {
    lookups: Lookups<T>,
    ended: bool,
}

impl<T> Reader<T> {
    /// What waits now; nothing ends the reading.
    fn take(&mut self) -> Vec<(Vec<u8>, Answer<T>)> {
        let mut queue = self.lookups.0.lock().unwrap_or_else(PoisonError::into_inner);
        let some = queue.waiting.len().min(AT_ONCE);
        self.ended = some == 0;
        queue.read = !self.ended;
        queue.waiting.drain(..some).collect()
    }
}

impl<T> Drop for Reader<T> {
    fn drop(&mut self) {
        if !self.ended {
            let mut queue = self.lookups.0.lock().unwrap_or_else(PoisonError::into_inner);
            queue.read = false;
            queue.waiting.clear();
        }
    }
}

async fn read_on<T, F, Fut>(mut reader: Reader<T>, statement: F)
where
    F: Fn(Vec<Vec<u8>>) -> Fut,
    Fut: Future<Output = Result<Vec<Placed<T>>, Fault>>,
{
    loop {
        let (hashes, answers): (Vec<_>, Vec<_>) = reader.take().into_iter().unzip();
        if hashes.is_empty() {
            return;
        }
        let rest_until = Instant::now() + PACE;
        let mut answers: Vec<Option<Answer<T>>> = answers.into_iter().map(Some).collect();
        let rows = statement(hashes).await;
        let failure = rows.as_ref().err().map(again);
        for Placed { place, row } in rows.unwrap_or_default() {
            let place = usize::try_from(place - 1).ok();
            if let Some(answer) = place.and_then(|place| answers.get_mut(place)).and_then(Option::take) {
                // Who asked may have gone away.
                let _gone = answer.send(Ok(Some(row)));
            }
        }
        for answer in answers.into_iter().flatten() {
            let _gone = answer.send(failure.as_ref().map_or(Ok(None), |fault| Err(again(fault))));
        }
        sleep_until(rest_until).await;
    }
}

/// A fault for one more of those who shared what failed.
pub(crate) fn again(fault: &Fault) -> Fault {
    match fault {
        Fault::Unavailable(why) => Fault::Unavailable(why.clone()),
        fault if fault.is_unavailable() => Fault::Unavailable(fault.to_string()),
        fault => Fault::Internal(fault.to_string()),
    }
}
