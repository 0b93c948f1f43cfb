//! People who do things by chance, a few for a demonstration or thousands for a load test.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::chance::Chance;
use crate::clock::unix_now;
use crate::exchange::Exchange;
use crate::names;
use crate::people::{Chat, Person};
use crate::queue::Incoming;
use crate::simulator::Simulator;
use crate::telegram::Telegram;
use crate::updates::Update;

/// A crowd before it comes; the same seed brings the same people who do the same things.
///
/// Only which button somebody presses depends on the bot: it is one of the last message with
/// buttons that it sent them, and before there is one they write something instead.
#[derive(Clone, Debug)]
#[must_use = "the crowd comes with start()"]
pub struct Crowd {
    seed: u64,
    people: usize,
    first_id: i64,
    commands: Vec<(String, u32)>,
    presses: u32,
    blocks: u32,
    renames: u32,
    pace: Pace,
    backlog: usize,
    updates: u64,
}

#[derive(Clone, Copy, Debug)]
enum Pace {
    AsDrained,
    Every(Duration),
}

/// A crowd that is doing things; it stops when this is dropped.
#[derive(Debug)]
pub struct CrowdHandle {
    task: JoinHandle<CrowdReport>,
    stop: watch::Sender<bool>,
    pushed: Arc<AtomicU64>,
}

/// What a crowd did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CrowdReport {
    /// How many updates it made.
    pub updates: u64,
    /// How many of them were texts and commands.
    pub texts: u64,
    /// How many of them were commands.
    pub commands: u64,
    /// How many of them were presses on buttons.
    pub presses: u64,
    /// How many of them blocked the bot.
    pub blocks: u64,
    /// How many of them let it write again.
    pub returns: u64,
    /// How many of them were the first under another name.
    pub renames: u64,
    /// Everybody who did something, as Telegram knows them at the end, by id.
    pub people: Vec<Person>,
    /// The ids of those who have blocked the bot at the end.
    pub blocking: Vec<i64>,
}

impl Crowd {
    /// A hundred people who write texts as fast as the bot reads them.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            people: 100,
            first_id: 1_000_001,
            commands: vec![],
            presses: 0,
            blocks: 0,
            renames: 0,
            pace: Pace::AsDrained,
            backlog: 10_000,
            updates: u64::MAX,
        }
    }

    /// A dozen people for a demonstration: somebody does something every second.
    pub fn demo(seed: u64) -> Self {
        Self::new(seed)
            .people(12)
            .every(Duration::from_secs(1))
            .command("/start", 20)
            .command("/schedule", 20)
            .command("/help", 10)
            .presses(15)
            .blocks(4)
            .renames(5)
    }

    /// Five thousand people for a load test: 90% texts, 5% /start, 5% /schedule, and a changed
    /// name in every tenth update.
    pub fn load(seed: u64) -> Self {
        Self::new(seed).people(5000).command("/start", 5).command("/schedule", 5).renames(10)
    }

    /// How many people there are.
    pub fn people(mut self, people: usize) -> Self {
        self.people = people;
        self
    }

    /// The id of the first of them, by default 1000001; the others follow.
    pub fn first_id(mut self, id: i64) -> Self {
        self.first_id = id;
        self
    }

    /// This percentage of what they do is writing this command. What is left of a hundred when
    /// commands, presses and blocks are taken off is plain texts.
    pub fn command(mut self, command: &str, percent: u32) -> Self {
        self.commands.push((command.to_owned(), percent));
        self
    }

    /// This percentage of what they do is pressing a button.
    pub fn presses(mut self, percent: u32) -> Self {
        self.presses = percent;
        self
    }

    /// This percentage of what they do is blocking the bot; the next time that it is their turn,
    /// they let it write again.
    pub fn blocks(mut self, percent: u32) -> Self {
        self.blocks = percent;
        self
    }

    /// This percentage of what they do is done under another name than the time before; now and
    /// then it includes a username that was somebody else's until then.
    pub fn renames(mut self, percent: u32) -> Self {
        self.renames = percent;
        self
    }

    /// So many updates a second, or 0 for as many as the bot reads.
    pub fn per_second(self, updates: u32) -> Self {
        match Duration::from_secs(1).checked_div(updates) {
            Some(interval) => self.every(interval),
            None => Self { pace: Pace::AsDrained, ..self },
        }
    }

    /// One update in each such time.
    pub fn every(mut self, interval: Duration) -> Self {
        self.pace = Pace::Every(interval.max(Duration::from_nanos(1)));
        self
    }

    /// Nobody does anything while more updates than this wait for the bot, by default 10000; what
    /// was not done in time is made up for later.
    pub fn backlog(mut self, updates: usize) -> Self {
        self.backlog = updates;
        self
    }

    /// The crowd leaves after this many updates; without it, it stays.
    pub fn updates(mut self, updates: u64) -> Self {
        self.updates = updates;
        self
    }

    /// The crowd comes; call it inside a tokio runtime.
    pub fn start(self, simulator: &Simulator) -> CrowdHandle {
        let stop = watch::Sender::new(false);
        let pushed = Arc::new(AtomicU64::new(0));
        let play = Play {
            script: Script::new(&self),
            crowd: self,
            telegram: Arc::clone(simulator.telegram()),
            pushed: Arc::clone(&pushed),
            report: CrowdReport::default(),
            began: Instant::now(),
        };
        CrowdHandle { task: tokio::spawn(play.run(stop.subscribe())), stop, pushed }
    }
}

