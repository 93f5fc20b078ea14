//! The letters in English.

use chrono::{DateTime, Utc};

use super::layout::Words;
use super::plain::plain;
use super::{AlertLine, Content, Factor};

const NAME: usize = 60;

fn at(at: DateTime<Utc>) -> String {
    at.format("%-d %B %Y at %H:%M (UTC)").to_string()
}

fn factor(what: Factor) -> &'static str {
    match what {
        Factor::Totp => "an app that shows codes",
        Factor::Passkey => "a passkey",
        Factor::RecoveryCodes => "recovery codes",
        Factor::Provider => "an account with another provider",
    }
}

/// What to do when one's account may be in another's hands.
fn not_you() -> String {
    "If it was not you, choose a new password at once, end all your sessions, and tell an owner of your company.".to_owned()
}

/// The most figures that one letter names.
const FIGURES: usize = 20;

fn alerts(company: &str, alerts: &[AlertLine]) -> (String, Vec<String>) {
    let company = plain(company, NAME);
    let line = |alert: &AlertLine| {
        let level = if alert.critical { "critical" } else { "warning" };
        format!("{}: {} ({level})", plain(&alert.figure, 100), alert.value)
    };
    let subject = match alerts {
        [one] => format!(
            "{}: {} at {company}",
            if one.critical { "Critical" } else { "Warning" },
            plain(&one.figure, NAME)
        ),
        many => format!("{} figures to look at in {company}", many.len()),
    };
    let mut first = vec![match alerts {
        [_] => format!("A figure of “{company}” has passed a threshold:"),
        _ => format!("Figures of “{company}” have passed thresholds:"),
    }];
    first.extend(alerts.iter().take(FIGURES).map(line));
    match alerts.len().saturating_sub(FIGURES) {
        0 => {}
        1 => first.push("And another one.".to_owned()),
        more => first.push(format!("And {more} more.")),
    }
    (subject, first)
}

#[expect(clippy::too_many_lines, reason = "the letters, one after the other")]
pub(super) fn words(content: &Content) -> Words {
    let words = |subject: &str, first: Vec<String>, act, then: Vec<String>| Words {
        subject: subject.to_owned(),
        first,
        act,
        then,
    };
    match content {
        Content::ConfirmAddress { .. } => words(
            "Confirm your e-mail address",
            vec!["Somebody, most likely you, opened an account with this e-mail address.".into()],
            Some("Confirm the address"),
            vec![
                "The link works once, within 24 hours. You will be asked for your password.".into(),
                "If it was not you, do nothing: the address will not be confirmed.".into(),
            ],
        ),
        Content::AddressTaken { .. } => words(
            "You have an account already",
            vec![
                "Somebody, most likely you, opened a new account with this e-mail address. There is one with it already: \
                 please sign in to that one."
                    .into(),
            ],
            Some("If you no longer know the password, choose a new one"),
            vec!["If it was not you, do nothing: your account is as it was.".into()],
        ),
        Content::ResetPassword { .. } => words(
            "Choose a new password",
            vec!["Somebody, most likely you, asked for a new password for your account.".into()],
            Some("Choose a new password"),
            vec![
                "The link works once, within 30 minutes. All open sessions will end.".into(),
                "If it was not you, do nothing: your password is as it was.".into(),
            ],
        ),
        Content::NoAccount => words(
            "There is no account with this address",
            vec![
                "Somebody, most likely you, asked for a new password with this e-mail address. There is no account with it: \
                 you may have signed up with another one."
                    .into(),
            ],
            None,
            vec!["If it was not you, do nothing.".into()],
        ),
        Content::Invitation { company, inviter, role, .. } => {
            let (company, inviter, role) = (plain(company, NAME), plain(inviter, NAME), plain(role, NAME));
            words(
                &format!("Invitation to join {company}"),
                vec![format!("{inviter} invites you to join “{company}” on Coulisse, with the role “{role}”.")],
                Some("See the invitation"),
                vec![
                    "The link works once, within 7 days. It is meant for you: please do not pass it on.".into(),
                    "If you do not know who invites you, do nothing: without you nothing happens.".into(),
                ],
            )
        }
        Content::NewDevice { agent, address, place, at: when } => {
            let mut first = vec![format!("Your account was signed in to from a new device, on {}.", at(*when))];
            if let Some(agent) = agent {
                first.push(format!("Device: {}", plain(agent, 120)));
            }
            if let Some(address) = address {
                // Network addresses hold dots and colons, and are no user's words; but they are not believed either.
                let known = address.parse::<std::net::IpAddr>().map(|address| address.to_string());
                first.push(format!("Network address: {}", known.unwrap_or_else(|_| plain(address, 120))));
            }
            if let Some(place) = place {
                first.push(format!("Place, roughly: {}", plain(place, 120)));
            }
            words("Sign-in from a new device", first, None, vec!["If it was you, all is well.".into(), not_you()])
        }
        Content::PasswordChanged { at: when } => words(
            "Your password was changed",
            vec![format!("The password of your account was changed, on {}.", at(*when))],
            None,
            vec![not_you()],
        ),
        Content::FactorAdded { what, at: when } => words(
            "A new way to sign in was added",
            vec![format!("Your account can now be signed in to with {}, since {}.", factor(*what), at(*when))],
            None,
            vec![not_you()],
        ),
        Content::FactorRemoved { what, at: when } => words(
            "A way to sign in was removed",
            vec![format!(
                "Your account can no longer be signed in to with {}, since {}.",
                factor(*what),
                at(*when)
            )],
            None,
            vec![not_you()],
        ),
        Content::RoleChanged { company, role, by } => {
            let (company, role, by) = (plain(company, NAME), plain(role, NAME), plain(by, NAME));
            words(
                &format!("Your role in {company}"),
                vec![format!("{by} changed your role in “{company}”: it is now “{role}”.")],
                None,
                vec!["If that surprises you, ask an owner of the company.".into()],
            )
        }
        Content::ApprovalWanted { company, by, what } => {
            let (company, by, what) = (plain(company, NAME), plain(by, NAME), plain(what, 200));
            words(
                &format!("Your approval is asked for in {company}"),
                vec![format!("{by} asks for an owner's approval in “{company}”: {what}.")],
                None,
                vec!["Sign in to approve or refuse. As long as nobody does, nothing changes.".into()],
            )
        }
        Content::KpiAlerts { company, alerts: lines, .. } => {
            let (subject, first) = alerts(company, lines);
            words(
                &subject,
                first,
                Some("See the alerts"),
                vec![
                    "You get this message because you have subscribed to these alerts. In Coulisse you can snooze them or \
                     unsubscribe."
                        .into(),
                ],
            )
        }
    }
}
