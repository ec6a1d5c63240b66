//! Storage parameters.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Expr, ExprLit, Lit};

use crate::argument::Argument;
use crate::place::unraw;

/// Storage parameters, each with its value.
#[derive(Clone, Default, Debug)]
pub(crate) struct Parameters(Vec<(String, String)>);

/// The storage parameters of a table.
#[derive(Debug)]
pub(crate) struct TableParameters {
    of_table: Parameters,
    of_toast: Parameters,
}

impl Parameters {
    /// Reads `with(fillfactor = 70)`.
    pub(crate) fn read(argument: &Argument) -> Option<Self> {
        of(argument.list()?)
    }
}

impl TableParameters {
    /// Reads `with(fillfactor = 70, toast(autovacuum_enabled = false))`.
    pub(crate) fn read(argument: &Argument) -> Option<Self> {
        let is_of_toast =
            |one: &&Argument| matches!(one, Argument::List(word, _) if word == "toast");
        let (of_toast, of_table): (Vec<_>, Vec<_>) = argument.list()?.iter().partition(is_of_toast);
        let of_toast = of_toast.into_iter().filter_map(Argument::list).flatten();
        Some(Self {
            of_table: of(of_table)?,
            of_toast: of(of_toast)?,
        })
    }
}

impl ToTokens for Parameters {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let pairs = self.0.iter();
        let pairs = pairs.map(|(name, value)| quote! { (#name, #value) });
        tokens.extend(quote! { &[#(#pairs),*] });
    }
}

impl ToTokens for TableParameters {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { of_table, of_toast } = self;
        tokens.extend(quote! {
            __trueup::TableParametersDef { of_table: #of_table, of_toast: #of_toast }
        });
    }
}

fn of<'a>(arguments: impl IntoIterator<Item = &'a Argument>) -> Option<Parameters> {
    let read = arguments.into_iter().map(parameter);
    Some(Parameters(read.collect::<Option<_>>()?))
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