impl CrowdHandle {
    /// How many updates it has made so far.
    pub fn pushed(&self) -> u64 {
        self.pushed.load(Ordering::Relaxed)
    }

    /// Sends the crowd away.
    pub async fn stop(mut self) -> CrowdReport {
        self.stop.send_replace(true);
        self.report().await
    }

    /// Waits until the crowd has left by itself, after [`Crowd::updates`] or because Telegram ended.
    pub async fn finished(mut self) -> CrowdReport {
        self.report().await
    }

    async fn report(&mut self) -> CrowdReport {
        (&mut self.task).await.unwrap_or_else(|error| {
            log::error!("the crowd failed: {error}");
            CrowdReport::default()
        })
    }
}

impl Drop for CrowdHandle {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A crowd at work.
struct Play {
    crowd: Crowd,
    script: Script,
    telegram: Arc<Telegram>,
    pushed: Arc<AtomicU64>,
    report: CrowdReport,
    began: Instant,
}

/// The most updates that are made before others get a turn.
const BATCH: u64 = 1000;

impl Play {
    async fn run(mut self, mut stop: watch::Receiver<bool>) -> CrowdReport {
        let telegram = Arc::clone(&self.telegram);
        let mut changes = telegram.watch();
        tokio::select! {
            () = self.push_all(&mut changes) => {}
            // An error means that nobody holds the crowd any more.
            _ = stop.wait_for(|&stop| stop) => {}
            () = telegram.closed() => {}
        }
        let acted = self.script.members.iter().filter(|member| member.has_acted);
        self.report.people = acted.clone().map(|member| member.person.clone()).collect();
        self.report.blocking =
            acted.filter(|member| member.is_blocking).map(|member| member.person.id).collect();
        self.report
    }

    async fn push_all(&mut self, changes: &mut watch::Receiver<u64>) {
        while self.report.updates < self.crowd.updates && self.crowd.people > 0 {
            let left = self.crowd.updates - self.report.updates;
            let due = self.due().min(left).min(BATCH);
            let room = self.room();
            if due > 0 && room > 0 {
                self.push_batch(due.min(room));
                tokio::task::yield_now().await;
            } else if due > 0 {
                // Fails only when Telegram is gone, which ends the run.
                let _ = changes.changed().await;
            } else {
                tokio::time::sleep_until(self.next_due()).await;
            }
        }
    }

    /// How many updates should have been made by now and were not.
    fn due(&self) -> u64 {
        match self.crowd.pace {
            Pace::AsDrained => u64::MAX,
            Pace::Every(interval) => {
                let due = self.began.elapsed().as_nanos() / interval.as_nanos();
                u64::try_from(due).unwrap_or(u64::MAX).saturating_sub(self.report.updates)
            }
        }
    }

    fn next_due(&self) -> Instant {
        let Pace::Every(interval) = self.crowd.pace else { return self.began };
        let made = u32::try_from(self.report.updates.saturating_add(1)).unwrap_or(u32::MAX);
        self.began + interval.saturating_mul(made)
    }

    fn room(&self) -> u64 {
        let pending = self.telegram.state().queue.len();
        u64::try_from(self.crowd.backlog.saturating_sub(pending)).unwrap_or(u64::MAX)
    }

