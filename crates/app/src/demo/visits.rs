//! The visits of simulated users to the bot: one command or text, and a few presses of its buttons.

use std::{convert::Infallible, time::Duration};

use rollcall_simulator::{Person, SentMessage, Simulator};
use tokio::time::{sleep, timeout};

use super::{
    cast::Cast,
    wishes::{Wish, next_press, text, zone},
};
use crate::manage::demo_data::{happens, weighted};

/// How long people read and think, in seconds.
const THINKING: std::ops::Range<u64> = 3..9;
/// How long people wait for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most presses in a visit. A city in a long list takes a few pages.
const PRESSES: usize = 7;
/// Of a thousand visits, how many end with the bot blocked.
const BLOCKS: u32 = 12;
/// Of a thousand visits of regulars, how many are under a new first name.
const RENAMES: u32 = 40;
/// By which deep link new users come; some by none.
const LINKS: [(&str, u32); 6] = [
    ("/start", 64),
    ("/start friend", 10),
    ("/start channel_post", 9),
    ("/start youtube", 8),
    ("/start website", 5),
    ("/start qr_arena", 4),
];

/// What a user comes for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Errand {
    Schedule,
    Settings,
    Help,
    Chat,
}

/// What regulars come for, and how many of a hundred do.
const ERRANDS: [(Errand, u32); 4] =
    [(Errand::Schedule, 68), (Errand::Settings, 10), (Errand::Help, 6), (Errand::Chat, 16)];

/// Lets users visit the bot, one after the other. The first one is new.
pub(super) async fn run(simulator: &Simulator, mut cast: Cast) -> Infallible {
    let mut random = fastrand::Rng::new();
    let mut first = true;
    loop {
        let visitor = match std::mem::take(&mut first) {
            true => cast.newcomer(&mut random).map(|person| (person, true)),
            false => cast.next(&mut random),
        };
        if let Some((mut person, is_new)) = visitor {
            if !is_new && happens(RENAMES, &mut random) {
                cast.rename(&mut person, &mut random);
            }
            visit(simulator, &person, is_new, &mut random).await;
            if happens(BLOCKS, &mut random) {
                simulator.block(&person);
                cast.lose(&person);
            }
        }
        sleep(cast.pause_now(&mut random)).await;
    }
}

/// One visit. It ends early if the bot does not answer.
async fn visit(simulator: &Simulator, person: &Person, is_new: bool, random: &mut fastrand::Rng) {
    let (command, wish, presses) = if is_new {
        (*weighted(&LINKS, random).unwrap_or(&"/start"), Wish::Games, random.usize(1..=3))
    } else {
        match weighted(&ERRANDS, random).unwrap_or(&Errand::Schedule) {
            Errand::Schedule => ("/schedule", Wish::Games, random.usize(0..=2)),
            Errand::Settings => ("/settings", setting(person, random), PRESSES),
            Errand::Help => ("/help", Wish::Games, 0),
            Errand::Chat => {
                let language = person.language_code.as_deref();
                simulator.write(person, text(language, random));
                return;
            }
        }
    };
    simulator.write(person, command);
    let answer = timeout(PATIENCE, simulator.wait_for_message(person.id)).await;
    let Ok(Ok(mut message)) = answer else { return };
    for _ in 0..presses {
        sleep(Duration::from_secs(random.u64(THINKING))).await;
        let Some(data) = next_press(wish, &message, random) else { return };
        let is_done = wish.is_granted_by(&data);
        let Some(changed) = press(simulator, person, &message, &data).await else { return };
        if is_done {
            return;
        }
        message = changed;
    }
}

/// Most look for their city, and the others for their team.
fn setting(person: &Person, random: &mut fastrand::Rng) -> Wish {
    match zone(person.language_code.as_deref()) {
        Some(zone) if happens(600, random) => Wish::Zone(zone),
        _ => Wish::Team,
    }
}

/// Presses a button and returns the changed message; `None` if the bot does not answer.
async fn press(
    simulator: &Simulator,
    person: &Person,
    message: &SentMessage,
    data: &str,
) -> Option<SentMessage> {
    simulator.press(person, message, data);
    timeout(PATIENCE, simulator.wait_for_edit(message)).await.ok()?.ok()
}
