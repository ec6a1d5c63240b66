//! Objects as they are named on the command line: `[kind:]path`, with dots in the path and quotes where SQL has them.

use std::fmt::{self, Display, Formatter};

use trueup::{
    Id,
    name::{dotted, parse_dotted},
};

use crate::{Error, words::most_like};

/// A path, and a kind where that is needed to tell two things apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named {
    pub(crate) kind: Option<String>,
    pub(crate) path: Vec<String>,
}

impl Named {
    /// Reads a path; `None` where it names nothing.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, path) = match split(text, ':') {
            Some((kind, path)) => (Some(kind.trim().replace('-', " ").to_lowercase()), path),
            None => (None, text),
        };
        let path = parse_dotted(path)?;
        Some(Self { kind, path })
    }

    /// Reads several, with commas between them; the error is the part that names nothing.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, String> {
        let (mut all, mut rest) = (Vec::new(), Some(text));
        while let Some(text) = rest {
            let (one, more) = match split(text, ',') {
                Some((one, more)) => (one, Some(more)),
                None => (text, None),
            };
            all.push(Self::parse(one.trim()).ok_or_else(|| one.to_owned())?);
            rest = more;
        }
        Ok(all)
    }

    /// True for an object of this kind and path, written with or without its namespace.
    #[must_use]
    pub fn is<S: AsRef<str>>(&self, kind: &str, path: &[S]) -> bool {
        let same = |path: &[S]| {
            let names = path.iter().map(AsRef::as_ref);
            self.path.iter().map(String::as_str).eq(names)
        };
        let without = path.get(1..).unwrap_or_default();
        let is_path = same(path) || !without.is_empty() && same(without);
        is_path && self.kind.as_ref().is_none_or(|own| own == kind)
    }

    /// True for the object with this id.
    #[must_use]
    pub fn means(&self, id: &Id) -> bool {
        self.is(&id.kind().to_string(), &id.path())
    }

    /// The one of these that it means, if any; an error where it means several. `written` is the option as it was written.
    pub fn one_of<'a>(&self, written: &str, ids: &[&'a Id]) -> Result<Option<&'a Id>, Error> {
        let meant: Vec<&Id> = ids.iter().copied().filter(|id| self.means(id)).collect();
        if let [] | [_] = meant.as_slice() {
            return Ok(meant.first().copied());
        }
        let several: Vec<String> = meant
            .into_iter()
            .map(|id| Self::of(id, ids.iter().copied()).to_string())
            .collect();
        Err(
            Error::input(format!("{written}: this could be {}", several.join(" or ")))
                .hint("write it like that"),
        )
    }

    /// A question that names the ids that it is most like; `None` where it is like none.
    pub(crate) fn did_you_mean(&self, ids: &[&Id]) -> Option<String> {
        let names = ids.iter().map(|id| {
            let path = id.path();
            let skip = path.len().saturating_sub(self.path.len());
            (path[skip..].join("."), path.join("."))
        });
        let near = most_like(&self.path.join("."), names);
        (!near.is_empty()).then(|| format!("did you mean {}?", near.join(" or ")))
    }

    /// The name that means this object and, of these, no other.
    #[must_use]
    pub fn of<'a>(id: &Id, others: impl IntoIterator<Item = &'a Id>) -> Self {
        let path = id.path().into_iter().map(str::to_owned).collect();
        let mut named = Self { kind: None, path };
        let mut others = others.into_iter().filter(|other| *other != id);
        if others.any(|other| named.means(other)) {
            named.kind = Some(id.kind().to_string());
        }
        named
    }
}

impl Display for Named {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(kind) = &self.kind {
            write!(f, "{}:", kind.replace(' ', "-"))?;
        }
        f.write_str(&dotted(&self.path))
    }
}

/// Parts a text at the first of a character that stands in no quotes.
pub(crate) fn split(text: &str, at: char) -> Option<(&str, &str)> {
    let mut quoted = false;
    for (place, c) in text.char_indices() {
        if c == '"' {
            quoted = !quoted;
        } else if c == at && !quoted {
            return Some((&text[..place], &text[place + at.len_utf8()..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_in_quotes_parts_nothing() {
        let all = Named::parse_all(r#"public.users.fax, table:"a,b".c"#).expect("names");
        let written: Vec<String> = all.iter().map(ToString::to_string).collect();
        assert_eq!(written, ["public.users.fax", r#"table:"a,b".c"#]);
        assert_eq!(Named::parse_all("a,,b"), Err(String::new()));
    }
}
