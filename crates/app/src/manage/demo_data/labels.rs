//! The tags and groups of people who are made up.

use rollcall_domain::{LabelKind, TelegramId};
use rollcall_repository::History;
use rollcall_service::LabelService;

use super::chance::happens;

/// The most users with one of these labels: however many users there are, few are chosen by hand.
const MOST: usize = 5_000;

/// The labels, with their descriptions.
const LABELS: [(LabelKind, &str, &str); 3] = [
    (LabelKind::Tag, "vip", "Regular users who are answered first"),
    (LabelKind::Tag, "newsletter", "Joined by the newsletter"),
    (LabelKind::Group, "testers", "Try new features first"),
];

/// The users with each of the labels.
#[derive(Debug, Default)]
pub(super) struct Chosen([Vec<TelegramId>; LABELS.len()]);

impl Chosen {
    /// Chooses among some users. The choices are each user's own.
    pub(super) fn choose(&mut self, some: &[History]) {
        for History { user, days, .. } in some {
            let mut random = fastrand::Rng::with_seed(user.telegram_id.get().unsigned_abs());
            let is_regular = days.len() >= 20 && user.reachability.is_reachable();
            let source = user.source.as_ref().map(|source| source.as_str());
            let is_chosen = [
                is_regular && happens(400, &mut random),
                source == Some("newsletter"),
                is_regular && happens(120, &mut random),
            ];
            for (chosen, is_chosen) in self.0.iter_mut().zip(is_chosen) {
                if is_chosen && chosen.len() < MOST {
                    chosen.push(user.telegram_id);
                }
            }
        }
    }

    /// Adds the labels.
    pub(super) async fn label(&self, labels: &LabelService) -> anyhow::Result<()> {
        for ((kind, name, description), ids) in LABELS.into_iter().zip(&self.0) {
            let (label, _) = labels.create(kind, &name.parse()?, description, None).await?;
            if !ids.is_empty() {
                labels.change_ids(&label, ids, true, None, &|_| {}).await?;
            }
        }
        Ok(())
    }
}
