# The bot's texts in Russian, in Telegram's HTML. docs/languages.md describes how they work.

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

command-start = Начать
command-schedule = Ближайшие матчи
command-settings = Язык, часовой пояс и любимые клубы
command-settings-plain = Язык и часовой пояс
command-help = Что умеет этот бот
command-privacy = Что о вас хранится
command-users = Список пользователей
command-segments = Сохранённые сегменты
command-broadcast = Отправить рассылку
command-stats = Статистика
command-admin = Войти в веб-админку

hello = Здравствуйте, { $name }!
hello-nameless = Здравствуйте!
about-schedule = Я показываю ближайшие матчи НХЛ и текущий счёт — на вашем языке и в вашем часовом поясе.
about-plain = Я веду для владельца этого бота список пользователей.
id = Ваш ID в Telegram: <code>{ $id }</code>

help-start = /start — начать
help-schedule = /schedule — ближайшие матчи
help-settings = /settings — язык, часовой пояс и любимые клубы
help-settings-plain = /settings — язык и часовой пояс
help-id = /id — ваш ID в Telegram
help-help = /help — эта справка
help-privacy = /privacy — что о вас хранится, как получить или удалить эти данные
help-admin =
    Для администраторов:
    /users — список пользователей; /users lang:de seen&lt;14d — по фильтру
    /segments — сохранённые сегменты
    /broadcast — отправить рассылку; /broadcast lang:de — по фильтру
    /stats — статистика
    /admin — вход в веб-админку
failed = К сожалению, не получилось. Попробуйте ещё раз через минуту.

## Privacy

privacy-head =
    <b>Конфиденциальность</b>
    Этот бот хранит данные о пользователях, чтобы отвечать им и показывать владельцу, как пользуются ботом.
privacy-stored = <b>Что о вас хранится</b>
privacy-data-profile = ваш ID в Telegram, имя, имя пользователя и язык, в том числе прежние
privacy-data-activity = в какие дни и как часто вы пользуетесь ботом, какими командами, кнопками и ссылками, и когда вы его блокируете; текст ваших сообщений не хранится
privacy-data-choices = ваши настройки в боте, например язык
privacy-data-broadcasts = какие рассылки вы получили и какие кнопки под ними нажали
privacy-data-notes = теги и заметки администраторов бота
privacy-data-quarantine = сообщения и нажатия, которые не удалось обработать, без текста — { $days } дней
privacy-data-undelivered = сообщения, которые не приняла другая программа владельца, вместе с содержанием — { $days } дней
privacy-data-customers = что вы писали в бизнес-аккаунт, за который отвечает этот бот, и когда
privacy-data-log = ваш ID в журнале действий администраторов
privacy-data-admins = так как вы администратор: ваши входы и действия
privacy-how-long =
    <b>Как долго</b>
    Пока вы их не удалите. Останутся только суммы без имён и ваш ID в журнале действий администраторов.
privacy-inactive =
    { $unit ->
        [d] { $count ->
            [one] Если вы не пользуетесь ботом { $count } день, данные о вас тоже удаляются.
            [few] Если вы не пользуетесь ботом { $count } дня, данные о вас тоже удаляются.
           *[many] Если вы не пользуетесь ботом { $count } дней, данные о вас тоже удаляются.
        }
        [mo] { $count ->
            [one] Если вы не пользуетесь ботом { $count } месяц, данные о вас тоже удаляются.
            [few] Если вы не пользуетесь ботом { $count } месяца, данные о вас тоже удаляются.
           *[many] Если вы не пользуетесь ботом { $count } месяцев, данные о вас тоже удаляются.
        }
       *[y] { $count ->
            [one] Если вы не пользуетесь ботом { $count } год, данные о вас тоже удаляются.
            [few] Если вы не пользуетесь ботом { $count } года, данные о вас тоже удаляются.
           *[many] Если вы не пользуетесь ботом { $count } лет, данные о вас тоже удаляются.
        }
    }
privacy-shared =
    <b>Кто их получает</b>
    Только владелец бота и администраторы, которых он назначил. Все сообщения доставляет Telegram.
privacy-shared-bot = Вам отвечает другая программа владельца, и она получает ваши сообщения. Что хранит она, здесь не описано.
privacy-shared-events = Программа владельца узнаёт о новых пользователях и о блокировках бота.
privacy-rights =
    <b>Что вы можете сделать</b>
    /mydata — получить копию своих данных
    /deletemydata — удалить свои данные
