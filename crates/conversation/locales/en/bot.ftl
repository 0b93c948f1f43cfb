# The bot's texts in English, in Telegram's HTML. docs/languages.md describes how they work.

language-name = English

## Dates and times

# See https://docs.rs/chrono/latest/chrono/format/strftime
time-format = %-I:%M %p
day = { $weekday }, { $month } { $day }
today = Today
tomorrow = Tomorrow

weekday-1 = Monday
weekday-2 = Tuesday
weekday-3 = Wednesday
weekday-4 = Thursday
weekday-5 = Friday
weekday-6 = Saturday
weekday-7 = Sunday

month-1 = January
month-2 = February
month-3 = March
month-4 = April
month-5 = May
month-6 = June
month-7 = July
month-8 = August
month-9 = September
month-10 = October
month-11 = November
month-12 = December

## Commands

command-start = Say hello
command-schedule = The next games
command-settings = Language, time zone and teams
command-settings-plain = Language and time zone
command-help = What this bot can do
command-privacy = What is stored about you
command-users = List of users
command-segments = Saved segments of users
command-broadcast = Send a message to users
command-stats = Bot statistics
command-admin = Sign in to the web admin

hello = Hello, { $name }!
hello-nameless = Hello!
about-schedule = I show you upcoming NHL games and live scores, in your language and time zone.
about-plain = I keep a list of this bot's users for its owner.
id = Your Telegram id: <code>{ $id }</code>

help-start = /start – say hello
help-schedule = /schedule – the next games
help-settings = /settings – language, time zone and teams
help-settings-plain = /settings – language and time zone
help-id = /id – your Telegram id
help-help = /help – this message
help-privacy = /privacy – what is stored about you, and how to get or delete it
help-admin =
    For admins:
    /users – list of users; /users lang:de seen&lt;14d lists those of a filter
    /segments – saved segments
    /broadcast – send a message to users; /broadcast lang:de to those of a filter
    /stats – bot statistics
    /admin – sign in to the web admin
failed = Sorry, that did not work. Please try again in a minute.

## Privacy

privacy-head =
    <b>Privacy</b>
    This bot stores data about its users, to answer them and to show its owner how it is used.
privacy-stored = <b>What is stored about you</b>
privacy-data-profile = your Telegram id, name, username and language, and their changes
privacy-data-activity = on which days and how often you use the bot, with which commands, buttons and links, and when you block it; never the text of your messages
privacy-data-choices = what you chose in the bot, such as your language
privacy-data-broadcasts = which messages to many users you got, and which buttons you pressed below them
privacy-data-notes = tags and notes of the bot's admins
privacy-data-quarantine = messages and presses that could not be processed, without their texts, for { $days } days
privacy-data-undelivered = messages that another program of the owner did not accept, with their content, for { $days } days
privacy-data-customers = that you wrote to a business account which this bot answers for, and when
privacy-data-log = your id in the log of what admins did
privacy-data-admins = because you are an admin: your sign-ins, and what you did
privacy-how-long =
    <b>How long</b>
    Until you delete it. Totals without names stay, and so does your id in the log of what admins did.
privacy-inactive =
    { $unit ->
        [d] Everything about you is also deleted after { $count } days without use.
        [mo] { $count ->
            [one] Everything about you is also deleted after { $count } month without use.
           *[other] Everything about you is also deleted after { $count } months without use.
        }
       *[y] { $count ->
            [one] Everything about you is also deleted after { $count } year without use.
           *[other] Everything about you is also deleted after { $count } years without use.
        }
    }
privacy-shared =
    <b>Who gets it</b>
    Only the owner of this bot and the admins that the owner chose. Telegram delivers all messages.
privacy-shared-bot = Another program of the owner answers you, and gets your messages. This text does not cover what it stores.
privacy-shared-events = A program of the owner is notified of new users and of blocks.
privacy-rights =
    <b>What you can do</b>
    /mydata – get a copy of your data
    /deletemydata – delete your data
