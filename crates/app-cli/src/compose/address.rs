//! Reads the address of a platform as the HTTP adapter does.

use std::error::Error;

use adapters_http::BaseUrl;

use crate::settings::ServerAddress;

/// Reads the address of a platform.
pub(crate) fn server_address(text: &str) -> Result<ServerAddress, Box<dyn Error + Send + Sync>> {
    let base = BaseUrl::parse(text)?;
    Ok(ServerAddress {
        url: base.as_str().to_owned(),
        host: base.host().to_owned(),
        encrypted: base.is_https(),
    })
}
