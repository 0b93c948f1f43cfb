//! The audit log.

use askama::Template;
use axum::{
    extract::{Query as Pairs, State},
    response::Response,
};
use rollcall_domain::{AuditAction, AuditEntry};
use rollcall_service::AuditFilter;

use crate::{
    App,
    page::{AdminNames, Failure, Layout, render, text},
    request::query_string,
};

/// Entries per page.
const SIZE: usize = 50;

#[derive(Template)]
#[template(path = "audit.html")]
struct Page {
    layout: Layout,
    about: String,
    by: String,
    action: String,
    trouble: Option<&'static str>,
    entries: Vec<AuditEntry>,
    names: AdminNames,
    is_first: bool,
    newest: String,
    next: Option<String>,
}

/// Lists the matching entries, the newest first.
pub(crate) async fn list(
    State(app): State<App>,
    layout: Layout,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let value = |name: &str| {
        let pair = pairs.iter().find(|(key, _)| key == name);
        pair.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let (about, by, action) = (value("about"), value("by"), value("action"));
    let before = value("before");
    // An invalid filter finds nothing, rather than everything.
    let (mut filter, mut trouble) = (AuditFilter::all(), None);
    if !about.is_empty() {
        match about.parse() {
            Ok(id) => filter = filter.about(id),
            Err(_) => trouble = Some("Enter a Telegram id, such as 123456789."),
        }
    }
    if !by.is_empty() {
        match by.parse() {
            Ok(admin) => filter = filter.by(admin),
            Err(_) => trouble = Some("There is no admin with this name."),
        }
    }
    if !action.is_empty() {
        match AuditAction::from_name(&action) {
            Some(action) => filter = filter.action(action),
            None => trouble = Some("There is no such action. Choose one from the list."),
        }
    }
    let before = match before.as_str() {
        "" => None,
        id => id.parse().map(Some).unwrap_or_else(|_| {
            trouble = Some("There is no such page of the audit log. Search again.");
            None
        }),
    };
    let mut entries = match trouble {
        // One more than the page shows, to learn whether there is another page.
        None => app.admins.audit_log(&filter, before, 1 + u32::try_from(SIZE).unwrap_or(0)).await?,
        Some(_) => vec![],
    };
    let has_more = entries.len() > SIZE;
    entries.truncate(SIZE);
    let link = |before: &str| {
        let query = query_string([
            ("about", &*about),
            ("by", &by),
            ("action", &action),
            ("before", before),
        ]);
        format!("{}/audit?{query}", app.base)
    };
    let admins = entries.iter().filter_map(|entry| entry.admin.clone()).collect();
    let last = entries.last().filter(|_| has_more);
    Ok(render(&Page {
        layout: layout.tab("audit"),
        next: last.map(|entry| link(&entry.id.to_string())),
        newest: link(""),
        is_first: before.is_none(),
        trouble,
        names: AdminNames::of(&app, admins).await?,
        entries,
        about,
        by,
        action,
    }))
}
