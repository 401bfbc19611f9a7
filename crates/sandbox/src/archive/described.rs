//! What an archive that is imported says of itself: the template or bundle file at its top.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use serde_json::Value;

use crate::scenario::ItemKind;

/// Larger than any template.
const LARGEST_BYTES: u64 = 16 * 1024 * 1024;

/// The name and the version of what an archive holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Described {
    pub(crate) name: String,
    pub(crate) version: String,
}

/// Reads an archive through. An error is what the platform says of it.
pub(crate) fn described(bytes: &[u8], kind: ItemKind) -> Result<Described, String> {
    let stem = match kind {
        ItemKind::Software => "bundle",
        ItemKind::Appliance | ItemKind::Account => "template",
    };
    let damaged = |error: std::io::Error| format!("The archive cannot be read: {error}");
    let mut tar = tar::Archive::new(MultiGzDecoder::new(bytes));
    let mut found = None;
    for entry in tar.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if let Some(ending) = ["yml", "yaml", "json"]
            .into_iter()
            .find(|ending| path == format!("{stem}.{ending}"))
        {
            let mut text = Vec::new();
            let mut limited = (&mut entry).take(LARGEST_BYTES);
            limited.read_to_end(&mut text).map_err(damaged)?;
            found = Some((ending, text));
        }
        std::io::copy(&mut entry, &mut std::io::sink()).map_err(damaged)?;
    }
    let (ending, text) = found.ok_or_else(|| format!("The archive holds no {stem} file"))?;
    let value: Option<Value> = match ending {
        "json" => serde_json::from_slice(&text).ok(),
        _ => serde_saphyr::from_slice(&text).ok(),
    };
    let value = value.ok_or_else(|| format!("The {stem} file cannot be read"))?;
    let object = match kind {
        ItemKind::Software => &value,
        ItemKind::Appliance | ItemKind::Account => &value["stack"],
    };
    let word = |key: &str| match &object[key] {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(format!("The {stem} file has no {key}")),
    };
    Ok(Described {
        name: word("name")?,
        version: word("version")?,
    })
}
