//! Letters about alerts: one for each reader, of all that rose since the last one.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use identity::company::service::name_in;
use identity::member::reach::{self, Reachable};
use kernel::{Fault, Permission, Tx};
use mail::letter::AlertLine;
use mail::{Content, Letter};
use uuid::Uuid;

use super::evaluate::level_of;
use super::{Alert, Subscription, store, subscription, words};
use crate::definition::{Level, Unit};
use crate::error::Error;
use entity::kpi::kpi_definition::Model;

/// Writes the letters of the alerts that rose and were not told yet; when to look again, for those that are snoozed. The
/// caller holds the company's mark.
pub(super) async fn write(tx: &Tx, public_url: &str) -> Result<Option<DateTime<Utc>>, Error> {
    let now = tx.scope().clock().now();
    let (mut due, mut again) = (Vec::new(), None::<DateTime<Utc>>);
    for alert in store::lock_open(tx).await? {
        match alert.snoozed_until {
            _ if !is_untold(&alert)? => {}
            Some(until) if until > now => again = Some(again.map_or(until, |before| before.min(until))),
            _ => due.push(alert),
        }
    }
    if due.is_empty() {
        return Ok(again);
    }
    let kpis: Vec<Uuid> = due.iter().map(|alert| alert.kpi_id).collect();
    let definitions = crate::definition::store::by_ids(tx, &kpis).await?;
    let definitions: HashMap<Uuid, Model> = definitions.into_iter().map(|of| (of.id, of)).collect();
    let wishes = Wishes::of(subscription::all(tx).await?)?;
    let readers = reach::with_permission_in(tx, &wishes.members(), Permission::KpiRead).await?;
    let company = name_in(tx).await?;
    for reader in readers {
        let mut lines = Vec::new();
        for alert in &due {
            let level = level_of(alert)?;
            if wishes.wants(reader.id, alert.kpi_id, level)
                && let Some(definition) = definitions.get(&alert.kpi_id)
            {
                lines.push((level, line(alert, level, definition, &reader)?));
            }
        }
        // What is worst comes first, and then what came first.
        lines.sort_by_key(|(level, _)| std::cmp::Reverse(*level));
        let alerts: Vec<AlertLine> = lines.into_iter().map(|(_, line)| line).collect();
        if let (Some(email), false) = (&reader.email, alerts.is_empty()) {
            let link = format!("{public_url}/alerts");
            let content = Content::KpiAlerts { company: company.clone(), alerts, link };
            mail::put_in(tx, &Letter::new(email, &reader.locale, content)).await?;
        }
    }
    store::told(tx, due.iter().map(|alert| alert.id).collect()).await?;
    Ok(again)
}

/// Whether an alert stands at a level that no letter has told.
fn is_untold(alert: &Alert) -> Result<bool, Fault> {
    let told = alert.told_level.as_deref().map_or(Some(Level::Ok), Level::parse);
    let told = told.ok_or_else(|| Fault::Corrupt(format!("kpi_alert {}: told_level", alert.id)))?;
    Ok(level_of(alert)? > told)
}

fn line(alert: &Alert, level: Level, definition: &Model, reader: &Reachable) -> Result<AlertLine, Fault> {
    let french = reader.locale == "fr";
    let unit = Unit::parse(&definition.unit)
        .ok_or_else(|| Fault::Corrupt(format!("kpi_definition {}: unit", definition.key)))?;
    Ok(AlertLine {
        figure: if french { definition.label_fr.clone() } else { definition.label_en.clone() },
        critical: level == Level::Critical,
        value: words::value(alert.value, unit, alert.currency.as_deref(), french),
    })
}

/// Who wants letters of what.
struct Wishes(HashMap<(Uuid, Option<Uuid>), (Level, bool)>);

impl Wishes {
    fn of(subscriptions: Vec<Subscription>) -> Result<Self, Fault> {
        let read = |wish: Subscription| {
            let level = Level::parse(&wish.min_level)
                .ok_or_else(|| Fault::Corrupt(format!("kpi_subscription {}: min_level", wish.id)))?;
            Ok(((wish.membership_id, wish.kpi_id), (level, wish.mail)))
        };
        Ok(Self(subscriptions.into_iter().map(read).collect::<Result<_, Fault>>()?))
    }

    fn members(&self) -> Vec<Uuid> {
        let mut members: Vec<Uuid> = self.0.keys().map(|(member, _)| *member).collect();
        members.sort_unstable();
        members.dedup();
        members
    }

    /// What is said of one figure goes before what is said of all.
    fn wants(&self, member: Uuid, kpi: Uuid, level: Level) -> bool {
        let wish = self.0.get(&(member, Some(kpi))).or_else(|| self.0.get(&(member, None)));
        wish.is_some_and(|(from, mail)| *mail && level >= *from)
    }
}
