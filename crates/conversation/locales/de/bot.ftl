# The bot's texts in German, in Telegram's HTML. docs/languages.md describes how they work.

language-name = Deutsch

## Dates and times

time-format = %H:%M
day = { $weekday }, { $day }. { $month }
today = Heute
tomorrow = Morgen

weekday-1 = Montag
weekday-2 = Dienstag
weekday-3 = Mittwoch
weekday-4 = Donnerstag
weekday-5 = Freitag
weekday-6 = Samstag
weekday-7 = Sonntag

month-1 = Januar
month-2 = Februar
month-3 = März
month-4 = April
month-5 = Mai
month-6 = Juni
month-7 = Juli
month-8 = August
month-9 = September
month-10 = Oktober
month-11 = November
month-12 = Dezember

## Commands

command-start = Hallo sagen
command-schedule = Die nächsten Spiele
command-settings = Sprache, Zeitzone und Teams
command-settings-plain = Sprache und Zeitzone
command-help = Was dieser Bot kann
command-users = Liste der Nutzer
command-segments = Gespeicherte Segmente
command-stats = Statistik
command-admin = In der Web-Verwaltung anmelden

hello = Hallo, { $name }!
hello-nameless = Hallo!
about-schedule = Ich zeige dir die nächsten NHL-Spiele und Live-Ergebnisse, in deiner Sprache und Zeitzone.
about-plain = Ich führe für den Betreiber dieses Bots eine Liste seiner Nutzer.
id = Deine Telegram-ID: <code>{ $id }</code>

help-start = /start – Hallo sagen
help-schedule = /schedule – die nächsten Spiele
help-settings = /settings – Sprache, Zeitzone und Teams
help-settings-plain = /settings – Sprache und Zeitzone
help-id = /id – deine Telegram-ID
help-help = /help – diese Hilfe
help-admin =
    Für Admins:
    /users – Liste der Nutzer; /users lang:de seen&lt;14d zeigt die eines Filters
    /segments – gespeicherte Segmente
    /stats – Statistik
    /admin – in der Web-Verwaltung anmelden
failed = Das hat leider nicht geklappt. Bitte versuch es in einer Minute noch einmal.

## For admins

claimed =
    Dieser Bot gehört jetzt dir.
    /stats – Statistik
    /users – Liste der Nutzer
    /admin – in der Web-Verwaltung anmelden
    Du bekommst auch eine Nachricht, wenn Anmeldungen scheitern oder ein neues Gerät sich anmeldet. Der Code funktioniert nicht mehr.

admin-link =
    Mit diesem Link meldest du dich in der Web-Verwaltung an:
    { $url }

    Er funktioniert einmal und nur fünf Minuten. Gib ihn nicht weiter: Wer ihn hat, kann sich in deinem Namen anmelden.
admin-mini-app = „Hier öffnen“ geht in den Apps von Telegram. In Telegram Web nimm „Im Browser öffnen“ oder den Link.
button-open-here = Hier öffnen
button-open-browser = Im Browser öffnen
admin-not-served = Die Web-Verwaltung läuft nicht: LISTEN_ADDR=off, oder der Port ist belegt.

users-head = <b>Nutzer</b>, die neuesten zuerst; insgesamt { $total }. Alle Zeiten in UTC.
users-times = zuletzt { $seen }, dabei seit { $joined }
users-newer = ‹ Neuere
users-older = Ältere ›
users-nobody = Noch hat niemand diesen Bot benutzt.

