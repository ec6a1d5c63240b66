//! `trueup doctor`: why something does not work.

use generator::{
    Error, Project,
    migrations::{
        apply::{self, Leftovers, Record},
        folder,
    },
    operations::doctor::{self, Facts},
    pipeline::autogen,
    postgres::{
        connection::{self, connect},
        url::Url,
    },
    report::{Doctor, SettingFound},
    source,
};

use trueup::name::quoted_ident;

use super::Status;
use crate::{
    arguments::FormatArg,
    context::Context,
    settings::{self, Found, Setting},
};

/// Show what trueup goes by, and what is wrong with it
///
/// Every setting with where it is from, the models and migrations that are found, the programs of PostgreSQL, and of the
/// database: whether it answers, its version, what this user may do there. Changes nothing, and shows no password.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup doctor
  APP_ENV=production trueup doctor       with .env.production
  trueup doctor --format json

Exit codes: 0 all is well, 1 there is something to mend.")]
pub(crate) struct Args {
    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    format: FormatArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let project = &context.project;
    let settings = &context.settings;
    let mut report = Doctor {
        root: context.root.clone(),
        environment: SettingFound {
            name: settings::ENVIRONMENT.to_owned(),
            value: Some(settings.environment.value.display().to_string()),
            from: settings.environment.place.to_string(),
        },
        settings: settings::ALL
            .iter()
            .map(|one| found(one, context))
            .collect(),
        files: settings.files().map(ToOwned::to_owned).collect(),
        include: settings.patterns.include.clone(),
        exclude: settings.patterns.exclude.clone(),
        programs: project.binaries.list(),
        models: autogen::declarations()
            .map(|_| trueup::linked().len())
            .map_err(|error| error.to_string()),
        migrations: folder::read(&project.migrations)
            .map(|found| found.len())
            .map_err(|error| error.to_string()),
        database: None,
        scratch: None,
        problems: Vec::new(),
        advice: Vec::new(),
    };
    if let Err(error) = &report.models {
        report.problems.push(error.clone());
    }
    if let Err(error) = &report.migrations {
        report.advice.push(error.clone());
    }
    if settings.is_protected() {
        report.advice.push(format!(
            "{} is a protected environment: commands that destroy want the database's name repeated",
            settings.environment.value.to_string_lossy()
        ));
    }
    match &project.database {
        Some(url) => look(project, url, &mut report),
        None => report.advice.push(format!(
            "{} is not set: commands that need a database use the project's own, in .trueup/",
            settings::DATABASE.variable
        )),
    }
    programs(context, &mut report);
    scratch(context, &mut report);
    context.output.report(&report, args.format.into())?;
    Ok(if report.problems.is_empty() {
        Status::Done
    } else {
        Status::Different
    })
}

/// A setting as it may be shown.
fn found(setting: &Setting, context: &Context) -> SettingFound {
    let shown = |found: &Found| {
        let text = found.value.to_string_lossy();
        if setting.is_url() {
            Url::parse(&text).map_or_else(|_| "***".to_owned(), |url| url.to_string())
        } else {
            text.into_owned()
        }
    };
    let found = context.settings.get(setting);
    SettingFound {
        name: setting.variable.to_owned(),
        value: found.as_ref().map(shown),
        from: found.map_or_else(
            || format!("{}, or {} in trueup.toml", setting.option, setting.key),
            |found| found.place.to_string(),
        ),
    }
}

fn look(project: &Project, url: &Url, report: &mut Doctor) {
    let examined = doctor::examine(url).and_then(|facts| {
        let shared = connection::shares_sessions(&mut connect(url)?, url)?;
        Ok((facts, shared))
    });
    let (facts, shared) = match examined {
        Ok(examined) => examined,
        Err(error) => {
            report.problems.push(error.to_string());
            report.advice.extend(error.advice().iter().cloned());
            report.database = Some(Err(error.to_string()));
            return;
        }
    };
    if shared {
        report.problems.push(
            "a pooler in transaction mode is between us and the server: it breaks the lock that keeps two upgrades apart; \
             connect to the server itself, or to the pooler's session mode"
                .to_owned(),
        );
    }
    report.problems.extend(problems(&facts));
    record(project, url, &facts, report);
    if !facts.may_create_tables {
        report.advice.push(format!(
            "{user} may not create tables in {}: enough for `check`, `diff` and `autogen`; `upgrade` needs GRANT CREATE ON SCHEMA public \
             TO {user}",
            facts.database,
            user = facts.user
        ));
    }
    if !facts.may_create_databases {
        report.advice.push(format!(
            "{} may not create databases: `db create`, `db recreate` and a scratch on this server need that \
             (ALTER ROLE {} CREATEDB)",
            facts.user, facts.user
        ));
    }
    report.database = Some(Ok(facts));
}

