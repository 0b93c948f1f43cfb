# The bot's texts in German, in Telegram's HTML. docs/languages.md tells how they work.

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
command-help = Was dieser Bot kann
command-users = Wer mit diesem Bot spricht
command-stats = Wie viele es sind
command-admin = In der Web-Verwaltung anmelden

greeting = Hallo, { $name }! Schick mir /schedule für die nächsten Spiele oder /help für alle Befehle.
greeting-nameless = Hallo! Schick mir /schedule für die nächsten Spiele oder /help für alle Befehle.
help =
    /start – Hallo sagen
    /schedule – die nächsten Spiele
    /settings – Sprache, Zeitzone und Teams
    /help – dieser Text
help-admin =
    Für dich als Admin:
    /users – wer mit diesem Bot spricht
    /stats – wie viele es sind
    /admin – in der Web-Verwaltung anmelden
failed = Das hat leider nicht geklappt. Bitte versuch es in einer Minute noch einmal.

## For admins

admin-link =
    Hier meldest du dich in der Web-Verwaltung an:
    { $url }

    Der Link gilt einmal und fünf Minuten lang. Wer ihn hat, ist du: Gib ihn nicht weiter.
admin-not-served = Dieser Bot bietet keine Web-Verwaltung an: LISTEN_ADDR ist aus, oder der Port ist belegt.

users-head = <b>Nutzer</b>, die neuesten zuerst; insgesamt { $total }. Zeiten in UTC.
users-times = da { $seen }, seit { $joined }
users-newer = ‹ Neuere
users-older = Ältere ›
users-nobody = Noch hat niemand mit diesem Bot gesprochen.

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
        [one] <b>{ $users }</b> Person, davon { $reachable } erreichbar
       *[other] <b>{ $users }</b> Leute, davon { $reachable } erreichbar
    }
stats-today = Heute
stats-7-days = 7 Tage
stats-30-days = 30 Tage
stats-active = { $count } aktiv ({ $change })
stats-new = { $count } neu ({ $change })
stats-interactions =
    { $count ->
        [one] { $count } Interaktion ({ $change })
       *[other] { $count } Interaktionen ({ $change })
    }
stats-blocked = { $count } blockiert ({ $change })
stats-unblocked = { $count } zurückgekehrt ({ $change })
stats-note = In Klammern: die Veränderung gegenüber der Vorwoche. Tage sind UTC, und heute ist noch nicht vorbei.

## The schedule

schedule-next = Nächste Spiele
schedule-today = Heute
schedule-tomorrow = Morgen
schedule-week = Diese Woche
schedule-favourites = Meine Teams
schedule-zone = Zeiten gelten für { $zone }.
schedule-utc = Zeiten sind UTC; deine Zeitzone wählst du mit /settings.
schedule-old = Die NHL war eine Weile nicht erreichbar: Stand { $day }, { $time }.
schedule-empty = Es sind keine Spiele angesetzt.
schedule-empty-today = Für heute sind keine Spiele angesetzt.
schedule-empty-tomorrow = Für morgen sind keine Spiele angesetzt.
schedule-empty-week = Für den Rest dieser Woche sind keine Spiele angesetzt.
schedule-empty-team = Von diesem Team sind keine Spiele angesetzt.
schedule-empty-favourites = Von deinen Teams sind keine Spiele angesetzt.
schedule-failed = Der Spielplan lässt sich gerade leider nicht zeigen. Bitte versuch es in einer Minute noch einmal.
schedule-more =
    { $count ->
        [one] … und { $count } weiteres Spiel
       *[other] … und { $count } weitere Spiele
    }
schedule-choose-team = Wessen Spiele?
schedule-no-teams = Noch sind keine Teams bekannt.

game = { $home } – { $away }
game-score = { $home } { $home-score } : { $away-score } { $away }
game-time-open = Zeit offen
game-live = läuft
game-over = beendet
game-postponed = verlegt
game-cancelled = abgesagt
game-suspended = abgebrochen

button-team = Ein Team …
button-back = « Zurück

## Settings

settings =
    <b>Einstellungen</b>

    Sprache: { $language }
    Zeitzone: { $zone }, dort ist es { $time }
    Teams: { $teams }
settings-language-told = { $language }, wie in Telegram
settings-no-teams = keine
settings-private = Einstellungen bleiben unter uns: Schick mir /settings in unserem privaten Chat.
settings-choose-language = Welche Sprache soll ich sprechen?
settings-choose-region = Wo bist du?
settings-choose-city = In welcher Stadt ist es so spät wie bei dir?
settings-choose-teams = Welche sind deine Teams?

button-language = Sprache
button-zone = Zeitzone
button-teams = Teams
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

## What pops up when a button is pressed

press-saved = Gespeichert
press-stale = Dieser Knopf gilt nicht mehr. Bitte schick den Befehl noch einmal.
press-impossible = Das lässt sich nicht wählen.
press-failed = Das hat leider nicht geklappt. Bitte versuch es in einer Minute noch einmal.