selected-exactly = <b>{ $count }</b> Nutzer, die neuesten zuerst. Tage und Zeiten in UTC.
selected-more-than = Mehr als <b>{ $count }</b> Nutzer, die neuesten zuerst. Tage und Zeiten in UTC.
selected-about = Etwa <b>{ $count }</b> Nutzer, die neuesten zuerst. Tage und Zeiten in UTC.
selected-none = Keine Treffer.
selected-none-so-far = Bisher keine Treffer: Diese Seite hat nur einen Teil der Liste durchsucht.
selected-partial = Bisher wenige Treffer: Diese Seite hat nur einen Teil der Liste durchsucht.
filter-refused = <b>Dieser Filter funktioniert nicht.</b>
filter-example = Beispiel: <code>/users lang:de reachable seen&lt;14d</code>. Bedingungen werden mit Leerzeichen (und), <code>or</code>, <code>-</code> (nicht) und Klammern verbunden.
filter-long = Dieser Filter hat { $count } Zeichen; hier passen höchstens { $most }. Speichere ihn als Segment, zum Beispiel mit <code>manage segments save</code>, und sende <code>/segments</code>.
filter-odd = Dieser Filter hat unsichtbare Zeichen oder Zeilenumbrüche, die eine Nachricht nicht behält. Schreib ihn ohne sie.

segments-head = <b>Segmente</b>: { $total }. Tippe auf eins, um seine Nutzer zu sehen.
segments-counted = Gezählt am { $day } (UTC).
segments-users = { $count } Nutzer
segments-uncounted = noch nicht gezählt
segments-everyone = alle außer Bots
segments-none = Es gibt noch keine Segmente. Speichere eins mit <code>manage segments save NAME --filter FILTER</code> oder in der Web-Verwaltung.
segments-previous = ‹ Zurück
segments-next = Weiter ›

alert-sign-ins =
    <b>Zu viele fehlgeschlagene Anmeldungen in der Web-Verwaltung</b>
    Letzter Versuch: { $account }, von { $address }, { $time } UTC.
    Weitere Versuche müssen warten. Auf einem Gerät, das du schon benutzt hast, oder mit einem Link von /admin kannst du dich weiterhin anmelden.
alert-no-account = ein Konto, das es nicht gibt
alert-webhook =
    <b>Abgewiesene Webhook-Anfragen</b>
    Letzte Anfrage ohne das richtige WEBHOOK_SECRET: { $time } UTC. Sie hat nichts bewirkt.
    Wenn du das Secret gerade geändert hast, starte alle Prozesse des Bots neu.
alert-device =
    <b>Anmeldung in der Web-Verwaltung auf einem neuen Gerät</b>
    { $account } ({ $device }), von { $address }, { $time } UTC.
alert-no-device = unbekanntes Gerät
alert-device-account = Wenn du es nicht kennst, beende die Sitzungen dieses Kontos in der Web-Verwaltung und ändere das Passwort.
alert-device-telegram = Wenn du es nicht kennst, beende die Sitzungen unter „Your account“ in der Web-Verwaltung und prüfe die Geräte in den Einstellungen von Telegram.
alert-more =
    { $count ->
        [one] Und { $count } weiteres Mal seit der letzten Nachricht.
       *[other] Und { $count } weitere Male seit der letzten Nachricht.
    }

stats-users =
    { $users ->
        [one] <b>{ $users }</b> Nutzer, davon { $reachable } erreichbar
       *[other] <b>{ $users }</b> Nutzer, davon { $reachable } erreichbar
    }
stats-today = Heute
stats-7-days = 7 Tage
stats-30-days = 30 Tage
stats-active = { $count } aktiv{ $change }
stats-new = { $count } neu{ $change }
stats-interactions =
    { $count ->
        [one] { $count } Interaktion{ $change }
       *[other] { $count } Interaktionen{ $change }
    }
stats-blocked = { $count } blockiert{ $change }
stats-unblocked = { $count } zurückgekehrt{ $change }
# With a no-break space.
percent = { $number } %
stats-dashboard = Mehr dazu auf dem Dashboard: { $url }
stats-no-users-before = neu
stats-note = In Klammern: die Veränderung zur Vorwoche. Die Tage gelten in UTC; verglichen wird heute bis { $hour } Uhr, auch in der Vorwoche.
stats-note-early = In Klammern: die Veränderung zur Vorwoche. Die Tage gelten in UTC; heute wird verglichen, sobald die erste Stunde um ist.

