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
command-privacy = Was über dich gespeichert ist
command-users = Liste der Nutzer
command-segments = Gespeicherte Segmente
command-broadcast = Nachricht an Nutzer senden
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
help-privacy = /privacy – was über dich gespeichert ist, und wie du es bekommst oder löschst
help-admin =
    Für Admins:
    /users – Liste der Nutzer; /users lang:de seen&lt;14d zeigt die eines Filters
    /segments – gespeicherte Segmente
    /broadcast – Nachricht an Nutzer senden; /broadcast lang:de an die eines Filters
    /stats – Statistik
    /admin – in der Web-Verwaltung anmelden
failed = Das hat leider nicht geklappt. Bitte versuch es in einer Minute noch einmal.

## Privacy

privacy-head =
    <b>Datenschutz</b>
    Dieser Bot speichert Daten über seine Nutzer, um ihnen zu antworten und dem Betreiber zu zeigen, wie der Bot genutzt wird.
privacy-stored = <b>Was über dich gespeichert ist</b>
privacy-data-profile = deine Telegram-ID, dein Name, Benutzername und deine Sprache, auch frühere
privacy-data-activity = an welchen Tagen und wie oft du den Bot nutzt, mit welchen Befehlen, Buttons und Links, und wann du ihn blockierst; nie der Text deiner Nachrichten
privacy-data-choices = was du im Bot ausgewählt hast, zum Beispiel deine Sprache
privacy-data-broadcasts = welche Rundnachrichten du bekommen hast, und welche Buttons du darunter gedrückt hast
privacy-data-notes = Tags und Notizen der Admins dieses Bots
privacy-data-quarantine = Nachrichten und Klicks, die nicht verarbeitet werden konnten, ohne ihre Texte, { $days } Tage lang
privacy-data-undelivered = Nachrichten, die ein anderes Programm des Betreibers nicht angenommen hat, mit ihrem Inhalt, { $days } Tage lang
privacy-data-customers = dass du an ein Geschäftskonto geschrieben hast, für das dieser Bot antwortet, und wann
privacy-data-log = deine ID im Protokoll darüber, was Admins getan haben
privacy-data-admins = weil du Admin bist: deine Anmeldungen, und was du getan hast
privacy-how-long =
    <b>Wie lange</b>
    Bis du es löschst. Summen ohne Namen bleiben, und auch deine ID im Protokoll der Admins.
privacy-inactive =
    { $unit ->
        [d] Wenn du den Bot { $count } Tage lang nicht nutzt, wird ebenfalls alles über dich gelöscht.
        [mo] { $count ->
            [one] Wenn du den Bot { $count } Monat lang nicht nutzt, wird ebenfalls alles über dich gelöscht.
           *[other] Wenn du den Bot { $count } Monate lang nicht nutzt, wird ebenfalls alles über dich gelöscht.
        }
       *[y] { $count ->
            [one] Wenn du den Bot { $count } Jahr lang nicht nutzt, wird ebenfalls alles über dich gelöscht.
           *[other] Wenn du den Bot { $count } Jahre lang nicht nutzt, wird ebenfalls alles über dich gelöscht.
        }
    }
privacy-shared =
    <b>Wer es bekommt</b>
    Nur der Betreiber dieses Bots und die Admins, die er bestimmt. Alle Nachrichten laufen über Telegram.
privacy-shared-bot = Ein anderes Programm des Betreibers antwortet dir und bekommt deine Nachrichten. Was es speichert, steht nicht in diesem Text.
privacy-shared-events = Ein Programm des Betreibers erfährt von neuen Nutzern und davon, wer den Bot blockiert.
privacy-rights =
    <b>Was du tun kannst</b>
    /mydata – eine Kopie deiner Daten bekommen
    /deletemydata – deine Daten löschen
privacy-contact = Fragen an: { $contact }
privacy-url = Mehr dazu: { $url }
privacy-no-contact = Der Betreiber hat keinen Kontakt für Fragen angegeben.
privacy-set-contact = Für dich als Betreiber: Setze PRIVACY_CONTACT, damit Nutzer dich erreichen. Telegram verlangt das.

privacy-nothing = Über dich ist nichts gespeichert.

