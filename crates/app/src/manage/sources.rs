//! `manage sources`.

use std::{collections::BTreeSet, io::Write, process::ExitCode};

use anyhow::bail;
use clap::{Args, Subcommand};
use rollcall_domain::{LabelKind, LabelName, LabelledSource, StartPayload, grouped};
use rollcall_service::{Allowed, MAX_SOURCES, SourceService, SourceTag};
use serde_json::{Value, json};

use super::{
    labels::read_name,
    output::{print_json, rfc3339, second, stdout},
};
use crate::values::whole;

/// The most links that a command takes.
const MOST: usize = 1000;

#[derive(Debug, Subcommand)]
pub enum Sources {
    /// List the links with labels, sorted by the number of users they brought
    ///
    /// BY is `users` if the link earned its label, and `list` if `manage sources allow` gave it one.
    /// USERS and STARTS are counted from SINCE on, as in `manage stats`. Users who open the link get TAG.
    List {
        /// Page number, from 1
        #[arg(long, default_value_t = 1, value_parser = whole(1..=u32::MAX))]
        page: u32,
        /// Links per page, up to 1000
        #[arg(long, default_value_t = 50, value_parser = whole(1..=1000_u32))]
        page_size: u32,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Give links permanent labels, even before they bring users
    ///
    /// Use it for links that you are about to publish, and for links that only bring back existing
    /// users. Counting starts now: what a link brought earlier stays in (other). A link that already
    /// earned its label keeps it from now on, even after all of its users are deleted.
    ///
    /// There is room for 1,000 labels, earned and allowed together. If the links do not all fit,
    /// nothing is changed.
    ///
    /// With --tag, users who open one of the links from now on get this tag, new users and known ones.
    /// A link that has a tag keeps it without --tag and --no-tag.
    Allow(Allow),
    /// Remove labels from links, to make room for others
    ///
    /// Everything counted under the label moves to (other), so the totals stay the same. This cannot be
    /// undone: the link can earn a label with its next new user, or get one from `manage sources
    /// allow`, but then counts from zero.
    Drop(Drop),
}

#[derive(Args, Debug)]
pub struct Allow {
    /// The part after `?start=` in the link: 1 to 64 of A-Z, a-z, 0-9, _ and -. Write `--` before
    /// a payload that begins with -
    #[arg(required = true, num_args = 1..=MOST, value_name = "PAYLOAD")]
    payloads: Vec<StartPayload>,
    /// Add this tag to users who open one of the links; a new one is created
    #[arg(long, value_name = "NAME", value_parser = read_name)]
    tag: Option<LabelName>,
    /// Add no tag to users who open one of the links from now on
    #[arg(long, conflicts_with = "tag")]
    no_tag: bool,
}

#[derive(Args, Debug)]
pub struct Drop {
    /// The part after `?start=` in the link, as shown by `manage sources list`. Write `--` before a
    /// payload that begins with -
    #[arg(
        required_unless_present = "without_users",
        num_args = 1..=MOST,
        value_name = "PAYLOAD"
    )]
    payloads: Vec<StartPayload>,
    /// Drop every label that was not allowed and whose link has no users left; older versions gave
    /// labels to links without users
    #[arg(long, conflicts_with = "payloads")]
    without_users: bool,
}

