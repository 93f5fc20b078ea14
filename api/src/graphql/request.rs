//! What lives as long as one request: who asks, one snapshot, one set of loaders.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::hash::Hash;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_graphql::dataloader::{DataLoader, HashMapCache, Loader};
use async_graphql::runtime::{TokioSpawner, TokioTimer};
use async_graphql::{Context, Error};
use documents::Files;
use futures_util::future::BoxFuture;
use identity::federation::Federation;
use identity::{Authenticator, Passwords, Principal};
use kernel::hint::Hints;
use kernel::{Fault, Origin, Scope, Tx};

use super::error::{faulty, not_signed_in};

/// What the whole server shares.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub auth: Authenticator,
    pub passwords: Passwords,
    pub files: Files,
    pub hints: Hints,
    /// Reads the figures of followed companies, once for all who follow them.
    pub hub: kpi::Hub,
    /// Sign-in with providers.
    pub federation: Federation,
    /// The server's own address as clients see it, without a slash at the end.
    pub public_url: String,
}

/// One request.
#[derive(Clone)]
pub(crate) struct Session(Arc<Inner>);

struct Inner {
    app: App,
    principal: Option<Principal>,
    token: Option<String>,
    origin: Origin,
    scope: Option<Scope>,
    idempotency_key: Option<String>,
    resume: Option<i64>,
    snapshot: tokio::sync::Mutex<Option<Arc<Tx>>>,
    loaders: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

impl Session {
    /// A request of a principal, or of nobody.
    pub(crate) fn new(
        app: App,
        principal: Option<(Principal, String)>,
        origin: Origin,
        idempotency_key: Option<String>,
    ) -> Self {
        let scope = principal.as_ref().map(|(principal, _)| app.auth.scope(principal, origin.clone()));
        let (principal, token) = principal.unzip();
        let (snapshot, loaders) = Default::default();
        Self(Arc::new(Inner {
            app,
            principal,
            token,
            origin,
            scope,
            idempotency_key,
            resume: None,
            snapshot,
            loaders,
        }))
    }

    /// The same for a client that comes back with the last revision that it was told.
    pub(crate) fn resuming(mut self, resume: Option<i64>) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.resume = resume;
        }
        self
    }

    /// The revision after which a stream goes on.
    pub(crate) fn resume(&self) -> Option<i64> {
        self.0.resume
    }

    pub(crate) fn app(&self) -> &App {
        &self.0.app
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.0.origin
    }

    pub(crate) fn principal(&self) -> Option<&Principal> {
        self.0.principal.as_ref()
    }

    /// The token that signed this request in; streams look it up again at each event.
    pub(crate) fn token(&self) -> Option<&str> {
        self.0.token.as_deref()
    }

    pub(crate) fn idempotency_key(&self) -> Option<&str> {
        self.0.idempotency_key.as_deref()
    }

    /// The scope, or the error that asks to sign in.
    pub(crate) fn scope(&self) -> Result<&Scope, Error> {
        self.0.scope.as_ref().ok_or_else(not_signed_in)
    }

    /// The request's one snapshot, opened at the first need. Boxed: every resolver's future has the size of the largest
    /// of its type, and is moved for each field.
    pub(crate) fn read(&self) -> BoxFuture<'_, Result<Arc<Tx>, Error>> {
        Box::pin(self.snapshot())
    }

    async fn snapshot(&self) -> Result<Arc<Tx>, Error> {
        let scope = self.scope()?;
        let mut snapshot = self.0.snapshot.lock().await;
        if let Some(tx) = &*snapshot {
            return Ok(tx.clone());
        }
        let tx = Arc::new(scope.read().await.map_err(|fault| faulty(&fault))?);
        *snapshot = Some(tx.clone());
        Ok(tx)
    }

    /// Ends the snapshot, so that the next read sees what a mutation has just committed.
    pub(crate) async fn renew(&self) {
        self.0.loaders.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let snapshot = self.0.snapshot.lock().await.take();
        if let Some(tx) = snapshot {
            tx.end().await;
        }
    }

    /// One thing of many that the request asks for: ids asked for at the same moment share a statement.
    pub(crate) fn load<B: Batch>(&self, key: B::Key) -> BoxFuture<'_, Result<Option<B::Value>, Error>> {
        Box::pin(self.load_by::<B>(key))
    }

    async fn load_by<B: Batch>(&self, key: B::Key) -> Result<Option<B::Value>, Error> {
        let loader = {
            let mut loaders = self.0.loaders.lock().unwrap_or_else(PoisonError::into_inner);
            let any = loaders.entry(TypeId::of::<B>()).or_insert_with(|| {
                let adapter = Adapter::<B>(self.clone(), PhantomData);
                let cache = HashMapCache::default();
                let loader =
                    DataLoader::with_cache(adapter, TokioSpawner::current(), TokioTimer::default(), cache);
                Arc::new(loader.delay(Duration::ZERO))
            });
            any.clone().downcast::<DataLoader<Adapter<B>, HashMapCache>>()
        };
        match loader {
            Ok(loader) => loader.load_one(key).await,
            Err(_) => Err(faulty(&Fault::Internal("a loader under another's type".to_owned()))),
        }
    }
}

/// How many things of a kind are read in one statement.
pub(crate) trait Batch: Send + Sync + 'static {
    /// What names a thing, usually its id.
    type Key: Send + Sync + Hash + Eq + Clone + 'static;
    /// The thing.
    type Value: Send + Sync + Clone + 'static;

    /// Reads the things of these keys; what does not exist is left out.
    fn load(
        tx: &Tx,
        keys: &[Self::Key],
    ) -> impl Future<Output = Result<HashMap<Self::Key, Self::Value>, Error>> + Send;
}

struct Adapter<B>(Session, PhantomData<fn() -> B>);

impl<B: Batch> Loader<B::Key> for Adapter<B> {
    type Value = B::Value;
    type Error = Error;

    async fn load(&self, keys: &[B::Key]) -> Result<HashMap<B::Key, B::Value>, Error> {
        let tx = self.0.read().await?;
        B::load(&tx, keys).await
    }
}

/// The request, from any resolver.
pub(crate) trait InRequest {
    /// The request.
    fn session(&self) -> Result<&Session, Error>;
}

impl InRequest for Context<'_> {
    fn session(&self) -> Result<&Session, Error> {
        self.data::<Session>()
    }
}
