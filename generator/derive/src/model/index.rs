//! Indexes.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Ident, LitStr};

use super::columns::Columns;
use super::comment::{Commented, comment};
use super::index_key::{IndexKey, Indexed, KEY};
use super::shape::{Shape, Shaped, include, method, name, predicate, with};
use crate::argument::Argument;
use crate::mistakes::Mistakes;
use crate::place::Place;
use crate::setting::{Setting, once, read_all, read_known, turn_on};

/// An index.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    place: Place,
    pub(crate) keys: Vec<IndexKey>,
    pub(crate) shape: Shape,
    unique: bool,
    nulls_not_distinct: Option<Ident>,
}

pub(crate) const INDEX: &[Setting<Index>] = &[
    once(
        "columns",
        "columns(a, b(desc, nulls = \"first\"), expr(\"lower(c)\"))",
        |it, a, mistakes| {
            let keys = a.list()?.iter();
            it.keys
                .extend(keys.filter_map(|key| IndexKey::read(key, mistakes)));
            Some(())
        },
    ),
    name(),
    comment(),
    once("unique", "unique", |it, a, _| turn_on(&mut it.unique, a)),
    once("nulls_not_distinct", "nulls_not_distinct", |it, a, _| {
        it.nulls_not_distinct = Some(a.word()?);
        Some(())
    }),
    method(),
    include(),
    predicate(),
    with(),
];

impl Commented for Index {
    fn comment(&mut self) -> &mut Option<LitStr> {
        &mut self.shape.comment
    }
}

impl Shaped for Index {
    fn shape(&mut self) -> &mut Shape {
        &mut self.shape
    }
}

impl Index {
    /// `index(…)` on a struct, which names its columns and expressions.
    pub(crate) fn on_struct(argument: &Argument, mistakes: &Mistakes) -> Option<Self> {
        let mut index = Self::at(Place::on_struct(argument));
        let others = read_known("an index", INDEX, argument.list()?, &mut index, mistakes);
        let keys: Vec<IndexKey> = others
            .into_iter()
            .filter_map(|key| IndexKey::read(key, mistakes))
            .collect();
        index.keys.extend(keys);
        if index.keys.is_empty() {
            mistakes.at(argument, "this index names no column and no expression");
        }
        index.check(mistakes);
        Some(index)
    }

    /// `index` on a field, alone or with the settings of the index and of its one column.
    pub(crate) fn on_field(
        field: &Ident,
        argument: &Argument,
        mistakes: &Mistakes,
    ) -> Option<Self> {
        let mut index = Self::at(Place::on_field(field, argument));
        let mut key = IndexKey::over(Indexed::Column(field.clone()));
        let (of_key, of_index): (Vec<_>, Vec<_>) =
            argument.options()?.iter().cloned().partition(is_of_key);
        read_all("an indexed column", KEY, &of_key, &mut key, mistakes);
        for other in read_known("an index", INDEX, &of_index, &mut index, mistakes) {
            mistakes.at(other, "on a field, `index` is about that field; list columns and expressions on the struct");
        }
        index.keys = vec![key];
        index.check(mistakes);
        Some(index)
    }

    fn at(place: Place) -> Self {
        Self {
            place,
            keys: Vec::new(),
            shape: Shape::default(),
            unique: false,
            nulls_not_distinct: None,
        }
    }

    fn check(&self, mistakes: &Mistakes) {
        self.shape.check(mistakes);
        if let (Some(word), false) = (&self.nulls_not_distinct, self.unique) {
            mistakes.at(
                word,
                "only a unique index has `nulls_not_distinct`: add `unique`",
            );
        }
    }

    pub(crate) fn expand(&self, table: &Columns) -> TokenStream {
        let Self {
            place,
            keys,
            shape,
            unique,
            nulls_not_distinct,
        } = self;
        let keys = keys.iter().map(|key| key.expand(table));
        let shape = shape.expand(table);
        let nulls_not_distinct = nulls_not_distinct.is_some();
        quote! {
            __trueup::IndexDef {
                place: #place,
                keys: &[#(#keys),*],
                unique: #unique,
                nulls_not_distinct: #nulls_not_distinct,
                #shape
            }
        }
    }
}

fn is_of_key(argument: &Argument) -> bool {
    argument
        .key()
        .is_some_and(|key| KEY.iter().any(|setting| setting.is(key)))
}
