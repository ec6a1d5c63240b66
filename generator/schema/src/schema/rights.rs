//! Owners, grants, default privileges and security labels: compared by name, and set by no statement yet.
//!
//! Invariant: a role is compared by its name, except the one that migrates. The scratch stands in for that one by its own
//! user, whose name means nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Schema;
use crate::Id;

/// The owners, grants, default privileges and security labels of a schema that differ from the defaults.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Rights {
    /// The role that owns Diesel's record of the migrations; the session's own where there is no record.
    pub migrator: String,
    /// The session's role.
    pub session: String,
    /// True on the scratch, whose role stands in for the one that migrates.
    #[serde(default)]
    pub stands_in: bool,
    /// The rights, each about something else.
    pub rights: Vec<Right>,
}

/// One owner, list of grants or label.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Right {
    /// The target.
    pub of: Of,
    /// True if the object comes with Postgres or with an extension.
    pub built_in: bool,
    /// The owner, grants or label.
    pub says: Says,
}

/// Target of a right.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Of {
    /// An object that a room reads.
    Read(Id),
    /// Any other, by its kind and its name in Postgres' words.
    Other {
        /// `function`.
        kind: String,
        /// `public.touch()`.
        name: String,
        /// The object that must exist for it to exist.
        on: Place,
    },
    /// The future objects of a role.
    New {
        /// The role.
        role: String,
        /// `tables`, or `tables in public`.
        objects: String,
    },
}

/// The object that must exist for rights on it to exist.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Place {
    /// One that a room reads: the table of a column.
    Read(Id),
    /// One that no room reads, by its name there.
    Unread(String),
    /// None: it comes with Postgres or with an extension.
    Given,
}

impl Place {
    fn is_in(&self, schema: &Schema) -> bool {
        match self {
            Self::Read(id) => schema.entry(id).is_some(),
            Self::Unread(what) => schema.unread().iter().any(|unread| unread.what == *what),
            Self::Given => true,
        }
    }
}

/// Content of a right.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Says {
    /// The owner.
    Owner(String),
    /// All that is granted, besides everything to the owner.
    Grants(BTreeSet<Grant>),
    /// A security label and its provider.
    Label {
        /// The provider.
        provider: String,
        /// The label.
        label: String,
    },
}

/// Privileges of one role.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The role.
    pub to: Grantee,
    /// `SELECT, UPDATE`, or `ALL`.
    pub privileges: String,
    /// The role that granted it, where that is not the owner.
    pub by: Option<String>,
}

/// A role with privileges.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grantee {
    /// Every role.
    Public,
    /// The owner.
    Owner,
    /// This one.
    Role(String),
}

/// A difference in rights between two schemas.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct RightDelta {
    /// `owner`, `grants`, `security label`, `default privileges`.
    pub aspect: &'static str,
    /// The object's kind, where it is about one: `table`.
    pub kind: Option<String>,
    /// The object, where a room reads it.
    pub id: Option<Id>,
    /// Aspect and target together: `owner of table public.users`.
    pub what: String,
    /// Value in `from`.
    pub from: String,
    /// Value in `to`.
    pub to: String,
}

/// The role that migrates, whatever its name.
const MIGRATOR: &str = "the migrating role";

/// Words for an aspect that is at its default.
const BY_ITSELF: &str = "as by default";

/// Words for an object without a security label.
const UNLABELLED: &str = "none";

impl Of {
    fn words(&self, role: &impl Fn(&str) -> String) -> String {
        match self {
            Self::Read(id) => id.to_string(),
            Self::Other { kind, name, .. } => format!("{kind} {name}"),
            Self::New { role: of, objects } => format!("{} for {objects}", role(of)),
        }
    }

    fn kind(&self) -> Option<String> {
        match self {
            Self::Read(id) => Some(id.kind().to_string()),
            Self::Other { kind, .. } => Some(kind.clone()),
            Self::New { .. } => None,
        }
    }
}

