//! A running crowd.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::actions::{Action, ActionKind, Actions, Member};
use super::config::{Crowd, Pace};
use crate::chat_event::ChatEvent;
use crate::clock::unix_now;
use crate::people::Person;
use crate::queue::Incoming;
use crate::simulator::Simulator;
use crate::telegram::Telegram;
use crate::update::Update;

/// A running crowd; dropping it stops it.
#[derive(Debug)]
pub struct CrowdHandle {
    task: JoinHandle<CrowdReport>,
    stop: watch::Sender<bool>,
    pushed: Arc<AtomicU64>,
}

/// The actions of a crowd.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CrowdReport {
    /// The number of updates.
    pub updates: u64,
    /// The number of texts, commands included.
    pub texts: u64,
    /// The number of commands.
    pub commands: u64,
    /// The number of presses.
    pub presses: u64,
    /// The number of blocks.
    pub blocks: u64,
    /// The number of unblocks.
    pub returns: u64,
    /// The number of updates with a new name.
    pub renames: u64,
    /// The people who acted, as they are at the end, by id.
    pub people: Vec<Person>,
    /// The ids of the people who block the bot at the end.
    pub blocking: Vec<i64>,
}

impl Crowd {
    /// Starts the crowd. Call it inside a tokio runtime.
    pub fn start(self, simulator: &Simulator) -> CrowdHandle {
        let stop = watch::Sender::new(false);
        let pushed = Arc::new(AtomicU64::new(0));
        let run = Run {
            actions: Actions::new(&self),
            crowd: self,
            telegram: Arc::clone(simulator.telegram()),
            pushed: Arc::clone(&pushed),
            report: CrowdReport::default(),
            began: Instant::now(),
        };
        CrowdHandle { task: tokio::spawn(run.run(stop.subscribe())), stop, pushed }
    }
}

impl CrowdHandle {
    /// The number of updates so far.
    pub fn pushed(&self) -> u64 {
        self.pushed.load(Ordering::Relaxed)
    }

    /// Stops the crowd.
    pub async fn stop(mut self) -> CrowdReport {
        self.stop.send_replace(true);
        self.report().await
    }

    /// Waits until the crowd has ended by itself: after [`Crowd::updates`], or because Telegram ended.
    pub async fn finished(mut self) -> CrowdReport {
        self.report().await
    }

    async fn report(&mut self) -> CrowdReport {
        (&mut self.task).await.unwrap_or_else(|error| {
            log::error!("the crowd panicked: {error}");
            CrowdReport::default()
        })
    }
}

