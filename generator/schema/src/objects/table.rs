//! Tables, partitioned ones too. A table is its name and its settings; columns and constraints are objects of their own that
//! fold into its CREATE TABLE.

use serde::{Deserialize, Serialize};

use super::{
    Registered,
    catalog::{parameter_changes, parameters, set_tablespace, table, tablespace_name},
    column::Column,
    foreign_key::ForeignKey,
    inheritance::is_partition,
    typed_table::made_of,
};
use crate::{
    Alter, Clause, Detail, Hazard, Id, Keeping, Name, Schema, Server, Slot, Statement,
    name::quoted_ident, object::Object, parameters::meant,
};

/// A row of `pg_class` with `relkind` `r` or `p`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    name: Name,
    unlogged: bool,
    options: Vec<String>,
    toast_options: Vec<String>,
    /// `None` for a partitioned table that does not say what its partitions are stored with.
    access_method: Option<String>,
    /// `None` for the database's own.
    tablespace: Option<String>,
    replica_identity: ReplicaIdentity,
    row_security: bool,
    force_row_security: bool,
    /// The words after PARTITION BY, for a partitioned table.
    partition_by: Option<String>,
}

/// `pg_class.relreplident`: what of an old row goes into the log for logical replication.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum ReplicaIdentity {
    #[serde(rename = "d")]
    Default,
    #[serde(rename = "f")]
    Full,
    #[serde(rename = "n")]
    Nothing,
    /// The index says which one it is.
    #[serde(rename = "i")]
    Index,
}

impl Object for Table {
    const NAME: &'static str = "table";

    type Key = Name;

    fn traces() -> String {
        "pg_catalog.pg_class WHERE relkind IN ('r', 'p') AND oid >= 16384".to_owned()
    }

    fn catalog(_server: Server) -> String {
        format!(
            "SELECT ARRAY['pg_catalog.pg_class'::regclass::int8, c.oid::int8, 0] AS addresses,
                0 AS position,
                json_build_object(
                    'name', json_build_object('namespace', n.nspname, 'name', c.relname),
                    'unlogged', c.relpersistence = 'u',
                    'options', {options},
                    'toast_options', {toast_options},
                    'access_method', am.amname,
                    'tablespace', ts.spcname,
                    'replica_identity', c.relreplident,
                    'row_security', c.relrowsecurity,
                    'force_row_security', c.relforcerowsecurity,
                    'partition_by', CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END) AS object
            FROM pg_catalog.pg_class c
                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
                LEFT JOIN pg_catalog.pg_class toast ON toast.oid = c.reltoastrelid
                LEFT JOIN pg_catalog.pg_tablespace ts ON ts.oid = c.reltablespace
            WHERE {}",
            table(),
            options = meant("c.reloptions"),
            toast_options = meant("toast.reloptions"),
        )
    }

    fn key(&self) -> Name {
        self.name.clone()
    }

    fn holds_data(&self) -> bool {
        true
    }

    /// Inheritance is an object of its own, as are inherited columns: a table needs no other table.
    fn needs(&self, on: &Id) -> bool {
        on.kind() != Self::kind()
    }

    fn designation(key: &Name) -> String {
        format!("TABLE {key}")
    }

    fn occupies(&self) -> Vec<Slot> {
        vec![
            Slot::Relation(self.name.clone()),
            Slot::Type(self.name.clone()),
        ]
    }

