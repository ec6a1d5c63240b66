//! Columns that a foreign key references, which the compiler looks up.

use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::spanned::Spanned;
use syn::{Expr, Ident, Path};

/// The columns of another model.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) model: Path,
    pub(crate) columns: Vec<Ident>,
}

impl Target {
    /// `Other::field`.
    pub(crate) fn of_field(value: &Expr) -> Option<Self> {
        let Expr::Path(value) = value else {
            return None;
        };
        let mut model = value.path.clone();
        let field = model.segments.pop()?.into_value().ident;
        model.segments.pop_punct();
        (!model.segments.is_empty()).then_some(Self {
            model,
            columns: vec![field],
        })
    }

    /// `Other(x, y)`, or `Other::field` for one column.
    pub(crate) fn of(value: &Expr) -> Option<Self> {
        let Expr::Call(call) = value else {
            return Self::of_field(value);
        };
        let Expr::Path(model) = &*call.func else {
            return None;
        };
        let columns = call.args.iter().map(|argument| match argument {
            Expr::Path(path) => path.path.get_ident().cloned(),
            _ => None,
        });
        Some(Self {
            model: model.path.clone(),
            columns: columns.collect::<Option<_>>()?,
        })
    }

    /// One expression a column: `<Other as Model>::Columns::field`.
    pub(crate) fn expand(&self) -> Vec<TokenStream> {
        let Self { model, columns } = self;
        let columns = columns.iter().map(|column| {
            let owner = quote_spanned! { model.span()=> <#model as ::trueup::Model>::Columns };
            quote_spanned! { column.span()=> <#owner>::#column }
        });
        columns.collect()
    }
}
