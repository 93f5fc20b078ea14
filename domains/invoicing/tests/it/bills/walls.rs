//! What SQL refuses, tried by the server's own role.

use super::{Desk, line};

#[tokio::test]
async fn sql_keeps_the_content_of_a_bill_from_its_approval_on() {
    let desk = Desk::new().await;
    let new = |number: &str| desk.typed(number, vec![line("100", "20")]);
    let received = desk.enter(new("F-1")).await.expect("entered");
    let approved = desk.enter(new("F-2")).await.expect("entered");
    desk.approve(approved).await.expect("approved");
    let rejected = desk.enter(new("F-3")).await.expect("entered");
    desk.reject(rejected).await.expect("rejected");
    let posted = desk.posted(new("F-4")).await;

    let mut attacks = Vec::new();
    for bill in [approved, rejected, posted] {
        attacks.extend([
            format!("UPDATE bill SET payable_minor = 1 WHERE id = '{bill}'"),
            format!("UPDATE bill SET due_date = due_date + 30 WHERE id = '{bill}'"),
            format!("UPDATE bill SET number = 'X' WHERE id = '{bill}'"),
            format!("UPDATE bill SET entered_by = 'system' WHERE id = '{bill}'"),
            format!("UPDATE bill SET approved_by = 'system' WHERE id = '{bill}'"),
            format!("UPDATE bill SET state = 'received' WHERE id = '{bill}'"),
            format!("UPDATE bill_line SET net_minor = 1 WHERE bill_id = '{bill}'"),
            format!("UPDATE bill_line SET bill_id = '{received}', line_no = 9 WHERE bill_id = '{bill}'"),
            format!("DELETE FROM bill_line WHERE bill_id = '{bill}'"),
            format!("UPDATE bill_tax SET tax_minor = 1 WHERE bill_id = '{bill}'"),
            format!("DELETE FROM bill_tax WHERE bill_id = '{bill}'"),
            format!(
                "INSERT INTO bill_line (tenant_id, id, bill_id, line_no, description, net_minor, category, rate)
                 SELECT tenant_id, gen_random_uuid(), id, 9, 'x', 1, 'S', 20 FROM bill WHERE id = '{bill}'"
            ),
            format!("UPDATE bill_line SET bill_id = '{bill}', line_no = 9 WHERE bill_id = '{received}'"),
            format!(
                "INSERT INTO bill_finding (tenant_id, id, bill_id, rule, severity, field, message)
                 SELECT tenant_id, gen_random_uuid(), id, 'X', 'error', 'BT-1', 'x' FROM bill WHERE id = '{bill}'"
            ),
        ]);
    }
    for bill in [received, approved, rejected] {
        attacks.push(format!("UPDATE bill SET settled_minor = 1 WHERE id = '{bill}'"));
        attacks.push(format!("UPDATE bill_tax SET transferred_minor = 0, waiting_minor = 5, tax_minor = 5 WHERE bill_id = '{bill}' AND '{bill}' <> '{received}'"));
    }
    for bill in [received, approved, rejected, posted] {
        attacks.push(format!("DELETE FROM bill WHERE id = '{bill}'"));
        attacks.push(format!("UPDATE bill SET supplier_id = '{}' WHERE id = '{bill}'", desk.shop.customer));
        attacks.push(format!("DELETE FROM step WHERE subject_id = '{bill}'"));
        attacks.push(format!("UPDATE step SET elapsed_ms = 0, step = 'x' WHERE subject_id = '{bill}'"));
    }
    attacks.extend([
        format!("UPDATE bill SET state = 'posted' WHERE id = '{received}'"),
        format!("UPDATE bill SET state = 'posted' WHERE id = '{approved}'"),
        format!("UPDATE bill SET state = 'rejected' WHERE id = '{received}'"),
        format!("UPDATE bill SET state = 'rejected' WHERE id = '{posted}'"),
        format!("UPDATE bill SET settled_minor = payable_minor + 1 WHERE id = '{posted}'"),
        format!("UPDATE bill_line SET account_id = NULL WHERE bill_id = '{posted}'"),
        format!("UPDATE bill_tax SET waiting_minor = 7 WHERE bill_id = '{posted}'"),
        format!("UPDATE bill_tax SET transferred_minor = 1 WHERE bill_id = '{posted}'"),
        format!("UPDATE bill_tax SET transferred_minor = 0 WHERE bill_id = '{posted}'"),
        format!("UPDATE bill_tax SET transferred_minor = 0 WHERE bill_id = '{received}'"),
        format!(
            "INSERT INTO bill_tax (tenant_id, bill_id, category, rate, base_minor, tax_minor, waiting_minor, transferred_minor)
             SELECT tenant_id, id, 'S', 10, 10, 1, 1, 1 FROM bill WHERE id = '{received}'"
        ),
        format!(
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
             UPDATE bill SET state = 'approved', approved_by = 'x', approved_at = now() WHERE id = '{received}'"
        ),
        "UPDATE bill_finding SET message = 'fine'".to_owned(),
        "DELETE FROM bill_finding".to_owned(),
        "TRUNCATE bill CASCADE".to_owned(),
        "TRUNCATE bill_line".to_owned(),
    ]);
    let before = desk.entry(posted).await;
    for attack in attacks {
        let touched = desk.shop.raw(&attack).await;
        assert!(matches!(touched, Err(_) | Ok(0)), "{attack}: {touched:?}");
    }
    assert_eq!(desk.bill(posted).await.payable_minor, 12_000);
    assert_eq!(desk.entry(posted).await, before);
    for bill in [received, approved, rejected, posted] {
        assert_eq!(desk.lines(bill).await.len(), 1);
        assert_eq!(
            (desk.lines(bill).await[0].net_minor, desk.taxes(bill).await[0].tax_minor),
            (10_000, 2_000)
        );
    }
}

#[tokio::test]
async fn even_the_owner_of_the_tables_does_not_change_what_is_posted() {
    let desk = Desk::new().await;
    let posted = desk.posted(desk.typed("F-1", vec![line("100", "20")])).await;
    let mut owner = desk.shop.test.raw("coulisse_owner").await;
    let company = desk.shop.scope.company().id;
    for attack in [
        format!("UPDATE bill SET payable_minor = 1 WHERE id = '{posted}'"),
        format!("DELETE FROM bill WHERE id = '{posted}'"),
        format!("DELETE FROM bill_line WHERE bill_id = '{posted}'"),
        format!("DELETE FROM step WHERE subject_id = '{posted}'"),
        "TRUNCATE step".to_owned(),
        "TRUNCATE bill, bill_line, bill_tax, bill_finding, allocation".to_owned(),
    ] {
        let sql = format!("BEGIN; SET LOCAL app.tenant_id = '{company}'; {attack}");
        let refused = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut owner).await.expect_err(&attack);
        let code = refused
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code)
            .map(std::borrow::Cow::into_owned);
        assert_eq!(code.as_deref(), Some("CO002"), "{attack}: {refused}");
        sqlx::raw_sql("ROLLBACK").execute(&mut owner).await.expect("rolled back");
    }
}
