//! The grammar inside `#[model(…)]`: one form for every attribute, at every depth. It knows no attribute by name.

use std::fmt::{self, Display};

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{
    Attribute, Error, Expr, ExprLit, Ident, Lit, LitStr, Result, Token, parenthesized, token,
};

use crate::mistakes::Mistakes;

/// One argument of an attribute, or of a list within it.
#[derive(Clone, Debug)]
pub(crate) enum Argument {
    /// `unlogged`
    Word(Ident),
    /// `table = "users"`
    Value(Ident, Expr),
    /// `columns(a, b)`
    List(Ident, Vec<Argument>),
    /// `"lower(email)"` or `User::id`
    Bare(Expr),
}

impl Argument {
    /// The word that says which setting this is, if it begins with one.
    pub(crate) fn key(&self) -> Option<&Ident> {
        match self {
            Self::Word(key) | Self::Value(key, _) | Self::List(key, _) => Some(key),
            Self::Bare(_) => None,
        }
    }

    /// The string in `key = "string"`.
    pub(crate) fn text(&self) -> Option<LitStr> {
        match self {
            Self::Value(_, value) => string(value),
            Self::Word(_) | Self::List(..) | Self::Bare(_) => None,
        }
    }

    /// The string in a bare `"string"`.
    pub(crate) fn bare_text(&self) -> Option<LitStr> {
        match self {
            Self::Bare(value) => string(value),
            Self::Word(_) | Self::Value(..) | Self::List(..) => None,
        }
    }

    /// The expression in `key = expression`.
    pub(crate) fn value(&self) -> Option<&Expr> {
        match self {
            Self::Value(_, value) => Some(value),
            Self::Word(_) | Self::List(..) | Self::Bare(_) => None,
        }
    }

    /// Says whether this is the word alone.
    pub(crate) fn flag(&self) -> Option<()> {
        matches!(self, Self::Word(_)).then_some(())
    }

    /// The arguments in the parentheses of `key(…)`.
    pub(crate) fn list(&self) -> Option<&[Argument]> {
        match self {
            Self::List(_, list) => Some(list),
            Self::Word(_) | Self::Value(..) | Self::Bare(_) => None,
        }
    }

    /// The arguments in the parentheses of `key(…)`; none for `key` alone.
    pub(crate) fn options(&self) -> Option<&[Argument]> {
        match self {
            Self::Word(_) => Some(&[]),
            Self::List(_, list) => Some(list),
            Self::Value(..) | Self::Bare(_) => None,
        }
    }

    /// The identifiers in `key(a, b)`, if there are only identifiers.
    pub(crate) fn words(&self) -> Option<Vec<Ident>> {
        self.list()?.iter().map(Self::word).collect()
    }

    pub(crate) fn word(&self) -> Option<Ident> {
        match self {
            Self::Word(word) => Some(word.clone()),
            Self::Value(..) | Self::List(..) | Self::Bare(_) => None,
        }
    }
}

impl ToTokens for Argument {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Word(key) | Self::List(key, _) | Self::Value(key, _) => key.to_tokens(tokens),
            Self::Bare(value) => value.to_tokens(tokens),
        }
    }
}

impl Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key() {
            Some(key) => write!(f, "`{key}`"),
            None => f.write_str("this"),
        }
    }
}

/// Reads the arguments of one `#[model(…)]`. What is malformed is recorded and passed over up to the next comma.
pub(crate) fn arguments(attribute: &Attribute, mistakes: &Mistakes) -> Vec<Argument> {
    match attribute.parse_args_with(|input: ParseStream| Ok(list(input, mistakes))) {
        Ok(found) => found,
        Err(mistake) => {
            mistakes.push(mistake);
            Vec::new()
        }
    }
}

fn list(input: ParseStream, mistakes: &Mistakes) -> Vec<Argument> {
    let mut found = Vec::new();
    while !input.is_empty() {
        match argument(input, mistakes) {
            Ok(argument) if input.is_empty() || input.peek(Token![,]) => found.push(argument),
            Ok(_) => mistakes.push(input.error("expected a comma between two arguments")),
            Err(mistake) => mistakes.push(mistake),
        }
        pass_comma(input);
    }
    found
}

fn argument(input: ParseStream, mistakes: &Mistakes) -> Result<Argument> {
    if !input.peek(Ident::peek_any) || is_path(input) {
        return Ok(Argument::Bare(without_nul(input.parse()?)?));
    }
    let key = Ident::parse_any(input)?;
    if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        Ok(Argument::Value(key, value(input)?))
    } else if input.peek(token::Paren) {
        let inner;
        parenthesized!(inner in input);
        Ok(Argument::List(key, list(&inner, mistakes)))
    } else {
        Ok(Argument::Word(key))
    }
}

fn is_path(input: ParseStream) -> bool {
    let ahead = input.fork();
    Ident::parse_any(&ahead).is_ok() && ahead.peek(Token![::])
}

fn value(input: ParseStream) -> Result<Expr> {
    if input.is_empty() || input.peek(Token![,]) {
        return Err(input.error("expected a value after `=`"));
    }
    without_nul(Expr::parse(input)?)
}

fn without_nul(value: Expr) -> Result<Expr> {
    match string(&value) {
        Some(text) if text.value().contains('\0') => Err(Error::new_spanned(
            text,
            "a NUL character: PostgreSQL takes none, neither in names nor in text",
        )),
        Some(_) | None => Ok(value),
    }
}

/// Goes past the next comma. A stream that is not at its end always gets shorter.
pub(crate) fn pass_comma(input: ParseStream) {
    while !input.is_empty() {
        let was_comma = input.peek(Token![,]);
        // A token tree can always be read where the stream is not empty.
        let _ = input.parse::<proc_macro2::TokenTree>();
        if was_comma {
            return;
        }
    }
}

pub(crate) fn string(value: &Expr) -> Option<LitStr> {
    match value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text.clone()),
        Expr::Group(group) => string(&group.expr),
        _ => None,
    }
}