    fn push_batch(&mut self, count: u64) {
        let now = unix_now();
        let batch: Vec<Incoming> = (0..count).filter_map(|_| self.act(now)).collect();
        self.telegram.enqueue(batch);
        self.pushed.store(self.report.updates, Ordering::Relaxed);
    }

    /// Somebody does something; none only in a crowd of nobody.
    fn act(&mut self, now: i64) -> Option<Incoming> {
        self.report.updates += 1;
        let act = self.script.next()?;
        self.report.renames += u64::from(act.is_renamed);
        let member = self.script.members.get(act.member)?;
        let person = &member.person;
        Some(match act.deed {
            Deed::Block => {
                self.report.blocks += 1;
                self.telegram.prepare(Update::blocked(person).at(now))
            }
            Deed::Return => {
                self.report.returns += 1;
                self.telegram.prepare(Update::unblocked(person).at(now))
            }
            Deed::Press { which, otherwise } => match self.press(person, which) {
                Some(update) => {
                    self.report.presses += 1;
                    self.telegram.prepare(update)
                }
                None => {
                    self.report.texts += 1;
                    self.report.commands += u64::from(self.script.is_command(otherwise));
                    self.write(&act, member, otherwise, now)?
                }
            },
            Deed::Write { line } => {
                self.report.texts += 1;
                self.report.commands += u64::from(self.script.is_command(line));
                self.write(&act, member, line, now)?
            }
        })
    }

    /// The same update as [`Update::text`] makes, put together from parts that stay the same,
    /// because in a load test this is done tens of thousands of times a second.
    fn write(&self, act: &Act, member: &Member, line: usize, now: i64) -> Option<Incoming> {
        let line = self.script.lines.get(line)?;
        if act.is_first || act.is_renamed {
            self.telegram.introduce(&member.person);
        }
        self.telegram.tell(|| {
            Some(Exchange::Wrote { person: member.person.clone(), text: line.text.clone() })
        });
        let message_id = self.telegram.next_message_id();
        let (people, text) = (&member.json, &line.json);
        Some(Incoming {
            id: None,
            kind: "message".into(),
            lane: member.person.id,
            json: format!(
                ",\"message\":{{\"message_id\":{message_id},\"date\":{now},{people},{text}}}}}"
            ),
            raw: false,
        })
    }

    fn press(&self, person: &Person, which: u64) -> Option<Update> {
        let state = self.telegram.state();
        let message = state.last_buttons.get(&person.id)?;
        let mut data: Vec<String> =
            message.buttons().into_iter().filter_map(|button| button.data).collect();
        let count = u64::try_from(data.len()).unwrap_or(0);
        let which = usize::try_from(which.checked_rem(count)?).ok()?;
        let update = Update::callback_query(person, data.swap_remove(which));
        let id = self.telegram.next_message_id().to_string();
        Some(update.with("message", message.json.clone()).with("id", id))
    }
}

/// What the crowd does, one thing after another.
#[derive(Debug)]
struct Script {
    chance: Chance,
    members: Vec<Member>,
    lines: Vec<Line>,
    plain_lines: u64,
    /// Commands by the upper end of their share, in percent.
    commands: Vec<(u64, usize)>,
    presses_end: u64,
    blocks_end: u64,
    renames: u32,
}

#[derive(Debug)]
struct Member {
    person: Person,
    /// `"from":{…},"chat":{…}`.
    json: String,
    has_acted: bool,
    is_blocking: bool,
}

/// Something to write.
#[derive(Debug)]
struct Line {
    text: String,
    /// `"text":…` and, for commands, `"entities":[…]`.
    json: String,
}

#[derive(Debug, PartialEq, Eq)]
struct Act {
    member: usize,
    deed: Deed,
    is_first: bool,
    is_renamed: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Deed {
    Write { line: usize },
    Press { which: u64, otherwise: usize },
    Block,
    Return,
}

const PLAIN_TEXTS: &[&str] = &[
    "Hi!",
    "When do they play next?",
    "Кто сегодня играет?",
    "Какой счёт?",
    "Хто виграв?",
    "متى المباراة القادمة؟",
    "今晚有比赛吗？",
    "試合は何時から？",
    "오늘 경기 있어요?",
    "अगला मैच कब है?",
    "Wer steht im Tor?",
    "Kdy hraje Pastrňák?",
    "Que golaço! 🏒🥅",
    "👍",
    "1 < 2 && \"quotes\" \\ backslash",
    "two\nlines",
    "ok",
];

impl Script {
    fn is_command(&self, line: usize) -> bool {
        self.lines.get(line).is_some_and(|line| line.text.starts_with('/'))
    }

