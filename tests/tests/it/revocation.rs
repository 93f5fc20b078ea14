//! What is taken away is gone everywhere within a second: asked of another replica than the one where it was taken, over
//! HTTP, an open socket and an open event stream.
//!
//! The promise is a time, so these tests measure one: from the answer of the mutation to the end of each door. They ask
//! again and again until it ends, and never wait for a fixed time.

use std::time::{Duration, Instant};

use reqwest::header;
use serde_json::{Value, json};

use crate::server::{PASSWORD, Replica, Server, UNLIMITED};
use crate::socket::Client;

/// The promise.
const WITHIN: Duration = Duration::from_secs(1);

/// Two replicas of one database, and a company with an owner and an accountant.
struct Two {
    here: Server,
    there: Replica,
    owner: String,
    company: String,
    member: String,
}

/// The ways in of one token, all open, on the other replica.
struct Doors {
    socket: Client,
    events: reqwest::Response,
}

async fn two() -> Two {
    let here = Server::start_with(&UNLIMITED).await;
    let there = here.replica(&[&UNLIMITED[..], &["--workers", "false"]].concat());
    let owner = here.found("A", "ada@example.com").await;
    let company = here.ask(&owner, "{ company { id } }", json!({})).await["company"]["id"].clone();
    let bob = here.found("B", "bob@example.com").await;
    prove(&here).await;
    crate::mailbox::join_as(&here, &owner, &bob, "bob@example.com", "accountant").await;
    let members = here.ask(&owner, "{ members { id email } }", json!({})).await["members"].clone();
    let added =
        members.as_array().and_then(|all| all.iter().find(|member| member["email"] == "bob@example.com"));
    let member = text(&added.expect("the accountant")["id"]);
    Two { here, there, owner, company: text(&company), member }
}

/// Everybody has proved their address: how letters are answered is told elsewhere.
pub(crate) async fn prove(server: &Server) {
    let mut all = server.db.superuser().await;
    sqlx::query("UPDATE person SET email_verified_at = created_at WHERE email_verified_at IS NULL")
        .execute(&mut all)
        .await
        .expect("proved");
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value:#}")).to_owned()
}

impl Two {
    /// A further session of the accountant.
    async fn sign_in(&self) -> String {
        let sign_in = "mutation($input: SignInInput!) { signIn(input: $input) { session { token } userErrors { message } } }";
        let input = json!({"email": "bob@example.com", "password": PASSWORD, "companyId": self.company});
        let (_, answer) = self.here.send(None, None, sign_in, json!({"input": input})).await;
        text(&answer["data"]["signIn"]["session"]["token"])
    }

    /// The version of the accountant's membership.
    async fn version(&self) -> Value {
        let members = self.here.ask(&self.owner, "{ members { id version } }", json!({})).await;
        let members = members["members"].as_array().expect("members").clone();
        members.iter().find(|member| member["id"] == self.member.as_str()).expect("the member")["version"]
            .clone()
    }

    /// Changes something as the owner, on the first replica.
    async fn change(&self, mutation: &str, input: Value) {
        let (name, _) = mutation.split_once('(').expect("a name");
        let mut type_name = format!("{name}Input");
        type_name[..1].make_ascii_uppercase();
        let document =
            format!("mutation($input: {type_name}!) {{ {mutation} {{ userErrors {{ code message }} }} }}");
        let done = self.here.ask(&self.owner, &document, json!({"input": input})).await;
        assert_eq!(done[name]["userErrors"], json!([]), "{done:#}");
    }

    /// Whether a token may still see the members, asked of the other replica.
    async fn may(&self, token: &str) -> bool {
        let request = self.here.http.post(format!("{}/graphql", self.there.url)).bearer_auth(token);
        let answer = request.json(&json!({"query": "{ members { id } }"})).send().await.expect("an answer");
        let answer: Value = answer.json().await.expect("JSON");
        answer["errors"].is_null()
    }

    /// Opens all doors on the other replica, and looks that they are open.
    async fn open(&self, token: &str) -> Doors {
        assert!(self.may(token).await, "the token is good there");
        let mut socket = Client::connect_to(&self.there.url, Some(token)).await;
        assert_eq!(socket.next().await["type"], "connection_ack");
        socket.subscribe("1", json!({})).await;
        assert_eq!(socket.push().await["snapshot"], true);
        let request = self.here.http.post(format!("{}/graphql", self.there.url)).bearer_auth(token);
        let request = request.header(header::ACCEPT, "text/event-stream");
        let request = request.json(&json!({"query": "subscription { kpis { revision snapshot } }"}));
        let mut events = request.send().await.expect("an answer");
        assert_eq!(events.status(), 200);
        let mut said = String::new();
        while !said.contains("\"snapshot\":true") {
            let chunk = events.chunk().await.expect("a stream").expect("still open");
            said.push_str(std::str::from_utf8(&chunk).expect("text"));
        }
        Doors { socket, events }
    }

