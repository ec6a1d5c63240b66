//! Settings of every index: of a standalone one and of the one behind an exclusion constraint.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Ident, LitStr};

use super::columns::Columns;
use super::comment::needs_a_name;
use super::key::columns;
use super::parameters::Parameters;
use crate::mistakes::Mistakes;
use crate::place::optional;
use crate::setting::{Setting, once, text};

/// Settings that an index and an exclusion constraint share.
#[derive(Clone, Default, Debug)]
pub(crate) struct Shape {
    pub(crate) include: Vec<Ident>,
    pub(crate) comment: Option<LitStr>,
    name: Option<LitStr>,
    method: Option<LitStr>,
    predicate: Option<LitStr>,
    parameters: Parameters,
}

/// An index or an exclusion constraint.
pub(crate) trait Shaped {
    /// The place for the shared settings.
    fn shape(&mut self) -> &mut Shape;
}

/// The setting `name = "…"`.
pub(crate) const fn name<T: Shaped>() -> Setting<T> {
    once("name", "name = \"…\"", |it, a, _| {
        text(&mut it.shape().name, a)
    })
}

/// The setting `method = "…"`.
pub(crate) const fn method<T: Shaped>() -> Setting<T> {
    once("method", "method = \"gist\"", |it, a, _| {
        text(&mut it.shape().method, a)
    })
}

/// The setting `include(…)`.
pub(crate) const fn include<T: Shaped>() -> Setting<T> {
    once("include", "include(c)", |it, a, _| {
        columns(&mut it.shape().include, a)
    })
}

/// The setting `where = "…"`.
pub(crate) const fn predicate<T: Shaped>() -> Setting<T> {
    once("where", "where = \"…\"", |it, a, _| {
        text(&mut it.shape().predicate, a)
    })
}

/// The setting `with(…)`.
pub(crate) const fn with<T: Shaped>() -> Setting<T> {
    once("with", "with(fillfactor = 70)", |it, a, _| {
        it.shape().parameters = Parameters::read(a)?;
        Some(())
    })
}

impl Shape {
    pub(crate) fn check(&self, mistakes: &Mistakes) {
        needs_a_name(self.comment.as_ref(), self.name.as_ref(), mistakes);
    }

    /// The fields that the definitions of both have.
    pub(crate) fn expand(&self, table: &Columns) -> TokenStream {
        let Self {
            include,
            comment,
            name,
            method,
            predicate,
            parameters,
        } = self;
        let include = table.names(include);
        let [name, comment, method, predicate] =
            [name, comment, method, predicate].map(|text| optional(text.as_ref()));
        quote! {
            name: #name,
            comment: #comment,
            method: #method,
            include: &[#(#include),*],
            parameters: #parameters,
            predicate: #predicate,
        }
    }
}
