//! What guards the rows and the folder: permissions, triggers, keys.

use documents::file::service;
use kernel::{Actor, Permission, PermissionSet};
use testing::TestDb;

use super::{announce, body, code, link, place, put};

#[tokio::test]
async fn no_name_leads_out_of_the_company_s_folder() {
    let (test, place) = (TestDb::new().await, place());
    let scope = test.company().await;
    for name in ["../../escape", "/etc/passwd", "..", "a/../b", "..\\b"] {
        assert_eq!(code(announce(&scope, name, 1).await), "INVALID", "{name}");
    }
    for name in ["..%2f..%2fescape", "~root", "$(reboot)", "nul", "a b;c|d", "é—中.csv"] {
        let upload = announce(&scope, name, 1).await.expect(name);
        put(&scope, &place, &upload.token, body(b"x", 1)).await.expect(name);
    }
    let blobs = place.blobs();
    assert_eq!(blobs.len(), 6);
    let company = scope.company().id.to_string();
    for blob in blobs {
        let parts: Vec<&str> = blob.split('/').collect();
        let [of, file, attempt] = parts[..] else { panic!("{blob} has three parts") };
        assert_eq!(of, company);
        assert!(file.parse::<uuid::Uuid>().is_ok() && attempt.parse::<uuid::Uuid>().is_ok(), "{blob}");
    }
}

#[tokio::test]
async fn without_the_permission_nothing_is_done() {
    let (test, place) = (TestDb::new().await, place());
    let owner = test.company().await;
    let upload = announce(&owner, "a.csv", 1).await.expect("announced");
    put(&owner, &place, &upload.token, body(b"x", 1)).await.expect("stored");
    let without = |missing: Permission| {
        let permissions =
            Permission::ALL.iter().copied().filter(|p| *p != missing).collect::<PermissionSet>();
        test.scope(owner.company().id, Actor::Person(kernel::id::new()), permissions)
    };
    assert_eq!(code(announce(&without(Permission::FilesWrite), "b.csv", 1).await), "FORBIDDEN");
    let reader = without(Permission::FilesRead);
    assert_eq!(code(link(&reader, upload.file_id).await), "FORBIDDEN");
    let snapshot = reader.read().await.expect("snapshot");
    assert_eq!(code(service::get(&snapshot, upload.file_id).await), "FORBIDDEN");
    assert_eq!(code(service::by_ids(&snapshot, &[upload.file_id]).await), "FORBIDDEN");
}

#[tokio::test]
async fn sql_refuses_to_change_what_is_stored() {
    let (test, place) = (TestDb::new().await, place());
    let scope = test.company().await;
    let upload = announce(&scope, "a.csv", 1).await.expect("announced");
    let pending = announce(&scope, "b.csv", 1).await.expect("announced");
    put(&scope, &place, &upload.token, body(b"x", 1)).await.expect("stored");
    let (company, stored, waiting) = (scope.company().id, upload.file_id, pending.file_id);
    let attacks = [
        format!("UPDATE file SET name = 'b' WHERE id = '{stored}'"),
        format!("UPDATE file SET sha256 = sha256('y') WHERE id = '{stored}'"),
        format!("UPDATE file SET storage_key = storage_key || 'x' WHERE id = '{stored}'"),
        format!(
            "UPDATE file SET state = 'pending', sha256 = NULL, storage_key = NULL, stored_at = NULL WHERE id = '{stored}'"
        ),
        format!("UPDATE file SET size_bytes = 7 WHERE id = '{waiting}'"),
        format!("UPDATE file SET expires_at = expires_at + interval '1 day' WHERE id = '{waiting}'"),
        format!("UPDATE file SET state = 'stored' WHERE id = '{waiting}'"),
        format!(
            "UPDATE file SET state = 'stored', sha256 = sha256('x'), stored_at = now(),
             storage_key = '../elsewhere' WHERE id = '{waiting}'"
        ),
        format!("DELETE FROM file WHERE id = '{stored}'"),
        "TRUNCATE file CASCADE".to_owned(),
    ];
    let mut raw = test.raw("coulisse_server").await;
    for attack in attacks {
        let sql = format!("BEGIN; SET LOCAL app.tenant_id = '{company}'; {attack}");
        let result = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut raw).await;
        let code = result
            .expect_err(&attack)
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code)
            .map(std::borrow::Cow::into_owned);
        assert!(matches!(code.as_deref(), Some("CO002" | "23514" | "42501")), "{attack}: {code:?}");
        sqlx::raw_sql("ROLLBACK").execute(&mut raw).await.expect("rolled back");
    }
}

#[tokio::test]
async fn bytes_that_rotted_are_not_handed_to_an_importer() {
    let (test, place) = (TestDb::new().await, place());
    let scope = test.company().await;
    let upload = announce(&scope, "a.csv", 4).await.expect("announced");
    put(&scope, &place, &upload.token, body(b"good", 4)).await.expect("stored");
    let blob = place.folder.path().join(&place.blobs()[0]);
    std::fs::write(&blob, b"evil").expect("written");
    let snapshot = scope.read().await.expect("snapshot");
    assert_eq!(code(service::read_in(&snapshot, &place.files, upload.file_id).await), "INTERNAL");
    std::fs::remove_file(&blob).expect("removed");
    assert_eq!(code(service::read_in(&snapshot, &place.files, upload.file_id).await), "INTERNAL");
}