privacy-contact = Вопросы: { $contact }
privacy-url = Подробнее: { $url }
privacy-no-contact = Владелец не указал, кому задавать вопросы.
privacy-set-contact = Вам как владельцу: укажите PRIVACY_CONTACT, чтобы пользователи могли к вам обратиться. Этого требует Telegram.

privacy-nothing = О вас ничего не хранится.

developer-info = Владелец этого бота: { $contact }
developer-info-none = Владелец этого бота не указал контакт.
developer-info-privacy = /privacy — что о вас хранится

mydata-private = Ваши данные отправляются только в личный чат: отправьте /mydata там.
mydata-file = Здесь всё, что бот хранит о вас. Файл откроется в любом текстовом редакторе.
mydata-again =
    { $count ->
        [one] Вы уже получили копию. Следующую можно запросить через { $count } минуту.
        [few] Вы уже получили копию. Следующую можно запросить через { $count } минуты.
       *[other] Вы уже получили копию. Следующую можно запросить через { $count } минут.
    }
mydata-large = Ваши данные не помещаются в сообщение. Запрос записан: владелец бота пришлёт вам копию в течение 30 дней.

deletemydata-private = Удалить данные можно только в личном чате: отправьте /deletemydata там.
deletemydata-owner =
    Вы — владелец этого бота, поэтому здесь ваши данные удалить нельзя.
    Сначала уберите свой ID из ADMIN_TELEGRAM_IDS или выполните на сервере <code>manage admins remove</code>.
deletemydata-question =
    <b>Удалить ваши данные?</b>

    <b>Будут удалены:</b> ваш профиль, сведения о вашей активности, настройки, сведения о полученных рассылках и заметки о вас.
    <b>Останутся:</b> суммы без имён, например число пользователей за день; ваш ID в журнале действий администраторов; код вместо вашего ID, чтобы бот не сохранил вас снова без вашего согласия.

    Если сначала нужна копия, отправьте /mydata.
deletemydata-sure =
    <b>Удалить ваши данные сейчас?</b>
    Отменить это будет нельзя.
deletemydata-kept = Ничего не удалено.
deletemydata-done = Ваши данные удалены. Чтобы снова пользоваться ботом, отправьте /start.
deletemydata-failed = К сожалению, не получилось: ваши данные ещё хранятся. Отправьте /deletemydata ещё раз через минуту.
button-delete-data = Удалить мои данные…
button-delete-now = Да, удалить сейчас
button-keep-data = Не удалять

## For admins

claimed =
    Теперь вы — владелец этого бота.
    /stats — статистика
    /users — список пользователей
    /admin — вход в веб-админку
    Вы также получите сообщение, если кто-то не сможет войти или войдёт с нового устройства. Код больше не действует.

admin-link =
    Войти в веб-админку можно по ссылке:
    { $url }

    Ссылка одноразовая и действует 5 минут. Никому её не пересылайте: по ней можно войти от вашего имени.
admin-mini-app = «Открыть здесь» работает в приложениях Telegram. В Telegram Web нажмите «Открыть в браузере» или перейдите по ссылке.
button-open-here = Открыть здесь
button-open-browser = Открыть в браузере
admin-not-served = Веб-админка не запущена: LISTEN_ADDR=off или порт занят.

users-head = <b>Пользователи</b>, сначала новые; всего { $total }. Время по UTC.
users-times = последний визит { $seen }, первый { $joined }
users-newer = ‹ Новые
users-older = Старые ›
users-nobody = Пользователей пока нет.

selected-exactly =
    { $count ->
        [one] <b>{ $count }</b> пользователь, сначала новые. Дни и время по UTC.
        [few] <b>{ $count }</b> пользователя, сначала новые. Дни и время по UTC.
       *[other] <b>{ $count }</b> пользователей, сначала новые. Дни и время по UTC.
    }
