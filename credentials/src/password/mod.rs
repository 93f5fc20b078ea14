//! Passwords: which are accepted, and how they are hashed.
//!
//! The rules are those of NIST SP 800-63B-4, section 3.1.1: at least 15 characters when the password stands alone and 8
//! beside a second factor; at most 256; every character is taken, none is demanded; the whole password counts; Unicode is
//! normalised to NFC, so that a password can be typed on another keyboard; and what is known from leaks, or is easily
//! guessed from what is known about the person, is refused.
//!
//! This module never stores passwords, and never changes their case before hashing.

mod hash;
pub mod leaked;

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use zxcvbn::{Score, zxcvbn};

pub use hash::{HashError, Hasher, Verified};

/// Fewest characters of a password that stands alone.
pub const LEAST_ALONE: usize = 15;
/// Fewest characters of a password beside a second factor.
pub const LEAST: usize = 8;
/// Most characters of a password.
pub const MOST: usize = 256;

/// Fewest letters and digits of a password that are not what others know about the person.
const FEWEST_OWN: usize = 4;

/// The name of the product is the first that somebody tries.
const PRODUCT: &str = "coulisse";

/// Why a password is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Too few characters.
    #[error(
        "a password has at least {least} characters{}; a sentence is easy to keep",
        if *least == LEAST_ALONE { ", or 8 beside a second factor" } else { "" }
    )]
    TooShort {
        /// The fewest that would do.
        least: usize,
    },
    /// Too many characters.
    #[error("a password has at most {MOST} characters")]
    TooLong,
    /// It is on the list of leaked passwords.
    #[error("this password is known from a leak, and is among the first that are tried: choose another")]
    Leaked,
    /// It is guessed in few tries by who knows what people choose, and who this is.
    #[error("this password is easily guessed: {feedback}")]
    Guessable {
        /// What is wrong with it and what would help.
        feedback: String,
    },
}

/// A password that is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Whether it is too short to stand alone: then it is good only while there is a second factor.
    pub short: bool,
}

/// Whether a password may be chosen by somebody who has a second factor or none. `own` is what others know about the
/// person: the name, the e-mail address, the company's name.
pub fn check(password: &str, own: &[&str], second_factor: bool) -> Result<Accepted, Refusal> {
    let password = normalise(password);
    let least = if second_factor { LEAST } else { LEAST_ALONE };
    let length = password.chars().count();
    if length < least {
        return Err(Refusal::TooShort { least });
    }
    if length > MOST {
        return Err(Refusal::TooLong);
    }
    if leaked::is_leaked(&password) {
        return Err(Refusal::Leaked);
    }
    let own = words(own);
    if rest(&password, &own) < FEWEST_OWN {
        let feedback = "it says only what others know about you. Add another word or two.".to_owned();
        return Err(Refusal::Guessable { feedback });
    }
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    let guessed = zxcvbn(&password, &own);
    let short = length < LEAST_ALONE;
    // Beside a second factor it need only withstand who tries it at the door, where tries are counted (score 2); alone,
    // also who has got hold of its slow hash (score 3). No eight characters reach 3, however they were drawn.
    if guessed.score() < if short { Score::Two } else { Score::Three } {
        return Err(Refusal::Guessable { feedback: feedback(&guessed) });
    }
    Ok(Accepted { short })
}

/// A password as it is counted and hashed: in Unicode's normalisation form C, otherwise as it was typed.
pub fn normalise(password: &str) -> Cow<'_, str> {
    if is_nfc_quick(password.chars()) == IsNormalized::Yes {
        Cow::Borrowed(password)
    } else {
        Cow::Owned(password.nfc().collect())
    }
}

/// What is known about a person, whole and word by word.
fn words(own: &[&str]) -> Vec<String> {
    let mut words = vec![PRODUCT.to_owned()];
    for known in own {
        let known = normalise(known).to_lowercase();
        let parts = known.split(|c: char| !c.is_alphanumeric()).filter(|part| part.chars().count() > 2);
        words.extend(parts.map(str::to_owned));
        words.push(known);
    }
    words.retain(|word| !word.is_empty());
    // The longest first: what contains another is taken out whole.
    words.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    words.dedup();
    words
}

