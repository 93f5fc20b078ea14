//! Scopes: what a token may be used for (RFC 6749, section 3.3).

use std::collections::BTreeSet;
use std::fmt;

/// Most scopes of a request.
const MOST: usize = 100;
/// Longest scope, in characters.
const LONGEST: usize = 80;

/// The text is no list of scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a list of scopes: words of printable ASCII, separated by single spaces")]
pub struct NotAScope;

/// A set of scopes, in their order by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(BTreeSet<String>);

impl Scopes {
    /// Reads scopes as requests write them.
    ///
    /// # Errors
    /// Anything that the grammar of RFC 6749 does not allow, too many scopes, or too long ones.
    pub fn parse(text: &str) -> Result<Self, NotAScope> {
        let good = |scope: &str| {
            let token = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            (1..=LONGEST).contains(&scope.len()) && scope.bytes().all(token)
        };
        let mut scopes = BTreeSet::new();
        for scope in text.split(' ') {
            if !good(scope) || scopes.len() == MOST {
                return Err(NotAScope);
            }
            scopes.insert(scope.to_owned());
        }
        Ok(Self(scopes))
    }

    /// The scopes.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every scope of `other` is one of these.
    pub fn contains(&self, other: &Self) -> bool {
        other.0.is_subset(&self.0)
    }

    /// What is in both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }
}

impl<T: Into<String>> FromIterator<T> for Scopes {
    fn from_iter<I: IntoIterator<Item = T>>(scopes: I) -> Self {
        Self(scopes.into_iter().map(Into::into).collect())
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, scope) in self.iter().enumerate() {
            if place > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_grammar_is_a_scope() {
        for wrong in ["", " ", "a ", " a", "a  b", "a\tb", "a\"", "a\\b", "é", &"x".repeat(81)] {
            assert_eq!(Scopes::parse(wrong), Err(NotAScope), "{wrong:?}");
        }
        let many: Vec<String> = (0..=MOST).map(|n| n.to_string()).collect();
        assert!(Scopes::parse(&many.join(" ")).is_err());
    }

    proptest! {
        #[test]
        fn scopes_read_back(words in proptest::collection::btree_set("[!#-\\[\\]-~]{1,12}", 1..9)) {
            let scopes: Scopes = words.iter().cloned().collect();
            prop_assert_eq!(Scopes::parse(&scopes.to_string()), Ok(scopes));
        }
    }
}
