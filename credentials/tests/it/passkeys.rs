//! Passkeys against an independent browser and authenticator.

use credentials::passkey::{Begun, Proven, Refusal, Registered, RelyingParty, User};
use serde_json::{Value, json};
use testing::authenticator::Device;
use uuid::Uuid;

const ORIGIN: &str = "https://back.office.example";

fn party() -> RelyingParty {
    RelyingParty::new("https://back.office.example/somewhere", "Coulisse").expect("a relying party")
}

fn ada() -> User<'static> {
    User { id: Uuid::from_u128(0x1234), account: "ada@example.com", name: "Ada" }
}

/// As it is kept between the steps: in a column of JSON.
fn kept(state: &Value) -> Value {
    serde_json::from_str(&state.to_string()).expect("JSON")
}

async fn make(device: &mut Device) -> Result<Registered, Refusal> {
    let begun = party().begin_registration(ada(), Vec::new())?;
    let answer = device.make(&begun.options).await.expect("the device makes one");
    party().finish_registration(kept(&begun.state), &answer)
}

async fn sign(device: &mut Device, begun: &Begun, data: &Value) -> Result<Proven, Refusal> {
    let answer = device.sign(&begun.options).await.expect("the device signs");
    party().finish_sign_in(kept(&begun.state), &answer, kept(data))
}

#[tokio::test]
async fn a_passkey_signs_in_by_itself_and_its_count_rises() {
    let mut device = Device::at(ORIGIN);
    let made = make(&mut device).await.expect("made");
    let mut data = made.data;
    let mut counts = Vec::new();
    for _ in 0..3 {
        let begun = party().begin_sign_in().expect("begun");
        assert!(!begun.options.contains("allowCredentials"), "nobody is named: {}", begun.options);
        let answer = device.sign(&begun.options).await.expect("signed");
        let claimed = party().claimed(&answer).expect("who");
        assert_eq!((claimed.user, &claimed.credential_id), (ada().id, &made.credential_id));
        let proven = party().finish_sign_in(kept(&begun.state), &answer, kept(&data)).expect("proven");
        data = proven.data;
        counts.push(proven.counter);
    }
    assert!(counts.is_sorted_by(|a, b| a < b), "{counts:?}");
}

#[tokio::test]
async fn options_ask_for_a_discoverable_credential_with_verification_and_no_attestation() {
    let begun = party().begin_registration(ada(), vec![vec![7; 16]]).expect("begun");
    let options: Value = serde_json::from_str(&begun.options).expect("JSON");
    assert_eq!(options["rp"], json!({"id": "back.office.example", "name": "Coulisse"}));
    assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
    assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
    assert_eq!(options["attestation"], "none");
    assert_eq!(options["excludeCredentials"][0]["id"], "BwcHBwcHBwcHBwcHBwcHBw");
    let begun = party().begin_sign_in().expect("begun");
    let options: Value = serde_json::from_str(&begun.options).expect("JSON");
    assert_eq!(
        (&options["rpId"], &options["userVerification"]),
        (&json!("back.office.example"), &json!("required"))
    );
    let other: Value = serde_json::from_str(&party().begin_sign_in().expect("begun").options).expect("JSON");
    assert_ne!(options["challenge"], other["challenge"]);
}

#[tokio::test]
async fn who_was_not_verified_proves_nothing() {
    let mut device = Device::at(ORIGIN);
    device.verifies = false;
    let lax = |begun: Begun| Begun {
        // A browser that takes the demand out of the options.
        options: begun
            .options
            .replace("\"userVerification\":\"required\"", "\"userVerification\":\"discouraged\""),
        ..begun
    };
    let begun = lax(party().begin_registration(ada(), Vec::new()).expect("begun"));
    let answer = device.make(&begun.options).await.expect("the device makes one");
    assert_eq!(party().finish_registration(begun.state, &answer).err(), Some(Refusal::NotProven));
    let mut device = Device::at(ORIGIN);
    let made = make(&mut device).await.expect("made");
    device.verifies = false;
    let begun = lax(party().begin_sign_in().expect("begun"));
    assert_eq!(sign(&mut device, &begun, &made.data).await.err(), Some(Refusal::NotProven));
}

