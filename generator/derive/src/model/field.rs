//! A field of a model, with its attributes.

use syn::ext::IdentExt;
use syn::{Ident, LitStr, Type};

use super::check::Check;
use super::fill::Fill;
use super::filling::{Filling, Generated, Identity, integer};
use super::foreign_key::{ForeignKey, Reference, Rules};
use super::index::Index;
use super::key::{Key, PRIMARY_KEY, UNIQUE};
use super::using::Using;
use crate::argument::{Argument, arguments};
use crate::diesel::{DieselAttributes, diesel_attributes};
use crate::documentation::{self, comment};
use crate::mistakes::Mistakes;
use crate::place::Place;
use crate::renamed_from::RenamedFrom;
use crate::setting::{Setting, choose, many, once, once_or_empty, read_all, set, text};

/// A field of a model: what was written, before anything is checked against anything else.
pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) column: Option<LitStr>,
    pub(crate) sql_type: Option<LitStr>,
    pub(crate) collation: Option<LitStr>,
    /// The name of its NOT NULL.
    pub(crate) not_null: Option<LitStr>,
    pub(crate) storage: Option<&'static str>,
    pub(crate) compression: Option<&'static str>,
    pub(crate) statistics: Option<i32>,
    pub(crate) comment: Option<LitStr>,
    pub(crate) documentation: Option<String>,
    pub(crate) fillings: Vec<Filling>,
    pub(crate) primary_key: Option<Key>,
    pub(crate) uniques: Vec<Key>,
    pub(crate) indexes: Vec<Index>,
    pub(crate) checks: Vec<Check>,
    pub(crate) reference: Option<Reference>,
    /// `on_delete = "…"` and the like, written beside `references = …`, with the first of their words.
    pub(crate) rules: Option<(Ident, Rules)>,
    pub(crate) using: Option<Using>,
    pub(crate) fill: Option<Fill>,
    pub(crate) renamed_from: Option<RenamedFrom>,
    pub(crate) skip: Option<Ident>,
    pub(crate) diesel: DieselAttributes,
}

const STORAGES: &[(&str, &str)] = &[
    ("plain", "PLAIN"),
    ("external", "EXTERNAL"),
    ("extended", "EXTENDED"),
    ("main", "MAIN"),
];

const COMPRESSIONS: &[(&str, &str)] = &[("pglz", "pglz"), ("lz4", "lz4"), ("default", "DEFAULT")];

