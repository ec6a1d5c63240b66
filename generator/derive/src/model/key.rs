//! Primary keys and unique constraints.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Ident, LitStr};

use super::columns::Columns;
use super::comment::{Commented, comment, needs_a_name};
use crate::argument::Argument;
use crate::mistakes::Mistakes;
use crate::place::{Place, optional};
use crate::setting::{Setting, once, read_known, set, text, turn_on};

/// A primary key or a unique constraint.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) place: Place,
    pub(crate) columns: Vec<Ident>,
    pub(crate) include: Vec<Ident>,
    name: Option<LitStr>,
    comment: Option<LitStr>,
    nulls_not_distinct: bool,
    /// The word that says that the last column is a range of which no two overlap.
    without_overlaps: Option<Ident>,
    deferral: Deferral,
}

/// Time at which a constraint is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Deferral {
    #[default]
    Never,
    Deferrable,
    InitiallyDeferred,
}

impl ToTokens for Deferral {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(match self {
            Self::Never => quote! { __trueup::Deferral::Never },
            Self::Deferrable => quote! { __trueup::Deferral::Deferrable },
            Self::InitiallyDeferred => quote! { __trueup::Deferral::InitiallyDeferred },
        });
    }
}

/// Takes note of `deferrable` and `initially_deferred`; the second includes the first.
pub(crate) fn defer(slot: &mut Deferral, argument: &Argument, deferral: Deferral) -> Option<()> {
    argument.flag()?;
    *slot = deferral.max(*slot);
    Some(())
}

pub(crate) const PRIMARY_KEY: &[Setting<Key>] = &[
    once("columns", "columns(a, b)", |it, a, _| {
        columns(&mut it.columns, a)
    }),
    once("name", "name = \"…\"", |it, a, _| text(&mut it.name, a)),
    comment(),
    once("include", "include(c)", |it, a, _| {
        columns(&mut it.include, a)
    }),
    once("without_overlaps", "without_overlaps", |it, a, _| {
        set(&mut it.without_overlaps, a.word()?)
    }),
    once("deferrable", "deferrable", |it, a, _| {
        defer(&mut it.deferral, a, Deferral::Deferrable)
    }),
    once("initially_deferred", "initially_deferred", |it, a, _| {
        defer(&mut it.deferral, a, Deferral::InitiallyDeferred)
    }),
];

pub(crate) const UNIQUE: &[Setting<Key>] = &[
    once("columns", "columns(a, b)", |it, a, _| {
        columns(&mut it.columns, a)
    }),
    once("name", "name = \"…\"", |it, a, _| text(&mut it.name, a)),
    comment(),
    once("nulls_not_distinct", "nulls_not_distinct", |it, a, _| {
        turn_on(&mut it.nulls_not_distinct, a)
    }),
    once("include", "include(c)", |it, a, _| {
        columns(&mut it.include, a)
    }),
    once("without_overlaps", "without_overlaps", |it, a, _| {
        set(&mut it.without_overlaps, a.word()?)
    }),
    once("deferrable", "deferrable", |it, a, _| {
        defer(&mut it.deferral, a, Deferral::Deferrable)
    }),
    once("initially_deferred", "initially_deferred", |it, a, _| {
        defer(&mut it.deferral, a, Deferral::InitiallyDeferred)
    }),
];

impl Commented for Key {
    fn comment(&mut self) -> &mut Option<LitStr> {
        &mut self.comment
    }
}

impl Key {
    /// `primary_key(…)` or `unique(…)` on a struct, which names its columns.
    pub(crate) fn on_struct(
        table: &[Setting<Self>],
        argument: &Argument,
        mistakes: &Mistakes,
    ) -> Option<Self> {
        let mut key = Self::over(Vec::new(), Place::on_struct(argument));
        key.read(table, argument.list()?, mistakes);
        key.check(mistakes);
        (!key.columns.is_empty()).then_some(key)
    }

    /// `primary_key` or `unique` on a field, alone or with settings.
    pub(crate) fn on_field(
        table: &[Setting<Self>],
        field: &Ident,
        argument: &Argument,
        mistakes: &Mistakes,
    ) -> Option<Self> {
        let mut key = Self::over(Vec::new(), Place::on_field(field, argument));
        key.read(table, argument.options()?, mistakes);
        for column in key.columns.drain(..) {
            mistakes.at(
                column,
                format!("on a field, {argument} is about that field; list columns on the struct"),
            );
        }
        key.columns.push(field.clone());
        key.check(mistakes);
        Some(key)
    }

    /// A key with nothing but its columns.
    pub(crate) fn over(columns: Vec<Ident>, place: Place) -> Self {
        Self {
            place,
            columns,
            include: Vec::new(),
            name: None,
            comment: None,
            nulls_not_distinct: false,
            without_overlaps: None,
            deferral: Deferral::Never,
        }
    }

    fn read(&mut self, table: &[Setting<Self>], arguments: &[Argument], mistakes: &Mistakes) {
        for other in read_known("this key", table, arguments, self, mistakes) {
            match other.word() {
                Some(column) => self.columns.push(column),
                None => mistakes.at(
                    other,
                    "a key consists of columns; for an expression write a unique index",
                ),
            }
        }
    }

    fn check(&self, mistakes: &Mistakes) {
        needs_a_name(self.comment.as_ref(), self.name.as_ref(), mistakes);
        if let Some(word) = self
            .without_overlaps
            .as_ref()
            .filter(|_| self.columns.len() < 2)
        {
            mistakes.at(
                word,
                "the last of the columns is the range, and there is at least one before it: list them on the struct",
            );
        }
    }

    pub(crate) fn expand(&self, table: &Columns) -> TokenStream {
        let Self {
            place,
            columns,
            include,
            name,
            comment,
            nulls_not_distinct,
            without_overlaps,
            deferral,
        } = self;
        let without_overlaps = without_overlaps.is_some();
        let [name, comment] = [name, comment].map(|text| optional(text.as_ref()));
        let columns = table.names(columns);
        let include = table.names(include);
        quote! {
            __trueup::KeyDef {
                place: #place,
                name: #name,
                comment: #comment,
                columns: &[#(#columns),*],
                include: &[#(#include),*],
                nulls_not_distinct: #nulls_not_distinct,
                without_overlaps: #without_overlaps,
                deferral: #deferral,
            }
        }
    }
}

/// Reads `columns(a, b)` and the like.
pub(crate) fn columns(slot: &mut Vec<Ident>, argument: &Argument) -> Option<()> {
    slot.extend(argument.words()?);
    Some(())
}
