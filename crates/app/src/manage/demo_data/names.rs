//! What people are called, and in which language they read.

use rollcall_domain::Username;

use super::chance::{pick, weighted};

/// People who read in one language.
pub(super) struct Tongue {
    /// The language tag that clients send; some send none.
    pub(super) code: Option<&'static str>,
    first_names: &'static [&'static str],
    last_names: &'static [&'static str],
}

/// A language, and how many of a thousand people read it.
static TONGUES: [(Tongue, u32); 24] = [
    (tongue("en", &ENGLISH, &ENGLISH_LAST), 270),
    (tongue("ru", &RUSSIAN_HIS, &RUSSIAN_HIS_LAST), 105),
    (tongue("ru", &RUSSIAN_HERS, &RUSSIAN_HERS_LAST), 95),
    (tongue("de", &GERMAN, &GERMAN_LAST), 75),
    (tongue("es", &SPANISH, &SPANISH_LAST), 80),
    (tongue("pt-br", &PORTUGUESE, &PORTUGUESE_LAST), 70),
    (tongue("uk", &UKRAINIAN, &UKRAINIAN_LAST), 60),
    (tongue("fr", &FRENCH, &FRENCH_LAST), 30),
    (tongue("it", &ITALIAN, &ITALIAN_LAST), 28),
    (tongue("tr", &TURKISH, &TURKISH_LAST), 25),
    (tongue("fa", &PERSIAN, &PERSIAN_LAST), 22),
    (tongue("id", &INDONESIAN, &INDONESIAN_LAST), 20),
    (tongue("hi", &HINDI, &HINDI_LAST), 18),
    (tongue("ar", &ARABIC, &ARABIC_LAST), 16),
    (tongue("pl", &POLISH, &POLISH_LAST), 15),
    (tongue("cs", &CZECH, &CZECH_LAST), 10),
    (tongue("fi", &FINNISH, &FINNISH_LAST), 10),
    (tongue("sv", &SWEDISH, &SWEDISH_LAST), 10),
    (tongue("zh-hans", &CHINESE, &CHINESE_LAST), 9),
    (tongue("ja", &JAPANESE, &JAPANESE_LAST), 5),
    (tongue("ko", &KOREAN, &KOREAN_LAST), 4),
    (tongue("he", &HEBREW, &HEBREW_LAST), 3),
    (Tongue { code: None, first_names: &ENGLISH, last_names: &ENGLISH_LAST }, 12),
    (Tongue { code: None, first_names: &RUSSIAN_HIS, last_names: &RUSSIAN_HIS_LAST }, 8),
];

const fn tongue(
    code: &'static str,
    first_names: &'static [&'static str],
    last_names: &'static [&'static str],
) -> Tongue {
    Tongue { code: Some(code), first_names, last_names }
}

