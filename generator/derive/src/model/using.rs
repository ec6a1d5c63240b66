//! Expressions that convert existing values to another type.

use proc_macro2::TokenStream;
use quote::quote;
use syn::LitStr;

use crate::argument::Argument;
use crate::mistakes::Mistakes;
use crate::place::optional;
use crate::setting::{Setting, once, read_known, set, text};

/// An expression for the way there, and one for the way back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Using {
    expression: Option<LitStr>,
    back: Option<LitStr>,
}

pub(crate) const USING: &[Setting<Using>] = &[once("back", "back = \"…\"", |it, a, _| {
    text(&mut it.back, a)
})];

impl Using {
    /// `using = "…"` or `using("…", back = "…")`.
    pub(crate) fn read(argument: &Argument, mistakes: &Mistakes) -> Option<Self> {
        let mut using = Self::default();
        if argument.value().is_some() {
            text(&mut using.expression, argument)?;
            return Some(using);
        }
        let others = read_known("`using`", USING, argument.list()?, &mut using, mistakes);
        for other in others {
            set(&mut using.expression, other.bare_text()?)?;
        }
        using.expression.is_some().then_some(using)
    }

    pub(crate) fn expand(&self) -> TokenStream {
        let Self { expression, back } = self;
        let back = optional(back.as_ref());
        quote! { __trueup::UsingDef { expression: #expression, back: #back } }
    }
}
