//! Sign-in with providers, as the settings say.

use federation::{Issuer, Limits, Records, RelyingParty};
use identity::federation::{Client, Federation, Offered};

use crate::server::Failure;
use crate::settings::Settings;

/// The operator's providers, and the way to those of companies.
pub(crate) fn federation(settings: &Settings) -> Result<Federation, Failure> {
    let client = |id: &Option<String>, secret: &Option<String>| {
        let (id, secret) = (id.clone()?, secret.clone()?);
        Some(Client { id, secret })
    };
    let google = client(&settings.google_client_id, &settings.google_client_secret);
    let microsoft = match client(&settings.microsoft_client_id, &settings.microsoft_client_secret) {
        Some(client) => Some((Issuer::microsoft(settings.microsoft_directory.as_deref())?, client)),
        None => None,
    };
    let party = RelyingParty::new(Limits { loopback: settings.sso_loopback, ..Limits::default() })?;
    let records = Records::new(settings.dns_server);
    let redirect_uri = format!("{}/sso/callback", settings.public_url());
    Ok(Federation::new(party, records, Offered { google, microsoft }, redirect_uri))
}