privacy-contact = Questions: { $contact }
privacy-url = More: { $url }
privacy-no-contact = The owner has not named a contact for questions.
privacy-set-contact = For you as the owner: set PRIVACY_CONTACT, so that users can reach you. Telegram requires that.

privacy-nothing = Nothing is stored about you.

developer-info = This bot is run by: { $contact }
developer-info-none = The owner of this bot has not named a contact.
developer-info-privacy = /privacy – what is stored about you

mydata-private = Your data is sent only in our private chat: send me /mydata there.
mydata-file = This is everything that the bot stores about you. Any text editor can open the file.
mydata-again =
    { $count ->
        [one] You already got a copy. You can get the next one in { $count } minute.
       *[other] You already got a copy. You can get the next one in { $count } minutes.
    }
mydata-large = Your data is too large for a message. Your request is recorded: the owner of this bot sends you the copy within 30 days.

deletemydata-private = Your data can be deleted only in our private chat: send me /deletemydata there.
deletemydata-owner =
    You are an owner of this bot, so your data cannot be deleted here.
    First remove your id from ADMIN_TELEGRAM_IDS, or run <code>manage admins remove</code> on the server.
deletemydata-question =
    <b>Delete your data?</b>

    <b>Deleted:</b> your profile, your activity, your settings, the record of messages that you got, and notes about you.
    <b>Kept:</b> totals without names, such as the number of users on a day; your id in the log of what admins did; and a code that stands for your id, so that the bot does not store you again unasked.

    To get a copy first, send /mydata.
deletemydata-sure =
    <b>Delete your data now?</b>
    This cannot be undone.
deletemydata-kept = Nothing was deleted.
deletemydata-done = Your data is deleted. To use the bot again, send /start.
deletemydata-failed = Sorry, that did not work: your data is still stored. Please send /deletemydata again in a minute.
button-delete-data = Delete my data…
button-delete-now = Yes, delete it now
button-keep-data = Keep my data

## For admins

claimed =
    You are now the owner of this bot.
    /stats – bot statistics
    /users – list of users
    /admin – sign in to the web admin
    You also get a message when sign-ins fail or a new device signs in. The claim code no longer works.

admin-link =
    Sign in to the web admin here:
    { $url }

    This link works once and expires in 5 minutes. Anyone who has it can sign in as you, so don't share it.
admin-mini-app = “Open here” works in Telegram's apps. In Telegram Web, use “Open in browser” or the link.
button-open-here = Open here
button-open-browser = Open in browser
admin-not-served = The web admin is not running: LISTEN_ADDR is off, or its port is in use.

users-head = <b>Users</b>, newest first; { $total } in all. Times are in UTC.
users-times = seen { $seen }, joined { $joined }
users-newer = ‹ Newer
users-older = Older ›
users-nobody = Nobody has talked to this bot yet.

selected-exactly =
    { $count ->
        [one] <b>{ $count }</b> user, newest first. Days and times are in UTC.
       *[other] <b>{ $count }</b> users, newest first. Days and times are in UTC.
    }
selected-more-than = More than <b>{ $count }</b> users, newest first. Days and times are in UTC.
selected-about = About <b>{ $count }</b> users, newest first. Days and times are in UTC.
selected-none = No users match.
selected-none-so-far = No matches so far: this page searched only part of the list.
selected-partial = Few matches so far: this page searched only part of the list.
filter-refused = <b>This filter cannot be used.</b>
filter-example = Example: <code>/{ $command } lang:de reachable seen&lt;14d</code>. Terms are joined by blanks (and), <code>or</code>, <code>-</code> (not) and parentheses.
filter-long = This filter has { $count } characters; up to { $most } fit here. Save it as a segment, for example with <code>manage segments save</code>, and send <code>/segments</code>.
filter-odd = This filter has invisible characters or line breaks, which a message cannot keep. Write it without them.

segments-head = <b>Segments</b>: { $total }. Press one to see its users.
segments-counted = Counted on { $day } (UTC).
segments-users =
    { $count ->
        [one] { $count } user
       *[other] { $count } users
    }
