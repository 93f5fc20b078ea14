//! The page on which a person reads what an application asks, chooses a company, and says yes or no.

use axum::http::StatusCode;
use axum::response::Response;
use identity::oauth::consent::{self, Asked as Who, Choice};
use identity::oauth::token;
use kernel::html::escaped;
use kernel::{Kind, id};

use super::authorize::{Asked, failed, see_other};
use super::browser::Visitor;
use super::words::{self, hidden};
use super::{masked, told};
use crate::edge::Edge;

fn who(visitor: &Visitor) -> Who {
    let principal = &visitor.principal;
    let only = principal.confined.then_some(principal.company.id);
    Who { person: visitor.person, assurance: principal.assurance, only }
}

/// Asks.
pub(super) async fn page(edge: &Edge, asked: &Asked, visitor: &Visitor) -> Response {
    let (auth, words) = (&edge.app.auth, asked.words);
    let found = async {
        let person = identity::person::service::by_id(auth, visitor.person).await?;
        let choices = consent::choices(auth, who(visitor), &asked.client, asked.wanted).await?;
        Ok((person, choices, visitor.form_token(edge, &asked.query)?))
    };
    let (person, choices, form) = match found.await {
        Ok(found) => found,
        Err(fault) => return failed(words, &fault),
    };
    let named = person.map(|person| format!("{} ({})", person.name, person.email)).unwrap_or_default();
    let client = &asked.client;
    let scopes: Vec<String> = asked.wanted.iter().map(|scope| escaped(words.meaning(scope))).collect();
    let scopes = scopes.join("</li><li>");
    let yes = if choices.is_empty() {
        words::alert(Some(words.nothing))
    } else {
        format!("{}<p><small>{}</small></p>", companies(words.where_to, &choices), escaped(words.no_more))
    };
    let approve = if choices.is_empty() {
        String::new()
    } else {
        format!("<button name=\"action\" value=\"approve\">{}</button> ", escaped(words.approve))
    };
    let carried = format!("{}{}", hidden("request", &asked.query), hidden("form", &form));
    let html = format!(
        "<p>{}</p><p>{}<br><a href=\"{}\" rel=\"noopener noreferrer\">{}</a></p><p>{}</p><ul><li>{scopes}</li></ul>\
         <form method=\"post\" action=\"/oauth/authorize\">{carried}{yes}{approve}\
         <button class=\"plain\" name=\"action\" value=\"deny\">{}</button></form>\
         <hr><form method=\"post\" action=\"/oauth/authorize\">{carried}<p>{} <strong>{}</strong>. \
         <button class=\"link\" name=\"action\" value=\"sign_out\">{}</button></p></form>",
        words.wants(&client.name),
        words.registered_by(&client.company_name, client.is_test),
        escaped(&client.homepage),
        escaped(&client.homepage),
        escaped(words.what),
        escaped(words.deny),
        escaped(words.signed_in_as),
        escaped(&named),
        escaped(words.not_you),
    );
    words::page(words, words.title, StatusCode::OK, &html, Some(&asked.authorization.redirect_uri))
}

/// The companies to choose from; nothing is chosen beforehand, unless there is but one.
fn companies(legend: &str, choices: &[Choice]) -> String {
    let one = choices.len() == 1;
    let choice = |choice: &Choice| {
        let name = if choice.is_test { format!("{} (test)", choice.name) } else { choice.name.clone() };
        format!(
            "<label><input type=\"radio\" name=\"company\" value=\"{}\" required{}> {}</label>",
            id::encode(Kind::Company, choice.company),
            if one { " checked" } else { "" },
            escaped(&name),
        )
    };
    let listed: String = choices.iter().map(choice).collect();
    format!("<fieldset><legend>{}</legend>{listed}</fieldset>", escaped(legend))
}

/// The person said yes: the application gets its code.
pub(super) async fn approve(edge: &Edge, asked: &Asked, visitor: &Visitor, company: &str) -> Response {
    let (auth, authorization) = (&edge.app.auth, &asked.authorization);
    let Ok(company) = id::decode(Kind::Company, company) else {
        return words::refused(asked.words, asked.words.nothing, StatusCode::BAD_REQUEST);
    };
    let origin = asked.origin.clone();
    let given = consent::give(auth, who(visitor), &asked.client, company, asked.wanted, origin).await;
    let refused = |refusal| see_other(&authorization.refused(auth.issuer(), &refusal));
    let given = match given {
        Ok(given) => given,
        Err(failure) => return refused(told(failure)),
    };
    let code =
        token::issue_code(auth, &asked.client, &given, &authorization.redirect_uri, &authorization.challenge);
    match code.await {
        Ok(code) => see_other(&authorization.granted(auth.issuer(), &code)),
        Err(fault) => refused(masked(&fault)),
    }
}
