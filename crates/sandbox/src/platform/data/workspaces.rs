//! Workspaces, the templates shared in them, and what people say about both.

use crate::document::{Element, flag, number, text};

use super::fields::{Owner, drawn_fields, id_at, number_of};

/// An owner's workspaces are numbered from here: their comments are found without the owner's name in the path.
fn first_workspace(owner: &Owner<'_>) -> i64 {
    601 + (owner.id - super::fields::FIRST_USER_ID) * 100_000
}

/// Whether this is the id of one of the owner's workspaces.
pub(crate) fn has_workspace(owner: &Owner<'_>, id: i64) -> bool {
    (first_workspace(owner)..first_workspace(owner) + i64::from(owner.others)).contains(&id)
}

pub(super) fn workspaces(owner: &Owner<'_>) -> Vec<Element> {
    const NAMES: [&str; 3] = ["Platform team", "Hardening & audit", "Partners <external>"];
    let make = |place| {
        let id = id_at(first_workspace(owner), place);
        let base = format!("orgs/2/workspaces/{id}");
        let mut fields = drawn_fields(id, owner.draw("workspace", place));
        fields.extend([
            text("commentsUri", format!("{base}/comments")),
            text("membershipsUri", format!("{base}/memberships")),
            membership(owner, place),
            text("name", NAMES[place % NAMES.len()]),
            number("nbTemplates", 2),
            text("orgUri", "orgs/2"),
            text("templatesUri", format!("{base}/templates")),
            text("uri", base.as_str()),
        ]);
        Element::object("workspace", fields)
    };
    owner.places().map(make).collect()
}

fn membership(owner: &Owner<'_>, place: usize) -> Element {
    const ROLES: [&str; 3] = ["Administrator", "Collaborator", "Guest"];
    let mut fields = drawn_fields(id_at(651, place), owner.draw("membership", place));
    fields.extend([
        flag("accepted", true),
        text("userLogin", owner.login),
        text("joinedDate", "2018-03-01T09:00:00Z"),
        text("role", ROLES[place % ROLES.len()]),
    ]);
    Element::object("myMembership", fields)
}

/// The templates shared in a workspace.
pub(crate) fn templates(owner: &Owner<'_>, workspace: i64) -> Vec<Element> {
    let make = |place| {
        let id = workspace * 10 + id_at(1, place);
        let base = format!("orgs/2/workspaces/{workspace}/templates/{id}");
        let mut fields = drawn_fields(id, owner.draw("template", place));
        fields.extend([
            text("name", format!("shared template {}", place + 1)),
            text("uri", base.as_str()),
            text("version", "1.0"),
            flag("allowComments", true),
            text("commentsUri", format!("{base}/comments")),
            text("owner", owner.login),
        ]);
        Element::object("galleryTemplate", fields)
    };
    (0..2).map(make).collect()
}

/// What is said in the place that `base` names: the owner's own words, other people's, and answers to both, two levels deep.
pub(crate) fn comments(owner: &Owner<'_>, base: &str, seed_of_place: i64) -> Vec<Element> {
    let first = seed_of_place * 100;
    let say = |place: i64, login: &str, message: &str, replies: Vec<Element>| {
        comment(owner, base, (first + place, login), message, replies)
    };
    vec![
        say(
            1,
            owner.login,
            "I moved the packages to the new mirror, please try.",
            vec![
                say(
                    2,
                    "mkowalski",
                    "Works on my cluster. Call me at +48 600 000 000.",
                    vec![say(3, owner.login, "Thanks Marek!\nClosing this.", vec![])],
                ),
                say(4, "a.tanaka", "Tokyo too. 問題ありません。", vec![]),
            ],
        ),
        say(
            5,
            "a.tanaka",
            "Who owns the licence server?",
            vec![say(6, owner.login, "I do, until the end of June.", vec![])],
        ),
        say(
            7,
            "mkowalski",
            "Marek's private remark about budgets & people.",
            vec![],
        ),
    ]
}

fn comment(
    owner: &Owner<'_>,
    base: &str,
    (id, login): (i64, &str),
    message: &str,
    replies: Vec<Element>,
) -> Element {
    let place = usize::try_from(id).unwrap_or(0);
    let mut fields = drawn_fields(id, owner.draw("comment", place));
    fields.extend([
        flag("abused", false),
        text("loginName", login),
        text("message", message),
        number("nbDislike", 0),
        number("nbLike", number_of(owner.draw("like", place), 9)),
    ]);
    if !replies.is_empty() {
        fields.push(Element::list("replies", "comment", replies));
    }
    fields.extend([
        text("type", "QUESTION"),
        text("uri", format!("{base}/{id}")),
    ]);
    Element::object("comment", fields)
}