const ENGLISH: [&str; 14] = [
    "James", "Olivia", "Liam", "Emma", "Noah", "Ava", "Jack", "Grace", "Henry", "Chloe", "Sam",
    "Alex", "Zoë", "Jordan",
];
const ENGLISH_LAST: [&str; 14] = [
    "Smith", "Johnson", "Brown", "Taylor", "Wilson", "Clarke", "O'Brien", "Lee", "Walker", "Young",
    "King", "Hughes", "Campbell", "Murphy",
];
const RUSSIAN_HIS: [&str; 13] = [
    "Александр",
    "Дмитрий",
    "Максим",
    "Сергей",
    "Андрей",
    "Алексей",
    "Артём",
    "Илья",
    "Кирилл",
    "Михаил",
    "Никита",
    "Иван",
    "Саша",
];
const RUSSIAN_HIS_LAST: [&str; 11] = [
    "Иванов",
    "Смирнов",
    "Кузнецов",
    "Попов",
    "Васильев",
    "Петров",
    "Соколов",
    "Новиков",
    "Морозов",
    "Волков",
    "Жук",
];
const RUSSIAN_HERS: [&str; 13] = [
    "Анастасия",
    "Мария",
    "Дарья",
    "Анна",
    "Екатерина",
    "Виктория",
    "Полина",
    "Елена",
    "Ольга",
    "Алёна",
    "Ксения",
    "Юлия",
    "Саша",
];
const RUSSIAN_HERS_LAST: [&str; 11] = [
    "Иванова",
    "Смирнова",
    "Кузнецова",
    "Попова",
    "Васильева",
    "Петрова",
    "Соколова",
    "Новикова",
    "Морозова",
    "Волкова",
    "Жук",
];
const GERMAN: [&str; 12] = [
    "Lukas", "Anna", "Finn", "Lena", "Jonas", "Mia", "Jürgen", "Käthe", "Felix", "Sophie", "Björn",
    "Heike",
];
const GERMAN_LAST: [&str; 11] = [
    "Müller",
    "Schmidt",
    "Schneider",
    "Fischer",
    "Weber",
    "Meyer",
    "Wagner",
    "Becker",
    "Schulz",
    "Groß",
    "Köhler",
];
const SPANISH: [&str; 11] = [
    "Santiago",
    "Sofía",
    "Mateo",
    "Valentina",
    "José",
    "Lucía",
    "Diego",
    "Camila",
    "Ángel",
    "Martina",
    "Íñigo",
];
const SPANISH_LAST: [&str; 10] = [
    "García",
    "Rodríguez",
    "Martínez",
    "López",
    "González",
    "Pérez",
    "Sánchez",
    "Ramírez",
    "Muñoz",
    "Núñez",
];
const PORTUGUESE: [&str; 10] = [
    "João", "Maria", "Gabriel", "Júlia", "Lucas", "Beatriz", "Rafael", "Larissa", "Thiago",
    "Letícia",
];
const PORTUGUESE_LAST: [&str; 9] =
    ["Silva", "Santos", "Oliveira", "Souza", "Lima", "Pereira", "Araújo", "Gonçalves", "Conceição"];
const UKRAINIAN: [&str; 10] = [
    "Олександр",
    "Оксана",
    "Андрій",
    "Наталія",
    "Богдан",
    "Ірина",
    "Тарас",
    "Софія",
    "Юрій",
    "Марічка",
];
const UKRAINIAN_LAST: [&str; 9] = [
    "Шевченко",
    "Коваленко",
    "Бондаренко",
    "Ткаченко",
    "Кравченко",
    "Мельник",
    "Гончар",
    "Лисенко",
    "Ґудзь",
];
const FRENCH: [&str; 8] =
    ["Gabriel", "Louise", "Raphaël", "Jade", "Léo", "Chloé", "François", "Maëlys"];
const FRENCH_LAST: [&str; 7] =
    ["Martin", "Bernard", "Dubois", "Lefèvre", "Moreau", "Béranger", "d'Alembert"];
const ITALIAN: [&str; 8] =
    ["Leonardo", "Giulia", "Francesco", "Aurora", "Alessandro", "Chiara", "Niccolò", "Elena"];
const ITALIAN_LAST: [&str; 7] =
    ["Rossi", "Ferrari", "Esposito", "Bianchi", "Romano", "Ricci", "De Luca"];
