//! Targets of `upgrade`, `downgrade` and `stamp`, as written: `head`, `base`, `+2`, `-1`, or a version.

use std::str::FromStr;

use generator::migrations::apply::{DownTarget, StampTarget, UpTarget};

/// Target of `upgrade`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Up(pub(crate) UpTarget);

/// Target of `downgrade`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Down(pub(crate) DownTarget);

/// Target of `stamp`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Stamp(pub(crate) StampTarget);

impl FromStr for Up {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(number) = text.strip_prefix('+') {
            return steps(number, "upgrade +2").map(|steps| Self(UpTarget::Plus(steps)));
        }
        match text {
            "head" => Ok(Self(UpTarget::Head)),
            "base" => Err("`base` is the way back: use `downgrade base`".to_owned()),
            version => version_in(
                version,
                "`upgrade` goes forward: use `downgrade` to go back",
            )
            .map(|version| Self(UpTarget::Version(version))),
        }
    }
}

impl FromStr for Down {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(number) = text.strip_prefix('-') {
            return steps(number, "downgrade -2").map(|steps| Self(DownTarget::Minus(steps)));
        }
        match text {
            "base" => Ok(Self(DownTarget::Base)),
            "head" => Err("`head` is the way forward: use `upgrade`".to_owned()),
            version => version_in(
                version,
                "`downgrade` goes back: use `upgrade` to go forward",
            )
            .map(|version| Self(DownTarget::Version(version))),
        }
    }
}

impl FromStr for Stamp {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "head" => Ok(Self(StampTarget::Head)),
            "base" => Ok(Self(StampTarget::Base)),
            version => version_in(version, "`stamp` takes a version, `head` or `base`")
                .map(|version| Self(StampTarget::Version(version))),
        }
    }
}

fn steps(number: &str, example: &str) -> Result<usize, String> {
    match number.parse() {
        Ok(steps) if steps > 0 => Ok(steps),
        Ok(_) | Err(_) => Err(format!(
            "the number of steps is 1 or more, as in `{example}`"
        )),
    }
}

fn version_in(text: &str, otherwise: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("a version is not empty; `history` lists them".to_owned());
    }
    if text.starts_with(['+', '-']) {
        return Err(otherwise.to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn up() {
        let parsed = |text: &str| text.parse::<Up>().map(|up| up.0);
        assert_eq!(parsed("head"), Ok(UpTarget::Head));
        assert_eq!(parsed("+2"), Ok(UpTarget::Plus(2)));
        assert_eq!(parsed("2026"), Ok(UpTarget::Version("2026".to_owned())));
        for wrong in ["", "+", "+0", "+x", "-1", "base"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn down() {
        let parsed = |text: &str| text.parse::<Down>().map(|down| down.0);
        assert_eq!(parsed("base"), Ok(DownTarget::Base));
        assert_eq!(parsed("-12"), Ok(DownTarget::Minus(12)));
        assert_eq!(
            parsed("2026-11-21-063000-0000_x"),
            Ok(DownTarget::Version("2026-11-21-063000-0000_x".to_owned()))
        );
        for wrong in ["", "-", "-0", "-x", "+1", "head"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn stamp() {
        let parsed = |text: &str| text.parse::<Stamp>().map(|stamp| stamp.0);
        assert_eq!(parsed("head"), Ok(StampTarget::Head));
        assert_eq!(parsed("base"), Ok(StampTarget::Base));
        assert_eq!(parsed("1"), Ok(StampTarget::Version("1".to_owned())));
        for wrong in ["", "+1", "-1"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}
