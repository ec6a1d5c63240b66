//! The moves of products that were there before: what they have is taken over, and what comes next is written.

mod history;
mod market;

use std::{
    fs,
    path::{Path, PathBuf},
};

use diesel::PgConnection;
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use generator::{
    Project,
    pipeline::{
        autogen::{self, Autogen, AutogenOptions},
        check::{self, Check, Scope},
    },
    postgres::{connection::connect, scratch::Database},
};
use tests::{
    PHRASE,
    checkout::{Checkout, Ended},
};
use trueup::Declarations;

use history::HISTORY;

/// A product whose migrations Diesel's own runner has applied.
struct Product {
    project: Checkout,
    connection: PgConnection,
    database: Database,
    _server: Project,
}

impl Product {
    /// Has Diesel apply the migrations that `write` writes.
    fn of(write: impl FnOnce(&Checkout)) -> Self {
        let (server, database) = tests::database();
        let project = Checkout::new(env!("CARGO_BIN_EXE_shipped")).on(&database);
        write(&project);
        let mut product = Self {
            connection: connect(&database.url()).expect("a connection"),
            project,
            database,
            _server: server,
        };
        let migrations = product.migrations();
        let applied = product.connection.run_pending_migrations(migrations);
        let applied = applied.expect("applied").len();
        assert_eq!(applied, product.project.folders().len());
        product
    }

    fn folder(&self) -> PathBuf {
        self.project.path().join("migrations")
    }

    /// The migrations as Diesel's own runner finds them.
    fn migrations(&self) -> FileBasedMigrations {
        FileBasedMigrations::from_path(self.folder()).expect("migrations")
    }

    /// Runs a command whose output nobody should ever see a word of blame in.
    fn run(&self, arguments: &[&str]) -> Ended {
        let ended = self.project.run(arguments);
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(!said.contains(PHRASE), "{arguments:?}: {said}");
        ended
    }

    /// Diesel's own runner finds nothing to apply.
    fn is_applied(&mut self) {
        let migrations = self.migrations();
        let pending = self.connection.has_pending_migration(migrations);
        assert!(!pending.expect("known"));
    }

    /// Looks at the product for the first time: nothing in its database is in the way, and `name` is seen there.
    fn looks_well(&self, name: &str) {
        self.run(&["doctor"]).done();
        self.run(&["status"]).done();
        let there = self.run(&["inspect", "database"]).done();
        assert!(there.contains(name), "{there}");
    }

    /// Proves all that was there, and nobody notices.
    fn is_proved(&mut self) -> String {
        let proved = self.run(&["prove", "--all"]).done();
        let written = format!("{} headers written", self.project.folders().len());
        assert!(proved.contains(&written), "{proved}");
        self.run(&["status"]).done();
        self.is_applied();
        proved
    }

    /// Makes old history as few migrations as it can be, and nobody notices.
    fn is_squashed(&mut self) -> String {
        let many = self.project.folders().len();
        let squash = ["squash", "base..head", "--message", "begin"];
        let squashed = self.run(&squash).done();
        assert!(self.project.folders().len() < many, "{squashed}");
        let nothing = self.run(&["upgrade"]).done();
        assert!(nothing.contains("nothing to apply"), "{nothing}");
        self.run(&["status"]).done();
        self.is_applied();
        squashed
    }

    /// The same project in this process, for models that the binary does not have.
    fn within(&self) -> Project {
        tests::project_with(self.folder(), &self.database)
    }

    fn drafted(&self, models: &Declarations) -> Autogen {
        let found = autogen::autogen(&self.within(), models, AutogenOptions::default());
        found.unwrap_or_else(|error| panic!("{}", error.full()))
    }

    fn checked(&self, models: &Declarations) -> Check {
        let found = check::check(&self.within(), models, Scope::Database);
        found.unwrap_or_else(|error| panic!("{}", error.full()))
    }
}

