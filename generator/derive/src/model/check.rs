//! Check constraints.

use proc_macro2::TokenStream;
use quote::quote;
use syn::LitStr;

use super::comment::{Commented, comment, needs_a_name};
use super::enforcement::Enforcement;
use crate::argument::Argument;
use crate::mistakes::Mistakes;
use crate::place::{Place, optional};
use crate::setting::{Setting, once, read_known, set, text, turn_on};

/// A check constraint.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    place: Place,
    name: Option<LitStr>,
    comment: Option<LitStr>,
    expression: Option<LitStr>,
    no_inherit: bool,
    enforcement: Enforcement,
}

/// The settings of `check(…)`.
pub(crate) const CHECK: &[Setting<Check>] = &[
    once("name", "name = \"…\"", |it, a, _| text(&mut it.name, a)),
    comment(),
    once("expr", "expr = \"…\"", |it, a, _| {
        text(&mut it.expression, a)
    }),
    once("no_inherit", "no_inherit", |it, a, _| {
        turn_on(&mut it.no_inherit, a)
    }),
    once("not_valid", "not_valid", |it, a, mistakes| {
        it.enforcement.read(a, Enforcement::OnNewRows, mistakes)
    }),
    once("not_enforced", "not_enforced", |it, a, mistakes| {
        it.enforcement.read(a, Enforcement::Never, mistakes)
    }),
];

impl Commented for Check {
    fn comment(&mut self) -> &mut Option<LitStr> {
        &mut self.comment
    }
}

impl Check {
    /// `check("…")` or `check(name = "…", expr = "…")`.
    pub(crate) fn read(place: Place, argument: &Argument, mistakes: &Mistakes) -> Option<Self> {
        let arguments = argument.list()?;
        let mut check = Self {
            place,
            name: None,
            comment: None,
            expression: None,
            no_inherit: false,
            enforcement: Enforcement::OnAllRows,
        };
        for other in read_known("a check", CHECK, arguments, &mut check, mistakes) {
            match other.bare_text() {
                Some(expression) if check.expression.is_none() => {
                    set(&mut check.expression, expression)?;
                }
                Some(second) => mistakes.at(
                    second,
                    "a check has one expression; write a second check(…)",
                ),
                None => mistakes.at(
                    other,
                    "a check's expression is a string: check(\"qty >= 0\")",
                ),
            }
        }
        needs_a_name(check.comment.as_ref(), check.name.as_ref(), mistakes);
        check.expression.is_some().then_some(check)
    }

    pub(crate) fn expand(&self) -> TokenStream {
        let Self {
            place,
            name,
            comment,
            expression,
            no_inherit,
            enforcement,
        } = self;
        let [name, comment] = [name, comment].map(|text| optional(text.as_ref()));
        quote! {
            __trueup::CheckDef {
                place: #place,
                name: #name,
                comment: #comment,
                expression: #expression,
                no_inherit: #no_inherit,
                enforcement: #enforcement,
            }
        }
    }
}
