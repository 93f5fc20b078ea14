//! The object store: where bytes lie, under keys that only ids make.

use std::error::Error as _;
use std::io;
use std::path::Path as Folder;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use kernel::Fault;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, WriteMultipart};
use sha2::{Digest, Sha256};

use crate::error::Error;

/// Why a stream of bytes ended before its end.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// Bytes that come or go in pieces.
pub type Body<'a> = BoxStream<'a, Result<Bytes, BodyError>>;

/// How many parts of an upload may be on their way to the store while the next one is read.
const PARTS_AT_ONCE: usize = 2;

/// The store of all companies' files. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Files(Arc<dyn ObjectStore>);

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) size_bytes: u64,
    pub(crate) sha256: Vec<u8>,
}

impl Files {
    /// Files in any object store.
    pub fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self(store)
    }

    /// Files in a local folder, made if it is missing. What is written is on the disk before a row names it.
    pub fn local(folder: &Folder) -> Result<Self, Fault> {
        let unusable =
            |reason: String| Fault::Internal(format!("file folder {}: {reason}", folder.display()));
        std::fs::create_dir_all(folder).map_err(|e| unusable(e.to_string()))?;
        let store = LocalFileSystem::new_with_prefix(folder).map_err(|e| unusable(e.to_string()))?;
        Ok(Self::new(Arc::new(store.with_fsync(true).with_automatic_cleanup(true))))
    }

    /// Writes a blob of exactly so many bytes; whatever else comes leaves nothing behind.
    pub(crate) async fn write(
        &self,
        key: &str,
        announced: u64,
        mut body: Body<'_>,
    ) -> Result<Written, Error> {
        let upload = self.0.put_multipart(&Path::from(key)).await.map_err(|e| failed(&e))?;
        let mut upload = WriteMultipart::new(upload);
        let read = async {
            let (mut size_bytes, mut hash) = (0, Sha256::new());
            while let Some(piece) = body.next().await {
                let piece = piece.map_err(|_| Error::Interrupted)?;
                size_bytes += piece.len() as u64;
                if size_bytes > announced {
                    return Err(Error::SizeMismatch { announced, received: "more came".to_owned() });
                }
                hash.update(&piece);
                upload.wait_for_capacity(PARTS_AT_ONCE).await.map_err(|e| failed(&e))?;
                upload.put(piece);
            }
            if size_bytes < announced {
                return Err(Error::SizeMismatch { announced, received: format!("{size_bytes} came") });
            }
            Ok(Written { size_bytes, sha256: hash.finalize().to_vec() })
        };
        match read.await {
            Ok(written) => {
                upload.finish().await.map_err(|e| failed(&e))?;
                Ok(written)
            }
            Err(error) => {
                // The store drops what it has; a failure to do so is no news to the sender.
                let _aborted = upload.abort().await;
                Err(error)
            }
        }
    }

    /// The bytes of a blob, in pieces.
    pub(crate) async fn stream(&self, key: &str) -> Result<Body<'static>, Error> {
        let found = self.0.get(&Path::from(key)).await.map_err(|e| failed(&e))?;
        Ok(found.into_stream().map_err(BodyError::from).boxed())
    }

    /// The bytes of a blob.
    pub(crate) async fn bytes(&self, key: &str) -> Result<Bytes, Error> {
        let found = self.0.get(&Path::from(key)).await.map_err(|e| failed(&e))?;
        found.bytes().await.map_err(|e| failed(&e))
    }

    /// Drops a blob that no row names. It harms nobody if it stays.
    pub(crate) async fn discard(&self, key: &str) {
        let _dropped = self.0.delete(&Path::from(key)).await;
    }
}

/// What a failure of the store is: no room, not there, or anything else; always ours.
fn failed(error: &object_store::Error) -> Error {
    let mut cause = error.source();
    while let Some(inner) = cause {
        let kind = inner.downcast_ref::<io::Error>().map(io::Error::kind);
        if matches!(kind, Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)) {
            return Error::StorageFull(Fault::Unavailable(format!("file store: {error}")));
        }
        cause = inner.source();
    }
    match error {
        object_store::Error::NotFound { .. } => {
            Fault::Corrupt(format!("a stored file is gone: {error}")).into()
        }
        _ => Fault::Internal(format!("file store: {error}")).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_apart() {
        let broken = |kind: io::ErrorKind| object_store::Error::Generic {
            store: "test",
            source: Box::new(object_store::Error::Generic {
                store: "inner",
                source: Box::new(io::Error::from(kind)),
            }),
        };
        assert!(matches!(failed(&broken(io::ErrorKind::StorageFull)), Error::StorageFull(_)));
        assert!(matches!(failed(&broken(io::ErrorKind::QuotaExceeded)), Error::StorageFull(_)));
        assert!(matches!(failed(&broken(io::ErrorKind::PermissionDenied)), Error::Fault(Fault::Internal(_))));
    }
}
