//! Simulates the NHL's public web API: weeks of games and their scores over HTTP. A test sets the
//! games, or generates a season. Faults can be injected, as into the Bot API server.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, State},
    http::{HeaderMap, HeaderValue, Response, StatusCode, Uri, header},
};
use chrono::{DateTime, Days, NaiveDate, SecondsFormat, TimeDelta, Timelike, Utc};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch};

use crate::{
    Fault,
    clock::unix_now,
    fault::Faults,
    http::connection::{ConnectionFault, FaultyListener},
};

/// How far the NHL's day is behind UTC: it is counted in New York. The hour of daylight saving time
/// does not matter, because games are played in the evening.
const BEHIND_UTC: TimeDelta = TimeDelta::hours(5);
/// How many requests are kept.
const MAX_REQUESTS: usize = 1000;

/// A running NHL API; dropping it ends it.
pub struct NhlApi {
    shared: Arc<Shared>,
    address: SocketAddr,
    closed: watch::Sender<bool>,
}

/// A request that the API received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NhlRequest {
    /// The path, such as `/v1/schedule/2026-11-23`.
    pub path: String,
    /// The `User-Agent` header.
    pub user_agent: String,
    /// The `If-None-Match` header: the ETag that the client has cached.
    pub if_none_match: Option<String>,
}

/// A game as the NHL's API describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct NhlGame(Value);

#[derive(Default)]
struct Shared {
    state: Mutex<Api>,
}

#[derive(Default)]
struct Api {
    games: BTreeMap<i64, NhlGame>,
    faults: Faults,
    requests: VecDeque<NhlRequest>,
    next_start: Option<NaiveDate>,
}

impl NhlApi {
    /// Starts on a free port of this machine, without games.
    ///
    /// # Errors
    /// If no port can be bound.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::<Shared>::default();
        let (closed, mut closing) = watch::channel(false);
        let service = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&shared))
            .into_make_service_with_connect_info::<ConnectionFault>();
        tokio::spawn(async move {
            let served =
                axum::serve(FaultyListener(listener), service).with_graceful_shutdown(async move {
                    // Fails if the API was dropped, which ends it too.
                    drop(closing.wait_for(|closed| *closed).await);
                });
            if let Err(error) = served.await {
                log::error!("the simulated NHL API failed: {error}");
            }
        });
        Ok(Self { shared, address, closed })
    }

    /// The root of the API, for `NHL_API_URL`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Adds a game, or replaces the one with the same id.
    pub fn put(&self, game: NhlGame) {
        let id = game.0.get("id").and_then(Value::as_i64).unwrap_or_default();
        self.shared.state().games.insert(id, game);
    }

    /// Removes a game from the schedule.
    pub fn remove(&self, id: i64) {
        self.shared.state().games.remove(&id);
    }

    /// Fills the schedule with generated games, from one day before now until three weeks after it.
    /// Some of them are live, whatever the time is.
    pub fn generate_season(&self) {
        let now = DateTime::from_timestamp(unix_now(), 0).unwrap_or_default();
        for game in generated_games(now) {
            self.put(game);
        }
    }

    /// Sets the `nextStartDate` of each week.
    pub fn next_start(&self, day: &str) {
        self.shared.state().next_start = day.parse().ok();
    }

    /// Injects a fault into the next request.
    pub fn fail_next(&self, fault: Fault) {
        self.shared.state().faults.add_next("*", fault);
    }

    /// Injects a fault into every request until [`clear_faults`](Self::clear_faults).
    pub fn fail_always(&self, fault: Fault) {
        self.shared.state().faults.set_always("*", fault);
    }

    /// Injects a fault into every request for a path, such as `/v1/schedule/2026-11-23`.
    pub fn fail_path_always(&self, path: &str, fault: Fault) {
        self.shared.state().faults.set_always(path, fault);
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.shared.state().faults.clear();
    }

    /// The last requests, oldest first.
    pub fn requests(&self) -> Vec<NhlRequest> {
        self.shared.state().requests.iter().cloned().collect()
    }
}

