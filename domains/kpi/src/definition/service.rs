//! What can be done with definitions: they are seeded, made, named, aimed, redefined, withdrawn and archived.

use entity::kpi::kpi_definition::Model;
use kernel::{Fault, Kind, NewEvent, Permission, Tx};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::draft::{Named, SpecDraft};
use super::parameters::Parameters;
use super::store::NewRow;
use super::versions::{self, VersionState};
use super::{Direction, Goal, MOST_DEFINITIONS, MOST_SLICED, Spec, builtin, store};
use crate::error::Error;

/// Gives a new company its built-in figures and its working hours, in the caller's transaction. Needs no permission of its
/// own.
pub async fn seed_in(tx: &Tx) -> Result<(), Error> {
    crate::calendar::service::seed_in(tx).await?;
    refresh_in(tx).await.map(|_| ())
}

/// Brings the built-in figures of a company to what this version of the product ships: the missing ones are added, and what
/// they measure follows. What the company has made of them (names, goals, archived ones) stays. How many it touched. Needs
/// no permission of its own.
pub async fn refresh_in(tx: &Tx) -> Result<usize, Error> {
    let builtins = builtin::builtins();
    let keys: Vec<&str> = builtins.iter().map(|builtin| builtin.key).collect();
    let known = store::taken(tx, &keys).await?;
    let (mut missing, mut touched) = (Vec::new(), 0);
    for builtin in builtins {
        let spec = builtin.spec();
        match known.iter().find(|known| known.key == builtin.key) {
            None => missing.push(new_builtin(tx, &builtin, spec)?),
            Some(known) if known.builtin && known.archived_at.is_none() => {
                touched += usize::from(follow(tx, known, spec).await?);
            }
            // A key that the company took first, or a figure that it does not want.
            Some(_) => {}
        }
    }
    if missing.is_empty() {
        return Ok(touched);
    }
    store::insert(tx, &missing).await?;
    for row in &missing {
        let state = if row.spec_version == 0 { VersionState::Filling } else { VersionState::Live };
        versions::insert(tx, row.id, 1, &row.spec, state).await?;
    }
    Ok(touched + missing.len())
}

fn new_builtin(tx: &Tx, builtin: &builtin::Builtin, spec: Spec) -> Result<NewRow, Fault> {
    let goal = Goal {
        direction: builtin.direction,
        target: None,
        warning: None,
        critical: None,
        hysteresis: Decimal::ZERO,
    };
    Ok(NewRow {
        id: tx.new_id(),
        key: builtin.key.to_owned(),
        label: builtin.label.map(str::to_owned),
        description: builtin.description.map(str::to_owned),
        spec_version: i32::from(versions::needed(&spec)?.is_empty()),
        spec,
        goal,
        builtin: true,
        owner: None,
    })
}

/// Lets a built-in figure measure what it ships with, if it does not yet.
async fn follow(tx: &Tx, known: &Model, spec: Spec) -> Result<bool, Error> {
    if newest(tx, known).await? == (spec.cube.name.to_owned(), Parameters::of(&spec)) {
        return Ok(false);
    }
    let before = store::lock(tx, known.id).await?;
    let number = begin(tx, &before, &spec).await?;
    let event = NewEvent::new("kpi.redefined", Kind::Kpi, before.id).fact("key", &before.key);
    event.fact("specVersion", number).append(tx).await?;
    Ok(true)
}

/// The cube and what is measured of it: what is being filled, else what is live.
async fn newest(tx: &Tx, definition: &Model) -> Result<(String, Parameters), Fault> {
    let text = "SELECT cube, measure, parameters FROM kpi_definition_version
                WHERE kpi_id = $1 AND state IN ('filling', 'live') ORDER BY spec_version DESC LIMIT 1";
    let found: Option<(String, String, serde_json::Value)> = tx.tuple(text, [definition.id.into()]).await?;
    let (cube, measure, parameters) = found.unwrap_or_else(|| {
        (definition.cube.clone(), definition.measure.clone(), definition.parameters.clone())
    });
    let spec = Spec::stored(&cube, &measure, &parameters)
        .map_err(|what| Fault::Corrupt(format!("kpi_definition {}: {what}", definition.key)))?;
    Ok((cube, Parameters::of(&spec)))
}

