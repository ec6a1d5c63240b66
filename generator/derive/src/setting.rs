//! Tables of settings: the attributes that one place may have, the form of each, and where it is stored.

use std::collections::BTreeMap;

use syn::{Ident, LitStr};

use crate::argument::Argument;
use crate::mistakes::Mistakes;

/// One attribute that may be written at one place.
pub(crate) struct Setting<T> {
    name: &'static str,
    /// Form to write; a word alone is a flag. Mistakes show it in backticks, so two forms stand as "a` or `b".
    form: &'static str,
    repeats: bool,
    may_be_empty: bool,
    /// Stores the argument; `None` says that it does not have the form.
    store: Store<T>,
}

type Store<T> = fn(&mut T, &Argument, &Mistakes) -> Option<()>;

/// A setting that may be written once.
pub(crate) const fn once<T>(name: &'static str, form: &'static str, store: Store<T>) -> Setting<T> {
    Setting {
        name,
        form,
        repeats: false,
        may_be_empty: false,
        store,
    }
}

/// A setting that may be written any number of times.
pub(crate) const fn many<T>(name: &'static str, form: &'static str, store: Store<T>) -> Setting<T> {
    Setting {
        repeats: true,
        ..once(name, form, store)
    }
}

/// A setting that may be written once, and for which an empty string is an answer too.
pub(crate) const fn once_or_empty<T>(
    name: &'static str,
    form: &'static str,
    store: Store<T>,
) -> Setting<T> {
    Setting {
        may_be_empty: true,
        ..once(name, form, store)
    }
}

impl<T> Setting<T> {
    /// The word.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Says whether this is the setting of that name.
    pub(crate) fn is(&self, key: &Ident) -> bool {
        key == self.name
    }

    fn claims(&self, argument: &Argument) -> bool {
        let named = argument.key().is_some_and(|key| self.is(key));
        let is_flag = self.form == self.name;
        named && (argument.flag().is_none() || is_flag)
    }

    fn read(&self, argument: &Argument, into: &mut T, mistakes: &Mistakes) {
        if (self.store)(into, argument, mistakes).is_none() {
            mistakes.at(argument, format!("write `{}`", self.form));
        } else if !self.may_be_empty
            && argument
                .text()
                .is_some_and(|text| text.value().trim().is_empty())
        {
            mistakes.at(argument.value(), format!("{argument} is empty"));
        }
    }
}

/// Reads arguments of which every one must be a setting of the table.
pub(crate) fn read_all<T>(
    place: &str,
    table: &[Setting<T>],
    arguments: &[Argument],
    into: &mut T,
    mistakes: &Mistakes,
) {
    let mut written = Written::default();
    for argument in arguments {
        let found = argument
            .key()
            .and_then(|key| table.iter().find(|setting| setting.is(key)));
        match found {
            Some(setting) => written.read(setting, argument, into, mistakes),
            None => unknown(place, table, argument, mistakes),
        }
    }
}

/// Reads the settings among the arguments and hands back the others: columns, expressions and paths.
pub(crate) fn read_known<'a, T>(
    place: &str,
    table: &[Setting<T>],
    arguments: &'a [Argument],
    into: &mut T,
    mistakes: &Mistakes,
) -> Vec<&'a Argument> {
    let mut written = Written::default();
    let mut others = Vec::new();
    let lists_columns = table.iter().any(|setting| setting.name == "columns");
    for argument in arguments {
        match table.iter().find(|setting| setting.claims(argument)) {
            // `name(desc)`: no setting but `columns` itself and those of that form have parentheses.
            Some(setting)
                if lists_columns && argument.list().is_some() && !setting.form.contains('(') =>
            {
                let name = setting.name;
                mistakes.at(
                    argument,
                    format!("write `{}`; a column that is called `{name}` stands in `columns({name}(…))`", setting.form),
                );
            }
            Some(setting) => written.read(setting, argument, into, mistakes),
            None if argument.value().is_some() => unknown(place, table, argument, mistakes),
            None => others.push(argument),
        }
    }
    others
}

/// Puts a value into its slot.
pub(crate) fn set<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    *slot = Some(value);
    Some(())
}

/// Turns a flag on.
pub(crate) fn turn_on(flag: &mut bool, argument: &Argument) -> Option<()> {
    argument.flag()?;
    *flag = true;
    Some(())
}

/// Reads `key = "word"`, where the word is one of a few.
pub(crate) fn choose<C: Copy>(
    slot: &mut Option<C>,
    argument: &Argument,
    choices: &[(&str, C)],
    mistakes: &Mistakes,
) -> Option<()> {
    let text = argument.text()?;
    if let Some((_, choice)) = choices.iter().find(|(word, _)| *word == text.value()) {
        *slot = Some(*choice);
    } else {
        let words: Vec<String> = choices
            .iter()
            .map(|(word, _)| format!("{word:?}"))
            .collect();
        mistakes.at(&text, format!("{argument} is one of {}", words.join(", ")));
    }
    Some(())
}

/// Reads `key = "string"`.
pub(crate) fn text(slot: &mut Option<LitStr>, argument: &Argument) -> Option<()> {
    set(slot, argument.text()?)
}

fn unknown<T>(place: &str, table: &[Setting<T>], argument: &Argument, mistakes: &Mistakes) {
    let forms: Vec<&str> = table.iter().map(|setting| setting.form).collect();
    let forms = forms.join("\n  ").replace("` or `", " or ");
    match argument.key() {
        Some(key) => mistakes.at(
            key,
            format!("unknown attribute `{key}`; {place} may have:\n  {forms}"),
        ),
        None => mistakes.at(
            argument,
            format!("this is no attribute; {place} may have:\n  {forms}"),
        ),
    }
}

/// Settings already written at one place.
#[derive(Default)]
pub(crate) struct Written {
    first: BTreeMap<&'static str, Ident>,
}

impl Written {
    fn read<T>(
        &mut self,
        setting: &Setting<T>,
        argument: &Argument,
        into: &mut T,
        mistakes: &Mistakes,
    ) {
        if let (Some(key), false) = (argument.key(), setting.repeats)
            && self.first.insert(setting.name, key.clone()).is_some()
        {
            mistakes.at(key, format!("`{key}` is written twice"));
            return;
        }
        setting.read(argument, into, mistakes);
    }
}
