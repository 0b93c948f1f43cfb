use super::parsed;
use crate::message::{ByLanguage, InvalidLanguageTag};

#[test]
fn a_user_gets_the_text_of_their_language_else_the_default() {
    let mut texts = ByLanguage::new(parsed("Hello"));
    for (language, text) in [("de", "Hallo"), ("pt", "Olá"), ("pt_BR", "Oi"), ("zh-hant", "你好")]
    {
        assert_eq!(texts.set(language, parsed(text)), Ok(None));
    }
    for (language, text) in [
        (Some("de"), "Hallo"),
        (Some("DE"), "Hallo"),
        (Some("de-AT"), "Hallo"),
        (Some("pt"), "Olá"),
        (Some("pt-BR"), "Oi"),
        (Some("pt-pt"), "Olá"),
        (Some("zh-hant-beta"), "你好"),
        (Some("zh-hans"), "Hello"),
        (Some("d"), "Hello"),
        (Some("deu"), "Hello"),
        (Some(""), "Hello"),
        (Some("-"), "Hello"),
        (None, "Hello"),
    ] {
        assert_eq!(texts.for_language(language), &parsed(text), "{language:?}");
    }
    let languages: Vec<&str> = texts.languages().map(|(language, _)| language).collect();
    assert_eq!(languages, ["de", "pt", "pt-br", "zh-hant"]);
    assert_eq!(texts.default_value(), &parsed("Hello"));
    assert_eq!(texts.set("DE", parsed("Moin")), Ok(Some(parsed("Hallo"))));
}

#[test]
fn only_language_tags_have_values() {
    let mut values = ByLanguage::new(1);
    let long = "en-".repeat(12) + "en";
    for odd in ["", "e", "-", "en-", "e n", "12", "ü", "german-languages", &long] {
        assert_eq!(values.set(odd, 2), Err(InvalidLanguageTag), "{odd:?}");
    }
    assert_eq!(values.languages().count(), 0);
}