developer-info = Betreiber dieses Bots: { $contact }
developer-info-none = Der Betreiber dieses Bots hat keinen Kontakt angegeben.
developer-info-privacy = /privacy – was über dich gespeichert ist

mydata-private = Deine Daten gibt es nur im privaten Chat: Schick mir dort /mydata.
mydata-file = Das ist alles, was der Bot über dich speichert. Du kannst die Datei mit jedem Texteditor öffnen.
mydata-again =
    { $count ->
        [one] Du hast schon eine Kopie bekommen. Die nächste gibt es in { $count } Minute.
       *[other] Du hast schon eine Kopie bekommen. Die nächste gibt es in { $count } Minuten.
    }
mydata-large = Deine Daten sind zu groß für eine Nachricht. Deine Anfrage ist notiert: Der Betreiber dieses Bots schickt dir die Kopie innerhalb von 30 Tagen.

deletemydata-private = Deine Daten lassen sich nur im privaten Chat löschen: Schick mir dort /deletemydata.
deletemydata-owner =
    Du bist Betreiber dieses Bots. Deshalb lassen sich deine Daten hier nicht löschen.
    Nimm zuerst deine ID aus ADMIN_TELEGRAM_IDS heraus, oder führe auf dem Server <code>manage admins remove</code> aus.
deletemydata-question =
    <b>Deine Daten löschen?</b>

    <b>Gelöscht werden:</b> dein Profil, deine Aktivität, deine Einstellungen, welche Rundnachrichten du bekommen hast, und Notizen über dich.
    <b>Es bleiben:</b> Summen ohne Namen, zum Beispiel die Zahl der Nutzer an einem Tag; deine ID im Protokoll der Admins; und ein Code, der für deine ID steht, damit der Bot dich nicht ungefragt wieder speichert.

    Wenn du vorher eine Kopie willst, schick /mydata.
deletemydata-sure =
    <b>Deine Daten jetzt löschen?</b>
    Das lässt sich nicht rückgängig machen.
deletemydata-kept = Es wurde nichts gelöscht.
deletemydata-done = Deine Daten sind gelöscht. Um den Bot wieder zu nutzen, schick /start.
deletemydata-failed = Das hat leider nicht geklappt: Deine Daten sind noch gespeichert. Bitte schick in einer Minute noch einmal /deletemydata.
button-delete-data = Meine Daten löschen…
button-delete-now = Ja, jetzt löschen
button-keep-data = Daten behalten

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
filter-example = Beispiel: <code>/{ $command } lang:de reachable seen&lt;14d</code>. Bedingungen werden mit Leerzeichen (und), <code>or</code>, <code>-</code> (nicht) und Klammern verbunden.
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

## Broadcasts, for admins

broadcast-audience =
    <b>Neue Rundnachricht</b>
    Welche Nutzer bekommen sie? Tippe auf einen Button, oder sende einen <b>Filter</b> mit dem Befehl, zum Beispiel <code>/broadcast lang:de seen&lt;14d</code>.
broadcast-everyone = alle außer Bots
broadcast-segment = Segment { $segment }
broadcast-send-message =
    <b>Neue Rundnachricht</b>
    Nutzer: { $users }. Davon kann der Bot { $number } schreiben.

    Sende jetzt die Nachricht oder leite sie weiter: Text, Foto, Video, Datei, Sprachnachricht oder Umfrage, auch mit Buttons. Noch geht nichts an die Nutzer. Der Bot wartet eine Stunde.
broadcast-nobody = Keinem Nutzer dieser Auswahl kann der Bot schreiben.
broadcast-stopped = Der Bot wartet nicht mehr auf eine Nachricht. Es wurde keine Rundnachricht angelegt.
broadcast-expired = Diese Nachricht kam zu spät: Der Bot wartet eine Stunde. Beginne mit /broadcast von vorn.
broadcast-album = Ein Album kann keine Rundnachricht sein. Sende ein einzelnes Foto, Video oder eine Datei; der Bot wartet weiter.
broadcast-not-copied = Telegram kopiert solche Nachrichten nicht. Sende einen Text, ein Foto, ein Video, eine Datei, eine Sprachnachricht oder eine Umfrage; der Bot wartet weiter.
broadcast-quiz = Telegram kopiert ein Quiz nur, wenn der Bot die richtige Antwort kennt. Erstelle das Quiz in diesem Chat, statt es weiterzuleiten; der Bot wartet weiter.
broadcast-buttons-left-out =
    { $count ->
        [one] { $count } Button wurde weggelassen: Nur Buttons mit einer Adresse oder einem Text zum Kopieren können gesendet werden.
       *[other] { $count } Buttons wurden weggelassen: Nur Buttons mit einer Adresse oder einem Text zum Kopieren können gesendet werden.
    }

