//! Automatic persisted queries: a client sends a document's hash, and its text only once.
//!
//! The protocol is Apollo's (`extensions.persistedQuery` with `version` 1 and `sha256Hash`): a hash alone is answered by
//! the text that was kept for it, or by `PERSISTED_QUERY_NOT_FOUND`, upon which the client sends hash and text together.
//! Texts belong to a company: none learns what another has sent. They are kept in this process, bounded in bytes, and for
//! companies in Redis as well when there is one, bounded in number, size and time.
//!
//! What is kept is text, and no promise: it passes the same limits at each use. Strangers' texts stay in the process and
//! cannot push out a company's. Registered documents, which a company must allow, are another thing: see
//! [`DocumentHash::of_document_id`] for how they are named.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use moka::future::Cache;
use redis::Script;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::redis_link::{Link, PATIENCE};

static KEEP: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("document_cache.lua")));

/// The SHA-256 of a document's text, as UTF-8.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DocumentHash([u8; 32]);

impl DocumentHash {
    /// The hash of a text.
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// Reads 64 hexadecimal digits.
    pub fn parse(hex: &str) -> Option<Self> {
        let digits = hex.as_bytes();
        let mut hash = [0; 32];
        if digits.len() != 2 * hash.len() {
            return None;
        }
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |c: u8| char::from(c).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Self(hash))
    }

    /// Reads the `documentId` of a persisted document (GraphQL over HTTP, appendix A): `sha256:` and the hash. Ids of other
    /// kinds (`x-…`) name nothing here.
    pub fn of_document_id(id: &str) -> Option<Self> {
        Self::parse(id.strip_prefix("sha256:")?)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Display for DocumentHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for DocumentHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// Whose texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// Those of a company's clients.
    Company(Uuid),
    /// Those of all who are not signed in.
    Strangers,
}

/// How texts are kept.
#[derive(Clone, Debug)]
pub struct Options {
    /// Begins every key in Redis: deployments that share one have different ones.
    pub namespace: String,
    /// Longer texts run and are not kept.
    pub most_text_bytes: usize,
    /// What the texts of all companies may take in this process.
    pub memory_bytes: u64,
    /// What the texts of strangers may take in this process.
    pub strangers_memory_bytes: u64,
    /// How long a text is kept in this process after its last use, and a company's texts in Redis after the last new one.
    pub keep: Duration,
    /// Texts of one company in Redis; a new one displaces the oldest.
    pub most_texts: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            namespace: "gateway".to_owned(),
            most_text_bytes: 32 * 1024,
            memory_bytes: 32 * 1024 * 1024,
            strangers_memory_bytes: 4 * 1024 * 1024,
            keep: Duration::from_hours(24),
            most_texts: 500,
        }
    }
}

/// Why the document of a request cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No text is kept for the hash. Clients know this message, and answer it with hash and text.
    #[error("PersistedQueryNotFound")]
    NotFound,
    /// Another version of the protocol. Clients know this message, and send texts from then on.
    #[error("PersistedQueryNotSupported")]
    NotSupported,
    /// The text has another hash.
    #[error(
        "`extensions.persistedQuery.sha256Hash` is not the SHA-256 of `query`: hash the text as it is sent"
    )]
    Mismatch,
    /// The extension is not what it must be.
    #[error(
        "`extensions.persistedQuery` must be an object with `version` 1 and `sha256Hash` of 64 hexadecimal digits"
    )]
    Malformed,
}

impl Refused {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "PERSISTED_QUERY_NOT_FOUND",
            Self::NotSupported => "PERSISTED_QUERY_NOT_SUPPORTED",
            Self::Mismatch => "PERSISTED_QUERY_HASH_MISMATCH",
            Self::Malformed => "BAD_REQUEST",
        }
    }
}

/// The document of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// Its text.
    pub text: Arc<str>,
    /// Its hash, which has been verified.
    pub hash: DocumentHash,
    /// Whether it came with the request: once it has proved good, [`DocumentCache::keep`] keeps it.
    pub is_new: bool,
}

/// The texts. Cheap to clone.
#[derive(Clone, Debug)]
pub struct DocumentCache(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    companies: Cache<(Uuid, DocumentHash), Arc<str>>,
    strangers: Cache<DocumentHash, Arc<str>>,
    link: Option<Link>,
    options: Options,
}

/// What an entry takes beside its text.
const ENTRY_BYTES: usize = 200;

fn weigh(text: &str) -> u32 {
    u32::try_from(text.len() + ENTRY_BYTES).unwrap_or(u32::MAX)
}

impl DocumentCache {
    /// Within this process only.
    pub fn local(options: Options) -> Self {
        Self::build(options, None)
    }

    /// In Redis as well, while it answers.
    ///
    /// # Errors
    /// When the URL is not one of Redis. A Redis that does not answer is no error: it is looked for again and again.
    pub fn over_redis(url: &str, options: Options) -> Result<Self, redis::RedisError> {
        let link = Link::open(url, &options.namespace, "documents", PATIENCE)?;
        Ok(Self::build(options, Some(link)))
    }

