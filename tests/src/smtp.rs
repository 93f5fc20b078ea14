//! An independent SMTP server (npm `smtp-server`), as a peer of tests.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

/// A server that is ended with the test.
#[derive(Debug)]
pub struct Peer {
    child: Child,
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    told: Receiver<Value>,
}

/// It is installed once: two who install at the same time would disturb each other.
static INSTALLING: Mutex<()> = Mutex::new(());

impl Peer {
    /// A server with options (see `tests/npm/smtp-server/server.mjs`), installed below a folder that is kept, usually
    /// `CARGO_TARGET_TMPDIR`.
    pub fn start(folder: &str, options: &Value) -> Self {
        let one_at_a_time = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("npm/smtp-server/server.sh");
        let folder = Path::new(folder).join("smtp-server");
        let mut child = Command::new(script)
            .arg(folder)
            .arg(options.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node and npm");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _gone = tell.send(serde_json::from_str::<Value>(&line).unwrap_or_default());
            }
        });
        let first = told.recv_timeout(Duration::from_mins(1)).expect("it says where it listens");
        drop(one_at_a_time);
        let port = first["port"].as_u64().and_then(|port| u16::try_from(port).ok()).expect("a port");
        Self { child, port, told }
    }

    /// A server without encryption.
    pub fn plain(folder: &str) -> Self {
        Self::start(folder, &json!({"tls": "none"}))
    }

    /// Everything it has told since it was last asked.
    pub fn told(&self) -> Vec<Value> {
        let mut told = Vec::new();
        // What was answered over SMTP has been told before; only the pipe lies between.
        while let Ok(event) = self.told.recv_timeout(Duration::from_millis(300)) {
            told.push(event);
        }
        told
    }

    /// The messages among them.
    pub fn messages(&self) -> Vec<Value> {
        self.told().into_iter().filter(|event| event["event"] == "message").collect()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _gone = self.child.kill();
        let _status = self.child.wait();
    }
}
