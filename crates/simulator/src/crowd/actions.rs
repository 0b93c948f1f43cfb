//! The random actions of a crowd.

use fastrand::Rng;

use super::config::Crowd;
use crate::people::{Chat, Person};
use crate::update::Update;

/// Generates the actions of a crowd.
#[derive(Debug)]
pub(super) struct Actions {
    rng: Rng,
    pub(super) members: Vec<Member>,
    /// The plain texts, and the commands after them.
    pub(super) lines: Vec<Line>,
    commands: Vec<CommandRange>,
    presses_end: u32,
    blocks_end: u32,
    renames: u32,
}

/// A command is drawn for percentages below `end`, from the end of the command before.
#[derive(Debug)]
struct CommandRange {
    end: u32,
    line: usize,
}

#[derive(Debug)]
pub(super) struct Member {
    pub(super) person: Person,
    /// `"from":{…},"chat":{…}`.
    pub(super) json: String,
    pub(super) has_acted: bool,
    pub(super) is_blocking: bool,
}

/// A text or command.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) text: String,
    /// `"text":…` and, for commands, `"entities":[…]`.
    pub(super) json: String,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Action {
    pub(super) member: usize,
    pub(super) kind: ActionKind,
    pub(super) is_first: bool,
    pub(super) is_renamed: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum ActionKind {
    Write {
        line: usize,
    },
    /// Presses the button with this number, modulo the number of buttons; without buttons, writes
    /// a text.
    Press {
        number: u64,
        fallback_line: usize,
    },
    Block,
    Unblock,
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

impl Actions {
    pub(super) fn is_command(&self, line: usize) -> bool {
        self.lines.get(line).is_some_and(|line| line.text.starts_with('/'))
    }

    pub(super) fn new(crowd: &Crowd) -> Self {
        let plain = PLAIN_TEXTS.iter().map(|&text| text.to_owned());
        let commands = crowd.commands.iter().map(|share| share.command.clone());
        let mut end = 0;
        let mut ranges = vec![];
        for (share, line) in crowd.commands.iter().zip(PLAIN_TEXTS.len()..) {
            end += share.percent;
            ranges.push(CommandRange { end, line });
        }
        let presses_end = end + crowd.presses;
        let ids = (crowd.first_id..).take(crowd.people);
        Self {
            rng: Rng::with_seed(crowd.seed),
            members: ids.map(|id| Member::new(Person::generated(id))).collect(),
            lines: plain.chain(commands).map(Line::new).collect(),
            commands: ranges,
            presses_end,
            blocks_end: presses_end + crowd.blocks,
            renames: crowd.renames,
        }
    }

    /// The next action; `None` if there are no members.
    pub(super) fn next(&mut self) -> Option<Action> {
        let index = self.random_member()?;
        let drawn = self.random_kind();
        let wants_rename = self.percent(self.renames);
        let member = self.members.get_mut(index)?;
        let is_first = !member.has_acted;
        member.has_acted = true;
        let kind = if member.is_blocking { ActionKind::Unblock } else { drawn };
        match kind {
            ActionKind::Block => member.is_blocking = true,
            ActionKind::Unblock => member.is_blocking = false,
            _ => {}
        }
        let is_renamed = wants_rename && !is_first;
        if is_renamed {
            self.rename(index);
        }
        Some(Action { member: index, kind, is_first, is_renamed })
    }

    fn random_member(&mut self) -> Option<usize> {
        let count = self.members.len();
        (count > 0).then(|| self.rng.usize(..count))
    }

    /// True in `percent` of 100 cases.
    fn percent(&mut self, percent: u32) -> bool {
        self.rng.u32(..100) < percent
    }

    fn random_kind(&mut self) -> ActionKind {
        let share = self.rng.u32(..100);
        let plain = self.rng.usize(..PLAIN_TEXTS.len());
        if let Some(range) = self.commands.iter().find(|range| share < range.end) {
            ActionKind::Write { line: range.line }
        } else if share < self.presses_end {
            ActionKind::Press { number: self.rng.u64(..), fallback_line: plain }
        } else if share < self.blocks_end {
            ActionKind::Block
        } else {
            ActionKind::Write { line: plain }
        }
    }

    /// Gives a member a new name, and in 20% of all cases another member's username.
    fn rename(&mut self, index: usize) {
        let takes_username = self.percent(20);
        let other = self.random_member().filter(|&other| takes_username && other != index);
        let mut username = None;
        if let Some(other) = other.and_then(|other| self.members.get_mut(other)) {
            username = other.person.username.take();
            other.update_json();
        }
        let Some(member) = self.members.get_mut(index) else { return };
        member.person.rename(&mut self.rng);
        if username.is_some() {
            member.person.username = username;
        }
        member.update_json();
    }
}

impl Member {
    fn new(person: Person) -> Self {
        let mut member = Self { person, json: String::new(), has_acted: false, is_blocking: false };
        member.update_json();
        member
    }

    fn update_json(&mut self) {
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
    use super::*;

    fn generate(crowd: &Crowd, count: usize) -> Vec<Action> {
        let mut actions = Actions::new(crowd);
        (0..count).map(|_| actions.next().unwrap()).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_actions() {
        let crowd = Crowd::demo(7);
        assert_eq!(generate(&crowd, 500), generate(&crowd, 500));
        assert_ne!(generate(&crowd, 500), generate(&Crowd::demo(8), 500));
    }

    #[test]
    fn the_shares_of_actions_are_as_configured() {
        let actions = generate(&Crowd::load(1), 20_000);
        let command = PLAIN_TEXTS.len();
        let writes = |from| {
            actions
                .iter()
                .filter(|it| matches!(it.kind, ActionKind::Write { line } if line == from))
                .count()
        };
        assert!((900..1100).contains(&writes(command)), "/start: {}", writes(command));
        assert!((900..1100).contains(&writes(command + 1)), "/schedule: {}", writes(command + 1));
        let renames = actions.iter().filter(|action| action.is_renamed).count();
        assert!((1300..2100).contains(&renames), "renames: {renames}");
    }

    #[test]
    fn a_username_has_one_owner_at_a_time() {
        let mut actions = Actions::new(&Crowd::new(3).people(50).renames(50));
        for _ in 0..2000 {
            actions.next();
        }
        let mut usernames: Vec<_> =
            actions.members.iter().filter_map(|member| member.person.username.as_ref()).collect();
        let all = usernames.len();
        usernames.sort();
        usernames.dedup();
        assert_eq!(usernames.len(), all);
    }
}