impl Says {
    fn aspect(&self, of: &Of) -> &'static str {
        match (self, of) {
            (Self::Owner(_), _) => "owner",
            (Self::Grants(_), Of::New { .. }) => "default privileges",
            (Self::Grants(_), Of::Read(_) | Of::Other { .. }) => "grants",
            (Self::Label { .. }, _) => "security label",
        }
    }

    fn words(&self, role: &impl Fn(&str) -> String) -> String {
        match self {
            Self::Owner(owner) => role(owner),
            Self::Grants(grants) if grants.is_empty() => "nothing to anyone else".to_owned(),
            Self::Grants(grants) => {
                let grants: BTreeSet<String> =
                    grants.iter().map(|grant| grant.words(role)).collect();
                Vec::from_iter(grants).join("; ")
            }
            Self::Label { provider, label } => format!("{label} by {provider}"),
        }
    }
}

impl Grant {
    fn words(&self, role: &impl Fn(&str) -> String) -> String {
        let Self { to, privileges, by } = self;
        let to = match to {
            Grantee::Public => "PUBLIC".to_owned(),
            Grantee::Owner => "the owner".to_owned(),
            Grantee::Role(name) => role(name),
        };
        match by {
            Some(by) => format!("{privileges} to {to} by {}", role(by)),
            None => format!("{privileges} to {to}"),
        }
    }
}

impl Right {
    /// Aspect and target together: `owner of table public.users`.
    fn what(&self, role: &impl Fn(&str) -> String) -> String {
        let joint = match (&self.says, &self.of) {
            (Says::Owner(_) | Says::Label { .. }, _) | (_, Of::New { .. }) => "of",
            (Says::Grants(_), Of::Read(_) | Of::Other { .. }) => "on",
        };
        let aspect = self.says.aspect(&self.of);
        format!("{aspect} {joint} {}", self.of.words(role))
    }

    fn is_there(&self, schema: &Schema) -> bool {
        match &self.of {
            Of::Read(id) => schema.entry(id).is_some(),
            Of::Other { on, .. } => on.is_in(schema),
            Of::New { .. } => true,
        }
    }
}

/// One schema's value of a right.
struct Side<'a> {
    right: Option<&'a Right>,
    /// With the migrating role as such.
    words: String,
    /// With all roles by their names.
    plain: String,
}

impl Rights {
    /// The name of a role in the comparison with another schema.
    pub(super) fn role<'a>(&'a self, other: &'a Self) -> impl Fn(&str) -> String + 'a {
        |role| {
            let is_theirs = self.stands_in && !other.stands_in && role == other.migrator;
            if role == self.migrator || is_theirs {
                MIGRATOR.to_owned()
            } else {
                role.to_owned()
            }
        }
    }

    fn by_name<'a>(&'a self, other: &'a Self) -> BTreeMap<String, &'a Right> {
        let role = self.role(other);
        let rights = self.rights.iter().map(|right| (right.what(&role), right));
        rights.collect()
    }

