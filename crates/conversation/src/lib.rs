//! The commands, buttons and texts of Rollcall's bundled bot: `/start`, `/schedule`, `/settings`,
//! `/help`, `/id`, `/privacy`, `/mydata`, `/deletemydata` and `/developer_info`, and for owners `/users`, `/segments`, `/broadcast`, `/stats` and `/admin`.
//!
//! [`Conversation`] is the handler that `rollcall-telegram` calls for registered users.
//!
//! To add a command: a variant of `Command` in `command.rs`, its answer in `conversation.rs`, and its
//! line in `menu.rs`. To add a button: a variant of `Action` in `action.rs` with
//! its family, and its effect in `press.rs`.
//! Texts are in `locales/`.
//!
//! Architecture invariant: private answers, to a user or an owner, are sent to that user's own id
//! (`audience.rs`).

mod action;
mod alerts;
mod audience;
mod beside;
mod broadcasts;
mod claim;
mod command;
mod consent;
mod conversation;
mod data_action;
mod greeting;
mod html;
mod locale;
mod menu;
mod messages;
mod outcome;
mod owners;
mod press;
mod privacy;
mod privacy_notice;
mod reply;
mod schedule;
mod segment_list;
mod selected_users;
mod settings_menu;
mod text;
mod user_list;

pub use action::button_family;
pub use beside::{Beside, OwnCommands};
pub use command::COMMANDS;
pub use conversation::{Conversation, Services};
pub use greeting::{Greetings, InvalidGreetings};
pub use menu::foreign_commands;
pub use messages::{BROADCAST_BUTTONS, opt_out_button};
pub use privacy_notice::PrivacyNotice;
