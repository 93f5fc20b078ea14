//! The console, as browsers get it.

mod browser;
mod files;
