//! Exclusion constraints.

use proc_macro2::TokenStream;
use quote::quote;
use syn::LitStr;

use super::columns::Columns;
use super::comment::{Commented, comment};
use super::index_key::{IndexKey, Indexed};
use super::key::{Deferral, defer};
use super::shape::{Shape, Shaped, include, method, name, predicate, with};
use crate::argument::Argument;
use crate::mistakes::Mistakes;
use crate::place::Place;
use crate::setting::{Setting, once, read_all, read_known, text};

/// An exclusion constraint.
#[derive(Clone, Debug)]
pub(crate) struct Exclude {
    place: Place,
    pub(crate) keys: Vec<Compared>,
    pub(crate) shape: Shape,
    deferral: Deferral,
}

/// A column or an expression, and the operator by which two rows are compared.
#[derive(Clone, Debug)]
pub(crate) struct Compared {
    pub(crate) key: IndexKey,
    operator: Option<LitStr>,
}

pub(crate) const EXCLUDE: &[Setting<Exclude>] = &[
    once(
        "columns",
        "columns(a(with = \"=\"), expr(\"…\", with = \"&&\"))",
        |it, a, mistakes| {
            let keys = a.list()?.iter();
            it.keys
                .extend(keys.filter_map(|key| Compared::read(key, mistakes)));
            Some(())
        },
    ),
    name(),
    comment(),
    method(),
    include(),
    predicate(),
    with(),
    once("deferrable", "deferrable", |it, a, _| {
        defer(&mut it.deferral, a, Deferral::Deferrable)
    }),
    once("initially_deferred", "initially_deferred", |it, a, _| {
        defer(&mut it.deferral, a, Deferral::InitiallyDeferred)
    }),
];

pub(crate) const COMPARED: &[Setting<Compared>] = &[
    once("with", "with = \"&&\"", |it, a, _| {
        text(&mut it.operator, a)
    }),
    once("opclass", "opclass = \"…\"", |it, a, mistakes| {
        it.key.setting(a, mistakes)
    }),
    once("collation", "collation = \"…\"", |it, a, mistakes| {
        it.key.setting(a, mistakes)
    }),
    once("asc", "asc", |it, a, mistakes| it.key.setting(a, mistakes)),
    once("desc", "desc", |it, a, mistakes| {
        it.key.setting(a, mistakes)
    }),
    once("nulls", "nulls = \"first\"", |it, a, mistakes| {
        it.key.setting(a, mistakes)
    }),
];

impl Commented for Exclude {
    fn comment(&mut self) -> &mut Option<LitStr> {
        &mut self.shape.comment
    }
}

impl Shaped for Exclude {
    fn shape(&mut self) -> &mut Shape {
        &mut self.shape
    }
}

impl Exclude {
    /// `exclude(…)` on a struct, which names its columns and expressions.
    pub(crate) fn on_struct(argument: &Argument, mistakes: &Mistakes) -> Option<Self> {
        let mut exclude = Self {
            place: Place::on_struct(argument),
            keys: Vec::new(),
            shape: Shape::default(),
            deferral: Deferral::Never,
        };
        let others = read_known(
            "an exclusion constraint",
            EXCLUDE,
            argument.list()?,
            &mut exclude,
            mistakes,
        );
        let keys = others.into_iter();
        exclude
            .keys
            .extend(keys.filter_map(|key| Compared::read(key, mistakes)));
        exclude.shape.check(mistakes);
        (!exclude.keys.is_empty()).then_some(exclude)
    }

    pub(crate) fn expand(&self, table: &Columns) -> TokenStream {
        let Self {
            place,
            keys,
            shape,
            deferral,
        } = self;
        let keys = keys.iter().map(|Compared { key, operator }| {
            let key = key.expand(table);
            quote! { __trueup::ComparedDef { key: #key, operator: #operator } }
        });
        let shape = shape.expand(table);
        quote! {
            __trueup::ExcludeDef {
                place: #place,
                keys: &[#(#keys),*],
                deferral: #deferral,
                #shape
            }
        }
    }
}

impl Compared {
    /// `room(with = "=")` or `expr("tsrange(a, b)", with = "&&")`.
    fn read(argument: &Argument, mistakes: &Mistakes) -> Option<Self> {
        let form = "exclude(a(with = \"=\"), expr(\"lower(b)\", with = \"=\"))";
        let (what, settings) = Indexed::read(argument, form, mistakes)?;
        let mut compared = Self {
            key: IndexKey::over(what),
            operator: None,
        };
        read_all(
            "a column or expression that excludes",
            COMPARED,
            settings,
            &mut compared,
            mistakes,
        );
        if compared.operator.is_none() {
            mistakes.at(
                argument,
                "by which operator are two rows compared here? Write a(with = \"=\") or expr(\"…\", with = \"&&\")",
            );
        }
        Some(compared)
    }
}
