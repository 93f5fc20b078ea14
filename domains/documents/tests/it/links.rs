//! Signed links: one file, one company, one purpose, one use, for a while.

use documents::file::{MAX_BYTES, State, service};
use kernel::signed::{self, Grant};
use sha2::{Digest, Sha256};
use testing::{TestDb, at};

use super::{announce, body, code, fetch, link, place, put};

#[tokio::test]
async fn what_is_put_is_kept_and_comes_back() {
    let (test, place) = (TestDb::new().await, place());
    let scope = test.company().await;
    let bytes: Vec<u8> = (0..6_000_000_u32).flat_map(u32::to_le_bytes).take(6_000_000).collect();
    let upload = announce(&scope, "Grand livre.csv", 6_000_000).await.expect("announced");
    let id = put(&scope, &place, &upload.token, body(&bytes, 70_000)).await.expect("stored");
    assert_eq!(id, upload.file_id);

    let snapshot = scope.read().await.expect("snapshot");
    let file = service::get(&snapshot, id).await.expect("read").expect("there");
    assert_eq!((file.state.as_str(), file.size_bytes), (State::Stored.as_str(), 6_000_000));
    assert_eq!(file.sha256.as_deref(), Some(Sha256::digest(&bytes).as_slice()));
    assert_eq!((file.name.as_str(), file.media_type.as_str()), ("Grand livre.csv", "text/csv"));
    let content = service::read_in(&snapshot, &place.files, id).await.expect("content");
    assert_eq!(content.bytes, bytes);
    assert_eq!(service::by_ids(&snapshot, &[id, kernel::id::new()]).await.expect("read"), [file]);
    snapshot.end().await;

    let token = link(&scope, id).await.expect("a link");
    assert_eq!(fetch(&scope, &place, &token).await.expect("fetched"), bytes);
    let events = kernel::event::page(&scope.read().await.expect("snapshot"), Some(id), None, 10).await;
    let kinds: Vec<_> = events.expect("events").into_iter().map(|event| event.kind).collect();
    assert_eq!(kinds, ["file.stored", "file.announced"]);
}

#[tokio::test]
async fn a_second_put_is_refused_and_changes_nothing() {
    let (test, place) = (TestDb::new().await, place());
    let scope = test.company().await;
    let upload = announce(&scope, "a.csv", 5).await.expect("announced");
    put(&scope, &place, &upload.token, body(b"first", 2)).await.expect("stored");
    assert_eq!(code(put(&scope, &place, &upload.token, body(b"other", 2)).await), "ALREADY_STORED");
    let token = link(&scope, upload.file_id).await.expect("a link");
    assert_eq!(fetch(&scope, &place, &token).await.expect("fetched"), b"first");
    assert_eq!(place.blobs().len(), 1);
}

#[tokio::test]
async fn of_many_puts_at_once_one_counts() {
    let (test, place) = (TestDb::new().await, place());
    let scope = test.company().await;
    let upload = announce(&scope, "a.csv", 1).await.expect("announced");
    let attempts = (b'a'..b'i').map(|byte| {
        let (scope, place, token) = (&scope, &place, upload.token.as_str());
        async move { (byte, put(scope, place, token, body(&[byte], 1)).await) }
    });
    let attempts = futures_util::future::join_all(attempts).await;
    let (won, lost): (Vec<_>, Vec<_>) = attempts.into_iter().partition(|(_, result)| result.is_ok());
    assert_eq!(won.len(), 1);
    assert!(lost.into_iter().all(|(_, result)| code(result) == "ALREADY_STORED"));
    let token = link(&scope, upload.file_id).await.expect("a link");
    assert_eq!(fetch(&scope, &place, &token).await.expect("fetched"), [won[0].0], "the winner's bytes");
    assert_eq!(place.blobs().len(), 1, "the losers' blobs are gone");
}

