//! Every word that attributes may have, as an enum: a test that has to answer for each does not compile without a new one.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::{model, pg_enum, setting::Setting};

/// The words of one place.
pub(crate) struct Words {
    place: &'static str,
    words: Vec<&'static str>,
}

impl Words {
    /// The words of a table of settings.
    pub(crate) fn of<T>(place: &'static str, table: &[Setting<T>]) -> Self {
        Self {
            place,
            words: table.iter().map(Setting::name).collect(),
        }
    }

    /// The words.
    #[cfg(test)]
    pub(crate) fn words(&self) -> impl Iterator<Item = &'static str> {
        self.words.iter().copied()
    }

    /// The variants, each with its place and its word: `FieldSqlType`.
    fn variants(&self) -> impl Iterator<Item = TokenStream> {
        self.words.iter().map(|word| {
            let parts = word.split('_').map(|part| {
                let (first, rest) = part.split_at(1);
                first.to_uppercase() + rest
            });
            let variant = format_ident!("{}{}", self.place, parts.collect::<String>());
            quote! { #variant }
        })
    }
}

/// The enum of all words.
pub(crate) fn expand() -> TokenStream {
    let mut all = model::words();
    all.extend(pg_enum::words());
    let variants: Vec<TokenStream> = all.iter().flat_map(Words::variants).collect();
    quote! {
        /// A word that may be written in `#[model(…)]`, under its place.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        enum Word {
            #(#variants),*
        }

        /// Every word.
        const WORDS: &[Word] = &[#(Word::#variants),*];
    }
}
