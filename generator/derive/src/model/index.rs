//! Indexes.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Expr, ExprLit, Ident, Lit, LitStr};

use super::columns::Columns;
use super::comment::{Commented, comment, needs_a_name};
use super::index_key::{IndexKey, Indexed, KEY};
use super::key::columns;
use crate::argument::Argument;
use crate::mistakes::Mistakes;
use crate::place::{Place, optional, unraw};
use crate::setting::{Setting, once, read_all, read_known, text, turn_on};

/// An index.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    place: Place,
    pub(crate) keys: Vec<IndexKey>,
    pub(crate) include: Vec<Ident>,
    name: Option<LitStr>,
    comment: Option<LitStr>,
    method: Option<LitStr>,
    predicate: Option<LitStr>,
    parameters: Vec<(String, String)>,
    unique: bool,
    nulls_not_distinct: Option<Ident>,
}

const INDEX: &[Setting<Index>] = &[
    once(
        "columns",
        "columns(a, b(desc, nulls = \"first\"), expr(\"lower(c)\"))",
        |it, a, mistakes| {
            it.keys.extend(
                a.list()?
                    .iter()
                    .filter_map(|key| IndexKey::read(key, mistakes)),
            );
            Some(())
        },
    ),
    once("name", "name = \"…\"", |it, a, _| text(&mut it.name, a)),
    comment(),
    once("unique", "unique", |it, a, _| turn_on(&mut it.unique, a)),
    once("nulls_not_distinct", "nulls_not_distinct", |it, a, _| {
        it.nulls_not_distinct = Some(a.word()?);
        Some(())
    }),
    once("method", "method = \"gin\"", |it, a, _| {
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
];

impl Commented for Index {
    fn comment(&mut self) -> &mut Option<LitStr> {
        &mut self.comment
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
            include: Vec::new(),
            name: None,
            comment: None,
            method: None,
            predicate: None,
            parameters: Vec::new(),
            unique: false,
            nulls_not_distinct: None,
        }
    }

    fn check(&self, mistakes: &Mistakes) {
        needs_a_name(self.comment.as_ref(), self.name.as_ref(), mistakes);
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
            include,
            name,
            comment,
            method,
            predicate,
            parameters,
            unique,
            nulls_not_distinct,
        } = self;
        let keys = keys.iter().map(|key| key.expand(table));
        let include = table.names(include);
        let [name, comment, method, predicate] =
            [name, comment, method, predicate].map(|text| optional(text.as_ref()));
        let parameters = expand_parameters(parameters);
        let nulls_not_distinct = nulls_not_distinct.is_some();
        quote! {
            __trueup::IndexDef {
                place: #place,
                name: #name,
                comment: #comment,
                unique: #unique,
                method: #method,
                keys: &[#(#keys),*],
                include: &[#(#include),*],
                nulls_not_distinct: #nulls_not_distinct,
                parameters: &[#(#parameters),*],
                predicate: #predicate,
            }
        }
    }
}

fn is_of_key(argument: &Argument) -> bool {
    argument
        .key()
        .is_some_and(|key| KEY.iter().any(|setting| setting.is(key)))
}

/// Reads `with(fillfactor = 70)`.
pub(crate) fn parameters(slot: &mut Vec<(String, String)>, argument: &Argument) -> Option<()> {
    *slot = argument
        .list()?
        .iter()
        .map(parameter)
        .collect::<Option<_>>()?;
    Some(())
}

/// The parameters of a table: those in `toast(…)` are of its TOAST table.
pub(crate) fn table_parameters(argument: &Argument) -> Option<Vec<(String, String)>> {
    let mut found = Vec::new();
    for one in argument.list()? {
        match one {
            Argument::List(word, of_toast) if word == "toast" => {
                for one in of_toast {
                    let (name, value) = parameter(one)?;
                    found.push((format!("toast.{name}"), value));
                }
            }
            Argument::List(..) | Argument::Word(_) | Argument::Value(..) | Argument::Bare(_) => {
                found.push(parameter(one)?);
            }
        }
    }
    Some(found)
}

/// Each parameter with its value.
pub(crate) fn expand_parameters(
    parameters: &[(String, String)],
) -> impl Iterator<Item = TokenStream> {
    let pairs = parameters.iter();
    pairs.map(|(name, value)| quote! { (#name, #value) })
}

/// `fillfactor = 70`, `fastupdate = off`, or `autosummarize` alone, which means on.
fn parameter(argument: &Argument) -> Option<(String, String)> {
    let name = unraw(argument.key()?);
    let value = match argument {
        Argument::Word(_) => "true".to_owned(),
        Argument::Value(_, value) => parameter_value(value)?,
        Argument::List(..) | Argument::Bare(_) => return None,
    };
    Some((name, value))
}

fn parameter_value(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(ExprLit { lit, .. }) => match lit {
            Lit::Str(text) => Some(text.value()),
            Lit::Int(number) => Some(number.base10_digits().to_owned()),
            Lit::Float(number) => Some(number.base10_digits().to_owned()),
            Lit::Bool(flag) => Some(flag.value.to_string()),
            _ => None,
        },
        Expr::Path(path) => path.path.get_ident().map(unraw),
        _ => None,
    }
}
