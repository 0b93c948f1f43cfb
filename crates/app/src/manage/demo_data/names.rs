//! What people are called, and in which language they read.

use rollcall_domain::Username;

use super::chance::{happens, pick, weighted};

/// People who read in one language; of one gender where last names differ.
struct Tongue {
    /// The language tag that clients send; some send none.
    code: Option<&'static str>,
    first_names: &'static [&'static str],
    last_names: &'static [&'static str],
}

/// A language, and how many of a thousand people read it.
static TONGUES: [(Tongue, u32); 27] = [
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
    (tongue("id", &INDONESIAN_HIS, &INDONESIAN_HIS_LAST), 11),
    (tongue("id", &INDONESIAN_HERS, &INDONESIAN_HERS_LAST), 9),
    (tongue("hi", &HINDI, &HINDI_LAST), 18),
    (tongue("ar", &ARABIC, &ARABIC_LAST), 16),
    (tongue("pl", &POLISH_HIS, &POLISH_HIS_LAST), 8),
    (tongue("pl", &POLISH_HERS, &POLISH_HERS_LAST), 7),
    (tongue("cs", &CZECH_HIS, &CZECH_HIS_LAST), 6),
    (tongue("cs", &CZECH_HERS, &CZECH_HERS_LAST), 4),
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
const INDONESIAN_HIS: [&str; 5] = ["Budi", "Agus", "Putra", "Rizky", "Bayu"];
const INDONESIAN_HIS_LAST: [&str; 5] = ["Santoso", "Wijaya", "Saputra", "Hidayat", "Setiawan"];
const INDONESIAN_HERS: [&str; 5] = ["Siti", "Dewi", "Ayu", "Putri", "Rina"];
const INDONESIAN_HERS_LAST: [&str; 5] = ["Lestari", "Rahayu", "Handayani", "Wulandari", "Safitri"];
const HINDI: [&str; 7] = ["आरव", "प्रिया", "राहुल", "अनन्या", "विवेक", "नेहा", "सुनील"];
const HINDI_LAST: [&str; 6] = ["शर्मा", "वर्मा", "सिंह", "गुप्ता", "पटेल", "यादव"];
const ARABIC: [&str; 7] = ["محمد", "فاطمة", "أحمد", "مريم", "عمر", "ليلى", "يوسف"];
const ARABIC_LAST: [&str; 5] = ["الأحمد", "حسن", "خليل", "ناصر", "العلي"];
const POLISH_HIS: [&str; 5] = ["Jakub", "Łukasz", "Michał", "Paweł", "Krzysztof"];
const POLISH_HIS_LAST: [&str; 5] = ["Nowak", "Wójcik", "Kamiński", "Zając", "Dąbrowski"];
const POLISH_HERS: [&str; 5] = ["Zuzanna", "Agnieszka", "Ola", "Małgorzata", "Kasia"];
const POLISH_HERS_LAST: [&str; 5] = ["Nowak", "Wójcik", "Kamińska", "Zając", "Dąbrowska"];
const CZECH_HIS: [&str; 5] = ["Jakub", "Tomáš", "Jiří", "Ondřej", "Vojtěch"];
const CZECH_HIS_LAST: [&str; 5] = ["Novák", "Dvořák", "Černý", "Procházka", "Beneš"];
const CZECH_HERS: [&str; 5] = ["Tereza", "Eliška", "Šárka", "Lucie", "Kateřina"];
const CZECH_HERS_LAST: [&str; 5] = ["Nováková", "Dvořáková", "Černá", "Procházková", "Benešová"];
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

/// What usernames begin with, besides the owners' names: words that fit everyone.
const HANDLES: [&str; 32] = [
    "puck",
    "slapshot",
    "goalie",
    "night_owl",
    "fox",
    "arctic",
    "blueline",
    "captain",
    "comet",
    "echo",
    "falcon",
    "forest",
    "ghost",
    "hattrick",
    "ice",
    "joker",
    "lucky",
    "neo",
    "pixel",
    "rocket",
    "silent",
    "sniper",
    "storm",
    "sunny",
    "tiger",
    "wolf",
    "zed",
    "TheReal",
    "HockeyFan",
    "breakaway",
    "zamboni",
    "overtime",
];

/// What some put behind their first name.
const SIGNS: [&str; 6] = ["🏒", "🔥", "👩‍🚀", "❄️", "🇨🇦", "✨"];

/// The names of a fake user, and the language of their client.
pub(crate) struct FakeName {
    pub(crate) first_name: String,
    pub(crate) last_name: Option<String>,
    pub(crate) username: Option<Username>,
    pub(crate) language_code: Option<&'static str>,
}

impl FakeName {
    /// The names of the fake user with this number, which is part of the username.
    pub(crate) fn new(number: u64, is_bot: bool, random: &mut fastrand::Rng) -> Option<Self> {
        let tongue = weighted(&TONGUES, random)?;
        let own = pick(tongue.first_names, random);
        let mut first_name = own.to_owned();
        if happens(40, random) {
            first_name.extend([" ", pick(&SIGNS, random)]);
        }
        let last_name = happens(570, random).then(|| pick(tongue.last_names, random).to_owned());
        let username = if is_bot || happens(600, random) {
            username(own, number, is_bot, random)
        } else {
            None
        };
        Some(Self { first_name, last_name, username, language_code: tongue.code })
    }
}

/// A username that only the user with this number has: half of those who can use their own name.
fn username(own: &str, number: u64, is_bot: bool, random: &mut fastrand::Rng) -> Option<Username> {
    let uses_name = happens(500, random) && own.bytes().all(|byte| byte.is_ascii_alphabetic());
    let handle = if uses_name { &own.to_ascii_lowercase() } else { pick(&HANDLES, random) };
    // No handle has digits, so the number makes it unique.
    let end = if is_bot { "_bot" } else { "" };
    Username::from_telegram(&format!("{handle}_{number:04}{end}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_names_have_the_gender_of_first_names() {
        let mut random = fastrand::Rng::with_seed(7);
        let names: Vec<FakeName> =
            (0..50_000).filter_map(|number| FakeName::new(number, false, &mut random)).collect();
        let mut seen = 0;
        for (language, hers, last_hers, last_his) in [
            ("cs", &CZECH_HERS[..], &["ová", "ná", "rná"][..], &["k", "ý", "ka", "eš"][..]),
            ("pl", &POLISH_HERS[..], &["ka"][..], &["ki"][..]),
            ("ru", &RUSSIAN_HERS[..], &["ва"][..], &["в"][..]),
        ] {
            let neutral = ["Nowak", "Wójcik", "Zając", "Жук"];
            let of_language = names.iter().filter(|it| it.language_code == Some(language));
            for name in of_language.filter(|it| !it.first_name.starts_with("Саша")) {
                let Some(last_name) = name.last_name.as_deref() else { continue };
                if neutral.contains(&last_name) {
                    continue;
                }
                let is_hers = hers.iter().any(|first| name.first_name.starts_with(first));
                let ends = if is_hers { last_hers } else { last_his };
                let fits = ends.iter().any(|end| last_name.ends_with(end));
                assert!(fits, "{} {last_name}", name.first_name);
                seen += 1;
            }
        }
        assert!(seen > 1000, "{seen}");
    }

    #[test]
    fn usernames_are_unique_and_never_another_name() {
        let mut random = fastrand::Rng::with_seed(7);
        let (mut own, mut keys) = (0, std::collections::BTreeSet::new());
        for number in 0..5000 {
            let name = FakeName::new(number, false, &mut random).unwrap();
            let Some(username) = name.username else { continue };
            assert!(keys.insert(username.key()));
            let handle = username.as_str().rsplit_once('_').unwrap().0;
            let is_own = name.first_name.to_ascii_lowercase().starts_with(handle);
            assert!(is_own || HANDLES.contains(&handle), "{} @{handle}", name.first_name);
            own += usize::from(is_own);
        }
        assert!(own > 500, "{own}");
    }
}
