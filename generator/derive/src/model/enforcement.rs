//! Enforcement of checks and foreign keys: the rows that they apply to.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use crate::argument::Argument;
use crate::mistakes::Mistakes;

/// Rows that a check or a foreign key applies to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Enforcement {
    #[default]
    OnAllRows,
    OnNewRows,
    Never,
}

impl Enforcement {
    /// Takes note of `not_valid` or `not_enforced`.
    pub(crate) fn read(
        &mut self,
        argument: &Argument,
        says: Self,
        mistakes: &Mistakes,
    ) -> Option<()> {
        argument.flag()?;
        if *self != Self::OnAllRows {
            mistakes.at(
                argument,
                "`not_valid` and `not_enforced` exclude each other: what is not enforced is not valid",
            );
        }
        *self = says;
        Some(())
    }
}

impl ToTokens for Enforcement {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(match self {
            Self::OnAllRows => quote! { __trueup::Enforcement::OnAllRows },
            Self::OnNewRows => quote! { __trueup::Enforcement::OnNewRows },
            Self::Never => quote! { __trueup::Enforcement::Never },
        });
    }
}