/// Looks at the record as `upgrade` would, and as Diesel's own runner would.
fn record(project: &Project, url: &Url, facts: &Facts, report: &mut Doctor) {
    let found = connect(url)
        .map_err(Error::from)
        .and_then(|mut connection| {
            let record = Record::find(&mut connection)?;
            apply::applied(&mut connection)?;
            let migrations = folder::read(&project.migrations).unwrap_or_default();
            let left = Leftovers::find(&mut connection, &migrations, &project.scope)?;
            report.problems.extend(left.broken().cloned());
            report.advice.extend(left.not_validated);
            Ok(record)
        });
    match (found, &facts.default_namespace) {
        (Err(error), _) => {
            report.problems.push(error.to_string());
            report.advice.extend(error.advice().iter().cloned());
        }
        (Ok(Some(record)), Some(default)) if record.namespace() != default => {
            report.advice.push(format!(
                "sessions of {} make tables in {default}, and the record is {record}: Diesel's own runner would make a second \
                 record there and apply everything again; trueup finds the one that is there",
                facts.user
            ));
        }
        (Ok(_), _) => {}
    }
}

fn problems(facts: &Facts) -> Vec<String> {
    let mut problems = Vec::new();
    if facts.standby || facts.read_only {
        problems.push("migrations cannot be applied there: the server takes no writes".to_owned());
    }
    problems
}

/// Tries what every other command needs: a scratch like the live server, and the migrations on it.
fn scratch(context: &Context, report: &mut Doctor) {
    let project = &context.project;
    if project.scratch_url.is_none() && project.binaries.server(None).is_err() {
        return;
    }
    let failed = |report: &mut Doctor, error: &Error| {
        report.problems.push(error.full());
        report.advice.extend(error.advice().iter().cloned());
    };
    match doctor::furnish(project) {
        Err(error) => {
            failed(report, &error);
            report.scratch = Some(Err(error.to_string()));
            return;
        }
        Ok(found) => {
            report.advice.extend(found.lacking.iter().map(|name| {
                format!(
                    "the scratch has no extension {name}, which the database has: it is left out where nothing else needs it; install \
                     its package, or use --scratch-url"
                )
            }));
            if let [first, ..] = found.no_tablespaces.as_slice() {
                report.advice.push(format!(
                    "the scratch has no tablespace {}, which migrations or the database put something into, and trueup makes some \
                     on servers alone that it starts itself, from PostgreSQL 15 on: CREATE TABLESPACE {} LOCATION '…' there, or let \
                     it start one",
                    found.no_tablespaces.join(", "),
                    quoted_ident(first)
                ));
            }
            if !found.superuser {
                report.advice.push(
                    "the user of the scratch is no superuser: event triggers, publications of all tables and extensions that are \
                     not trusted are left out there"
                        .to_owned(),
                );
            }
            report.scratch = Some(Ok(found));
        }
    }
    if report.migrations.as_ref().is_ok_and(|count| *count > 0)
        && let Err(error) = source::replay(project, &project.migrations)
    {
        failed(report, &error);
    }
}

fn programs(context: &Context, report: &mut Doctor) {
    let binaries = &context.project.binaries;
    if context.project.scratch_url.is_none()
        && let Err(error) = binaries.server(None)
    {
        report.problems.push(format!("{error}; {}", error.hint()));
    }
    let Some(Ok(facts)) = &report.database else {
        return;
    };
    let major = facts.version.split(|c: char| !c.is_ascii_digit()).next();
    let Some(major) = major.and_then(|text| text.parse().ok()) else {
        return;
    };
    if let Err(error) = binaries.pg_dump(major) {
        report.advice.push(format!(
            "{error}: it is needed as a witness, and for `backup`; {}",
            error.hint()
        ));
    }
    if let Err(error) = binaries.server_of(major) {
        report.advice.push(format!(
            "{error}: proofs run on another major than the database; {}",
            error.hint()
        ));
    }
}
