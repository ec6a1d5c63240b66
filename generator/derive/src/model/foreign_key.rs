//! Foreign keys.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Ident, LitStr};

use super::columns::Columns;
use super::comment::{Commented, comment, needs_a_name};
use super::enforcement::Enforcement;
use super::key::{Deferral, columns, defer};
use super::target::Target;
use crate::argument::Argument;
use crate::mistakes::Mistakes;
use crate::place::{Place, optional};
use crate::setting::{Setting, choose, once, once_or_empty, read_all, read_known, set, text};

/// A foreign key.
#[derive(Clone, Debug)]
pub(crate) struct ForeignKey {
    place: Place,
    pub(crate) columns: Vec<Ident>,
    /// The word that says that the last of them is a period.
    period: Option<Ident>,
    target: Target,
    rules: Rules,
}

/// Settings of a foreign key besides its columns.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    name: Option<LitStr>,
    comment: Option<LitStr>,
    on_delete: Option<Action>,
    /// The columns that ON DELETE sets, where not all of them.
    set: Vec<Ident>,
    on_update: Option<Action>,
    matching: Option<Match>,
    deferral: Deferral,
    enforcement: Enforcement,
}

/// Action on a row when the row it references is deleted or changes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    Nothing,
    Restrict,
    Cascade,
    SetNull,
    SetDefault,
}

#[derive(Clone, Copy, Debug)]
enum Match {
    Simple,
    Full,
}

const ACTIONS: &[(&str, Action)] = &[
    ("cascade", Action::Cascade),
    ("restrict", Action::Restrict),
    ("set null", Action::SetNull),
    ("set default", Action::SetDefault),
    ("no action", Action::Nothing),
];

const MATCHES: &[(&str, Match)] = &[("simple", Match::Simple), ("full", Match::Full)];

/// The settings in `references(Other::field, …)`.
pub(crate) const RULES: &[Setting<Rules>] = &[
    once("name", "name = \"…\"", |it, a, _| text(&mut it.name, a)),
    comment(),
    once(
        "on_delete",
        "on_delete = \"cascade\"` or `on_delete(set_null(a))",
        Rules::on_delete,
    ),
    once("on_update", "on_update = \"cascade\"", |it, a, mistakes| {
        choose(&mut it.on_update, a, ACTIONS, mistakes)
    }),
    once("match", "match = \"full\"", |it, a, mistakes| {
        choose(&mut it.matching, a, MATCHES, mistakes)
    }),
    once("deferrable", "deferrable", |it, a, _| {
        defer(&mut it.deferral, a, Deferral::Deferrable)
    }),
    once("initially_deferred", "initially_deferred", |it, a, _| {
        defer(&mut it.deferral, a, Deferral::InitiallyDeferred)
    }),
    once("not_valid", "not_valid", |it, a, mistakes| {
        it.enforcement.read(a, Enforcement::OnNewRows, mistakes)
    }),
    once("not_enforced", "not_enforced", |it, a, mistakes| {
        it.enforcement.read(a, Enforcement::Never, mistakes)
    }),
];

/// A `foreign_key(…)` while it is read.
#[derive(Default)]
pub(crate) struct Draft {
    columns: Vec<Ident>,
    period: Option<Ident>,
    target: Option<Target>,
    rules: Rules,
}

pub(crate) const FOREIGN_KEY: &[Setting<Draft>] = &[
    once("columns", "columns(a, b)", |it, a, _| {
        columns(&mut it.columns, a)
    }),
    once("references", "references = Other(x, y)", |it, a, _| {
        set(&mut it.target, Target::of(a.value()?)?)
    }),
    once("period", "period", |it, a, _| {
        set(&mut it.period, a.word()?)
    }),
    once("name", "name = \"…\"", |it, a, mistakes| {
        it.rules.read(a, mistakes)
    }),
    once_or_empty("comment", "comment = \"…\"", |it, a, mistakes| {
        it.rules.read(a, mistakes)
    }),
    once(
        "on_delete",
        "on_delete = \"cascade\"` or `on_delete(set_null(a))",
        |it, a, mistakes| it.rules.read(a, mistakes),
    ),
    once("on_update", "on_update = \"cascade\"", |it, a, mistakes| {
        it.rules.read(a, mistakes)
    }),
    once("match", "match = \"full\"", |it, a, mistakes| {
        it.rules.read(a, mistakes)
    }),
    once("deferrable", "deferrable", |it, a, mistakes| {
        it.rules.read(a, mistakes)
    }),
    once(
        "initially_deferred",
        "initially_deferred",
        |it, a, mistakes| it.rules.read(a, mistakes),
    ),
    once("not_valid", "not_valid", |it, a, mistakes| {
        it.rules.read(a, mistakes)
    }),
    once("not_enforced", "not_enforced", |it, a, mistakes| {
        it.rules.read(a, mistakes)
    }),
];

impl Commented for Rules {
    fn comment(&mut self) -> &mut Option<LitStr> {
        &mut self.comment
    }
}

impl Rules {
    /// Reads one setting that is written beside others.
    pub(crate) fn read(&mut self, argument: &Argument, mistakes: &Mistakes) -> Option<()> {
        read_all(
            "a reference",
            RULES,
            std::slice::from_ref(argument),
            self,
            mistakes,
        );
        Some(())
    }

