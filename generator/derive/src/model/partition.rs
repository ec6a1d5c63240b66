//! Partition key of a table, and its partitions: written one by one, or by a rule.

mod rule;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Expr, ExprLit, Ident, Lit, LitInt, LitStr};

pub(crate) use self::rule::RULE;
use self::rule::Rule;
use super::columns::Columns;
use crate::argument::Argument;
use crate::mistakes::Mistakes;
use crate::place::{Place, optional};
use crate::setting::{Setting, many, once, read_known, set, text, turn_on};

/// Partition key of a table, and the partitions declared for it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    by: Option<PartitionBy>,
    partitions: Vec<Partition>,
    rules: Vec<Rule>,
}

/// The partition key.
#[derive(Clone, Debug)]
struct PartitionBy {
    strategy: Strategy,
    keys: Vec<Key>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Strategy {
    Range,
    List,
    Hash,
}

const STRATEGIES: &[(&str, Strategy)] = &[
    ("range", Strategy::Range),
    ("list", Strategy::List),
    ("hash", Strategy::Hash),
];

/// A column or an expression of the partition key.
#[derive(Clone, Debug)]
enum Key {
    Column(Ident),
    Expression(LitStr),
}

/// One partition.
#[derive(Clone, Debug)]
pub(crate) struct Partition {
    place: Place,
    name: Option<LitStr>,
    from: Option<LitStr>,
    to: Option<LitStr>,
    values: Option<Vec<LitStr>>,
    modulus: Option<LitInt>,
    remainder: Option<LitInt>,
    default: bool,
    layout: Layout,
}

pub(crate) const PARTITION: &[Setting<Partition>] = &[
    once("from", "from = \"…\"", |it, a, _| text(&mut it.from, a)),
    once("to", "to = \"…\"", |it, a, _| text(&mut it.to, a)),
    once("values", "values(\"…\", \"…\")", |it, a, _| {
        let values = a.list()?.iter().map(Argument::bare_text);
        set(&mut it.values, values.collect::<Option<Vec<_>>>()?)
    }),
    once("modulus", "modulus = 4", |it, a, _| {
        set(&mut it.modulus, number(a)?)
    }),
    once("remainder", "remainder = 0", |it, a, _| {
        set(&mut it.remainder, number(a)?)
    }),
    once("default", "default", |it, a, _| turn_on(&mut it.default, a)),
    once("partition_by", BY, |it, a, mistakes| {
        it.layout.read_by(a, mistakes)
    }),
    many("partition", ONE, |it, a, mistakes| {
        it.layout.read_partition(a, mistakes)
    }),
    many("partitions", MANY, |it, a, mistakes| {
        it.layout.read_rule(a, mistakes)
    }),
];

/// Form of the partition key.
pub(crate) const BY: &str = "partition_by(range(a))";
/// Form of one partition.
pub(crate) const ONE: &str = "partition(\"name\", from = \"…\", to = \"…\")";
/// Form of a rule.
pub(crate) const MANY: &str = "partitions(monthly, from = \"2026-01\", to = \"2027-01\")";

impl Layout {
    pub(crate) fn is_partitioned(&self) -> bool {
        self.by.is_some()
    }

    /// `partition_by(range(created_at))`
    pub(crate) fn read_by(&mut self, argument: &Argument, mistakes: &Mistakes) -> Option<()> {
        let [Argument::List(word, keys)] = argument.list()? else {
            return None;
        };
        let Some((_, strategy)) = STRATEGIES.iter().find(|(name, _)| word == name) else {
            mistakes.at(word, "a table is partitioned by `range`, `list` or `hash`");
            return Some(());
        };
        let keys = keys.iter().map(|key| match key {
            Argument::Word(column) => Some(Key::Column(column.clone())),
            Argument::Bare(_) => key.bare_text().map(Key::Expression),
            Argument::Value(..) | Argument::List(..) => None,
        });
        set(
            &mut self.by,
            PartitionBy {
                strategy: *strategy,
                keys: keys
                    .collect::<Option<Vec<_>>>()
                    .filter(|keys| !keys.is_empty())?,
            },
        )
    }

    /// `partition("events_2026", from = "'2026-01-01'", to = "'2027-01-01'")`
    pub(crate) fn read_partition(
        &mut self,
        argument: &Argument,
        mistakes: &Mistakes,
    ) -> Option<()> {
        let mut partition = Partition {
            place: Place::on_struct(argument),
            name: None,
            from: None,
            to: None,
            values: None,
            modulus: None,
            remainder: None,
            default: false,
            layout: Self::default(),
        };
        let written = argument.list()?;
        for other in read_known("a partition", PARTITION, written, &mut partition, mistakes) {
            set(&mut partition.name, other.bare_text()?)?;
        }
        partition.name.as_ref()?;
        self.partitions.push(partition);
        Some(())
    }

    /// `partitions(monthly, from = "2026-01", to = "2027-01")`
    pub(crate) fn read_rule(&mut self, argument: &Argument, mistakes: &Mistakes) -> Option<()> {
        self.rules.push(Rule::read(argument, mistakes)?);
        Some(())
    }