const TURKISH: [&str; 8] = ["Yusuf", "Zeynep", "Mehmet", "Elif", "Ömer", "Ayşe", "Çağlar", "İrem"];
const TURKISH_LAST: [&str; 7] = ["Yılmaz", "Kaya", "Demir", "Şahin", "Çelik", "Öztürk", "Aydın"];
const PERSIAN: [&str; 7] = ["علی", "فاطمه", "رضا", "زهرا", "امیر", "مریم", "پویا"];
const PERSIAN_LAST: [&str; 6] = ["احمدی", "محمدی", "حسینی", "کریمی", "رضایی", "جعفری"];
const INDONESIAN: [&str; 7] = ["Budi", "Siti", "Agus", "Dewi", "Putra", "Ayu", "Rizky"];
const INDONESIAN_LAST: [&str; 6] = ["Santoso", "Wijaya", "Saputra", "Lestari", "Hidayat", "Kusuma"];
const HINDI: [&str; 7] = ["आरव", "प्रिया", "राहुल", "अनन्या", "विवेक", "नेहा", "सुनील"];
const HINDI_LAST: [&str; 6] = ["शर्मा", "वर्मा", "सिंह", "गुप्ता", "पटेल", "यादव"];
const ARABIC: [&str; 7] = ["محمد", "فاطمة", "أحمد", "مريم", "عمر", "ليلى", "يوسف"];
const ARABIC_LAST: [&str; 5] = ["الأحمد", "حسن", "خليل", "ناصر", "العلي"];
const POLISH: [&str; 7] = ["Jakub", "Zuzanna", "Łukasz", "Agnieszka", "Michał", "Ola", "Paweł"];
const POLISH_LAST: [&str; 6] = ["Nowak", "Wójcik", "Kamińska", "Mazur", "Zając", "Dąbrowski"];
const CZECH: [&str; 6] = ["Jakub", "Tereza", "Tomáš", "Eliška", "Jiří", "Ondřej"];
const CZECH_LAST: [&str; 5] = ["Novák", "Dvořák", "Černý", "Procházka", "Jágr"];
const FINNISH: [&str; 6] = ["Eino", "Aino", "Mikko", "Päivi", "Teemu", "Saara"];
const FINNISH_LAST: [&str; 5] = ["Korhonen", "Virtanen", "Mäkinen", "Nieminen", "Hämäläinen"];
const SWEDISH: [&str; 6] = ["Elias", "Maja", "Åke", "Göran", "Linnéa", "Sven"];
const SWEDISH_LAST: [&str; 5] = ["Andersson", "Johansson", "Sjöberg", "Åström", "Lindqvist"];
const CHINESE: [&str; 6] = ["伟", "芳", "子轩", "雨桐", "浩然", "梦琪"];
const CHINESE_LAST: [&str; 6] = ["王", "李", "张", "刘", "陈", "欧阳"];
const JAPANESE: [&str; 5] = ["陽翔", "さくら", "蓮", "ユイ", "健太"];
const JAPANESE_LAST: [&str; 5] = ["佐藤", "鈴木", "高橋", "田中", "渡辺"];
const KOREAN: [&str; 5] = ["민준", "서연", "지훈", "하은", "도윤"];
const KOREAN_LAST: [&str; 4] = ["김", "이", "박", "최"];
const HEBREW: [&str; 5] = ["נועם", "תמר", "איתי", "מיה", "דוד"];
const HEBREW_LAST: [&str; 4] = ["כהן", "לוי", "מזרחי", "פרץ"];

/// What usernames begin with.
const HANDLES: [&str; 40] = [
    "puck",
    "slapshot",
    "goalie",
    "night_owl",
    "fox",
    "arctic",
    "blueline",
    "captain",
    "comet",
    "dasha",
    "dima",
    "echo",
    "falcon",
    "forest",
    "ghost",
    "hattrick",
    "ice",
    "ivan",
    "joker",
    "kate",
    "lena",
    "lucky",
    "max",
    "mister",
    "neo",
    "nick",
    "olga",
    "pixel",
    "rocket",
    "sasha",
    "silent",
    "sniper",
    "storm",
    "sunny",
    "tiger",
    "vika",
    "wolf",
    "zed",
    "TheReal",
    "MrHockey",
];

/// What some put behind their first name.
const SIGNS: [&str; 6] = ["🏒", "🔥", "👩‍🚀", "❄️", "🇨🇦", "✨"];

/// First name, and last name if there is one.
pub(super) fn name(tongue: &Tongue, random: &mut fastrand::Rng) -> (String, Option<String>) {
    let mut first = pick(tongue.first_names, random).to_owned();
    if random.u32(..100) < 4 {
        first.extend([" ", pick(&SIGNS, random)]);
    }
    let last = (random.u32(..100) < 57).then(|| pick(tongue.last_names, random).to_owned());
    (first, last)
}

/// A username that nobody has but the person of this number.
pub(super) fn username(number: u64, is_bot: bool, random: &mut fastrand::Rng) -> Option<Username> {
    let handle = pick(&HANDLES, random);
    // The number makes it unique: no other handle has digits.
    let end = if is_bot { "_bot" } else { "" };
    Username::from_telegram(&format!("{handle}_{number:04}{end}"))
}

/// The language of somebody.
pub(super) fn some_tongue(random: &mut fastrand::Rng) -> Option<&'static Tongue> {
    weighted(&TONGUES, random)
}
