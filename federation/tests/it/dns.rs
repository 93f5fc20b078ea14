//! Proof of a domain, against an independent DNS server.

use std::net::{Ipv4Addr, SocketAddr};

use federation::Records;

use crate::provider::Names;

#[tokio::test]
async fn a_record_proves_a_domain_by_its_whole_text() {
    let names = Names::start("federation").await;
    let records = Records::new(Some(names.address));
    let has = async |text: &str| records.has("_proof.a.example", text).await.expect("an answer");
    assert!(!has("ours").await, "there is no such name");
    names.set("_proof.a.example", &["another", "ours"]);
    assert!(has("ours").await, "no older answer stands in the way");
    for other in ["our", "ours ", "Ours", ""] {
        assert!(!has(other).await, "{other:?}");
    }
    names.set("_proof.b.example", &["ours"]);
    assert!(!has("ours").await, "another name proves nothing");
}

#[tokio::test]
async fn nothing_is_known_when_nobody_answers() {
    let nobody = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    assert!(Records::new(Some(nobody)).has("_proof.a.example", "ours").await.is_err());
}