    fn side<'a>(&'a self, other: &'a Self, right: Option<&'a Right>, twin: &Right) -> Side<'a> {
        match (right, &twin.says) {
            (Some(right), _) => Side {
                right: Some(right),
                words: right.says.words(&self.role(other)),
                plain: right.says.words(&str::to_owned),
            },
            (None, Says::Owner(_)) if !twin.built_in => Side {
                right: None,
                words: MIGRATOR.to_owned(),
                plain: self.migrator.clone(),
            },
            (None, Says::Label { .. }) => Side {
                right: None,
                words: UNLABELLED.to_owned(),
                plain: UNLABELLED.to_owned(),
            },
            (None, Says::Owner(_) | Says::Grants(_)) => Side {
                right: None,
                words: BY_ITSELF.to_owned(),
                plain: BY_ITSELF.to_owned(),
            },
        }
    }

    /// The owner of an object, where it is another role than the session's.
    pub(super) fn other_owner(&self, of: &Id) -> Option<&str> {
        let mut owners = self
            .rights
            .iter()
            .filter_map(|right| match (&right.of, &right.says) {
                (Of::Read(id), Says::Owner(owner)) if id == of => Some(owner.as_str()),
                _ => None,
            });
        owners.next().filter(|owner| *owner != self.session)
    }

    /// True if the object has a security label.
    pub(super) fn is_labelled(&self, id: &Id) -> bool {
        self.rights.iter().any(|right| {
            matches!((&right.of, &right.says), (Of::Read(of), Says::Label { .. }) if of == id)
        })
    }

    /// The same rights on objects that have other ids.
    pub(super) fn moved(&self, here: impl Fn(&Id) -> Id) -> Self {
        let rights = self.rights.iter().cloned().map(|right| match &right.of {
            Of::Read(id) => Right {
                of: Of::Read(here(id)),
                ..right
            },
            Of::Other {
                kind,
                name,
                on: Place::Read(id),
            } => Right {
                of: Of::Other {
                    kind: kind.clone(),
                    name: name.clone(),
                    on: Place::Read(here(id)),
                },
                ..right
            },
            Of::Other {
                on: Place::Unread(_) | Place::Given,
                ..
            }
            | Of::New { .. } => right,
        });
        Self {
            rights: rights.collect(),
            ..self.clone()
        }
    }

    /// The rights in a form that is the same for all schemas of which the rights are.
    pub(super) fn shape(&self) -> Vec<[String; 2]> {
        let role = self.role(self);
        let all = self
            .rights
            .iter()
            .map(|right| [right.what(&role), right.says.words(&role)]);
        let told = all.zip(&self.rights).filter(|([_, words], right)| {
            right.built_in || !matches!(right.says, Says::Owner(_)) || words != MIGRATOR
        });
        let told: BTreeSet<[String; 2]> = told.map(|(told, _)| told).collect();
        told.into_iter().collect()
    }
}

/// The differences in the rights on objects that both schemas have.
pub(super) fn differences(from: &Schema, to: &Schema) -> Vec<RightDelta> {
    let deltas = compared(from, to)
        .into_iter()
        .filter(|(right, _)| right.is_there(from) && right.is_there(to));
    deltas.map(|(_, delta)| delta).collect()
}

/// The rights on objects that `to` alone has, but for those that their creation brings.
pub(super) fn on_new(from: &Schema, to: &Schema) -> Vec<RightDelta> {
    let comes = |right: &Right| match (&right.of, &right.says) {
        (Of::Read(id), Says::Grants(_)) => to.entry(id).is_some_and(|entry| !entry.granted),
        _ => false,
    };
    let deltas = compared(from, to)
        .into_iter()
        .filter(|(right, _)| !right.is_there(from) && right.is_there(to) && !comes(right));
    deltas.map(|(_, delta)| delta).collect()
}

fn compared<'a>(from: &'a Schema, to: &'a Schema) -> Vec<(&'a Right, RightDelta)> {
    let (olds, news) = (
        from.rights.by_name(&to.rights),
        to.rights.by_name(&from.rights),
    );
    let both_real = !from.rights.stands_in && !to.rights.stands_in;
    let names: BTreeSet<&String> = olds.keys().chain(news.keys()).collect();
    let deltas = names.into_iter().filter_map(|name| {
        let (old, new) = (olds.get(name).copied(), news.get(name).copied());
        let right = old.or(new)?;
        let old = from.rights.side(&to.rights, old, right);
        let new = to.rights.side(&from.rights, new, right);
        if old.words == new.words || both_real && old.plain == new.plain {
            return None;
        }
        let id = match &right.of {
            Of::Read(id) => Some(id.clone()),
            Of::Other { .. } | Of::New { .. } => None,
        };
        let delta = RightDelta {
            aspect: right.says.aspect(&right.of),
            kind: right.of.kind(),
            id,
            what: name.clone(),
            from: old.words,
            to: new.words,
        };
        Some((old.right.or(new.right)?, delta))
    });
    deltas.collect()
}