selected-more-than = Больше <b>{ $count }</b> пользователей, сначала новые. Дни и время по UTC.
selected-about = Примерно <b>{ $count }</b> пользователей, сначала новые. Дни и время по UTC.
selected-none = Никто не подходит под фильтр.
selected-none-so-far = Пока ничего не найдено: на этой странице просмотрена только часть списка.
selected-partial = Пока найдено мало: на этой странице просмотрена только часть списка.
filter-refused = <b>Этот фильтр не работает.</b>
filter-example = Пример: <code>/{ $command } lang:de reachable seen&lt;14d</code>. Условия соединяются пробелом (и), <code>or</code> (или), <code>-</code> (не) и скобками.
filter-long = В этом фильтре { $count } символов, а здесь помещается не больше { $most }. Сохраните его как сегмент, например командой <code>manage segments save</code>, и отправьте <code>/segments</code>.
filter-odd = В этом фильтре есть невидимые символы или переносы строк, которые сообщение не сохранит. Напишите его без них.

segments-head = <b>Сегменты</b>: { $total }. Нажмите на сегмент, чтобы увидеть его пользователей.
segments-counted = Подсчитано { $day } (UTC).
segments-users =
    { $count ->
        [one] { $count } пользователь
        [few] { $count } пользователя
       *[other] { $count } пользователей
    }
segments-uncounted = ещё не подсчитан
segments-everyone = все, кроме ботов
segments-none = Сегментов пока нет. Сохраните сегмент командой <code>manage segments save NAME --filter FILTER</code> или в веб-админке.
segments-previous = ‹ Назад
segments-next = Дальше ›

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
        [one] <b>{ $users }</b> пользователь, из них доступны: { $reachable }
        [few] <b>{ $users }</b> пользователя, из них доступны: { $reachable }
       *[many] <b>{ $users }</b> пользователей, из них доступны: { $reachable }
    }
stats-today = Сегодня
stats-7-days = 7 дней
stats-30-days = 30 дней
# With the number last, one form serves every number.
stats-active = активных: { $count }{ $change }
stats-new = новых: { $count }{ $change }
stats-interactions = действий: { $count }{ $change }
stats-blocked = заблокировали бота: { $count }{ $change }
stats-unblocked = вернулось: { $count }{ $change }
percent = { $number }%
stats-dashboard = Подробнее на дашборде: { $url }
stats-no-users-before = впервые
stats-note = В скобках — изменение за неделю. Дни считаются по UTC; сегодняшний сравнивается до { $hour } в оба дня.
stats-note-early = В скобках — изменение за неделю. Дни считаются по UTC; сегодняшний сравнивается после первого часа.

## The schedule

schedule-next = Ближайшие матчи
schedule-today = Сегодня
schedule-tomorrow = Завтра
schedule-week = Эта неделя
schedule-favourites = Мои клубы
schedule-zone = Время указано для часового пояса { $zone }.
schedule-utc = Время указано по UTC. Свой часовой пояс можно выбрать в /settings.
schedule-old = Данные могли устареть. Последнее обновление: { $day }, { $time }.
schedule-empty = Матчей в расписании нет.
schedule-empty-today = На сегодня матчей нет.
schedule-empty-tomorrow = На завтра матчей нет.
schedule-empty-week = До конца недели матчей нет.
schedule-empty-team = Матчей этого клуба в расписании нет.
schedule-empty-favourites = Матчей ваших клубов в расписании нет.
schedule-failed = К сожалению, расписание сейчас недоступно. Попробуйте ещё раз через минуту.
schedule-more =
    { $count ->
        [one] …и ещё { $count } матч
        [few] …и ещё { $count } матча
       *[many] …и ещё { $count } матчей
    }
schedule-choose-team = Матчи какого клуба показать?
schedule-no-teams = Список клубов пока недоступен.

game = { $home } — { $away }
game-score = { $home } { $home-score } : { $away-score } { $away }
game-time-open = время не назначено
game-live = идёт
game-over = окончен
game-postponed = перенесён
game-cancelled = отменён
game-suspended = прерван

button-team = Клуб…
button-choose-zone = Выбрать пояс
button-back = « Назад

## Settings

settings =
    <b>Настройки</b>

    Язык: { $language }
    Часовой пояс: { $zone } (сейчас { $time })
settings-teams = Любимые клубы: { $teams }
settings-messages = Сообщения: { $categories }
settings-no-messages = нет
settings-language-from-telegram = { $language }, как в Telegram
settings-no-teams = нет
settings-private = Настройки доступны только в личном чате: отправьте /settings там.
settings-choose-language = Выберите язык
settings-choose-region = Выберите регион
settings-choose-city = Выберите город в вашем часовом поясе
settings-choose-teams = Выберите любимые клубы
settings-choose-messages = Какие сообщения вы хотите получать? Нажмите, чтобы включить или отключить.

