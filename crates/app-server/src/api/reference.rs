//! The reference page: the document of the interface, for people. Plain HTML; no script, nothing from elsewhere.

use askama::Template;
use axum::Extension;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::published::Published;

#[derive(Template)]
#[template(path = "reference.html")]
struct Page {
    title: String,
    version: String,
    description: String,
    operations: Vec<Operation>,
    schemas: Vec<Schema>,
}

struct Operation {
    anchor: String,
    method: String,
    path: String,
    summary: String,
    description: String,
    needs_sign_in: bool,
    parameters: Vec<Field>,
    body: Option<String>,
    responses: Vec<Answer>,
}

struct Field {
    name: String,
    place: String,
    kind: String,
    is_required: bool,
    description: String,
}

struct Answer {
    status: String,
    description: String,
    kinds: String,
}

struct Schema {
    name: String,
    description: String,
    values: String,
    fields: Vec<Field>,
}

/// The page of a document.
pub(super) fn rendered(document: &Value) -> String {
    let page = Page {
        title: text(&document["info"]["title"]),
        version: text(&document["info"]["version"]),
        description: text(&document["info"]["description"]),
        operations: operations(document),
        schemas: entries(&document["components"]["schemas"])
            .map(schema)
            .collect(),
    };
    page.render().unwrap_or_else(|error| {
        tracing::error!(%error, "the reference page could not be made");
        String::new()
    })
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, item) in entries(&document["paths"]) {
        operations.extend(entries(item).map(|(method, found)| operation(path, method, found)));
    }
    operations
}

fn operation(path: &str, method: &str, found: &Value) -> Operation {
    let body = &found["requestBody"];
    Operation {
        anchor: text(&found["operationId"]),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(&found["summary"]),
        description: text(&found["description"]),
        needs_sign_in: found["security"]
            .as_array()
            .is_some_and(|list| !list.is_empty()),
        parameters: list(&found["parameters"]).map(parameter).collect(),
        body: body.is_object().then(|| contents(body)),
        responses: entries(&found["responses"])
            .map(|(status, response)| Answer {
                status: status.clone(),
                description: text(&response["description"]),
                kinds: contents(response),
            })
            .collect(),
    }
}

fn parameter(found: &Value) -> Field {
    Field {
        name: text(&found["name"]),
        place: text(&found["in"]),
        kind: kind(&found["schema"]),
        is_required: found["required"] == true,
        description: text(&found["description"]),
    }
}

fn schema((name, found): (&String, &Value)) -> Schema {
    let mut fields = Vec::new();
    for part in list(&found["allOf"]).chain([found]) {
        if let Some(other) = part["$ref"].as_str() {
            fields.push(Field {
                name: "…".to_owned(),
                place: String::new(),
                kind: last(other),
                is_required: true,
                description: "and all of its fields".to_owned(),
            });
        }
        for (name, field) in entries(&part["properties"]) {
            fields.push(Field {
                name: name.clone(),
                place: String::new(),
                kind: kind(field),
                is_required: list(&part["required"]).any(|required| required == name.as_str()),
                description: text(&field["description"]),
            });
        }
    }
    Schema {
        name: name.clone(),
        description: text(&found["description"]),
        values: list(&found["enum"])
            .map(text)
            .collect::<Vec<_>>()
            .join(", "),
        fields,
    }
}

/// Media types, each with what it holds.
fn contents(found: &Value) -> String {
    let contents = entries(&found["content"]).map(|(media, content)| {
        let kind = kind(&content["schema"]);
        format!("{media}: {kind}")
    });
    contents.collect::<Vec<_>>().join(", ")
}

/// A schema in few words.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        return last(name);
    }
    if let Some(kinds) = ["oneOf", "anyOf"]
        .iter()
        .find_map(|of| schema[*of].as_array())
    {
        return kinds.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    match &schema["type"] {
        Value::Array(kinds) => {
            let mut of = schema.clone();
            let kinds = kinds.iter().map(|one| {
                of["type"] = one.clone();
                kind(&of)
            });
            kinds.collect::<Vec<_>>().join(" or ")
        }
        Value::String(name) if name == "array" => format!("list of {}", kind(&schema["items"])),
        Value::String(name) if name == "string" => {
            schema["format"].as_str().unwrap_or("string").to_owned()
        }
        Value::String(name) => name.clone(),
        _ => "any".to_owned(),
    }
}

fn last(reference: &str) -> String {
    let name = reference.rsplit('/').next();
    name.unwrap_or_default().to_owned()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The interface for people
#[utoipa::path(
    get,
    path = "/api/v1/reference",
    tag = "service",
    responses((status = 200, description = "A page without scripts", content_type = "text/html", body = String))
)]
pub(super) async fn page(Extension(published): Extension<Published>) -> Response {
    let body = published.page.to_string();
    ([(CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response()
}

/// How that page looks
#[utoipa::path(
    get,
    path = "/api/v1/reference.css",
    tag = "service",
    responses((status = 200, description = "A style sheet", content_type = "text/css", body = String))
)]
pub(super) async fn style() -> Response {
    let body = include_str!("../../templates/reference.css");
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], body).into_response()
}
