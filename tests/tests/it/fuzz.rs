//! L1 by brute force: as one company, every argument of the schema is filled with what another company owns.
//!
//! The asking company lives in two worlds (see `fuzz/worlds.rs`): in one the hidden company exists, in the other it
//! never did. A call that answers differently in the two *shows* something of the hidden company, or *tells* that it
//! is there; a call after which the hidden company's rows are not what they were has *changed* it. An id of the hidden
//! company is, in the second world, just an unknown id of the same kind: so the comparison is the one of "foreign"
//! with "unknown", to the letter, and it needs no list of what may differ.
//!
//! What it cannot see: how long an answer takes; what only another role or an API key is let see; what needs two
//! requests at the same moment, or a company that works meanwhile; holes below the graph (files by signed links, the
//! pages for customers); people, who belong to no company; and a refusal that comes before the hole, in a call that the filling does not get past (`STUCK`).
//!
//! `COULISSE_FUZZ_SEED` and `COULISSE_FUZZ_CALLS` change the chance and the length of the random part.

mod dice;
mod letter;
mod loot;
mod own;
mod plants;
mod seed;
mod worlds;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Value, json};

use dice::Dice;
use loot::Loot;
use own::Own;
use plants::PLANTS;
use worlds::{Both, Deployment, Seeded};

use crate::walk::{Call, Given, Place, Schema, Target, kind_of_type};

/// How much is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub seed: u64,
    /// Calls with values at random places, after every place has had its turn.
    pub random: usize,
    /// Values of the hidden company in each place.
    pub values: usize,
    /// Whether own ids are tried as well, to tell where an own one answers as an unknown one.
    pub sight: bool,
    /// Findings after which nothing more is asked.
    pub enough: usize,
}

impl Default for Effort {
    fn default() -> Self {
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
        Self {
            seed: number("COULISSE_FUZZ_SEED").unwrap_or(20_260_615),
            random: number("COULISSE_FUZZ_CALLS").and_then(|n| usize::try_from(n).ok()).unwrap_or(1_500),
            values: 2,
            sight: true,
            enough: 20,
        }
    }
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    /// Something of the hidden company is in the answer.
    Shown,
    /// The answer tells that the hidden company has this.
    Told,
    /// Rows of the hidden company changed.
    Changed,
}

/// A hole.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub field: String,
    pub place: String,
    pub what: What,
    pub detail: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}] {:?}: {}", self.field, self.place, self.what, self.detail)
    }
}

/// What a run found, and what it could not try.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub findings: Vec<Finding>,
    /// Places of ids where an own id answers as an unknown one does: there the run proves nothing.
    pub blind: Vec<String>,
    /// Mutations whose call is refused whatever is tried.
    pub stuck: Vec<String>,
    pub calls: usize,
}

/// Most things of a kind that are asked for one by one.
const EACH: usize = 12;

/// Mutations that cannot be done on any day (a year is closed once it is over, its periods in their order); those of who has
/// a letter's link, whose token is nobody's but the mailbox's; and those that need what the filling cannot have: a code, a
/// device, a provider, a domain's records, the present password, another owner, a figure that is being filled just now. What these show and change across
/// companies is held by the tests of each. This list only shrinks.
const STUCK: [&str; 34] = [
    "acceptInvitation",
    "approveAccessRequest",
    "archiveRole",
    "archiveSsoProvider",
    "beginPasskey",
    "beginPasskeySignIn",
    "beginTotp",
    "changePassword",
    "changeRole",
    "claimDomain",
    "closeFiscalYear",
    "closePeriod",
    "completeSignIn",
    "confirmEmail",
    "confirmTotp",
    "createSsoProvider",
    "finishPasskey",
    "linkIdentity",
    "redeemHandoff",
    "rejectAccessRequest",
    "releaseDomain",
    "removePasskey",
    "removeTotp",
    "renamePasskey",
    "renewRecoveryCodes",
    "requestPasswordReset",
    "resetPassword",
    "signInWithPasskey",
    "unlinkIdentity",
    "updateDomain",
    "updateRole",
    "updateSsoProvider",
    "verifyDomain",
    "withdrawKpiVersion",
];

/// Places that are reached with a device in hand only, and what `endOtherSessions` has ended before. This list only shrinks.
const BLIND: [&str; 2] = ["signInWithPasskey input.companyId", "endSession input.sessionId"];

/// Fields that would end the asking company's session.
const LEFT_OUT: [&str; 1] = ["signOut"];

struct Run<'d, 's> {
    deployment: &'d mut Deployment<'s>,
    schema: Schema,
    own: Own<'s>,
    loot: Loot,
    secret: BTreeSet<String>,
    /// What the asking company has written itself, and may see again.
    written: String,
    rows: BTreeMap<String, String>,
    /// A digest of the hidden company's rows.
    before: BTreeMap<String, Option<String>>,
    dice: Dice,
    effort: Effort,
    report: Report,
}