    fn create(&self, within: &Schema, clauses: &[Clause]) -> Vec<Statement> {
        let Self {
            name,
            unlogged,
            options,
            toast_options,
            access_method,
            tablespace,
            replica_identity,
            row_security,
            force_row_security,
            partition_by,
        } = self;
        let unlogged = if *unlogged { "UNLOGGED " } else { "" };
        let (behind, inside): (Vec<&Clause>, Vec<&Clause>) =
            clauses.iter().partition(|clause| clause.is_behind());
        let texts = |clauses: Vec<&'_ Clause>| -> Vec<String> {
            let texts = clauses.into_iter().map(|clause| clause.text().to_owned());
            texts.filter(|text| !text.is_empty()).collect()
        };
        let (parents, lines) = (texts(behind), texts(inside));
        let mut sql = format!("CREATE {unlogged}TABLE {name}");
        let of_type = made_of(name, within);
        if let Some(of_type) = of_type {
            sql += &format!(" OF {of_type}");
        }
        if !lines.is_empty() {
            sql += &format!(" (\n    {}\n)", lines.join(",\n    "));
        } else if of_type.is_none() {
            sql += " ()";
        }
        if !parents.is_empty() {
            sql += &format!("\nINHERITS ({})", parents.join(", "));
        }
        if let Some(partition_by) = partition_by {
            sql += &format!("\nPARTITION BY {partition_by}");
        }
        if let Some(method) = access_method.as_ref().filter(|method| *method != "heap") {
            sql += &format!("\nUSING {}", quoted_ident(method));
        }
        // Without columns there is no TOAST table yet, and Postgres would drop its settings on the floor.
        let all = if clauses.is_empty() {
            options.clone()
        } else {
            with_toast(options, toast_options)
        };
        if !all.is_empty() {
            sql += &format!("\nWITH {}", parameters(&all));
        }
        if let Some(tablespace) = tablespace {
            sql += &format!("\nTABLESPACE {}", quoted_ident(tablespace));
        }
        let mut statements = vec![Statement::new(format!("Create table {name}"), sql)];
        statements.extend(replica_identity.statement(name, ReplicaIdentity::Default));
        statements.extend(row_security_change(name, false, *row_security));
        statements.extend(force_row_security_change(name, false, *force_row_security));
        statements
    }

    fn remove(&self, within: &Schema) -> Vec<Statement> {
        let name = &self.name;
        let drop = Statement::new(format!("Drop table {name}"), format!("DROP TABLE {name}"));
        let id = Self::id(name.clone());
        if !self.is_partitioned() {
            let rows = format!("every row of {name}");
            return vec![drop.hazard(Hazard::drops(id, rows))];
        }
        let drop = if self.has_identity(within) {
            let numbers = format!("where the numbers of {name} stand");
            drop.hazard(Hazard::loses(id.clone(), numbers))
        } else {
            drop
        };
        // DROP TABLE takes partitions along without CASCADE. Those that are known are gone or on their own by then.
        let rows = format!(
            "every row of partitions of {name} that no migration made, where there are any"
        );
        vec![drop.hazard(Hazard::drops(id, rows))]
    }

    fn alter(&self, next: &Self, _from: &Schema, to: &Schema) -> Alter {
        let Self {
            name,
            unlogged,
            options,
            toast_options,
            access_method,
            tablespace,
            replica_identity,
            row_security,
            force_row_security,
            partition_by,
        } = self;
        let Self {
            name: _,
            unlogged: to_unlogged,
            options: to_options,
            toast_options: to_toast_options,
            access_method: to_access_method,
            tablespace: to_tablespace,
            replica_identity: to_replica_identity,
            row_security: to_row_security,
            force_row_security: to_force_row_security,
            partition_by: to_partition_by,
        } = next;
        if partition_by != to_partition_by {
            return Alter::Replace;
        }
        let mut statements = Vec::new();
        let alter = format!("ALTER TABLE {name}");
        if unlogged != to_unlogged {
            if self.is_partitioned() {
                return Alter::NotYet(
                    "Postgres cannot change whether a partitioned table is logged".to_owned(),
                );
            }
            let logged = if *to_unlogged { "UNLOGGED" } else { "LOGGED" };
            let set = Statement::new(
                format!("Make table {name} {}", logged.to_lowercase()),
                format!("{alter} SET {logged}"),
            );
            // A logged table cannot refer to one that is unlogged, and of two that change one changes first.
            statements.push(set.disturbs([ForeignKey::kind()]));
        }
        if access_method != to_access_method {
            if !to
                .server()
                .at_least(if self.is_partitioned() { 17 } else { 15 })
            {
                return Alter::NotYet(format!(
                    "PostgreSQL {} cannot change the access method of a table",
                    to.server().major()
                ));
            }
            let method = to_access_method
                .as_ref()
                .map_or("DEFAULT".to_owned(), |method| quoted_ident(method));
            statements.push(Statement::new(
                format!("Store table {name} with {method}"),
                format!("{alter} SET ACCESS METHOD {method}"),
            ));
        }
        if tablespace != to_tablespace {
            let to = to_tablespace.as_deref();
            statements.push(Statement::new(
                format!("Move table {name} to {}", tablespace_name(to)),
                set_tablespace(&alter, to),
            ));
        }
        let (from, to) = (
            with_toast(options, toast_options),
            with_toast(to_options, to_toast_options),
        );
        statements.extend(parameter_changes(&from, &to).into_iter().map(|change| {
            Statement::new(
                format!("Change storage parameters of {name}"),
                format!("ALTER TABLE {name} {change}"),
            )
        }));
        statements.extend(to_replica_identity.statement(name, *replica_identity));
        statements.extend(row_security_change(name, *row_security, *to_row_security));
        statements.extend(force_row_security_change(
            name,
            *force_row_security,
            *to_force_row_security,
        ));
        Alter::InPlace(statements)
    }

    fn keep(&self, there: &Self, keeping: &Keeping<'_>) -> Self {
        let Self {
            name,
            unlogged,
            options: _,
            toast_options: _,
            access_method: _,
            tablespace: _,
            replica_identity: _,
            row_security: _,
            force_row_security: _,
            partition_by,
        } = self;
        // A partitioned table stores nothing itself: it has no storage parameters, and may have no access method.
        let stored = if self.is_partitioned() == there.is_partitioned() {
            there
        } else {
            self
        };
        let says = keeping.decides(Detail::Parameters);
        let parameters = if says { self } else { stored };
        Self {
            name: name.clone(),
            unlogged: *unlogged,
            options: parameters.options.clone(),
            toast_options: parameters.toast_options.clone(),
            access_method: stored.access_method.clone(),
            tablespace: there.tablespace.clone(),
            replica_identity: there.replica_identity,
            row_security: there.row_security,
            force_row_security: there.force_row_security,
            partition_by: partition_by.clone(),
        }
    }

    fn keyed(&self, name: Name) -> Option<Self> {
        Some(Self {
            name,
            ..self.clone()
        })
    }

    /// Two tables are alike where most of the columns of the larger one are in the other too.
    fn resembles(&self, within: &Schema, other: &Self, others: &Schema) -> bool {
        let columns = |name: &Name, schema: &Schema| -> Vec<Column> {
            let table = Self::id(name.clone());
            schema.parts::<Column>(&table).cloned().collect()
        };
        let (mine, theirs) = (columns(&self.name, within), columns(&other.name, others));
        let shared = mine.iter().filter(|column| {
            let mut theirs = theirs.iter();
            theirs.any(|other| column.is_called_and_typed_as(other))
        });
        shared.count() * 3 >= mine.len().max(theirs.len()).max(1) * 2
    }

    /// Jobs make partitions for the time to come.
    fn is_scheduled(&self, within: &Schema) -> bool {
        is_partition(&self.name, within)
    }

    fn clear(&self) -> Option<String> {
        Some(format!("DROP TABLE IF EXISTS {} CASCADE", self.name))
    }
}

