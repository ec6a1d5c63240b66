//! The surroundings of a live session, and the same on a scratch: roles of the same names, and the settings that change what
//! DDL means.

use std::collections::BTreeSet;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Nullable, Text};
use trueup::name::{ident_list, quoted_ident};

/// The settings that change what a statement makes, whoever sets them on a live database (`ALTER DATABASE`, `ALTER ROLE`, the
/// server's file or the URL):
///
/// - `search_path` decides where names without a namespace lead, also within bodies of functions;
/// - `default_tablespace`, `default_table_access_method` and `default_toast_compression` become part of new tables;
/// - `check_function_bodies` decides which functions can be made at all;
/// - `default_text_search_config` decides what `to_tsvector(text)` gives, and `row_security` what a query sees.
///
/// Settings with a dot in their name, which applications make up (`app.tenant`), come along where a database or a role sets
/// them, on a server of our own: they may be secret. All that changes how text is printed or taken is
/// [pinned](crate::postgres::connection::PINNED) everywhere instead.
const SETTINGS: &[&str] = &[
    "search_path",
    "default_tablespace",
    "default_table_access_method",
    "default_toast_compression",
    "check_function_bodies",
    "default_text_search_config",
    "row_security",
];

/// The setting without which names mean something else.
const SEARCH_PATH: &str = "search_path";

/// The surroundings of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The names of the server's roles.
    pub roles: BTreeSet<String>,
    /// The roles that are members of others: the other, and the member.
    pub memberships: BTreeSet<[String; 2]>,
    /// The namespaces in the search path that are there.
    pub namespaces: Vec<String>,
    /// The settings, with the name of the session's user in place of `"$user"`.
    pub settings: Vec<SessionSetting>,
}

/// A setting of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionSetting {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// True where the role or the connection sets it, which counts more than `ALTER DATABASE` in a migration.
    pub overrides_database: bool,
}

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
    #[diesel(sql_type = Bool)]
    overrides_database: bool,
}

#[derive(QueryableByName)]
struct Value {
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
}

#[derive(QueryableByName)]
struct Membership {
    #[diesel(sql_type = Text)]
    role: String,
    #[diesel(sql_type = Text)]
    member: String,
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
}

impl Surroundings {
    /// Those of the session of this connection, which has set nothing itself but what is pinned.
    pub fn of(connection: &mut PgConnection) -> QueryResult<Self> {
        let user: Named =
            diesel::sql_query("SELECT current_user::text AS name").get_result(connection)?;
        let roles: Vec<Named> = diesel::sql_query(
            "SELECT rolname::text AS name FROM pg_catalog.pg_roles WHERE NOT pg_catalog.starts_with(rolname, 'pg_')",
        )
        .load(connection)?;
        let memberships: Vec<Membership> = diesel::sql_query(
            "SELECT r.rolname::text AS role, m.rolname::text AS member
             FROM pg_catalog.pg_auth_members a
                JOIN pg_catalog.pg_roles r ON r.oid = a.roleid JOIN pg_catalog.pg_roles m ON m.oid = a.member
             WHERE NOT pg_catalog.starts_with(m.rolname, 'pg_')",
        )
        .load(connection)?;
        let settings: Vec<Setting> = diesel::sql_query(
            "SELECT n.name, pg_catalog.current_setting(n.name, true) AS value,
                    coalesce(s.source IN ('user', 'database user', 'client', 'session'), false) AS overrides_database
             FROM pg_catalog.unnest($1) WITH ORDINALITY n(name, place) LEFT JOIN pg_catalog.pg_settings s ON s.name = n.name
             UNION
             SELECT pg_catalog.split_part(set, '=', 1), pg_catalog.current_setting(pg_catalog.split_part(set, '=', 1), true),
                    pg_catalog.bool_or(s.setrole <> 0) OVER (PARTITION BY pg_catalog.split_part(set, '=', 1))
             FROM pg_catalog.pg_db_role_setting s, pg_catalog.unnest(s.setconfig) set
             WHERE s.setdatabase IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))
               AND s.setrole IN (0, (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = session_user))
               AND pg_catalog.split_part(set, '=', 1) LIKE '%.%'
             ORDER BY 1",
        )
        .bind::<Array<Text>, _>(SETTINGS)
        .load(connection)?;
        let settings = settings.into_iter().filter_map(|setting| {
            let value = setting.value?;
            let value = if setting.name == SEARCH_PATH {
                resolved(&value, &user.name)
            } else {
                value
            };
            Some(SessionSetting {
                name: setting.name,
                value,
                overrides_database: setting.overrides_database,
            })
        });
        let settings: Vec<SessionSetting> = settings.collect();
        let path = settings.iter().find(|setting| setting.name == SEARCH_PATH);
        let path = path.map_or_else(Vec::new, |path| elements(&path.value));
        let namespaces: Vec<Named> = diesel::sql_query(
            "SELECT name FROM pg_catalog.unnest($1) WITH ORDINALITY path(name, place)
             WHERE name <> 'public' AND NOT pg_catalog.starts_with(name, 'pg_')
               AND EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname::text = name) ORDER BY place",
        )
        .bind::<Array<Text>, _>(path)
        .load(connection)?;
        Ok(Self {
            roles: roles.into_iter().map(|role| role.name).collect(),
            memberships: memberships
                .into_iter()
                .map(|Membership { role, member }| [role, member])
                .collect(),
            namespaces: namespaces.into_iter().map(|one| one.name).collect(),
            settings,
        })
    }

    /// Those of a project that knows no live database.
    #[must_use]
    pub fn written(search_path: Option<&str>) -> Self {
        let path = search_path.map(|path| SessionSetting {
            name: SEARCH_PATH.to_owned(),
            value: path.to_owned(),
            overrides_database: false,
        });
        Self {
            roles: BTreeSet::new(),
            memberships: BTreeSet::new(),
            namespaces: Vec::new(),
            settings: path.into_iter().collect(),
        }
    }
}

