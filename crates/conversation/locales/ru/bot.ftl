# The bot's texts in Russian, in Telegram's HTML. docs/languages.md tells how they work.

language-name = Русский

## Dates and times

time-format = %H:%M
day = { $weekday }, { $day } { $month }
today = Сегодня
tomorrow = Завтра

weekday-1 = понедельник
weekday-2 = вторник
weekday-3 = среда
weekday-4 = четверг
weekday-5 = пятница
weekday-6 = суббота
weekday-7 = воскресенье

month-1 = января
month-2 = февраля
month-3 = марта
month-4 = апреля
month-5 = мая
month-6 = июня
month-7 = июля
month-8 = августа
month-9 = сентября
month-10 = октября
month-11 = ноября
month-12 = декабря

## Commands

command-start = Поздороваться
command-schedule = Ближайшие матчи
command-settings = Язык, часовой пояс и команды
command-help = Что умеет этот бот
command-users = Кто пишет этому боту
command-stats = Сколько их
command-admin = Войти в веб-админку

greeting = Здравствуйте, { $name }! Отправьте /schedule, чтобы увидеть ближайшие матчи, или /help, чтобы узнать все команды.
greeting-nameless = Здравствуйте! Отправьте /schedule, чтобы увидеть ближайшие матчи, или /help, чтобы узнать все команды.
help =
    /start – поздороваться
    /schedule – ближайшие матчи
    /settings – язык, часовой пояс и команды
    /help – этот текст
help-admin =
    Для вас как администратора:
    /users – кто пишет этому боту
    /stats – сколько их
    /admin – войти в веб-админку
failed = К сожалению, не получилось. Попробуйте ещё раз через минуту.

## For admins

admin-link =
    Войти в веб-админку можно здесь:
    { $url }

    Ссылка действует один раз и пять минут. Кто её получил, тот и есть вы: никому не передавайте.
admin-not-served = Этот бот не обслуживает веб-админку: LISTEN_ADDR выключен, или порт занят.

users-head = <b>Пользователи</b>, сначала новые; всего { $total }. Время в UTC.
users-times = здесь { $seen }, с { $joined }
users-newer = ‹ Новые
users-older = Старые ›
users-nobody = Этому боту ещё никто не писал.

alert-sign-ins =
    <b>Слишком много неудачных попыток входа в веб-админку</b>
    Последняя попытка: { $account }, с адреса { $address }, { $time } UTC.
    Следующим попыткам придётся подождать. Войти по-прежнему можно с устройства, на котором вы уже входили, или по ссылке из /admin.
alert-no-account = несуществующая учётная запись
alert-webhook =
    <b>Отклонены запросы к вебхуку</b>
    Последний запрос без верного WEBHOOK_SECRET: { $time } UTC. Он ничего не изменил.
    Если вы только что сменили секрет, перезапустите все процессы бота.
alert-device =
    <b>Вход в веб-админку с нового устройства</b>
    { $account } ({ $device }), с адреса { $address }, { $time } UTC.
alert-no-device = неизвестное устройство
alert-device-account = Если оно вам незнакомо, завершите сеансы этой учётной записи в веб-админке и смените её пароль.
alert-device-telegram = Если оно вам незнакомо, завершите сеансы на странице «Your account» в веб-админке и проверьте список устройств в настройках Telegram.
alert-more =
    { $count ->
        [one] И ещё { $count } раз с прошлого сообщения.
        [few] И ещё { $count } раза с прошлого сообщения.
       *[many] И ещё { $count } раз с прошлого сообщения.
    }

stats-users =
    { $users ->
        [one] <b>{ $users }</b> пользователь, доступных: { $reachable }
        [few] <b>{ $users }</b> пользователя, доступных: { $reachable }
       *[many] <b>{ $users }</b> пользователей, доступных: { $reachable }
    }
stats-today = Сегодня
stats-7-days = 7 дней
stats-30-days = 30 дней
stats-active =
    { $count ->
        [one] { $count } активный ({ $change })
       *[other] { $count } активных ({ $change })
    }
stats-new =
    { $count ->
        [one] { $count } новый ({ $change })
       *[other] { $count } новых ({ $change })
    }
stats-interactions =
    { $count ->
        [one] { $count } действие ({ $change })
        [few] { $count } действия ({ $change })
       *[many] { $count } действий ({ $change })
    }
stats-blocked =
    { $count ->
        [one] { $count } заблокировал ({ $change })
       *[other] { $count } заблокировали ({ $change })
    }
stats-unblocked =
    { $count ->
        [one] { $count } вернулся ({ $change })
       *[other] { $count } вернулись ({ $change })
    }
stats-note = В скобках: изменение за неделю. Дни по UTC, и сегодняшний ещё не кончился.

## The schedule

schedule-next = Ближайшие матчи
schedule-today = Сегодня
schedule-tomorrow = Завтра
schedule-week = Эта неделя
schedule-favourites = Мои команды
schedule-zone = Время: { $zone }.
schedule-utc = Время UTC; свой часовой пояс можно выбрать в /settings.
schedule-old = С НХЛ давно нет связи: данные на { $time }, { $day }.
schedule-empty = Матчей в расписании нет.
schedule-empty-today = На сегодня матчей нет.
schedule-empty-tomorrow = На завтра матчей нет.
schedule-empty-week = До конца недели матчей нет.
schedule-empty-team = Матчей этой команды в расписании нет.
schedule-empty-favourites = Матчей ваших команд в расписании нет.
schedule-failed = К сожалению, показать расписание сейчас не получилось. Попробуйте ещё раз через минуту.
schedule-more =
    { $count ->
        [one] … и ещё { $count } матч
        [few] … и ещё { $count } матча
       *[many] … и ещё { $count } матчей
    }
schedule-choose-team = Чьи матчи показать?
schedule-no-teams = Команды пока неизвестны.

game = { $home } – { $away }
game-score = { $home } { $home-score } : { $away-score } { $away }
game-time-open = время не назначено
game-live = идёт
game-over = окончен
game-postponed = перенесён
game-cancelled = отменён
game-suspended = прерван

button-team = Команда …
button-back = « Назад

## Settings

settings =
    <b>Настройки</b>

    Язык: { $language }
    Часовой пояс: { $zone }, там сейчас { $time }
    Команды: { $teams }
settings-language-told = { $language }, как в Telegram
settings-no-teams = нет
settings-private = Настройки – это между нами: отправьте мне /settings в личном чате.
settings-choose-language = На каком языке говорить?
settings-choose-region = Где вы?
settings-choose-city = В каком городе столько же времени, сколько у вас?
settings-choose-teams = Какие команды ваши?

button-language = Язык
button-zone = Часовой пояс
button-teams = Команды
button-as-in-telegram = Как в Telegram
button-utc = UTC

region-africa = Африка
region-america = Америка
region-antarctica = Антарктида
region-asia = Азия
region-atlantic = Атлантика
region-australia = Австралия
region-europe = Европа
region-indian = Индийский океан
region-pacific = Тихий океан

## What pops up when a button is pressed

press-saved = Сохранено
press-stale = Эта кнопка больше не действует. Отправьте команду ещё раз.
press-impossible = Это выбрать нельзя.
press-failed = К сожалению, не получилось. Попробуйте ещё раз через минуту.
