//! The panel "Just now": the interactions of the last hour by minute, and the users who joined last.
//! A browser with scripts asks for it again and again, as server-sent events.

use askama::Template;
use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use rollcall_domain::TelegramUser;
use rollcall_service::JustNow;

use crate::{
    App,
    chart::{Bands, Series, Tick, columns},
    page::{Failure, Layout},
    request::EVENTS,
};

/// How many of the newest users are shown.
const NEWEST: u32 = 5;
/// After how many milliseconds a browser asks again. Each answer ends, so that no connection is
/// kept, and each request is checked like any other.
const ASK_AGAIN: u32 = 5_000;

#[derive(Template)]
#[template(path = "now.html")]
struct Panel<'a> {
    layout: &'a Layout,
    /// Empty without interactions.
    svg: String,
    newest: Vec<TelegramUser>,
}

/// The content of the panel, and whether there are any users.
pub(super) struct Now {
    pub(super) html: String,
    pub(super) has_users: bool,
}

/// What happens just now.
pub(super) async fn read(app: &App, layout: &Layout) -> Result<Now, Failure> {
    let now = app.directory.just_now(NEWEST).await?;
    let svg = draw(&now);
    let newest: Vec<_> = now.newest.into_iter().map(|it| it.user).collect();
    let has_users = !newest.is_empty();
    let panel = Panel { layout, svg, newest };
    let html = panel.render().unwrap_or_else(|error| {
        log::error!(error:% = error; "could not render a page");
        String::new()
    });
    Ok(Now { html, has_users })
}

/// The panel as an event.
pub(super) async fn event(app: &App, layout: &Layout) -> Result<Response, Failure> {
    let Now { html, .. } = read(app, layout).await?;
    let lines: String = html.lines().map(|line| format!("data: {line}\n")).collect();
    let headers = [(header::CONTENT_TYPE, EVENTS)];
    Ok((headers, format!("retry: {ASK_AGAIN}\n{lines}\n")).into_response())
}

fn draw(now: &JustNow) -> String {
    if now.minutes.iter().all(|it| it.interactions == 0) {
        return String::new();
    }
    let count = now.minutes.len();
    let name = |n: usize| match count - n - 1 {
        0 => "This minute".to_owned(),
        1 => "1 minute ago".to_owned(),
        ago => format!("{ago} minutes ago"),
    };
    let tick = |ago: usize| Some(Tick::new(count.checked_sub(ago + 1)?, format!("{ago} min")));
    let bands = Bands {
        names: (0..count).map(name).collect(),
        ticks: [45, 30, 15, 0].into_iter().filter_map(tick).collect(),
        links: vec![],
    };
    let values = now.minutes.iter().map(|it| it.interactions).collect();
    let series = [Series { class: "c1", name: "Interactions", values }];
    columns("Interactions per minute in the last hour.", &bands, &series, &[], 0)
}

#[cfg(test)]
mod tests {
    use chrono::{TimeDelta, Utc};
    use rollcall_service::MinuteCount;

    use super::*;

    #[test]
    fn the_last_hour_is_drawn_by_minute() {
        let start = chrono::DateTime::<Utc>::default();
        let minute = |n: i32| MinuteCount {
            at: start + TimeDelta::minutes(1) * n,
            interactions: if n == 58 { 7 } else { 0 },
        };
        let minutes = (0..60).map(minute).collect();
        let mut now = JustNow { minutes, newest: vec![] };
        let svg = draw(&now);
        assert!(svg.contains("<title>1 minute ago\nInteractions: 7</title>"), "{svg}");
        assert!(svg.contains("<title>This minute\nInteractions: 0</title>"), "{svg}");
        now.minutes.iter_mut().for_each(|it| it.interactions = 0);
        assert_eq!(draw(&now), "");
    }
}
