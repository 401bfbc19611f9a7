//! What a server said in words, made safe to show.

use reqwest::header::HeaderMap;

use crate::wire::media::MediaType;
use crate::wire::xml;

/// Characters of the server's words that are shown.
const LONGEST_MESSAGE: usize = 300;

/// What the server said, from whatever form it said it in.
pub(super) fn message(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let is_plain = MediaType::of(headers).is_some_and(|found| found.essence == "text/plain");
    let words = from_xml(&text)
        .or_else(|| from_json(&text))
        .or_else(|| title(&text))
        .or_else(|| is_plain.then(|| text.to_string()))?;
    let words = plain(&words);
    (!words.is_empty()).then_some(words)
}

fn from_xml(text: &str) -> Option<String> {
    let document = xml::parse(text.as_bytes()).ok()?;
    xml::error_message(xml::root(&document, &["uforgeError"]).ok()?)
}

fn from_json(text: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    let error = value.get("uforgeError").unwrap_or(&value);
    Some(
        error
            .get("localizedErrorMsg")?
            .get("message")?
            .as_str()?
            .to_owned(),
    )
}

fn title(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let start = start + lower.get(start..)?.find('>')? + 1;
    let length = lower.get(start..)?.find("</title")?;
    text.get(start..start + length).map(str::to_owned)
}

/// One line without control characters, credentials and end.
pub(in crate::wire) fn plain(text: &str) -> String {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .take(LONGEST_MESSAGE)
        .collect();
    let line = words.join(" ");
    // Some front ends repeat the request's line in their error pages.
    let line = ["signature=", "apiKey="]
        .iter()
        .fold(line, |line, name| without_value(&line, name));
    line.chars().take(LONGEST_MESSAGE).collect()
}

fn without_value(line: &str, name: &str) -> String {
    let mut parts = line.split(name);
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part
            .find(|c: char| c == '&' || c.is_whitespace())
            .unwrap_or(part.len());
        kept = format!("{kept}{name}…{}", part.get(end..).unwrap_or_default());
    }
    kept
}