segments-uncounted = not counted yet
segments-everyone = everyone but bots
segments-none = There are no segments yet. Save one with <code>manage segments save NAME --filter FILTER</code> or in the web admin.
segments-previous = ‹ Previous
segments-next = Next ›

alert-sign-ins =
    <b>Too many failed sign-ins to the web admin</b>
    Latest attempt: { $account }, from { $address }, { $time } UTC.
    Further attempts have to wait. You can still sign in on a device that you have used before, or with a link from /admin.
alert-no-account = an account that does not exist
alert-webhook =
    <b>Refused webhook requests</b>
    Latest request without the right WEBHOOK_SECRET: { $time } UTC. It changed nothing.
    If you have just changed the secret, restart every process of the bot.
alert-device =
    <b>Sign-in to the web admin on a new device</b>
    { $account } ({ $device }), from { $address }, { $time } UTC.
alert-no-device = unknown device
alert-device-account = If you do not recognise it, end the sessions of this account in the web admin, and change its password.
alert-device-telegram = If you do not recognise it, end the sessions under “Your account” in the web admin, and check the devices in Telegram’s settings.
alert-more =
    { $count ->
        [one] And { $count } more since the last message.
       *[other] And { $count } more since the last message.
    }

stats-users =
    { $users ->
        [one] <b>{ $users }</b> user, { $reachable } reachable
       *[other] <b>{ $users }</b> users, { $reachable } reachable
    }
stats-today = Today
stats-7-days = 7 days
stats-30-days = 30 days
stats-active = { $count } active{ $change }
stats-new = { $count } new{ $change }
stats-interactions =
    { $count ->
        [one] { $count } interaction{ $change }
       *[other] { $count } interactions{ $change }
    }
stats-blocked = { $count } blocked{ $change }
stats-unblocked = { $count } unblocked{ $change }
percent = { $number }%
stats-dashboard = More on the dashboard: { $url }
stats-no-users-before = new
stats-note = In brackets: the change from a week ago. Days are in UTC; today is compared up to { $hour } on both days.
stats-note-early = In brackets: the change from a week ago. Days are in UTC; today is compared once its first hour is over.

## The schedule

schedule-next = Next games
schedule-today = Today
schedule-tomorrow = Tomorrow
schedule-week = This week
schedule-favourites = My teams
schedule-zone = Times are shown in { $zone } time.
schedule-utc = Times are in UTC. Choose your time zone in /settings.
schedule-old = This may be out of date: last updated { $day }, { $time }.
schedule-empty = No games are scheduled.
schedule-empty-today = No games are scheduled for today.
schedule-empty-tomorrow = No games are scheduled for tomorrow.
schedule-empty-week = No games are scheduled for the rest of this week.
schedule-empty-team = This team has no games scheduled.
schedule-empty-favourites = Your teams have no games scheduled.
schedule-failed = Sorry, the schedule is not available right now. Please try again in a minute.
schedule-more =
    { $count ->
        [one] … and { $count } more game
       *[other] … and { $count } more games
    }
schedule-choose-team = Which team?
schedule-no-teams = The list of teams is not available yet.

game = { $away } @ { $home }
game-score = { $away } { $away-score }, { $home } { $home-score }
game-time-open = time TBD
game-live = live
game-over = final
game-postponed = postponed
game-cancelled = cancelled
game-suspended = suspended

button-team = By team…
button-choose-zone = Choose time zone
button-back = « Back

## Settings

settings =
    <b>Settings</b>

    Language: { $language }
    Time zone: { $zone } ({ $time } now)
settings-teams = Teams: { $teams }
settings-messages = Messages: { $categories }
settings-no-messages = none
settings-language-from-telegram = { $language }, as in Telegram
settings-no-teams = none
settings-private = Settings are available only in our private chat: send me /settings there.
settings-choose-language = Which language should I use?
settings-choose-region = Where are you?
settings-choose-city = Pick a city in your time zone
settings-choose-teams = Which teams do you follow?
settings-choose-messages = Which messages do you want to get? Press one to turn it on or off.

button-schedule = Schedule
button-settings = Settings
button-help = Help
button-language = Language
button-zone = Time zone
button-teams = Teams
button-messages = Messages
button-as-in-telegram = As in Telegram
button-utc = UTC

