//! The letters in French.

use chrono::{DateTime, Datelike, Utc};

use super::layout::Words;
use super::plain::plain;
use super::{AlertLine, Content, Factor};

const NAME: usize = 60;

const MONTHS: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];

fn at(at: DateTime<Utc>) -> String {
    let day = if at.day() == 1 { "1er".to_owned() } else { at.day().to_string() };
    let month = MONTHS[at.month0() as usize];
    format!("{day} {month} {} à {} (UTC)", at.year(), at.format("%H h %M"))
}

fn factor(what: Factor) -> &'static str {
    match what {
        Factor::Totp => "une application qui affiche des codes",
        Factor::Passkey => "une clé d'accès",
        Factor::RecoveryCodes => "des codes de secours",
        Factor::Provider => "un compte chez un autre fournisseur",
    }
}

/// What to do when one's account may be in another's hands.
fn not_you() -> String {
    "Si ce n'était pas vous, choisissez aussitôt un nouveau mot de passe, fermez toutes vos sessions et prévenez un \
     propriétaire de votre entreprise."
        .to_owned()
}

/// The most figures that one letter names.
const FIGURES: usize = 20;

fn alerts(company: &str, alerts: &[AlertLine]) -> (String, Vec<String>) {
    let company = plain(company, NAME);
    let line = |alert: &AlertLine| {
        let level = if alert.critical { "critique" } else { "à surveiller" };
        format!("{}\u{a0}: {} ({level})", plain(&alert.figure, 100), alert.value)
    };
    let subject = match alerts {
        [one] => format!(
            "{}\u{a0}: {} chez {company}",
            if one.critical { "Critique" } else { "À surveiller" },
            plain(&one.figure, NAME)
        ),
        many => format!("{} indicateurs à surveiller chez {company}", many.len()),
    };
    let mut first = vec![match alerts {
        [_] => format!("Un indicateur de «\u{a0}{company}\u{a0}» a franchi un seuil\u{a0}:"),
        _ => format!("Des indicateurs de «\u{a0}{company}\u{a0}» ont franchi un seuil\u{a0}:"),
    }];
    first.extend(alerts.iter().take(FIGURES).map(line));
    match alerts.len().saturating_sub(FIGURES) {
        0 => {}
        1 => first.push("Et un autre.".to_owned()),
        more => first.push(format!("Et {more} autres.")),
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
            "Confirmez votre adresse e-mail",
            vec!["Quelqu'un, sans doute vous, a ouvert un compte avec cette adresse e-mail.".into()],
            Some("Confirmer l'adresse"),
            vec![
                "Le lien sert une fois, dans les 24 heures. Votre mot de passe vous sera demandé.".into(),
                "Si ce n'était pas vous, ne faites rien : l'adresse ne sera pas confirmée.".into(),
            ],
        ),
        Content::AddressTaken { .. } => words(
            "Vous avez déjà un compte",
            vec![
                "Quelqu'un, sans doute vous, a ouvert un nouveau compte avec cette adresse e-mail. Il en existe déjà un : \
                 connectez-vous à celui-là."
                    .into(),
            ],
            Some("Si vous ne connaissez plus le mot de passe, choisissez-en un nouveau"),
            vec!["Si ce n'était pas vous, ne faites rien : votre compte n'a pas changé.".into()],
        ),
        Content::ResetPassword { .. } => words(
            "Choisissez un nouveau mot de passe",
            vec!["Quelqu'un, sans doute vous, a demandé un nouveau mot de passe pour votre compte.".into()],
            Some("Choisir un nouveau mot de passe"),
            vec![
                "Le lien sert une fois, dans les 30 minutes. Toutes les sessions ouvertes prendront fin.".into(),
                "Si ce n'était pas vous, ne faites rien : votre mot de passe n'a pas changé.".into(),
            ],
        ),
        Content::NoAccount => words(
            "Aucun compte avec cette adresse",
            vec![
                "Quelqu'un, sans doute vous, a demandé un nouveau mot de passe avec cette adresse e-mail. Aucun compte n'y \
                 correspond : vous vous êtes peut-être inscrit avec une autre adresse."
                    .into(),
            ],
            None,
            vec!["Si ce n'était pas vous, ne faites rien.".into()],
        ),
        Content::Invitation { company, inviter, role, .. } => {
            let (company, inviter, role) = (plain(company, NAME), plain(inviter, NAME), plain(role, NAME));
            words(
                &format!("Invitation à rejoindre {company}"),
                vec![format!(
                    "{inviter} vous invite à rejoindre « {company} » sur Coulisse, avec le rôle « {role} »."
                )],
                Some("Voir l'invitation"),
                vec![
                    "Le lien sert une fois, dans les 7 jours. Il vous est destiné : ne le transmettez pas.".into(),
                    "Si vous ne savez pas qui vous invite, ne faites rien : sans vous, il ne se passe rien.".into(),
                ],
            )
        }
        Content::NewDevice { agent, address, place, at: when } => {
            let mut first =
                vec![format!("Quelqu'un s'est connecté à votre compte depuis un nouvel appareil, le {}.", at(*when))];
            if let Some(agent) = agent {
                first.push(format!("Appareil : {}", plain(agent, 120)));
            }
            if let Some(address) = address {
                // Network addresses hold dots and colons, and are no user's words; but they are not believed either.
                let known = address.parse::<std::net::IpAddr>().map(|address| address.to_string());
                first.push(format!("Adresse réseau : {}", known.unwrap_or_else(|_| plain(address, 120))));
            }
            if let Some(place) = place {
                first.push(format!("Lieu approximatif : {}", plain(place, 120)));
            }
            words(
                "Connexion depuis un nouvel appareil",
                first,
                None,
                vec!["Si c'était vous, tout va bien.".into(), not_you()],
            )
        }
        Content::PasswordChanged { at: when } => words(
            "Votre mot de passe a changé",
            vec![format!("Le mot de passe de votre compte a été changé, le {}.", at(*when))],
            None,
            vec![not_you()],
        ),
        Content::FactorAdded { what, at: when } => words(
            "Un nouveau moyen de connexion a été ajouté",
            vec![format!(
                "On peut désormais se connecter à votre compte avec {}, depuis le {}.",
                factor(*what),
                at(*when)
            )],
            None,
            vec![not_you()],
        ),
        Content::FactorRemoved { what, at: when } => words(
            "Un moyen de connexion a été retiré",
            vec![format!(
                "On ne peut plus se connecter à votre compte avec {}, depuis le {}.",
                factor(*what),
                at(*when)
            )],
            None,
            vec![not_you()],
        ),
        Content::RoleChanged { company, role, by } => {
            let (company, role, by) = (plain(company, NAME), plain(role, NAME), plain(by, NAME));
            words(
                &format!("Votre rôle chez {company}"),
                vec![format!("{by} a changé votre rôle chez « {company} » : vous êtes maintenant « {role} ».")],
                None,
                vec!["Si cela vous surprend, demandez à un propriétaire de l'entreprise.".into()],
            )
        }
        Content::ApprovalWanted { company, by, what } => {
            let (company, by, what) = (plain(company, NAME), plain(by, NAME), plain(what, 200));
            words(
                &format!("Votre accord est demandé chez {company}"),
                vec![format!("{by} demande l'accord d'un propriétaire chez « {company} » : {what}.")],
                None,
                vec![
                    "Connectez-vous pour accepter ou refuser. Tant que personne ne le fait, rien ne change.".into(),
                ],
            )
        }
        Content::KpiAlerts { company, alerts: lines, .. } => {
            let (subject, first) = alerts(company, lines);
            words(
                &subject,
                first,
                Some("Voir les alertes"),
                vec![
                    "Vous recevez ce message parce que vous vous êtes abonné à ces alertes. Dans Coulisse, vous pouvez les \
                     mettre en sommeil ou vous désabonner."
                        .into(),
                ],
            )
        }
    }
}
