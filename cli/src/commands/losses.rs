//! Consent on the command line: to losses, `--allow data-loss=public.users.fax`, to code that breaks and to failures.

use dialoguer::Confirm;
use generator::{
    Error, ErrorKind,
    draft::Draft,
    named::Named,
    pipeline::autogen::{Autogen, Remade},
    prove::code::{self, Broken, CODE_BREAKS},
    report::Output,
    shell,
};
use trueup::{Hazard, Id};

use super::{
    autogen::is_terminal,
    unfilled::{self, FAILS},
};
use crate::context::Context;

/// Rows or values are lost, and no way back restores them.
const RISK: &str = "data-loss";

/// One `--allow`.
#[derive(Clone, Debug)]
pub(super) enum Allowed {
    /// The objects whose rows or values may go; none asks for each.
    Losses(Vec<Named>),
    /// The functions that may fail, and the triggers whose functions may; none is all of them, and what is in no function.
    CodeBreaks(Vec<Named>),
    /// The columns that rows may have no value for; none is all of them.
    Fails(Vec<Named>),
}

impl Allowed {
    /// Reads what stands after `--allow`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (risk, names) = match text.split_once('=') {
            Some((risk, names)) => (risk, Some(names)),
            None => (text, None),
        };
        let (of, example): (fn(Vec<Named>) -> Self, _) = match risk {
            CODE_BREAKS => (Self::CodeBreaks, "public.touch_user"),
            FAILS => (Self::Fails, "public.users.phone"),
            RISK => (Self::Losses, "public.users.fax"),
            _ => {
                return Err(format!(
                    "the risks that can be allowed are {RISK}=PATH,…, {CODE_BREAKS}=NAME,… and {FAILS}=PATH,…"
                ));
            }
        };
        let names = names.map_or(Ok(Vec::new()), Named::parse_all);
        names
            .map(of)
            .map_err(|name| format!("{name:?} names nothing: write {risk}={example}"))
    }
}

/// Reads what stands after `--allow` where nothing but code can come to harm.
pub(super) fn code_breaks(text: &str) -> Result<Allowed, String> {
    match Allowed::parse(text)? {
        allowed @ Allowed::CodeBreaks(_) => Ok(allowed),
        Allowed::Losses(_) | Allowed::Fails(_) => Err(format!(
            "the risk that can be allowed here is {CODE_BREAKS}=NAME,…"
        )),
    }
}

/// A loss that nobody allowed.
struct Open<'a> {
    of: &'a Id,
    hazards: Vec<&'a Hazard>,
}

/// Consent to all that needs it: what was allowed by an option, and losses that a person says yes to at a terminal. What is missing
/// elsewhere is said at once.
pub(super) fn consent(
    found: &Autogen,
    draft: &Draft,
    allow: &[Allowed],
    context: &Context,
) -> Result<bool, Error> {
    let unfilled = unfilled::refusal(found, allow, context);
    let broken = refusal_of_broken(draft, allow, context);
    let refusal = unfilled.into_iter().chain(broken).reduce(Error::and);
    match (refusal, is_terminal()) {
        (Some(refusal), true) => Err(refusal),
        (None, _) => may_lose(found, allow, context),
        (Some(refusal), false) => match may_lose(found, allow, context) {
            Ok(_) => Err(refusal),
            Err(loss) => Err(refusal.and(loss)),
        },
    }
}

/// Consent to losses for good: objects that were named, and those that a person says yes to at a terminal.
fn may_lose(found: &Autogen, allow: &[Allowed], context: &Context) -> Result<bool, Error> {
    let all = losses(found);
    let ids: Vec<&Id> = all.iter().map(|loss| loss.of).collect();
    let mut said: Vec<&Id> = Vec::new();
    let names = allow.iter().filter_map(|allowed| match allowed {
        Allowed::Losses(names) => Some(names),
        Allowed::CodeBreaks(_) | Allowed::Fails(_) => None,
    });
    for named in names.flatten() {
        match named.one_of(&format!("--allow {RISK}={named}"), &ids)? {
            Some(id) => said.push(id),
            None => context.output.note(format!(
                "--allow {RISK}={named}: this migration loses nothing there"
            )),
        }
    }
    let open: Vec<&Open<'_>> = all
        .iter()
        .filter(|loss| !said.contains(&loss.of) && !found.dropped.contains(loss.of))
        .collect();
    if open.is_empty() {
        return Ok(true);
    }
    let offers = found.remade.iter().map(|Remade { what, rename, .. }| {
        format!(
            "{what} can only be made anew; to keep what it holds under another name: --rename {rename}. Without a model of that \
             name it stays until the next autogen"
        )
    });
    let offers: Vec<String> = offers.collect();
    if !is_terminal() {
        return Err(refusal(&open, &said, &ids, &offers));
    }
    for offer in offers {
        context.output.note(offer);
    }
    for loss in open {
        if !agreed(loss)? {
            context.output.note("nothing was written");
            return Ok(false);
        }
    }
    Ok(true)
}

