//! The service manager that started the process, where there is one: systemd with `Type=notify`, and what speaks its language.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sd_notify::NotifyState;

/// Says that the service takes requests. Where no manager listens, nothing happens.
pub fn notify_ready() {
    notify(&[NotifyState::Ready]);
}

/// Says that the service is being stopped.
pub fn notify_stopping() {
    notify(&[NotifyState::Stopping]);
}

/// Says that the service is alive.
pub fn notify_alive() {
    notify(&[NotifyState::Watchdog]);
}

/// How often the manager wants to hear that the service is alive, where it does: half of the time after which it restarts it.
pub fn alive_every() -> Option<Duration> {
    let every = sd_notify::watchdog_enabled()? / 2;
    (!every.is_zero()).then_some(every)
}

fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "the service manager cannot be notified");
    }
}

/// Whether the service manager put this file there for this service alone (`LoadCredential=`): a file of
/// `$CREDENTIALS_DIRECTORY`, which belongs to root or to this user, and which nobody else can write to. Such a file may have an
/// access list instead of an owner, and its mode then looks as if a group could read it (systemd.exec(5)).
pub fn is_credential(path: &Path) -> bool {
    let folder = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    folder.is_some_and(|folder| is_credential_of(&folder, path))
}

fn is_credential_of(folder: &Path, path: &Path) -> bool {
    let (Ok(folder), Ok(path)) = (folder.canonicalize(), path.canonicalize()) else {
        return false;
    };
    let is_closed = |path: &Path| {
        path.metadata().is_ok_and(|found| {
            let owner = found.uid();
            let is_ours = owner == 0 || owner == rustix::process::geteuid().as_raw();
            is_ours && found.mode() & 0o027 == 0
        })
    };
    path.parent() == Some(&folder) && is_closed(&folder) && is_closed(&path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_file_in_the_credentials_folder_may_look_open_to_its_group_and_no_further() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "secret").unwrap();
        let set = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode));
        for (folder_mode, mode, accepted) in [
            (0o500, 0o400, true),
            (0o550, 0o440, true),
            (0o550, 0o444, false),
            (0o550, 0o460, false),
            (0o755, 0o440, false),
            (0o770, 0o440, false),
        ] {
            set(folder.path(), folder_mode).unwrap();
            set(&path, mode).unwrap();
            assert_eq!(
                is_credential_of(folder.path(), &path),
                accepted,
                "{folder_mode:o} {mode:o}"
            );
        }
        set(folder.path(), 0o700).unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        assert!(!is_credential_of(elsewhere.path(), &path));
        let link = elsewhere.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(!is_credential_of(elsewhere.path(), &link));
    }
}
