//! Values for existing rows that have none.

use proc_macro2::TokenStream;
use quote::quote;
use syn::LitStr;

use crate::argument::Argument;
use crate::mistakes::Mistakes;
use crate::setting::{Setting, choose, once, read_known, set, text};

/// An expression, and whether the table's triggers run on the rows that it fills.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fill {
    expression: Option<LitStr>,
    triggers: Option<bool>,
}

const TRIGGERS: &[(&str, bool)] = &[("on", true), ("off", false)];

pub(crate) const FILL: &[Setting<Fill>] =
    &[once("triggers", "triggers = \"off\"", |it, a, mistakes| {
        choose(&mut it.triggers, a, TRIGGERS, mistakes)
    })];

impl Fill {
    /// `fill = "…"` or `fill("…", triggers = "off")`.
    pub(crate) fn read(argument: &Argument, mistakes: &Mistakes) -> Option<Self> {
        let mut fill = Self::default();
        if argument.value().is_some() {
            text(&mut fill.expression, argument)?;
            return Some(fill);
        }
        let others = read_known("`fill`", FILL, argument.list()?, &mut fill, mistakes);
        for other in others {
            set(&mut fill.expression, other.bare_text()?)?;
        }
        fill.expression.is_some().then_some(fill)
    }

    pub(crate) fn expand(&self) -> TokenStream {
        let Self {
            expression,
            triggers,
        } = self;
        let triggers = triggers.unwrap_or(true);
        quote! { __trueup::FillDef { expression: #expression, triggers: #triggers } }
    }
}
