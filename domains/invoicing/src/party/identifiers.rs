//! Identifiers of businesses: what makes them well-formed. No register is asked whether they exist.

pub use identity::company::is_siren;
use identity::company::luhn;
pub use identity::person::is_email;

/// Removes what people put between the characters of an identifier, and writes it in capitals.
pub fn compact(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '.' | '-' | '/' | '\u{a0}' | '\u{202f}'))
        .flat_map(char::to_uppercase)
        .collect()
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether this is a well-formed SIRET: fourteen digits with a Luhn key over all of them. The establishments
/// of La Poste (SIREN 356 000 000) exceed what Luhn can number: there the digits add up to a multiple of five.
pub fn is_siret(text: &str) -> bool {
    if text.len() != 14 || !all_digits(text) {
        return false;
    }
    let la_poste = text.starts_with("356000000")
        && text.bytes().map(|b| u32::from(b - b'0')).sum::<u32>().is_multiple_of(5);
    is_siren(&text[..9]) && (luhn(text) || la_poste)
}

/// The key of a French VAT number: (12 + 3 × (SIREN mod 97)) mod 97.
pub fn french_vat_key(siren: &str) -> Option<u32> {
    siren.parse::<u32>().ok().map(|number| (12 + 3 * (number % 97)) % 97)
}

/// Whether a text fits a pattern: `9` a digit, `A` a letter, `X` either, `+` either or one of `+` and `*`;
/// any other character stands for itself.
fn fits(pattern: &str, text: &str) -> bool {
    pattern.len() == text.len()
        && pattern.bytes().zip(text.bytes()).all(|(p, b)| match p {
            b'9' => b.is_ascii_digit(),
            b'A' => b.is_ascii_uppercase(),
            b'X' => b.is_ascii_uppercase() || b.is_ascii_digit(),
            b'+' => b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'+' || b == b'*',
            other => other == b,
        })
}

/// Forms of VAT numbers after the prefix (European Commission, VIES FAQ, question 11; HMRC; Swiss UID).
const VAT_FORMS: &[(&str, &[&str])] = &[
    ("AT", &["U99999999"]),
    ("BE", &["0999999999", "1999999999"]),
    ("BG", &["999999999", "9999999999"]),
    ("CH", &["E999999999", "E999999999MWST", "E999999999TVA", "E999999999IVA"]),
    ("CY", &["99999999A"]),
    ("CZ", &["99999999", "999999999", "9999999999"]),
    ("DE", &["999999999"]),
    ("DK", &["99999999"]),
    ("EE", &["999999999"]),
    ("EL", &["999999999"]),
    ("ES", &["X9999999X"]),
    ("FI", &["99999999"]),
    ("FR", &["XX999999999"]),
    ("GB", &["999999999", "999999999999", "GD999", "HA999"]),
    ("HR", &["99999999999"]),
    ("HU", &["99999999"]),
    ("IE", &["9+99999A", "9999999AA"]),
    ("IT", &["99999999999"]),
    ("LT", &["999999999", "999999999999"]),
    ("LU", &["99999999"]),
    ("LV", &["99999999999"]),
    ("MT", &["99999999"]),
    ("NL", &["++++++++++99"]),
    ("NO", &["999999999", "999999999MVA"]),
    ("PL", &["9999999999"]),
    ("PT", &["999999999"]),
    ("RO", &["99", "999", "9999", "99999", "999999", "9999999", "99999999", "999999999", "9999999999"]),
    ("SE", &["999999999999"]),
    ("SI", &["99999999"]),
    ("SK", &["9999999999"]),
    ("XI", &["999999999", "999999999999", "GD999", "HA999"]),
];

/// Why a VAT number is not well-formed, or nothing. A French one is checked by its key, where that is numeric.
pub fn vat_id_problem(vat_id: &str) -> Option<&'static str> {
    let Some((prefix, rest)) = vat_id.split_at_checked(2) else {
        return Some("a VAT number begins with its country, e.g. FR40303265045");
    };
    if !prefix.bytes().all(|b| b.is_ascii_uppercase()) || !(2..=15).contains(&rest.len()) {
        return Some("a VAT number begins with its country, e.g. FR40303265045");
    }
    let Some((_, forms)) = VAT_FORMS.iter().find(|(known, _)| *known == prefix) else {
        return (!rest.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()))
            .then_some("a VAT number has letters and digits only");
    };
    if !forms.iter().any(|form| fits(form, rest)) {
        return Some("this is not the form of that country's VAT numbers: check its characters");
    }
    if prefix != "FR" {
        return None;
    }
    let (key, siren) = rest.split_at(2);
    // Monaco shares the prefix and has numbers without a SIREN (000 and more).
    if !is_siren(siren) && !siren.starts_with("000") {
        return Some("the SIREN in this French VAT number is wrong: check its digits");
    }
    match key.parse::<u32>() {
        Ok(key) if Some(key) != french_vat_key(siren) => {
            Some("the key of this French VAT number is wrong: check its digits")
        }
        _ => None,
    }
}

/// The SIREN within a French VAT number.
pub fn siren_of_vat_id(vat_id: &str) -> Option<&str> {
    vat_id.strip_prefix("FR")?.get(2..).filter(|siren| is_siren(siren))
}

/// Whether this is a BIC (ISO 9362): four letters or digits, country, two for the place, maybe three more.
pub fn is_bic(text: &str) -> bool {
    fits("XXXXAAXX", text) || fits("XXXXAAXXXXX", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn french_numbers_carry_their_keys() {
        assert!(
            is_siren("732829320")
                && !is_siren("732829321")
                && !is_siren("73282932")
                && !is_siren("73282932X")
        );
        assert!(is_siret("73282932000074") && !is_siret("73282932000075"));
        assert!(is_siret("35600000049837"), "La Poste adds up to a multiple of five");
        assert!(is_siret("35600000000048"), "its head office passes Luhn");
        assert!(!is_siret("35600000049838"));
        assert_eq!(siren_of_vat_id("FR44732829320"), Some("732829320"));
    }

    #[test]
    fn vat_numbers_have_their_countrys_form() {
        for good in [
            "FR44732829320",
            "FRX7732829320",
            "DE123456789",
            "BE0123456789",
            "ATU12345678",
            "ESX1234567X",
            "NL123456789B01",
            "CHE123456789MWST",
            "IE1A23456A",
            "IE1234567AB",
            "EL123456789",
            "RO12",
            "US12AB",
        ] {
            assert_eq!(vat_id_problem(good), None, "{good}");
        }
        for bad in [
            "",
            "F",
            "FR",
            "FR45732829320",
            "FR44732829321",
            "DE12345678",
            "GR123456789X9999999",
            "1234567890",
            "ESÉ1234567X",
            "BE2123456789",
            "USé1",
        ] {
            assert!(vat_id_problem(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn shapes_of_bic_and_mail() {
        assert!(is_bic("BNPAFRPP") && is_bic("BNPAFRPPXXX") && !is_bic("BNPAFRP") && !is_bic("BNPA12PP"));
        for good in ["a@b.fr", "jean.dupont+x@sous.domaine.example", "é@café.fr"] {
            assert!(is_email(good), "{good}");
        }
        for bad in ["", "a", "a@b", "@b.fr", "a@", "a@b..fr", "a b@c.fr", ".a@b.fr", "a@-b.fr", "a@b.fr\n"] {
            assert!(!is_email(bad), "{bad}");
        }
        assert_eq!(compact(" fr 44-732.829 320 "), "FR44732829320");
    }
}