/// Asks everything, and reports every hole that the answers show.
pub(crate) async fn run(deployment: &mut Deployment<'_>, effort: Effort) -> Report {
    let seeded = deployment.seeded;
    let schema = Schema::of(deployment.server(), &seeded.asking.house.token).await;
    let mut loot = Loot::of(deployment.server(), &schema, &seeded.hidden).await;
    let known = Loot::of(deployment.lonely(), &schema, &seeded.asking).await;
    loot.without_ids_of(&known);
    for kind in crate::house::ALL_KINDS.into_iter().chain(["posting"]) {
        assert!(loot.ids.contains_key(kind), "the hidden company shows no {kind}: {:?}", loot.ids.keys());
    }
    let secret = loot.distinctive(&known);
    assert!(secret.iter().any(|text| text.contains(seed::HIDDEN.word)));
    let rows = deployment.rows().await;
    let (own, dice) = (Own::new(&seeded.asking), Dice::new(effort.seed));
    let (written, before, report) = (String::new(), BTreeMap::new(), Report::default());
    let mut run = Run { deployment, schema, own, loot, secret, written, rows, before, dice, effort, report };
    run.before = seeded.hidden.house.rows(run.deployment.server()).await;
    run.every_place().await;
    if effort.random > 0 {
        run.hidden_company_works().await;
        run.random_places().await;
    }
    // Whatever the marks of transactions say: in the end each row reads as it did.
    if seeded.hidden.house.rows(run.deployment.server()).await != run.before && run.report.findings.is_empty()
    {
        run.found("", "", What::Changed, "some row, and no call is known to have done it".to_owned());
    }
    run.report
}

impl Run<'_, '_> {
    /// Every field of the roots, and every field within that takes arguments.
    fn targets(&self) -> Vec<Target> {
        let roots = ["Subscription", "Query", "Mutation"].map(|root| {
            let fields =
                self.schema.fields(root).into_iter().filter(|field| !LEFT_OUT.contains(&field.as_str()));
            fields.map(|field| Target::root(root, &field)).collect::<Vec<_>>()
        });
        let [subscriptions, queries, mutations] = roots;
        let mut targets = [subscriptions, queries].concat();
        for (owner, field) in self.schema.inner_fields() {
            if field["args"].as_array().is_none_or(Vec::is_empty) {
                continue;
            }
            let way = match self.own.of_kind(&kind_of_type(owner)) {
                Some(id) => (format!("node(id: \"{id}\") {{ ... on {owner} {{"), "} }".to_owned()),
                None => self.schema.way_to(owner).unwrap_or_else(|| {
                    panic!("{owner}.{} takes arguments, and the fuzz has no way to it", field["name"])
                }),
            };
            let field = field["name"].as_str().expect("name").to_owned();
            targets.push(Target { operation: "query".to_owned(), owner: owner.to_owned(), field, way });
        }
        targets.extend(mutations);
        targets
    }

    fn is_enough(&self) -> bool {
        self.report.findings.len() >= self.effort.enough
    }

    async fn every_place(&mut self) {
        for target in self.targets() {
            if self.is_enough() {
                return;
            }
            let plain = self.compare(&target, &Given::new(), None).await;
            let mut done = is_done(&target, &plain);
            for place in self.schema.places(&target) {
                done |= self.place(&target, &place).await;
            }
            if target.operation == "mutation" && !done {
                self.report.stuck.push(target.name());
            }
            self.check_rows(&target.name(), "").await;
        }
    }

    /// Tries one place with what fits there; whether any call was done and not refused.
    async fn place(&mut self, target: &Target, place: &Place) -> bool {
        let thing = self.schema.thing(target);
        let mut values = self.loot.fitting(&thing, place, self.effort.values, &mut self.dice);
        if target.operation == "query" && place.path == "id" {
            // A thing's own field is asked for each thing: a hole may be there for some rows only.
            let own = self.loot.ids.get(&kind_of_type(&thing));
            values.extend(own.into_iter().flatten().take(EACH).map(|id| json!(id)));
        }
        let mut unknown = None;
        for value in values {
            let mut plain = Given::from([(place.path.clone(), value.clone())]);
            plain.extend(Own::beside(&place.path).map(|(path, value)| (path.to_owned(), json!(value))));
            let mut ways = vec![plain];
            if let Some(list) = self.schema.list_before(target, &place.path) {
                let second = place.path.replacen(&list, &format!("{list}.1"), 1);
                ways.push(Given::from([(second, value.clone())]));
            }
            for given in ways {
                let both = self.compare(target, &given, None).await;
                unknown = unknown.or(Some((both.without, value.clone())));
            }
        }
        let Some((unknown, value)) = unknown.filter(|_| self.effort.sight && place.type_name == "ID") else {
            return false;
        };
        let unknown = unnamed(&unknown, value.as_str().unwrap_or_default());
        for id in self.own.candidates(target, place) {
            let given = Given::from([(place.path.clone(), json!(id))]);
            let both = self.compare(target, &given, None).await;
            if unnamed(&both.without, &id) != unknown {
                return is_done(target, &both);
            }
        }
        self.report.blind.push(format!("{} {}", target.name(), place.path));
        false
    }

