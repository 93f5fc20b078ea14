//! Writes the filter of leaked passwords that the server embeds, from files with a password in each line:
//! `cargo run --release -p credentials --example leaked -- LIST… > credentials/src/password/leaked.filter`

use std::error::Error;
use std::io::{IsTerminal, Write};

use credentials::password::leaked::Filter;

fn main() -> Result<(), Box<dyn Error>> {
    let mut text = String::new();
    for file in std::env::args_os().skip(1) {
        // Lists of leaked passwords have bytes that are no text; what cannot be typed need not be found.
        text.push_str(&String::from_utf8_lossy(&std::fs::read(file)?));
        text.push('\n');
    }
    let mut out = std::io::stdout();
    if text.trim().is_empty() || out.is_terminal() {
        return Err("usage: leaked LIST… > FILE".into());
    }
    let filter = Filter::of(text.lines())?;
    out.write_all(&filter.written())?;
    Ok(out.flush()?)
}