/// A search path with the user's name in place of `"$user"`: on the scratch the user is another one.
fn resolved(path: &str, user: &str) -> String {
    let names = elements(path);
    if names.iter().all(|name| name != "$user") {
        return path.to_owned();
    }
    let name = |name: String| {
        if name == "$user" {
            user.to_owned()
        } else {
            name
        }
    };
    ident_list(names.into_iter().map(name))
}

/// The names in a setting that is a list of identifiers, as Postgres' `SplitIdentifierString` takes them apart.
fn elements(list: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = list.trim_start();
    while !rest.is_empty() {
        let mut name = String::new();
        if let Some(mut quoted) = rest.strip_prefix('"') {
            while let Some(end) = quoted.find('"') {
                name.push_str(&quoted[..end]);
                quoted = &quoted[end + 1..];
                if !quoted.starts_with('"') {
                    break;
                }
                name.push('"');
                quoted = &quoted[1..];
            }
            rest = quoted;
        } else {
            let end = rest.find([',', ' ', '\t', '\n']).unwrap_or(rest.len());
            name = rest[..end].to_lowercase();
            rest = &rest[end..];
        }
        names.push(name);
        rest = rest.trim_start().trim_start_matches(',').trim_start();
    }
    names
}

/// Gives every session of this server's user in a database these settings. The session `admin` is in another database.
pub(super) fn set(
    admin: &mut PgConnection,
    database: &str,
    settings: &[SessionSetting],
) -> QueryResult<()> {
    for setting in settings {
        let SessionSetting {
            name,
            value,
            overrides_database,
        } = setting;
        let here: Value = diesel::sql_query("SELECT pg_catalog.current_setting($1, true) AS value")
            .bind::<Text, _>(name)
            .get_result(admin)?;
        if here.value.as_ref() == Some(value) && !overrides_database {
            continue;
        }
        // The role's counts more than the database's, which a migration may set itself.
        let of = if *overrides_database {
            format!("ROLE CURRENT_USER IN DATABASE {database}")
        } else {
            format!("DATABASE {database}")
        };
        let done = admin.transaction(|admin| {
            diesel::sql_query("SELECT pg_catalog.set_config($1, $2, true)")
                .bind::<Text, _>(name)
                .bind::<Text, _>(value)
                .execute(admin)?;
            // FROM CURRENT spares us the quoting, which differs between settings.
            admin.batch_execute(&format!(
                "ALTER {of} SET {} FROM CURRENT",
                quoted_ident_dotted(name)
            ))
        });
        match done {
            // An access method or a tablespace that is not there makes nothing either.
            Err(_) if name != SEARCH_PATH => {}
            done => done?,
        }
    }
    Ok(())
}

/// Names of settings are dotted, and each part is a name.
fn quoted_ident_dotted(name: &str) -> String {
    let parts: Vec<String> = name.split('.').map(quoted_ident).collect();
    parts.join(".")
}

/// Gives one database the settings of another, which a copy does not come with.
pub(super) fn copy(admin: &mut PgConnection, from: &str, to: &str) -> QueryResult<()> {
    let found: Vec<Setting> = diesel::sql_query(
        "SELECT pg_catalog.split_part(set, '=', 1) AS name,
                pg_catalog.substr(set, pg_catalog.strpos(set, '=') + 1) AS value,
                s.setrole <> 0 AS overrides_database
         FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase,
              pg_catalog.unnest(s.setconfig) set
         WHERE d.datname = $1 AND s.setrole IN (0, (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = session_user))
         ORDER BY s.setrole",
    )
    .bind::<Text, _>(from)
    .load(admin)?;
    let settings: Vec<_> = found
        .into_iter()
        .filter_map(|setting| {
            Some(SessionSetting {
                name: setting.name,
                value: setting.value?,
                overrides_database: setting.overrides_database,
            })
        })
        .collect();
    set(admin, to, &settings)
}

/// Makes roles members of others, as far as this server can: one may be of another major, or its owner.
pub(super) fn make_members(admin: &mut PgConnection, memberships: &BTreeSet<[String; 2]>) {
    for [role, member] in memberships {
        let (role, member) = (quoted_ident(role), quoted_ident(member));
        let _ = admin.batch_execute(&format!("GRANT {role} TO {member}"));
    }
}

/// The roles that a server does not have.
pub(crate) fn missing(
    admin: &mut PgConnection,
    wanted: &BTreeSet<String>,
) -> QueryResult<Vec<String>> {
    let wanted: Vec<&String> = wanted.iter().collect();
    let missing: Vec<Named> = diesel::sql_query(
        "SELECT name FROM pg_catalog.unnest($1) wanted(name)
         WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname::text = name)
           AND NOT pg_catalog.starts_with(name, 'pg_')
         ORDER BY name",
    )
    .bind::<Array<Text>, _>(wanted)
    .load(admin)?;
    Ok(missing.into_iter().map(|role| role.name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_stands_in_its_search_path() {
        assert_eq!(resolved("\"$user\", public", "Me"), "\"Me\", public");
        assert_eq!(resolved("App,$user", "me"), "app, me");
        assert_eq!(resolved("app, public", "me"), "app, public");
        assert_eq!(elements("\"a \"\"b\" ,C"), ["a \"b", "c"]);
        assert_eq!(elements(""), Vec::<String>::new());
        assert_eq!(elements("\"\""), [""]);
    }
}
