//! Templates of charts, parsed once and executed for every release.
//!
//! All files of a chart and of the charts inside it share one namespace of templates. They are
//! executed one after the other, those of the innermost charts first, and a file that changes a map
//! (`set`, `merge`) changes what later files see.
//!
//! # Source
//! helm/helm `pkg/engine/engine.go`.

mod dot;
mod errors;
mod functions;
mod impure;
mod memory;
mod objects;
mod outside;
mod places;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use diag::Span;
use gotemplate::{
    Context, Functions, ImpureCall, Limits, Map, Mentioned, MissingKey, Set, Str, Value,
};
use object::{Node, ObjectKey};
use tree::World;

use crate::Scope;
use crate::chart::Digest;
use crate::dependencies::Assembly;
use crate::error::TemplateError;
use crate::manifest::Files;
use crate::options::Profile;
use crate::parallel;

pub use impure::Executed;

use functions::{SET, State, without_no_value};
use memory::{KeptFile, Last, Need, Recording};
use outside::Outside;

pub use memory::Memory;

/// The templates of a chart with those inside, parsed. One serves any number of releases at once.
#[derive(Debug)]
pub struct Program {
    set: Arc<Set>,
    /// In the order of execution.
    files: Vec<TemplateFile>,
}

#[derive(Debug)]
struct TemplateFile {
    /// `umbrella/charts/kid/templates/a.yaml`.
    path: Str,
    /// The folder of its chart's templates.
    base: String,
    /// Its chart, as [`Assembly::walk`] counts.
    chart: usize,
    /// Only other files execute what it defines.
    is_partial: bool,
}

/// All that can be called: sprig's functions and Helm's.
static FUNCTIONS: LazyLock<Arc<Functions>> = LazyLock::new(|| {
    let mut functions = sprig::functions();
    for name in ["env", "expandenv"] {
        functions.remove(name);
    }
    crate::functions::add(&mut functions);
    functions::add(&mut functions);
    Arc::new(functions)
});

/// Those that Helm 3 has.
static FUNCTIONS_3: LazyLock<Arc<Functions>> = LazyLock::new(|| {
    let mut functions = Functions::clone(&FUNCTIONS);
    for name in crate::functions::SINCE_HELM_4 {
        functions.remove(name);
    }
    Arc::new(functions)
});

impl Program {
    /// Parses the templates of the charts that are used.
    ///
    /// # Errors
    /// [`TemplateError`] for the first file that is no template.
    pub fn parse(assembly: &Assembly, profile: Profile) -> Result<Self, TemplateError> {
        let walk = assembly.walk();
        let functions = match profile {
            Profile::Helm4 => &FUNCTIONS,
            Profile::Helm3 => &FUNCTIONS_3,
        };
        let mut set = Set::new(SET, Arc::clone(functions), MissingKey::Zero);
        let (mut files, mut texts) = (Vec::new(), Vec::new());
        for template in assembly.templates() {
            let path = Str::from(template.path);
            texts.push((path.clone(), Str::from(template.content)));
            let chart = walk
                .iter()
                .position(|(_, part)| std::ptr::eq(*part, template.assembly));
            let name = path.as_bytes().rsplit(|&byte| byte == b'/').next();
            files.push(TemplateFile {
                is_partial: name.is_some_and(|name| name.starts_with(b"_")),
                chart: chart.expect("templates are of the charts that are walked"),
                base: template.base_path,
                path,
            });
        }
        set.parse_all(&texts, |texts, parse| {
            parallel::map(texts, |(_, text)| text.len(), parse)
        })
        .map_err(|error| TemplateError::new(&error.into(), profile))?;
        Ok(Self {
            set: Arc::new(set),
            files,
        })
    }

