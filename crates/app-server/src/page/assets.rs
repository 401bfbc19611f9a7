//! The style sheet, the script and the icon. Their names hold a sum of their bytes, so that browsers may keep them for ever.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use domain::model::Sha256;

use crate::api::FOR_EVER;
use crate::problem::Problem;

/// A file that belongs to every page.
pub(super) struct Asset {
    /// Its path on this server.
    pub(super) path: String,
    kind: &'static str,
    text: &'static str,
}

impl Asset {
    fn new(name: &str, ending: &str, kind: &'static str, text: &'static str) -> Self {
        let sum = Sha256::of(text.as_bytes()).to_string();
        let sum = sum.get(..16).unwrap_or_default();
        Self {
            path: format!("/assets/{name}-{sum}.{ending}"),
            kind,
            text,
        }
    }
}

/// How the pages look.
pub(super) static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    let text = include_str!("../../templates/page/page.css");
    Asset::new("page", "css", "text/css; charset=utf-8", text)
});

/// What keeps an export's page up to date.
pub(super) static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    let text = include_str!("../../templates/page/page.js");
    Asset::new("page", "js", "text/javascript; charset=utf-8", text)
});

/// The picture beside the title.
pub(super) static ICON: LazyLock<Asset> = LazyLock::new(|| {
    let text = include_str!("../../templates/page/icon.svg");
    Asset::new("icon", "svg", "image/svg+xml", text)
});

/// Gives one of the files.
pub(super) async fn serve(Path(name): Path<String>) -> Result<Response, Problem> {
    let path = format!("/assets/{name}");
    let all: [&Asset; 3] = [&STYLE, &SCRIPT, &ICON];
    let asset = all.into_iter().find(|asset| asset.path == path);
    let asset = asset.ok_or(Problem::UnknownPath)?;
    let mut response = ([(CONTENT_TYPE, asset.kind)], asset.text).into_response();
    response.headers_mut().insert(CACHE_CONTROL, FOR_EVER);
    Ok(response)
}
