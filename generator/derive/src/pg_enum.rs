//! `#[derive(PgEnum)]`: an enum without data is an enum type of Postgres.

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Data, DeriveInput, Fields, Ident, LitStr, Result, Variant};

use crate::argument::{Argument, arguments};
use crate::case::{CASES, Case};
use crate::documentation;
use crate::mistakes::Mistakes;
use crate::place::{Place, comment, line, optional, unraw};
use crate::renamed_from::{RenamedFrom, each_from_another};
use crate::setting::{Setting, choose, many, once, once_or_empty, read_all, set, text};
use crate::words::Words;

#[derive(Default)]
struct Container {
    name: Option<LitStr>,
    namespace: Option<LitStr>,
    rename_all: Option<Case>,
    renamed_from: Option<RenamedFrom>,
    comment: Option<LitStr>,
}

const CONTAINER: &[Setting<Container>] = &[
    once("type", "type = \"…\"", |it, a, _| text(&mut it.name, a)),
    once("namespace", "namespace = \"…\"", |it, a, _| {
        text(&mut it.namespace, a)
    }),
    once(
        "rename_all",
        "rename_all = \"snake_case\"",
        |it, a, mistakes| choose(&mut it.rename_all, a, CASES, mistakes),
    ),
    once("renamed_from", "renamed_from = \"…\"", |it, a, _| {
        set(
            &mut it.renamed_from,
            RenamedFrom::read(Place::on_struct(a), a)?,
        )
    }),
    once_or_empty("comment", "comment = \"…\"", |it, a, _| {
        text(&mut it.comment, a)
    }),
];

/// The words of every table of settings.
pub(crate) fn words() -> Vec<Words> {
    vec![Words::of("Enum", CONTAINER), Words::of("Variant", LABEL)]
}

struct OneLabel {
    ident: Ident,
    label: Option<LitStr>,
    renamed_from: Option<RenamedFrom>,
    replaces: Vec<LitStr>,
}

const LABEL: &[Setting<OneLabel>] = &[
    once_or_empty("label", "label = \"…\"", |it, a, _| {
        text(&mut it.label, a)
    }),
    once("renamed_from", "renamed_from = \"…\"", |it, a, _| {
        let place = Place::on_field(&it.ident, a);
        set(&mut it.renamed_from, RenamedFrom::read(place, a)?)
    }),
    many("replaces", "replaces = \"…\"", |it, a, _| {
        it.replaces.push(a.text()?);
        Some(())
    }),
];

/// The labels of an enum, and the dropped ones with those that replace them.
#[derive(Default)]
struct AllLabels {
    labels: Vec<String>,
    replaced: Vec<(LitStr, String)>,
    renamed: Vec<(RenamedFrom, String)>,
}

/// Expands `#[derive(PgEnum)]`.
pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let mistakes = Mistakes::new();
    let mut container = Container::default();
    let written = settings(&input.attrs, &mistakes);
    read_all("an enum", CONTAINER, &written, &mut container, &mistakes);
    documentation::check(&input.attrs, container.comment.as_ref(), &mistakes);
    if container.name.is_none() {
        mistakes.at(
            &input.ident,
            "which type is this? Write #[model(type = \"…\")]; the name is never taken from the enum",
        );
    }
    if let (Some(renamed_from), Some(name)) = (&container.renamed_from, &container.name) {
        renamed_from.differs_from(&name.value(), &mistakes);
    }
    let labels = labels(
        input,
        container.rename_all.unwrap_or(Case::Snake),
        &mistakes,
    );
    mistakes.check()?;
    Ok(implementation(input, &container, &labels))
}

fn settings(attributes: &[Attribute], mistakes: &Mistakes) -> Vec<Argument> {
    let written = attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("model"));
    written
        .flat_map(|attribute| arguments(attribute, mistakes))
        .collect()
}

