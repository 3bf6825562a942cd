//! Working copies, by stock git.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{hermetic, output, run};

/// A working copy whose remote is a Git server under test.
pub struct WorkingCopy {
    pub folder: PathBuf,
    home: PathBuf,
}

impl WorkingCopy {
    /// A copy of `files` as the first commit, not pushed yet.
    pub fn of(files: &Path, home: &Path, remote: &str) -> Self {
        let folder = home.join("copy");
        copy(files, &folder);
        let copy = Self {
            folder,
            home: home.to_owned(),
        };
        copy.git(&["init", "--quiet", "--initial-branch", "main"]);
        copy.git(&["remote", "add", "origin", remote]);
        copy.commit("first");
        copy
    }

    /// Commits everything and gives the commit.
    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
        self.head()
    }

    /// The current commit.
    pub fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"]).trim().to_owned()
    }

    /// Pushes and gives the commit that was pushed.
    pub fn push(&self) -> String {
        self.git(&["push", "--quiet", "origin", "main"]);
        self.head()
    }

    /// Pushes; whether that was accepted, and what git says.
    pub fn try_push(&self) -> (bool, String) {
        let output = output(&mut self.command(&["push", "origin", "main"]));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success(), said)
    }

    /// Changes a text in a file that has it.
    pub fn replace(&self, file: &str, from: &str, to: &str) {
        let path = self.folder.join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} does not hold {from}");
        std::fs::write(&path, text.replace(from, to)).unwrap();
    }

    /// Runs git here.
    pub fn git(&self, arguments: &[&str]) -> String {
        run(&mut self.command(arguments))
    }

    /// Git here, not started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        hermetic(&mut command, &self.home);
        command
            .args(["-c", "user.name=Test", "-c", "user.email=test@example.com"])
            .args(arguments)
            .current_dir(&self.folder);
        command
    }
}

/// Writes files, by path, into a folder.
pub fn write_tree(folder: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().expect("a file is in a folder")).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// Copies a folder over another one.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::write(target, std::fs::read(entry.path()).unwrap()).unwrap();
        }
    }
}
