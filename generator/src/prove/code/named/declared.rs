//! The variables that a body in PL/pgSQL declares to be rows. The parser has no catalog, so it takes any type that it does
//! not know for that of a single value, and refuses to set a field of one; in the text that it gets, such a type is `record`.

use std::ops::Range;

use pg_query::protobuf::Token;

use super::{names::Row, tree::Reader};

/// A body that the parser takes.
pub(super) struct Declared {
    pub(super) body: String,
    /// The first values of records, which the parser does not tell, each with its line.
    pub(super) defaults: Vec<(String, usize)>,
}

/// A word of the body, as Postgres' own scanner cuts it.
struct Word {
    token: Token,
    range: Range<usize>,
}

/// The text that the parser is to see in the place of another.
type Edit = (Range<usize>, String);

impl Declared {
    /// Tells the reader which variables are rows of relations that it knows.
    pub(super) fn read(body: &str, reader: &mut Reader<'_>) -> Self {
        let mut declared = Self {
            body: body.to_owned(),
            defaults: Vec::new(),
        };
        let words = words(body);
        let mut edits = Vec::new();
        let mut at = 0;
        let mut is_in_block = false;
        while let Some(word) = words.get(at) {
            let before = at.checked_sub(1).and_then(|at| words.get(at));
            let begins = !is_in_block || before.is_some_and(|before| before.ends(body));
            is_in_block |= word.token == Token::BeginP;
            at += 1;
            if word.token == Token::Declare && begins {
                at = declared.section(body, &words, at, reader, &mut edits);
            }
        }
        for (range, text) in edits.into_iter().rev() {
            declared.body.replace_range(range, &text);
        }
        declared
    }

    /// Reads declarations up to BEGIN, and gives its place.
    fn section(
        &mut self,
        body: &str,
        words: &[Word],
        mut at: usize,
        reader: &mut Reader<'_>,
        edits: &mut Vec<Edit>,
    ) -> usize {
        while let Some(word) = words.get(at) {
            if word.token == Token::BeginP {
                break;
            }
            if word.token == Token::Declare {
                at += 1;
                continue;
            }
            let rest = &words[at..];
            let end = rest.iter().position(|word| word.token == Token::Ascii59);
            let Some(end) = end else {
                return words.len();
            };
            self.declaration(body, &rest[..end], reader, edits);
            at += end + 1;
        }
        at
    }

    fn declaration(
        &mut self,
        body: &str,
        words: &[Word],
        reader: &mut Reader<'_>,
        edits: &mut Vec<Edit>,
    ) {
        let Some((name, rest)) = words.split_first() else {
            return;
        };
        let name = name.name(body);
        let is_word = |word: Option<&Word>, text: &str| {
            word.is_some_and(|word| body[word.range.clone()].eq_ignore_ascii_case(text))
        };
        if is_word(rest.first(), "alias") {
            for key in rest
                .last()
                .map_or_else(Vec::new, |of| reader.variable(&of.name(body)))
            {
                reader.declare(&name, key);
            }
            return;
        }
        let rest = if is_word(rest.first(), "constant") {
            &rest[1..]
        } else {
            rest
        };
        let is_cursor =
            |word: &Word| matches!(word.token, Token::Cursor | Token::Scroll | Token::No);
        if rest.first().is_some_and(is_cursor) {
            return;
        }
        let begins_value = |word: &Word| {
            matches!(
                word.token,
                Token::ColonEquals | Token::Ascii61 | Token::Default
            )
        };
        let ends_type =
            |word: &Word| begins_value(word) || matches!(word.token, Token::Not | Token::Collate);
        let end = rest.iter().position(ends_type).unwrap_or(rest.len());
        let (data_type, value) = rest.split_at(end);
        let (Some(first), Some(last)) = (data_type.first(), data_type.last()) else {
            return;
        };
        let is_record = data_type.len() == 1 && is_word(Some(first), "record");
        let rows = rows(body, data_type, reader);
        for row in &rows {
            reader.declare(&name, row.relation.clone());
        }
        let is_row = rows.iter().any(|row| !row.is_array);
        if !rows.is_empty() {
            let range = first.range.start..last.range.end;
            let lines = body[range.clone()].matches('\n').count();
            // Arrays of records cannot be declared.
            let plain = if is_row { "record" } else { "text[]" };
            edits.push((range, format!("{plain}{}", "\n".repeat(lines))));
        }
        let value = value
            .iter()
            .position(begins_value)
            .map(|at| &value[at + 1..]);
        if let Some([first, .., last] | [first @ last]) = value
            && (is_row || is_record)
        {
            let line = 1 + body[..first.range.start].matches('\n').count();
            let text = body[first.range.start..last.range.end].to_owned();
            self.defaults.push((text, line));
        }
    }
}

impl Word {
    /// True if a statement may begin behind it.
    fn ends(&self, body: &str) -> bool {
        let is_token = matches!(
            self.token,
            Token::Ascii59 | Token::BeginP | Token::Then | Token::Else
        );
        // LOOP is no word of SQL, and the end of a label is an operator.
        is_token || matches!(&body[self.range.clone()], ">>" | "loop" | "LOOP" | "Loop")
    }

    /// The name that it writes down, as Postgres folds it.
    fn name(&self, body: &str) -> String {
        let text = &body[self.range.clone()];
        match text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
        {
            Some(quoted) => quoted.replace("\"\"", "\""),
            None => text.to_ascii_lowercase(),
        }
    }
}

/// The words of a body without its comments; none where the scanner does not take it.
fn words(body: &str) -> Vec<Word> {
    let scanned = pg_query::scan(body).map_or_else(|_| Vec::new(), |scanned| scanned.tokens);
    let words = scanned.into_iter().filter_map(|one| {
        let start = usize::try_from(one.start).ok()?;
        let end = usize::try_from(one.end).ok()?;
        let token = one.token();
        let is_comment = matches!(token, Token::SqlComment | Token::CComment);
        (!is_comment && body.get(start..end).is_some()).then_some(Word {
            token,
            range: start..end,
        })
    });
    words.collect()
}

/// The rows that a variable of a type holds: `t`, `s.t`, `t%ROWTYPE`, `variable%TYPE`, `t.c%TYPE`, and arrays of them.
fn rows(body: &str, words: &[Word], reader: &Reader<'_>) -> Vec<Row> {
    let is_list = |word: &Word| word.token == Token::Ascii91 || word.token == Token::Array;
    let list = words.iter().position(is_list);
    let (named, list) = words.split_at(list.unwrap_or(words.len()));
    let percent = named.iter().position(|word| word.token == Token::Ascii37);
    let (named, of) = named.split_at(percent.unwrap_or(named.len()));
    let is_name = |(at, word): (usize, &Word)| (word.token == Token::Ascii46) == (at % 2 == 1);
    if !named.iter().enumerate().all(is_name) {
        return Vec::new();
    }
    let path: Vec<String> = named
        .iter()
        .step_by(2)
        .map(|word| word.name(body))
        .collect();
    let of = of.get(1).map(|word| word.name(body));
    let mut rows = match (of.as_deref(), path.as_slice()) {
        (Some("type"), [name]) => {
            let variables = reader.variable(name).into_iter();
            variables
                .map(|relation| Row {
                    relation,
                    is_array: false,
                })
                .collect()
        }
        (Some("type"), [relation @ .., column]) => {
            reader.row_in(relation, column).into_iter().collect()
        }
        (_, path) => reader.row_named(path).into_iter().collect::<Vec<_>>(),
    };
    for row in &mut rows {
        row.is_array |= !list.is_empty();
    }
    rows
}