## The schedule

schedule-next = Nächste Spiele
schedule-today = Heute
schedule-tomorrow = Morgen
schedule-week = Diese Woche
schedule-favourites = Meine Teams
schedule-zone = Alle Zeiten in der Zeitzone { $zone }.
schedule-utc = Alle Zeiten in UTC. Deine Zeitzone wählst du mit /settings.
schedule-old = Möglicherweise nicht mehr aktuell. Letzter Stand: { $day }, { $time }.
schedule-empty = Es sind keine Spiele angesetzt.
schedule-empty-today = Für heute sind keine Spiele angesetzt.
schedule-empty-tomorrow = Für morgen sind keine Spiele angesetzt.
schedule-empty-week = Für den Rest dieser Woche sind keine Spiele angesetzt.
schedule-empty-team = Für dieses Team sind keine Spiele angesetzt.
schedule-empty-favourites = Für deine Teams sind keine Spiele angesetzt.
schedule-failed = Der Spielplan ist gerade leider nicht verfügbar. Bitte versuch es in einer Minute noch einmal.
schedule-more =
    { $count ->
        [one] … und { $count } weiteres Spiel
       *[other] … und { $count } weitere Spiele
    }
schedule-choose-team = Welches Team?
schedule-no-teams = Die Liste der Teams ist noch nicht verfügbar.

game = { $home } – { $away }
game-score = { $home } { $home-score } : { $away-score } { $away }
game-time-open = Uhrzeit offen
game-live = läuft
game-over = Endstand
game-postponed = verlegt
game-cancelled = abgesagt
game-suspended = abgebrochen

button-team = Team wählen …
button-choose-zone = Zeitzone wählen
button-back = « Zurück

## Settings

settings =
    <b>Einstellungen</b>

    Sprache: { $language }
    Zeitzone: { $zone } (jetzt { $time } Uhr)
settings-teams = Teams: { $teams }
settings-messages = Nachrichten: { $categories }
settings-no-messages = keine
settings-language-from-telegram = { $language }, wie in Telegram
settings-no-teams = keine
settings-private = Einstellungen gibt es nur im privaten Chat: Schick mir dort /settings.
settings-choose-language = Welche Sprache soll ich sprechen?
settings-choose-region = Wo bist du?
settings-choose-city = Welche Stadt liegt in deiner Zeitzone?
settings-choose-teams = Welche Teams sind deine Favoriten?
settings-choose-messages = Welche Nachrichten möchtest du bekommen? Tippe auf eine Art, um sie ein- oder auszuschalten.

button-schedule = Spielplan
button-settings = Einstellungen
button-help = Hilfe
button-language = Sprache
button-zone = Zeitzone
button-teams = Teams
button-messages = Nachrichten
button-as-in-telegram = Wie in Telegram
button-utc = UTC

region-africa = Afrika
region-america = Amerika
region-antarctica = Antarktis
region-asia = Asien
region-atlantic = Atlantik
region-australia = Australien
region-europe = Europa
region-indian = Indischer Ozean
region-pacific = Pazifik

## Categories of broadcasts

category-news = Neuigkeiten
category-promo = Angebote
button-opt-out = Abbestellen: { $category }
button-opt-in = Rückgängig

## What pops up when a button is pressed

press-saved = Gespeichert
press-stale = Dieser Button funktioniert nicht mehr. Bitte schick den Befehl noch einmal.
press-opted-out = Du hast „{ $category }“ abbestellt. Mit „Rückgängig“ oder /settings bekommst du diese Nachrichten wieder.
press-opted-in = Du bekommst wieder Nachrichten der Art „{ $category }“.
press-impossible = Diese Auswahl ist nicht möglich.
press-failed = Das hat leider nicht geklappt. Bitte versuch es in einer Minute noch einmal.
