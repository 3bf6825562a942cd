//! One chart rendered by ours and by the tool, and what differs.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use golang::Timestamp;
use helm::engine::{Engine, Programs};
use helm::{Chart, KubeVersion, Options, Profile, TextOptions, UserValues, ValuesFile};
use object::{Map, Object, ObjectKey};
use tree::{Missing, SourceRef, Tree, TreeBuilder, TreePath};

use super::chart::Case;

/// How long the tool may work on one chart; it takes a twentieth of a second as a rule.
const TIME_MAX: Duration = Duration::from_secs(10);

/// Most memory that the tool may take, in KiB: some expressions ask for lists without end.
const MEMORY_MAX: &str = "4000000";

/// What a render came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    Rendered(String),
    Refused(String),
    Panicked,
    /// Stopped after [`TIME_MAX`], or out of memory or stack: some maps contain themselves.
    Endless,
}

/// In which way two renders differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    Output,
    OnlyOursRenders,
    OnlyTheirsRenders,
    OursPanics,
    /// Both refuse with other words.
    Wording,
}

pub fn difference(ours: &Verdict, theirs: &Verdict) -> Option<Difference> {
    match (ours, theirs) {
        (Verdict::Panicked, _) => Some(Difference::OursPanics),
        (_, Verdict::Endless) => None,
        (Verdict::Rendered(ours), Verdict::Rendered(theirs)) => {
            (ours != theirs).then_some(Difference::Output)
        }
        (Verdict::Rendered(_), _) => Some(Difference::OnlyOursRenders),
        (_, Verdict::Rendered(_)) => Some(Difference::OnlyTheirsRenders),
        (Verdict::Refused(ours), Verdict::Refused(theirs)) => {
            (comparable(ours) != comparable(theirs)).then_some(Difference::Wording)
        }
        _ => Some(Difference::Wording),
    }
}

/// A refusal without what differs from run to run.
pub fn comparable(text: &str) -> String {
    let text = text
        .split("\n\nUse --debug flag")
        .next()
        .unwrap_or_default()
        .trim();
    if !text.starts_with("values don't meet the specifications") {
        return text.to_owned();
    }
    let mut lines: Vec<String> = text
        .lines()
        .map(|line| {
            let mut names: Vec<&str> = line.split([',', '\'', ' ']).collect();
            names.sort_unstable();
            names.join(" ")
        })
        .collect();
    lines.sort_unstable();
    lines.join("\n")
}

/// The second that charts are rendered at when it does not matter.
const STILL: i64 = 1_700_000_000;

/// A second, the same dice for every chart, and no cluster.
struct Fixed(i64);

impl tree::World for Fixed {
    fn tree(&self, at: &SourceRef) -> Result<Tree, Missing> {
        tree::Isolated.tree(at)
    }

    fn lookup(&self, _: &ObjectKey) -> Option<Object> {
        None
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.0)
    }

    fn seed(&self) -> [u8; 32] {
        [7; 32]
    }
}

/// Renders in this process.
pub fn ours(case: &Case) -> Verdict {
    ours_at(case, STILL)
}

/// Renders in this process, at a second.
fn ours_at(case: &Case, now: i64) -> Verdict {
    verdict(|| {
        let flags = Flags::read(case)?;
        // The tool puts values together before it reads the chart.
        let merged = flags.user.merged(&read, PROFILE);
        merged.map_err(|error| error.to_string())?;
        let chart = Chart::from_tree(&tree(case), &TreePath::root(), PROFILE);
        let chart = chart.map_err(|error| error.to_string())?;
        render(&chart, flags, &Programs::default(), now)
    })
}

/// Whether the tool, when it renders once more, comes to what ours comes to in one of the same
/// seconds: a date function shows the clock for whatever is no date.
pub fn agree_at_one_time(case: &Case, tool: &Tool) -> bool {
    let second = || {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        now.expect("the clock is right").as_secs() as i64
    };
    let from = second();
    let theirs = tool.render(case);
    (from..=second()).any(|at| difference(&ours_at(case, at), &theirs).is_none())
}

/// Renders a chart that is read already with the flags of a case.
pub fn ours_of(chart: &Arc<Chart>, case: &Case, programs: &Programs) -> Verdict {
    verdict(|| render(chart, Flags::read(case)?, programs, STILL))
}

/// The values that templates of a chart see with the flags of a case.
///
/// # Errors
/// Why they cannot be put together.
pub fn values(chart: &Arc<Chart>, case: &Case) -> Result<Map, String> {
    let Flags { user, options, .. } = Flags::read(case)?;
    let scope = helm::prepare(chart, &user, &read, &options, &mut Vec::new());
    Ok(scope.map_err(|error| error.to_string())?.values)
}

/// The chart of a case and what it is rendered with.
///
/// # Errors
/// The reason why there is no chart.
pub fn asked(case: &Case) -> Result<(Arc<Chart>, UserValues, Options), String> {
    let Flags { user, options, .. } = Flags::read(case)?;
    let chart = Chart::from_tree(&tree(case), &TreePath::root(), PROFILE);
    Ok((chart.map_err(|error| error.to_string())?, user, options))
}

fn verdict(render: impl FnOnce() -> Result<String, String>) -> Verdict {
    let rendered = catch_unwind(AssertUnwindSafe(|| match render() {
        Ok(text) => Verdict::Rendered(text),
        Err(text) => Verdict::Refused(text),
    }));
    rendered.unwrap_or(Verdict::Panicked)
}

const PROFILE: Profile = Profile::Helm4;