/// The shipped migration as somebody wrote it by hand: without its header, an index, and a comment.
fn laboratory(project: &Checkout) {
    let shipped = project.newest();
    let read = |file: &str| fs::read_to_string(shipped.join(file)).expect("a file");
    let by_hand = |text: String| -> String {
        let lines = text.lines().filter(|line| !line.starts_with("--"));
        let lines = lines.filter(|line| {
            !line.starts_with("CREATE INDEX users_lower_idx")
                && !line.starts_with("COMMENT ON COLUMN public.users.active")
        });
        lines.fold(String::new(), |text, line| text + line + "\n")
    };
    let (up, down) = (by_hand(read("up.sql")), by_hand(read("down.sql")));
    fs::remove_dir_all(&shipped).expect("a folder");
    project.migration("2019-01-01-000000_laboratory", &up, &down);
}

/// A package registry with eight migrations by hand, whose people, devices and readings are the models that ship with trueup.
#[test]
fn a_product_moves_in_and_goes_on() {
    let mut product = Product::of(|project| {
        project.migrations_in(&tests::root().join("migrations"));
        laboratory(project);
        for [name, up, down] in HISTORY {
            project.migration(name, up, down);
        }
    });

    product.looks_well("\"Odd Name's\"");
    let first = product.run(&["check"]).with(1);
    for words in [
        "index public.users_lower_idx",
        "comment",
        "migrations and database  in sync",
    ] {
        assert!(
            first.stdout.contains(words),
            "{words:?} is not in: {first:?}"
        );
    }
    assert!(first.stderr.contains("were never proved"), "{first:?}");
    product.is_proved();

    // What comes next.
    let drafted = product.run(&["autogen", "find people"]).with(0);
    let words = "are in no model";
    assert!(drafted.stderr.contains(words), "{drafted:?}");
    let up = fs::read_to_string(product.project.newest().join("up.sql")).expect("a file");
    assert!(up.contains("CREATE INDEX users_lower_idx"), "{up}");
    assert!(!up.contains("DROP "), "{up}");
    product.run(&["upgrade"]).done();
    let agreed = product.run(&["check"]).done();
    assert!(
        agreed.contains("models and migrations  in sync"),
        "{agreed}"
    );
    product.run(&["redo"]).done();
    product.is_applied();

    let squashed = product.is_squashed();
    assert!(squashed.contains("9 migrations are"), "{squashed}");
    product.run(&["check"]).done();
}

/// A market with seventeen folders by hand, the first of which is Diesel's own.
#[test]
fn a_market_moves_in_and_goes_on() {
    let mut product = Product::of(|project| project.migrations_in(Path::new("tests/moves/market")));
    product.looks_well("\"Delivery Note's\"");

    // The models say what is there.
    let models = market::now();
    let first = product.checked(&models);
    assert!(first.is_clean(), "{first:?}");
    let nothing = product.drafted(&models);
    assert!(
        nothing.draft.is_none(),
        "{}",
        tests::ups(nothing.draft.as_ref())
    );
    assert_eq!(
        nothing.unmodelled.len(),
        market::UNMODELLED,
        "{:?}",
        nothing.unmodelled
    );
    let proved = product.is_proved();
    for words in ["no rows were tried", "may break"] {
        assert!(!proved.contains(words), "{proved}");
    }

    // Edits that code in the database does not go along with are told.
    for (models, code) in market::breaking() {
        let draft = product.drafted(&models).draft.expect("a draft");
        let broken = draft.proof.broken.iter().map(ToString::to_string);
        let suspects = draft.proof.suspects.iter().map(|one| one.function.clone());
        let told: Vec<String> = broken.chain(suspects).collect();
        assert!(
            told.iter().any(|one| one.contains(code)),
            "{code}: {told:#?}"
        );
    }

    // Edits that it does go along with.
    let models = market::next();
    let draft = product.drafted(&models).draft.expect("a draft");
    assert_eq!(draft.proof.broken, []);
    let up = tests::ups(Some(&draft));
    for words in market::SAID {
        assert!(up.contains(words), "{words:?} is not in: {up}");
    }
    let written = autogen::write(&product.within(), "go on", &draft);
    written.expect("folders");
    product.run(&["upgrade"]).done();
    let after = product.checked(&models);
    assert!(after.is_clean(), "{after:?}");
    product.run(&["redo"]).done();
    product.is_applied();

    let squashed = product.is_squashed();
    let alone = "index_listings stays by itself: it does not run in a transaction";
    assert!(squashed.contains(alone), "{squashed}");
    let after = product.checked(&models);
    assert!(after.is_clean(), "{after:?}");
}