    /// Executes every file for a release, and hands out what each has made.
    ///
    /// # Errors
    /// [`TemplateError`] of the first file that fails.
    fn execute(
        &self,
        scope: &Scope,
        outside: &Outside,
        state: &mut State,
        made: &mut dyn FnMut(String, Vec<u8>),
    ) -> Result<Vec<ImpureCall>, TemplateError> {
        let profile = scope.options.profile;
        let dots = Dots::new(scope);
        let mut context = Context::new(&self.set, outside, state, Limits::default());
        for file in self.executed() {
            let text = file.execute(&mut context, &dots, profile)?;
            made(file.path.to_text().into_owned(), text);
        }
        Ok(context.impure_calls())
    }

    /// The files that are executed, in their order.
    fn executed(&self) -> impl Iterator<Item = &TemplateFile> {
        self.files.iter().filter(|file| !file.is_partial)
    }

    /// The same as [`Program::execute`], but files that would print what they printed before are not
    /// executed. Keeps what is needed to do so again.
    fn execute_again(
        self: &Arc<Self>,
        scope: &Scope,
        world: &dyn World,
        state: &mut State,
        memory: &mut Memory,
    ) -> Result<Executed, TemplateError> {
        let profile = scope.options.profile;
        let mut last = memory.last.take();
        let differences = last.as_ref().and_then(|last| last.differences(self, scope));
        let places = match (&mut last, &differences) {
            (Some(last), Some(_)) => std::mem::take(&mut last.places),
            _ => places::Places::default(),
        };
        let last = last.as_ref().zip(differences.as_ref());
        let outside = Outside::new(world);
        let dots = Dots::new(scope);
        let recording = Recording::new(places, &dots.0);
        let mut context = Context::new(&self.set, &outside, state, Limits::default());
        context.record(Some(&recording));
        let mut files = Files::new();
        let (mut kept, mut before) = (Vec::new(), Vec::new());
        memory.set_executed(0);
        for (at, file) in self.executed().enumerate() {
            let path = file.path.to_text().into_owned();
            if !recording.has_changed()
                && let Some((last, differences)) = last
                && let Some(known) = last.files.get(at)
                && last.need(known, differences, world, outside.blocks()) == Need::Nothing
                && context.spend(known.spent)
            {
                outside.skip(known.blocks());
                files.insert(path, known.text.to_vec());
                before.extend(known.impure.iter().cloned());
                kept.push(known.clone());
                continue;
            }
            memory.set_executed(memory.executed() + 1);
            let spent = context.spent();
            let looked_up = functions::state(&mut context).looked_up.len();
            let text = file.execute(&mut context, &dots, profile)?;
            match recording.has_changed() {
                // What comes now sees something else than values.
                true => context.record(None),
                false => {
                    let spent = context.spent() - spent;
                    let looked_up = functions::state(&mut context).answers(looked_up);
                    let (learned, used) = (recording.take(), outside.take_used());
                    let text = text.as_slice().into();
                    kept.push(KeptFile::new(text, learned, used, looked_up, spent));
                }
            }
            files.insert(path, text);
        }
        let now = context.impure_calls();
        drop(context);
        for (file, kept) in self.executed().zip(&mut kept) {
            let of_file = |call: &&ImpureCall| call.root.as_bytes() == file.path.as_bytes();
            kept.impure.extend(now.iter().filter(of_file).cloned());
        }
        let mut impure: Vec<ImpureCall> = before.into_iter().chain(now).collect();
        impure.sort();
        let places = recording.into_places();
        memory.last = Some(Last::new(self, scope, world, places, kept));
        Ok(Executed { files, impure })
    }
}

impl TemplateFile {
    fn execute(
        &self,
        context: &mut Context<'_>,
        dots: &Dots,
        profile: Profile,
    ) -> Result<Vec<u8>, TemplateError> {
        let dot = &dots.0[self.chart];
        dot.insert("Template", template(self, profile));
        let mut out = Vec::new();
        context
            .execute(self.path.as_bytes(), &Value::Map(dot.clone()), &mut out)
            .map_err(|error| TemplateError::new(&error, profile))?;
        Ok(without_no_value(out))
    }
}

/// The dot of every chart.
struct Dots(Vec<Map>);

impl Dots {
    fn new(scope: &Scope) -> Self {
        Self(dot::dots(&scope.charts, &scope.values, &scope.options))
    }
}

