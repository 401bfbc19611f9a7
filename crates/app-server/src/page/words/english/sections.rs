//! The kinds of data in English: as they stand in the archive.

use domain::model::Section;

use crate::page::words::About;

pub(super) fn section(section: Section) -> About {
    let info = section.info();
    About {
        title: info.title,
        text: info.about,
    }
}
