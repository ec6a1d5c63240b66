//! Source locations, and how they get into the expansion.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Ident, LitStr};

use crate::argument::Argument;

/// Source location: a span and, on a field, that field's name.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) span: Span,
    field: Option<String>,
}

impl Place {
    /// An attribute of the struct.
    pub(crate) fn on_struct(argument: &Argument) -> Self {
        Self::on_struct_at(argument_span(argument))
    }

    /// Something else that is written on the struct.
    pub(crate) fn on_struct_at(span: Span) -> Self {
        Self { span, field: None }
    }

    /// An attribute of a field.
    pub(crate) fn on_field(field: &Ident, argument: &Argument) -> Self {
        Self {
            span: argument_span(argument),
            field: Some(unraw(field)),
        }
    }

    /// The field itself.
    pub(crate) fn of_field(field: &Ident) -> Self {
        Self {
            span: field.span(),
            field: Some(unraw(field)),
        }
    }
}

impl ToTokens for Place {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let line = line(self.span);
        let field = optional(self.field.as_ref());
        tokens.extend(quote! { __trueup::Place { line: #line, field: #field } });
    }
}

/// The line of a span, which only the compiler knows.
pub(crate) fn line(span: Span) -> TokenStream {
    quote_spanned! { span=> ::core::line!() }
}

/// `Some(value)` or `None`, whatever the names mean where the macro is used.
pub(crate) fn optional<T: ToTokens>(value: Option<T>) -> TokenStream {
    value.map_or_else(
        || quote! { ::core::option::Option::None },
        |value| quote! { ::core::option::Option::Some(#value) },
    )
}

/// A comment: what `comment = "…"` says, else what the documentation says; an empty one is none.
pub(crate) fn comment(written: Option<&LitStr>, documentation: Option<&String>) -> TokenStream {
    let text = written
        .map(LitStr::value)
        .or_else(|| documentation.cloned());
    optional(text.filter(|text| !text.is_empty()))
}

/// An identifier as the database sees it: `r#type` is `type`.
pub(crate) fn unraw(ident: &Ident) -> String {
    ident.unraw().to_string()
}

fn argument_span(argument: &Argument) -> Span {
    argument
        .key()
        .map_or_else(|| syn::spanned::Spanned::span(argument), Ident::span)
}
