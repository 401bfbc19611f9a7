//! The document of the interface (OpenAPI 3.1), made from the handlers.

use axum::Extension;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use utoipa::openapi::{InfoBuilder, OpenApi, OpenApiBuilder};

use super::published::Published;

/// What the document says before there are routes.
pub(super) fn frame() -> OpenApi {
    let info = InfoBuilder::new()
        .title("uforge-export-server")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Exports of a person's data from UForge AppCenter. Errors are problem documents (RFC 9457).",
        ));
    OpenApiBuilder::new().info(info).build()
}

/// The document with what all operations have in common: how callers sign in, and problems.
pub(super) fn completed(document: OpenApi) -> Value {
    let mut document = serde_json::to_value(document).unwrap_or_default();
    if let Some(info) = document["info"].as_object_mut() {
        info.insert(
            "license".to_owned(),
            json!({"name": "Apache-2.0", "identifier": "Apache-2.0"}),
        );
    }
    document["components"]["securitySchemes"] = json!({
        "uforge": {"type": "http", "scheme": "basic", "description": "A UForge login and its password"}
    });
    document["components"]["schemas"]["Problem"] = problem();
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for (path, item) in paths {
        let is_open = OPEN.contains(&path.as_str());
        for operation in item
            .as_object_mut()
            .into_iter()
            .flat_map(|item| item.values_mut())
        {
            complete(operation, is_open);
        }
    }
    document
}

/// Whoever asks for these need not sign in.
const OPEN: [&str; 8] = [
    "/sign-in",
    "/sign-out",
    "/healthz",
    "/readyz",
    "/metrics",
    "/api/v1/openapi.json",
    "/api/v1/reference",
    "/api/v1/reference.css",
];

fn complete(operation: &mut Value, is_open: bool) {
    let problem =
        json!({"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}});
    operation["security"] = if is_open {
        json!([])
    } else {
        json!([{"uforge": []}])
    };
    let Some(responses) = operation["responses"].as_object_mut() else {
        return;
    };
    for (status, response) in responses.iter_mut() {
        if status.starts_with('4') {
            response["content"] = problem.clone();
        }
    }
    responses.insert(
        "default".to_owned(),
        json!({"description": "A problem", "content": problem}),
    );
}

fn problem() -> Value {
    json!({
        "type": "object",
        "description": "What went wrong (RFC 9457)",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string", "format": "uri-reference", "description": "Which problem, as in `/problems/not-ready`"},
            "title": {"type": "string", "description": "The same each time"},
            "status": {"type": "integer", "description": "The status code"},
            "detail": {"type": "string", "description": "What happened this time, and what helps"}
        }
    })
}

/// This document
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    tag = "service",
    responses((status = 200, description = "The interface as OpenAPI 3.1", body = Object))
)]
pub(super) async fn document(Extension(published): Extension<Published>) -> Response {
    let body = published.document.to_string();
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}