impl Table {
    /// True if a column of it is an identity.
    fn has_identity(&self, within: &Schema) -> bool {
        let id = Self::id(self.name.clone());
        let mut columns = within.parts::<Column>(&id);
        columns.any(Column::has_identity)
    }

    /// True if UNLOGGED.
    pub(super) fn is_unlogged(&self) -> bool {
        self.unlogged
    }

    /// True if it is partitioned.
    pub(super) fn is_partitioned(&self) -> bool {
        self.partition_by.is_some()
    }

    /// True if the table must be recreated: Postgres can change neither whether a table is partitioned nor its partition
    /// key.
    pub(super) fn is_remade(name: &Name, from: &Schema, to: &Schema) -> bool {
        match (from.get::<Self>(name), to.get::<Self>(name)) {
            (Some(old), Some(new)) => old.partition_by != new.partition_by,
            (None | Some(_), None) | (None, Some(_)) => false,
        }
    }

    /// True if FORCE ROW LEVEL SECURITY is set: policies bind the owner too, once row-level security is enabled.
    pub(super) fn forces_row_security(&self) -> bool {
        self.force_row_security
    }

    /// True if its policies bind its owner.
    pub(super) fn binds_owner(&self) -> bool {
        self.row_security && self.force_row_security
    }

    /// The statement that settles the TOAST table, which comes with the first column that needs one.
    pub(super) fn settle_toast(&self) -> Option<Statement> {
        let Self {
            name,
            toast_options,
            ..
        } = self;
        (!toast_options.is_empty()).then(|| {
            Statement::new(
                format!("Change storage parameters of {name}"),
                format!(
                    "ALTER TABLE {name} SET {}",
                    parameters(&with_toast(&[], toast_options))
                ),
            )
        })
    }
}

impl ReplicaIdentity {
    fn statement(self, table: &Name, from: Self) -> Option<Statement> {
        let identity = match self {
            _ if self == from => return None,
            Self::Default => "DEFAULT",
            Self::Full => "FULL",
            Self::Nothing => "NOTHING",
            Self::Index => return None,
        };
        Some(Statement::new(
            format!("Set the replica identity of {table}"),
            format!("ALTER TABLE {table} REPLICA IDENTITY {identity}"),
        ))
    }
}

/// The statement for an index that becomes the replica identity.
pub(super) fn replica_identity_index(
    table: &Name,
    index: &str,
    from: bool,
    to: bool,
) -> Option<Statement> {
    // An index that stops being it needs no statement: the table or the next index sets another identity.
    (to && !from).then(|| {
        Statement::new(
            format!(
                "Identify rows of {table} to replicas by {}",
                quoted_ident(index)
            ),
            format!(
                "ALTER TABLE {table} REPLICA IDENTITY USING INDEX {}",
                quoted_ident(index)
            ),
        )
    })
}

/// Storage parameters with those of the TOAST table, as WITH takes them.
pub(super) fn with_toast(options: &[String], toast_options: &[String]) -> Vec<String> {
    options
        .iter()
        .cloned()
        .chain(toast_options.iter().map(|option| format!("toast.{option}")))
        .collect()
}

fn row_security_change(name: &Name, from: bool, to: bool) -> Option<Statement> {
    let word = if to { "ENABLE" } else { "DISABLE" };
    (from != to).then(|| {
        Statement::new(
            format!(
                "{} row level security on {name}",
                if to { "Enable" } else { "Disable" }
            ),
            format!("ALTER TABLE {name} {word} ROW LEVEL SECURITY"),
        )
    })
}

fn force_row_security_change(name: &Name, from: bool, to: bool) -> Option<Statement> {
    let word = if to { "FORCE" } else { "NO FORCE" };
    (from != to).then(|| {
        Statement::new(
            format!(
                "{} row level security for the owner of {name}",
                if to { "Force" } else { "Do not force" }
            ),
            format!("ALTER TABLE {name} {word} ROW LEVEL SECURITY"),
        )
    })
}
