//! Bots in other languages, with their real frameworks, which `.ci/peers` installs below `target/peers`.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// The languages of bots.
#[derive(Clone, Copy, Debug)]
pub enum PeerLanguage {
    /// Python, with the client of `clients/python`.
    Python,
    /// JavaScript (Node.js), with the client of `clients/js`.
    JavaScript,
}

impl PeerLanguage {
    /// A command that runs a program in this language, which can import the frameworks and our client.
    /// `None`, after printing that the test is skipped, if they are not installed.
    ///
    /// # Panics
    /// If they are not installed and `ROLLCALL_REQUIRE_PEERS` is 1.
    pub fn run(self, program: &str) -> Option<Command> {
        let mut command = self.command()?;
        match self {
            Self::Python => command.args(["-c", program]),
            Self::JavaScript => command.args(["--input-type=module", "-e", program]),
        };
        Some(command)
    }

    /// The same without a program: the caller adds the arguments.
    ///
    /// # Panics
    /// As [`PeerLanguage::run`].
    pub fn command(self) -> Option<Command> {
        let peers = root().join("target/peers");
        if !peers.join("installed").exists() {
            let is_required = std::env::var("ROLLCALL_REQUIRE_PEERS").as_deref() == Ok("1");
            assert!(!is_required, "ROLLCALL_REQUIRE_PEERS=1, but {} is missing", peers.display());
            eprintln!("SKIPPED: no tests with bots in other languages; run .ci/peers first");
            return None;
        }
        let mut command = match self {
            Self::Python => {
                let mut python = Command::new(peers.join("venv/bin/python"));
                python.env("PYTHONPATH", self.client().join("src"));
                python.env("PYTHONDONTWRITEBYTECODE", "1");
                python
            }
            Self::JavaScript => Command::new("node"),
        };
        // Node looks for packages from here on upwards.
        command.current_dir(peers);
        Some(command)
    }

    /// The folder of our client.
    pub fn client(self) -> PathBuf {
        root().join(match self {
            Self::Python => "clients/python",
            Self::JavaScript => "clients/js",
        })
    }
}

fn root() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    folder.ancestors().nth(2).expect("the crate is in crates/").to_owned()
}
