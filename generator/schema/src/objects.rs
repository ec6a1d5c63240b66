//! The register: one line a kind, in the order in which kinds come into being when nothing else decides.

use std::{
    fmt::{self, Display, Formatter},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{
    Alter, Clause, Hazard, Keeping, Lead, Schema, Server, Slot, Statement,
    name::Path,
    object::Object,
    read::{Claims, ReadError},
};

mod catalog;
mod key_constraint;
mod moves;
mod reads;

pub use moves::{moves, waits};

/// Makes the register: the rooms' modules, the enums over all kinds, and what calls a room through them. rustfmt does not see
/// modules that come out of a macro, so `make fmt` names their files.
macro_rules! objects {
    ($($module:ident::$Kind:ident),* $(,)?) => {
        $(pub(crate) mod $module;)*

        /// An object of any kind. Private to the crate, so that nothing outside can ask which kind it is.
        #[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
        #[serde(tag = "kind", rename_all = "snake_case")]
        pub(crate) enum AnyObject { $($Kind($module::$Kind)),* }

        /// The key of an object of any kind.
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum AnyKey { $($Kind(<$module::$Kind as Object>::Key)),* }

        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        enum Tag { $($Kind),* }

        impl Kind {
            /// Every kind, in the order of the register.
            #[must_use]
            pub fn all() -> Vec<Self> {
                vec![$(Self(Tag::$Kind)),*]
            }

            /// The SELECT that reads every object of the kind: `addresses int8[]`, `position int4`, `object json`.
            #[must_use]
            pub fn catalog(self, server: Server) -> String {
                match self.0 { $(Tag::$Kind => <$module::$Kind as Object>::catalog(server)),* }
            }

            /// A FROM clause that finds a row wherever [`Kind::catalog`] does.
            #[must_use]
            pub fn traces(self) -> String {
                match self.0 { $(Tag::$Kind => <$module::$Kind as Object>::traces()),* }
            }

            /// Name for parts of such an object that are no objects of their own.
            #[must_use]
            pub fn part(self) -> &'static str {
                match self.0 { $(Tag::$Kind => <$module::$Kind as Object>::PART),* }
            }

            pub(crate) fn decode(self, row: &[u8], claims: &Claims) -> Result<Option<AnyObject>, ReadError> {
                let decoded = match self.0 {
                    $(Tag::$Kind => <$module::$Kind as Object>::decode(row, claims)
                        .map(|object| object.map(AnyObject::$Kind))),*
                };
                decoded.map_err(|source| ReadError::Row {
                    kind: self,
                    row: String::from_utf8_lossy(row).into_owned(),
                    source,
                })
            }
        }

        impl Display for Kind {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                f.write_str(match self.0 { $(Tag::$Kind => <$module::$Kind as Object>::NAME),* })
            }
        }

        impl Id {
            /// The id's kind.
            #[must_use]
            pub fn kind(&self) -> Kind {
                Kind(match *self.0 { $(AnyKey::$Kind(_) => Tag::$Kind),* })
            }

            /// Its designation in SQL, as in `COMMENT ON …`.
            #[must_use]
            pub fn designation(&self) -> String {
                match &*self.0 { $(AnyKey::$Kind(key) => <$module::$Kind as Object>::designation(key)),* }
            }
        }

        impl Id {
            /// The names that lead to it, from the outside in; none where it has no name of its own.
            #[must_use]
            pub fn path(&self) -> Vec<&str> {
                match &*self.0 { $(AnyKey::$Kind(key) => key.path()),* }
            }
        }

        impl Display for Id {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                match &*self.0 { $(AnyKey::$Kind(key) => write!(f, "{} {key}", <$module::$Kind as Object>::NAME)),* }
            }
        }

        $(impl Registered for $module::$Kind {
            fn kind() -> Kind {
                Kind(Tag::$Kind)
            }
            fn id(key: Self::Key) -> Id {
                Id(Arc::new(AnyKey::$Kind(key)))
            }
            fn of(object: &AnyObject) -> Option<&Self> {
                if let AnyObject::$Kind(object) = object { Some(object) } else { None }
            }
        })*

        /// Runs an expression with the object of whatever kind bound to a name.
        macro_rules! each {
            ($any:expr, $object:ident => $body:expr) => {
                match $any { $(AnyObject::$Kind($object) => $body),* }
            };
        }

        impl AnyObject {
            pub(crate) fn id(&self) -> Id {
                match self { $(Self::$Kind(object) => <$module::$Kind as Registered>::id(object.key())),* }
            }

            pub(crate) fn alter(&self, next: &Self, from: &Schema, to: &Schema) -> Alter {
                match (self, next) {
                    $((Self::$Kind(old), Self::$Kind(new)) => old.alter(new, from, to),)*
                    // Equal ids have equal kinds, so this is never reached by way of a diff.
                    _ => Alter::Replace,
                }
            }

            pub(crate) fn follow(&self, leader: &Self, within: &Schema) -> Vec<Statement> {
                match (self, leader) {
                    $((Self::$Kind(object), Self::$Kind(leader)) => object.follow(leader, within),)*
                    _ => Vec::new(),
                }
            }

            pub(crate) fn loss(&self, next: &Self, schema: &Schema) -> Option<Hazard> {
                match (self, next) {
                    $((Self::$Kind(from), Self::$Kind(to)) => from.loss(to, schema),)*
                    _ => None,
                }
            }

            pub(crate) fn vouches(&self, next: &Self) -> bool {
                match (self, next) {
                    $((Self::$Kind(from), Self::$Kind(to)) => from.vouches(to),)*
                    _ => false,
                }
            }

            pub(crate) fn keep(&self, there: &Self, keeping: &Keeping<'_>) -> Self {
                match (self, there) {
                    $((Self::$Kind(declared), Self::$Kind(there)) => Self::$Kind(declared.keep(there, keeping)),)*
                    _ => self.clone(),
                }
            }

            pub(crate) fn named(&self, name: &str) -> Self {
                match self { $(Self::$Kind(object) => Self::$Kind(object.named(name))),* }
            }

            pub(crate) fn rename(&self, to: &str) -> Option<Statement> {
                match self {
                    $(Self::$Kind(object) => {
                        let key = object.key();
                        object.keyed(key.with_name(to)?)?;
                        Some(<$module::$Kind as Object>::rename(&key, to))
                    })*
                }
            }

            pub(crate) fn relocate(&self, namespace: &str) -> Option<(Self, Statement)> {
                match self {
                    $(Self::$Kind(object) => {
                        let key = object.key();
                        let moved = object.keyed(key.in_namespace(namespace)?)?;
                        let statement = <$module::$Kind as Object>::relocate(&key, namespace)?;
                        Some((Self::$Kind(moved), statement))
                    })*
                }
            }

            pub(crate) fn rename_part(&self, part: &str, to: &str) -> Option<(Self, Statement)> {
                match self {
                    $(Self::$Kind(object) => object.rename_part(part, to)
                        .map(|(renamed, statement)| (Self::$Kind(renamed), statement)),)*
                }
            }

            pub(crate) fn name_anew(&self, before: &Self, old: &Schema, new: &Schema) -> Self {
                match (self, before) {
                    $((Self::$Kind(now), Self::$Kind(before)) => Self::$Kind(now.name_anew(before, old, new)),)*
                    _ => self.clone(),
                }
            }

            pub(crate) fn resembles(&self, within: &Schema, other: &Self, others: &Schema) -> bool {
                match (self, other) {
                    $((Self::$Kind(one), Self::$Kind(other)) => one.resembles(within, other, others),)*
                    _ => false,
                }
            }
        }
    };
}

