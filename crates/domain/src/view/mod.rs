//! `view/`: pages on which people read their own data without opening XML.
//!
//! Each is made from the documents as they are in the bag, read back one after the other when the payload is complete, and handed to
//! the bag as soon as it is full: a thousand objects take no more memory than the largest document and the largest page. Start with
//! [`write()`].
//!
//! | module | decides |
//! | --- | --- |
//! | `sections` | which objects a section has, and where each is described |
//! | `sources` | which file of the bag describes an object |
//! | `lists` | where in a list's document its objects are |
//! | `object` | what is shown of an object, within its bounds |
//! | `fields`, `labels` | which fields are no values, and what the others are called |
//! | `value` | a text of the platform in words |
//! | `picture` | whether a file is a picture |
//! | `pages`, `page` | when a page is full, and how it looks (`templates/view`) |

mod fields;
mod labels;
mod lists;
mod object;
mod page;
mod pages;
mod picture;
mod sections;
mod sources;
#[cfg(test)]
mod tests;
mod value;

use crate::ports::{PayloadInPlace, SinkError};
use crate::report::Report;

use self::pages::Output;
pub use self::pages::Written;
use self::sections::write_section;
use self::sources::Files;

/// Writes the pages of every section that has objects.
///
/// A document that cannot be read back or parsed is no error: its page says so, and links to the file.
pub fn write(report: &Report, bag: &mut dyn PayloadInPlace) -> Result<Written, SinkError> {
    let files = Files::of(report);
    let mut output = Output::new(report, bag);
    for section in &report.sections {
        write_section(report, section, &files, &mut output)?;
    }
    Ok(output.into_written())
}
