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

/// The column or expression of an index key.
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

impl Indexed {
    /// Reads a column or expression, and the settings that stand beside it in parentheses. A mistake quotes `form`, the
    /// form to write.
    pub(crate) fn read<'a>(
        argument: &'a Argument,
        form: &str,
        mistakes: &Mistakes,
    ) -> Option<(Self, &'a [Argument])> {
        match argument {
            Argument::Word(column) => Some((Self::Column(column.clone()), &[])),
            Argument::List(word, list) => match list.first().and_then(Argument::bare_text) {
                Some(expression) if word == "expr" => {
                    Some((Self::Expression(expression), &list[1..]))
                }
                _ => Some((Self::Column(word.clone()), list)),
            },
            Argument::Bare(_) | Argument::Value(..) => {
                let text = argument.bare_text();
                if text.is_none() {
                    let message = format!("expected columns and expressions in strings: {form}");
                    mistakes.at(argument, message);
                }
                Some((Self::Expression(text?), &[]))
            }
        }
    }

    pub(crate) fn expand(&self, table: &Columns) -> TokenStream {
        match self {
            Self::Column(column) => {
                let name = table.name(column);
                quote! { __trueup::Indexed::Column(#name) }
            }
            Self::Expression(expression) => {
                quote! { __trueup::Indexed::Expression(#expression) }
            }
        }
    }

    /// The column, where it is one.
    pub(crate) fn column(&self) -> Option<&Ident> {
        match self {
            Self::Column(column) => Some(column),
            Self::Expression(_) => None,
        }
    }
}

impl IndexKey {
    /// `email`, `email(desc)`, `"lower(email)"` or `expr("lower(email)", desc)`.
    pub(crate) fn read(argument: &Argument, mistakes: &Mistakes) -> Option<Self> {
        let form = "index(a, \"lower(b)\")";
        let (what, settings) = Indexed::read(argument, form, mistakes)?;
        let mut key = Self::over(what);
        read_all(
            "an indexed column or expression",
            KEY,
            settings,
            &mut key,
            mistakes,
        );
        Some(key)
    }

    /// A column or an expression without settings.
    pub(crate) fn over(what: Indexed) -> Self {
        Self {
            what,
            opclass: None,
            collation: None,
            descending: None,
            nulls: None,
        }
    }

    /// Reads one setting that is written beside others.
    pub(crate) fn setting(&mut self, argument: &Argument, mistakes: &Mistakes) -> Option<()> {
        let one = std::slice::from_ref(argument);
        read_all("an indexed column or expression", KEY, one, self, mistakes);
        Some(())
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
        let what = what.expand(table);
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
