//! Headers of migrations: comments, whatever stands in them, and read back as they were written.

use generator::migrations::folder::{Header, Parent};
use proptest::prelude::*;

use super::{cases, hold, hostile};

#[test]
fn a_header_is_comments_and_is_read_back() {
    let words = || prop::collection::vec(hostile(), 0..3);
    let all = (hostile(), words(), any::<bool>(), any::<bool>());
    hold(cases(), all, |(message, proof, by_hand, drafted)| {
        let parent = |version: &str| Parent {
            version: version.to_owned(),
            hash: "0123456789abcdef".to_owned(),
        };
        let header = Header {
            message,
            proof,
            parents: vec![parent("20300101000000"), parent("20300102000000")],
            by_hand,
            drafted,
            ..Header::default()
        };
        let text = header.render();
        for line in text.split(['\n', '\r']) {
            if !line.is_empty() && !line.starts_with("--") {
                return Err(format!("{line:?} is no comment"));
            }
        }
        if let Some(active) = text.chars().find(|c| c.is_control() && *c != '\n') {
            return Err(format!("{active:?} is in it"));
        }
        let parsed = Header::parse(&text).ok_or("it is not read")?;
        let one_line = |text: &str| {
            let text = trueup::one_line(text);
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let same = parsed.message == one_line(&header.message)
            && parsed.proof
                == header
                    .proof
                    .iter()
                    .map(|one| one_line(one))
                    .filter(|one| !one.is_empty())
                    .collect::<Vec<_>>()
            && parsed.parents == header.parents
            && (parsed.by_hand, parsed.drafted) == (by_hand, drafted);
        let body = Header::body(&format!("{text}SELECT 1;\n")).to_owned();
        if !same || body != "SELECT 1;\n" {
            return Err(format!("it is read as {parsed:?}, with {body:?} behind it"));
        }
        Ok(())
    });
}

#[test]
fn any_text_may_stand_where_a_header_does() {
    let line = prop_oneof![
        Just("-- trueup migration 2".to_owned()),
        Just("-- parent: none".to_owned()),
        Just("-- sealed: up.sql 0123456789abcdef, down.sql 0123456789abcdef, run_in_transaction = true".to_owned()),
        hostile().prop_map(|text| format!("-- parent: {text}")),
        hostile().prop_map(|text| format!("-- sealed: {text}")),
        hostile().prop_map(|text| format!("-- replaces: {text}")),
        hostile(),
    ];
    let texts = prop::collection::vec(line, 0..6).prop_map(|lines| lines.join("\n"));
    hold(cases(), texts, |text| {
        let body = Header::body(&text);
        if Header::parse(&text).is_none() && body != text {
            return Err(format!("no header, and only {body:?} behind it"));
        }
        if text.ends_with(body) {
            Ok(())
        } else {
            Err(format!("{body:?} is not its end"))
        }
    });
}
