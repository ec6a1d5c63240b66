//! Exclusion constraints.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Ident, LitStr};

use super::columns::Columns;
use super::comment::{Commented, comment, needs_a_name};
use super::index::{expand_parameters, parameters};
use super::index_key::{IndexKey, Indexed};
use super::key::{Deferral, columns, defer};
use crate::argument::Argument;
use crate::mistakes::Mistakes;
use crate::place::{Place, optional};
use crate::setting::{Setting, once, read_all, read_known, text};

/// An exclusion constraint.
#[derive(Clone, Debug)]
pub(crate) struct Exclude {
    place: Place,
    pub(crate) keys: Vec<Compared>,
    pub(crate) include: Vec<Ident>,
    name: Option<LitStr>,
    comment: Option<LitStr>,
    method: Option<LitStr>,
    predicate: Option<LitStr>,
    parameters: Vec<(String, String)>,
    deferral: Deferral,
}

/// A column or an expression, and the operator by which two rows are compared.
#[derive(Clone, Debug)]
pub(crate) struct Compared {
    pub(crate) key: IndexKey,
    operator: Option<LitStr>,
}

const EXCLUDE: &[Setting<Exclude>] = &[
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
    once("name", "name = \"…\"", |it, a, _| text(&mut it.name, a)),
    comment(),
    once("method", "method = \"gist\"", |it, a, _| {
        text(&mut it.method, a)
    }),
    once("include", "include(c)", |it, a, _| {
        columns(&mut it.include, a)
    }),
    once("where", "where = \"…\"", |it, a, _| {
        text(&mut it.predicate, a)
    }),
    once("with", "with(fillfactor = 70)", |it, a, _| {
        parameters(&mut it.parameters, a)
    }),
    once("deferrable", "deferrable", |it, a, _| {
        defer(&mut it.deferral, a, Deferral::Deferrable)
    }),
    once("initially_deferred", "initially_deferred", |it, a, _| {
        defer(&mut it.deferral, a, Deferral::InitiallyDeferred)
    }),
];

const COMPARED: &[Setting<Compared>] = &[
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
        &mut self.comment
    }
}

impl Exclude {
    /// `exclude(…)` on a struct, which names its columns and expressions.
    pub(crate) fn on_struct(argument: &Argument, mistakes: &Mistakes) -> Option<Self> {
        let mut exclude = Self {
            place: Place::on_struct(argument),
            keys: Vec::new(),
            include: Vec::new(),
            name: None,
            comment: None,
            method: None,
            predicate: None,
            parameters: Vec::new(),
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
        needs_a_name(exclude.comment.as_ref(), exclude.name.as_ref(), mistakes);
        (!exclude.keys.is_empty()).then_some(exclude)
    }

    pub(crate) fn expand(&self, table: &Columns) -> TokenStream {
        let Self {
            place,
            keys,
            include,
            name,
            comment,
            method,
            predicate,
            parameters,
            deferral,
        } = self;
        let keys = keys.iter().map(|Compared { key, operator }| {
            let key = key.expand(table);
            quote! { __trueup::ComparedDef { key: #key, operator: #operator } }
        });
        let include = table.names(include);
        let [name, comment, method, predicate] =
            [name, comment, method, predicate].map(|text| optional(text.as_ref()));
        let parameters = expand_parameters(parameters);
        quote! {
            __trueup::ExcludeDef {
                place: #place,
                name: #name,
                comment: #comment,
                method: #method,
                keys: &[#(#keys),*],
                include: &[#(#include),*],
                parameters: &[#(#parameters),*],
                predicate: #predicate,
                deferral: #deferral,
            }
        }
    }
}

impl Compared {
    /// `room(with = "=")` or `expr("tsrange(a, b)", with = "&&")`.
    fn read(argument: &Argument, mistakes: &Mistakes) -> Option<Self> {
        let (what, settings) = Indexed::read(argument, mistakes)?;
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
