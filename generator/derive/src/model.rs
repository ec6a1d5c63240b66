//! `#[derive(Model)]`: reads a struct, checks it and expands it into a static definition, in this order.

mod check;
mod columns;
mod comment;
mod container;
mod enforcement;
mod exclude;
mod expand;
mod field;
mod fill;
mod filling;
mod foreign_key;
mod index;
mod index_key;
mod key;
mod parameters;
mod partition;
mod rules;
mod shape;
mod statistics;
mod target;
mod using;

use proc_macro2::TokenStream;
use syn::{Data, DeriveInput, Fields, Ident, Result};

use self::columns::Columns;
use self::container::Container;
use self::field::Field;
use self::index::Index;
use crate::mistakes::Mistakes;
use crate::place::unraw;
use crate::words::Words;

/// A struct that is a table.
pub(crate) struct Model {
    ident: Ident,
    container: Container,
    fields: Vec<Field>,
    column_names: Columns,
}

/// Expands `#[derive(Model)]`.
pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let mistakes = Mistakes::new();
    let model = Model::read(input, &mistakes);
    if let Some(model) = &model {
        rules::check(model, &mistakes);
    }
    mistakes.check()?;
    Ok(model
        .map(|model| expand::expand(&model))
        .unwrap_or_default())
}

/// Stands in for a model with mistakes, so that those that refer to it have none for that reason.
pub(crate) fn stand_in(input: &DeriveInput) -> Option<TokenStream> {
    let mistakes = Mistakes::new();
    let model = Model::read(input, &mistakes);
    // They are told already.
    let _ = mistakes.check();
    let model = model.filter(|_| input.generics.params.is_empty())?;
    Some(expand::stand_in(&model))
}

/// The words of every table of settings.
pub(crate) fn words() -> Vec<Words> {
    vec![
        Words::of("Struct", container::CONTAINER),
        Words::of("Field", field::FIELD),
        Words::of("PrimaryKey", key::PRIMARY_KEY),
        Words::of("Unique", key::UNIQUE),
        Words::of("Index", index::INDEX),
        Words::of("IndexKey", index_key::KEY),
        Words::of("Check", check::CHECK),
        Words::of("Exclude", exclude::EXCLUDE),
        Words::of("Compared", exclude::COMPARED),
        Words::of("References", foreign_key::RULES),
        Words::of("ForeignKey", foreign_key::FOREIGN_KEY),
        Words::of("Statistics", statistics::STATISTICS),
        Words::of("Partition", partition::PARTITION),
        Words::of("Partitions", partition::RULE),
        Words::of("Identity", filling::IDENTITY),
        Words::of("Generated", filling::GENERATED),
        Words::of("Using", using::USING),
        Words::of("Fill", fill::FILL),
    ]
}

impl Model {
    fn read(input: &DeriveInput, mistakes: &Mistakes) -> Option<Self> {
        if !input.generics.params.is_empty() {
            mistakes.at(
                &input.generics,
                "a table is one thing: a model has no generic parameters and no lifetimes",
            );
        }
        let container = Container::read(&input.attrs, mistakes);
        let fields = named_fields(input, mistakes)?;
        let fields: Vec<Field> = fields
            .iter()
            .filter_map(|field| Field::read(field, mistakes))
            .collect();
        let columns = fields.iter().filter(|field| field.skip.is_none());
        let column_names =
            Columns::new(columns.map(|field| (unraw(&field.ident), field.column_name())));
        Some(Self {
            ident: input.ident.clone(),
            container,
            fields,
            column_names,
        })
    }

    /// The fields that are columns.
    fn columns(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| field.skip.is_none())
    }

    /// All indexes, those of the fields first.
    fn indexes(&self) -> impl Iterator<Item = &Index> {
        self.columns()
            .flat_map(|field| &field.indexes)
            .chain(&self.container.indexes)
    }
}

fn named_fields<'a>(input: &'a DeriveInput, mistakes: &Mistakes) -> Option<Vec<&'a syn::Field>> {
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => return Some(fields.named.iter().collect()),
            Fields::Unnamed(fields) => {
                mistakes.at(
                    fields,
                    "a column needs a name: a model is a struct with named fields",
                );
            }
            Fields::Unit => mistakes.at(
                &input.ident,
                "a model is a struct with named fields: { id: i64, … }",
            ),
        },
        Data::Enum(data) => mistakes.at(
            data.enum_token,
            "a model is a struct with named fields; an enum of labels is a type: #[derive(PgEnum)]",
        ),
        Data::Union(data) => mistakes.at(data.union_token, "a model is a struct with named fields"),
    }
    None
}