impl Drop for NhlApi {
    fn drop(&mut self) {
        self.closed.send_replace(true);
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, Api> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Team {
    id: i64,
    abbreviation: &'static str,
    place: &'static str,
    name: &'static str,
}

const fn team(
    id: i64,
    abbreviation: &'static str,
    place: &'static str,
    name: &'static str,
) -> Team {
    Team { id, abbreviation, place, name }
}

const TEAMS: [Team; 32] = [
    team(1, "NJD", "New Jersey", "Devils"),
    team(2, "NYI", "New York", "Islanders"),
    team(3, "NYR", "New York", "Rangers"),
    team(4, "PHI", "Philadelphia", "Flyers"),
    team(5, "PIT", "Pittsburgh", "Penguins"),
    team(6, "BOS", "Boston", "Bruins"),
    team(7, "BUF", "Buffalo", "Sabres"),
    team(8, "MTL", "Montréal", "Canadiens"),
    team(9, "OTT", "Ottawa", "Senators"),
    team(10, "TOR", "Toronto", "Maple Leafs"),
    team(12, "CAR", "Carolina", "Hurricanes"),
    team(13, "FLA", "Florida", "Panthers"),
    team(14, "TBL", "Tampa Bay", "Lightning"),
    team(15, "WSH", "Washington", "Capitals"),
    team(16, "CHI", "Chicago", "Blackhawks"),
    team(17, "DET", "Detroit", "Red Wings"),
    team(18, "NSH", "Nashville", "Predators"),
    team(19, "STL", "St. Louis", "Blues"),
    team(20, "CGY", "Calgary", "Flames"),
    team(21, "COL", "Colorado", "Avalanche"),
    team(22, "EDM", "Edmonton", "Oilers"),
    team(23, "VAN", "Vancouver", "Canucks"),
    team(24, "ANA", "Anaheim", "Ducks"),
    team(25, "DAL", "Dallas", "Stars"),
    team(26, "LAK", "Los Angeles", "Kings"),
    team(28, "SJS", "San Jose", "Sharks"),
    team(29, "CBJ", "Columbus", "Blue Jackets"),
    team(30, "MIN", "Minnesota", "Wild"),
    team(52, "WPG", "Winnipeg", "Jets"),
    team(54, "VGK", "Vegas", "Golden Knights"),
    team(55, "SEA", "Seattle", "Kraken"),
    team(68, "UTA", "Utah", "Mammoth"),
];

impl NhlGame {
    /// A future game of the regular season. The teams are given by their abbreviations, such as
    /// `BOS` away at `MTL`, and the start in RFC 3339.
    ///
    /// # Panics
    /// If no team has the abbreviation.
    #[expect(clippy::panic, reason = "a test fails by panicking")]
    pub fn new(id: i64, away: &str, home: &str, starts_at: &str) -> Self {
        let team = |abbreviation: &str| {
            let found = TEAMS.iter().find(|team| team.abbreviation == abbreviation);
            let Some(Team { id, abbreviation, place, name }) = found else {
                panic!("no team has the abbreviation {abbreviation}")
            };
            json!({
                "id": id, "abbrev": abbreviation, "placeName": { "default": place },
                "commonName": { "default": name }, "logo": "https://example.org/logo.svg",
            })
        };
        let venue = format!("Arena of {home}");
        Self(json!({
            "id": id, "season": 20262027, "gameType": 2, "neutralSite": false,
            "venue": { "default": venue }, "startTimeUTC": starts_at,
            "easternUTCOffset": "-05:00", "venueUTCOffset": "-05:00",
            "venueTimezone": "America/New_York", "gameState": "FUT", "gameScheduleState": "OK",
            "tvBroadcasts": [], "awayTeam": team(away), "homeTeam": team(home),
            "periodDescriptor": { "maxRegulationPeriods": 3 },
        }))
    }

    /// With a state such as `LIVE`.
    pub fn state(self, state: &str) -> Self {
        self.with("gameState", json!(state))
    }

    /// With goals.
    pub fn score(mut self, away: i64, home: i64) -> Self {
        for (team, goals) in [("/awayTeam", away), ("/homeTeam", home)] {
            set(&mut self.0, team, "score", json!(goals));
        }
        self
    }

    /// With a day of the NHL's calendar that is independent of its start.
    pub fn on(self, day: &str) -> Self {
        self.with("gameDate", json!(day))
    }

    /// With a field set to any value.
    pub fn with(mut self, field: &str, value: Value) -> Self {
        set(&mut self.0, "", field, value);
        self
    }

    /// The game as JSON.
    pub fn json(&self) -> &Value {
        &self.0
    }

    /// The day of the game, as the NHL counts days.
    fn day(&self) -> Option<NaiveDate> {
        if let Some(day) = self.0.get("gameDate") {
            return day.as_str()?.parse().ok();
        }
        let start: DateTime<Utc> = self.0.get("startTimeUTC")?.as_str()?.parse().ok()?;
        Some((start - BEHIND_UTC).date_naive())
    }

    /// The game in a week's list, which has the day elsewhere.
    fn in_week(&self) -> Value {
        let mut game = self.0.clone();
        if let Some(fields) = game.as_object_mut() {
            fields.remove("gameDate");
        }
        game
    }

    /// The game in the scores of a day: with the day, without places, and with names elsewhere.
    fn in_scores(&self) -> Value {
        let mut game = self.0.clone();
        set(&mut game, "", "gameDate", json!(self.day().map(|day| day.to_string())));
        for team in ["/awayTeam", "/homeTeam"] {
            let name = game.pointer(&format!("{team}/commonName")).cloned();
            set(&mut game, team, "name", name.unwrap_or_default());
            for field in ["commonName", "placeName"] {
                set(&mut game, team, field, Value::Null);
            }
        }
        game
    }
}

/// Sets a field of the object at a JSON pointer (RFC 6901).
fn set(json: &mut Value, place: &str, field: &str, value: Value) {
    if let Some(fields) = json.pointer_mut(place).and_then(Value::as_object_mut) {
        fields.insert(field.to_owned(), value);
    }
}

/// Past, live and future games for the demonstration. Every team plays every other day.
fn generated_games(now: DateTime<Utc>) -> Vec<NhlGame> {
    let hour = now.with_minute(0).and_then(|it| it.with_second(0)).unwrap_or(now);
    let mut games = Vec::new();
    for day in -1..21_i64 {
        let turn = usize::try_from(day + 1).unwrap_or_default();
        for pair in 0..8 {
            // Half of the teams play each day, and the opponents change.
            let of = |place: usize| TEAMS.get((turn % 2) * 16 + place % 16);
            let (Some(away), Some(home)) = (of(pair), of(8 + (pair + turn) % 8)) else { continue };
            let offset = i64::try_from(pair).unwrap_or_default();
            let start = hour + TimeDelta::days(day) + TimeDelta::hours(offset / 2 - 1);
            let id = 2_026_020_000 + i64::try_from(games.len()).unwrap_or_default();
            let game = NhlGame::new(id, away.abbreviation, home.abbreviation, &rfc3339(start));
            games.push(match (now - start).num_minutes() {
                ..0 => game,
                0..150 => game.state("LIVE").score(offset % 4, offset / 3),
                _ => game.state("OFF").score(2 + offset % 3, 1 + offset / 2),
            });
        }
    }
    games
}

fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(connection): ConnectInfo<ConnectionFault>,
    uri: Uri,
    headers: HeaderMap,
) -> Response<Body> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let request = NhlRequest {
        path: uri.path().to_owned(),
        user_agent: text(header::USER_AGENT).unwrap_or_default().to_owned(),
        if_none_match: text(header::IF_NONE_MATCH).map(str::to_owned),
    };
    let fault = {
        let mut api = shared.state();
        if api.requests.len() >= MAX_REQUESTS {
            api.requests.pop_front();
        }
        api.requests.push_back(request.clone());
        api.faults.of_call(&request.path)
    };
    match fault {
        Some(Fault::Slow(delay)) => tokio::time::sleep(delay).await,
        Some(fault) => return fault_response(fault, &connection),
        None => {}
    }
    match shared.state().body(&request.path) {
        Some(body) => respond_unless_cached(&request, body),
        None => respond(StatusCode::NOT_FOUND, "Not Found".to_owned()),
    }
}