/// Writes the next version of what a figure measures: live at once where all its cells are kept already, else to be filled.
/// One that is being filled is replaced. The version's number.
async fn begin(tx: &Tx, before: &Model, spec: &Spec) -> Result<i32, Error> {
    if let Some(filling) = versions::filling(tx, before.id).await? {
        versions::end(tx, before.id, filling, VersionState::Replaced).await?;
    }
    let number = versions::next(tx, before.id).await?;
    versions::insert(tx, before.id, number, spec, VersionState::Filling).await?;
    if !versions::needed(spec)?.is_empty() {
        store::update(tx, before).await?;
    } else if !versions::switch(tx, before.id, number).await? {
        return Err(Fault::Internal(format!("version {number} of {} cannot be live", before.key)).into());
    }
    Ok(number)
}

/// What a company wants to measure.
#[derive(Clone, Debug)]
pub struct NewKpi {
    /// Its stable name: `a` to `z`, digits and `_`, at most 60.
    pub key: String,
    /// The French name, 1 to 100 characters.
    pub label_fr: String,
    /// The English name, 1 to 100 characters.
    pub label_en: String,
    /// What exactly it measures, in French; at most 1000 characters.
    pub description_fr: String,
    /// What exactly it measures, in English; at most 1000 characters.
    pub description_en: String,
    /// What it measures.
    pub spec: SpecDraft,
    /// What is aimed at.
    pub goal: Goal,
    /// The member who answers for it.
    pub owner: Option<Uuid>,
}

/// Makes a figure. It is live at once when all its cells are kept already; else it is filled from history first. Needs
/// `kpi.manage`.
///
/// # Errors
/// `INVALID` with the field's path; `LIMIT` for too many figures.
pub async fn create(tx: &Tx, new: NewKpi) -> Result<Uuid, Error> {
    tx.scope().require(Permission::KpiManage)?;
    let (spec, named) = new.spec.check("spec")?;
    new.goal.check(&spec)?;
    let key = checked_key(&new.key)?;
    let label = [checked_name("labelFr", &new.label_fr)?, checked_name("labelEn", &new.label_en)?];
    let description = [
        checked_text("descriptionFr", &new.description_fr)?,
        checked_text("descriptionEn", &new.description_en)?,
    ];
    require_named(tx, &named).await?;
    require_owner(tx, new.owner).await?;
    store::alone(tx).await?;
    if !store::taken(tx, &[&key]).await?.is_empty() {
        return Err(Error::invalid("key", "a KPI of this company has or had this key: take another one"));
    }
    if store::count(tx).await? >= limit(MOST_DEFINITIONS) {
        return Err(Error::limit(format!(
            "a company has at most {MOST_DEFINITIONS} KPIs: archive one that nobody needs"
        )));
    }
    let sliced = !versions::needed(&spec)?.is_empty();
    if sliced {
        require_room(tx).await?;
    }
    let row = NewRow {
        id: tx.new_id(),
        key,
        label,
        description,
        spec,
        goal: new.goal,
        builtin: false,
        spec_version: i32::from(!sliced),
        owner: new.owner,
    };
    store::insert(tx, std::slice::from_ref(&row)).await?;
    let state = if sliced { VersionState::Filling } else { VersionState::Live };
    versions::insert(tx, row.id, 1, &row.spec, state).await?;
    let event = NewEvent::new("kpi.created", Kind::Kpi, row.id).fact("key", &row.key);
    event.fact("cube", row.spec.cube.name).fact("measure", row.spec.measure.as_str()).append(tx).await?;
    Ok(row.id)
}

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

async fn require_room(tx: &Tx) -> Result<(), Error> {
    if versions::count_sliced(tx).await? < limit(MOST_SLICED) {
        return Ok(());
    }
    Err(Error::limit(format!(
        "at most {MOST_SLICED} KPIs of a company need cells of their own: filter and split by what the cube keeps, or \
         archive one that nobody needs"
    )))
}