    /// The hidden company does what it can, once: from then on what it does meanwhile could be told as well.
    async fn hidden_company_works(&mut self) {
        let house = &self.deployment.seeded.hidden.house;
        let mut done = 0;
        for field in
            self.schema.fields("Mutation").into_iter().filter(|field| !LEFT_OUT.contains(&field.as_str()))
        {
            let call = self.schema.plain("Mutation", &field, &house.ids);
            let server = self.deployment.server();
            let (_, answer) = server.send(Some(&house.token), None, &call.document, call.variables).await;
            done += usize::from(answer["data"][&field]["userErrors"] == json!([]));
        }
        assert!(done >= 8, "the hidden company has done {done} things");
        self.rows = self.deployment.rows_at_rest().await;
        self.before = house.rows(self.deployment.server()).await;
    }

    async fn random_places(&mut self) {
        let targets = self.targets();
        for _ in 0..self.effort.random {
            if self.is_enough() {
                return;
            }
            let target = self.dice.of(&targets).clone();
            let thing = self.schema.thing(&target);
            let second = self.dice.one_in(4);
            let mut given = Given::new();
            for place in self.schema.places(&target) {
                if !place.required && !self.dice.one_in(3) {
                    continue;
                }
                let fitting = self.loot.fitting(&thing, &place, 1, &mut self.dice);
                let value = match self.dice.below(10) {
                    0..=3 if !fitting.is_empty() => Some(self.dice.of(&fitting).clone()),
                    4 if place.type_name == "String" || place.type_name == "ID" => {
                        Some(self.loot.any_text(&mut self.dice)).filter(|_| place.leaf() != "token")
                    }
                    5 if place.type_name == "ID" => {
                        let own = self.own.candidates(&target, &place);
                        (!own.is_empty()).then(|| json!(self.dice.of(&own)))
                    }
                    6 => self
                        .schema
                        .enum_values(&place.type_name)
                        .map(|values| self.dice.of(values)["name"].clone()),
                    _ => None,
                };
                let list = self.schema.list_before(&target, &place.path).filter(|_| second);
                let path = list
                    .map_or(place.path.clone(), |list| place.path.replacen(&list, &format!("{list}.1"), 1));
                let beside = value.as_ref().and_then(|_| Own::beside(&place.path));
                given.extend(beside.map(|(path, value)| (path.to_owned(), json!(value))));
                given.extend(value.map(|value| (path, value)));
            }
            let keyed = target.operation == "mutation" && self.dice.one_in(2);
            let key = keyed.then(|| *self.dice.of(&[seed::KEY, "a key of one's own"]));
            self.compare(&target, &given, key).await;
            if target.operation == "mutation" {
                self.check_rows(&target.name(), "some").await;
            }
        }
    }

    /// Asks both worlds, and keeps what differs.
    async fn compare(&mut self, target: &Target, given: &Given, key: Option<&str>) -> Both {
        self.own.turn();
        let mut call = self.schema.call(target, given, &self.own);
        if let Some(version) = self.version(target, given, &call).await {
            call.variables["input"]["expectedVersion"] = version;
        }
        self.report.calls += 1;
        if target.operation == "mutation" {
            self.written += &call.variables.to_string();
        }
        let both = self.deployment.ask(key, &call.document, &call.variables).await;
        assert!(
            both.with["status"] != 401,
            "the asking company lost its session before {} {}: {}",
            call.document,
            call.variables,
            both.with
        );
        if both.with != both.without {
            let sent = call.variables.to_string();
            let with = both.with.to_string();
            let known = |text: &String| sent.contains(text.as_str()) || self.written.contains(text.as_str());
            let shown = self.secret.iter().find(|text| with.contains(*text) && !known(text));
            let what = if shown.is_some() { What::Shown } else { What::Told };
            let detail = format!("{sent} answers {}", difference(&both.with, &both.without));
            self.found(&target.name(), &given.keys().cloned().collect::<Vec<_>>().join(" "), what, detail);
            if target.operation == "mutation" {
                // From here on the worlds are two: what differs later would be an echo.
                self.check_rows(&target.name(), "").await;
                self.deployment.renew().await;
                self.rows = self.deployment.rows().await;
            }
        }
        both
    }