broadcast-draft =
    <b>Entwurf:</b> { $name }
    Nutzer: { $users }
    Kategorie: { $category }
broadcast-nobody-now = Im Moment würde sie kein Nutzer bekommen.
broadcast-recipients = Empfänger: <b>{ $number }</b>
broadcast-recipients-of = Empfänger: <b>{ $number }</b> von { $all } Nutzern
broadcast-capped = Genug Nachrichten in dieser Woche: { $count }
broadcast-bots = Bots: { $count }
broadcast-held-out = Zum Vergleich ausgenommen: etwa { $count }
broadcast-takes = Das Senden dauert etwa { $span }.
broadcast-takes-until = Das Senden dauert etwa { $span }. Wenn du jetzt startest, endet es gegen { $time } Uhr.
broadcast-costs = Es kostet etwa { $stars }.
broadcast-paid = Bezahlt: etwa { $span }, etwa { $stars }
broadcast-unpaid = Kostenlos: etwa { $span }
broadcast-too-long = Was nach { $span } nicht gesendet ist, wird übersprungen.
broadcast-cap =
    { $count ->
        [one] Nutzer bekommen in sieben Tagen höchstens { $count } Nachricht dieser Kategorie. Wer sie schon bekommen hat, wird übersprungen.
       *[other] Nutzer bekommen in sieben Tagen höchstens { $count } Nachrichten dieser Kategorie. Wer sie schon bekommen hat, wird übersprungen.
    }
broadcast-keep-message = Lösche deine Nachricht nicht, bevor alles gesendet ist: Jeder Nutzer bekommt eine Kopie davon.
broadcast-choose-category = Welche Kategorie? Nutzer können jede abbestellen, nur „system“ nicht.
broadcast-start-question =
    <b>Diese Rundnachricht starten?</b>
    { $name }

    { $size }
broadcast-starts-at = Start: { $at }
broadcast-moment = { $day }, { $time } Uhr
broadcast-choose-day = An welchem Tag soll sie starten? Die Zeiten gelten für { $zone }; das kannst du in /settings ändern.
broadcast-choose-hour = { $day }: Um wie viel Uhr? Die Zeiten gelten für { $zone }.
broadcast-choose-speed =
    Wie schnell soll gesendet werden? Antworten des Bots gehen immer vor.
    Mehr als 30 Nachrichten pro Sekunde kosten Telegram-Sterne (⭐). Der Bot braucht sie auf seinem Konto, und @BotFather muss bezahlte Rundnachrichten erlauben.
broadcast-schedule-question =
    <b>Diese Rundnachricht planen?</b>
    { $name }

    Start: { $at }
    { $size }
broadcast-discarded = Der Entwurf wurde verworfen. Es wurde nichts gesendet.

