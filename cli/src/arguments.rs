//! What may be written on the command line, for all commands.

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::{ArgAction, Args, Parser, ValueEnum};
use generator::{
    Error,
    pipeline::autogen::FillAsked,
    postgres::url::Url,
    rename::Asked,
    report::{Color, Format, Output, Reader, Verbosity},
};

use crate::commands::Command;

/// Migrations from annotated Rust structs: generated, proved on a real Postgres, applied with Diesel.
#[derive(Debug, Parser)]
#[command(
    name = "trueup",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "\
Examples:
  trueup autogen \"add phone_number\"    after editing a model: write the migration
  trueup upgrade                       apply what is pending
  trueup check                         for CI: do models, migrations and database agree?

Exit codes: 0 all is well, 1 something differs, 2 something went wrong.
Without DATABASE_URL, commands that need a database use one of the project's own, in .trueup/.
Settings may also stand in .env files and in trueup.toml; `trueup doctor` shows where each is from."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The database, as any libpq connection string [env: DATABASE_URL]
    ///
    /// An empty one counts as none, and hides one in .env. A password is safer in the environment, in .env or in
    /// ~/.pgpass than here, where other users of the machine can see it.
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) database_url: Option<String>,

    /// The folder of the migrations [env: MIGRATION_DIRECTORY] [default: diesel.toml's, or migrations/]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) migrations: Option<PathBuf>,

    /// Folders with PostgreSQL programs, as in PATH; looked in first [env: TRUEUP_PG_BIN]
    #[arg(long, global = true, value_name = "DIRS")]
    pub(crate) pg_bin: Option<OsString>,

    /// A server to make throw-away databases on, instead of starting one [env: TRUEUP_SCRATCH_URL]
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) scratch_url: Option<String>,

    /// How long one statement of a migration may wait for a lock, such as 5s; 0 for ever [default: 5s]
    #[arg(long, global = true, value_name = "TIME")]
    pub(crate) lock_timeout: Option<String>,

    /// How often a migration that did not get a lock is tried again [default: 10]
    #[arg(long, global = true, value_name = "NUMBER")]
    pub(crate) lock_retries: Option<String>,

    /// How long one statement of a migration may run, such as 10min; 0 for ever [default: 0]
    #[arg(long, global = true, value_name = "TIME")]
    pub(crate) statement_timeout: Option<String>,

    /// When to colour the output; NO_COLOR is heeded too
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        value_enum,
        default_value = "auto"
    )]
    pub(crate) color: ColorArg,

    /// Answer yes where a command asks whether to go on; it never stands for --yes-destroy or --allow
    #[arg(short, long, global = true)]
    pub(crate) yes: bool,

    /// Print the result and errors, and nothing else
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Say more: where settings come from, and all that is known about each migration
    #[arg(short, long, global = true, action = ArgAction::SetTrue)]
    pub(crate) verbose: bool,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum ColorArg {
    /// On a terminal
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How a command that reports is to do it.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum FormatArg {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

impl From<FormatArg> for Format {
    fn from(format: FormatArg) -> Self {
        match format {
            FormatArg::Text => Self::Text,
            FormatArg::Json => Self::Json,
        }
    }
}

impl Global {
    pub(crate) fn output(&self) -> Output {
        Output {
            color: match self.color {
                ColorArg::Auto => Color::Auto,
                ColorArg::Always => Color::Always,
                ColorArg::Never => Color::Never,
            },
            verbosity: if self.quiet {
                Verbosity::Quiet
            } else if self.verbose {
                Verbosity::Verbose
            } else {
                Verbosity::Normal
            },
            reader: Reader::Person,
        }
    }
}

impl Cli {
    /// The output for messages, and who reads it.
    pub(crate) fn output(&self) -> Output {
        let in_actions = std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true");
        let reader = if in_actions || self.command.is_for_github() {
            Reader::Github
        } else {
            Reader::Person
        };
        Output {
            reader,
            ..self.global.output()
        }
    }
}

/// Reads what stands after each `--rename`.
pub(crate) fn renames(written: &[String]) -> Result<Vec<Asked>, Error> {
    written.iter().map(|text| Asked::parse(text)).collect()
}

pub(crate) fn fills(written: &[String]) -> Result<Vec<FillAsked>, Error> {
    written.iter().map(|text| FillAsked::parse(text)).collect()
}

/// Prints what clap has to say: help on stdout, or what is wrong on stderr.
pub(crate) fn refuse(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let arguments = std::env::args_os().skip(1);
    let text = without_secrets(&error.render().ansi().to_string(), arguments);
    Output::default().refusal(&text);
    ExitCode::from(2)
}

/// clap repeats the argument that it does not understand, and that may be a URL with a password.
fn without_secrets(text: &str, arguments: impl IntoIterator<Item = OsString>) -> String {
    let mut text = text.to_owned();
    for argument in arguments {
        let argument = argument.to_string_lossy();
        let value = match argument.split_once('=') {
            Some((flag, value)) if flag.starts_with('-') => value,
            Some(_) | None => &argument,
        };
        if value.contains("://") || value.contains("password") {
            let shown = Url::parse(value).map_or_else(|_| "***".to_owned(), |url| url.to_string());
            text = text.replace(value, &shown);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_options_stand_anywhere() {
        for words in [
            ["trueup", "-q", "current", "--migrations", "m"],
            ["trueup", "--migrations", "m", "current", "-q"],
        ] {
            let cli = Cli::try_parse_from(words).expect("arguments");
            assert_eq!(cli.global.migrations, Some(PathBuf::from("m")));
            assert_eq!(cli.global.output().verbosity, Verbosity::Quiet);
        }
    }

    #[test]
    fn steps_are_no_options() {
        for words in [
            ["downgrade", "-1", "-q"],
            ["downgrade", "-q", "-12"],
            ["upgrade", "+2", "-q"],
            ["upgrade", "-q", "head"],
            ["stamp", "base", "-q"],
        ] {
            let cli = Cli::try_parse_from(["trueup"].iter().chain(&words));
            assert!(cli.expect("arguments").global.quiet, "{words:?}");
        }
        for words in [
            ["downgrade", "-x"],
            ["upgrade", "-1"],
            ["stamp", "-1"],
            ["current", "-qv"],
        ] {
            let cli = Cli::try_parse_from(["trueup"].iter().chain(&words));
            assert!(cli.is_err(), "{words:?}");
        }
    }

    #[test]
    fn what_is_not_understood_shows_no_password() {
        let arguments = ["trueup", "check", "postgres://me:s3cret@h/db"];
        let error = Cli::try_parse_from(arguments).expect_err("one argument too many");
        let text = error.render().to_string();
        assert!(text.contains("s3cret"));
        let text = without_secrets(&text, arguments.map(OsString::from));
        assert!(!text.contains("s3cret"), "{text}");
        assert!(text.contains("postgres://me:***@h/db"), "{text}");
    }
}
