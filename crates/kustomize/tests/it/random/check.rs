//! One tree built by ours and by the tool, and what differs.

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;

use tree::{Isolated, TreeBuilder, TreePath};

pub type Files = BTreeMap<String, Vec<u8>>;

/// What a build came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    Built(String),
    Refused(String),
    Panicked,
}

/// In which way two builds differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    Output,
    OnlyOursBuilds,
    OnlyTheirsBuilds,
    OursPanics,
}

/// Compares verdict and output; the words of two refusals are none of its business.
pub fn difference(ours: &Verdict, theirs: &Verdict) -> Option<Difference> {
    match (ours, theirs) {
        (Verdict::Panicked, _) => Some(Difference::OursPanics),
        (Verdict::Built(ours), Verdict::Built(theirs)) => {
            (ours != theirs).then_some(Difference::Output)
        }
        (Verdict::Built(_), _) => Some(Difference::OnlyOursBuilds),
        (_, Verdict::Built(_)) => Some(Difference::OnlyTheirsBuilds),
        _ => None,
    }
}

/// Builds in this process.
pub fn ours(files: &Files) -> Verdict {
    let mut builder = TreeBuilder::default();
    for (path, bytes) in files {
        builder.file(
            TreePath::new(path).expect("made paths stay inside"),
            bytes.as_slice(),
        );
    }
    let tree = builder.build();
    let options = kustomize::Options {
        root: "/ROOT".into(),
        ..kustomize::Options::default()
    };
    let built = catch_unwind(AssertUnwindSafe(|| {
        let (result, _) = kustomize::build(&tree, &TreePath::root(), &options, &Isolated);
        match result {
            Ok(build) => Verdict::Built(build.to_yaml()),
            Err(errors) => Verdict::Refused(errors[0].reference().trim_end().to_owned()),
        }
    }));
    built.unwrap_or(Verdict::Panicked)
}

/// The tool and a folder for its trees.
pub struct Tool {
    program: PathBuf,
    folder: PathBuf,
}

impl Tool {
    pub fn new(program: &Path, worker: usize) -> Self {
        let name = format!("kustomize-random-{}-{worker}", std::process::id());
        Self {
            program: program.to_owned(),
            // The name of the folder can be seen in builds.
            folder: std::env::temp_dir().join(name).join("ROOT"),
        }
    }

    /// Writes the tree below the folder and returns where it really is.
    pub fn place(&self, files: &Files) -> PathBuf {
        for (path, bytes) in files {
            let path = self.folder.join(path);
            fs::create_dir_all(path.parent().expect("a file is in a folder"))
                .expect("temporary folders can be made");
            fs::write(path, bytes).expect("temporary files can be written");
        }
        fs::canonicalize(&self.folder).expect("the folder is there")
    }

    pub fn clear(&self) {
        let above = self.folder.parent().expect("it is in a folder of its own");
        fs::remove_dir_all(above).expect("temporary folders can be removed");
    }

    pub fn build(&self, files: &Files) -> Verdict {
        let root = self.place(files);
        let ran = Command::new(&self.program)
            .arg("build")
            .arg(&root)
            .output()
            .expect("the tool starts");
        self.clear();
        let plain = |bytes: &[u8]| {
            String::from_utf8_lossy(bytes).replace(&*root.to_string_lossy(), "/ROOT")
        };
        if ran.status.success() {
            return Verdict::Built(plain(&ran.stdout));
        }
        let text = plain(&ran.stderr);
        let error = text
            .split_once("Error: ")
            .map_or(text.as_str(), |(_, error)| error);
        Verdict::Refused(error.trim_end().to_owned())
    }
}

/// The tree in the format of the recorded cases.
pub fn case(files: &Files) -> String {
    let mut text = String::new();
    for (path, bytes) in files {
        text.push_str(&format!("-- {path} --\n{}", String::from_utf8_lossy(bytes)));
        if !text.ends_with('\n') {
            text.push('\n');
        }
    }
    text
}