impl Drop for Dots {
    /// Charts put the dot into its own values, and what holds itself is never given back.
    fn drop(&mut self) {
        self.0.iter().for_each(|dot| dot.entries_mut().clear());
    }
}

/// How a line of a template uses a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reading {
    /// It names the value, or something in it.
    Named,
    /// It takes a map or list that the value is in.
    Within,
}

/// A line that reads a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// Its place: the file from the outermost chart's name on.
    pub at: Span,
    /// What it says: `.Values.image.tag`.
    pub text: String,
    /// How it uses the value.
    pub reading: Reading,
}

impl Program {
    /// The lines that read the value at a path of keys, as far as the texts show it: what reaches a
    /// value by another way (a variable, an argument) shows where the way begins.
    pub fn readers(&self, charts: &Assembly, path: &[&str]) -> Vec<Reader> {
        let mut found = Vec::new();
        let mentions = self.set.mentions();
        for (chart, names) in sections(charts, path) {
            let folder = format!("{chart}/templates/");
            for mention in &mentions {
                let file = mention.file.to_text();
                let Mentioned::Fields(fields) = &mention.what else {
                    continue;
                };
                let Some(fields) = below_values(fields) else {
                    continue;
                };
                if !file.starts_with(&folder) {
                    continue;
                }
                let reading = match (fields.starts_with(names), names.starts_with(fields)) {
                    (true, _) => Reading::Named,
                    (_, true) => Reading::Within,
                    _ => continue,
                };
                let mut text = ".Values".to_owned();
                fields.iter().for_each(|name| {
                    text.push('.');
                    text.push_str(name);
                });
                found.push(Reader {
                    at: Span {
                        column: mention.column as u32 + 1,
                        ..Span::line(file, mention.line as u32)
                    },
                    text,
                    reading,
                });
            }
        }
        found.sort_by(|a, b| {
            let place = |reader: &Reader| (reader.reading, reader.at.path.clone(), reader.at.line);
            place(a).cmp(&place(b))
        });
        found
    }

    /// All paths of keys that the templates of a chart mention below `.Values`, by its path from the
    /// outermost chart's name on.
    pub fn values_read(&self, chart: &str) -> Vec<Vec<String>> {
        let folder = format!("{chart}/templates/");
        let mentions = self.set.mentions().into_iter();
        let read = mentions.filter_map(|mention| match &mention.what {
            Mentioned::Fields(fields) if mention.file.to_text().starts_with(&folder) => {
                let below = below_values(fields)?.iter();
                Some(below.map(|&name| name.to_owned()).collect())
            }
            _ => None,
        });
        read.collect()
    }
}

/// What is named below `.Values`, `$ctx.Values` or `.context.Values`. Its methods take all there is.
fn below_values<'a, 'n>(fields: &'a [&'n str]) -> Option<&'a [&'n str]> {
    const METHODS: [&str; 5] = ["AsMap", "Encode", "PathValue", "Table", "YAML"];
    let at = fields.iter().position(|name| *name == "Values")?;
    match &fields[at + 1..] {
        [method, ..] if METHODS.contains(method) => Some(&[]),
        below => Some(below),
    }
}