impl Sources {
    pub(super) async fn run(self, sources: SourceService) -> anyhow::Result<ExitCode> {
        match self {
            Self::List { page, page_size, json } => {
                let page = Page { links: sources.labelled().await?, number: page, size: page_size };
                if json { print_json(&as_json(&page))? } else { print(&page)? }
            }
            Self::Allow(command) => allow(&sources, command).await?,
            Self::Drop(command) => drop(&sources, command).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A page of the links that have labels.
struct Page {
    /// All links.
    links: Vec<LabelledSource>,
    /// The page's number, counted from 1.
    number: u32,
    /// How many links a full page has.
    size: u32,
}

impl Page {
    /// The links of the page; none past the end of the list.
    fn links(&self) -> impl Iterator<Item = &LabelledSource> {
        let before = u64::from(self.number.saturating_sub(1)) * u64::from(self.size);
        let before = usize::try_from(before).unwrap_or(usize::MAX);
        self.links.iter().skip(before).take(usize::try_from(self.size).unwrap_or(usize::MAX))
    }

    /// How many links there are on all pages.
    fn total(&self) -> u64 {
        self.links.len().try_into().unwrap_or(u64::MAX)
    }

    /// How many pages there are; 1 without links.
    fn pages(&self) -> u64 {
        self.total().div_ceil(u64::from(self.size).max(1)).max(1)
    }
}

fn print(page: &Page) -> anyhow::Result<()> {
    let mut out = stdout();
    let (number, pages) = (u64::from(page.number), page.pages());
    let total = grouped(page.total());
    let room = grouped(MAX_SOURCES.try_into().unwrap_or(u64::MAX));
    if page.links.is_empty() {
        writeln!(out, "No link has a label yet. A link earns one when it brings a new user.")?;
        return Ok(());
    }
    if number > pages {
        writeln!(out, "Page {number} does not exist: {total} labels fill {pages} pages.")?;
        return Ok(());
    }
    // The column is there only if a link has a tag.
    let tag = |it: &LabelledSource| it.tag.as_ref().map_or("-", LabelName::as_str).to_owned();
    let has_tags = page.links().any(|it| it.tag.is_some());
    let width = page.links().map(|it| tag(it).len()).max().unwrap_or_default().max("TAG".len());
    let cell = |text: &str| if has_tags { format!("{text:width$}  ") } else { String::new() };
    let (by, since, users, starts) = ("BY", "SINCE", "USERS", "STARTS");
    writeln!(out, "{by:5}  {since:19}  {users:>9}  {starts:>9}  {}PAYLOAD", cell("TAG"))?;
    for it in page.links() {
        writeln!(
            out,
            "{:5}  {:19}  {:>9}  {:>9}  {}{}",
            if it.is_listed { "list" } else { "users" },
            it.since.map_or_else(|| "-".to_owned(), second),
            grouped(it.users),
            grouped(it.starts),
            cell(&tag(it)),
            it.payload,
        )?;
    }
    write!(out, "Page {number} of {pages}, {total} of {room} labels in use")?;
    match number < pages {
        true => writeln!(out, "; next: --page {}", number + 1)?,
        false => writeln!(out)?,
    }
    Ok(())
}

fn as_json(page: &Page) -> Value {
    let source = |it: &LabelledSource| {
        json!({
            "payload": it.payload.as_str(),
            "by": if it.is_listed { "list" } else { "users" },
            "tag": it.tag.as_ref().map(LabelName::as_str),
            "since": it.since.map(rfc3339),
            "users": it.users,
            "starts": it.starts,
        })
    };
    json!({
        "total": page.total(),
        "room": MAX_SOURCES,
        "page": page.number,
        "pages": page.pages(),
        "sources": page.links().map(source).collect::<Vec<_>>(),
    })
}

async fn allow(
    sources: &SourceService,
    Allow { payloads, tag, no_tag }: Allow,
) -> anyhow::Result<()> {
    let remark = tag.as_ref().map(|tag| format!("; users who open it get the tag {tag}"));
    let tag = match (tag, no_tag) {
        (Some(tag), _) => SourceTag::Set(tag),
        (None, true) => SourceTag::Remove,
        (None, false) => SourceTag::Keep,
    };
    match sources.allow(&payloads, &tag).await? {
        Allowed::Listed => {}
        Allowed::Full { needed, free } => bail!(
            "{needed} of these links need a label, and {free} of {} are free; nothing was changed. \
             `manage sources drop` makes room",
            grouped(MAX_SOURCES.try_into()?)
        ),
        Allowed::NoRoomForTag => bail!(
            "there are {} tags already, which is the limit; nothing was changed. \
             `manage tag delete` makes room",
            LabelKind::Tag.most()
        ),
    }
    let mut out = stdout();
    for payload in distinct(&payloads) {
        writeln!(out, "Allowed {payload}{}", remark.as_deref().unwrap_or_default())?;
    }
    Ok(())
}

async fn drop(sources: &SourceService, command: Drop) -> anyhow::Result<()> {
    let dropped = if command.without_users {
        sources.drop_without_users().await?
    } else {
        sources.drop(&command.payloads).await?
    };
    let mut out = stdout();
    for payload in &dropped {
        writeln!(out, "Dropped {payload}")?;
    }
    if command.without_users && dropped.is_empty() {
        writeln!(out, "Every label that was not allowed has users; nothing was dropped.")?;
    }
    let mut missing = distinct(&command.payloads);
    missing.retain(|payload| !dropped.iter().any(|it| it.as_str() == *payload));
    if !missing.is_empty() {
        let missing = missing.into_iter().collect::<Vec<_>>().join(", ");
        bail!("no such label: {missing}; `manage sources list` shows all labels");
    }
    Ok(())
}

/// The payloads, each once, sorted.
fn distinct(payloads: &[StartPayload]) -> BTreeSet<&str> {
    payloads.iter().map(StartPayload::as_str).collect()
}