impl Api {
    fn body(&self, path: &str) -> Option<String> {
        let (what, day) = path.strip_prefix("/v1/")?.split_once('/')?;
        let first: NaiveDate = day.parse().ok()?;
        let of = |day: NaiveDate| {
            self.games.values().filter(move |game| game.day() == Some(day)).collect::<Vec<_>>()
        };
        match what {
            "schedule" => {
                let days = (0..7).filter_map(|n| first.checked_add_days(Days::new(n)));
                let week = days.map(|day| {
                    let games: Vec<Value> = of(day).into_iter().map(NhlGame::in_week).collect();
                    json!({ "date": day.to_string(), "numberOfGames": games.len(), "games": games })
                });
                let week: Vec<Value> = week.collect();
                let next = self.next_start.or_else(|| first.checked_add_days(Days::new(7)));
                let next = next.filter(|next| *next > first).map(|next| next.to_string());
                Some(json!({ "nextStartDate": next, "gameWeek": week }).to_string())
            }
            "score" => {
                let games: Vec<Value> = of(first).into_iter().map(NhlGame::in_scores).collect();
                Some(json!({ "currentDate": first.to_string(), "games": games }).to_string())
            }
            _ => None,
        }
    }
}

/// Responds with 304 if the client has cached the same body.
fn respond_unless_cached(request: &NhlRequest, body: String) -> Response<Body> {
    let etag = format!("\"{:x}\"", fingerprint(&body));
    let mut response = match request.if_none_match.as_deref() == Some(etag.as_str()) {
        true => respond(StatusCode::NOT_MODIFIED, String::new()),
        false => respond(StatusCode::OK, body),
    };
    if let Ok(etag) = etag.parse() {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

/// The 64-bit FNV-1a hash.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn fault_response(fault: Fault, connection: &ConnectionFault) -> Response<Body> {
    match fault {
        Fault::Api { code, description, retry_after } => {
            let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut response = respond(status, description);
            if let Some(seconds) = retry_after {
                response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            }
            return response;
        }
        Fault::Body { status, body, .. } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return respond(status, body);
        }
        Fault::CutOff => connection.cut_off("{\"gameWeek\":["),
        Fault::Huge { bytes } => connection.huge(bytes),
        Fault::Closed | Fault::LostAnswer | Fault::Slow(_) => connection.close(),
    }
    // Never sent: the connection sends its own response instead.
    Response::new(Body::empty())
}

