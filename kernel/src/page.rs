//! Keyset pages: a cursor names the last row seen by its sort key, so pages stay right while rows come and go.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

/// Most rows of one page.
pub const MOST: u32 = 100;

/// Where a row stands in its list: its sort value as text, and its id for ties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The sort value, as the list's store writes it.
    pub key: String,
    /// The row.
    pub id: Uuid,
}

impl Cursor {
    /// The opaque public form.
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}\n{}", self.id, self.key))
    }

    /// Reads the public form.
    pub fn decode(text: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (id, key) = text.split_once('\n')?;
        Some(Self { key: key.to_owned(), id: id.parse().ok()? })
    }
}

/// Which rows of a list are wanted.
#[derive(Clone, Debug, Default)]
pub struct Slice {
    /// Rows after this one.
    pub after: Option<Cursor>,
    /// Rows before this one.
    pub before: Option<Cursor>,
    /// How many, at most [`MOST`].
    pub limit: u32,
    /// Whether the last ones of the range are wanted and not the first.
    pub backward: bool,
}

impl Slice {
    /// The first rows.
    pub fn first(limit: u32) -> Self {
        Self { limit, ..Self::default() }
    }

    /// How many rows to ask for: one more than wanted tells whether there are more.
    pub fn probe(&self) -> u64 {
        u64::from(self.limit) + 1
    }
}

/// A page of a list, in the list's order.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Whether rows come before them.
    pub has_previous: bool,
    /// Whether rows come after them.
    pub has_next: bool,
}

impl<T> Page<T> {
    /// Makes a page from the probe's rows: read in list order, or in reverse for a backward slice.
    pub fn from_probe(slice: &Slice, mut rows: Vec<T>) -> Self {
        let more = rows.len() > slice.limit as usize;
        rows.truncate(slice.limit as usize);
        if slice.backward {
            rows.reverse();
            Self { items: rows, has_previous: more, has_next: slice.before.is_some() }
        } else {
            Self { items: rows, has_previous: slice.after.is_some(), has_next: more }
        }
    }

    /// The page with each row made into something else.
    pub fn map<U>(self, make: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(make).collect(),
            has_previous: self.has_previous,
            has_next: self.has_next,
        }
    }
}