    /// The version of the thing that a call changes: the first id of its input names it.
    async fn version(&self, target: &Target, given: &Given, call: &Call) -> Option<serde_json::Value> {
        if given.contains_key("input.expectedVersion") || call.variables["input"]["expectedVersion"].is_null()
        {
            return None;
        }
        let places = self.schema.places(target);
        let main = places.iter().find(|place| place.type_name == "ID" && place.path.split('.').count() == 2);
        let Some(main) = main else {
            let way = self.schema.way_to(&self.schema.thing(target))?;
            return self.deployment.version_of_the_one(&way).await;
        };
        let about = call.variables["input"][main.leaf()].as_str()?;
        let type_name = self.schema.node_type(about.rsplit_once('_')?.0)?;
        self.deployment.version(about, type_name).await
    }

    fn found(&mut self, field: &str, place: &str, what: What, detail: String) {
        let known = self.report.findings.iter().any(|found| found.field == field && found.what == what);
        if !known {
            let (field, place) = (field.to_owned(), place.to_owned());
            self.report.findings.push(Finding { field, place, what, detail });
        }
    }

    /// Holds the hidden company's rows against what they were.
    async fn check_rows(&mut self, field: &str, place: &str) {
        let rows = self.deployment.rows().await;
        let changed: Vec<_> =
            rows.iter().filter(|(table, rows)| self.rows.get(*table) != Some(rows)).collect();
        if !changed.is_empty() {
            let tables: Vec<_> = changed.iter().map(|(table, _)| table.as_str()).collect();
            self.found(field, place, What::Changed, format!("rows of {}", tables.join(", ")));
            self.rows = rows;
        }
    }
}

/// Whether a mutation was done and not refused.
fn is_done(target: &Target, both: &Both) -> bool {
    let payload = &both.without["data"][&target.field];
    payload.is_object() && payload["userErrors"].as_array().is_none_or(Vec::is_empty)
}

/// An answer as a text without the id that was given.
fn unnamed(answer: &Value, id: &str) -> String {
    answer.to_string().replace(id, "@id@")
}

/// The first place where two answers differ.
fn difference(one: &Value, other: &Value) -> String {
    let (one, other) = (format!("{one:#}"), format!("{other:#}"));
    let (mut ones, mut others) = (one.lines(), other.lines());
    loop {
        match (ones.next(), others.next()) {
            (None, None) => return "alike".to_owned(),
            (one, other) if one != other => {
                return format!("`{}` and alone `{}`", one.unwrap_or("").trim(), other.unwrap_or("").trim());
            }
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_another_company_is_shown_told_or_changed() {
    let seeded = Seeded::new().await;
    let mut deployment = Deployment::new(&seeded, "").await;
    let effort = Effort::default();
    let report = run(&mut deployment, effort).await;
    let findings: Vec<_> = report.findings.iter().map(ToString::to_string).collect();
    assert!(findings.is_empty(), "with seed {}:\n{}", effort.seed, findings.join("\n"));
    assert!(report.calls > 2_000, "{}", report.calls);
    assert_eq!(report.blind, BLIND, "there an own id answers as an unknown one");
    let stuck: Vec<_> = report.stuck.iter().filter(|field| !STUCK.contains(&field.as_str())).collect();
    assert!(stuck.is_empty(), "these are refused whatever is tried: say in own.rs what they need: {stuck:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_planted_hole_is_found_and_named_and_none_else() {
    let seeded = Seeded::new().await;
    let narrow = Effort { random: 0, values: 1, sight: false, ..Effort::default() };
    let wanted = std::env::var("COULISSE_FUZZ_PLANT").unwrap_or_default();
    for plant in PLANTS.iter().filter(|plant| plant.name.contains(&wanted)) {
        // What shows in many places need not be followed into all of them.
        let enough = if plant.only { narrow.enough } else { plant.seen.len() + plant.changed.len() + 6 };
        let mut deployment = Deployment::new(&seeded, plant.sql).await;
        let report = run(&mut deployment, Effort { enough, ..narrow }).await;
        let told: Vec<_> = report.findings.iter().map(ToString::to_string).collect();
        let told = format!("{}:\n{}", plant.name, told.join("\n"));
        let named = |changed: bool| {
            let findings =
                report.findings.iter().filter(move |found| (found.what == What::Changed) == changed);
            findings.map(|found| found.field.as_str()).collect::<BTreeSet<_>>()
        };
        for (named, wanted) in [(named(false), plant.seen), (named(true), plant.changed)] {
            let wanted: BTreeSet<_> = wanted.iter().copied().collect();
            assert!(named.is_superset(&wanted), "{wanted:?} is not found: {told}");
            assert!(!plant.only || named == wanted, "{wanted:?} and more is found: {told}");
        }
    }
}
