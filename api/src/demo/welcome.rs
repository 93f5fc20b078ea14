//! What the demo tells: for people on the screen and in the console, for programs in `demo.json`.

use std::io::IsTerminal;
use std::process::{Command, Stdio};

use identity::api_key::service::{self as keys, NewApiKey};
use identity::session::service::{self as session, How};
use identity::{Assurance, Authenticator, Role};
use kernel::{Kind, Origin, id};
use serde::Serialize;

use super::people::House;
use super::place::Place;
use super::story::Cast;
use crate::server::Failure;

/// The file for programs that want to try the demo.
#[derive(Serialize)]
struct DemoFile<'a> {
    graphql_url: String,
    ws_url: String,
    /// Answers events to who accepts `text/event-stream`.
    sse_url: String,
    /// The letters that a live service would send.
    outbox_url: String,
    pid: u32,
    companies: Vec<Company<'a>>,
}

#[derive(Serialize)]
struct Company<'a> {
    id: String,
    name: &'a str,
    session_token: String,
    api_key: String,
    users: Vec<User<'a>>,
}

#[derive(Serialize)]
struct User<'a> {
    email: &'a str,
    password: &'a str,
    role: &'static str,
}

/// What the console's page shows to who is not signed in.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SignIns<'a> {
    sign_ins: Vec<SignIn<'a>>,
}

#[derive(Serialize)]
struct SignIn<'a> {
    company: &'a str,
    #[serde(flatten)]
    user: User<'a>,
}

fn users(house: &House) -> impl Iterator<Item = User<'_>> {
    house.people.iter().map(|p| User { email: &p.email, password: &p.password, role: p.role.as_str() })
}

/// The sign-ins as the console's page reads them, in JSON.
pub(super) fn sign_ins(houses: &[(&'static Cast, House)]) -> Result<Vec<u8>, Failure> {
    let mut sign_ins = Vec::new();
    for (cast, house) in houses {
        sign_ins.extend(users(house).map(|user| SignIn { company: cast.name, user }));
    }
    Ok(serde_json::to_vec(&SignIns { sign_ins })?)
}

/// Opens the console, where somebody sits before the screen.
pub(super) fn open(url: &str) {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let (program, display) = if cfg!(target_os = "macos") {
        ("open", !set("SSH_CONNECTION"))
    } else {
        ("xdg-open", set("DISPLAY") || set("WAYLAND_DISPLAY"))
    };
    if !display || !std::io::stdout().is_terminal() {
        return;
    }
    let quiet = || Stdio::null();
    let started = Command::new(program).arg(url).stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn();
    // Without such a program there is the address on the screen. Whoever starts one takes note of its end.
    if let Ok(mut browser) = started {
        std::thread::spawn(move || browser.wait());
    }
}

/// Signs in and says how to try it.
pub(super) async fn tell(
    auth: &Authenticator,
    place: &Place,
    url: &str,
    houses: &[(&'static Cast, House)],
) -> Result<(), Failure> {
    let mut companies = Vec::new();
    for (cast, house) in houses {
        let owner = house
            .people
            .iter()
            .find(|person| person.role == Role::Owner)
            .ok_or("a demo company lost its owner: remove .coulisse to start afresh")?;
        let opened = session::open(
            auth,
            owner.id,
            Some(house.company.id),
            How::shown(Assurance::Password),
            Origin::default(),
        )
        .await?;
        companies.push(Company {
            id: id::encode(Kind::Company, house.company.id),
            name: cast.name,
            session_token: opened.token,
            api_key: api_key(auth, house).await?,
            users: users(house).collect(),
        });
    }
    let ws = url.replacen("http", "ws", 1);
    let file = DemoFile {
        graphql_url: format!("{url}/graphql"),
        ws_url: format!("{ws}/graphql/ws"),
        sse_url: format!("{url}/graphql"),
        outbox_url: format!("{url}/outbox"),
        pid: std::process::id(),
        companies,
    };
    place.write("demo.json", &serde_json::to_vec_pretty(&file)?)?;
    print(&file, url, place);
    Ok(())
}

/// A key of this start; the keys of earlier starts are revoked, for their secrets are nowhere any more.
async fn api_key(auth: &Authenticator, house: &House) -> Result<String, Failure> {
    const NAME: &str = "Demo partner";
    let owner = house.scope(auth, Role::Owner);
    let secret = keys::generate_secret(kernel::Mode::Live);
    let given = secret.clone();
    owner
        .write(|tx| {
            let secret = given.clone();
            Box::pin(async move {
                for old in
                    keys::list(tx).await?.iter().filter(|key| key.name == NAME && key.revoked_at.is_none())
                {
                    keys::revoke(tx, old.id).await?;
                }
                let permissions = Role::Accountant.permissions();
                keys::create(
                    tx,
                    NewApiKey { name: NAME.to_owned(), permissions, expires_at: None, networks: Vec::new() },
                    &secret,
                )
                .await
            })
        })
        .await?;
    Ok(secret)
}

fn print(file: &DemoFile<'_>, url: &str, place: &Place) {
    println!("\nCoulisse is live: open {url} and sign in as one of these.\n");
    for company in &file.companies {
        println!("  {}  ({})", company.name, company.id);
        for user in &company.users {
            println!("    {:<24} {:<24} {}", user.email, user.password, user.role);
        }
        println!("    API key   {}", company.api_key);
        println!("    GraphiQL  {url}/graphql#token={}\n", company.session_token);
    }
    println!("  Letters   {}   (kept here and not sent)\n", file.outbox_url);
    let Some(first) = file.companies.first() else { return };
    println!("Try it:\n");
    println!("  curl -s {} \\", file.graphql_url);
    println!("    -H 'Authorization: Bearer {}' -H 'Content-Type: application/json' \\", first.api_key);
    println!("    -d '{{\"query\":\"{{ company {{ name }} kpis {{ kpis {{ key label }} }} }}\"}}'\n");
    println!("and the figures, live, in GraphiQL's tab “Figures”, or over {}:\n", file.ws_url);
    println!(
        "  subscription {{ kpis {{ revision snapshot kpis {{ key value {{ number amounts {{ amount currency }} }} }} }} }}\n"
    );
    println!("  curl -sN {} -H 'Accept: text/event-stream' \\", file.sse_url);
    println!("    -H 'Authorization: Bearer {}' -H 'Content-Type: application/json' \\", first.api_key);
    println!("    -d '{{\"query\":\"subscription {{ kpis {{ revision kpis {{ key }} }} }}\"}}'\n");
    println!("For programs: {}   Ctrl-C ends everything.", place.demo_file().display());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::people::Person;
    use crate::demo::story::CAST;

    #[test]
    fn the_console_is_told_every_sign_in_with_its_company() {
        let person = Person {
            id: uuid::Uuid::nil(),
            email: "olivia@lumen.example".to_owned(),
            password: "coulisse demo olivia".to_owned(),
            role: Role::Owner,
        };
        let house = House { company: crate::demo::people::facts(uuid::Uuid::nil()), people: vec![person] };
        let told = sign_ins(&[(&CAST[0], house)]).expect("JSON");
        let told: serde_json::Value = serde_json::from_slice(&told).expect("JSON");
        let first = serde_json::json!({"company": CAST[0].name, "email": "olivia@lumen.example",
            "password": "coulisse demo olivia", "role": "owner"});
        assert_eq!(told, serde_json::json!({ "signIns": [first] }));
    }
}
