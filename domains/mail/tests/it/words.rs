//! What the letters say, in both languages.

use mail::letter::AlertLine;
use mail::{Content, Factor, Letter};
use testing::at;

fn every_content() -> Vec<Content> {
    let link = |path: &str| format!("https://books.example/{path}?token=ct_abc");
    let when = at("2026-11-01T13:05:00Z");
    vec![
        Content::ConfirmAddress { link: link("confirm") },
        Content::AddressTaken { link: "https://books.example/reset".into() },
        Content::ResetPassword { link: link("reset") },
        Content::NoAccount,
        Content::Invitation {
            company: "Dupont & Fils".into(),
            inviter: "Ada Byron".into(),
            role: "Accountant".into(),
            link: link("invitation"),
        },
        Content::NewDevice {
            agent: Some("Firefox 140 on Linux".into()),
            address: Some("2001:db8::1".into()),
            place: Some("Lyon, France".into()),
            at: when,
        },
        Content::NewDevice { agent: None, address: None, place: None, at: when },
        Content::PasswordChanged { at: when },
        Content::FactorAdded { what: Factor::Totp, at: when },
        Content::FactorAdded { what: Factor::Passkey, at: when },
        Content::FactorRemoved { what: Factor::RecoveryCodes, at: when },
        Content::FactorRemoved { what: Factor::Provider, at: when },
        Content::RoleChanged {
            company: "Dupont & Fils".into(),
            role: "Sales".into(),
            by: "Ada Byron".into(),
        },
        Content::ApprovalWanted {
            company: "Dupont & Fils".into(),
            by: "Ada Byron".into(),
            what: "Charles Babbage becomes an owner".into(),
        },
        Content::KpiAlerts {
            company: "Dupont & Fils".into(),
            alerts: vec![line("Revenue of the month", true, "12,00 EUR")],
            link: link("alerts"),
        },
        Content::KpiAlerts {
            company: "Dupont & Fils".into(),
            alerts: (1..=22).map(|n| line(&format!("Figure {n}"), n == 1, "7")).collect(),
            link: link("alerts"),
        },
    ]
}

fn line(figure: &str, critical: bool, value: &str) -> AlertLine {
    AlertLine { figure: figure.into(), critical, value: value.into() }
}

fn all(locale: &str) -> String {
    let letters = every_content().into_iter().map(|content| {
        let kind = content.kind();
        let words = Letter::new("ada@example.com", locale, content).rendered();
        format!("=== {kind}\nSubject: {}\n\n{}", words.subject, words.text)
    });
    letters.collect::<Vec<_>>().join("\n")
}

#[test]
fn english() {
    insta::assert_snapshot!(all("en"));
}

#[test]
fn french() {
    insta::assert_snapshot!(all("fr"));
}

fn hostile() -> Content {
    Content::Invitation {
        company: "Bank\r\nBcc: all@example.com\r\n\r\n<script>alert(1)</script> \"https://evil.example\""
            .into(),
        inviter: "www.evil.example\u{202e}".into(),
        role: "<img src=x onerror=alert(1)>".into(),
        link: "https://books.example/invitation?token=a&b=\"><script>".into(),
    }
}

#[test]
fn the_html_part_holds_no_markup_of_users() {
    insta::assert_snapshot!(Letter::new("ada@example.com", "en", hostile()).rendered().html);
}

#[test]
fn what_users_chose_makes_no_line_and_no_link() {
    for locale in ["fr", "en"] {
        let words = Letter::new("ada@example.com", locale, hostile()).rendered();
        assert_eq!(words.subject.lines().count(), 1, "{}", words.subject);
        assert!(words.subject.chars().count() < 100, "{}", words.subject);
        for text in [&words.subject, &words.text, &words.html] {
            let own = text.replace("https://books.example", "");
            for link in ["://", "evil.example", "all@example.com", "www.evil"] {
                assert!(!own.contains(link), "{link} in {text}");
            }
            assert!(!text.contains(['\r', '\u{202e}']), "{text:?}");
        }
        assert!(!words.html.contains("<script") && !words.html.contains("<img"), "{}", words.html);
    }
    let device = Content::NewDevice {
        agent: Some("Call https://evil.example/\nnow".repeat(50)),
        address: Some("evil.example".into()),
        place: None,
        at: at("2026-11-01T13:05:00Z"),
    };
    let words = Letter::new("ada@example.com", "en", device).rendered();
    assert!(!words.text.contains("evil.example") && words.text.len() < 1000, "{}", words.text);
}

#[test]
fn every_letter_is_in_both_languages_and_says_who_sends_it() {
    for content in every_content() {
        let english = Letter::new("ada@example.com", "en", content.clone()).rendered();
        let french = Letter::new("ada@example.com", "fr", content.clone()).rendered();
        assert_ne!(english.subject, french.subject);
        for words in [&english, &french] {
            assert!(words.text.contains("Coulisse") && words.html.contains("Coulisse"));
            if let Some(link) = content.link() {
                assert!(words.text.contains(link), "{}", words.text);
            }
        }
        assert!(english.html.contains("<html lang=\"en\">") && french.html.contains("<html lang=\"fr\">"));
    }
}
