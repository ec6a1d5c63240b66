//! Extended statistics.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Ident, LitStr};

use super::columns::Columns;
use super::comment::{Commented, comment};
use super::filling::integer;
use super::index_key::Indexed;
use crate::argument::Argument;
use crate::mistakes::Mistakes;
use crate::place::{Place, optional, unraw};
use crate::setting::{Setting, once, read_known, set, text};

/// Extended statistics.
#[derive(Clone, Debug)]
pub(crate) struct Statistics {
    place: Place,
    pub(crate) on: Vec<Indexed>,
    name: Option<LitStr>,
    comment: Option<LitStr>,
    kinds: Vec<Ident>,
    target: Option<i32>,
}

pub(crate) const STATISTICS: &[Setting<Statistics>] = &[
    once("columns", "columns(a, \"lower(b)\")", |it, a, mistakes| {
        let on = a.list()?.iter();
        it.on.extend(on.filter_map(|one| read(one, mistakes)));
        Some(())
    }),
    once("name", "name = \"…\"", |it, a, _| text(&mut it.name, a)),
    comment(),
    once(
        "kinds",
        "kinds(ndistinct, dependencies, mcv)",
        |it, a, _| {
            it.kinds = a.words()?;
            let known = |kind: &Ident| KINDS.iter().any(|known| kind == known);
            it.kinds.iter().all(known).then_some(())
        },
    ),
    once("target", "target = 500", |it, a, _| {
        let target = i32::try_from(integer(a.value()?)?).ok()?;
        set(&mut it.target, target)
    }),
];

const KINDS: &[&str] = &["ndistinct", "dependencies", "mcv"];

impl Commented for Statistics {
    fn comment(&mut self) -> &mut Option<LitStr> {
        &mut self.comment
    }
}

impl Statistics {
    /// `statistics(a, b, name = "…")` on a struct.
    pub(crate) fn on_struct(argument: &Argument, mistakes: &Mistakes) -> Option<Self> {
        let mut statistics = Self {
            place: Place::on_struct(argument),
            on: Vec::new(),
            name: None,
            comment: None,
            kinds: Vec::new(),
            target: None,
        };
        let others = read_known(
            "extended statistics",
            STATISTICS,
            argument.list()?,
            &mut statistics,
            mistakes,
        );
        let others = others.into_iter();
        let on = others.filter_map(|one| read(one, mistakes));
        statistics.on.extend(on);
        if statistics.name.is_none() {
            mistakes.at(
                argument,
                "extended statistics have a name: write name = \"…\"",
            );
        }
        (!statistics.on.is_empty()).then_some(statistics)
    }

    pub(crate) fn expand(&self, table: &Columns) -> TokenStream {
        let Self {
            place,
            on,
            name,
            comment,
            kinds,
            target,
        } = self;
        let on = on.iter().map(|one| one.expand(table));
        let kinds = kinds.iter().map(unraw);
        let comment = optional(comment.as_ref());
        let target = optional(target.as_ref());
        quote! {
            __trueup::StatisticsDef {
                place: #place,
                name: #name,
                comment: #comment,
                kinds: &[#(#kinds),*],
                on: &[#(#on),*],
                target: #target,
            }
        }
    }
}

/// A column or an expression, of which nothing else is said.
fn read(argument: &Argument, mistakes: &Mistakes) -> Option<Indexed> {
    let form = "statistics(a, \"lower(b)\", name = \"…\")";
    let (what, settings) = Indexed::read(argument, form, mistakes)?;
    if let Some(setting) = settings.first() {
        mistakes.at(
            setting,
            format!("statistics are on columns and expressions alone: {form}"),
        );
    }
    Some(what)
}