fn labels(input: &DeriveInput, case: Case, mistakes: &Mistakes) -> AllLabels {
    let variants = match &input.data {
        Data::Enum(data) => &data.variants,
        Data::Struct(data) => {
            mistakes.at(
                data.struct_token,
                "an enum type has labels; a struct is a table: #[derive(Model)]",
            );
            return AllLabels::default();
        }
        Data::Union(data) => {
            mistakes.at(
                data.union_token,
                "an enum type has labels: derive PgEnum on an enum",
            );
            return AllLabels::default();
        }
    };
    if !input.generics.params.is_empty() {
        mistakes.at(
            &input.generics,
            "an enum type is one thing: it has no generic parameters and no lifetimes",
        );
    }
    let mut seen: BTreeMap<String, &Ident> = BTreeMap::new();
    let mut labels = AllLabels::default();
    for variant in variants {
        let written = label(variant, mistakes);
        let label = written.name(case);
        if let Some(first) = seen.insert(label.clone(), &variant.ident) {
            mistakes.at(
                &variant.ident,
                format!("`{first}` has the label {label:?} already"),
            );
        }
        if let Some(renamed_from) = written.renamed_from {
            renamed_from.differs_from(&label, mistakes);
            labels.renamed.push((renamed_from, label.clone()));
        }
        let gone = written.replaces.into_iter();
        labels.replaced.extend(gone.map(|old| (old, label.clone())));
        labels.labels.push(label);
    }
    replaced_are_gone(&labels, mistakes);
    each_from_another(labels.renamed.iter().map(|(from, _)| from), mistakes);
    labels
}

fn replaced_are_gone(labels: &AllLabels, mistakes: &Mistakes) {
    let AllLabels {
        labels, replaced, ..
    } = labels;
    for (place, (old, new)) in replaced.iter().enumerate() {
        if labels.contains(&old.value()) {
            mistakes.at(
                old,
                "this is a label still; only one that is gone can be replaced",
            );
        } else if replaced[..place]
            .iter()
            .any(|(other, _)| other.value() == old.value())
        {
            mistakes.at(
                old,
                format!("it is replaced already, and not by {new:?} alone"),
            );
        }
    }
}

fn label(variant: &Variant, mistakes: &Mistakes) -> OneLabel {
    if !matches!(variant.fields, Fields::Unit) {
        mistakes.at(&variant.fields, "a label carries no data");
    }
    let mut written = OneLabel {
        ident: variant.ident.clone(),
        label: None,
        renamed_from: None,
        replaces: Vec::new(),
    };
    read_all(
        "a variant",
        LABEL,
        &settings(&variant.attrs, mistakes),
        &mut written,
        mistakes,
    );
    written
}

impl OneLabel {
    fn name(&self, case: Case) -> String {
        self.label
            .as_ref()
            .map_or_else(|| case.apply(&unraw(&self.ident)), LitStr::value)
    }
}

fn implementation(input: &DeriveInput, container: &Container, labels: &AllLabels) -> TokenStream {
    let AllLabels {
        labels,
        replaced,
        renamed,
    } = labels;
    let renamed_labels = renamed.iter().map(|(from, label)| {
        let from = from.expand();
        quote! { (#from, #label) }
    });
    let renamed_from = optional(container.renamed_from.as_ref().map(RenamedFrom::expand));
    let (old, new): (Vec<&LitStr>, Vec<&String>) =
        replaced.iter().map(|(old, new)| (old, new)).unzip();
    let ident = &input.ident;
    let (item, line) = (unraw(ident), line(ident.span()));
    let name = &container.name;
    let namespace = container
        .namespace
        .as_ref()
        .map_or_else(|| "public".to_owned(), LitStr::value);
    let comment = comment(
        container.comment.as_ref(),
        documentation::comment(&input.attrs).as_ref(),
    );
    quote! {
        const _: () = {
            use ::trueup::__private as __trueup;

            #[automatically_derived]
            impl ::trueup::PgEnum for #ident {
                const DEFINITION: &'static __trueup::EnumDef = &__trueup::EnumDef {
                    item: __trueup::Item {
                        name: #item,
                        module: ::core::module_path!(),
                        file: ::core::file!(),
                        line: #line,
                    },
                    namespace: #namespace,
                    name: #name,
                    labels: &[#(#labels),*],
                    comment: #comment,
                    replaced: &[#((#old, #new)),*],
                    renamed_from: #renamed_from,
                    renamed_labels: &[#(#renamed_labels),*],
                };
            }

            #[automatically_derived]
            impl ::trueup::PgType for #ident {
                fn sql_type() -> __trueup::Cow<'static, str> {
                    <Self as ::trueup::PgEnum>::DEFINITION.sql_type()
                }
            }

            __trueup::inventory::submit! {
                __trueup::Submitted::Enum(<#ident as ::trueup::PgEnum>::DEFINITION)
            }
        };
    }
}