/// How many letters and digits a password has beside what is known about the person. Estimators take capitals in the
/// middle of a known word for a great many choices, and a few known words in a row as well.
fn rest(password: &str, words: &[String]) -> usize {
    let mut left = password.to_lowercase();
    for word in words {
        left = left.replace(word.as_str(), " ");
    }
    left.chars().filter(|c| c.is_alphanumeric()).count()
}

/// What zxcvbn tells, as one text.
fn feedback(guessed: &zxcvbn::Entropy) -> String {
    let told = guessed.feedback();
    let warning = told.and_then(zxcvbn::feedback::Feedback::warning).map(|warning| warning.to_string());
    let advice = told.into_iter().flat_map(zxcvbn::feedback::Feedback::suggestions).map(ToString::to_string);
    let told: Vec<String> = warning.into_iter().chain(advice).collect();
    if told.is_empty() {
        "Add another word or two. Uncommon words are better.".to_owned()
    } else {
        told.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: [&str; 3] = ["Ada Lovelace", "ada.lovelace@analytical.example", "Analytical Engines SAS"];

    fn refused(password: &str, second_factor: bool) -> Option<Refusal> {
        check(password, &OWN, second_factor).err()
    }

    #[test]
    fn a_password_alone_has_fifteen_characters_and_eight_beside_a_second_factor() {
        for (password, alone, beside) in [
            ("kumquat", Some(15), Some(8)),
            ("vK9#tqZw", Some(15), None),
            ("xrJ4-plumcot7q", Some(15), None),
            ("xrJ4-plumcot7qz", None, None),
        ] {
            let short = |least: Option<usize>| least.map(|least| Refusal::TooShort { least });
            assert_eq!(refused(password, false), short(alone), "{password}");
            assert_eq!(refused(password, true), short(beside), "{password}");
        }
        assert_eq!(check("vK9#tqZw", &OWN, true), Ok(Accepted { short: true }));
        assert_eq!(check("xrJ4-plumcot7qz", &OWN, true), Ok(Accepted { short: false }));
    }

    #[test]
    fn every_character_counts_once_and_none_is_demanded() {
        // Fifteen characters that have more bytes, and more code units.
        assert_eq!(refused("émeraude à ½ 🦜x", false), None);
        // An e and its accent are one character: fourteen in all.
        assert_eq!(refused("e\u{301}meraude a ½ 🦜", false), Some(Refusal::TooShort { least: 15 }));
        for plain in ["gravel lantern oboe", "48 152 9307 116 2", "GRAVEL;LANTERN;OBOE", "зимний сад у реки"]
        {
            assert_eq!(refused(plain, false), None, "{plain}");
        }
    }

    #[test]
    fn the_longest_has_256_characters() {
        let long =
            |length: usize| "gravel lantern 🦜 oboe; ".chars().cycle().take(length).collect::<String>();
        assert_eq!(refused(&long(256), false), None);
        assert_eq!(refused(&long(257), false), Some(Refusal::TooLong));
    }

    #[test]
    fn what_was_leaked_is_refused_whatever_its_case() {
        for leaked in ["password123", "Password123", "PASSWORD123", "qwertyuiop[]", "1q2w3e4r5t6y7u8i"] {
            assert_eq!(refused(leaked, true), Some(Refusal::Leaked), "{leaked}");
        }
        assert_eq!(refused("1234567890123456", false), Some(Refusal::Leaked));
    }

    #[test]
    fn what_is_known_about_the_person_does_not_make_a_password() {
        for known in [
            "Ada Lovelace 1815",
            "Analytical Engines SAS",
            "ADA.LOVELACE@analytical.example",
            "analytical.Engines",
            "CoulisseCoulisse",
        ] {
            assert!(matches!(refused(known, false), Some(Refusal::Guessable { .. })), "{known}");
        }
        assert_eq!(
            check("ada.lovelace@analytical.example", &[], false).err(),
            None,
            "fine for somebody else"
        );
        let Some(Refusal::Guessable { feedback }) = refused("aaaaaaaaaaaaaaaaaaaaa", false) else {
            panic!("a repeat is guessed");
        };
        assert!(feedback.contains("Repeats"), "{feedback}");
    }
}