region-africa = Africa
region-america = America
region-antarctica = Antarctica
region-asia = Asia
region-atlantic = Atlantic
region-australia = Australia
region-europe = Europe
region-indian = Indian Ocean
region-pacific = Pacific

## Categories of broadcasts

category-news = News
category-promo = Offers
button-opt-out = Unsubscribe: { $category }
button-opt-in = Undo

## Broadcasts, for admins

broadcast-audience =
    <b>New broadcast</b>
    Which users get it? Press a button, or send a <b>filter</b> with the command, for example <code>/broadcast lang:de seen&lt;14d</code>.
broadcast-everyone = everyone but bots
broadcast-segment = segment { $segment }
broadcast-send-message =
    <b>New broadcast</b>
    Users: { $users }. The bot can write to { $number } of them.

    Now send or forward the message: a text, photo, video, file, voice message or poll, also with buttons. Nothing is sent to users yet. The bot waits for an hour.
broadcast-nobody = The bot cannot write to any user of this selection.
broadcast-stopped = The bot no longer waits for a message. No broadcast was created.
broadcast-expired = This message came too late: the bot waits for an hour. Send /broadcast to begin again.
broadcast-album = An album cannot be a broadcast. Send a single photo, video or file; the bot still waits.
broadcast-not-copied = Telegram does not copy messages of this kind. Send a text, photo, video, file, voice message or poll; the bot still waits.
broadcast-quiz = Telegram copies a quiz only if the bot knows the right answer. Create the quiz in this chat instead of forwarding it; the bot still waits.
broadcast-buttons-left-out =
    { $count ->
        [one] { $count } button was left out: only buttons with an address or a text to copy can be sent.
       *[other] { $count } buttons were left out: only buttons with an address or a text to copy can be sent.
    }

broadcast-draft =
    <b>Draft:</b> { $name }
    Users: { $users }
    Category: { $category }
broadcast-nobody-now = No user would get it now.
broadcast-recipients = Recipients: <b>{ $number }</b>
broadcast-recipients-of = Recipients: <b>{ $number }</b> of { $all } users
broadcast-capped = Enough messages this week: { $count }
broadcast-bots = Bots: { $count }
broadcast-held-out = Held out: about { $count }
broadcast-takes = Sending takes about { $span }.
broadcast-takes-until = Sending takes about { $span }. If you start now, it ends at about { $time }.
broadcast-costs = It costs about { $stars }.
broadcast-paid = Paid: about { $span }, about { $stars }
broadcast-unpaid = Free: about { $span }
broadcast-too-long = What is not sent within { $span } is skipped.
broadcast-cap =
    { $count ->
        [one] Users get at most { $count } message of this category in seven days. Users that have had them are skipped.
       *[other] Users get at most { $count } messages of this category in seven days. Users that have had them are skipped.
    }
broadcast-keep-message = Keep your message until the broadcast has ended, because each user gets a copy of it.
broadcast-choose-category = Which category? Users can opt out of every category but “system”.
broadcast-start-question =
    <b>Start this broadcast?</b>
    { $name }

    { $size }
broadcast-starts-at = Start: { $at }
broadcast-moment = { $day }, { $time }
broadcast-choose-day = On which day does it start? Times are those of { $zone }; you can change that in /settings.
broadcast-choose-hour = { $day }: at what time? Times are those of { $zone }.
broadcast-choose-speed =
    How fast is it sent? Answers of the bot always go first.
    More than 30 messages a second cost Telegram Stars (⭐). The bot needs them in its balance, and paid broadcasts have to be allowed in @BotFather.
broadcast-schedule-question =
    <b>Schedule this broadcast?</b>
    { $name }

    Start: { $at }
    { $size }
broadcast-discarded = The draft was discarded. Nothing was sent.