/// The charts that see the value at a path, each with the path in its own values.
fn sections<'p>(charts: &Assembly, path: &'p [&'p str]) -> Vec<(String, &'p [&'p str])> {
    let mut found = vec![(charts.metadata.name.clone(), path)];
    let (mut here, mut at, mut rest) = (charts, charts.metadata.name.clone(), path);
    if path.first() == Some(&"global") {
        let inside = charts.walk().into_iter().skip(1);
        found.extend(inside.map(|(chart, _)| (chart, path)));
    }
    while let Some((first, below)) = rest.split_first() {
        let mut inside = here.charts.iter();
        let Some(next) = inside.find(|inside| inside.metadata.name == *first) else {
            break;
        };
        at = format!("{at}/charts/{first}");
        (here, rest) = (next, below);
        if rest.is_empty() {
            break;
        }
        found.push((at.clone(), rest));
    }
    found
}

/// Programs by what they were made of. Shared by all renders of a process.
#[derive(Debug)]
pub struct Programs(Kept);

#[derive(Debug)]
enum Kept {
    ByKey(Mutex<HashMap<Key, Arc<Program>>>),
    Last(Mutex<Option<Arc<Program>>>),
}

/// The charts that are used, by path.
type Key = (Profile, Vec<(String, Digest)>);

/// Most programs that are kept; the largest public chart takes about ten MiB.
const PROGRAMS_MAX: usize = 64;

impl Default for Programs {
    fn default() -> Self {
        Self(Kept::ByKey(Mutex::default()))
    }
}

impl Programs {
    /// Never gives the same program twice, for a process that renders once: it need not find out what
    /// a program would be found by. The last one lives as long as this, so that a process that ends
    /// need not give it back.
    pub fn once() -> Self {
        Self(Kept::Last(Mutex::default()))
    }

    /// How much [`Programs::get`] has to parse, if it has to in any case.
    pub(crate) fn bytes_to_parse(&self, charts: &Assembly) -> usize {
        if matches!(self.0, Kept::ByKey(_)) {
            return 0;
        }
        let walk = charts.walk().into_iter();
        let templates = walk.flat_map(|(_, part)| &part.chart.templates);
        templates.map(|file| file.content.length()).sum()
    }

    /// The program of the charts that are used, parsed now unless it is known.
    ///
    /// # Errors
    /// [`TemplateError`] for the first file that is no template.
    pub fn get(&self, charts: &Assembly, profile: Profile) -> Result<Arc<Program>, TemplateError> {
        let known = match &self.0 {
            Kept::ByKey(known) => known,
            Kept::Last(last) => {
                let program = Arc::new(Program::parse(charts, profile)?);
                *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&program));
                return Ok(program);
            }
        };
        let parts = charts.walk().into_iter();
        let parts = parts
            .map(|(path, part)| (path, part.chart.templates_digest()))
            .collect();
        let key = (profile, parts);
        let known = || known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(program) = known().get(&key) {
            return Ok(Arc::clone(program));
        }
        let program = Arc::new(Program::parse(charts, profile)?);
        let mut known = known();
        if known.len() >= PROGRAMS_MAX {
            known.clear();
        }
        known.insert(key, Arc::clone(&program));
        Ok(program)
    }
}

/// Executes templates with what a world answers.
pub struct Engine<'a> {
    /// What was parsed before.
    pub programs: &'a Programs,
    /// The cluster, the clock and the dice.
    pub world: &'a dyn World,
}

/// Most times a render begins again because it looked up an object that it had not looked up before.
/// Charts that look up one object by what another one says need two or three.
const LOOKUP_ROUNDS_MAX: usize = 8;