    /// Checks the partitions against the key, at every depth.
    pub(crate) fn check(&self, columns: &Columns, mistakes: &Mistakes) {
        let Some(PartitionBy { strategy, keys }) = &self.by else {
            let without = "partitions of what? Write `partition_by(…)` beside them";
            for partition in &self.partitions {
                mistakes.at_span(partition.place.span, without);
            }
            for rule in &self.rules {
                mistakes.at_span(rule.place.span, without);
            }
            return;
        };
        let words = keys.iter().filter_map(|key| match key {
            Key::Column(column) => Some(column),
            Key::Expression(_) => None,
        });
        columns.check(words, mistakes);
        for partition in &self.partitions {
            if let Some(form) = partition.misfit(*strategy) {
                mistakes.at_span(
                    partition.place.span,
                    format!("say which rows it holds: {form}"),
                );
            }
            if partition.layout.by.is_some()
                || !partition.layout.partitions.is_empty()
                || !partition.layout.rules.is_empty()
            {
                partition.layout.check(columns, mistakes);
            }
        }
        for rule in &self.rules {
            let fits = if rule.is_of_time() {
                *strategy == Strategy::Range && keys.len() == 1
            } else {
                *strategy == Strategy::Hash
            };
            if !fits {
                mistakes.at_span(
                    rule.place.span,
                    "a rule of time needs `partition_by(range(…))` over one column, a number of partitions \
                     `partition_by(hash(…))`",
                );
            }
        }
    }

    pub(crate) fn expand_by(&self, columns: &Columns) -> TokenStream {
        optional(self.by.as_ref().map(|by| {
            let strategy = match by.strategy {
                Strategy::Range => quote! { __trueup::PartitionStrategy::Range },
                Strategy::List => quote! { __trueup::PartitionStrategy::List },
                Strategy::Hash => quote! { __trueup::PartitionStrategy::Hash },
            };
            let keys = by.keys.iter().map(|key| match key {
                Key::Column(column) => {
                    let name = columns.name(column);
                    quote! { __trueup::Indexed::Column(#name) }
                }
                Key::Expression(sql) => quote! { __trueup::Indexed::Expression(#sql) },
            });
            quote! { __trueup::PartitionByDef { strategy: #strategy, keys: &[#(#keys),*] } }
        }))
    }

    /// The partitions of a table of this name.
    pub(crate) fn expand_partitions(&self, table: &str, columns: &Columns) -> TokenStream {
        let written = self.partitions.iter().map(|one| one.expand(columns));
        let by_rule = self.rules.iter().flat_map(|rule| rule.expand(table));
        let all = written.chain(by_rule);
        quote! { &[#(#all),*] }
    }
}

impl Partition {
    /// The form that the strategy's bounds have, where this bound has another.
    fn misfit(&self, strategy: Strategy) -> Option<&'static str> {
        let range = self.from.is_some() && self.to.is_some();
        let any_of_range = self.from.is_some() || self.to.is_some();
        let hash = self.modulus.is_some() && self.remainder.is_some();
        let any_of_hash = self.modulus.is_some() || self.remainder.is_some();
        let list = self.values.is_some();
        match strategy {
            Strategy::Range
                if (range != self.default) && any_of_range == range && !any_of_hash && !list =>
            {
                None
            }
            Strategy::List if (list != self.default) && !any_of_range && !any_of_hash => None,
            Strategy::Hash if hash && !self.default && !any_of_range && !list => None,
            Strategy::Range => Some("`from = \"…\"` and `to = \"…\"`, or `default`"),
            Strategy::List => Some("`values(\"…\", …)`, or `default`"),
            Strategy::Hash => Some("`modulus = 4` and `remainder = 0`"),
        }
    }

    fn expand(&self, columns: &Columns) -> TokenStream {
        let Self {
            place,
            name,
            from,
            to,
            values,
            modulus,
            remainder,
            default: _,
            layout,
        } = self;
        let bound = match (from, to, values, modulus, remainder) {
            (Some(from), Some(to), ..) => {
                quote! { __trueup::BoundDef::Range { from: #from, to: #to } }
            }
            (_, _, Some(values), ..) => quote! { __trueup::BoundDef::List(&[#(#values),*]) },
            (.., Some(modulus), Some(remainder)) => {
                quote! { __trueup::BoundDef::Hash { modulus: #modulus, remainder: #remainder } }
            }
            _ => quote! { __trueup::BoundDef::Default },
        };
        let by = layout.expand_by(columns);
        let name = name.as_ref().map(LitStr::value).unwrap_or_default();
        let partitions = layout.expand_partitions(&name, columns);
        quote! {
            __trueup::PartitionDef {
                place: #place,
                name: #name,
                bound: #bound,
                partition_by: #by,
                partitions: #partitions,
            }
        }
    }
}

/// The number in `key = 4`.
fn number(argument: &Argument) -> Option<LitInt> {
    match argument.value()? {
        Expr::Lit(ExprLit {
            lit: Lit::Int(number),
            ..
        }) => Some(number.clone()),
        _ => None,
    }
}
