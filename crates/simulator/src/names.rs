//! Generated names in many languages.

use fastrand::Rng;

/// A generated name.
pub(crate) struct Name {
    pub(crate) first_name: &'static str,
    pub(crate) last_name: Option<&'static str>,
    /// The language of the name, if it belongs to one.
    pub(crate) language_code: Option<&'static str>,
}

impl Name {
    pub(crate) fn random(rng: &mut Rng) -> Self {
        let Some(language) = rng.choice(LANGUAGES) else {
            return Self { first_name: "", last_name: None, language_code: None };
        };
        let first_name = rng.choice(language.first_names).copied().unwrap_or_default();
        let has_last_name = rng.u32(..100) < 60;
        let last_name = rng.choice(language.last_names).copied().filter(|_| has_last_name);
        Self { first_name, last_name, language_code: language.language_code }
    }
}

/// A username that ends with `id`; 70% of all people have one.
pub(crate) fn random_username(rng: &mut Rng, id: i64) -> Option<String> {
    if rng.u32(..100) >= 70 {
        return None;
    }
    let word = rng.choice(HANDLES)?;
    Some(format!("{word}_{id}"))
}

struct Language {
    language_code: Option<&'static str>,
    first_names: &'static [&'static str],
    last_names: &'static [&'static str],
}

const HANDLES: &[&str] =
    &["puck", "goalie", "blue_line", "hat_trick", "slapshot", "zamboni", "overtime", "rink"];

const LANGUAGES: &[Language] = &[
    Language {
        language_code: Some("en"),
        first_names: &["Ann", "Oliver", "Grace", "Liam", "Zoë", "Mary-Jane", "D'Arcy", "J. R."],
        last_names: &["Smith", "O'Neill", "Taylor-Young", "McDavid", "Brown"],
    },
    Language {
        language_code: Some("ru"),
        first_names: &["Анна", "Дмитрий", "Ольга", "Семён", "Пётр", "Наталья"],
        last_names: &["Иванова", "Овечкин", "Соловьёв", "Кузнецов"],
    },
    Language {
        language_code: Some("uk"),
        first_names: &["Соломія", "Тарас", "Ївга", "Олексій"],
        last_names: &["Шевченко", "Ґалаґан", "Мар'яненко"],
    },
    Language {
        language_code: Some("ar"),
        first_names: &["محمد", "فاطمة", "عبد الرحمن", "ليلى"],
        last_names: &["الحسن", "المصري", "بن علي"],
    },
    Language {
        language_code: Some("he"),
        first_names: &["נועה", "יוסף", "תמר"],
        last_names: &["כהן", "בן־דוד"],
    },
    Language {
        language_code: Some("zh-hans"),
        first_names: &["伟", "秀英", "子涵", "小明"],
        last_names: &["王", "李", "欧阳"],
    },
    Language {
        language_code: Some("ja"),
        first_names: &["さくら", "太郎", "ハルカ"],
        last_names: &["佐藤", "鈴木", "高橋"],
    },
    Language {
        language_code: Some("ko"),
        first_names: &["민준", "서연", "지우"],
        last_names: &["김", "이", "박"],
    },
    Language {
        language_code: Some("hi"),
        first_names: &["आरव", "प्रिया", "अनन्या"],
        last_names: &["शर्मा", "पटेल"],
    },
    Language {
        language_code: Some("de"),
        first_names: &["Jürgen", "Käthe", "Lukas", "Änne"],
        last_names: &["Müller", "Groß", "von der Heide"],
    },
    Language {
        language_code: Some("pt-br"),
        first_names: &["João", "Conceição", "Luís"],
        last_names: &["da Silva", "Gonçalves", "Araújo"],
    },
    Language {
        language_code: Some("tr"),
        first_names: &["İpek", "Çağrı", "Işıl"],
        last_names: &["Yıldız", "Öztürk", "Şahin"],
    },
    Language {
        language_code: Some("cs"),
        first_names: &["Jiří", "Šárka", "Ondřej"],
        last_names: &["Dvořák", "Hašek", "Pastrňák"],
    },
    Language {
        language_code: Some("fi"),
        first_names: &["Väinö", "Aino", "Teemu"],
        last_names: &["Selänne", "Mäkinen", "Laine"],
    },
    Language {
        language_code: Some("el"),
        first_names: &["Ελένη", "Γιώργος"],
        last_names: &["Παπαδόπουλος", "Νικολάου"],
    },
    Language {
        language_code: None,
        first_names: &[
            "🏒",
            "👩‍🚀 Nova",
            "<b>bold</b>",
            "Ann & Co",
            "\"Ace\"",
            "x_x",
            "ᴍɪʀᴏ",
            "ｗａｖｅ",
        ],
        last_names: &["🇨🇦", "💫✨", "\\o/", "%s", "'; --"],
    },
];
