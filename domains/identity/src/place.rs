//! Where an address is, roughly, by a database that the operator names. Without one no place is told, and nothing is ever
//! asked of another service.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use maxminddb::{PathElement, Reader};

/// The database cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {reason}; name a database of countries or cities in MaxMind's format (.mmdb)")]
pub struct Unreadable {
    path: String,
    reason: String,
}

/// Places of addresses, by a database in the format `mmdb` 2.0: with nested records as `GeoLite2` and `GeoIP2` have them, or
/// with flat ones (`city`, `country_code`). Cheap to clone; it is kept in memory.
#[derive(Clone, Debug, Default)]
pub struct Places(Option<Arc<Reader<Vec<u8>>>>);

impl Places {
    /// Opens a database of countries or cities.
    ///
    /// # Errors
    /// When the file is not there, or is no such database.
    pub fn open(path: &Path) -> Result<Self, Unreadable> {
        let reader = Reader::open_readfile(path);
        let reader =
            reader.map_err(|e| Unreadable { path: path.display().to_string(), reason: e.to_string() })?;
        Ok(Self(Some(Arc::new(reader))))
    }

    /// The city and the country of an address, as far as the database knows them, in a language: `Paris, France`, or
    /// `FR` from a database that names no countries. None without a database, and for private addresses.
    pub fn of(&self, address: IpAddr, locale: &str) -> Option<String> {
        let found = self.0.as_ref()?.lookup(address.to_canonical()).ok()?;
        let read = |path: &[&str]| {
            let path: Vec<PathElement<'_>> = path.iter().copied().map(PathElement::Key).collect();
            found.decode_path::<String>(&path).ok().flatten().filter(|text| !text.is_empty())
        };
        let named = |thing: &str| read(&[thing, "names", locale]).or_else(|| read(&[thing, "names", "en"]));
        let city = named("city").or_else(|| read(&["city"]));
        let country = named("country")
            .or_else(|| read(&["country", "iso_code"]))
            .or_else(|| read(&["country_code"]))
            .or_else(|| read(&["country"]));
        match (city, country) {
            (Some(city), Some(country)) => Some(format!("{city}, {country}")),
            (city, country) => city.or(country),
        }
    }

    /// The same of a stored address.
    pub fn of_stored(&self, address: Option<&str>, locale: &str) -> Option<String> {
        self.of(address?.parse().ok()?, locale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(name: &str) -> Places {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
        Places::open(&file).expect("a database")
    }

    fn of(places: &Places, address: &str, locale: &str) -> Option<String> {
        places.of(address.parse().expect("an address"), locale)
    }

    #[test]
    fn a_city_and_its_country_are_told_in_the_language_of_who_asks() {
        let places = places("nested.mmdb");
        assert_eq!(of(&places, "203.0.113.7", "fr").as_deref(), Some("Londres, Royaume-Uni"));
        assert_eq!(of(&places, "203.0.113.7", "en").as_deref(), Some("London, United Kingdom"));
        assert_eq!(of(&places, "::ffff:203.0.113.7", "en").as_deref(), Some("London, United Kingdom"));
        assert_eq!(of(&places, "2001:db8::1", "fr").as_deref(), Some("Allemagne"), "no city is known");
        assert_eq!(of(&places, "198.51.100.1", "fr").as_deref(), Some("Kyoto, JP"), "what is not translated");
        assert_eq!(of(&places, "10.0.0.1", "fr"), None);
    }

    #[test]
    fn flat_databases_are_read_as_well() {
        let places = places("flat.mmdb");
        assert_eq!(of(&places, "203.0.113.7", "fr").as_deref(), Some("London, GB"));
        assert_eq!(of(&places, "2001:db8::1", "en").as_deref(), Some("DE"));
    }

    #[test]
    fn without_a_database_there_is_no_place_and_no_file_is_told_as_one() {
        assert_eq!(of(&Places::default(), "203.0.113.7", "en"), None);
        assert_eq!(Places::default().of_stored(Some("not an address"), "en"), None);
        let error = Places::open(Path::new("/nowhere.mmdb")).expect_err("no file").to_string();
        assert!(error.starts_with("/nowhere.mmdb: "), "{error}");
        assert!(Places::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).is_err());
    }
}