broadcast-head = <b>Rundnachricht:</b> { $name }
broadcast-state-draft = Sie ist ein Entwurf.
broadcast-scheduled-for = Sie startet von selbst: { $at }
broadcast-state-scheduled = Sie wartet auf ihre Zeit.
broadcast-state-preparing = Die Empfänger werden gespeichert.
broadcast-state-sending = Sie wird gesendet.
broadcast-state-finished = <b>Beendet.</b>
broadcast-state-cancelled = <b>Abgebrochen.</b>
broadcast-paused = <b>Angehalten.</b>
broadcast-paused-content = <b>Angehalten</b>, weil Telegram die Nachricht ablehnt. Wurde die ursprüngliche Nachricht gelöscht?
broadcast-paused-safety = <b>Angehalten</b>, weil zu viele Empfänger den Bot blockiert, abbestellt oder die Nachricht nicht bekommen haben.
broadcast-paused-restored = <b>Angehalten</b>, weil die Datenbank aus einer Sicherung wiederhergestellt wurde. Danach können schon Nachrichten gesendet worden sein.
broadcast-paused-audience = <b>Angehalten</b>, weil ihr Filter nicht mehr ausgewertet werden kann.
broadcast-prepared = Bisher { $count } Empfänger
broadcast-done = { $done } von { $all } ({ $percent })
broadcast-pace = { $rate } pro Sekunde, noch etwa { $span }
broadcast-pace-only = { $rate } pro Sekunde
broadcast-sent = Gesendet: { $count }
broadcast-unreachable = Nicht erreichbar: { $count }
broadcast-failed = Von Telegram abgelehnt: { $count }
broadcast-skipped = Übersprungen: { $count }
broadcast-unknown = Unbekannt, nach einem Absturz oder ohne Antwort: { $count }
broadcast-queued = Wartend: { $count }
broadcast-not-sent = Nicht gesendet: { $count }
broadcast-opt-outs = Abbestellt: { $count }
broadcast-cancel-question =
    <b>Diese Rundnachricht abbrechen?</b>
    { $name }

    { $count } Empfänger warten noch und bekommen sie nicht. Das lässt sich nicht rückgängig machen.
broadcast-cancel-question-early =
    <b>Diese Rundnachricht abbrechen?</b>
    { $name }

    Es wurde noch nichts gesendet. Das lässt sich nicht rückgängig machen.

number-exactly = { $count }
number-more-than = mehr als { $count }
number-about = etwa { $count }
number-decimal = { $whole },{ $tenth }
span-seconds = { $number } s
span-minutes-seconds = { $large } min { $small } s
span-whole-minutes = { $number } min
span-whole-hours = { $number } h
span-whole-days = { $number } T
span-hours = { $large } h { $small } min
span-days = { $large } T { $small } h

button-everyone = Alle
button-cancel = Abbrechen
button-test-copy = Testkopie an mich
button-category = Kategorie
button-start = Starten …
button-start-now = Jetzt starten
button-start-time = Startzeit
button-speed = Tempo
button-start-by-hand = Wenn ich „Jetzt starten“ drücke
button-no-limit = so schnell wie möglich
button-schedule-start = Planen
button-discard = Verwerfen
button-pause = Anhalten
button-resume = Fortsetzen
button-cancel-broadcast-ask = Abbrechen …
button-cancel-broadcast = Rundnachricht abbrechen

## Ob gelöschte Nutzer wieder gespeichert werden dürfen

consent-question = Deine Daten wurden bei diesem Bot gelöscht, und seither speichert er nichts über dich. Für deine Einstellungen und seine Nachrichten muss er wieder speichern, wie du bei Telegram heißt, deinen Benutzernamen und deine Sprache, und wann und wie du ihn benutzt. Darf er das?
button-agree = Ja, er darf
button-decline = Nein
consent-declined = In Ordnung: Über dich wird nichts gespeichert. Wenn du es dir anders überlegst, sende /start.

## What pops up when a button is pressed

press-saved = Gespeichert
press-stale = Dieser Button funktioniert nicht mehr. Bitte schick den Befehl noch einmal.
press-opted-out = Du hast „{ $category }“ abbestellt. Mit „Rückgängig“ oder /settings bekommst du diese Nachrichten wieder.
press-opted-in = Du bekommst wieder Nachrichten der Art „{ $category }“.
press-test = Das ist ein Test: Der Klick zählt nicht.
press-agreed = Danke, und willkommen zurück!
press-impossible = Diese Auswahl ist nicht möglich.
press-failed = Das hat leider nicht geklappt. Bitte versuch es in einer Minute noch einmal.
press-broadcast-started = Diese Rundnachricht ist schon gestartet. Sie wird nicht doppelt gesendet.
press-broadcast-changed = Diese Rundnachricht hat sich inzwischen geändert. So steht es um sie.
press-broadcast-past = Diese Zeit ist vorbei. Wähle eine andere.
press-broadcast-nobody = Im Moment würde sie kein Nutzer bekommen. Es wurde nichts gestartet.
press-test-sent = Die Kopie steht unten. So bekommen die Nutzer die Nachricht.
press-test-refused = Telegram lehnt diese Nachricht ab. Wurde die ursprüngliche Nachricht gelöscht?
press-test-unknown = Telegram antwortet nicht. Warte, ob die Kopie ankommt.
