//! Encryption of what commands write, by the program `age` (<https://age-encryption.org>), which has to
//! be installed.

use std::{
    io::{self, Write},
    process::{Child, ChildStdin, Command, Stdio},
};

use anyhow::{Context, bail};

/// A running `age`: what is written to it comes out encrypted.
pub(super) struct Age {
    child: Child,
    /// `None` once everything is written.
    input: Option<ChildStdin>,
}

impl Age {
    /// Checks that `age` is installed and can encrypt to these recipients, such as `age1…` and
    /// `ssh-ed25519 …`.
    ///
    /// # Errors
    /// If not, with what `age` says.
    pub(super) fn check(recipients: &[String]) -> anyhow::Result<()> {
        Self::start(recipients, Stdio::null())?.finish()
    }

    /// Starts encrypting to `output`.
    ///
    /// # Errors
    /// If `age` is not installed.
    pub(super) fn start(recipients: &[String], output: Stdio) -> anyhow::Result<Self> {
        let mut command = Command::new("age");
        for recipient in recipients {
            command.args(["--recipient", recipient]);
        }
        command.stdin(Stdio::piped()).stdout(output).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => anyhow::anyhow!(
                "--encrypt-to needs the program age, which is not installed: apt install age, or \
                 see https://age-encryption.org"
            ),
            _ => anyhow::Error::new(error).context("cannot run age"),
        })?;
        let input = child.stdin.take();
        Ok(Self { child, input })
    }

    /// Waits until everything is encrypted.
    ///
    /// # Errors
    /// If `age` failed, with what it says.
    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        drop(self.input.take());
        let output = self.child.wait_with_output().context("cannot wait for age")?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        // Its second line asks for reports to its authors.
        let said = said.lines().next().unwrap_or_default();
        bail!("--encrypt-to: {}", said.trim_start_matches("age: ").trim_start_matches("error: "))
    }
}

impl Write for Age {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.input {
            Some(input) => input.write(bytes),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
