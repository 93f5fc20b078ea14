//! Parameters of queries and forms (`application/x-www-form-urlencoded`), read strictly.

use std::collections::{BTreeMap, BTreeSet};

use crate::refusal::Refusal;

/// Most parameters of a request.
const MOST: usize = 64;

/// The text is no list of parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a list of parameters: percent signs, characters or their number are wrong")]
pub struct Malformed;

/// The parameters of a request. What is empty was not given (RFC 6749, section 3.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params {
    values: BTreeMap<String, String>,
    repeated: BTreeSet<String>,
}

impl Params {
    /// Reads a query or the body of a form.
    ///
    /// # Errors
    /// A percent sign without two hexadecimal digits, bytes that are not UTF-8, control characters, too many parameters.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let mut params = Self::default();
        for (count, pair) in text.split('&').filter(|pair| !pair.is_empty()).enumerate() {
            if count == MOST {
                return Err(Malformed);
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            // A parameter that comes twice is refused even when one of the two is empty.
            let again = params.values.insert(name.clone(), value).is_some();
            if again {
                params.repeated.insert(name);
            }
        }
        Ok(params)
    }

    /// A parameter that was given once and is not empty.
    ///
    /// # Errors
    /// It was given more than once.
    pub fn get(&self, name: &str) -> Result<Option<&str>, Refusal> {
        if self.repeated.contains(name) {
            return Err(Refusal::request("a parameter was given more than once"));
        }
        Ok(self.values.get(name).map(String::as_str).filter(|value| !value.is_empty()))
    }

    /// A parameter that must be there.
    ///
    /// # Errors
    /// It was given more than once, or not at all.
    pub fn need(&self, name: &str, missing: &'static str) -> Result<&str, Refusal> {
        self.get(name)?.ok_or(Refusal::request(missing))
    }

    /// Refuses whatever was given more than once, known or not.
    ///
    /// # Errors
    /// Something was.
    pub fn once(&self) -> Result<(), Refusal> {
        if self.repeated.is_empty() {
            return Ok(());
        }
        Err(Refusal::request("a parameter was given more than once"))
    }
}

/// Decodes one name or value.
pub(crate) fn decode(text: &str) -> Result<String, Malformed> {
    let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16)).ok_or(Malformed);
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => u8::try_from(digit(bytes.next())? * 16 + digit(bytes.next())?).map_err(|_| Malformed)?,
            byte => byte,
        });
    }
    let decoded = String::from_utf8(decoded).map_err(|_| Malformed)?;
    if decoded.chars().any(char::is_control) { Err(Malformed) } else { Ok(decoded) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_parameter_given_twice_is_neither_of_the_two() {
        let params = Params::parse("a=1&b=2&a=1&c=&c").expect("parameters");
        assert!(params.get("a").is_err() && params.get("c").is_err() && params.once().is_err());
        assert_eq!(params.get("b"), Ok(Some("2")));
    }

    #[test]
    fn what_is_empty_was_not_given() {
        let params = Params::parse("a=&b&&=x").expect("parameters");
        assert_eq!((params.get("a"), params.get("b"), params.get("z")), (Ok(None), Ok(None), Ok(None)));
        assert!(params.once().is_ok() && params.need("a", "a is missing").is_err());
    }

    #[test]
    fn what_is_not_encoded_well_is_refused() {
        for wrong in ["a=%", "a=%4", "a=%zz", "a=%c3", "%ff=1", "a=%00", "a=%0d%0aSet-Cookie:x", "a=\u{7f}"] {
            assert_eq!(Params::parse(wrong), Err(Malformed), "{wrong}");
        }
        assert!(Params::parse(&"a&".repeat(65)).is_err());
    }

    proptest! {
        #[test]
        fn what_others_encode_reads_back(pairs in proptest::collection::btree_map("[^\\pC]{1,12}", "[^\\pC]{1,24}", 0..8)) {
            let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
            let params = Params::parse(&text).expect("parameters");
            for (name, value) in &pairs {
                prop_assert_eq!(params.get(name), Ok(Some(value.as_str())));
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,200}") {
            let _read_or_refused = Params::parse(&text);
        }
    }
}