/// Refuses ids that are not the company's.
pub(crate) async fn require_named(tx: &Tx, named: &Named) -> Result<(), Error> {
    for (table, named) in
        [("party", &named.parties), ("account", &named.accounts), ("journal", &named.journals)]
    {
        if named.is_empty() {
            continue;
        }
        let ids: Vec<Uuid> = named.iter().map(|(_, id)| *id).collect();
        let text = format!("SELECT id FROM {table} WHERE id = ANY($1)");
        let known: Vec<(Uuid,)> = tx.tuples(&text, [ids.into()]).await?;
        if let Some((field, _)) = named.iter().find(|(_, id)| !known.contains(&(*id,))) {
            return Err(Error::Invalid {
                field: field.clone().into(),
                message: format!("there is no such {table} in this company").into(),
            });
        }
    }
    Ok(())
}

async fn require_owner(tx: &Tx, owner: Option<Uuid>) -> Result<(), Error> {
    let Some(owner) = owner else { return Ok(()) };
    let text = "SELECT EXISTS (SELECT FROM membership WHERE id = $1 AND archived_at IS NULL)";
    match tx.tuple(text, [owner.into()]).await? {
        Some((true,)) => Ok(()),
        _ => Err(Error::invalid("ownerId", "there is no such member: take somebody who is in this company")),
    }
}

/// What is to change of a figure beside what it measures; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct KpiEdit {
    /// The French name.
    pub label_fr: Option<String>,
    /// The English name.
    pub label_en: Option<String>,
    /// The French description.
    pub description_fr: Option<String>,
    /// The English description.
    pub description_en: Option<String>,
    /// Which way is better.
    pub direction: Option<Direction>,
    /// What is aimed at; `Some(None)` takes it away.
    pub target: Option<Option<Decimal>>,
    /// The warning threshold; `Some(None)` takes it away.
    pub warning: Option<Option<Decimal>>,
    /// The critical threshold; `Some(None)` takes it away.
    pub critical: Option<Option<Decimal>>,
    /// How much better than a threshold a value must be for it to be left.
    pub hysteresis: Option<Decimal>,
    /// The member who answers for it; `Some(None)` is nobody.
    pub owner: Option<Option<Uuid>>,
}

/// Changes names, goals and owner of a figure, at once. Needs `kpi.manage`.
///
/// # Errors
/// `NOT_FOUND`, `CONFLICT`, and `INVALID` with the field.
pub async fn update(tx: &Tx, id: Uuid, edit: KpiEdit, expected_version: i32) -> Result<Uuid, Error> {
    change(tx, id, edit, expected_version, "kpi.updated").await
}