fn tree(case: &Case) -> Tree {
    let mut builder = TreeBuilder::default();
    for (path, text) in &case.files {
        if !path.starts_with("values/") {
            builder.file(
                TreePath::new(path).expect("made paths stay inside"),
                text.as_bytes(),
            );
        }
    }
    builder.build()
}

pub fn read(name: &str) -> Result<String, String> {
    Err(format!("open {name}: no such file or directory"))
}

fn render(
    chart: &Arc<Chart>,
    flags: Flags,
    programs: &Programs,
    now: i64,
) -> Result<String, String> {
    let engine = Engine {
        programs,
        world: &Fixed(now),
    };
    let Flags {
        user,
        options,
        text,
    } = flags;
    let manifests = helm::render(chart, &user, &read, &options, &engine, &mut Vec::new());
    let manifests = manifests.map_err(|error| error.to_string())?;
    manifests.text(&text).map_err(|error| error.to_string())
}

/// What flags ask for.
struct Flags {
    user: UserValues,
    options: Options,
    text: TextOptions,
}

impl Flags {
    fn read(case: &Case) -> Result<Self, String> {
        let mut options = Options::default();
        let mut user = UserValues::default();
        let mut text = TextOptions::default();
        for flag in &case.flags {
            let value = flag.get(1).cloned().unwrap_or_default();
            match flag[0].as_str() {
                "-f" => user.files.push(ValuesFile {
                    content: case.files[&value].as_bytes().into(),
                    name: value,
                }),
                "--set" => user.set.push(value),
                "--set-string" => user.set_string.push(value),
                "--set-json" => user.set_json.push(value),
                "--set-literal" => user.set_literal.push(value),
                "--kube-version" => {
                    Arc::make_mut(&mut options.capabilities).kube_version =
                        KubeVersion::parse(&value, PROFILE).map_err(|error| error.to_string())?;
                }
                "--api-versions" => Arc::make_mut(&mut options.capabilities)
                    .api_versions
                    .extend(value.split(',').map(str::to_owned)),
                // The command takes no name for the usual one.
                "--namespace" if value.is_empty() => {}
                "--namespace" => options.namespace = value,
                "--is-upgrade" => options.is_upgrade = true,
                "--no-hooks" => text.no_hooks = true,
                "--skip-tests" => text.skip_tests = true,
                "--include-crds" => text.include_crds = true,
                "--skip-schema-validation" => options.skip_schema = true,
                "--show-only" => text.show_only.push(value),
                other => panic!("the flag {other} is not known"),
            }
        }
        Ok(Self {
            user,
            options,
            text,
        })
    }
}

/// The tool and a folder for its charts.
pub struct Tool {
    program: PathBuf,
    folder: PathBuf,
}

impl Tool {
    /// `worker` tells those of this process apart.
    pub fn new(program: &Path, worker: &str) -> Self {
        let name = format!("helm-random-{}-{worker}", std::process::id());
        Self {
            program: program.to_owned(),
            folder: std::env::temp_dir().join(name),
        }
    }

    /// Writes the chart below `chart`, and what is no part of it beside it.
    pub fn place(&self, case: &Case) {
        for (path, text) in &case.files {
            let path = match path.starts_with("values/") {
                true => self.folder.join(path),
                false => self.folder.join("chart").join(path),
            };
            fs::create_dir_all(path.parent().expect("a file is in a folder"))
                .expect("temporary folders can be made");
            fs::write(path, text).expect("temporary files can be written");
        }
    }

    /// Renders the chart that a case is.
    pub fn render(&self, case: &Case) -> Verdict {
        self.render_at(Path::new("./chart"), case)
    }

    /// Renders a chart of a folder or archive with the flags of a case.
    pub fn render_at(&self, chart: &Path, case: &Case) -> Verdict {
        fs::create_dir_all(&self.folder).expect("temporary folders can be made");
        self.place(case);
        let (output, error) = (self.folder.join("output"), self.folder.join("error"));
        let file = |path: &Path| fs::File::create(path).expect("temporary files can be made");
        let mut running = Command::new("sh")
            .arg("-c")
            .arg(format!("ulimit -v {MEMORY_MAX}; exec \"$0\" \"$@\""))
            .arg(&self.program)
            .args(["template", "release-name"])
            .arg(chart)
            .args(case.flags.iter().flatten())
            .current_dir(&self.folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.folder)
            .env("TZ", "UTC")
            // Memory is given back at the end: a fifth less work.
            .env("GOGC", "off")
            .env("GOMEMLIMIT", "1GiB")
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
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let verdict = match status {
            None => Verdict::Endless,
            Some(status) if status.success() => Verdict::Rendered(text(&output)),
            Some(_) => match text(&error).split_once("Error: ") {
                Some((_, error)) => Verdict::Refused(error.trim_end().to_owned()),
                None => Verdict::Endless,
            },
        };
        fs::remove_dir_all(&self.folder).expect("temporary folders can be removed");
        verdict
    }
}

/// A chart with what the tool makes of it.
pub fn show(case: &Case, theirs: &Verdict) -> String {
    let mut text = String::new();
    let mut part = |name: &str, content: &str| {
        let end = if content.is_empty() || content.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        text.push_str(&format!("-- {name} --\n{content}{end}"));
    };
    if !case.flags.is_empty() {
        let flags: Vec<String> = case.flags.iter().map(|flag| flag.join(" ")).collect();
        part("flags", &flags.join("\n"));
    }
    for (path, content) in &case.files {
        part(path, content);
    }
    match theirs {
        Verdict::Rendered(output) => part("output", output),
        Verdict::Refused(error) => part("error", error),
        Verdict::Panicked | Verdict::Endless => {}
    }
    text
}
