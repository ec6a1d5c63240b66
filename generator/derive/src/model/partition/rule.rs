//! Partitions by a rule: one for each month, quarter or year of a time, or a number of them by hash.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{LitInt, LitStr};

use super::number;
use crate::argument::Argument;
use crate::mistakes::Mistakes;
use crate::place::Place;
use crate::setting::{Setting, once, read_all, set, text};

/// A rule, as it was written.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(super) place: Place,
    step: Option<Step>,
    from: Option<LitStr>,
    to: Option<LitStr>,
    hash: Option<LitInt>,
    /// `from` and `to` in months since the year 0.
    months: (u32, u32),
    count: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    Month,
    Quarter,
    Year,
}

pub(crate) const RULE: &[Setting<Rule>] = &[
    once("monthly", "monthly", |it, a, mistakes| {
        it.step(Step::Month, a, mistakes)
    }),
    once("quarterly", "quarterly", |it, a, mistakes| {
        it.step(Step::Quarter, a, mistakes)
    }),
    once("yearly", "yearly", |it, a, mistakes| {
        it.step(Step::Year, a, mistakes)
    }),
    once("from", "from = \"2026-01\"", |it, a, _| {
        text(&mut it.from, a)
    }),
    once("to", "to = \"2027-01\"", |it, a, _| text(&mut it.to, a)),
    once("hash", "hash = 4", |it, a, _| set(&mut it.hash, number(a)?)),
];

/// More are a mistake rather than a wish.
const MOST: u32 = 2_000;

impl Rule {
    /// `partitions(monthly, from = "2026-01", to = "2027-01")` or `partitions(hash = 4)`.
    pub(super) fn read(argument: &Argument, mistakes: &Mistakes) -> Option<Self> {
        let mut rule = Self {
            place: Place::on_struct(argument),
            step: None,
            from: None,
            to: None,
            hash: None,
            months: (0, 0),
            count: 0,
        };
        read_all("partitions", RULE, argument.list()?, &mut rule, mistakes);
        match (rule.step, &rule.from, &rule.to, &rule.hash) {
            (Some(step), Some(from), Some(to), None) => {
                let (Some(first), Some(last)) = (month(from, mistakes), month(to, mistakes)) else {
                    return Some(rule);
                };
                rule.months = (first, last);
                let whole = first % step.months() == 0 && last % step.months() == 0;
                if first >= last || !whole || (last - first) / step.months() > MOST {
                    mistakes.at(
                        to,
                        "`from` is the first month and `to` the one after the last; quarters and years are whole",
                    );
                }
            }
            (None, None, None, Some(count)) => {
                rule.count = count.base10_parse().ok()?;
                if rule.count == 0 || rule.count > MOST {
                    mistakes.at(count, format!("write a number from 1 to {MOST}"));
                }
            }
            _ => return None,
        }
        Some(rule)
    }

    /// True if it divides time.
    pub(super) fn is_of_time(&self) -> bool {
        self.step.is_some()
    }

    fn step(&mut self, step: Step, argument: &Argument, mistakes: &Mistakes) -> Option<()> {
        argument.flag()?;
        if self.step.replace(step).is_some() {
            mistakes.at(
                argument,
                "one rule has one step; write a second `partitions(…)`",
            );
        }
        Some(())
    }

    /// The partitions of a table of this name.
    pub(super) fn expand(&self, table: &str) -> Vec<TokenStream> {
        let place = &self.place;
        let partition = |name: String, bound: TokenStream| {
            quote! {
                __trueup::PartitionDef {
                    place: #place,
                    name: #name,
                    bound: #bound,
                    partition_by: ::core::option::Option::None,
                    partitions: &[],
                }
            }
        };
        let Some(step) = self.step else {
            let modulus = self.count;
            let parts = (0..modulus).map(|remainder| {
                let bound = quote! { __trueup::BoundDef::Hash { modulus: #modulus, remainder: #remainder } };
                partition(format!("{table}_{remainder}"), bound)
            });
            return parts.collect();
        };
        let (first, last) = self.months;
        let width = usize::try_from(step.months()).unwrap_or(1);
        (first..last)
            .step_by(width)
            .map(|month| {
                let (from, to) = (day(month), day(month + step.months()));
                let bound = quote! { __trueup::BoundDef::Range { from: #from, to: #to } };
                partition(format!("{table}_{}", step.name(month)), bound)
            })
            .collect()
    }
}

impl Step {
    fn months(self) -> u32 {
        match self {
            Self::Month => 1,
            Self::Quarter => 3,
            Self::Year => 12,
        }
    }

    /// Suffix of the partition that begins with a month: `2026_03`, `2026_q1`, `2026`.
    fn name(self, month: u32) -> String {
        let (year, month) = (month / 12, month % 12);
        match self {
            Self::Month => format!("{year:04}_{:02}", month + 1),
            Self::Quarter => format!("{year:04}_q{}", month / 3 + 1),
            Self::Year => format!("{year:04}"),
        }
    }
}

/// The months since the year 0 in `2026-03` or `2026`.
fn month(text: &LitStr, mistakes: &Mistakes) -> Option<u32> {
    let value = text.value();
    let (year, month) = value.split_once('-').unwrap_or((&value, "01"));
    let parsed = match (
        year.len(),
        month.len(),
        year.parse::<u32>(),
        month.parse::<u32>(),
    ) {
        (4, 2, Ok(year), Ok(month)) if (1..=12).contains(&month) => Some(year * 12 + month - 1),
        _ => None,
    };
    if parsed.is_none() {
        mistakes.at(text, "a month is written \"2026-01\", a year \"2026\"");
    }
    parsed
}

/// The first day of a month, as SQL.
fn day(month: u32) -> String {
    format!("'{:04}-{:02}-01'", month / 12, month % 12 + 1)
}
