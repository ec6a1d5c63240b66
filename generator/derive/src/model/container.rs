//! A struct that is a model, with its attributes.

use syn::{Attribute, Ident, LitStr};

use super::check::Check;
use super::exclude::Exclude;
use super::foreign_key::ForeignKey;
use super::index::Index;
use super::key::{Key, PRIMARY_KEY, UNIQUE};
use super::parameters::TableParameters;
use super::partition::{self, Layout};
use super::statistics::Statistics;
use crate::argument::{Argument, arguments};
use crate::diesel::{DieselAttributes, Namespace, diesel_attributes};
use crate::documentation::{self, comment};
use crate::mistakes::Mistakes;
use crate::place::Place;
use crate::renamed_from::RenamedFrom;
use crate::setting::{Setting, many, once, once_or_empty, read_all, set, text, turn_on};

/// Attributes of a struct, before any cross-check.
#[derive(Default)]
pub(crate) struct Container {
    pub(crate) table: Option<LitStr>,
    pub(crate) namespace: Option<LitStr>,
    pub(crate) comment: Option<LitStr>,
    pub(crate) documentation: Option<String>,
    pub(crate) of_type: Option<LitStr>,
    pub(crate) unlogged: bool,
    /// The storage parameters, with the word that says them.
    pub(crate) parameters: Option<(Ident, TableParameters)>,
    pub(crate) primary_key: Option<Key>,
    pub(crate) uniques: Vec<Key>,
    pub(crate) indexes: Vec<Index>,
    pub(crate) checks: Vec<Check>,
    pub(crate) excludes: Vec<Exclude>,
    pub(crate) foreign_keys: Vec<ForeignKey>,
    pub(crate) statistics: Vec<Statistics>,
    pub(crate) layout: Layout,
    pub(crate) renamed_from: Option<RenamedFrom>,
    pub(crate) diesel: DieselAttributes,
}

/// The settings of a struct.
pub(crate) const CONTAINER: &[Setting<Container>] = &[
    once("table", "table = \"…\"", |it, a, _| {
        text(&mut it.table, a)
    }),
    once("namespace", "namespace = \"…\"", |it, a, _| {
        text(&mut it.namespace, a)
    }),
    once("primary_key", "primary_key(a, b)", |it, a, mistakes| {
        set(
            &mut it.primary_key,
            Key::on_struct(PRIMARY_KEY, a, mistakes)?,
        )
    }),
    many("unique", "unique(a, b)", |it, a, mistakes| {
        it.uniques.push(Key::on_struct(UNIQUE, a, mistakes)?);
        Some(())
    }),
    many("index", "index(a, \"lower(b)\")", |it, a, mistakes| {
        it.indexes.push(Index::on_struct(a, mistakes)?);
        Some(())
    }),
    many("check", "check(\"…\")", |it, a, mistakes| {
        it.checks
            .push(Check::read(Place::on_struct(a), a, mistakes)?);
        Some(())
    }),
    many(
        "exclude",
        "exclude(a(with = \"=\"), b(with = \"&&\"), method = \"gist\")",
        |it, a, mistakes| {
            it.excludes.push(Exclude::on_struct(a, mistakes)?);
            Some(())
        },
    ),
    many(
        "foreign_key",
        "foreign_key(columns(a, b), references = Other(x, y))",
        |it, a, mistakes| {
            it.foreign_keys.push(ForeignKey::on_struct(a, mistakes)?);
            Some(())
        },
    ),
    many(
        "statistics",
        "statistics(a, b, name = \"…\")",
        |it, a, mistakes| {
            it.statistics.push(Statistics::on_struct(a, mistakes)?);
            Some(())
        },
    ),
    once("partition_by", partition::BY, |it, a, mistakes| {
        it.layout.read_by(a, mistakes)
    }),
    many("partition", partition::ONE, |it, a, mistakes| {
        it.layout.read_partition(a, mistakes)
    }),
    many("partitions", partition::MANY, |it, a, mistakes| {
        it.layout.read_rule(a, mistakes)
    }),
    once("of", "of = \"…\"", |it, a, _| text(&mut it.of_type, a)),
    once("unlogged", "unlogged", |it, a, _| {
        turn_on(&mut it.unlogged, a)
    }),
    once(
        "with",
        "with(fillfactor = 70, toast(autovacuum_enabled = false))",
        |it, a, _| {
            let parameters = TableParameters::read(a)?;
            set(&mut it.parameters, (a.key()?.clone(), parameters))
        },
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

impl Container {
    pub(crate) fn read(attributes: &[Attribute], mistakes: &Mistakes) -> Self {
        let mut read = Self {
            documentation: comment(attributes),
            diesel: diesel_attributes(attributes),
            ..Self::default()
        };
        let written = attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("model"));
        let all: Vec<Argument> = written
            .flat_map(|attribute| arguments(attribute, mistakes))
            .collect();
        read_all("a struct", CONTAINER, &all, &mut read, mistakes);
        documentation::check(attributes, read.comment.as_ref(), mistakes);
        read
    }

    /// The table's name. Where none is written, the rules have said so already.
    pub(crate) fn table_name(&self) -> String {
        self.table
            .as_ref()
            .or(self.diesel.table_name.as_ref())
            .map(LitStr::value)
            .unwrap_or_default()
    }

    /// The table's namespace: the one that is written, else the one of the module that Diesel's table is in.
    pub(crate) fn namespace(&self) -> String {
        match (&self.namespace, &self.diesel.namespace) {
            (Some(written), _) => written.value(),
            (None, Namespace::Module(module)) => module.clone(),
            (None, Namespace::Unwritten | Namespace::Default | Namespace::Unknown(_)) => {
                "public".to_owned()
            }
        }
    }

    /// The columns of the primary key that Diesel's attribute names.
    pub(crate) fn diesel_primary_key(&self) -> Option<&[Ident]> {
        self.diesel.primary_key.as_deref()
    }
}
