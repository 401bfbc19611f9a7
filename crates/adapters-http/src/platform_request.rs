//! A request in the making: what is wanted, before anybody's credentials are on it.

use domain::ports::ResumeAt;
use reqwest::Method;

use crate::paths::Address;

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct PlatformRequest<'a> {
    pub(crate) method: Method,
    pub(crate) address: &'a Address,
    /// The media type wanted.
    pub(crate) accept: &'static str,
    /// Whether credentials go with it.
    pub(crate) is_signed: bool,
    /// From where on.
    pub(crate) from: Option<&'a ResumeAt>,
    /// Bytes of the body, of a POST.
    pub(crate) length: u64,
}

impl<'a> PlatformRequest<'a> {
    /// A GET.
    pub(crate) fn get(address: &'a Address, accept: &'static str) -> Self {
        Self {
            method: Method::GET,
            address,
            accept,
            is_signed: true,
            from: None,
            length: 0,
        }
    }

    /// A GET of an XML document.
    pub(crate) fn xml(address: &'a Address) -> Self {
        Self::get(address, "application/xml")
    }

    /// A POST without a body.
    pub(crate) fn post(address: &'a Address) -> Self {
        Self {
            method: Method::POST,
            ..Self::xml(address)
        }
    }

    /// A POST of a file.
    pub(crate) fn upload(address: &'a Address, length: u64) -> Self {
        Self {
            length,
            ..Self::post(address)
        }
    }

    /// A DELETE.
    pub(crate) fn delete(address: &'a Address) -> Self {
        Self {
            method: Method::DELETE,
            ..Self::xml(address)
        }
    }

    /// Without credentials.
    pub(crate) fn unsigned(self) -> Self {
        Self {
            is_signed: false,
            ..self
        }
    }

    /// Only what follows this point (RFC 9110 §13.1.5, §14.2).
    pub(crate) fn resuming_at(self, from: Option<&'a ResumeAt>) -> Self {
        Self {
            from: from.filter(|point| point.offset > 0),
            ..self
        }
    }

    /// What the errors of this request name: method and path.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.address.path())
    }

    /// What a report names: method, path and what was asked of it.
    pub(crate) fn source(&self) -> String {
        format!("{} {}", self.method, self.address.target())
    }
}