broadcast-head = <b>Broadcast:</b> { $name }
broadcast-state-draft = It is a draft.
broadcast-scheduled-for = It starts by itself: { $at }
broadcast-state-scheduled = It waits for its time.
broadcast-state-preparing = Its recipients are being stored.
broadcast-state-sending = It is being sent.
broadcast-state-finished = <b>Finished.</b>
broadcast-state-cancelled = <b>Cancelled.</b>
broadcast-paused = <b>Paused.</b>
broadcast-paused-content = <b>Paused</b>, because Telegram refuses the message. Was your original message deleted?
broadcast-paused-safety = <b>Paused</b>, because too many recipients blocked the bot, opted out or did not get the message.
broadcast-paused-restored = <b>Paused</b>, because the database was restored from a backup. Some messages may have been sent after it.
broadcast-paused-audience = <b>Paused</b>, because its filter can no longer be evaluated.
broadcast-prepared =
    { $count ->
        [one] { $count } recipient so far
       *[other] { $count } recipients so far
    }
broadcast-done = { $done } of { $all } ({ $percent })
broadcast-pace = { $rate } a second, about { $span } left
broadcast-pace-only = { $rate } a second
broadcast-sent = Sent: { $count }
broadcast-unreachable = Unreachable: { $count }
broadcast-failed = Refused by Telegram: { $count }
broadcast-skipped = Skipped: { $count }
broadcast-unknown = Unknown, after a crash or a lost response: { $count }
broadcast-queued = Waiting: { $count }
broadcast-not-sent = Not sent: { $count }
broadcast-opt-outs = Opted out: { $count }
broadcast-cancel-question =
    { $count ->
        [one] <b>Cancel this broadcast?</b>
              { $name }

              { $count } recipient still waits and will not get the message. A cancelled broadcast cannot be resumed.
       *[other] <b>Cancel this broadcast?</b>
              { $name }

              { $count } recipients still wait and will not get the message. A cancelled broadcast cannot be resumed.
    }
broadcast-cancel-question-early =
    <b>Cancel this broadcast?</b>
    { $name }

    Nothing has been sent yet. A cancelled broadcast cannot be resumed.

number-exactly = { $count }
number-more-than = more than { $count }
number-about = about { $count }
number-decimal = { $whole }.{ $tenth }
span-seconds = { $number } s
span-minutes-seconds = { $large } min { $small } s
span-whole-minutes = { $number } min
span-whole-hours = { $number } h
span-whole-days = { $number } d
span-hours = { $large } h { $small } min
span-days = { $large } d { $small } h

button-everyone = Everyone
button-cancel = Cancel
button-test-copy = Send me a test copy
button-category = Category
button-start = Start…
button-start-now = Start now
button-start-time = Start time
button-speed = Speed
button-start-by-hand = When I press “Start now”
button-no-limit = as fast as possible
button-schedule-start = Schedule
button-discard = Discard
button-pause = Pause
button-resume = Resume
button-cancel-broadcast-ask = Cancel…
button-cancel-broadcast = Cancel the broadcast

## Whether an erased user may be stored again

consent-question = Your data was deleted from this bot, and nothing about you has been stored since then. For your settings and for its messages, the bot needs to store your name, username and language from Telegram again, and when and how you use it. May it do that?
button-agree = Yes, it may
button-decline = No
consent-declined = All right: nothing about you is stored. If you change your mind, send /start.

## What pops up when a button is pressed

press-saved = Saved
press-stale = This button no longer works. Please send the command again.
press-opted-out = You will no longer get “{ $category }”. To get them again, press “Undo” or send /settings.
press-opted-in = You will get “{ $category }” again.
press-test = This is a test: the press does not count.
press-agreed = Thank you, and welcome back!
press-impossible = That option isn't available.
press-failed = Sorry, that did not work. Please try again in a minute.
press-broadcast-started = This broadcast was already started. It is not sent twice.
press-broadcast-changed = This broadcast has changed meanwhile. This is how it is now.
press-broadcast-past = This time has passed. Choose another one.
press-broadcast-nobody = No user would get it now. Nothing was started.
press-test-sent = The copy is below. Users get the message like this.
press-test-refused = Telegram refuses this message. Was your original message deleted?
press-test-unknown = Telegram does not answer. See if the copy arrives.