/// True if this code may fail afterwards.
pub(super) fn may_break(allow: &[Allowed], code: &Broken) -> bool {
    allow.iter().any(|allowed| match allowed {
        Allowed::CodeBreaks(names) => {
            names.is_empty() || names.iter().any(|named| code.is_of(named))
        }
        Allowed::Losses(_) | Allowed::Fails(_) => false,
    })
}

/// The refusal of what breaks code in the database, unless that was allowed.
fn refusal_of_broken(draft: &Draft, allow: &[Allowed], context: &Context) -> Option<Error> {
    let broken = &draft.proof.broken;
    let allowed: Vec<&Vec<Named>> = allow
        .iter()
        .filter_map(|allowed| match allowed {
            Allowed::CodeBreaks(names) => Some(names),
            Allowed::Losses(_) | Allowed::Fails(_) => None,
        })
        .collect();
    for named in allowed.iter().copied().flatten() {
        if !broken.iter().any(|one| one.is_of(named)) {
            context.output.note(format!(
                "--allow {CODE_BREAKS}={named}: this migration breaks no function or trigger of that name"
            ));
        }
    }
    let open = broken.iter().filter(|one| !may_break(allow, one));
    let open: Vec<Broken> = open.cloned().collect();
    if open.is_empty() {
        return None;
    }
    let listed: Vec<String> = open.iter().map(|one| format!("- {one}")).collect();
    let refusal = Error::input(format!(
        "code in the database that ran before does not run after this migration; nothing was written\n{}",
        listed.join("\n")
    ));
    let refusal = refusal.hint(
        "autogen does not write functions yet: `trueup new` makes a migration by hand, for the statements of \
         `trueup autogen … --sql` and a CREATE OR REPLACE FUNCTION with the new body",
    );
    Some(refusal.hint(format!(
        "--allow {} writes the migration with these hazards in it; put the new bodies into its up.sql, and the old ones into \
         its down.sql",
        code::allowing(&open)
    )))
}

fn losses(found: &Autogen) -> Vec<Open<'_>> {
    let mut all: Vec<Open<'_>> = Vec::new();
    for hazard in found.losses() {
        let Hazard::LosesData { of, .. } = hazard else {
            continue;
        };
        match all.iter_mut().find(|loss| loss.of == of) {
            Some(loss) => loss.hazards.push(hazard),
            None => all.push(Open {
                of,
                hazards: vec![hazard],
            }),
        }
    }
    all
}

/// Elsewhere than at a terminal only the option will do; it is told whole, with what it said already, to be read and pasted.
fn refusal(open: &[&Open<'_>], said: &[&Id], ids: &[&Id], offers: &[String]) -> Error {
    let listed: Vec<String> = open
        .iter()
        .flat_map(|loss| &loss.hazards)
        .map(|hazard| format!("- {hazard}"))
        .collect();
    let all = said.iter().copied().chain(open.iter().map(|loss| loss.of));
    let paths: Vec<String> = all
        .map(|of| Named::of(of, ids.iter().copied()).to_string())
        .collect();
    let option = format!("{RISK}={}", paths.join(","));
    // An object that keeps its name has no other one.
    let goes = open.iter().find(|loss| {
        let mut hazards = loss.hazards.iter();
        hazards.any(|hazard| matches!(hazard, Hazard::LosesData { goes: true, .. }))
    });
    let renamed = goes.map(|loss| {
        format!(
            "where something only got another name, say that: --rename {}=…",
            shell::argument(&Named::of(loss.of, ids.iter().copied()).to_string())
        )
    });
    Error::input(format!(
        "this migration loses data for good; nothing was written\n{}",
        listed.join("\n")
    ))
    .hint(format!(
        "where that is meant, say so: --allow {}",
        shell::argument(&option)
    ))
    .hints(offers.iter().cloned())
    .hints(renamed)
}

/// Asks somebody at a terminal about one loss.
fn agreed(loss: &Open<'_>) -> Result<bool, Error> {
    let words: Vec<String> = loss.hazards.iter().map(ToString::to_string).collect();
    let question = Confirm::new()
        .with_prompt(Output::default().question(&format!(
            "This {}, and its down.sql cannot bring it back. Write it?",
            words.join(", and ")
        )))
        .default(false)
        .interact();
    question.map_err(|error| {
        Error::caused(ErrorKind::Environment, "cannot ask on this terminal", error).hint(format!(
            "--allow {RISK}={} answers without a question",
            loss.of.path().join(".")
        ))
    })
}
