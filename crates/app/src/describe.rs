//! `completions` and `man`, which both programs have. They need no settings and no database.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::{Command, CommandFactory, Subcommand};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::values::OneOf;

const SHELLS: [(&str, Shell); 5] = [
    ("bash", Shell::Bash),
    ("elvish", Shell::Elvish),
    ("fish", Shell::Fish),
    ("powershell", Shell::PowerShell),
    ("zsh", Shell::Zsh),
];

/// Commands that describe the program itself.
#[derive(Clone, Debug, Subcommand)]
pub enum Describe {
    /// Print a script that lets a shell complete commands and options
    #[command(after_help = "\
Examples:
  bot completions bash > ~/.local/share/bash-completion/completions/bot
  manage completions bash > ~/.local/share/bash-completion/completions/manage
  manage completions zsh > ~/.zfunc/_manage           (a folder in $fpath)
  manage completions fish > ~/.config/fish/completions/manage.fish

Start a new shell to use them. Needs no token and no database.")]
    Completions {
        /// The shell
        #[arg(value_parser = OneOf(&SHELLS))]
        shell: Shell,
    },
    /// Write manual pages, one for the program and one for each command
    #[command(after_help = "\
Examples:
  manage man ./man && man ./man/manage-users-list.1
  bot man ~/.local/share/man/man1 && man bot

Creates the folder if it is missing, and overwrites older pages. Needs no token and no database.")]
    Man {
        /// Folder for the pages
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

impl Describe {
    /// Describes a program.
    ///
    /// # Errors
    /// If the description cannot be written.
    pub(crate) fn run<Program: CommandFactory>(&self) -> anyhow::Result<ExitCode> {
        let mut program = Program::command();
        let name = program.get_name().to_owned();
        match self {
            Self::Completions { shell } => {
                // In memory first, because clap panics if its output is closed.
                let mut script = Vec::new();
                clap_complete::generate(*shell, &mut program, name, &mut script);
                io::stdout().lock().write_all(&script)?;
            }
            Self::Man { folder } => {
                let cannot = || format!("cannot write manual pages to {}", folder.display());
                fs::create_dir_all(folder).with_context(cannot)?;
                let mut program = program.disable_help_subcommand(true);
                program.build();
                let pages = write_pages(&program, folder).with_context(cannot)?;
                writeln!(
                    io::stdout().lock(),
                    "Wrote {pages} pages to {}. Read the first with: man {}",
                    folder.display(),
                    folder.join(format!("{name}.1")).display()
                )?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Writes the page of a command and of those below it. Returns how many pages that are.
fn write_pages(command: &Command, folder: &Path) -> io::Result<usize> {
    let mut pages = 1;
    for below in command.get_subcommands().filter(|it| !it.is_hide_set()) {
        pages += write_pages(below, folder)?;
    }
    Man::new(command.clone()).generate_to(folder)?;
    Ok(pages)
}
