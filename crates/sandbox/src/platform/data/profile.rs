//! `User`, the profile, and its photo.

use crate::document::{Element, flag, number, secret, text};
use crate::platform::picture::{Picture, picture};

use super::fields::{Owner, drawn_fields, invented, logo};

/// The id of everybody's photo.
pub(crate) const PHOTO_ID: i64 = 77;

/// The photo's file.
pub(crate) fn photo(owner: &Owner<'_>) -> &'static Picture {
    picture(owner.seed)
}

/// The `user` document.
pub(crate) fn user(owner: &Owner<'_>) -> Element {
    let uri = |rest: &str| text_uri(owner, rest);
    let base = owner.uri("");
    let base = base.trim_end_matches('/');
    let photo_uri = owner.uri(&format!("photo/{PHOTO_ID}"));
    let mut fields = drawn_fields(owner.id, owner.seed);
    fields.extend([
        text("loginName", owner.login),
        flag("active", true),
        company(owner),
        text(
            "email",
            format!(
                "{}@acme.example",
                owner.login.split('@').next().unwrap_or("someone")
            ),
        ),
        text("firstName", "Jeanne"),
        text("surname", "Leaver-Ngô"),
        text("jobTitle", "Image designer"),
        logo(
            "photo",
            PHOTO_ID,
            Some(photo(owner)),
            (base.to_owned(), photo_uri),
        ),
        text("website", "https://jeanne.example/"),
        address("12 rue de la Forge", "Paris", "75011"),
        flag("admin", owner.administrator),
        number("apiKeysQuota", 5),
        text("baseApiKeysUri", uri("apikeys")),
        text("baseAppliancesUri", uri("appliances")),
        text("baseCredAccountsUri", uri("accounts")),
        text("baseImagesUri", uri("images")),
        text("baseExportsUri", uri("exports")),
        text("baseImportsUri", uri("imports")),
        text("baseMySoftwareLibraryUri", uri("mysoftware")),
        text("baseOrgsUri", uri("orgs")),
        text("basePublishImagesUri", uri("pimages")),
        text("baseRolesUri", uri("roles")),
        text("baseWorkspacesUri", uri("workspaces")),
        text("dob", "1984-02-29T00:00:00Z"),
        text("gender", "f"),
        text("homePhone", "+33 1 99 00 12 34"),
        text("lang", "fr"),
        text("mobilePhone", "+33 6 39 98 00 00"),
        text("name", "Jeanne Leaver-Ngô"),
        Element::uris("orgUris", vec!["orgs/2".to_owned()]),
        product_access(owner),
        text("quotasUri", uri("quotas")),
        text("sshKeysUri", uri("sshkeys")),
        text("statsUri", uri("stats")),
        text("uri", base),
        text("usageUri", uri("usage")),
    ]);
    Element::object("user", fields)
}

fn text_uri(owner: &Owner<'_>, rest: &str) -> String {
    owner.uri(rest)
}

fn company(owner: &Owner<'_>) -> Element {
    let mut fields = drawn_fields(2, owner.seed ^ 2);
    fields.extend([
        address("1 Anvil Street", "London", "E1 6AN"),
        text("name", "ACME Forges & Co"),
        text("uri", "companies/2"),
    ]);
    Element::object("company", fields)
}

fn address(street: &'static str, town: &'static str, zip_code: &'static str) -> Element {
    Element::object(
        "address",
        vec![
            text("street", street),
            text("town", town),
            text("zipcode", zip_code),
        ],
    )
}

fn product_access(owner: &Owner<'_>) -> Element {
    let mut fields = drawn_fields(owner.id + 1, owner.seed ^ 3);
    fields.extend([
        flag("allowed", true),
        text("email", "licences@acme.example"),
        secret("licenseKey", invented(owner.seed, "licenseKey")),
        text("type", "subscription"),
    ]);
    Element::object("productAccess", fields)
}
