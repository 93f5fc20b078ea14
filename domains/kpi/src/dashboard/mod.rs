//! Dashboards: which figures are shown, and where; and links by which outsiders see one.
//!
//! A dashboard is its owner's alone, or shared with everybody who may read figures. Its layout is data: tiles on a grid of
//! [`COLUMNS`] columns, none over another. Every company has one that is shown first. A link shows one shared dashboard,
//! narrowed to its locked filters, until it expires or is revoked: values, targets and trends, never a record or a person.
//!
//! A dashboard holds no figure: what it shows is read when it is looked at, by the keys of its tiles.

pub mod embed;
pub mod service;
pub mod shown;
mod store;

use std::collections::HashSet;

use chrono::TimeDelta;
use kernel::Fault;
use serde::{Deserialize, Serialize};

use crate::definition::Spec;
use crate::error::Error;

/// A dashboard as it is stored.
pub use entity::kpi::dashboard::Model as Dashboard;
/// A link as it is stored.
pub use entity::kpi::embed_link::Model as EmbedLink;

/// How wide the grid is.
pub const COLUMNS: u16 = 12;
/// How many rows the grid has.
pub const ROWS: u16 = 400;
/// The highest tile.
pub const TALLEST: u16 = 24;
/// Most tiles of a dashboard.
pub const MOST_TILES: usize = 40;
/// Most dashboards of a company: nobody finds one among more.
pub const MOST_DASHBOARDS: i64 = 200;
/// Most links to a dashboard that are good at once.
pub const MOST_LINKS: i64 = 50;
/// How long a link is good at most.
pub const LONGEST_LINK: TimeDelta = TimeDelta::days(365);

/// How a tile shows its figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// Its value.
    Number,
    /// Its value and how it moved.
    Trend,
    /// Its parts by a dimension.
    Series,
}

/// A place on the grid that shows a figure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tile {
    /// Names it within its dashboard.
    pub id: String,
    /// The figure.
    pub kpi_key: String,
    /// The first column, from 0.
    pub x: u16,
    /// The first row, from 0.
    pub y: u16,
    /// How many columns.
    pub width: u16,
    /// How many rows.
    pub height: u16,
    /// How it is shown.
    pub view: View,
    /// Of a series: the dimension that the figure is split by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimension: Option<String>,
}

impl Tile {
    fn overlaps(&self, other: &Self) -> bool {
        self.x < other.x + other.width
            && other.x < self.x + self.width
            && self.y < other.y + other.height
            && other.y < self.y + self.height
    }
}

/// Reads a stored layout.
///
/// # Errors
/// A fault when it is none.
pub fn layout_of(dashboard: &Dashboard) -> Result<Vec<Tile>, Fault> {
    serde_json::from_value(dashboard.layout.clone())
        .map_err(|e| Fault::Corrupt(format!("dashboard {}: {e}", dashboard.id)))
}

/// Refuses a layout that cannot be shown. Whether its keys are known, and its dimensions the figures', is asked with the
/// definitions: see [`check_figure`].
///
/// # Errors
/// `INVALID` with the path of the first field that is wrong.
pub(crate) fn check_layout(tiles: &[Tile]) -> Result<(), Error> {
    if tiles.len() > MOST_TILES {
        let message =
            format!("a dashboard has at most {MOST_TILES} tiles: make another dashboard for the rest");
        return Err(Error::invalid("layout", message));
    }
    let mut known = HashSet::new();
    for (place, tile) in tiles.iter().enumerate() {
        let refuse = |field: &str, message: String| Err(refusal(place, field, message));
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if tile.id.is_empty() || tile.id.len() > 60 || !tile.id.chars().all(plain) {
            return refuse("id", "a tile's id has 1 to 60 letters, digits, `_` and `-`".to_owned());
        }
        if !known.insert(&tile.id) {
            return refuse(
                "id",
                format!("another tile is called `{}` too: give each an id of its own", tile.id),
            );
        }
        if tile.width == 0 || tile.width > COLUMNS {
            return refuse("width", format!("a tile is 1 to {COLUMNS} columns wide"));
        }
        if tile.x > COLUMNS - tile.width {
            return refuse(
                "x",
                format!("the tile ends beyond column {COLUMNS}: move it left or make it narrower"),
            );
        }
        if tile.height == 0 || tile.height > TALLEST {
            return refuse("height", format!("a tile is 1 to {TALLEST} rows high"));
        }
        if tile.y > ROWS - tile.height {
            return refuse("y", format!("the tile ends beyond row {ROWS}: move it up"));
        }
        if let Some(other) = tiles[..place].iter().find(|other| tile.overlaps(other)) {
            return refuse("x", format!("the tile lies over `{}`: move one of them", other.id));
        }
        match (tile.view, &tile.dimension) {
            (View::Series, None) => {
                return refuse("dimension", "a series needs the dimension that splits the figure".to_owned());
            }
            (View::Number | View::Trend, Some(_)) => {
                return refuse("dimension", "only a series has a dimension: leave it out".to_owned());
            }
            _ => {}
        }
    }
    Ok(())
}