    /// `on_delete = "…"`, `on_delete(set_null(a, b))` or `on_delete(set_default(a))`.
    fn on_delete(&mut self, argument: &Argument, mistakes: &Mistakes) -> Option<()> {
        if argument.value().is_some() {
            return choose(&mut self.on_delete, argument, ACTIONS, mistakes);
        }
        let [set] = argument.list()? else {
            return None;
        };
        let action = match set.key()? {
            word if word == "set_null" => Action::SetNull,
            word if word == "set_default" => Action::SetDefault,
            _ => return None,
        };
        self.set = set.words().filter(|columns| !columns.is_empty())?;
        self.on_delete = Some(action);
        Some(())
    }
}

impl ForeignKey {
    /// `foreign_key(columns(a, b), references = Other(x, y), …)` on a struct.
    pub(crate) fn on_struct(argument: &Argument, mistakes: &Mistakes) -> Option<Self> {
        let mut draft = Draft::default();
        read_all(
            "a foreign key",
            FOREIGN_KEY,
            argument.list()?,
            &mut draft,
            mistakes,
        );
        let Draft {
            columns,
            period,
            target,
            rules,
        } = draft;
        let target = target?;
        let (here, there) = (columns.len(), target.columns.len());
        if here != there {
            mistakes.at(
                &target.model,
                format!("{here} column(s) here cannot refer to {there} there"),
            );
        }
        if let Some(word) = period.as_ref().filter(|_| here < 2) {
            mistakes.at(
                word,
                "the last of the columns is the period, and there is at least one before it",
            );
        }
        Some(Self {
            place: Place::on_struct(argument),
            columns,
            period,
            target,
            rules,
        })
    }

    /// `references = Other::field` or `references(Other::field, …)` on a field.
    pub(crate) fn on_field(field: &Ident, reference: Reference, beside: Option<Rules>) -> Self {
        let Reference {
            place,
            target,
            rules,
            ..
        } = reference;
        Self {
            place,
            columns: vec![field.clone()],
            period: None,
            target,
            rules: beside.unwrap_or(rules),
        }
    }

    /// Checks that the columns exist, that ON DELETE sets only columns of the key, and that a comment has a name.
    pub(crate) fn check(&self, names: &Columns, mistakes: &Mistakes) {
        let Rules { name, comment, .. } = &self.rules;
        needs_a_name(comment.as_ref(), name.as_ref(), mistakes);
        names.check(&self.columns, mistakes);
        names.check(&self.rules.set, mistakes);
        let columns = names.names(&self.columns);
        for word in &self.rules.set {
            if !columns.contains(&names.name(word)) {
                mistakes.at(word, format!("`{word}` is no column of this foreign key"));
            }
        }
    }

    pub(crate) fn expand(&self, table: &Columns) -> TokenStream {
        let Self {
            place,
            columns,
            period,
            target,
            rules,
        } = self;
        let columns = table.names(columns);
        let references = target.expand();
        let Rules {
            name,
            comment,
            on_delete,
            set,
            on_update,
            matching,
            deferral,
            enforcement,
        } = rules;
        let period = period.is_some();
        let set = table.names(set);
        let [name, comment] = [name, comment].map(|text| optional(text.as_ref()));
        let [on_delete, on_update] =
            [on_delete, on_update].map(|action| optional(action.map(Action::expand)));
        let match_full = matches!(matching, Some(Match::Full));
        quote! {
            __trueup::ForeignKeyDef {
                place: #place,
                name: #name,
                comment: #comment,
                columns: &[#(#columns),*],
                period: #period,
                references: &[#(#references),*],
                on_delete: #on_delete,
                set: &[#(#set),*],
                on_update: #on_update,
                match_full: #match_full,
                deferral: #deferral,
                enforcement: #enforcement,
            }
        }
    }
}

/// A `references` on a field.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    pub(crate) place: Place,
    target: Target,
    rules: Rules,
    /// True if it has parentheses, in which all its settings belong.
    pub(crate) is_list: bool,
}

impl Reference {
    /// `references = Other::field` or `references(Other::field, …)`.
    pub(crate) fn read(field: &Ident, argument: &Argument, mistakes: &Mistakes) -> Option<Self> {
        let place = Place::on_field(field, argument);
        if let Some(value) = argument.value() {
            let target = Target::of_field(value)?;
            return Some(Self {
                place,
                target,
                rules: Rules::default(),
                is_list: false,
            });
        }
        let mut rules = Rules::default();
        let others = read_known("a reference", RULES, argument.list()?, &mut rules, mistakes);
        let [Argument::Bare(value)] = others.as_slice() else {
            return None;
        };
        Some(Self {
            place,
            target: Target::of_field(value)?,
            rules,
            is_list: true,
        })
    }
}

impl Action {
    fn expand(self) -> TokenStream {
        match self {
            Self::Nothing => quote! { __trueup::Action::NoAction },
            Self::Restrict => quote! { __trueup::Action::Restrict },
            Self::Cascade => quote! { __trueup::Action::Cascade },
            Self::SetNull => quote! { __trueup::Action::SetNull },
            Self::SetDefault => quote! { __trueup::Action::SetDefault },
        }
    }
}