objects! {
    extension::Extension,
    namespace::Namespace,
    collation::Collation,
    enum_type::EnumType,
    sequence::Sequence,
    table::Table,
    column::Column,
    default::Default,
    owner::Owner,
    primary_key::PrimaryKey,
    unique::Unique,
    exclusion::Exclusion,
    check::Check,
    index::Index,
    extended_statistics::ExtendedStatistics,
    foreign_key::ForeignKey,
    inheritance::Inheritance,
    typed_table::TypedTable,
    view::View,
    materialized_view::MaterializedView,
    rule::Rule,
    comment::Comment,
}

/// A kind of Postgres object. It can be compared, ordered (as kinds come into being) and printed, and nothing else.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Kind(Tag);

impl Kind {
    /// The place of the kind in the register, from 0.
    #[must_use]
    pub fn rank(self) -> u8 {
        self.0 as u8
    }
}

/// Identity of an object within its schema: its kind and its key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Id(Arc<AnyKey>);

/// The bridge between a room and the enums over all kinds.
pub(crate) trait Registered: Object {
    fn kind() -> Kind;
    fn id(key: Self::Key) -> Id;
    fn of(object: &AnyObject) -> Option<&Self>;
}

impl AnyObject {
    pub(crate) fn parent(&self) -> Option<Id> {
        each!(self, object => object.parent())
    }