button-schedule = Расписание
button-settings = Настройки
button-help = Справка
button-language = Язык
button-zone = Часовой пояс
button-teams = Клубы
button-messages = Сообщения
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

## Categories of broadcasts

category-news = Новости
category-promo = Акции
button-opt-out = Отписаться: { $category }
button-opt-in = Вернуть подписку

## Broadcasts, for admins

broadcast-audience =
    <b>Новая рассылка</b>
    Каким пользователям её отправить? Нажмите на кнопку или отправьте <b>фильтр</b> вместе с командой, например <code>/broadcast lang:de seen&lt;14d</code>.
broadcast-everyone = все, кроме ботов
broadcast-segment = сегмент { $segment }
broadcast-send-message =
    <b>Новая рассылка</b>
    Пользователи: { $users }. Из них бот может написать: { $number }.

    Теперь отправьте или перешлите сообщение: текст, фото, видео, файл, голосовое сообщение или опрос, можно с кнопками. Пользователям пока ничего не отправляется. Бот ждёт один час.
broadcast-nobody = Бот не может написать никому из этих пользователей.
broadcast-stopped = Бот больше не ждёт сообщения. Рассылка не создана.
broadcast-expired = Это сообщение пришло слишком поздно: бот ждёт один час. Начните заново с /broadcast.
broadcast-album = Альбом нельзя разослать. Отправьте одно фото, видео или один файл; бот всё ещё ждёт.
broadcast-not-copied = Telegram не копирует такие сообщения. Отправьте текст, фото, видео, файл, голосовое сообщение или опрос; бот всё ещё ждёт.
broadcast-quiz = Telegram копирует викторину, только если бот знает правильный ответ. Создайте викторину в этом чате, а не пересылайте её; бот всё ещё ждёт.
broadcast-buttons-left-out = Убрано кнопок: { $count }. Отправить можно только кнопки со ссылкой или с текстом для копирования.

broadcast-draft =
    <b>Черновик:</b> { $name }
    Пользователи: { $users }
    Категория: { $category }
broadcast-nobody-now = Сейчас её не получил бы никто.
broadcast-recipients = Получателей: <b>{ $number }</b>
broadcast-recipients-of = Получателей: <b>{ $number }</b> из { $all }
broadcast-capped = Уже получили достаточно за неделю: { $count }
broadcast-bots = Боты: { $count }
broadcast-held-out = Не получат для сравнения: примерно { $count }
broadcast-takes = Отправка займёт около { $span }.
broadcast-takes-until = Отправка займёт около { $span }. Если начать сейчас, она закончится примерно в { $time }.
broadcast-costs = Это стоит примерно { $stars }.
broadcast-paid = Платно: около { $span }, примерно { $stars }
broadcast-unpaid = Бесплатно: около { $span }
broadcast-too-long = Что не отправлено за { $span }, будет пропущено.
broadcast-cap = Сообщений этой категории за семь дней: не больше { $count } на пользователя. Кто их уже получил, будет пропущен.
broadcast-keep-message = Не удаляйте своё сообщение до конца рассылки: каждый пользователь получает его копию.
broadcast-choose-category = Какая категория? Отписаться можно от любой, кроме «system».
broadcast-start-question =
    <b>Начать эту рассылку?</b>
    { $name }

    { $size }
broadcast-starts-at = Начало: { $at }
broadcast-moment = { $day }, { $time }
broadcast-choose-day = В какой день начать? Время указано для { $zone }; изменить пояс можно в /settings.
broadcast-choose-hour = { $day }: во сколько? Время указано для { $zone }.
broadcast-choose-speed =
    С какой скоростью отправлять? Ответы бота всегда идут первыми.
    Больше 30 сообщений в секунду — за Telegram Stars (⭐). Они должны быть на балансе бота, а платные рассылки нужно включить в @BotFather.
broadcast-schedule-question =
    <b>Запланировать эту рассылку?</b>
    { $name }

    Начало: { $at }
    { $size }
broadcast-discarded = Черновик удалён. Ничего не отправлено.

