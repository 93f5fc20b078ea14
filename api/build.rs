//! Embeds the console anew when its files have changed, where they were built.

use std::path::Path;

fn main() {
    let built = "../web/dist";
    // What is missing would be looked for at every build, and the crate built again each time.
    println!("cargo::rerun-if-changed={}", if Path::new(built).exists() { built } else { "../web" });
}
