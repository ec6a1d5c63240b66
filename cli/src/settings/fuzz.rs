//! Texts that nobody thought of, as `.env` and `trueup.toml`: read as they are meant, or an error that names the line and
//! repeats no value.
//!
//! `TRUEUP_FUZZ` says how many (256), `TRUEUP_SEED` from which number the chance begins (0).

use std::fs;

use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner},
};

use super::*;

fn hold<T: fmt::Debug + Clone>(
    strategy: impl Strategy<Value = T>,
    test: impl Fn(T) -> Result<(), String>,
) {
    let number = |name: &str, default: u64| {
        let written = std::env::var(name).ok();
        written.map_or(default, |text| text.parse().expect("a number"))
    };
    let config = Config {
        cases: u32::try_from(number("TRUEUP_FUZZ", 256)).unwrap_or(u32::MAX),
        failure_persistence: None,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number("TRUEUP_SEED", 0).to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let outcome = TestRunner::new_with_rng(config, rng)
        .run(&strategy, |case| test(case).map_err(TestCaseError::fail));
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, case)) => panic!("{case:?}: {reason}"),
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}

/// A text as it is, as a value that no quote is needed for, or with whatever breaks a line.
fn values() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9:/@.%_-]{0,12}",
        "[ -~]{0,12}",
        "\\PC{0,8}",
        Just("S3cr3tValue with a blank".to_owned()),
        Just("'S3cr3tValue".to_owned()),
        Just("\"S3cr3tValue".to_owned()),
    ]
}

#[test]
fn a_dot_env_is_read_or_its_line_is_named() {
    let names = prop::sample::select(
        &[
            "DATABASE_URL",
            "APP_ENV",
            "TRUEUP_SEEDS",
            "A",
            "export B",
            "with blank",
            "",
        ][..],
    );
    let ends = prop::sample::select(&["\n", "\r\n", "\n\n", "\n# ours\n", ""][..]);
    let lines = prop::collection::vec((names, values(), ends), 0..5);
    hold((any::<bool>(), lines), |(has_mark, lines)| {
        let written = lines
            .iter()
            .map(|(name, value, end)| format!("{name}={value}{end}"));
        let text = written.collect::<Vec<_>>().concat();
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(".env");
        let mark = if has_mark { "\u{feff}" } else { "" };
        fs::write(&path, format!("{mark}{text}")).expect("a file");
        let read = read_if_there(&path).expect("a text").expect("a file");
        // A mark of the file's beginning is no part of the first name.
        if read != text.trim_start_matches('\u{feff}') {
            return Err(format!("{read:?} is read"));
        }
        let error = match parse(&path, &read) {
            Ok(found) => {
                let has_name = found.keys().all(|name| !name.is_empty());
                return if has_name {
                    Ok(())
                } else {
                    Err(format!("{found:?}"))
                };
            }
            Err(error) => error,
        };
        let said = format!("{error} {error:?}");
        if said.contains("S3cr3tValue") {
            return Err(said);
        }
        let place = error.to_string();
        let place = place
            .strip_prefix(&path.display().to_string())
            .unwrap_or_default();
        let line: Option<usize> = place
            .strip_prefix(':')
            .and_then(|rest| rest.split(' ').next()?.parse().ok());
        match line {
            Some(line) if (1..=read.lines().count()).contains(&line) => Ok(()),
            Some(_) | None => Err(said),
        }
    });
}

#[test]
fn one_value_of_a_dot_env_comes_through() {
    // dotenvy takes a backslash before the last quote for an escape, and says so.
    hold("[ -&(-\\[\\]-~é𝄞]{0,16}", |value| {
        let text = format!("# ours\nDATABASE_URL='{value}'\nLAST=1\n");
        let found = parse(Path::new(".env"), &text).map_err(|error| error.to_string())?;
        let read = found.get(OsStr::new("DATABASE_URL"));
        if read.is_some_and(|read| *read == *value) && found.len() == 2 {
            Ok(())
        } else {
            Err(format!("{found:?}"))
        }
    });
}

#[test]
fn a_setting_in_toml_comes_through_or_its_line_is_named() {
    let keys = prop::sample::select(
        &[
            "database_url",
            "scratch_url",
            "seeds",
            "lock_timeout",
            "lock_retries",
            "lok_timeout",
            "Seeds",
            "é",
        ][..],
    );
    hold((0..4_usize, keys, values()), |(before, key, value)| {
        let written = toml::Value::String(value.clone()).to_string();
        let comments = "# ours\n".repeat(before);
        let name = if key.is_ascii() {
            key.to_owned()
        } else {
            format!("'{key}'")
        };
        let text = format!("{comments}{name} = {written}\n");
        let known = ALL.iter().find(|setting| setting.key == key);
        match (file::parse(Path::new(file::NAME), &text), known) {
            (Ok((layer, rules)), Some(setting)) => {
                let read = layer.get(OsStr::new(setting.variable));
                let line = rules.lines.get(setting.variable);
                if read.is_some_and(|read| *read == *value) && line == Some(&(before + 1)) {
                    Ok(())
                } else {
                    Err(format!("{layer:?}, line {line:?}"))
                }
            }
            (Err(error), None) => {
                let place = format!(
                    "trueup.toml:{} has a setting that trueup does not know: {key}",
                    before + 1
                );
                if error.to_string() == place {
                    Ok(())
                } else {
                    Err(error.full())
                }
            }
            (Ok(_), None) => Err("it is taken".to_owned()),
            (Err(error), Some(_)) => Err(error.full()),
        }
    });
}

#[test]
fn broken_toml_is_named_by_its_line_and_not_repeated() {
    let line = prop_oneof![
        Just("database_url = postgres://me:S3cr3tValue@h/db".to_owned()),
        Just("database_url = 'S3cr3tValue".to_owned()),
        Just("seeds = 'a'".to_owned()),
        Just("seeds = [1, 'a']".to_owned()),
        Just("include = 'S3cr3tValue'".to_owned()),
        Just("[scratch]\nroles = 1".to_owned()),
        Just("[scratch]\nS3cr3tValue = 1".to_owned()),
        values(),
    ];
    hold(prop::collection::vec(line, 0..4), |lines| {
        let text = lines.join("\n");
        let Err(error) = file::parse(Path::new(file::NAME), &text) else {
            return Ok(());
        };
        let said = error.to_string();
        let line: Option<usize> = said
            .strip_prefix("trueup.toml:")
            .and_then(|rest| rest.split([' ', ':']).next()?.parse().ok());
        match line {
            // The end of a text that breaks off is behind its last line.
            Some(line) if (1..=text.split('\n').count()).contains(&line) => Ok(()),
            Some(_) | None => Err(error.full()),
        }
    });
}