    fn build(options: Options, link: Option<Link>) -> Self {
        let companies = Cache::builder()
            .max_capacity(options.memory_bytes)
            .weigher(|_, text: &Arc<str>| weigh(text))
            .time_to_idle(options.keep)
            .build();
        let strangers = Cache::builder()
            .max_capacity(options.strangers_memory_bytes)
            .weigher(|_, text: &Arc<str>| weigh(text))
            .time_to_idle(options.keep)
            .build();
        Self(Arc::new(Inner { companies, strangers, link, options }))
    }

    /// The document of a request that names one by `extensions.persistedQuery`; `None` when the extension is not there.
    ///
    /// # Errors
    /// See [`Refused`].
    pub async fn resolve(
        &self,
        owner: Owner,
        query: Option<&str>,
        extensions: &Map<String, Value>,
    ) -> Result<Option<Resolved>, Refused> {
        let extension = match extensions.get("persistedQuery") {
            None | Some(Value::Null) => return Ok(None),
            Some(extension) => extension,
        };
        let hash = named_hash(extension)?;
        let Some(query) = query else {
            let text = self.find(owner, hash).await.ok_or(Refused::NotFound)?;
            return Ok(Some(Resolved { text, hash, is_new: false }));
        };
        if DocumentHash::of(query) != hash {
            return Err(Refused::Mismatch);
        }
        if let Some(text) = self.known(owner, hash).await {
            return Ok(Some(Resolved { text, hash, is_new: false }));
        }
        let is_new = query.len() <= self.0.options.most_text_bytes;
        Ok(Some(Resolved { text: query.into(), hash, is_new }))
    }

    /// Keeps a new document for later requests by its hash. To be called once its text has passed every limit and the
    /// validation: what is refused is not worth a place.
    pub async fn keep(&self, owner: Owner, document: &Resolved) {
        if !document.is_new {
            return;
        }
        let (hash, text) = (document.hash, &document.text);
        self.remember(owner, hash, text.clone()).await;
        if let (Owner::Company(company), Some(link)) = (owner, &self.0.link) {
            let [texts, order] = self.keys(company);
            let keep_ms = u64::try_from(self.0.options.keep.as_millis()).unwrap_or(u64::MAX);
            let mut call = KEEP.prepare_invoke();
            call.key(texts).key(order).arg(hash.to_string()).arg(&**text);
            call.arg(keep_ms).arg(self.0.options.most_texts);
            // Not kept there: other replicas ask for the text once more.
            let _kept = link.ask(|mut redis| async move { call.invoke_async::<()>(&mut redis).await }).await;
        }
    }

    async fn find(&self, owner: Owner, hash: DocumentHash) -> Option<Arc<str>> {
        if let Some(text) = self.known(owner, hash).await {
            return Some(text);
        }
        let (Owner::Company(company), Some(link)) = (owner, &self.0.link) else { return None };
        let [texts, _] = self.keys(company);
        let mut read = redis::cmd("HGET");
        read.arg(texts).arg(hash.to_string());
        let text: Option<String> =
            link.ask(|mut redis| async move { read.query_async(&mut redis).await }).await?;
        // Whoever can write there could put another text under the hash that a client trusts.
        let text: Arc<str> = text.filter(|text| DocumentHash::of(text) == hash)?.into();
        self.remember(owner, hash, text.clone()).await;
        Some(text)
    }

    async fn known(&self, owner: Owner, hash: DocumentHash) -> Option<Arc<str>> {
        match owner {
            Owner::Company(company) => self.0.companies.get(&(company, hash)).await,
            Owner::Strangers => self.0.strangers.get(&hash).await,
        }
    }

    async fn remember(&self, owner: Owner, hash: DocumentHash, text: Arc<str>) {
        match owner {
            Owner::Company(company) => self.0.companies.insert((company, hash), text).await,
            Owner::Strangers => self.0.strangers.insert(hash, text).await,
        }
    }

    /// Where a company's texts are in Redis, and their order.
    fn keys(&self, company: Uuid) -> [String; 2] {
        let namespace = &self.0.options.namespace;
        [format!("{namespace}:{{{company}}}:documents"), format!("{namespace}:{{{company}}}:documents-order")]
    }
}

fn named_hash(extension: &Value) -> Result<DocumentHash, Refused> {
    let version = extension.get("version").and_then(Value::as_u64).ok_or(Refused::Malformed)?;
    if version != 1 {
        return Err(Refused::NotSupported);
    }
    let hash = extension.get("sha256Hash").and_then(Value::as_str).ok_or(Refused::Malformed)?;
    DocumentHash::parse(hash).ok_or(Refused::Malformed)
}

#[cfg(test)]
mod tests;
