//! `manage users list`.

use std::io::Write;

use clap::Args;
use rollcall_api::user_as_json;
use rollcall_domain::{
    Counted, Cursor, SearchTerm, TelegramUser, UserFilter, UserSlice, UserSort, grouped,
    read_search,
};
use rollcall_service::{AudienceService, DirectoryService, MAX_PAGE_SIZE};
use serde_json::json;

use crate::{
    WrongUsage,
    manage::{
        export::index_names,
        filter::{FurtherFilter, quoted},
        output::{print_json, safe, second, stdout},
    },
    values::{OneOf, whole},
};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  manage users list --search ada                        by name, @username or id
  manage users list --filter 'lang:de seen<14d'         by a filter; see docs/filters.md
  manage users list --sort -last_seen --limit 10        the ten users seen last
  manage users list --sort -active_days --json          the most active users, for a program")]
pub struct List {
    /// Users whose name, @username or id contains this text, as in the web list
    #[arg(long, value_name = "TEXT", value_parser = read_search)]
    search: Option<SearchTerm>,
    #[command(flatten)]
    filter: FurtherFilter,
    /// Order, as in the web list. With - the latest or largest comes first
    #[arg(
        long,
        value_name = "FIELD",
        default_value = "-first_seen",
        allow_hyphen_values = true,
        value_parser = OneOf(&UserSort::NAMED)
    )]
    sort: UserSort,
    /// How many users to list, up to 1000
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = whole(1..=MAX_PAGE_SIZE))]
    limit: u32,
    /// List the users after this place, as printed below a page and as `next` in JSON
    #[arg(long, value_name = "CURSOR", value_parser = cursor)]
    after: Option<Cursor>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const CURSOR_EXPECTED: &str = "expected the cursor that `manage users list` printed below a page, \
                               such as fn1795780800000000.123456789";

fn cursor(text: &str) -> Result<Cursor, &'static str> {
    text.parse().ok().filter(|it: &Cursor| !it.backwards).ok_or(CURSOR_EXPECTED)
}

impl List {
    pub(super) async fn run(
        self,
        directory: &DirectoryService,
        audience: &AudienceService,
    ) -> anyhow::Result<()> {
        if let Some(after) = self.after.filter(|after| after.key != self.sort.key) {
            return Err(WrongUsage(format!(
                "invalid value '{after}' for '--after <CURSOR>': it belongs to a list with another \
                 --sort; {CURSOR_EXPECTED}"
            ))
            .into());
        }
        let filter = UserFilter { search: self.search.clone(), ..UserFilter::new() };
        let selection = self.filter.selection(audience, &filter).await?;
        if selection.node().compares_names() {
            index_names(directory).await?;
        }
        let page = audience.users(&selection, self.sort, self.after, self.limit).await?;
        if !self.json {
            return self.print(&page);
        }
        let users = page.rows.iter().map(|row| user_as_json(&row.user));
        print_json(&json!({
            "total": page.count.number(),
            "users": users.collect::<Vec<_>>(),
            "next": page.next.map(|next| next.to_string()),
        }))
    }

    fn print(&self, page: &UserSlice) -> anyhow::Result<()> {
        let mut out = stdout();
        if page.rows.is_empty() {
            writeln!(out, "{}", self.nothing(page))?;
        } else {
            writeln!(
                out,
                "{:>16}  {:19}  {:19}  {:8}  NAME",
                "ID", "LAST SEEN", "JOINED", "LANGUAGE"
            )?;
            for row in &page.rows {
                writeln!(out, "{}", line(&row.user))?;
            }
            writeln!(out, "Users: {} of {}", page.rows.len(), counted(page.count))?;
            if page.is_partial {
                writeln!(out, "Few matches so far: this page searched only part of the list.")?;
            }
        }
        if let Some(next) = page.next {
            writeln!(out, "Next page: {}", self.command(next))?;
        }
        Ok(())
    }

    /// Why a page is empty.
    fn nothing(&self, page: &UserSlice) -> String {
        match (self.search.is_some() || self.filter.filter().is_some(), self.after) {
            _ if page.is_partial => {
                "No matches so far: this page searched only part of the list.".to_owned()
            }
            (false, None) => "There are no users yet.".to_owned(),
            (true, None) => "No users match.".to_owned(),
            (false, Some(_)) => {
                let total = counted(page.count);
                format!("There are no users after this cursor; users in all: {total}")
            }
            (true, Some(_)) => {
                let total = counted(page.count);
                format!("No users after this cursor match; matching users in all: {total}")
            }
        }
    }

    /// The command for the page after this one.
    fn command(&self, next: Cursor) -> String {
        let mut command = format!("manage users list --limit {}", self.limit);
        if let Some(term) = &self.search {
            command += &format!(" --search={}", quoted(&safe(term.as_str())));
        }
        command += &self.filter.options();
        if self.sort != UserSort::default() {
            command += &format!(" --sort={}", self.sort.name());
        }
        format!("{command} --after {next}")
    }
}

fn line(user: &TelegramUser) -> String {
    let username = user.username.as_ref().map(|username| format!(" {username}"));
    format!(
        "{:>16}  {}  {}  {:8}  {}{}",
        user.telegram_id,
        second(user.last_seen),
        second(user.created_at),
        safe(user.language_code.as_deref().unwrap_or("-")),
        user.shown_name(),
        safe(&username.unwrap_or_default()),
    )
}

/// A number of users, as precise as it is known.
fn counted(count: Counted) -> String {
    match count {
        Counted::Exactly(number) => grouped(number),
        Counted::MoreThan(number) => format!("more than {}", grouped(number)),
        Counted::About(number) => format!("about {}", grouped(number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_one_word_for_a_shell() {
        assert_eq!(quoted("@ada_1"), "@ada_1");
        assert_eq!(quoted("Ада"), "Ада");
        assert_eq!(quoted("ada lovelace"), "'ada lovelace'");
        assert_eq!(quoted("o'neil $(x)"), r"'o'\''neil $(x)'");
    }

    #[test]
    fn a_cursor_leads_forwards() {
        assert!(cursor("fn1.1").is_ok() && cursor("an1.1").is_ok());
        for wrong in ["fb1.1", "2", ""] {
            assert_eq!(cursor(wrong), Err(CURSOR_EXPECTED));
        }
    }
}
