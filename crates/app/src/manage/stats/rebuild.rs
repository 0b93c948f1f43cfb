//! `manage stats rebuild`.

use std::{io::Write, process::ExitCode};

use clap::Args;
use rollcall_service::{ActivityService, Difference};

use crate::manage::output::{progress_bar, safe, stdout};
use crate::manage::table::Table;

/// How many differences are listed.
const LISTED: usize = 20;

#[derive(Args, Debug)]
pub(super) struct Rebuild {
    /// Change nothing; list the figures that differ, and fail if there are any
    #[arg(long)]
    check: bool,
}

impl Rebuild {
    pub(super) async fn run(self, activity: ActivityService) -> anyhow::Result<ExitCode> {
        let bar = progress_bar("users");
        let shown = bar.clone();
        let recount = activity.recount(!self.check, move |counted, all| {
            shown.set_length(all);
            shown.set_position(counted);
        });
        let differences = recount.await;
        bar.finish_and_clear();
        self.report(&mut stdout(), &differences?).map_err(Into::into)
    }

    fn report(
        &self,
        out: &mut impl Write,
        differences: &[Difference],
    ) -> std::io::Result<ExitCode> {
        if differences.is_empty() {
            writeln!(out, "All figures match the recount.")?;
            return Ok(ExitCode::SUCCESS);
        }
        let found = match differences.len() {
            1 => "1 figure differed from the recount".to_owned(),
            many => format!("{many} figures differed from the recount"),
        };
        if !self.check {
            writeln!(out, "{found}; corrected.")?;
            return Ok(ExitCode::SUCCESS);
        }
        writeln!(out, "{found}; nothing was changed. `manage stats rebuild` corrects it.\n")?;
        list(differences).print(out)?;
        if let Some(more) = differences.len().checked_sub(LISTED).filter(|more| *more > 0) {
            writeln!(out, "… and {more} more")?;
        }
        Ok(ExitCode::FAILURE)
    }
}

fn list(differences: &[Difference]) -> Table {
    let mut table = Table::new(["FIGURE", "DAY", "LABEL", "STORED", "COUNTED"], 3);
    for Difference { figure, day, label, stored, counted } in differences.iter().take(LISTED) {
        table.row([
            figure.name().to_owned(),
            day.to_string(),
            if label.is_empty() { "-".to_owned() } else { safe(label) },
            stored.to_string(),
            counted.to_string(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use rollcall_domain::Figure;

    use super::*;

    fn report(check: bool, differences: &[Difference]) -> (String, bool) {
        let mut out = Vec::new();
        let code = Rebuild { check }.report(&mut out, differences).unwrap();
        (String::from_utf8(out).unwrap(), code == ExitCode::SUCCESS)
    }

    #[test]
    fn a_few_differences_are_listed_and_the_rest_counted() {
        let difference = |label: &str| Difference {
            figure: Figure::Kind,
            day: "2026-11-23".parse().unwrap(),
            label: label.to_owned(),
            stored: 1_234_567,
            counted: -1,
        };
        let differences: Vec<_> = (0..22).map(|n| difference(&format!("\u{1b}[{n}m"))).collect();
        let (text, succeeded) = report(true, &differences);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[2], "FIGURE  DAY         LABEL   STORED  COUNTED");
        assert_eq!(lines[12], "kind    2026-11-23  \u{fffd}[9m   1234567       -1");
        assert_eq!((lines.len(), lines[23], succeeded), (24, "… and 2 more", false));

        let (text, succeeded) = report(true, &[difference("")]);
        assert!(
            text.starts_with("1 figure differed") && text.contains("  -  ") && !succeeded,
            "{text}"
        );
        let (text, succeeded) = report(false, &differences);
        assert_eq!(text, "22 figures differed from the recount; corrected.\n");
        assert!(succeeded);
    }
}
