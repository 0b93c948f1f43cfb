/// A field or a word of the filter language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilterField {
    /// The name as it is written, with the sign that follows it: `lang:`, `days>=`, `reachable`.
    pub name: &'static str,
    /// What it selects, in a few words.
    pub meaning: &'static str,
    /// A term with it.
    pub example: &'static str,
}

/// Every field and word, for help texts and for completion.
pub const FIELDS: [FilterField; 27] = [
    field("lang:", "the language of the Telegram app", "lang:de,pt*"),
    field("source:", "the deep link by which the user came", "source:ads_*"),
    field("started:", "a deep link that the user ever opened", "started:spring_sale"),
    field("tag:", "a tag", "tag:vip"),
    field("group:", "a group", "group:testers"),
    field("segment:", "a saved segment", "segment:regulars"),
    field("reachable", "the bot can write to the user", "reachable"),
    field("blocked", "the user blocked the bot", "blocked"),
    field("bot", "the account is a bot; without this word bots are left out", "bot"),
    field("joined", "the day of the first interaction", "joined:2026-01-01..2026-02-01"),
    field("seen", "the day of the latest interaction", "seen<14d"),
    field("blocked_at", "the day on which the user became unreachable", "blocked_at<7d"),
    field("days", "the number of days on which the user was active", "days>=5"),
    field("used:", "a command or a kind of button that the user used", "used:/schedule>=3"),
    field(
        "broadcast:",
        "a broadcast that the user got, or what became of it",
        "broadcast:12:failed",
    ),
    field("pressed:", "a broadcast of which the user pressed a button", "pressed:12"),
    field("opted_out:", "a category of broadcasts that the user opted out of", "opted_out:promo"),
    field("capped:", "a category of which the user got the most for a week", "capped:promo"),
    field("zone:", "the time zone that the user chose", "zone:Europe/*"),
    field("team:", "a favourite team", "team:TOR"),
    field("botlang:", "the language that the user chose for the bot", "botlang:de"),
    field("has:note", "an admin wrote a note about the user", "has:note"),
    field("name:", "a part of the names", "name:\"van der\""),
    field("@", "the username", "@ada_l"),
    field("id:", "the Telegram id", "id:1815,1852"),
    field("random:", "a share of all users that stays the same", "random:10%:seed"),
    field("or", "either side; binds weaker than a blank", "tag:vip or days>=5"),
];

const fn field(name: &'static str, meaning: &'static str, example: &'static str) -> FilterField {
    FilterField { name, meaning, example }
}
