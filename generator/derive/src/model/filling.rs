//! Source of a column's value when an INSERT leaves it out: a default, an identity, a serial, a generated expression, or
//! nothing.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, ExprUnary, Lit, LitStr, Type, UnOp};

use crate::argument::Argument;
use crate::mistakes::Mistakes;
use crate::place::optional;
use crate::setting::{Setting, choose, once, read_known, set, text, turn_on};

/// Source of a column's value when an INSERT leaves it out, and its place in the attributes.
#[derive(Clone, Debug)]
pub(crate) enum Filling {
    Default(LitStr),
    Identity(Span, Identity),
    Serial(Span),
    Generated(Span, Generated),
}

/// An identity column's sequence.
#[derive(Clone, Debug, Default)]
pub(crate) struct Identity {
    always: Option<bool>,
    start: Option<i64>,
    increment: Option<i64>,
    min: Option<i64>,
    max: Option<i64>,
    cache: Option<i64>,
    cycle: bool,
}

pub(crate) const IDENTITY: &[Setting<Identity>] = &[
    once("always", "always", |it, a, mistakes| {
        it.mode(true, a, mistakes)
    }),
    once("by_default", "by_default", |it, a, mistakes| {
        it.mode(false, a, mistakes)
    }),
    once("start", "start = 10", |it, a, _| {
        set(&mut it.start, integer(a.value()?)?)
    }),
    once("increment", "increment = 2", |it, a, _| {
        set(&mut it.increment, integer(a.value()?)?)
    }),
    once("min", "min = 1", |it, a, _| {
        set(&mut it.min, integer(a.value()?)?)
    }),
    once("max", "max = 1000", |it, a, _| {
        set(&mut it.max, integer(a.value()?)?)
    }),
    once("cache", "cache = 20", |it, a, _| {
        set(&mut it.cache, integer(a.value()?)?)
    }),
    once("cycle", "cycle", |it, a, _| turn_on(&mut it.cycle, a)),
];

const MODES: &[(&str, bool)] = &[("always", true), ("by default", false)];

/// A generated column's expression.
#[derive(Clone, Debug, Default)]
pub(crate) struct Generated {
    expression: Option<LitStr>,
    is_virtual: bool,
}

pub(crate) const GENERATED: &[Setting<Generated>] = &[
    once("expr", "expr = \"…\"", |it, a, _| {
        text(&mut it.expression, a)
    }),
    once("virtual", "virtual", |it, a, _| {
        turn_on(&mut it.is_virtual, a)
    }),
];

impl Identity {
    /// `identity = "always"`, `identity(by_default, start = 10)`.
    pub(crate) fn read(argument: &Argument, mistakes: &Mistakes) -> Option<Self> {
        let mut identity = Self::default();
        if argument.value().is_some() {
            choose(&mut identity.always, argument, MODES, mistakes)?;
            return Some(identity);
        }
        for other in read_known(
            "an identity",
            IDENTITY,
            argument.list()?,
            &mut identity,
            mistakes,
        ) {
            let mode = other.bare_text()?.value();
            let (_, always) = MODES.iter().find(|(word, _)| *word == mode)?;
            identity.always = Some(*always);
        }
        identity.always.is_some().then_some(identity)
    }

    fn mode(&mut self, always: bool, argument: &Argument, mistakes: &Mistakes) -> Option<()> {
        argument.flag()?;
        if self.always.replace(always).is_some() {
            mistakes.at(
                argument,
                "an identity is `always` or `by_default`, not both",
            );
        }
        Some(())
    }

    fn expand(&self) -> TokenStream {
        let Self {
            always,
            start,
            increment,
            min,
            max,
            cache,
            cycle,
        } = self;
        let always = always.unwrap_or(false);
        let [start, increment, min, max, cache] =
            [start, increment, min, max, cache].map(|n| optional(n.as_ref()));
        quote! {
            __trueup::IdentityDef {
                always: #always,
                start: #start,
                increment: #increment,
                min: #min,
                max: #max,
                cache: #cache,
                cycle: #cycle,
            }
        }
    }
}

impl Generated {
    /// `generated = "…"` or `generated(expr = "…", virtual)`.
    pub(crate) fn read(argument: &Argument, mistakes: &Mistakes) -> Option<Self> {
        let mut generated = Self::default();
        if argument.value().is_some() {
            text(&mut generated.expression, argument)?;
            return Some(generated);
        }
        for other in read_known(
            "a generated column",
            GENERATED,
            argument.list()?,
            &mut generated,
            mistakes,
        ) {
            set(&mut generated.expression, other.bare_text()?)?;
        }
        generated.expression.is_some().then_some(generated)
    }
}

impl Filling {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Default(_) => "default",
            Self::Identity(..) => "identity",
            Self::Serial(_) => "serial",
            Self::Generated(..) => "generated",
        }
    }

    pub(crate) fn span(&self) -> Span {
        match self {
            Self::Default(text) => text.span(),
            Self::Identity(span, _) | Self::Serial(span) | Self::Generated(span, _) => *span,
        }
    }

    pub(crate) fn expand(&self, ty: &Type) -> TokenStream {
        match self {
            Self::Default(expression) => quote! { __trueup::Filling::Default(#expression) },
            Self::Identity(_, identity) => {
                let identity = identity.expand();
                quote! { __trueup::Filling::Identity(#identity) }
            }
            Self::Serial(_) => {
                let serial =
                    quote_spanned! { ty.span()=> <#ty as ::trueup::SerialType>::SERIAL_TYPE };
                quote! { __trueup::Filling::Serial(#serial) }
            }
            Self::Generated(
                _,
                Generated {
                    expression,
                    is_virtual,
                },
            ) => {
                quote! { __trueup::Filling::Generated { expression: #expression, is_virtual: #is_virtual } }
            }
        }
    }
}

pub(crate) fn integer(value: &Expr) -> Option<i64> {
    match value {
        Expr::Lit(ExprLit {
            lit: Lit::Int(number),
            ..
        }) => number.base10_parse().ok(),
        Expr::Unary(ExprUnary {
            op: UnOp::Neg(_),
            expr,
            ..
        }) => match &**expr {
            Expr::Lit(ExprLit {
                lit: Lit::Int(number),
                ..
            }) => format!("-{}", number.base10_digits()).parse().ok(),
            _ => None,
        },
        _ => None,
    }
}
