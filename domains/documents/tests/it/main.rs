//! The promises of documents, on a real database and a real folder.

mod links;
mod walls;

use documents::file::NewUpload;
use documents::file::service::{self, Upload};
use documents::{Body, BodyError, Error, Files};
use futures_util::StreamExt;
use kernel::{DomainError, Scope};
use uuid::Uuid;

/// Files in a folder of this test.
struct Place {
    folder: tempfile::TempDir,
    files: Files,
}

fn place() -> Place {
    let folder = tempfile::tempdir().expect("a folder");
    let files = Files::local(folder.path()).expect("files");
    Place { folder, files }
}

impl Place {
    /// The blobs that lie in the folder, as paths within it, without what is being written.
    fn blobs(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let inside = path.strip_prefix(self.folder.path()).expect("inside the folder");
                    found.push(inside.display().to_string());
                }
            }
        }
        found.sort();
        found
    }
}

/// A body that arrives in pieces of so many bytes.
fn body(bytes: &[u8], piece: usize) -> Body<'static> {
    let pieces: Vec<Result<bytes::Bytes, BodyError>> =
        bytes.chunks(piece).map(|piece| Ok(bytes::Bytes::copy_from_slice(piece))).collect();
    futures_util::stream::iter(pieces).boxed()
}

async fn announce(scope: &Scope, name: &str, size_bytes: u64) -> Result<Upload, Error> {
    let upload = NewUpload { name: name.to_owned(), media_type: "text/csv".to_owned(), size_bytes };
    scope
        .write(|tx| {
            let upload = upload.clone();
            Box::pin(async move { service::create_upload(tx, &upload).await })
        })
        .await
}

/// What the edge does with a PUT: the token names the company, the scope is opened, the bytes are taken.
async fn put(scope: &Scope, place: &Place, token: &str, bytes: Body<'_>) -> Result<Uuid, Error> {
    let grant = service::upload_grant(scope.vault(), token, scope.clock().now())?;
    service::store(scope, &place.files, &grant, bytes).await
}

/// What the edge does with a GET.
async fn fetch(scope: &Scope, place: &Place, token: &str) -> Result<Vec<u8>, Error> {
    let grant = service::download_grant(scope.vault(), token, scope.clock().now())?;
    let mut opened = service::open(scope, &place.files, &grant).await?;
    let mut bytes = Vec::new();
    while let Some(piece) = opened.body.next().await {
        bytes.extend(piece.expect("a piece"));
    }
    Ok(bytes)
}

async fn link(scope: &Scope, file: Uuid) -> Result<String, Error> {
    let snapshot = scope.read().await.expect("a snapshot");
    Ok(service::download_token(&snapshot, file).await?.token)
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    result.expect_err("refused").code()
}
