//! The fourteen kinds of `CredAccount`, and the certificates of those that have some.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha2::{Digest, Sha256};

use crate::archive::mix;
use crate::document::{Element, flag, number, secret, text};
use crate::hexadecimal::hexadecimal;
use crate::platform::items::Item;

use super::fields::{
    FileFacts, Owner, drawn_fields, invented, item_fields, number_of, upload_fields,
};

/// The concrete type, what people call the account, and the type of its target platform.
const KINDS: [(&str, &str, &str); 14] = [
    ("CredAccountAws", "AWS production", "aws"),
    ("CredAccountOpenStack", "OpenStack lab", "openstack"),
    ("CredAccountVSphere", "vSphere Paris", "vsphere"),
    ("CredAccountAzure", "Azure subscription R&D", "azure"),
    ("CredAccountGoogle", "Google Compute", "google"),
    ("CredAccountDocker", "Docker registry", "docker"),
    ("CredAccountCloudStack", "CloudStack", "cloudstack"),
    ("CredAccountCloudwatt", "Cloudwatt", "openstack"),
    ("CredAccountOutscale", "Outscale", "outscale"),
    ("CredAccountSuseCloud", "SUSE Cloud", "openstack"),
    (
        "CredAccountVCloudDirector",
        "vCloud Director",
        "vclouddirector",
    ),
    ("CredAccountK5", "K5", "k5"),
    ("CredAccountOpenShift", "OpenShift", "openshift"),
    ("CredAccountOracle", "Oracle Cloud", "oracle"),
];

fn kind(item: &Item) -> (&'static str, &'static str, &'static str) {
    KINDS[item.place % KINDS.len()]
}

/// Whether the platform could not store or read an account's secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Secrets {
    Present,
    Missing,
}

/// The `credAccount` document, of the concrete type that the item's place stands for.
pub(crate) fn account(owner: &Owner<'_>, item: &Item, secrets: Secrets) -> Element {
    let (concrete_type, usual_name, platform) = kind(item);
    let base = owner.uri(&format!("accounts/{}", item.id));
    let name = if item.name.starts_with("account") {
        usual_name
    } else {
        item.name.as_str()
    };
    let mut fields = item_fields(item);
    fields.extend([
        text("name", name),
        text("parentUri", owner.uri("").trim_end_matches('/')),
        text("uri", base.as_str()),
        target_platform(item, usual_name, platform),
        flag("secretsMissing", secrets == Secrets::Missing),
    ]);
    let certificates: Vec<Element> = certificate_ids(item)
        .into_iter()
        .map(|id| certificate(item, id, &base, secrets))
        .collect();
    if !certificates.is_empty() {
        fields.push(text("baseCertificatesUri", format!("{base}/certs")));
        fields.push(Element::list("certificates", "certificate", certificates));
    }
    let mut own = own_fields(concrete_type, item.seed);
    if secrets == Secrets::Missing {
        own.retain(|field| !field.is_secret());
    }
    fields.extend(own);
    Element::object("credAccount", fields).with_type(concrete_type)
}