fn respond(status: StatusCode, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api() -> Api {
        let game = NhlGame::new(1, "BOS", "MTL", "2026-11-24T00:30:00Z");
        Api { games: [(1, game)].into(), ..Api::default() }
    }

    #[test]
    fn the_day_of_a_game_is_counted_in_new_york() {
        let week: Value =
            serde_json::from_str(&api().body("/v1/schedule/2026-11-20").unwrap()).unwrap();
        let days = week["gameWeek"].as_array().unwrap();
        assert_eq!(days.len(), 7);
        assert_eq!(days[3]["date"], "2026-11-23");
        assert_eq!(days[3]["games"][0]["homeTeam"]["placeName"]["default"], "Montréal");
        assert_eq!(week["nextStartDate"], "2026-11-27");
        let scores: Value =
            serde_json::from_str(&api().body("/v1/score/2026-11-23").unwrap()).unwrap();
        assert_eq!(scores["games"][0]["homeTeam"]["name"]["default"], "Canadiens");
        assert_eq!(api().body("/v1/score/today"), None);
        assert_eq!(api().body("/v1/standings/2026-11-23"), None);
    }

    #[test]
    fn a_generated_season_has_past_live_and_future_games() {
        let now = "2026-11-23T12:34:00Z".parse().unwrap();
        let games = generated_games(now);
        let count = |state: &str| games.iter().filter(|it| it.0["gameState"] == state).count();
        assert!(count("OFF") >= 8 && count("LIVE") >= 2 && count("FUT") > 100, "{}", games.len());
        assert!(games.iter().all(|game| game.0["awayTeam"]["id"] != game.0["homeTeam"]["id"]));
    }
}
