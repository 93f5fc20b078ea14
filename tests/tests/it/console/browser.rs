//! The console in a real browser. The scenarios stand in `web/e2e/`; each runs against a server of its own, which it can end
//! and start again.

use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::server::{Server, UNLIMITED};

/// Runs the scenarios of a file; what they print is told when one fails.
async fn play(scenarios: &str) {
    let mut server = Server::start_with(&UNLIMITED).await;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let control = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let shots = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder").join("e2e");
    let mut run = Command::new(root.join("infra/web.sh"))
        .args(["run", "node", "e2e/run.mjs", scenarios])
        .env("COULISSE_E2E_URL", &server.url)
        .env("COULISSE_E2E_CONTROL", control.local_addr().expect("an address").port().to_string())
        .env("COULISSE_E2E_SHOTS", shots)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("infra/web.sh");
    let (mut out, mut err) = (run.stdout.take().expect("stdout"), run.stderr.take().expect("stderr"));
    let told = tokio::spawn(async move {
        let (mut first, mut second) = (Vec::new(), Vec::new());
        let read =
            tokio::try_join!(tokio::io::copy(&mut out, &mut first), tokio::io::copy(&mut err, &mut second));
        read.expect("what it prints");
        format!("{}{}", String::from_utf8_lossy(&first), String::from_utf8_lossy(&second))
    });
    let ended = loop {
        tokio::select! {
            ended = run.wait() => break ended.expect("ended"),
            asked = control.accept() => {
                let (stream, _) = asked.expect("a connection");
                obey(&mut server, stream).await;
            }
        }
    };
    let told = told.await.expect("what it printed");
    assert!(ended.success(), "{scenarios}:\n{told}");
    assert!(told.contains("# pass ") && !told.contains("# pass 0"), "{scenarios} holds nothing:\n{told}");
}

/// One line, one act, one answer.
async fn obey(server: &mut Server, mut stream: tokio::net::TcpStream) {
    let mut line = String::new();
    BufReader::new(&mut stream).read_line(&mut line).await.expect("a line");
    let answer = match line.trim() {
        "crash" => {
            server.crash();
            "done\n"
        }
        "start" => {
            server.restart_in_place(&UNLIMITED);
            "done\n"
        }
        _ => "there is crash and start\n",
    };
    stream.write_all(answer.as_bytes()).await.expect("told");
}

/// A test for each file of scenarios.
macro_rules! scenarios {
    ($($(#[$doc:meta])* $name:ident: $file:literal;)*) => { $(
        $(#[$doc])*
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            play($file).await;
        }
    )* };
}

scenarios! {
    a_new_company_imports_an_invoice_and_its_figures_move_elsewhere: "main_job";
    two_companies_work_side_by_side: "companies";
    after_the_server_was_killed_the_missed_figures_show: "reconnect";
    everything_is_done_without_a_mouse: "keyboard";
    every_page_is_fit_for_everybody: "pages";
}

#[test]
fn every_file_of_scenarios_is_played() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/e2e/scenarios");
    let own = include_str!("browser.rs");
    for entry in std::fs::read_dir(folder).expect("web/e2e/scenarios") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        let file = name.strip_suffix(".mjs").unwrap_or_else(|| panic!("{name} is no scenario"));
        assert!(own.contains(&format!(": \"{file}\";")), "nothing plays {name}");
    }
}