broadcast-head = <b>Рассылка:</b> { $name }
broadcast-state-draft = Это черновик.
broadcast-scheduled-for = Начнётся сама: { $at }
broadcast-state-scheduled = Ждёт своего времени.
broadcast-state-preparing = Сохраняются получатели.
broadcast-state-sending = Идёт отправка.
broadcast-state-finished = <b>Завершена.</b>
broadcast-state-cancelled = <b>Отменена.</b>
broadcast-paused = <b>Приостановлена.</b>
broadcast-paused-content = <b>Приостановлена</b>: Telegram отклоняет сообщение. Возможно, исходное сообщение удалено.
broadcast-paused-safety = <b>Приостановлена</b>: слишком многие получатели заблокировали бота, отписались или не получили сообщение.
broadcast-paused-restored = <b>Приостановлена</b>: база данных восстановлена из резервной копии. После неё часть сообщений могла быть отправлена.
broadcast-paused-audience = <b>Приостановлена</b>: её фильтр больше не работает.
broadcast-prepared = Получателей пока: { $count }
broadcast-done = { $done } из { $all } ({ $percent })
broadcast-pace = { $rate } в секунду, осталось около { $span }
broadcast-pace-only = { $rate } в секунду
broadcast-sent = Отправлено: { $count }
broadcast-unreachable = Недоступны: { $count }
broadcast-failed = Отклонено Telegram: { $count }
broadcast-skipped = Пропущено: { $count }
broadcast-unknown = Неизвестно (сбой или нет ответа): { $count }
broadcast-queued = В очереди: { $count }
broadcast-not-sent = Не отправлено: { $count }
broadcast-opt-outs = Отписались: { $count }
broadcast-cancel-question =
    <b>Отменить эту рассылку?</b>
    { $name }

    В очереди: { $count }. Эти получатели не получат сообщение. Отменённую рассылку нельзя продолжить.
broadcast-cancel-question-early =
    <b>Отменить эту рассылку?</b>
    { $name }

    Пока ничего не отправлено. Отменённую рассылку нельзя продолжить.

number-exactly = { $count }
number-more-than = больше { $count }
number-about = примерно { $count }
number-decimal = { $whole },{ $tenth }
span-seconds = { $number } с
span-minutes-seconds = { $large } мин { $small } с
span-whole-minutes = { $number } мин
span-whole-hours = { $number } ч
span-whole-days = { $number } д
span-hours = { $large } ч { $small } мин
span-days = { $large } д { $small } ч

button-everyone = Все
button-cancel = Отмена
button-test-copy = Отправить мне пробную копию
button-category = Категория
button-start = Начать…
button-start-now = Начать сейчас
button-start-time = Время начала
button-speed = Скорость
button-start-by-hand = Когда я нажму «Начать сейчас»
button-no-limit = как можно быстрее
button-schedule-start = Запланировать
button-discard = Удалить черновик
button-pause = Приостановить
button-resume = Продолжить
button-cancel-broadcast-ask = Отменить…
button-cancel-broadcast = Отменить рассылку

## Можно ли снова хранить данные удалённого пользователя

consent-question = Ваши данные были удалены, и с тех пор бот ничего о вас не хранит. Для настроек и рассылок ему нужно снова сохранять ваше имя, имя пользователя и язык из Telegram, а также то, когда и как вы им пользуетесь. Разрешить?
button-agree = Да, разрешить
button-decline = Нет
consent-declined = Хорошо, бот ничего о вас не хранит. Если передумаете, отправьте /start.

## What pops up when a button is pressed

press-saved = Сохранено
press-stale = Эта кнопка больше не работает. Отправьте команду ещё раз.
press-opted-out = Вы отписались от рассылки «{ $category }». Чтобы получать её снова, нажмите «Вернуть подписку» или отправьте /settings.
press-opted-in = Вы снова получаете рассылку «{ $category }».
press-test = Это проверка: нажатие не учитывается.
press-agreed = Спасибо, и с возвращением!
press-impossible = Этот вариант недоступен.
press-failed = К сожалению, не получилось. Попробуйте ещё раз через минуту.
press-broadcast-started = Эта рассылка уже начата. Дважды она не отправляется.
press-broadcast-changed = Рассылка тем временем изменилась. Вот её текущее состояние.
press-broadcast-past = Это время уже прошло. Выберите другое.
press-broadcast-nobody = Сейчас её не получил бы никто. Ничего не начато.
press-test-sent = Копия ниже. Так сообщение увидят пользователи.
press-test-refused = Telegram отклоняет это сообщение. Возможно, исходное сообщение удалено.
press-test-unknown = Telegram не отвечает. Проверьте, придёт ли копия.