async fn change(
    tx: &Tx,
    id: Uuid,
    edit: KpiEdit,
    expected_version: i32,
    what: &'static str,
) -> Result<Uuid, Error> {
    tx.scope().require(Permission::KpiManage)?;
    let before = store::lock(tx, id).await?;
    expect_version(&before, expected_version)?;
    let mut after = before.clone();
    if let Some(name) = edit.label_fr {
        after.label_fr = checked_name("labelFr", &name)?;
    }
    if let Some(name) = edit.label_en {
        after.label_en = checked_name("labelEn", &name)?;
    }
    if let Some(text) = edit.description_fr {
        after.description_fr = checked_text("descriptionFr", &text)?;
    }
    if let Some(text) = edit.description_en {
        after.description_en = checked_text("descriptionEn", &text)?;
    }
    let was = Goal::of(&before)?;
    let number = |edited: Option<Option<Decimal>>, was: Option<Decimal>| {
        edited.map_or(was, |edited| edited.map(|number| number.normalize()))
    };
    let goal = Goal {
        direction: edit.direction.unwrap_or(was.direction),
        target: number(edit.target, was.target),
        warning: number(edit.warning, was.warning),
        critical: number(edit.critical, was.critical),
        hysteresis: edit.hysteresis.unwrap_or(was.hysteresis).normalize(),
    };
    if goal != was {
        goal.check(&Spec::of(&before)?)?;
    }
    goal.direction.as_str().clone_into(&mut after.direction);
    (after.band_low, after.band_high) = goal.direction.band().unzip();
    (after.target, after.warning, after.critical) = (goal.target, goal.warning, goal.critical);
    after.hysteresis = goal.hysteresis;
    if let Some(owner) = edit.owner {
        require_owner(tx, owner).await?;
        after.owner_id = owner;
    }
    let event = NewEvent::new(what, Kind::Kpi, id)
        .changed("labelFr", &before.label_fr, &after.label_fr)
        .changed("labelEn", &before.label_en, &after.label_en)
        .changed("descriptionFr", &before.description_fr, &after.description_fr)
        .changed("descriptionEn", &before.description_en, &after.description_en)
        .changed("direction", &before.direction, &after.direction)
        .changed("bandLow", &before.band_low, &after.band_low)
        .changed("bandHigh", &before.band_high, &after.band_high)
        .changed("target", &before.target, &after.target)
        .changed("warning", &before.warning, &after.warning)
        .changed("critical", &before.critical, &after.critical)
        .changed("hysteresis", &before.hysteresis, &after.hysteresis)
        .changed("ownerId", &before.owner_id, &after.owner_id);
    if event.is_empty() {
        return Ok(id);
    }
    store::update(tx, &after).await?;
    event.fact("key", &after.key).append(tx).await?;
    Ok(id)
}

/// Sets what the company aims at, in the figure's unit (money: of the company's currency; durations:
/// milliseconds; shares: 0 to 1), or takes it away. Needs `kpi.manage`.
///
/// # Errors
/// `NOT_FOUND`, `CONFLICT`, and `INVALID` for a target that no value of the unit can have.
pub async fn set_target(
    tx: &Tx,
    id: Uuid,
    target: Option<Decimal>,
    expected_version: i32,
) -> Result<Uuid, Error> {
    let edit = KpiEdit { target: Some(target), ..KpiEdit::default() };
    change(tx, id, edit, expected_version, "kpi.target_set").await
}

/// New names of a figure; `None` keeps the one it has.
#[derive(Clone, Debug, Default)]
pub struct Rename {
    /// The French name, 1 to 100 characters.
    pub label_fr: Option<String>,
    /// The English name, 1 to 100 characters.
    pub label_en: Option<String>,
}

/// Gives a figure other names. Needs `kpi.manage`.
///
/// # Errors
/// `NOT_FOUND`, `CONFLICT`, and `INVALID` for an empty or too long name.
pub async fn rename(tx: &Tx, id: Uuid, names: Rename, expected_version: i32) -> Result<Uuid, Error> {
    let edit = KpiEdit { label_fr: names.label_fr, label_en: names.label_en, ..KpiEdit::default() };
    change(tx, id, edit, expected_version, "kpi.renamed").await
}

/// Lets a figure measure something else. Where all cells are kept already that is so at once; else it goes on as it was
/// until the new version is filled from history, and then switches. Needs `kpi.manage`.
///
/// # Errors
/// `NOT_FOUND`, `CONFLICT`, `LIMIT`, and `INVALID` with the field's path: also for a built-in figure, and for another unit, for
/// that is another figure.
pub async fn redefine(tx: &Tx, id: Uuid, spec: SpecDraft, expected_version: i32) -> Result<Uuid, Error> {
    tx.scope().require(Permission::KpiManage)?;
    let (spec, named) = spec.check("spec")?;
    let before = store::lock(tx, id).await?;
    expect_version(&before, expected_version)?;
    if before.builtin {
        return Err(Error::invalid("kpiId", "what a built-in KPI measures is ours: make one of your own"));
    }
    if spec.unit.as_str() != before.unit {
        return Err(Error::invalid(
            "spec.measure",
            format!(
                "this is counted in another unit ({} and not {}): make another KPI of it",
                spec.unit.as_str(),
                before.unit
            ),
        ));
    }
    Goal::of(&before)?.check(&spec)?;
    require_named(tx, &named).await?;
    if newest(tx, &before).await? == (spec.cube.name.to_owned(), Parameters::of(&spec)) {
        return Ok(id);
    }
    if !versions::needed(&spec)?.is_empty() {
        store::alone(tx).await?;
        if !versions::is_sliced(tx, id).await? {
            require_room(tx).await?;
        }
    }
    let number = begin(tx, &before, &spec).await?;
    let event = NewEvent::new("kpi.redefined", Kind::Kpi, id).fact("key", &before.key);
    event.fact("cube", spec.cube.name).fact("specVersion", number).append(tx).await?;
    Ok(id)
}