    /// Waits until every door has closed, each within the second.
    async fn shut(&self, token: &str, doors: Doors) {
        let since = Instant::now();
        let Doors { mut socket, mut events } = doors;
        let http = async {
            while self.may(token).await {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            since.elapsed()
        };
        let socket = async {
            loop {
                let message = socket.next().await;
                if message["type"] == "close" {
                    assert_eq!(message["code"], 4403, "{message:#}");
                    return since.elapsed();
                }
            }
        };
        let events = async {
            while events.chunk().await.expect("a clean end").is_some() {}
            since.elapsed()
        };
        let all = async { tokio::join!(http, socket, events) };
        let (http, socket, events) = tokio::time::timeout(WITHIN * 10, all).await.expect("closed at all");
        for (door, after) in [("HTTP", http), ("the socket", socket), ("the event stream", events)] {
            assert!(after < WITHIN, "{door} closed after {after:?}");
        }
    }
}

#[tokio::test]
async fn signing_out_ends_everything_of_the_session_within_a_second_and_no_other_session() {
    let two = two().await;
    let (token, other) = (two.sign_in().await, two.sign_in().await);
    let doors = two.open(&token).await;
    two.here.ask(&token, "mutation { signOut { signedOut } }", json!({})).await;
    two.shut(&token, doors).await;
    assert!(two.may(&other).await && two.may(&two.owner).await);
}

#[tokio::test]
async fn a_session_that_its_person_ends_is_over_within_a_second() {
    let two = two().await;
    let (token, other) = (two.sign_in().await, two.sign_in().await);
    let doors = two.open(&token).await;
    let sessions = "{ viewer { sessions { sessionId current device companyName } } }";
    let sessions = two.here.ask(&token, sessions, json!({})).await["viewer"]["sessions"].clone();
    let own = sessions.as_array().expect("sessions").iter().find(|session| session["current"] == true);
    let id = own.expect("the session that asks")["sessionId"].clone();
    let end =
        "mutation($input: EndSessionInput!) { endSession(input: $input) { ended userErrors { code } } }";
    let ended = two.here.ask(&other, end, json!({"input": {"sessionId": id}})).await;
    assert_eq!(ended["endSession"]["ended"], 1, "{ended:#}");
    two.shut(&token, doors).await;
    assert!(two.may(&other).await);
    // Nobody ends a session of somebody else, or is told that there is one.
    let refused = two.here.ask(&two.owner, end, json!({"input": {"sessionId": id}})).await;
    assert_eq!(refused["endSession"]["userErrors"], json!([{"code": "NOT_FOUND"}]), "{refused:#}");
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions_within_a_second() {
    let two = two().await;
    let (token, other) = (two.sign_in().await, two.sign_in().await);
    let doors = two.open(&token).await;
    let change = "mutation($input: ChangePasswordInput!) { changePassword(input: $input) { userErrors { code message } } }";
    let input = json!({"currentPassword": PASSWORD, "newPassword": "quite another sentence to keep", "endOtherSessions": true});
    let changed = two.here.ask(&other, change, json!({"input": input})).await;
    assert_eq!(changed["changePassword"]["userErrors"], json!([]), "{changed:#}");
    two.shut(&token, doors).await;
}

#[tokio::test]
async fn a_removed_member_is_out_within_a_second() {
    let two = two().await;
    let token = two.sign_in().await;
    let (version, doors) = (two.version().await, two.open(&token).await);
    two.change("removeMember(input: $input)", json!({"memberId": two.member, "expectedVersion": version}))
        .await;
    two.shut(&token, doors).await;
}

#[tokio::test]
async fn a_suspended_member_is_out_within_a_second_and_signs_in_anew_when_let_in() {
    let two = two().await;
    let token = two.sign_in().await;
    let (version, doors) = (two.version().await, two.open(&token).await);
    two.change("suspendMember(input: $input)", json!({"memberId": two.member, "expectedVersion": version}))
        .await;
    two.shut(&token, doors).await;
    let version = two.version().await;
    two.change(
        "reactivateMember(input: $input)",
        json!({"memberId": two.member, "expectedVersion": version}),
    )
    .await;
    assert!(two.may(&two.sign_in().await).await, "who is let in signs in");
    assert!(!two.may(&token).await, "what has ended stays so");
}

#[tokio::test]
async fn a_lost_right_is_lost_within_a_second() {
    let two = two().await;
    let token = two.sign_in().await;
    let (version, doors) = (two.version().await, two.open(&token).await);
    let input = json!({"memberId": two.member, "expectedVersion": version, "role": "sales"});
    two.change("changeRole(input: $input)", input).await;
    two.shut(&token, doors).await;
    // The member is still there, with the rights of now.
    let mut socket = Client::connect_to(&two.there.url, Some(&token)).await;
    assert_eq!(socket.next().await["type"], "connection_ack");
}

#[tokio::test]
async fn a_revoked_key_is_dead_within_a_second() {
    let two = two().await;
    let create = "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { id } secret userErrors { message } } }";
    let input = json!({"name": "P", "permissions": ["kpi.read", "members.read"]});
    let made = two.here.ask(&two.owner, create, json!({"input": input})).await["createApiKey"].clone();
    let (id, token) = (made["apiKey"]["id"].clone(), text(&made["secret"]));
    let doors = two.open(&token).await;
    two.change("revokeApiKey(input: $input)", json!({"apiKeyId": id})).await;
    two.shut(&token, doors).await;
}
