//! Which items have not changed. Whatever is not said, or is not clear, counts as changed.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::earlier::{Earlier, EarlierArchive, EarlierItem};
use crate::model::{BundleReference, ItemKind, ItemRef, ObjectId, OutputFormat, UserId};

/// Why an item is exported although there is an earlier bag.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Changed {
    /// The earlier bag's archives have another form inside.
    #[error("the earlier bag was made with another output format")]
    OtherFormat,
    /// The earlier bag does not have it.
    #[error("it is not in the earlier bag")]
    New,
    /// The earlier bag has nothing that could be taken; why, in words.
    #[error("{0}")]
    Unusable(String),
    /// The platform, or the bag, gives no `digest` or no `lastModified`.
    #[error("nothing says that it has not changed")]
    Unsaid,
    /// It is another state of it.
    #[error("it has changed")]
    State,
    /// Its document could not be read.
    #[error("it is not known which software bundles it refers to")]
    UnknownReferences,
    /// A software bundle that it refers to; why, in words.
    #[error("software bundle {id} that it refers to: {why}")]
    Bundle {
        /// The bundle.
        id: ObjectId,
        /// Why it counts as changed.
        why: Box<Changed>,
    },
    /// It refers to a software bundle that is not the user's, or not in the lists.
    #[error("it refers to a software bundle that is in neither list")]
    UnknownBundle,
}

/// What the platform says of the state of an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct State<'a> {
    pub(crate) digest: Option<&'a str>,
    pub(crate) last_modified: Option<&'a str>,
}

/// What the platform says now.
#[derive(Clone, Debug)]
pub(crate) struct Now<'a> {
    /// Whose items they are.
    pub(crate) user: &'a UserId,
    /// The form that is asked for.
    pub(crate) output_format: OutputFormat,
    /// The state of every item in the lists. One that is listed twice has none.
    pub(crate) states: BTreeMap<ItemRef, State<'a>>,
    /// What the documents of appliances refer to, as far as these were read.
    pub(crate) references: BTreeMap<ItemRef, &'a BTreeSet<BundleReference>>,
}

/// The archive of an item that has not changed since the earlier bag was made; else why it counts as changed.
///
/// It has not changed where that bag is of the same output format and holds it as complete, where both give `digest` and
/// `lastModified` and both are equal, and where the same holds for every software bundle of the user that an appliance refers to.
pub(crate) fn unchanged<'e>(
    item: ItemRef,
    now: &Now<'_>,
    earlier: &'e Earlier,
) -> Result<&'e EarlierArchive, Changed> {
    if !earlier.is_of_format(now.output_format) {
        return Err(Changed::OtherFormat);
    }
    let (archive, _) = same_state(item, now, earlier)?;
    if item.kind == ItemKind::Appliance {
        let references = now.references.get(&item);
        let references = references.ok_or(Changed::UnknownReferences)?;
        references
            .iter()
            .try_for_each(|reference| same_bundle(reference, now, earlier))?;
    }
    Ok(archive)
}

/// Whether it is in the same state, as far as its own document says.
fn same_state<'e>(
    item: ItemRef,
    now: &Now<'_>,
    earlier: &'e Earlier,
) -> Result<(&'e EarlierArchive, &'e EarlierItem), Changed> {
    let state = now.states.get(&item).copied().unwrap_or_default();
    let held = earlier.item(item).ok_or(Changed::New)?;
    let archive = held.archive.as_ref();
    let archive = archive.map_err(|unusable| Changed::Unusable(unusable.to_string()))?;
    let both = [
        (state.digest, held.digest.as_deref()),
        (state.last_modified, held.last_modified.as_deref()),
    ];
    for (now, then) in both {
        match (now, then) {
            (Some(now), Some(then)) if now == then => {}
            (Some(_), Some(_)) => return Err(Changed::State),
            _ => return Err(Changed::Unsaid),
        }
    }
    Ok((archive, held))
}

fn same_bundle(
    reference: &BundleReference,
    now: &Now<'_>,
    earlier: &Earlier,
) -> Result<(), Changed> {
    let is_users = |owner: &String| owner == now.user.as_str();
    let id = reference.id.and_then(|id| ObjectId::try_from(id).ok());
    let id = id.filter(|_| reference.owner.as_ref().is_none_or(is_users));
    let id = id.ok_or(Changed::UnknownBundle)?;
    let bundle = ItemRef {
        kind: ItemKind::MySoftware,
        id,
    };
    if !now.states.contains_key(&bundle) {
        return Err(Changed::UnknownBundle);
    }
    let because = |why| Changed::Bundle {
        id,
        why: Box::new(why),
    };
    let (_, held) = same_state(bundle, now, earlier).map_err(because)?;
    if held.was_exported_again {
        // The appliance's archive may have been made before.
        let why = "it changed while the earlier bag was made".to_owned();
        return Err(because(Changed::Unusable(why)));
    }
    Ok(())
}
