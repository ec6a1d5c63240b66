//! `#[derive(PgEnum)]`: an enum without data is an enum type of Postgres.

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Data, DeriveInput, Fields, Ident, LitStr, Result, Variant};

use crate::argument::{Argument, arguments};
use crate::case::{CASES, Case};
use crate::documentation;
use crate::mistakes::Mistakes;
use crate::place::{comment, line, unraw};
use crate::setting::{Setting, choose, once, once_or_empty, read_all, text};

#[derive(Default)]
struct Container {
    name: Option<LitStr>,
    namespace: Option<LitStr>,
    rename_all: Option<Case>,
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
    once_or_empty("comment", "comment = \"…\"", |it, a, _| {
        text(&mut it.comment, a)
    }),
];

#[derive(Default)]
struct Label {
    label: Option<LitStr>,
}

const LABEL: &[Setting<Label>] = &[once_or_empty("label", "label = \"…\"", |it, a, _| {
    text(&mut it.label, a)
})];

/// Expands `#[derive(PgEnum)]`.
pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let mistakes = Mistakes::new();
    let mut container = Container::default();
    let written = settings(&input.attrs, &mistakes);
    read_all("an enum", CONTAINER, &written, &mut container, &mistakes);
    if container.name.is_none() {
        mistakes.at(
            &input.ident,
            "which type is this? Write #[model(type = \"…\")]; the name is never taken from the enum",
        );
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

fn labels(input: &DeriveInput, case: Case, mistakes: &Mistakes) -> Vec<String> {
    let variants = match &input.data {
        Data::Enum(data) => &data.variants,
        Data::Struct(data) => {
            mistakes.at(
                data.struct_token,
                "an enum type has labels; a struct is a table: #[derive(Model)]",
            );
            return Vec::new();
        }
        Data::Union(data) => {
            mistakes.at(
                data.union_token,
                "an enum type has labels: derive PgEnum on an enum",
            );
            return Vec::new();
        }
    };
    if !input.generics.params.is_empty() {
        mistakes.at(
            &input.generics,
            "an enum type is one thing: it has no generic parameters and no lifetimes",
        );
    }
    let mut seen: BTreeMap<String, &Ident> = BTreeMap::new();
    let mut labels = Vec::new();
    for variant in variants {
        let label = label(variant, case, mistakes);
        if let Some(first) = seen.insert(label.clone(), &variant.ident) {
            mistakes.at(
                &variant.ident,
                format!("`{first}` has the label {label:?} already"),
            );
        }
        labels.push(label);
    }
    labels
}

fn label(variant: &Variant, case: Case, mistakes: &Mistakes) -> String {
    if !matches!(variant.fields, Fields::Unit) {
        mistakes.at(&variant.fields, "a label carries no data");
    }
    let mut written = Label::default();
    read_all(
        "a variant",
        LABEL,
        &settings(&variant.attrs, mistakes),
        &mut written,
        mistakes,
    );
    written
        .label
        .map_or_else(|| case.apply(&unraw(&variant.ident)), |label| label.value())
}

fn implementation(input: &DeriveInput, container: &Container, labels: &[String]) -> TokenStream {
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