impl Engine<'_> {
    /// Executes every template of `scope` that is no partial.
    ///
    /// Objects of the cluster are not at hand while templates are executed: when some are asked for
    /// that are there, all begins again with them.
    ///
    /// # Errors
    /// [`TemplateError`] of the first file that fails.
    pub fn execute(&self, scope: &Scope) -> Result<Executed, TemplateError> {
        let program = self.programs.get(&scope.charts, scope.options.profile)?;
        self.rounds(HashMap::new(), |state| {
            let mut files = Files::new();
            let outside = Outside::new(self.world);
            let impure = program.execute(scope, &outside, state, &mut |path, text| {
                files.insert(path, text);
            })?;
            Ok(Executed { files, impure })
        })
    }

    /// The same as [`Engine::execute`], handing out what each file has made before the next one is
    /// executed. Of what is handed out only the last round counts, which is told at the end.
    ///
    /// # Errors
    /// As [`Engine::execute`].
    pub(crate) fn execute_each(
        &self,
        program: &Program,
        scope: &Scope,
        made: &mut dyn FnMut(Made),
    ) -> Result<(usize, Vec<ImpureCall>), TemplateError> {
        let mut round = 0;
        let impure = self.rounds(HashMap::new(), |state| {
            round += 1;
            let outside = Outside::new(self.world);
            program.execute(scope, &outside, state, &mut |path, text| {
                made(Made { round, path, text });
            })
        })?;
        Ok((round, impure))
    }

    /// The same as [`Engine::execute`], executing only files that could print something else than they
    /// did when `memory` was used last. It may be of any release of any chart.
    ///
    /// # Errors
    /// [`TemplateError`] of the first file that fails. The next render is a full one then.
    pub fn execute_again(
        &self,
        scope: &Scope,
        memory: &mut Memory,
    ) -> Result<Executed, TemplateError> {
        let program = self.programs.get(&scope.charts, scope.options.profile)?;
        let mut cluster = HashMap::new();
        let kept = memory.last.iter().flat_map(|last| &last.files);
        for (key, _) in kept.flat_map(KeptFile::found) {
            if let Some(object) = self.world.lookup(key) {
                cluster.insert(key.clone(), object.node);
            }
        }
        self.rounds(cluster, |state| {
            program.execute_again(scope, self.world, state, memory)
        })
    }

    /// Executes until everything that was looked up was at hand, beginning with what is known of the
    /// cluster.
    fn rounds<T: Default>(
        &self,
        mut cluster: HashMap<ObjectKey, Node>,
        mut execute: impl FnMut(&mut State) -> Result<T, TemplateError>,
    ) -> Result<T, TemplateError> {
        for round in 1.. {
            let mut state = State::new(std::mem::take(&mut cluster));
            let executed = execute(&mut state);
            cluster = state.cluster;
            let known = cluster.len();
            for key in state.looked_up {
                if let Some(object) = self.world.lookup(&key) {
                    cluster.entry(key).or_insert(object.node);
                }
            }
            if cluster.len() == known || round == LOOKUP_ROUNDS_MAX {
                return executed;
            }
        }
        Ok(T::default())
    }
}

/// What one file has made.
pub(crate) struct Made {
    /// How often all had begun when it did, from one.
    pub round: usize,
    /// From the outermost chart's name on.
    pub path: String,
    pub text: Vec<u8>,
}

/// The name of a release that a template gives, as `--name-template` asks. It sees no values.
///
/// # Errors
/// [`TemplateError`].
pub fn name_from_template(text: &str, world: &dyn World) -> Result<String, TemplateError> {
    const NAME: &str = "name-template";
    let mut functions = sprig::functions();
    for name in ["env", "expandenv"] {
        functions.remove(name);
    }
    let mut set = Set::new(NAME, Arc::new(functions), MissingKey::Default);
    let plain = |error: gotemplate::Error| TemplateError {
        text: error.to_string(),
        ..TemplateError::new(&error, Profile::Helm3)
    };
    set.parse(NAME, text).map_err(|error| plain(error.into()))?;
    let outside = Outside::new(world);
    let mut nothing = ();
    let mut context = Context::new(&Arc::new(set), &outside, &mut nothing, Limits::default());
    let mut out = Vec::new();
    context
        .execute(NAME.as_bytes(), &Value::Nil, &mut out)
        .map_err(plain)?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// `.Template`.
fn template(file: &TemplateFile, profile: Profile) -> Value {
    let fields = [
        (Str::from("Name"), Value::String(file.path.clone())),
        (Str::from("BasePath"), Value::from(file.base.as_str())),
    ];
    let fields = fields.into_iter().collect();
    Value::Map(Map::new(fields, objects::values_type(profile)))
}

impl TemplateError {
    fn new(error: &gotemplate::Error, profile: Profile) -> Self {
        let at = match error {
            gotemplate::Error::Parse(error) => Some(Span::line(&error.name, error.line)),
            gotemplate::Error::Exec(error) => Some(Span {
                column: error.column as u32 + 1,
                ..Span::line(&error.name, error.line as u32)
            }),
            gotemplate::Error::NotFound { .. } | gotemplate::Error::Limit(_) => None,
        };
        Self {
            text: errors::text(error, profile),
            is_limit: error.is_limit(),
            at,
        }
    }
}
