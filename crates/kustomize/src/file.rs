//! The kustomization file: its fields, and reading them.
//!
//! # Source
//! kubernetes-sigs/kustomize `api/types/kustomization.go` and its neighbours.

use object::{Map, Node as Value};

use crate::decode::Decoder;
use crate::fieldspec::FieldSpec;
use crate::ids::{Gvk, ResId};
use crate::select::Selector;

/// A kustomization or component, deprecated fields moved to where they belong.
#[derive(Clone, Debug, Default)]
pub(crate) struct File {
    pub api_version: String,
    pub kind: String,
    pub openapi: Vec<(String, String)>,
    pub name_prefix: String,
    pub name_suffix: String,
    pub namespace: String,
    pub common_labels: Vec<(String, String)>,
    pub labels: Vec<Label>,
    pub common_annotations: Vec<(String, String)>,
    pub patches_strategic_merge: Vec<String>,
    pub patches_json6902: Vec<Patch>,
    pub patches: Vec<Patch>,
    pub images: Vec<Image>,
    pub replacements: Vec<ReplacementEntry>,
    pub replicas: Vec<Replica>,
    pub vars: Vec<Var>,
    pub sort_options: Option<SortOptions>,
    pub resources: Vec<String>,
    pub components: Vec<String>,
    pub crds: Vec<String>,
    pub config_map_generator: Vec<GeneratorArgs>,
    pub secret_generator: Vec<GeneratorArgs>,
    pub helm_globals: Option<HelmGlobals>,
    pub helm_charts: Vec<HelmChart>,
    pub generator_options: Option<GeneratorOptions>,
    pub configurations: Vec<String>,
    pub generators: Vec<String>,
    pub transformers: Vec<String>,
    pub validators: Vec<String>,
    pub build_metadata: Vec<String>,
    /// Deprecated fields that the file uses, with what replaces them.
    pub deprecated: Vec<(&'static str, &'static str)>,
    /// Whether nothing but `apiVersion` and `kind` is set.
    pub empty: bool,
    /// Whether `resources` itself, not `bases`, lists anything.
    pub lists_resources: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Label {
    pub pairs: Vec<(String, String)>,
    pub include_selectors: bool,
    pub include_templates: bool,
    pub fields: Vec<FieldSpec>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Patch {
    pub path: String,
    pub patch: String,
    pub target: Option<Selector>,
    pub options: Option<PatchOptions>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PatchOptions {
    pub allow_name_change: bool,
    pub allow_kind_change: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Image {
    pub name: String,
    pub new_name: String,
    pub tag_suffix: String,
    pub new_tag: String,
    pub digest: String,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Replica {
    pub name: String,
    pub count: i64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct ReplacementEntry {
    pub replacement: Replacement,
    pub path: String,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Replacement {
    pub source: Option<SourceSelector>,
    pub source_value: Option<String>,
    pub targets: Option<Vec<TargetSelector>>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct SourceSelector {
    pub id: ResId,
    pub field_path: String,
    pub options: Option<FieldOptions>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct TargetSelector {
    pub select: Option<Selector>,
    pub reject: Vec<Selector>,
    pub field_paths: Vec<String>,
    pub options: Option<FieldOptions>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct FieldOptions {
    pub delimiter: String,
    pub index: i64,
    pub create: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Var {
    pub name: String,
    pub api_version: String,
    pub gvk: Gvk,
    pub object_name: String,
    pub object_namespace: String,
    pub field_path: String,
    /// The variable as Go prints it before defaults are filled in.
    pub written: String,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct SortOptions {
    pub order: String,
    pub legacy: Option<LegacySortOptions>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct LegacySortOptions {
    pub first: Vec<String>,
    pub last: Vec<String>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct GeneratorArgs {
    pub name: String,
    pub namespace: String,
    pub behavior: String,
    pub literals: Vec<String>,
    pub files: Vec<String>,
    pub envs: Vec<String>,
    pub options: Option<GeneratorOptions>,
    pub secret_type: String,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct GeneratorOptions {
    pub labels: Vec<(String, String)>,
    pub annotations: Vec<(String, String)>,
    pub disable_name_suffix_hash: bool,
    pub immutable: bool,
}

/// What holds for all charts of a kustomization.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HelmGlobals {
    pub chart_home: String,
    pub config_home: String,
}

/// A chart, and the release to make of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct HelmChart {
    pub name: String,
    pub version: String,
    pub repo: String,
    pub release_name: String,
    pub namespace: String,
    pub additional_values_files: Vec<String>,
    pub values_file: String,
    pub values_inline: Map,
    pub values_merge: String,
    pub include_crds: bool,
    pub skip_hooks: bool,
    pub api_versions: Vec<String>,
    pub kube_version: String,
    pub name_template: String,
    pub skip_tests: bool,
    pub debug: bool,
    pub devel: bool,
    /// The field it stands in.
    pub field: &'static str,
    /// Its place in that.
    pub at: usize,
}

const FIELDS: &[&str] = &[
    "apiVersion",
    "kind",
    "metadata",
    "openapi",
    "namePrefix",
    "nameSuffix",
    "namespace",
    "commonLabels",
    "labels",
    "commonAnnotations",
    "patchesStrategicMerge",
    "patchesJson6902",
    "patches",
    "images",
    "imageTags",
    "replacements",
    "replicas",
    "vars",
    "sortOptions",
    "resources",
    "components",
    "crds",
    "bases",
    "configMapGenerator",
    "secretGenerator",
    "helmGlobals",
    "helmCharts",
    "helmChartInflationGenerator",
    "generatorOptions",
    "configurations",
    "generators",
    "transformers",
    "validators",
    "buildMetadata",
];

impl File {
    /// Reads a kustomization; what is wrong with it goes to the decoder.
    pub fn decode(d: &mut Decoder, value: &Value) -> Self {
        let mut file = Self {
            empty: true,
            ..Self::default()
        };
        let mut bases = Vec::new();
        let mut image_tags = Vec::new();
        let (mut old_charts, mut old_globals) = (Vec::new(), Vec::new());
        let mut deprecated = Vec::new();
        d.object(value, "Kustomization", FIELDS, |d, name, value| {
            if !value.is_null() && !matches!(name, "apiVersion" | "kind") && !is_zero_text(value) {
                file.empty = false;
            }
            if !value.is_null() {
                deprecated.extend(DEPRECATED.iter().find(|(old, _)| *old == name));
            }
            match name {
                "apiVersion" => file.api_version = d.string(value),
                "kind" => file.kind = d.string(value),
                "metadata" => object_meta(d, value),
                "openapi" => file.openapi = d.string_map(value),
                "namePrefix" => file.name_prefix = d.string(value),
                "nameSuffix" => file.name_suffix = d.string(value),
                "namespace" => file.namespace = d.string(value),
                "commonLabels" => file.common_labels = d.string_map(value),
                "labels" => file.labels = d.list(value, "types.Label", label),
                "commonAnnotations" => file.common_annotations = d.string_map(value),
                "patchesStrategicMerge" => {
                    file.patches_strategic_merge =
                        d.list(value, "types.PatchStrategicMerge", Decoder::string);
                }
                "patchesJson6902" => file.patches_json6902 = d.list(value, "types.Patch", patch),
                "patches" => file.patches = d.list(value, "types.Patch", patch),
                "images" => file.images = d.list(value, "types.Image", image),
                "imageTags" => image_tags = d.list(value, "types.Image", image),
                "replacements" => {
                    file.replacements = d.list(value, "types.ReplacementField", replacement_entry);
                }
                "replicas" => file.replicas = d.list(value, "types.Replica", replica),
                "vars" => file.vars = d.list(value, "types.Var", var),
                "sortOptions" => file.sort_options = sort_options(d, value),
                "resources" => file.resources = d.strings(value),
                "components" => file.components = d.strings(value),
                "crds" => file.crds = d.strings(value),
                "bases" => bases = d.strings(value),
                "configMapGenerator" => {
                    file.config_map_generator =
                        d.list(value, "types.ConfigMapArgs", config_map_args);
                }
                "secretGenerator" => {
                    file.secret_generator = d.list(value, "types.SecretArgs", secret_args)
                }
                "helmGlobals" => file.helm_globals = helm_globals(d, value),
                "helmCharts" => file.helm_charts = d.list(value, "types.HelmChart", helm_chart),
                "helmChartInflationGenerator" => {
                    let old = d.list(value, "types.HelmChartArgs", helm_chart_args);
                    (old_charts, old_globals) = old.into_iter().unzip();
                }
                "generatorOptions" => file.generator_options = generator_options(d, value),
                "configurations" => file.configurations = d.strings(value),
                "generators" => file.generators = d.strings(value),
                "transformers" => file.transformers = d.strings(value),
                "validators" => file.validators = d.strings(value),
                "buildMetadata" => file.build_metadata = d.strings(value),
                _ => {}
            }
        });
        file.lists_resources = !file.resources.is_empty();
        file.resources.append(&mut bases);
        file.images.append(&mut image_tags);
        file.add_inflation_generators(old_charts, old_globals);
        if file.kind.is_empty() {
            file.kind = "Kustomization".into();
        }
        if file.api_version.is_empty() {
            file.api_version = file.expected_version().into();
        }
        file.deprecated = DEPRECATED
            .iter()
            .filter(|pair| deprecated.contains(pair))
            .copied()
            .collect();
        file
    }

    /// Adds charts in the deprecated form; what they say of all charts counts when nothing else does.
    fn add_inflation_generators(&mut self, charts: Vec<HelmChart>, globals: Vec<HelmGlobals>) {
        for (at, chart) in self.helm_charts.iter_mut().enumerate() {
            chart.at = at;
        }
        self.helm_charts
            .extend(charts.into_iter().enumerate().map(|(at, chart)| HelmChart {
                field: "helmChartInflationGenerator",
                at,
                ..chart
            }));
        let last = |text: fn(&HelmGlobals) -> &String| {
            let mut given = globals.iter().map(text).filter(|text| !text.is_empty());
            given.next_back().cloned().unwrap_or_default()
        };
        let merged = HelmGlobals {
            chart_home: last(|globals| &globals.chart_home),
            config_home: last(|globals| &globals.config_home),
        };
        if merged != HelmGlobals::default() {
            self.helm_globals.get_or_insert(merged);
        }
    }

    /// The version that goes with the kind.
    pub fn expected_version(&self) -> &'static str {
        match self.kind.as_str() {
            "Component" => "kustomize.config.k8s.io/v1alpha1",
            _ => "kustomize.config.k8s.io/v1beta1",
        }
    }

    /// What is wrong with kind and version.
    pub fn type_problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.kind != "Kustomization" && self.kind != "Component" {
            problems.push("kind should be Kustomization or Component".to_owned());
        }
        if self.api_version != self.expected_version() {
            problems.push(format!(
                "apiVersion for {} should be {}",
                self.kind,
                self.expected_version()
            ));
        }
        problems
    }
}

/// Deprecated fields in the order of their warnings.
const DEPRECATED: [(&str, &str); 6] = [
    ("bases", "resources"),
    ("commonLabels", "labels"),
    ("imageTags", "images"),
    ("patchesJson6902", "patches"),
    ("patchesStrategicMerge", "patches"),
    ("vars", "replacements"),
];

fn is_zero_text(value: &Value) -> bool {
    value.as_str() == Some("")
}

fn object_meta(d: &mut Decoder, value: &Value) {
    d.object(
        value,
        "ObjectMeta",
        &["name", "namespace", "labels", "annotations"],
        |d, name, value| match name {
            "labels" | "annotations" => drop(d.string_map(value)),
            _ => drop(d.string(value)),
        },
    );
}

fn label(d: &mut Decoder, value: &Value) -> Label {
    let mut label = Label::default();
    let known = &["pairs", "includeSelectors", "includeTemplates", "fields"];
    d.object(value, "Label", known, |d, name, value| match name {
        "pairs" => label.pairs = d.string_map(value),
        "includeSelectors" => label.include_selectors = d.bool(value),
        "includeTemplates" => label.include_templates = d.bool(value),
        _ => label.fields = d.list(value, "types.FieldSpec", field_spec),
    });
    label
}

pub(crate) fn field_spec(d: &mut Decoder, value: &Value) -> FieldSpec {
    let (mut gvk, mut path, mut create) = (Gvk::default(), String::new(), false);
    let known = &["group", "version", "kind", "path", "create"];
    d.object(value, "FieldSpec", known, |d, name, value| match name {
        "group" => gvk.group = d.string(value).into(),
        "version" => gvk.version = d.string(value).into(),
        "kind" => gvk.kind = d.string(value).into(),
        "path" => path = d.string(value),
        _ => create = d.bool(value),
    });
    FieldSpec::new(gvk, &path, create)
}

pub(crate) fn patch(d: &mut Decoder, value: &Value) -> Patch {
    let mut patch = Patch::default();
    let known = &["path", "patch", "target", "options"];
    d.object(value, "Patch", known, |d, name, value| match name {
        "path" => patch.path = d.string(value),
        "patch" => patch.patch = d.string(value),
        "target" => patch.target = (!value.is_null()).then(|| selector(d, value)),
        _ => {
            let mut options = PatchOptions::default();
            let known = &["allowNameChange", "allowKindChange"];
            d.object(value, "PatchArgs", known, |d, name, value| match name {
                "allowNameChange" => options.allow_name_change = d.bool(value),
                _ => options.allow_kind_change = d.bool(value),
            });
            patch.options = (!value.is_null()).then_some(options);
        }
    });
    patch
}

pub(crate) fn selector(d: &mut Decoder, value: &Value) -> Selector {
    let mut selector = Selector::default();
    let known = &[
        "group",
        "version",
        "kind",
        "name",
        "namespace",
        "annotationSelector",
        "labelSelector",
    ];
    d.object(value, "Selector", known, |d, name, value| {
        let text = d.string(value);
        match name {
            "group" => selector.group = text,
            "version" => selector.version = text,
            "kind" => selector.kind = text,
            "name" => selector.name = text,
            "namespace" => selector.namespace = text,
            "annotationSelector" => selector.annotation_selector = text,
            _ => selector.label_selector = text,
        }
    });
    selector
}

pub(crate) fn image(d: &mut Decoder, value: &Value) -> Image {
    let mut image = Image::default();
    let known = &["name", "newName", "tagSuffix", "newTag", "digest"];
    d.object(value, "Image", known, |d, name, value| {
        let text = d.string(value);
        match name {
            "name" => image.name = text,
            "newName" => image.new_name = text,
            "tagSuffix" => image.tag_suffix = text,
            "newTag" => image.new_tag = text,
            _ => image.digest = text,
        }
    });
    image
}

fn helm_globals(d: &mut Decoder, value: &Value) -> Option<HelmGlobals> {
    let mut globals = HelmGlobals::default();
    d.object(value, "HelmGlobals", HELM_GLOBALS, |d, name, value| {
        helm_global(d, &mut globals, name, value);
    });
    (!value.is_null()).then_some(globals)
}

const HELM_GLOBALS: &[&str] = &["chartHome", "configHome"];

fn helm_global(d: &mut Decoder, globals: &mut HelmGlobals, name: &str, value: &Value) {
    match name {
        "chartHome" => globals.chart_home = d.string(value),
        _ => globals.config_home = d.string(value),
    }
}

fn helm_chart(d: &mut Decoder, value: &Value) -> HelmChart {
    let mut chart = HelmChart {
        field: "helmCharts",
        ..HelmChart::default()
    };
    const KNOWN: &[&str] = &[
        "name",
        "version",
        "repo",
        "releaseName",
        "namespace",
        "additionalValuesFiles",
        "valuesFile",
        "valuesInline",
        "valuesMerge",
        "includeCRDs",
        "skipHooks",
        "apiVersions",
        "kubeVersion",
        "nameTemplate",
        "skipTests",
        "debug",
        "devel",
    ];
    d.object(value, "HelmChart", KNOWN, |d, name, value| {
        helm_chart_field(d, &mut chart, name, value);
    });
    chart
}

fn helm_chart_field(d: &mut Decoder, chart: &mut HelmChart, name: &str, value: &Value) {
    match name {
        "name" => chart.name = d.string(value),
        "version" => chart.version = d.string(value),
        "repo" => chart.repo = d.string(value),
        "releaseName" => chart.release_name = d.string(value),
        "namespace" => chart.namespace = d.string(value),
        "additionalValuesFiles" => chart.additional_values_files = d.strings(value),
        "valuesFile" => chart.values_file = d.string(value),
        "valuesInline" => chart.values_inline = d.map(value),
        "valuesMerge" => chart.values_merge = d.string(value),
        "includeCRDs" => chart.include_crds = d.bool(value),
        "skipHooks" => chart.skip_hooks = d.bool(value),
        "apiVersions" => chart.api_versions = d.strings(value),
        "kubeVersion" => chart.kube_version = d.string(value),
        "nameTemplate" => chart.name_template = d.string(value),
        "skipTests" => chart.skip_tests = d.bool(value),
        "debug" => chart.debug = d.bool(value),
        _ => chart.devel = d.bool(value),
    }
}

/// A chart of the deprecated form, and what it says of all charts.
fn helm_chart_args(d: &mut Decoder, value: &Value) -> (HelmChart, HelmGlobals) {
    let (mut chart, mut globals) = (HelmChart::default(), HelmGlobals::default());
    const KNOWN: &[&str] = &[
        "chartName",
        "chartVersion",
        "chartRepoUrl",
        "chartHome",
        "chartRepoName",
        "helmBin",
        "helmHome",
        "values",
        "valuesLocal",
        "valuesMerge",
        "releaseName",
        "releaseNamespace",
        "extraArgs",
    ];
    d.object(value, "HelmChartArgs", KNOWN, |d, name, value| match name {
        "chartName" => chart.name = d.string(value),
        "chartVersion" => chart.version = d.string(value),
        "chartRepoUrl" => chart.repo = d.string(value),
        "chartHome" => globals.chart_home = d.string(value),
        "helmHome" => globals.config_home = d.string(value),
        "values" => chart.values_file = d.string(value),
        "valuesLocal" => chart.values_inline = d.map(value),
        "valuesMerge" => chart.values_merge = d.string(value),
        "releaseName" => chart.release_name = d.string(value),
        "extraArgs" => drop(d.strings(value)),
        _ => drop(d.string(value)),
    });
    (chart, globals)
}

/// A chart that an object of its own configures, with what it says of all charts.
pub(crate) fn helm_chart_plugin(d: &mut Decoder, value: &Value) -> (HelmChart, HelmGlobals) {
    let mut chart = HelmChart {
        field: "generators",
        ..HelmChart::default()
    };
    let mut globals = HelmGlobals::default();
    const KNOWN: &[&str] = &[
        "chartHome",
        "configHome",
        "name",
        "version",
        "repo",
        "releaseName",
        "namespace",
        "additionalValuesFiles",
        "valuesFile",
        "valuesInline",
        "valuesMerge",
        "includeCRDs",
        "skipHooks",
        "apiVersions",
        "kubeVersion",
        "nameTemplate",
        "skipTests",
        "debug",
        "devel",
    ];
    d.object(
        value,
        "HelmChartInflationGeneratorPlugin",
        KNOWN,
        |d, name, value| match HELM_GLOBALS.contains(&name) {
            true => d.embedded("HelmGlobals", |d| helm_global(d, &mut globals, name, value)),
            false => d.embedded("HelmChart", |d| {
                helm_chart_field(d, &mut chart, name, value)
            }),
        },
    );
    (chart, globals)
}

pub(crate) fn replica(d: &mut Decoder, value: &Value) -> Replica {
    let mut replica = Replica::default();
    d.object(
        value,
        "Replica",
        &["name", "count"],
        |d, name, value| match name {
            "name" => replica.name = d.string(value),
            _ => replica.count = d.integer(value, "int64"),
        },
    );
    replica
}

pub(crate) fn replacement_entry(d: &mut Decoder, value: &Value) -> ReplacementEntry {
    let mut entry = ReplacementEntry::default();
    let known = &["source", "targets", "sourceValue", "path"];
    d.object(
        value,
        "ReplacementField",
        known,
        |d, name, value| match name {
            "path" => entry.path = d.string(value),
            _ => replacement_field(d, &mut entry.replacement, name, value),
        },
    );
    entry
}

pub(crate) fn replacement(d: &mut Decoder, value: &Value) -> Replacement {
    let mut replacement = Replacement::default();
    let known = &["source", "targets", "sourceValue"];
    d.object(value, "Replacement", known, |d, name, value| {
        replacement_field(d, &mut replacement, name, value);
    });
    replacement
}

fn replacement_field(d: &mut Decoder, replacement: &mut Replacement, name: &str, value: &Value) {
    match name {
        "source" => replacement.source = (!value.is_null()).then(|| source_selector(d, value)),
        "sourceValue" => replacement.source_value = (!value.is_null()).then(|| d.string(value)),
        _ => {
            let targets = d.list(value, "*types.TargetSelector", target_selector);
            replacement.targets = (!value.is_null()).then_some(targets);
        }
    }
}

fn source_selector(d: &mut Decoder, value: &Value) -> SourceSelector {
    let mut source = SourceSelector::default();
    let known = &[
        "group",
        "version",
        "kind",
        "name",
        "namespace",
        "fieldPath",
        "options",
    ];
    d.object(
        value,
        "SourceSelector",
        known,
        |d, name, value| match name {
            "group" => source.id.gvk.group = d.string(value).into(),
            "version" => source.id.gvk.version = d.string(value).into(),
            "kind" => source.id.gvk.kind = d.string(value).into(),
            "name" => source.id.name = d.string(value).into(),
            "namespace" => source.id.namespace = d.string(value).into(),
            "fieldPath" => source.field_path = d.string(value),
            _ => source.options = field_options(d, value),
        },
    );
    source
}

fn target_selector(d: &mut Decoder, value: &Value) -> TargetSelector {
    let mut target = TargetSelector::default();
    let known = &["select", "reject", "fieldPaths", "options"];
    d.object(
        value,
        "TargetSelector",
        known,
        |d, name, value| match name {
            "select" => target.select = (!value.is_null()).then(|| selector(d, value)),
            "reject" => target.reject = d.list(value, "*types.Selector", selector),
            "fieldPaths" => target.field_paths = d.strings(value),
            _ => target.options = field_options(d, value),
        },
    );
    target
}

fn field_options(d: &mut Decoder, value: &Value) -> Option<FieldOptions> {
    let mut options = FieldOptions::default();
    let known = &["delimiter", "index", "encoding", "create"];
    d.object(value, "FieldOptions", known, |d, name, value| match name {
        "delimiter" => options.delimiter = d.string(value),
        "index" => options.index = d.integer(value, "int"),
        "create" => options.create = d.bool(value),
        _ => drop(d.string(value)),
    });
    (!value.is_null()).then_some(options)
}

fn var(d: &mut Decoder, value: &Value) -> Var {
    let mut var = Var::default();
    d.object(
        value,
        "Var",
        &["name", "objref", "fieldref"],
        |d, name, value| match name {
            "name" => var.name = d.string(value),
            "objref" => {
                let known = &[
                    "apiVersion",
                    "group",
                    "version",
                    "kind",
                    "name",
                    "namespace",
                ];
                d.object(value, "Target", known, |d, name, value| {
                    let text = d.string(value);
                    match name {
                        "apiVersion" => var.api_version = text,
                        "group" => var.gvk.group = text.into(),
                        "version" => var.gvk.version = text.into(),
                        "kind" => var.gvk.kind = text.into(),
                        "name" => var.object_name = text,
                        _ => var.object_namespace = text,
                    }
                });
            }
            _ => d.object(value, "FieldSelector", &["fieldPath"], |d, _, value| {
                var.field_path = d.string(value);
            }),
        },
    );
    var.written = format!("{{{} {} {{{}}}}}", var.name, var.gvk, var.field_path);
    if !var.api_version.is_empty() {
        let parsed = Gvk::new(&var.api_version, "");
        if !parsed.group.is_empty() {
            var.gvk.group = parsed.group;
        }
        var.gvk.version = parsed.version;
    }
    if var.field_path.is_empty() {
        var.field_path = "metadata.name".into();
    }
    var
}

pub(crate) fn sort_options(d: &mut Decoder, value: &Value) -> Option<SortOptions> {
    let mut options = SortOptions::default();
    d.object(
        value,
        "SortOptions",
        &["order", "legacySortOptions"],
        |d, name, value| match name {
            "order" => options.order = d.string(value),
            _ => {
                let mut legacy = LegacySortOptions::default();
                d.object(
                    value,
                    "LegacySortOptions",
                    &["orderFirst", "orderLast"],
                    |d, name, value| match name {
                        "orderFirst" => legacy.first = d.strings(value),
                        _ => legacy.last = d.strings(value),
                    },
                );
                options.legacy = (!value.is_null()).then_some(legacy);
            }
        },
    );
    (!value.is_null()).then_some(options)
}

/// The fields of a generator entry.
const CONFIG_MAP_FIELDS: &[&str] = &[
    "namespace",
    "name",
    "behavior",
    "literals",
    "files",
    "envs",
    "env",
    "options",
];

/// The same for Secrets, which have a type.
const SECRET_FIELDS: &[&str] = &[
    "namespace",
    "name",
    "behavior",
    "literals",
    "files",
    "envs",
    "env",
    "options",
    "type",
];

fn config_map_args(d: &mut Decoder, value: &Value) -> GeneratorArgs {
    generator_args(d, value, CONFIG_MAP_FIELDS)
}

fn secret_args(d: &mut Decoder, value: &Value) -> GeneratorArgs {
    generator_args(d, value, SECRET_FIELDS)
}

fn generator_args(d: &mut Decoder, value: &Value, known: &'static [&'static str]) -> GeneratorArgs {
    let mut args = GeneratorArgs::default();
    let mut env = String::new();
    d.object(value, "GeneratorArgs", known, |d, name, value| {
        generator_field(d, &mut args, &mut env, name, value);
    });
    if !env.is_empty() {
        args.envs.push(env);
    }
    args
}

pub(crate) fn generator_field(
    d: &mut Decoder,
    args: &mut GeneratorArgs,
    env: &mut String,
    name: &str,
    value: &Value,
) {
    match name {
        "namespace" => args.namespace = d.string(value),
        "name" => args.name = d.string(value),
        "behavior" => args.behavior = d.string(value),
        "literals" => args.literals = d.strings(value),
        "files" => args.files = d.strings(value),
        "envs" => args.envs = d.strings(value),
        "env" => *env = d.string(value),
        "options" => args.options = generator_options(d, value),
        _ => args.secret_type = d.string(value),
    }
}

fn generator_options(d: &mut Decoder, value: &Value) -> Option<GeneratorOptions> {
    let mut options = GeneratorOptions::default();
    let known = &[
        "labels",
        "annotations",
        "disableNameSuffixHash",
        "immutable",
    ];
    d.object(
        value,
        "GeneratorOptions",
        known,
        |d, name, value| match name {
            "labels" => options.labels = d.string_map(value),
            "annotations" => options.annotations = d.string_map(value),
            "disableNameSuffixHash" => options.disable_name_suffix_hash = d.bool(value),
            _ => options.immutable = d.bool(value),
        },
    );
    (!value.is_null()).then_some(options)
}
