//! The derive macros of trueup. Use them through the crate `trueup`, which brings each together with its trait.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "syn's enums are non-exhaustive and have dozens of variants"
)]
#![allow(
    clippy::unnecessary_wraps,
    reason = "what stores a setting answers with an Option, also where it takes every form"
)]

mod argument;
mod case;
mod diesel;
mod documentation;
mod mistakes;
mod model;
mod pg_enum;
mod place;
mod renamed_from;
mod setting;
mod words;

#[cfg(test)]
mod tests;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

#[doc = include_str!("model.md")]
#[proc_macro_derive(Model, attributes(model, diesel))]
pub fn derive_model(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let expanded = model::expand(&input).unwrap_or_else(|mistakes| {
        let mut tokens = mistakes.into_compile_error();
        tokens.extend(model::stand_in(&input));
        tokens
    });
    expanded.into()
}

#[doc = include_str!("pg_enum.md")]
#[proc_macro_derive(PgEnum, attributes(model))]
pub fn derive_pg_enum(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    pg_enum::expand(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Makes an enum of every word that attributes may have, for tests that have to answer for each.
#[doc(hidden)]
#[proc_macro]
pub fn words(_nothing: TokenStream) -> TokenStream {
    words::expand().into()
}
