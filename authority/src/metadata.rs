//! What clients can find out by themselves (RFC 8414).

use serde_json::{Value, json};

/// The addresses of a server.
#[derive(Clone, Debug)]
pub struct Endpoints<'a> {
    /// Who signs: the server's public address, without a slash at the end.
    pub issuer: &'a str,
    /// Where browsers are sent.
    pub authorize: &'a str,
    /// Where tokens are given.
    pub token: &'a str,
    /// Where they are taken back.
    pub revoke: &'a str,
    /// Where they are explained.
    pub introspect: &'a str,
    /// Where the keys are.
    pub jwks: &'a str,
    /// Where a developer reads on.
    pub documentation: Option<&'a str>,
}

/// The metadata document.
pub fn metadata<'s>(endpoints: &Endpoints<'_>, scopes: impl Iterator<Item = &'s str>) -> Value {
    let methods = ["client_secret_basic", "client_secret_post", "private_key_jwt"];
    let with_none: Vec<&str> = methods.into_iter().chain(["none"]).collect();
    let algorithms = ["EdDSA", "ES256", "PS256", "RS256"];
    let mut document = json!({
        "issuer": endpoints.issuer,
        "authorization_endpoint": endpoints.authorize,
        "token_endpoint": endpoints.token,
        "revocation_endpoint": endpoints.revoke,
        "introspection_endpoint": endpoints.introspect,
        "jwks_uri": endpoints.jwks,
        "scopes_supported": scopes.collect::<Vec<_>>(),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
        "token_endpoint_auth_methods_supported": with_none,
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "revocation_endpoint_auth_methods_supported": with_none,
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
        "introspection_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    });
    if let (Some(page), Some(document)) = (endpoints.documentation, document.as_object_mut()) {
        document.insert("service_documentation".to_owned(), page.into());
    }
    document
}