/// Refuses a tile whose figure cannot be split as it says.
pub(crate) fn check_figure(place: usize, tile: &Tile, spec: &Spec) -> Result<(), Error> {
    match &tile.dimension {
        Some(dimension) if !shown::splits(spec, dimension) => {
            let message = format!("`{}` cannot be split by `{dimension}`", tile.kpi_key);
            Err(refusal(place, "dimension", message))
        }
        _ => Ok(()),
    }
}

pub(crate) fn refusal(place: usize, field: &str, message: String) -> Error {
    Error::Invalid { field: format!("layout.{place}.{field}").into(), message: message.into() }
}

/// A title without spaces around it.
pub(crate) fn checked_title(title: &str) -> Result<String, Error> {
    let title = title.trim();
    if title.is_empty() || title.chars().count() > 100 || title.chars().any(char::is_control) {
        return Err(Error::invalid("title", "a title has 1 to 100 characters, on one line"));
    }
    Ok(title.to_owned())
}

#[cfg(test)]
mod tests {
    use kernel::DomainError;

    use super::*;

    fn tile(id: &str, x: u16, y: u16, width: u16, height: u16) -> Tile {
        let (id, kpi_key) = (id.to_owned(), "revenue_month".to_owned());
        Tile { id, kpi_key, x, y, width, height, view: View::Number, dimension: None }
    }

    fn refused(tiles: &[Tile]) -> Option<String> {
        check_layout(tiles).err().and_then(|error| error.field())
    }

    #[test]
    fn tiles_lie_on_the_grid_and_none_over_another() {
        let fits = [tile("a", 0, 0, 6, 2), tile("b", 6, 0, 6, 2), tile("c", 0, 2, 12, 24)];
        assert_eq!(refused(&fits), None);
        let wrong: [(&[Tile], &str); 9] = [
            (&[tile("a", 0, 0, 6, 2), tile("b", 5, 1, 2, 2)], "layout.1.x"),
            (&[tile("a", 0, 0, 6, 2), tile("a", 6, 0, 6, 2)], "layout.1.id"),
            (&[tile("a", 7, 0, 6, 1)], "layout.0.x"),
            (&[tile("a", u16::MAX, 0, 12, 1)], "layout.0.x"),
            (&[tile("a", 0, 0, 13, 1)], "layout.0.width"),
            (&[tile("a", 0, 0, 0, 1)], "layout.0.width"),
            (&[tile("a", 0, 0, 1, 25)], "layout.0.height"),
            (&[tile("a", 0, 400, 1, 1)], "layout.0.y"),
            (&[tile("a b", 0, 0, 1, 1)], "layout.0.id"),
        ];
        for (tiles, field) in wrong {
            assert_eq!(refused(tiles).as_deref(), Some(field), "{tiles:?}");
        }
        let many: Vec<Tile> = (0..41_u16).map(|n| tile(&format!("t{n}"), n % 12, n / 12, 1, 1)).collect();
        assert_eq!((refused(&many[..40]), refused(&many).as_deref()), (None, Some("layout")));
    }

    #[test]
    fn a_series_and_only_a_series_has_a_dimension() {
        let series = |dimension: Option<&str>, view| Tile {
            dimension: dimension.map(str::to_owned),
            view,
            ..tile("a", 0, 0, 1, 1)
        };
        assert_eq!(refused(&[series(Some("kind"), View::Series)]), None);
        assert_eq!(refused(&[series(None, View::Series)]).as_deref(), Some("layout.0.dimension"));
        assert_eq!(refused(&[series(Some("kind"), View::Trend)]).as_deref(), Some("layout.0.dimension"));
    }
}
