//! One column or expression of an index.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Ident, LitStr};

use super::columns::Columns;
use crate::argument::Argument;
use crate::mistakes::Mistakes;
use crate::place::optional;
use crate::setting::{Setting, choose, once, read_all, text};

/// One column or expression of an index.
#[derive(Clone, Debug)]
pub(crate) struct IndexKey {
    pub(crate) what: Indexed,
    opclass: Option<LitStr>,
    collation: Option<LitStr>,
    descending: Option<bool>,
    nulls: Option<Nulls>,
}

/// What is indexed.
#[derive(Clone, Debug)]
pub(crate) enum Indexed {
    Column(Ident),
    Expression(LitStr),
}

#[derive(Clone, Copy, Debug)]
enum Nulls {
    First,
    Last,
}

/// The settings of a column or an expression in an index.
pub(crate) const KEY: &[Setting<IndexKey>] = &[
    once("opclass", "opclass = \"…\"", |it, a, _| {
        text(&mut it.opclass, a)
    }),
    once("collation", "collation = \"…\"", |it, a, _| {
        text(&mut it.collation, a)
    }),
    once("asc", "asc", |it, a, mistakes| it.order(false, a, mistakes)),
    once("desc", "desc", |it, a, mistakes| {
        it.order(true, a, mistakes)
    }),
    once("nulls", "nulls = \"first\"", |it, a, mistakes| {
        choose(
            &mut it.nulls,
            a,
            &[("first", Nulls::First), ("last", Nulls::Last)],
            mistakes,
        )
    }),
];

impl IndexKey {
    /// `email`, `email(desc)`, `"lower(email)"` or `expr("lower(email)", desc)`.
    pub(crate) fn read(argument: &Argument, mistakes: &Mistakes) -> Option<Self> {
        let (what, settings): (Indexed, &[Argument]) = match argument {
            Argument::Word(column) => (Indexed::Column(column.clone()), &[]),
            Argument::List(word, list) => match list.first().and_then(Argument::bare_text) {
                Some(expression) if word == "expr" => (Indexed::Expression(expression), &list[1..]),
                _ => (Indexed::Column(word.clone()), list),
            },
            Argument::Bare(_) => (
                Indexed::Expression(Self::expression(argument, mistakes)?),
                &[],
            ),
            Argument::Value(..) => {
                mistakes.at(argument, "expected a column or an expression in a string");
                return None;
            }
        };
        let mut key = Self {
            what,
            opclass: None,
            collation: None,
            descending: None,
            nulls: None,
        };
        read_all(
            "an indexed column or expression",
            KEY,
            settings,
            &mut key,
            mistakes,
        );
        Some(key)
    }

    /// A column that says nothing else.
    pub(crate) fn over(column: Ident) -> Self {
        Self {
            what: Indexed::Column(column),
            opclass: None,
            collation: None,
            descending: None,
            nulls: None,
        }
    }

    fn expression(argument: &Argument, mistakes: &Mistakes) -> Option<LitStr> {
        let text = argument.bare_text();
        if text.is_none() {
            mistakes.at(
                argument,
                "an index is over columns and over expressions in strings: index(a, \"lower(b)\")",
            );
        }
        text
    }

    fn order(&mut self, descending: bool, argument: &Argument, mistakes: &Mistakes) -> Option<()> {
        argument.flag()?;
        if self.descending.replace(descending).is_some() {
            mistakes.at(argument, "`asc` and `desc` exclude each other");
        }
        Some(())
    }

    pub(crate) fn expand(&self, table: &Columns) -> TokenStream {
        let Self {
            what,
            opclass,
            collation,
            descending,
            nulls,
        } = self;
        let what = match what {
            Indexed::Column(column) => {
                let name = table.name(column);
                quote! { __trueup::Indexed::Column(#name) }
            }
            Indexed::Expression(expression) => {
                quote! { __trueup::Indexed::Expression(#expression) }
            }
        };
        let [opclass, collation] = [opclass, collation].map(|text| optional(text.as_ref()));
        let descending = descending.unwrap_or(false);
        let nulls = optional(nulls.map(|nulls| match nulls {
            Nulls::First => quote! { __trueup::Nulls::First },
            Nulls::Last => quote! { __trueup::Nulls::Last },
        }));
        quote! {
            __trueup::IndexKeyDef {
                what: #what,
                opclass: #opclass,
                collation: #collation,
                descending: #descending,
                nulls: #nulls,
            }
        }
    }
}
