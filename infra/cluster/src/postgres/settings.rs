//! What the server is told on its command line. Nothing is written into `postgresql.conf`, so that a
//! cluster always runs with the settings of the program that starts it.

use super::PostgresOptions;
use std::path::Path;

pub(super) fn arguments(options: &PostgresOptions, data: &Path, socket_dir: &Path, port: u16) -> Vec<String> {
    let mut settings: Vec<(&str, String)> = vec![
        ("listen_addresses", "127.0.0.1".into()),
        ("port", port.to_string()),
        ("unix_socket_directories", quoted(&socket_dir.to_string_lossy())),
        ("unix_socket_permissions", "0700".into()),
        ("max_connections", options.max_connections.to_string()),
        ("shared_buffers", format!("{}MB", options.shared_buffers_mib)),
        ("max_locks_per_transaction", "128".into()),
        ("track_io_timing", "off".into()),
        // Compiling a plan costs more than most of our statements.
        ("jit", "off".into()),
        ("timezone", "UTC".into()),
        ("log_timezone", "UTC".into()),
        // The log is read for causes (a full disk, a taken port), so it must be in one language and place.
        ("lc_messages", "C".into()),
        ("log_destination", "stderr".into()),
        ("logging_collector", "off".into()),
    ];
    if options.ephemeral {
        settings.extend([
            ("fsync", "off".into()),
            ("synchronous_commit", "off".into()),
            ("full_page_writes", "off".into()),
            ("wal_level", "minimal".into()),
            ("max_wal_senders", "0".into()),
            // Short, so that emptied queue tables stay quick; not shorter, because every test has a
            // database of its own and the interval is per database.
            ("autovacuum_naptime", "20s".into()),
        ]);
    }
    let chosen = settings.into_iter().map(|(name, value)| format!("{name}={value}"));
    // The last mention of a setting wins.
    let given = options.settings.iter().map(|(name, value)| format!("{name}={value}"));
    let switches = chosen.chain(given).flat_map(|setting| ["-c".to_owned(), setting]);
    ["-D".to_owned(), data.to_string_lossy().into_owned()].into_iter().chain(switches).collect()
}

/// Quotes one element of a list of folders.
fn quoted(element: &str) -> String {
    format!("\"{}\"", element.replace('"', "\"\""))
}