#[tokio::test]
async fn an_answer_is_good_for_its_own_challenge_only() {
    let mut device = Device::at(ORIGIN);
    let made = make(&mut device).await.expect("made");
    let (one, two) = (party().begin_sign_in().expect("begun"), party().begin_sign_in().expect("begun"));
    let crossed = Begun { options: one.options.clone(), state: two.state };
    assert_eq!(sign(&mut device, &crossed, &made.data).await.err(), Some(Refusal::NotProven));
    let first = party().begin_registration(ada(), Vec::new()).expect("begun");
    let second = party().begin_registration(ada(), Vec::new()).expect("begun");
    let answer = Device::at(ORIGIN).make(&first.options).await.expect("made");
    assert_eq!(party().finish_registration(second.state, &answer).err(), Some(Refusal::NotProven));
}

#[tokio::test]
async fn the_origin_is_exact_and_a_subdomain_is_another() {
    let mut device = Device::at(ORIGIN);
    let made = make(&mut device).await.expect("made");
    for other in ["https://evil.back.office.example", "https://back.office.example:8443"] {
        device.origin = other.parse().expect("an origin");
        let begun = party().begin_sign_in().expect("begun");
        assert_eq!(sign(&mut device, &begun, &made.data).await.err(), Some(Refusal::NotProven), "{other}");
        assert_eq!(make(&mut Device::at(other)).await.err(), Some(Refusal::NotProven), "{other}");
    }
}

#[tokio::test]
async fn a_copy_that_falls_behind_in_its_count_is_refused() {
    let mut device = Device::at(ORIGIN);
    let made = make(&mut device).await.expect("made");
    let mut copy = device.clone();
    let begun = party().begin_sign_in().expect("begun");
    let proven = sign(&mut device, &begun, &made.data).await.expect("proven");
    let begun = party().begin_sign_in().expect("begun");
    assert_eq!(sign(&mut copy, &begun, &proven.data).await.err(), Some(Refusal::Cloned));
}

#[tokio::test]
async fn a_synced_passkey_that_does_not_count_goes_on_signing_in() {
    let mut device = Device::at(ORIGIN);
    device.counts = false;
    let mut data = make(&mut device).await.expect("made").data;
    for _ in 0..3 {
        let begun = party().begin_sign_in().expect("begun");
        let proven = sign(&mut device, &begun, &data).await.expect("proven");
        assert_eq!(proven.counter, 0);
        data = proven.data;
    }
}

#[tokio::test]
async fn one_passkey_does_not_prove_another() {
    let (mut one, mut two) = (Device::at(ORIGIN), Device::at(ORIGIN));
    let (_, theirs) = (make(&mut one).await.expect("made"), make(&mut two).await.expect("made"));
    let begun = party().begin_sign_in().expect("begun");
    assert_eq!(sign(&mut one, &begun, &theirs.data).await.err(), Some(Refusal::NotProven));
}

#[test]
fn what_is_no_answer_is_told_so() {
    for wrong in ["", "{}", "[]", "null", "{\"id\": 1}", &"[".repeat(20_000)] {
        assert_eq!(party().claimed(wrong).err(), Some(Refusal::Malformed));
        let begun = party().begin_sign_in().expect("begun");
        assert_eq!(party().finish_sign_in(begun.state, wrong, json!({})).err(), Some(Refusal::Malformed));
    }
}

#[test]
fn a_server_without_a_domain_has_no_passkeys() {
    for url in ["http://127.0.0.1:4000", "http://[::1]:4000", "not an address", "data:text/plain,x"] {
        assert_eq!(RelyingParty::new(url, "Coulisse").err(), Some(Refusal::Unavailable), "{url}");
    }
    assert!(RelyingParty::new("http://localhost:4000", "Coulisse").is_ok());
}