/// The settings of a field.
pub(crate) const FIELD: &[Setting<Field>] = &[
    once("column", "column = \"…\"", |it, a, _| {
        text(&mut it.column, a)
    }),
    once("sql_type", "sql_type = \"…\"", |it, a, _| {
        text(&mut it.sql_type, a)
    }),
    once("default", "default = \"…\"", |it, a, _| {
        it.filled_by(Filling::Default(a.text()?))
    }),
    once("primary_key", "primary_key", |it, a, mistakes| {
        set(
            &mut it.primary_key,
            Key::on_field(PRIMARY_KEY, &it.ident, a, mistakes)?,
        )
    }),
    once(
        "identity",
        "identity = \"by default\"` or `identity(always, start = 10)",
        |it, a, mistakes| {
            it.filled_by(Filling::Identity(
                a.key()?.span(),
                Identity::read(a, mistakes)?,
            ))
        },
    ),
    once("serial", "serial", |it, a, _| {
        it.filled_by(Filling::Serial(a.word()?.span()))
    }),
    once(
        "generated",
        "generated = \"…\"` or `generated(expr = \"…\", virtual)",
        |it, a, mistakes| {
            it.filled_by(Filling::Generated(
                a.key()?.span(),
                Generated::read(a, mistakes)?,
            ))
        },
    ),
    many("unique", "unique", |it, a, mistakes| {
        it.uniques
            .push(Key::on_field(UNIQUE, &it.ident, a, mistakes)?);
        Some(())
    }),
    many("index", "index", |it, a, mistakes| {
        it.indexes.push(Index::on_field(&it.ident, a, mistakes)?);
        Some(())
    }),
    many("check", "check(\"…\")", |it, a, mistakes| {
        it.checks
            .push(Check::read(Place::on_field(&it.ident, a), a, mistakes)?);
        Some(())
    }),
    once(
        "references",
        "references = Other::field` or `references(Other::field, name = \"…\")",
        |it, a, mistakes| set(&mut it.reference, Reference::read(&it.ident, a, mistakes)?),
    ),
    once(
        "on_delete",
        "on_delete = \"cascade\"` or `on_delete(set_null(a))",
        Field::rule,
    ),
    once("on_update", "on_update = \"cascade\"", |it, a, mistakes| {
        it.rule(a, mistakes)
    }),
    once("match", "match = \"full\"", |it, a, mistakes| {
        it.rule(a, mistakes)
    }),
    once("deferrable", "deferrable", |it, a, mistakes| {
        it.rule(a, mistakes)
    }),
    once("initially_deferred", "initially_deferred", Field::rule),
    once("not_null", "not_null(name = \"…\")", |it, a, _| {
        let [name] = a.list()? else { return None };
        let is_name = name.key().is_some_and(|key| key == "name");
        let name = name
            .text()
            .filter(|name| is_name && !name.value().is_empty())?;
        set(&mut it.not_null, name)
    }),
    once("collation", "collation = \"…\"", |it, a, _| {
        text(&mut it.collation, a)
    }),
    once("storage", "storage = \"external\"", |it, a, mistakes| {
        choose(&mut it.storage, a, STORAGES, mistakes)
    }),
    once("compression", "compression = \"lz4\"", |it, a, mistakes| {
        choose(&mut it.compression, a, COMPRESSIONS, mistakes)
    }),
    once("statistics", "statistics = 500", |it, a, _| {
        let target = i32::try_from(integer(a.value()?)?).ok()?;
        set(&mut it.statistics, target)
    }),
    once_or_empty("comment", "comment = \"…\"", |it, a, _| {
        text(&mut it.comment, a)
    }),
    once(
        "using",
        "using = \"…\"` or `using(\"…\", back = \"…\")",
        |it, a, mistakes| set(&mut it.using, Using::read(a, mistakes)?),
    ),
    once(
        "fill",
        "fill = \"…\"` or `fill(\"…\", triggers = \"off\")",
        |it, a, mistakes| set(&mut it.fill, Fill::read(a, mistakes)?),
    ),
    once("renamed_from", "renamed_from = \"…\"", |it, a, _| {
        let place = Place::on_field(&it.ident, a);
        set(&mut it.renamed_from, RenamedFrom::read(place, a)?)
    }),
    once("skip", "skip", |it, a, _| set(&mut it.skip, a.word()?)),
];

impl Field {
    /// Reads a named field; a field without a name is not a column.
    pub(crate) fn read(field: &syn::Field, mistakes: &Mistakes) -> Option<Self> {
        let mut read = Self::new(field)?;
        let written = field
            .attrs
            .iter()
            .filter(|attribute| attribute.path().is_ident("model"));
        let all: Vec<Argument> = written
            .flat_map(|attribute| arguments(attribute, mistakes))
            .collect();
        read_all("a field", FIELD, &all, &mut read, mistakes);
        if read.skip.is_none() {
            documentation::check(&field.attrs, read.comment.as_ref(), mistakes);
        }
        Some(read)
    }

    fn new(field: &syn::Field) -> Option<Self> {
        Some(Self {
            ident: field.ident.clone()?,
            ty: field.ty.clone(),
            column: None,
            sql_type: None,
            collation: None,
            not_null: None,
            storage: None,
            compression: None,
            statistics: None,
            comment: None,
            documentation: comment(&field.attrs),
            fillings: Vec::new(),
            primary_key: None,
            uniques: Vec::new(),
            indexes: Vec::new(),
            checks: Vec::new(),
            reference: None,
            rules: None,
            using: None,
            fill: None,
            renamed_from: None,
            skip: None,
            diesel: diesel_attributes(&field.attrs),
        })
    }

    /// The column's name: what an attribute says, else the field's own.
    pub(crate) fn column_name(&self) -> String {
        let written = self.column.as_ref().or(self.diesel.column_name.as_ref());
        written.map_or_else(|| self.ident.unraw().to_string(), LitStr::value)
    }

    /// The foreign key, where the field refers to another.
    pub(crate) fn foreign_key(&self) -> Option<ForeignKey> {
        let rules = self.rules.clone().map(|(_, rules)| rules);
        let reference = self.reference.clone()?;
        Some(ForeignKey::on_field(&self.ident, reference, rules))
    }

    /// Reads a setting of a reference that stands beside it.
    fn rule(&mut self, argument: &Argument, mistakes: &Mistakes) -> Option<()> {
        let word = argument.key()?.clone();
        self.rules
            .get_or_insert_with(|| (word, Rules::default()))
            .1
            .read(argument, mistakes)
    }

    fn filled_by(&mut self, filling: Filling) -> Option<()> {
        self.fillings.push(filling);
        Some(())
    }
}