#[tokio::test]
async fn another_size_than_announced_is_refused_and_leaves_nothing() {
    let (test, place) = (TestDb::new().await, place());
    let scope = test.company().await;
    let upload = announce(&scope, "a.csv", 5).await.expect("announced");
    for bytes in [&b""[..], b"four", b"sixsix", &vec![0; 100_000]] {
        let refused = put(&scope, &place, &upload.token, body(bytes, 3)).await;
        assert_eq!(code(refused), "SIZE_MISMATCH", "{} bytes", bytes.len());
    }
    assert_eq!(place.blobs(), [] as [String; 0]);
    put(&scope, &place, &upload.token, body(b"right", 1)).await.expect("the link still holds");
    assert_eq!(code(announce(&scope, "b.csv", MAX_BYTES + 1).await), "TOO_LARGE");
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_nothing() {
    use futures_util::StreamExt;
    let (test, place) = (TestDb::new().await, place());
    let scope = test.company().await;
    let upload = announce(&scope, "a.csv", 10).await.expect("announced");
    let pieces = vec![Ok(bytes::Bytes::from_static(b"half ")), Err("connection reset".into())];
    let broken = futures_util::stream::iter(pieces).boxed();
    assert_eq!(code(put(&scope, &place, &upload.token, broken).await), "INTERRUPTED");
    assert_eq!(place.blobs(), [] as [String; 0]);
    assert_eq!(code(link(&scope, upload.file_id).await), "NOT_STORED");
}

#[tokio::test]
async fn an_expired_a_changed_and_a_swapped_token_open_nothing() {
    let (test, place) = (TestDb::new().await, place());
    let scope = test.company().await;
    let upload = announce(&scope, "a.csv", 1).await.expect("announced");
    let late = announce(&scope, "b.csv", 1).await.expect("announced");
    put(&scope, &place, &upload.token, body(b"x", 1)).await.expect("stored");
    let download = link(&scope, upload.file_id).await.expect("a link");

    assert_eq!(
        code(fetch(&scope, &place, &upload.token).await),
        "BAD_LINK",
        "an upload's token does not fetch"
    );
    assert_eq!(code(put(&scope, &place, &download, body(b"x", 1)).await), "BAD_LINK");
    for index in [0, 20, download.len() - 1] {
        let mut changed = download.clone().into_bytes();
        changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).expect("text");
        assert_eq!(code(fetch(&scope, &place, &changed).await), "BAD_LINK", "character {index}");
    }
    for nonsense in ["", "é", "../../etc/passwd", "AAAA"] {
        assert_eq!(code(fetch(&scope, &place, nonsense).await), "BAD_LINK");
    }

    test.clock.set(at("2026-06-15T10:04:59Z"));
    fetch(&scope, &place, &download).await.expect("within five minutes");
    test.clock.set(at("2026-06-15T10:05:00Z"));
    assert_eq!(code(fetch(&scope, &place, &download).await), "BAD_LINK");
    test.clock.set(at("2026-06-15T10:15:00Z"));
    assert_eq!(code(put(&scope, &place, &late.token, body(b"x", 1)).await), "BAD_LINK");
}

#[tokio::test]
async fn a_link_of_one_company_opens_nothing_of_another() {
    let (test, place) = (TestDb::new().await, place());
    let (a, b) = (test.company().await, test.company().await);
    let upload = announce(&a, "a.csv", 1).await.expect("announced");
    assert_eq!(code(put(&b, &place, &upload.token, body(b"x", 1)).await), "BAD_LINK", "b's scope, a's token");
    put(&a, &place, &upload.token, body(b"x", 1)).await.expect("stored");
    assert_eq!(code(link(&b, upload.file_id).await), "NOT_FOUND");
    assert_eq!(code(link(&b, kernel::id::new()).await), "NOT_FOUND");

    // A token that names b and a's file: even correctly signed it finds nothing.
    let expires_at = test.clock.now() + chrono::TimeDelta::minutes(1);
    let mixed = Grant { company: b.company().id, thing: upload.file_id, expires_at };
    let mixed = signed::sign(&test.vault, "download", mixed).expect("signed");
    assert_eq!(code(fetch(&b, &place, &mixed).await), "BAD_LINK");
    let token = link(&a, upload.file_id).await.expect("a link");
    assert_eq!(code(fetch(&b, &place, &token).await), "BAD_LINK");
}
