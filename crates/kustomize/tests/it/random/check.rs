//! One tree built by ours and by the tool, and what differs.

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tree::{Isolated, TreeBuilder, TreePath};

/// How long the tool may work on one tree; it takes a tenth of a second as a rule, and never ends on
/// a replacement that creates an element which its own path does not find.
const TIME_MAX: Duration = Duration::from_secs(20);

pub type Files = BTreeMap<String, Vec<u8>>;

/// What a build came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    Built(String),
    Refused(String),
    Panicked,
    /// Stopped after [`TIME_MAX`].
    Endless,
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
        (_, Verdict::Endless) => None,
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
        let above = root.parent().expect("it is in a folder of its own");
        let (output, error) = (above.join("output"), above.join("error"));
        let file = |path: &Path| fs::File::create(path).expect("temporary files can be made");
        let mut running = Command::new(&self.program)
            .arg("build")
            .arg(&root)
            .stdout(file(&output))
            .stderr(file(&error))
            .spawn()
            .expect("the tool starts");
        let started = Instant::now();
        let status = loop {
            if let Some(status) = running.try_wait().expect("the tool can be waited for") {
                break Some(status);
            }
            if started.elapsed() > TIME_MAX {
                running.kill().expect("the tool can be stopped");
                running.wait().expect("the tool can be waited for");
                break None;
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        let text = |path: &Path| {
            let bytes = fs::read(path).expect("the tool's answer can be read");
            String::from_utf8_lossy(&bytes).replace(&*root.to_string_lossy(), "/ROOT")
        };
        let verdict = match status {
            None => Verdict::Endless,
            Some(status) if status.success() => Verdict::Built(text(&output)),
            Some(_) => {
                let text = text(&error);
                let error = text
                    .split_once("Error: ")
                    .map_or(&*text, |(_, error)| error);
                Verdict::Refused(error.trim_end().to_owned())
            }
        };
        self.clear();
        verdict
    }
}

/// A tree and what the tool makes of it in the format of the recorded cases.
pub fn case(files: &Files, theirs: &Verdict) -> String {
    let mut text = String::new();
    let mut part = |name: &str, content: &str| {
        let end = if content.is_empty() || content.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        text.push_str(&format!("-- {name} --\n{content}{end}"));
    };
    for (path, bytes) in files {
        part(path, &String::from_utf8_lossy(bytes));
    }
    match theirs {
        Verdict::Built(output) => part("output", output),
        Verdict::Refused(error) => part("error", error),
        Verdict::Panicked | Verdict::Endless => {}
    }
    text
}
