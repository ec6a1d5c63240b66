//! A forum with sixteen migrations of its own moves in: triggers, functions, policies, foreign tables, partitions, roles, ltree and citext,
//! and models for half of its tables. One old down.sql leads elsewhere, as some do.

#[path = "moves/models.rs"]
mod models;

use std::path::Path;

use generator::{
    apply,
    autogen::Autogen,
    check::{Scope, check},
    prove::migrations::Tried,
    report::kinds,
    rework,
};
use models::{
    Comment, Community, Instance, Language, LocalUser, ModAction, ModLog, Notification, Person,
    PersonBlock, Post, PostLike, PrivateMessage, SortType,
};
use tests::walk::{Walk, declared};
use trueup::{
    __private::{ExtensionDef, Item, Submitted},
    Declarations, Model, PgEnum,
};

/// What is to come.
#[derive(Model)]
#[model(table = "post_report", unique(post_id, reporter_id))]
#[allow(dead_code, reason = "only what it declares is of interest")]
struct PostReport {
    #[model(primary_key, identity = "always")]
    id: i64,
    #[model(references = Post::id, on_delete = "cascade")]
    post_id: i32,
    #[model(references = Person::id, on_delete = "cascade")]
    reporter_id: i32,
    reason: String,
}

fn there() -> Vec<Submitted> {
    macro_rules! models {
        ($($model:ident),*) => {
            vec![$(Submitted::Model(<$model as Model>::DEFINITION)),*]
        };
    }
    let mut all = models![
        Comment,
        Community,
        Instance,
        Language,
        LocalUser,
        ModLog,
        Notification,
        Person,
        PersonBlock,
        Post,
        PostLike,
        PrivateMessage
    ];
    all.push(Submitted::Enum(ModAction::DEFINITION));
    all.push(Submitted::Enum(SortType::DEFINITION));
    for name in ["citext", "ltree"] {
        all.push(Submitted::Extension(ExtensionDef {
            item: Item {
                name,
                module: "moves",
                file: file!(),
                line: line!(),
            },
            name,
            namespace: None,
        }));
    }
    all
}

fn nothing_to_do(walk: &Walk, models: &Declarations) -> Autogen {
    let found = tests::autogen(&walk.project, models);
    assert_eq!(tests::ups(found.draft.as_ref()), "");
    found
}

#[test]
fn a_forum_moves_in() {
    let walk = Walk::of(Path::new("tests/moves/forum"));
    let models = declared(&there());
    let found = nothing_to_do(&walk, &models);
    assert_eq!(kinds(&found.unmodelled), "12 tables and 3 enum types");
    let found = check(&walk.project, &models, Scope::Database).map_err(|error| error.full());
    let found = found.expect("a check");
    assert!(found.is_clean(), "{found:?}");
    let strays: Vec<String> = found.unproved.iter().map(Tried::says).collect();
    let strays: Vec<&String> = strays
        .iter()
        .filter(|says| !says.ends_with("goes up and down"))
        .collect();
    assert_eq!(strays.len(), 1, "{strays:#?}");
    assert!(strays[0].contains("embed_description is missing"));

    let with_reports = there()
        .into_iter()
        .chain([Submitted::Model(PostReport::DEFINITION)]);
    let with_reports = declared(&with_reports.collect::<Vec<_>>());
    let drafted = tests::autogen(&walk.project, &with_reports);
    let draft = drafted.draft.expect("a table");
    let sentence = draft.proof.sentence();
    assert!(
        sentence.contains("rows in 24 of 24 tables kept"),
        "{sentence}"
    );
    walk.apply(&draft);
    nothing_to_do(&walk, &with_reports);
    let mut connection = walk.database.connect().expect("a connection");
    let (back, options) = (apply::DownTarget::Minus(1), apply::Options::default());
    apply::downgrade(&mut connection, &walk.project.migrations, &back, options)
        .expect("a way back");
    walk.upgrade();

    let last = generator::migration::read(&walk.project.migrations).expect("migrations");
    let last = last.last().expect("a migration").version.clone();
    let squashed = rework::squash(&walk.project, None, &last, Some("begin"));
    let squashed = squashed.map_err(|error| error.full()).expect("a squash");
    assert_eq!(squashed.removed.len(), 16);
    assert_eq!(squashed.written.len(), 2);
    let kept: Vec<String> = squashed.kept.iter().map(ToString::to_string).collect();
    assert_eq!(
        kept,
        ["2023-07-18-082614_hot_indexes stays by itself: it does not run in a transaction"]
    );
    let elsewhere = "down what theirs did, which is not the start: ";
    assert!(squashed.proofs[1].contains(elsewhere), "{squashed:#?}");
    walk.upgrade();
    nothing_to_do(&walk, &with_reports);
    // Another database knows only the few.
    nothing_to_do(&Walk::of(&walk.project.migrations), &with_reports);
}
