//! What stands for a character of a text.

use super::{
    Placeholder, TextError,
    cursor::{Cursor, Place},
};

/// A piece of a text or of an attribute's value.
pub(super) enum Piece {
    Letter(char),
    Variable(Placeholder),
}

/// Reads a character, a doubled brace, an entity or a variable; `None` at the end.
pub(super) fn piece(cursor: &mut Cursor<'_>, place: Place) -> Result<Option<Piece>, TextError> {
    let at = cursor.at();
    for (doubled, brace) in [("{{", '{'), ("}}", '}')] {
        if cursor.skip(doubled) {
            return Ok(Some(Piece::Letter(brace)));
        }
    }
    if cursor.skip("{") {
        return Placeholder::read(cursor, at, place).map(|it| Some(Piece::Variable(it)));
    }
    if cursor.skip("}") {
        return Err(cursor.error(at, "there is no '{' for this '}'; write }} for a brace"));
    }
    Ok(cursor.letter(place)?.map(Piece::Letter))
}
