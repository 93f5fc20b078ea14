//! Applications of partners: what they are let do, and the tokens that follow from it (RFC 6749, RFC 9700).

mod applications;
mod attacks;
mod keys;
mod lives;

use authority::{Challenge, Code, TokenAnswer};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identity::member::service as members;
use identity::oauth::Failure;
use identity::oauth::client::{Client, ClientKind, GrantType, NewClient, directory, service as clients};
use identity::oauth::consent::{self, Asked, Given};
use identity::oauth::token;
use identity::{Assurance, Authenticator, Error, Role};
use kernel::{Actor, Kind, Origin, Permission, PermissionSet, Scope};
use sha2::{Digest, Sha256};
use testing::TestDb;
use uuid::Uuid;

use crate::founding::{authenticator, found, sign_in};

const ISSUER: &str = "https://books.example";
const CALLBACK: &str = "https://till.example/cb";
const VERIFIER: &str = "a verifier is 43 to 128 unreserved characters";

/// A verifier in the grammar: no spaces.
fn verifier() -> String {
    VERIFIER.replace(' ', "-")
}

fn challenge() -> Challenge {
    let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier()));
    Challenge::parse(Some(&digest), Some("S256")).expect("a challenge")
}

fn set(permissions: &[Permission]) -> PermissionSet {
    permissions.iter().copied().collect()
}

/// Ada's company, and a partner's, which registers applications.
struct World {
    test: TestDb,
    company: Uuid,
    ada: Uuid,
    owner: Scope,
    partner: Scope,
}

impl World {
    async fn new() -> Self {
        let test = TestDb::new().await;
        let auth = authenticator(&test);
        let company = found(&auth, "ada@example.com", "A").await.expect("founded");
        let partner = found(&auth, "pat@example.com", "Partner").await.expect("founded");
        let person = async |email| sign_in(&auth, email, None).await.expect("opened").person_id;
        let (ada, pat) = (person("ada@example.com").await, person("pat@example.com").await);
        let partner = test.scope(partner, Actor::Person(pat), PermissionSet::all());
        let owner = test.scope(company, Actor::Person(ada), PermissionSet::all());
        Self { test, company, ada, owner, partner }
    }

    /// As another replica would see it: with nothing remembered.
    fn auth(&self) -> Authenticator {
        authenticator(&self.test).issued_by(ISSUER)
    }

    async fn register(&self, new: NewClient) -> Result<(Client, String), Error> {
        let secret = clients::generate_secret();
        let id = self.partner.write(|tx| {
            let (new, secret) = (new.clone(), secret.clone());
            Box::pin(async move { clients::register(tx, new, &secret).await })
        });
        let public = kernel::id::encode(Kind::Application, id.await?);
        let client = directory::find(&self.auth(), &public).await?.expect("it is registered");
        Ok((client, secret))
    }

    /// An application that acts for people.
    async fn till(&self) -> Client {
        self.register(till()).await.expect("registered").0
    }

    async fn consent_of(
        &self,
        person: Uuid,
        client: &Client,
        wanted: &[Permission],
    ) -> Result<Given, Failure> {
        let asked = Asked { person, assurance: Assurance::Password, only: None };
        consent::give(&self.auth(), asked, client, self.company, set(wanted), Origin::default()).await
    }

    async fn code(&self, client: &Client) -> String {
        let given = self.consent_of(self.ada, client, &READS).await.expect("granted");
        token::issue_code(&self.auth(), client, &given, CALLBACK, &challenge()).await.expect("a code")
    }

    async fn redeem(&self, client: &Client, code: &str) -> Result<TokenAnswer, Failure> {
        token::redeem(&self.auth(), client, code, &verifier(), Some(CALLBACK)).await
    }

    async fn refresh(&self, client: &Client, token: &str) -> Result<TokenAnswer, Failure> {
        token::refresh(&self.auth(), client, token, None).await
    }

    /// The tokens of a grant.
    async fn tokens_of(&self, client: &Client, given: &Given) -> TokenAnswer {
        let (auth, challenge) = (self.auth(), challenge());
        let code = token::issue_code(&auth, client, given, CALLBACK, &challenge).await.expect("a code");
        self.redeem(client, &code).await.expect("tokens")
    }

    /// The tokens of a consent of Ada's.
    async fn tokens(&self, client: &Client) -> TokenAnswer {
        self.redeem(client, &self.code(client).await).await.expect("tokens")
    }

    /// What an access token may do now; nothing when it stands for nobody.
    async fn rights(&self, access_token: &str) -> PermissionSet {
        let found = self.auth().current(access_token, None).await.expect("looked up");
        found.map(|principal| principal.permissions).unwrap_or_default()
    }

    /// Makes somebody a member of Ada's company; the person and the membership.
    async fn member(&self, email: &str, role: Role) -> (Uuid, Uuid) {
        let auth = self.auth();
        found(&auth, email, "Own").await.expect("founded");
        let person = sign_in(&auth, email, None).await.expect("opened").person_id;
        let add = self.owner.write(|tx| Box::pin(async move { members::add_in(tx, person, role).await }));
        let membership = add.await;
        (person, membership.expect("added"))
    }
}

const READS: [Permission; 2] = [Permission::KpiRead, Permission::InvoicingRead];

fn till() -> NewClient {
    NewClient {
        name: "Till".into(),
        homepage: "https://till.example".into(),
        kind: ClientKind::Confidential,
        grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        redirect_uris: vec![CALLBACK.into()],
        permissions: set(&READS),
        jwks: None,
    }
}

/// An application that acts for itself.
fn machine() -> NewClient {
    NewClient { grant_types: vec![GrantType::ClientCredentials], redirect_uris: Vec::new(), ..till() }
}

/// The code of a refusal.
fn refused<T: std::fmt::Debug>(result: Result<T, Failure>) -> Code {
    match result {
        Err(Failure::Refused(refusal)) => refusal.code,
        other => panic!("{other:?}"),
    }
}
