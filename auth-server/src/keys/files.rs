//! Key files: they appear whole or not at all, for their owner alone, and a glance tells whether they have changed.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, fchown},
    path::{Path, PathBuf},
};

use crate::oauth::secret::Secret;

/// Whose a file is to be: a replacement belongs to whom the replaced one belonged to, even if root rotates.
#[derive(Clone, Copy)]
pub(super) struct Owner {
    user: u32,
    group: u32,
}

/// What a glance at a file shows: another inode, time or size is another content. `None`: there is no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Glance(Option<(u64, i64, i64, u64)>);

impl Owner {
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|file| Self { user: file.uid(), group: file.gid() })
    }
}

impl Glance {
    pub(super) fn at(path: &Path) -> Self {
        let seen = fs::metadata(path).ok();
        Self(seen.map(|file| (file.ino(), file.mtime(), file.mtime_nsec(), file.size())))
    }
}

/// Writes a new file that only its owner can read; an existing one is never overwritten.
pub(crate) fn write_new(path: &Path, text: &Secret) -> io::Result<()> {
    create(path, text).map(drop)
}

fn create(path: &Path, text: &Secret) -> io::Result<File> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.expose().as_bytes())?;
    file.sync_all()?;
    Ok(file)
}

/// Two processes may start at once over one directory: the first one's file stays.
pub(super) fn keep_first(path: &Path, text: &Secret) -> io::Result<bool> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let draft = Draft::write(path, text, None)?;
    match fs::hard_link(&draft.0, path) {
        Ok(()) => Ok(true),
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(cause) => Err(cause),
    }
}

/// Readers see what was there, or `text`, and never anything between.
pub(super) fn replace(path: &Path, text: &Secret, owner: Owner) -> io::Result<()> {
    let draft = Draft::write(path, text, Some(owner))?;
    fs::rename(&draft.0, path)?;
    // The rename is on disk only when the folder is.
    folder(path).and_then(|folder| folder.sync_all())
}

/// Held until dropped, in this process or any other: rotations come one after the other.
pub(super) fn lock(path: &Path) -> io::Result<File> {
    let folder = folder(path)?;
    folder.lock()?;
    Ok(folder)
}

fn folder(path: &Path) -> io::Result<File> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))
}

/// Under a name of this process's own, gone when dropped.
struct Draft(PathBuf);

impl Draft {
    fn write(path: &Path, text: &Secret, owner: Option<Owner>) -> io::Result<Self> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.draft", std::process::id()));
        let draft = Self(path.with_file_name(name));
        let file = create(&draft.0, text)?;
        if let Some(owner) = owner
            && file.metadata()?.uid() != owner.user
        {
            fchown(&file, Some(owner.user), Some(owner.group))?;
        }
        Ok(draft)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _renamed_already = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn an_existing_file_is_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key.pem");
        fs::write(&path, "mine").unwrap();
        assert!(write_new(&path, &Secret::new("theirs")).is_err());
        assert!(!keep_first(&path, &Secret::new("theirs")).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }

    #[test]
    fn a_replaced_file_is_its_owners_alone_and_leaves_no_draft() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key.pem");
        fs::write(&path, "old").unwrap();
        let before = Glance::at(&path);
        replace(&path, &Secret::new("new"), Owner::of(&path).unwrap()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_ne!(Glance::at(&path), before);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
