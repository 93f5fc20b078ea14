//! What customers think: by a signed link, once.

use chrono::TimeDelta;
use invoicing::Error;
use invoicing::satisfaction::{LINK_DAYS, RatingLink, service};
use kernel::{Actor, DomainError, PermissionSet, Scope};
use uuid::Uuid;

use crate::fixture::{Shop, write};

async fn token(shop: &Shop, invoice: Uuid) -> Result<String, Error> {
    let tx = shop.scope.read().await.expect("snapshot");
    service::link_token(&tx, invoice).await
}

fn verify(shop: &Shop, token: &str) -> Option<RatingLink> {
    RatingLink::verify(&shop.test.vault, token, shop.test.clock.now())
}

async fn rate(actor: &Scope, link: RatingLink, score: i16, comment: Option<&str>) -> Result<(), Error> {
    let comment = comment.map(str::to_owned);
    write!(actor, [link, comment], tx => service::rate(tx, &link, score, comment.as_deref()).await)
}

#[tokio::test]
async fn a_customer_rates_an_invoice_once() {
    let shop = Shop::new().await;
    let id = shop.issued(vec![shop.line("1", "10", "S20")]).await;
    let link = verify(&shop, &token(&shop, id).await.expect("token")).expect("link");
    assert_eq!((link.company(), link.invoice()), (shop.scope.company().id, id));
    let customer = shop.acting(Actor::Customer(shop.customer), PermissionSet::NONE);
    assert!(rate(&shop.scope, link, 5, None).await.expect_err("a member").denied().is_some());
    for score in [0, 6, -1] {
        assert_eq!(
            rate(&customer, link, score, None).await.expect_err("range").field().as_deref(),
            Some("score")
        );
    }
    rate(&customer, link, 4, Some(" Merci Claire ")).await.expect("rated");
    assert_eq!(rate(&customer, link, 1, None).await.expect_err("twice").code(), "ALREADY_RATED");
    let tx = shop.scope.read().await.expect("snapshot");
    let given = service::of_invoices(&tx, &[id]).await.expect("scores").remove(0);
    assert_eq!((given.score, given.comment.as_deref()), (4, Some("Merci Claire")));
    let day = shop.scope.today();
    let scores = service::scores(&tx, day, day).await.expect("scores");
    assert_eq!((scores.count, scores.mean_hundredths()), (1, Some(400)));
    assert_eq!(
        service::scores(&tx, day.succ_opt().expect("day"), day).await.expect("none").mean_hundredths(),
        None
    );
    let telling =
        "SELECT count(*) FROM event WHERE tenant_id = $1 AND convert_from(payload, 'UTF8') LIKE '%Claire%'";
    assert_eq!(shop.figure(telling).await, 0, "the comment is personal");
    let event = "SELECT count(*) FROM event WHERE tenant_id = $1 AND kind = 'invoice.rated' AND actor LIKE 'customer:%'";
    assert_eq!(shop.figure(event).await, 1);
}

#[tokio::test]
async fn of_many_at_once_one_counts() {
    let shop = Shop::new().await;
    let id = shop.issued(vec![shop.line("1", "10", "S20")]).await;
    let link = verify(&shop, &token(&shop, id).await.expect("token")).expect("link");
    let customer = shop.acting(Actor::Customer(shop.customer), PermissionSet::NONE);
    let all = futures_util::future::join_all((1..=5).map(|score| rate(&customer, link, score, None))).await;
    assert_eq!(all.iter().filter(|rated| rated.is_ok()).count(), 1);
}

#[tokio::test]
async fn a_link_expires_and_serves_its_company_only() {
    let shop = Shop::new().await;
    let draft = shop.draft(shop.draft_of(vec![shop.line("1", "10", "S20")])).await.expect("draft");
    assert_eq!(token(&shop, draft).await.expect_err("a draft").code(), "NOT_ISSUED");
    assert_eq!(token(&shop, kernel::id::new()).await.expect_err("unknown").code(), "NOT_FOUND");
    shop.issue(draft, None).await.expect("issued");
    let token = token(&shop, draft).await.expect("token");
    let link = verify(&shop, &token).expect("link");
    let other = shop.test.company().await;
    let customer = shop.test.scope(other.company().id, Actor::Customer(shop.customer), PermissionSet::NONE);
    assert_eq!(rate(&customer, link, 1, None).await.expect_err("another company").code(), "NOT_FOUND");
    assert!(verify(&shop, &format!("{token}A")).is_none() && verify(&shop, "").is_none());
    shop.test.clock.set(shop.test.clock.now() + TimeDelta::days(LINK_DAYS));
    assert!(verify(&shop, &token).is_none(), "ninety days later");
}