fn own_fields(concrete_type: &str, seed: u64) -> Vec<Element> {
    let hidden = |name: &'static str| secret(name, invented(seed, name));
    let login = text("login", "jleaver-robot");
    let keystone = || {
        vec![
            text("glanceUrl", "https://glance.cloud.example:9292"),
            text("keystoneUrl", "https://keystone.cloud.example:5000/v3"),
            text("login", "jleaver-robot"),
            hidden("password"),
        ]
    };
    match concrete_type {
        "CredAccountAws" | "CredAccountOutscale" => vec![
            text("accessKeyId", format!("AKIA{:016X}", mix(seed))),
            text(
                "accountNumber",
                format!("{:012}", number_of(seed, 999_999_999_999)),
            ),
            text("keyPairName", "forge-production"),
            hidden("secretAccessKeyId"),
        ],
        "CredAccountAzure" => vec![
            text("tenantId", format!("{:016x}", mix(seed ^ 1))),
            text("subscriptionId", format!("{:016x}", mix(seed ^ 2))),
            text("applicationId", format!("{:016x}", mix(seed ^ 3))),
            hidden("applicationKey"),
            text("endpointUrl", "https://management.azure.example/"),
        ],
        "CredAccountCloudStack" => vec![
            text("endpointUrl", "https://cloudstack.example/client/api"),
            text("publicApiKey", format!("{:016x}", mix(seed ^ 4))),
            hidden("secretApiKey"),
        ],
        "CredAccountCloudwatt" | "CredAccountSuseCloud" => keystone(),
        "CredAccountOpenStack" => {
            let mut fields = keystone();
            fields.push(text("keystoneVersion", "v3"));
            fields
        }
        "CredAccountVCloudDirector" => vec![
            text("hostname", "vcloud.acme.example"),
            text("organizationName", "acme"),
            login,
            hidden("password"),
            number("port", 443),
        ],
        "CredAccountVSphere" => vec![
            text("hostname", "vcenter.acme.example"),
            login,
            hidden("password"),
            number("port", 443),
            text("proxyHost", "proxy.acme.example"),
            number("proxyPort", 3128),
        ],
        "CredAccountK5" => vec![login, hidden("password")],
        "CredAccountDocker" => vec![
            text("endpointUrl", "https://registry.acme.example/v2/"),
            login,
            hidden("password"),
        ],
        "CredAccountOpenShift" => vec![
            text("registryUrl", "https://openshift.acme.example/"),
            hidden("token"),
        ],
        "CredAccountOracle" => vec![login, hidden("password"), text("domainName", "acme")],
        _ => Vec::new(),
    }
}

fn target_platform(item: &Item, name: &str, platform: &'static str) -> Element {
    let mut fields = drawn_fields(50 + number_of(item.seed, 30), mix(item.seed));
    fields.extend([
        text("name", name),
        text("type", platform),
        flag("access", true),
        flag("active", true),
    ]);
    Element::object("targetPlatform", fields)
}

/// The ids of an account's certificates.
pub(crate) fn certificate_ids(item: &Item) -> Vec<i64> {
    match kind(item).0 {
        "CredAccountAws" => vec![item.id * 10 + 1, item.id * 10 + 2, item.id * 10 + 3],
        "CredAccountGoogle" => vec![item.id * 10 + 4],
        _ => Vec::new(),
    }
}

/// The certificate's type in the schema, and its file name.
fn certificate_kind(item: &Item, id: i64) -> (&'static str, &'static str) {
    match id - item.id * 10 {
        1 => ("x509", "cert-forge.pem"),
        2 => ("ec2PrivateKey", "pk-forge.pem"),
        3 => ("ec2KeyPairPrivateKey", "forge-production.pem"),
        _ => ("googleCertificate", "compute@developer-key.p12.pem"),
    }
}

/// The certificate's file: PEM, with a key that nobody uses.
pub(crate) fn certificate_file(item: &Item, id: i64) -> Vec<u8> {
    let label = if certificate_kind(item, id).0 == "x509" {
        "CERTIFICATE"
    } else {
        "RSA PRIVATE KEY"
    };
    let body: Vec<u8> = (0..90u64)
        .flat_map(|word| mix(item.seed ^ mix(id.unsigned_abs()) ^ word).to_le_bytes())
        .collect();
    let encoded = STANDARD.encode(body);
    let mut lines = vec![format!("-----BEGIN {label}-----")];
    lines.extend(
        encoded
            .as_bytes()
            .chunks(64)
            .map(|line| String::from_utf8_lossy(line).into_owned()),
    );
    lines.push(format!("-----END {label}-----\n"));
    lines.join("\n").into_bytes()
}

fn certificate(item: &Item, id: i64, base: &str, secrets: Secrets) -> Element {
    let (certificate_type, name) = certificate_kind(item, id);
    let file = certificate_file(item, id);
    let facts = FileFacts {
        bytes: file.len(),
        md5: &hexadecimal(&Md5::digest(&file)),
        sha256: &hexadecimal(&Sha256::digest(&file)),
        media_type: "application/x-x509-ca-cert",
    };
    let mut fields = upload_fields(id, item.seed ^ id.unsigned_abs(), &facts);
    if secrets == Secrets::Present {
        fields.push(secret("content", STANDARD.encode(&file)));
    }
    fields.extend([
        text("name", name),
        text("parentUri", base),
        text("type", certificate_type),
        text("uri", format!("{base}/certs/{id}")),
    ]);
    Element::object("certificate", fields)
}
