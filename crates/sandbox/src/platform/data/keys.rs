//! Artifact accounts, API keys, SSH keys.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::archive::mix;
use crate::document::{Element, number, secret, text};

use super::fields::{Owner, drawn_fields, id_at, invented};

pub(super) fn artifact_accounts(owner: &Owner<'_>) -> Vec<Element> {
    const KINDS: [(&str, i64); 3] = [("https", 443), ("ftp", 21), ("http", 8080)];
    let make = |place| {
        let seed = owner.draw("artifact account", place);
        let id = id_at(501, place);
        let base = owner.uri(&format!("artifactaccounts/{id}"));
        let (protocol, port) = KINDS[place % KINDS.len()];
        let mut fields = drawn_fields(id, seed);
        fields.extend([
            text("uri", base.as_str()),
            text("parentUri", owner.uri("").trim_end_matches('/')),
            text("name", format!("artifacts {}", place + 1)),
            text("host", format!("artifacts{}.acme.example", place + 1)),
            text("login", "jleaver-deploy"),
            secret("password", invented(seed, "artifact password")),
            text("type", protocol),
            number("port", port),
            text("softwareArtifactsUri", format!("{base}/artifacts")),
        ]);
        Element::object("artifactCredAccount", fields)
    };
    owner.places().map(make).collect()
}

/// The first pair is the one that signs requests.
pub(super) fn api_keys(owner: &Owner<'_>) -> Vec<Element> {
    let make = |place| {
        let seed = owner.draw("api key", place);
        let id = id_at(521, place);
        let (public, private) = match place {
            0 => (owner.public_key.to_owned(), owner.secret_key.to_owned()),
            _ => (invented(seed, "public"), invented(seed, "secretKey")),
        };
        let mut fields = drawn_fields(id, seed);
        fields.extend([
            text("name", format!("key {}", place + 1)),
            text("description", "for the nightly builds"),
            text("publicKey", public),
            secret("secretKey", private),
            text("uri", owner.uri(&format!("apikeys/{id}"))),
        ]);
        Element::object("apiKeyPair", fields)
    };
    owner.places().map(make).collect()
}

pub(super) fn ssh_keys(owner: &Owner<'_>) -> Vec<Element> {
    let make = |place| {
        let seed = owner.draw("ssh key", place);
        let id = id_at(541, place);
        let blob: Vec<u8> = (0..8u64)
            .flat_map(|word| mix(seed ^ word).to_le_bytes())
            .collect();
        let mut fields = drawn_fields(id, seed);
        fields.extend([
            text("name", format!("laptop {}", place + 1)),
            text(
                "publicKey",
                format!(
                    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5{} jleaver@laptop",
                    STANDARD_NO_PAD.encode(blob)
                ),
            ),
            text("uri", owner.uri(&format!("sshkeys/{id}"))),
        ]);
        Element::object("sshKey", fields)
    };
    owner.places().map(make).collect()
}