    fn new(crowd: &Crowd) -> Self {
        let plain = PLAIN_TEXTS.iter().map(|&text| text.to_owned());
        let commands = crowd.commands.iter().map(|(command, _)| command.clone());
        let mut end = 0;
        let mut shares = vec![];
        for (place, (_, percent)) in crowd.commands.iter().enumerate() {
            end += u64::from(*percent);
            shares.push((end, PLAIN_TEXTS.len() + place));
        }
        let presses_end = end + u64::from(crowd.presses);
        let ids = (crowd.first_id..).take(crowd.people);
        Self {
            chance: Chance::new(crowd.seed),
            members: ids.map(|id| Member::new(Person::made_up(id))).collect(),
            lines: plain.chain(commands).map(Line::new).collect(),
            plain_lines: u64::try_from(PLAIN_TEXTS.len()).unwrap_or(0),
            commands: shares,
            presses_end,
            blocks_end: presses_end + u64::from(crowd.blocks),
            renames: crowd.renames,
        }
    }

    fn next(&mut self) -> Option<Act> {
        let count = u64::try_from(self.members.len()).unwrap_or(0);
        let index = usize::try_from(self.chance.below(count)).ok()?;
        let drawn = self.deed();
        let wants_rename = self.chance.percent(self.renames);
        let member = self.members.get_mut(index)?;
        let is_first = !member.has_acted;
        member.has_acted = true;
        let deed = if member.is_blocking { Deed::Return } else { drawn };
        match deed {
            Deed::Block => member.is_blocking = true,
            Deed::Return => member.is_blocking = false,
            _ => {}
        }
        let is_renamed = wants_rename && !is_first;
        if is_renamed {
            self.rename(index);
        }
        Some(Act { member: index, deed, is_first, is_renamed })
    }

    fn deed(&mut self) -> Deed {
        let share = self.chance.below(100);
        let plain = usize::try_from(self.chance.below(self.plain_lines)).unwrap_or(0);
        if let Some(&(_, line)) = self.commands.iter().find(|&&(end, _)| share < end) {
            Deed::Write { line }
        } else if share < self.presses_end {
            Deed::Press { which: self.chance.next(), otherwise: plain }
        } else if share < self.blocks_end {
            Deed::Block
        } else {
            Deed::Write { line: plain }
        }
    }

    fn rename(&mut self, index: usize) {
        let count = u64::try_from(self.members.len()).unwrap_or(0);
        let takes_username = self.chance.percent(20);
        let other = usize::try_from(self.chance.below(count)).unwrap_or(0);
        let mut username = None;
        if takes_username
            && other != index
            && let Some(other) = self.members.get_mut(other)
        {
            username = other.person.username.take();
            other.refresh();
        }
        let Some(member) = self.members.get_mut(index) else { return };
        names::rename(&mut member.person, &mut self.chance);
        if username.is_some() {
            member.person.username = username;
        }
        member.refresh();
    }
}

impl Member {
    fn new(person: Person) -> Self {
        let mut member = Self { person, json: String::new(), has_acted: false, is_blocking: false };
        member.refresh();
        member
    }

