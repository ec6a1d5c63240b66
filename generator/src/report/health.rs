//! The report of `health`, for people.

use super::{
    Report,
    style::{GOOD, WARNING},
};
use crate::operations::health::Health;

impl Report for Health {
    fn text(&self) -> String {
        let at = match &self.version {
            Some(version) => format!("at {version}"),
            None => "without a migration".to_owned(),
        };
        let mut text = match &self.reason {
            None => format!("{GOOD}healthy{GOOD:#}: {at}, {} ms\n", self.milliseconds),
            Some(reason) => format!("{WARNING}unhealthy{WARNING:#}: {reason}\n"),
        };
        for line in &self.invalid {
            text += &format!("{WARNING}invalid{WARNING:#}: {line}\n");
        }
        text
    }
}
