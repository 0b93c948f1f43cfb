//! The configuration of a crowd.

use std::time::Duration;

/// The configuration of a crowd. The same seed gives the same people and the same actions.
///
/// Only presses depend on the bot: a person presses a button of the last message with buttons
/// that the bot sent to them. Before there is one, they write a text instead.
#[derive(Clone, Debug)]
#[must_use = "start() starts the crowd"]
pub struct Crowd {
    pub(super) seed: u64,
    pub(super) people: usize,
    pub(super) first_id: i64,
    pub(super) commands: Vec<CommandShare>,
    pub(super) presses: u32,
    pub(super) blocks: u32,
    pub(super) renames: u32,
    pub(super) pace: Pace,
    pub(super) backlog: usize,
    pub(super) updates: u64,
}

/// A command, and the percentage of actions that write it.
#[derive(Clone, Debug)]
pub(super) struct CommandShare {
    pub(super) command: String,
    pub(super) percent: u32,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Pace {
    /// As fast as the bot reads.
    Unlimited,
    Every(Duration),
}

impl Crowd {
    /// 100 people who write texts as fast as the bot reads them.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            people: 100,
            first_id: 1_000_001,
            commands: vec![],
            presses: 0,
            blocks: 0,
            renames: 0,
            pace: Pace::Unlimited,
            backlog: 10_000,
            updates: u64::MAX,
        }
    }

    /// 12 people for a demonstration, with one action per second.
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

    /// 5000 people for a load test: 90% texts, 5% /start, 5% /schedule, and a new name in 10% of the
    /// updates.
    pub fn load(seed: u64) -> Self {
        Self::new(seed).people(5000).command("/start", 5).command("/schedule", 5).renames(10)
    }

    /// The number of people.
    pub fn people(mut self, people: usize) -> Self {
        self.people = people;
        self
    }

    /// The id of the first person, by default 1000001. The others have the ids after it.
    pub fn first_id(mut self, id: i64) -> Self {
        self.first_id = id;
        self
    }

    /// The percentage of actions that write this command. All actions that are not commands,
    /// presses or blocks write plain texts.
    pub fn command(mut self, command: &str, percent: u32) -> Self {
        self.commands.push(CommandShare { command: command.to_owned(), percent });
        self
    }

    /// The percentage of actions that press a button.
    pub fn presses(mut self, percent: u32) -> Self {
        self.presses = percent;
        self
    }

    /// The percentage of actions that block the bot. The person's next action unblocks it.
    pub fn blocks(mut self, percent: u32) -> Self {
        self.blocks = percent;
        self
    }

    /// The percentage of actions in which the person has a new name. Sometimes the person also
    /// takes over another person's username.
    pub fn renames(mut self, percent: u32) -> Self {
        self.renames = percent;
        self
    }

    /// The number of updates per second; 0 means as many as the bot reads.
    pub fn per_second(self, updates: u32) -> Self {
        match Duration::from_secs(1).checked_div(updates) {
            Some(interval) => self.every(interval),
            None => Self { pace: Pace::Unlimited, ..self },
        }
    }

    /// One update per interval.
    pub fn every(mut self, interval: Duration) -> Self {
        self.pace = Pace::Every(interval.max(Duration::from_nanos(1)));
        self
    }

    /// The crowd pauses while more updates than this are pending, by default 10000. It catches up
    /// later.
    pub fn backlog(mut self, updates: usize) -> Self {
        self.backlog = updates;
        self
    }

    /// Ends the crowd after this many updates.
    pub fn updates(mut self, updates: u64) -> Self {
        self.updates = updates;
        self
    }
}