/// Takes back a version that is being filled; what is live stays. Needs `kpi.manage`.
///
/// # Errors
/// `NOT_FOUND`; `INVALID` for a version that is not being filled.
pub async fn withdraw(tx: &Tx, id: Uuid, number: i32) -> Result<Uuid, Error> {
    tx.scope().require(Permission::KpiManage)?;
    let before = store::lock(tx, id).await?;
    if !versions::end(tx, id, number, VersionState::Withdrawn).await? {
        return Err(Error::invalid("specVersion", "this version is not being filled: it is live, or over"));
    }
    let event = NewEvent::new("kpi.version_withdrawn", Kind::Kpi, id).fact("key", before.key);
    event.fact("specVersion", number).append(tx).await?;
    Ok(id)
}

/// Archives a figure: it is not read any more, and its cells are let go. Its key stays taken. Needs `kpi.manage`.
///
/// # Errors
/// `NOT_FOUND`, `CONFLICT`.
pub async fn archive(tx: &Tx, id: Uuid, expected_version: i32) -> Result<Uuid, Error> {
    tx.scope().require(Permission::KpiManage)?;
    let before = store::lock(tx, id).await?;
    expect_version(&before, expected_version)?;
    let after = Model { archived_at: Some(tx.scope().clock().now()), ..before.clone() };
    store::update(tx, &after).await?;
    let filling = versions::filling(tx, id).await?;
    let live = (before.spec_version > 0).then_some(before.spec_version);
    for number in filling.into_iter().chain(live) {
        versions::end(tx, id, number, VersionState::Withdrawn).await?;
    }
    NewEvent::new("kpi.archived", Kind::Kpi, id).fact("key", before.key).append(tx).await?;
    Ok(id)
}

/// Lets a version that is filled be what its figure measures, as the worker does. Needs no permission of its own. `false`:
/// it is not filled, or not wanted any more.
pub async fn switch_in(tx: &Tx, id: Uuid, number: i32) -> Result<bool, Error> {
    if !versions::switch(tx, id, number).await? {
        return Ok(false);
    }
    NewEvent::new("kpi.switched", Kind::Kpi, id).fact("specVersion", number).append(tx).await?;
    Ok(true)
}

fn expect_version(before: &Model, expected: i32) -> Result<(), Error> {
    if before.version == expected {
        Ok(())
    } else {
        Err(Error::Conflict { expected, actual: before.version })
    }
}

fn checked_key(key: &str) -> Result<String, Error> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let starts = key.chars().next().is_some_and(|c| c.is_ascii_lowercase());
    if !starts || key.len() > 60 || !key.chars().all(good) {
        return Err(Error::invalid(
            "key",
            "a key has 1 to 60 of a-z, 0-9 and _, and begins with a letter: say `late_payers`",
        ));
    }
    Ok(key.to_owned())
}

fn checked_name(field: &'static str, name: &str) -> Result<String, Error> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(Error::invalid(field, "a name has 1 to 100 characters, on one line"));
    }
    Ok(name.to_owned())
}

fn checked_text(field: &'static str, text: &str) -> Result<String, Error> {
    let text = text.trim();
    if text.chars().count() > 1000 || text.contains('\0') {
        return Err(Error::invalid(field, "a description has at most 1000 characters"));
    }
    Ok(text.to_owned())
}