    pub(crate) fn falls_with(&self, within: &Schema) -> Option<Id> {
        each!(self, object => object.falls_with(within))
    }

    pub(crate) fn taken_over_by(&self, from: &Schema, to: &Schema) -> Option<Id> {
        each!(self, object => object.taken_over_by(from, to))
    }

    pub(crate) fn holds_data(&self) -> bool {
        each!(self, object => object.holds_data())
    }

    pub(crate) fn lists_columns(&self) -> bool {
        each!(self, object => object.lists_columns())
    }

    pub(crate) fn create_if_absent(&self, within: &Schema) -> Option<Statement> {
        each!(self, object => object.create_if_absent(within))
    }

    pub(crate) fn refresh(&self) -> Option<Statement> {
        each!(self, object => object.refresh())
    }

    pub(crate) fn needs(&self, on: &Id) -> bool {
        each!(self, object => object.needs(on))
    }

    pub(crate) fn also_needs(&self) -> Vec<Id> {
        each!(self, object => object.also_needs())
    }

    pub(crate) fn ties(&self) -> Vec<Id> {
        each!(self, object => object.ties())
    }

    pub(crate) fn comes_after(&self, within: &Schema) -> Vec<Id> {
        each!(self, object => object.comes_after(within))
    }

    pub(crate) fn follows(&self, from: &Schema, to: &Schema) -> Vec<Lead> {
        each!(self, object => object.follows(from, to))
    }

    pub(crate) fn occupies(&self) -> Vec<Slot> {
        each!(self, object => object.occupies())
    }

    pub(crate) fn create(&self, within: &Schema, clauses: &[Clause]) -> Vec<Statement> {
        each!(self, object => object.create(within, clauses))
    }

    pub(crate) fn clause(&self, within: &Schema, clauses: &[Clause]) -> Option<Clause> {
        each!(self, object => object.clause(within, clauses))
    }

    pub(crate) fn remove(&self, within: &Schema) -> Vec<Statement> {
        each!(self, object => object.remove(within))
    }

    pub(crate) fn recast(
        &self,
        replaced: &Id,
        from: &Schema,
        to: &Schema,
    ) -> Option<Vec<Statement>> {
        each!(self, object => object.recast(replaced, from, to))
    }

    pub(crate) fn parts(&self) -> &[String] {
        each!(self, object => object.parts())
    }

    pub(crate) fn is_scheduled(&self, within: &Schema) -> bool {
        each!(self, object => object.is_scheduled(within))
    }

    pub(crate) fn clusters(&self) -> bool {
        each!(self, object => object.clusters())
    }

    pub(crate) fn naming(&self, within: &Schema) -> Option<(Id, String)> {
        each!(self, object => object.naming(within))
    }

    pub(crate) fn declarable(&self, within: &Schema) -> bool {
        each!(self, object => object.declarable(within))
    }

    pub(crate) fn holds_on(&self) -> bool {
        each!(self, object => object.holds_on())
    }

    pub(crate) fn is_shared(&self) -> bool {
        each!(self, object => object.is_shared())
    }

    pub(crate) fn clear(&self) -> Option<String> {
        each!(self, object => object.clear())
    }

    pub(crate) fn dumped(&self) -> Option<[String; 2]> {
        each!(self, object => object.dumped())
    }

    pub(crate) fn package(&self) -> Option<String> {
        each!(self, object => object.package())
    }
}