    fn refresh(&mut self) {
        let fields = [
            ("from", serde_json::to_value(&self.person)),
            ("chat", serde_json::to_value(Chat::private(&self.person))),
        ];
        let fields = fields.map(|(name, json)| format!("\"{name}\":{}", json.unwrap_or_default()));
        self.json = fields.join(",");
    }
}

impl Line {
    fn new(text: String) -> Self {
        let update = Update::text(&Person::new(0, ""), text.as_str());
        let fields = ["text", "entities"].into_iter().filter_map(|field| {
            let value = update.content().get(field)?;
            Some(format!("\"{field}\":{value}"))
        });
        let json = fields.collect::<Vec<_>>().join(",");
        Self { text, json }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::bot::Bot;

    #[tokio::test]
    async fn a_bot_reads_what_the_crowd_does_as_fast_as_it_can() {
        let telegram = Simulator::builder().record_limit(0).start().await.unwrap();
        let bot = Bot::of(&telegram);
        let crowd = Crowd::load(5).people(40).backlog(250).updates(1000).start(&telegram);

        let (mut offset, mut read) = (0, 0);
        while read < 1000 {
            let updates = bot.updates(json!({ "offset": offset, "timeout": 10 })).await;
            offset = updates.last().unwrap()["update_id"].as_i64().unwrap() + 1;
            read += updates.len();
            assert!(telegram.pending() <= 250);
        }

        let report = crowd.finished().await;
        assert_eq!((report.updates, report.texts), (1000, 1000));
        assert_eq!(report.people.len(), 40);
        assert!(report.renames > 50, "{report:?}");
    }

    #[tokio::test]
    async fn a_demo_can_be_followed() {
        let telegram = Simulator::start().await.unwrap();
        let mut exchanges = telegram.subscribe();
        let crowd = Crowd::demo(1).blocks(0).every(Duration::from_millis(1)).start(&telegram);

        let Exchange::Wrote { person, .. } = exchanges.recv().await.unwrap() else {
            panic!("nobody has a button to press yet")
        };
        let markup = json!({ "inline_keyboard": [[{ "text": "Next", "callback_data": "next" }]] });
        let text = json!({ "chat_id": person.id, "text": "<b>Hi</b>", "parse_mode": "HTML", "reply_markup": markup });
        Bot::of(&telegram).call("sendMessage", text).await;

        let mut answered = false;
        loop {
            match exchanges.recv().await.unwrap() {
                Exchange::Answered { chat_id, text, buttons, .. } => {
                    assert_eq!((chat_id, text.as_str()), (person.id, "Hi"));
                    assert_eq!(buttons, ["Next"]);
                    answered = true;
                }
                Exchange::Pressed { person: presser, data } => {
                    assert_eq!((presser.id, data.as_str()), (person.id, "next"));
                    break;
                }
                _ => {}
            }
        }
        assert!(answered);
        let report = crowd.stop().await;
        assert!(report.presses > 0 && report.updates > 1, "{report:?}");
    }

    #[tokio::test]
    async fn what_a_crowd_writes_is_what_people_write() {
        let telegram = Simulator::start().await.unwrap();
        let crowd = Crowd::new(5).people(1).command("/start", 100).updates(1).start(&telegram);
        let ann = crowd.finished().await.people.remove(0);
        telegram.write(&ann, "/start");

        let updates = Bot::of(&telegram).updates(json!({})).await;
        let content = |update: &serde_json::Value| {
            let mut message = update["message"].clone();
            message["message_id"].take();
            message["date"].take();
            message
        };
        assert_eq!(content(&updates[0]), content(&updates[1]));
    }

    fn acts(crowd: &Crowd, count: usize) -> Vec<Act> {
        let mut script = Script::new(crowd);
        (0..count).map(|_| script.next().unwrap()).collect()
    }

    #[test]
    fn the_same_seed_brings_the_same_acts_and_another_brings_others() {
        let crowd = Crowd::demo(7);
        assert_eq!(acts(&crowd, 500), acts(&crowd, 500));
        assert_ne!(acts(&crowd, 500), acts(&Crowd::demo(8), 500));
    }

    #[test]
    fn the_mix_is_what_was_asked_for() {
        let acts = acts(&Crowd::load(1), 20_000);
        let command = PLAIN_TEXTS.len();
        let writes = |from| {
            acts.iter().filter(|a| matches!(a.deed, Deed::Write { line } if line == from)).count()
        };
        assert!((900..1100).contains(&writes(command)), "/start: {}", writes(command));
        assert!((900..1100).contains(&writes(command + 1)), "/schedule: {}", writes(command + 1));
        let renames = acts.iter().filter(|act| act.is_renamed).count();
        assert!((1300..2100).contains(&renames), "renames: {renames}");
    }

    #[test]
    fn a_username_has_one_owner_at_a_time() {
        let mut script = Script::new(&Crowd::new(3).people(50).renames(50));
        for _ in 0..2000 {
            script.next();
        }
        let mut usernames: Vec<_> =
            script.members.iter().filter_map(|member| member.person.username.as_ref()).collect();
        let all = usernames.len();
        usernames.sort();
        usernames.dedup();
        assert_eq!(usernames.len(), all);
    }
}