impl Drop for CrowdHandle {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The task of a running crowd.
struct Run {
    crowd: Crowd,
    actions: Actions,
    telegram: Arc<Telegram>,
    pushed: Arc<AtomicU64>,
    report: CrowdReport,
    began: Instant,
}

/// The most updates that are pushed before other tasks run.
const BATCH: u64 = 1000;

impl Run {
    async fn run(mut self, mut stop: watch::Receiver<bool>) -> CrowdReport {
        let telegram = Arc::clone(&self.telegram);
        let mut changes = telegram.watch();
        tokio::select! {
            () = self.push_all(&mut changes) => {}
            // Fails if the crowd's handle was dropped.
            _ = stop.wait_for(|&stop| stop) => {}
            () = telegram.closed() => {}
        }
        let acted = self.actions.members.iter().filter(|member| member.has_acted);
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
                // Fails only if Telegram was dropped, which ends the run.
                let _ = changes.changed().await;
            } else {
                tokio::time::sleep_until(self.next_due()).await;
            }
        }
    }

    /// How many updates are due by now.
    fn due(&self) -> u64 {
        match self.crowd.pace {
            Pace::Unlimited => u64::MAX,
            Pace::Every(interval) => {
                let due = self.began.elapsed().as_nanos() / interval.as_nanos();
                u64::try_from(due).unwrap_or(u64::MAX).saturating_sub(self.report.updates)
            }
        }
    }

    fn next_due(&self) -> Instant {
        let Pace::Every(interval) = self.crowd.pace else { return self.began };
        let next = u32::try_from(self.report.updates.saturating_add(1)).unwrap_or(u32::MAX);
        self.began + interval.saturating_mul(next)
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

    /// The next action; `None` only in an empty crowd.
    fn act(&mut self, now: i64) -> Option<Incoming> {
        self.report.updates += 1;
        let action = self.actions.next()?;
        self.report.renames += u64::from(action.is_renamed);
        let member = self.actions.members.get(action.member)?;
        let person = &member.person;
        Some(match action.kind {
            ActionKind::Block => {
                self.report.blocks += 1;
                self.telegram.prepare(Update::blocked(person).at(now))
            }
            ActionKind::Unblock => {
                self.report.returns += 1;
                self.telegram.prepare(Update::unblocked(person).at(now))
            }
            ActionKind::Press { number, fallback_line } => match self.press(person, number) {
                Some(update) => {
                    self.report.presses += 1;
                    self.telegram.prepare(update)
                }
                None => {
                    self.report.texts += 1;
                    self.report.commands += u64::from(self.actions.is_command(fallback_line));
                    self.write(&action, member, fallback_line, now)?
                }
            },
            ActionKind::Write { line } => {
                self.report.texts += 1;
                self.report.commands += u64::from(self.actions.is_command(line));
                self.write(&action, member, line, now)?
            }
        })
    }

    /// The same update as from [`Update::text`], composed of JSON that is kept: a load test sends
    /// tens of thousands of updates per second.
    fn write(&self, action: &Action, member: &Member, line: usize, now: i64) -> Option<Incoming> {
        let line = self.actions.lines.get(line)?;
        if action.is_first || action.is_renamed {
            self.telegram.introduce(&member.person);
        }
        self.telegram.publish(|| {
            Some(ChatEvent::Wrote { person: member.person.clone(), text: line.text.clone() })
        });
        let message_id = self.telegram.next_message_id();
        let (people, text) = (&member.json, &line.json);
        Some(Incoming {
            id: None,
            kind: "message".into(),
            ordering_key: member.person.id,
            json: format!(
                ",\"message\":{{\"message_id\":{message_id},\"date\":{now},{people},{text}}}}}"
            ),
            raw: false,
        })
    }

    fn press(&self, person: &Person, number: u64) -> Option<Update> {
        let state = self.telegram.state();
        let message = state.last_buttons.get(&person.id)?;
        let mut data: Vec<String> =
            message.buttons().into_iter().filter_map(|button| button.data).collect();
        let count = u64::try_from(data.len()).unwrap_or(0);
        let index = usize::try_from(number.checked_rem(count)?).ok()?;
        let update = Update::callback_query(person, data.swap_remove(index));
        let id = self.telegram.next_message_id().to_string();
        Some(update.with("message", message.json.clone()).with("id", id))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::bot::Bot;

    #[tokio::test]
    async fn a_crowd_sends_updates_as_fast_as_the_bot_reads() {
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
    async fn a_demonstration_can_be_watched() {
        let telegram = Simulator::start().await.unwrap();
        let mut events = telegram.subscribe();
        let crowd = Crowd::demo(1).blocks(0).every(Duration::from_millis(1)).start(&telegram);

        let ChatEvent::Wrote { person, .. } = events.recv().await.unwrap() else {
            panic!("there is no button to press yet")
        };
        let markup = json!({ "inline_keyboard": [[{ "text": "Next", "callback_data": "next" }]] });
        let text = json!({ "chat_id": person.id, "text": "<b>Hi</b>", "parse_mode": "HTML", "reply_markup": markup });
        Bot::of(&telegram).call("sendMessage", text).await;

        let mut answered = false;
        loop {
            match events.recv().await.unwrap() {
                ChatEvent::Answered { chat_id, text, buttons, .. } => {
                    assert_eq!((chat_id, text.as_str()), (person.id, "Hi"));
                    assert_eq!(buttons, ["Next"]);
                    answered = true;
                }
                ChatEvent::Pressed { person: presser, data, label } => {
                    assert_eq!((presser.id, data.as_str()), (person.id, "next"));
                    assert_eq!(label.as_deref(), Some("Next"));
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
    async fn texts_of_a_crowd_equal_texts_of_a_person() {
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
}
