//! `GET` and `POST /oauth/authorize`: a person signs in, reads what an application asks, and says yes or no.
//!
//! Every form carries the application's request as it came, and each time it is checked as if it were new: nothing is kept
//! between two pages.

use authority::{Address, Authorization, Code, Params, Refusal, Registered, Stop};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use identity::oauth::client::{Client, ClientKind, GrantType, directory};
use identity::oauth::permissions_of;
use kernel::{Fault, Origin, PermissionSet};

use super::browser::{self, Visitor};
use super::words::{self, Words};
use super::{AUTHORIZE, consent, count, form, masked, sign_in};
use crate::edge::Edge;
use crate::edge::origin::From;

/// A request of an application that makes sense, and whoever looks at it.
pub(super) struct Asked {
    /// The request as it came: the query of the address.
    pub query: String,
    pub client: Client,
    pub authorization: Authorization,
    pub wanted: PermissionSet,
    pub words: &'static Words,
    pub origin: Origin,
}

impl Asked {
    /// The address of the page, to come back to.
    pub(super) fn here(&self) -> String {
        format!("{AUTHORIZE}?{}", self.query)
    }
}

/// Shows who is signed in what is asked, and has others sign in. It changes nothing.
pub(super) async fn page(State(edge): State<Edge>, From(origin): From, request: Request<Body>) -> Response {
    let headers = request.headers();
    let asked = match read(&edge, headers, request.uri().query().unwrap_or_default(), origin).await {
        Ok(asked) => asked,
        Err(response) => return response,
    };
    match browser::visitor(&edge, headers, &asked.origin).await {
        Ok(Some(visitor)) => consent::page(&edge, &asked, &visitor).await,
        Ok(None) => sign_in::page(&asked, None),
        Err(fault) => failed(asked.words, &fault),
    }
}

/// Takes what the person has said.
pub(super) async fn submit(State(edge): State<Edge>, From(origin): From, request: Request<Body>) -> Response {
    if let Err(refused) = count(&edge, &origin).await {
        return refused;
    }
    let (parts, body) = request.into_parts();
    let words = words::of(&parts.headers);
    // OWASP ASVS 5.0, 3.5.1: a page of another site sends no form here.
    if !browser::is_own_page(&edge, &parts.headers) {
        return words::refused(words, words.elsewhere, StatusCode::FORBIDDEN);
    }
    let form = match form(&parts.headers, parts.uri.query(), body).await {
        Ok(form) => form,
        Err(refusal) => return words::refused(words, refusal.description, StatusCode::BAD_REQUEST),
    };
    let field = |name: &str| form.get(name).ok().flatten().unwrap_or_default();
    let asked = match read(&edge, &parts.headers, field("request"), origin).await {
        Ok(asked) => asked,
        Err(response) => return response,
    };
    match field("action") {
        "sign_in" => sign_in::by_password(&edge, &asked, &parts.headers, &form).await,
        "code" => sign_in::by_code(&edge, &asked, &form).await,
        action @ ("approve" | "deny" | "sign_out") => {
            let visitor = match browser::visitor(&edge, &parts.headers, &asked.origin).await {
                Ok(Some(visitor)) => visitor,
                Ok(None) => return see_other(&asked.here()),
                Err(fault) => return failed(asked.words, &fault),
            };
            if !visitor.owns(&edge, &asked.query, field("form")) {
                return words::refused(asked.words, asked.words.elsewhere, StatusCode::FORBIDDEN);
            }
            decided(&edge, &asked, &visitor, action, field("company")).await
        }
        _ => words::refused(asked.words, asked.words.failed, StatusCode::BAD_REQUEST),
    }
}

async fn decided(edge: &Edge, asked: &Asked, visitor: &Visitor, action: &str, company: &str) -> Response {
    let issuer = edge.app.auth.issuer();
    match action {
        "approve" => consent::approve(edge, asked, visitor, company).await,
        "deny" => {
            let no = Refusal::new(Code::AccessDenied, "the person said no");
            see_other(&asked.authorization.refused(issuer, &no))
        }
        _ => sign_in::out(edge, asked, visitor).await,
    }
}

/// Reads and checks the request of an application.
async fn read(edge: &Edge, headers: &HeaderMap, query: &str, origin: Origin) -> Result<Asked, Response> {
    let (auth, words) = (&edge.app.auth, words::of(headers));
    let refused = |refusal: &Refusal| words::refused(words, refusal.description, StatusCode::BAD_REQUEST);
    let params = Params::parse(query).map_err(|_| refused(&Refusal::request("the address is malformed")))?;
    let address = Address::of(&params).map_err(|refusal| refused(&refusal))?;
    let client = directory::find(auth, &address.client_id).await.map_err(|fault| failed(words, &fault))?;
    let client = client.ok_or_else(|| words::refused(words, words.unknown, StatusCode::BAD_REQUEST))?;
    let registered = Registered {
        redirect_uris: &client.redirect_uris,
        public: client.kind == ClientKind::Public,
        codes: client.gets(GrantType::AuthorizationCode),
    };
    let checked = Authorization::check(&params, &address, registered, auth.issuer());
    let authorization = checked.map_err(|stop| match stop {
        Stop::Page(refusal) => refused(&refusal),
        Stop::Redirect { uri, .. } => see_other(&uri),
    })?;
    let wanted = permissions_of(&authorization.scopes).and_then(|wanted| {
        let beyond =
            Refusal::new(Code::InvalidScope, "a scope is not one that the application has registered");
        if client.permissions.contains(wanted) { Ok(wanted) } else { Err(beyond) }
    });
    let wanted = wanted.map_err(|refusal| see_other(&authorization.refused(auth.issuer(), &refusal)))?;
    Ok(Asked { query: query.to_owned(), client, authorization, wanted, words, origin })
}

/// On to another address, by `GET` (RFC 9700, section 4.12: never 307, which would send the form along).
pub(super) fn see_other(uri: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(uri) else { return StatusCode::BAD_REQUEST.into_response() };
    let headers = [
        (header::LOCATION, location),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// The page for a fault of ours.
pub(super) fn failed(words: &'static Words, fault: &Fault) -> Response {
    let status = StatusCode::from_u16(masked(fault).status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    words::refused(words, words.failed, status)
}
