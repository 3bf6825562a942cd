//! Flags of `helm template` that a render does not need, so that command lines written for it run.
//!
//! They say how to install, where to download from, and which cluster to talk to. Flags that would
//! change the output in a way no build can follow are refused. Values are checked as Helm checks
//! them, the files and servers that they name are not.
//!
//! # Source
//! helm/helm `pkg/cmd/install.go`, `pkg/cmd/template.go`, `pkg/cli/environment.go`; spf13/pflag for
//! switches.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, Args};
use diag::{Code, Diagnostic};
use golang::Duration;

use crate::exit::{Exit, Failure};

/// See the head of this file.
#[derive(Debug, Default, Args)]
pub struct IgnoredArgs {
    #[arg(long, hide = true, num_args = 0..=1, default_missing_value = "client", require_equals = true)]
    dry_run: Option<String>,
    #[arg(long, hide = true)]
    validate: bool,
    #[arg(long, hide = true)]
    post_renderer: Option<String>,
    #[arg(long, hide = true)]
    post_renderer_args: Vec<String>,
    #[arg(long, hide = true)]
    repo: Option<String>,
    #[arg(long, hide = true)]
    verify: bool,
    #[arg(short, long, hide = true, value_delimiter = ',', value_parser = label)]
    labels: Vec<String>,
    #[arg(long, hide = true, value_parser = duration)]
    timeout: Option<String>,
    #[arg(long, hide = true, num_args = 0..=1, default_missing_value = "watcher", require_equals = true,
        value_parser = PossibleValuesParser::new(["watcher", "hookOnly", "legacy", "true", "false"]))]
    wait: Option<String>,
    #[arg(long, alias = "colour", hide = true, value_parser = PossibleValuesParser::new(["never", "auto", "always"]))]
    color: Option<String>,
    #[arg(long, hide = true)]
    burst_limit: Option<i64>,
    #[arg(long, hide = true)]
    qps: Option<f32>,
    #[arg(long, hide = true)]
    server_side: bool,
    // Without effect whatever they say. Dependencies that are missing are an error anyway.
    #[arg(long, hide = true)]
    skip_crds: bool,
    #[arg(long, hide = true)]
    hide_notes: bool,
    #[arg(long, hide = true)]
    render_subchart_notes: bool,
    #[arg(long, hide = true)]
    dependency_update: bool,
    #[arg(long, hide = true)]
    create_namespace: bool,
    #[arg(long, hide = true)]
    disable_openapi_validation: bool,
    #[arg(long, hide = true)]
    enable_dns: bool,
    #[arg(long, hide = true)]
    description: Option<String>,
    #[arg(long, hide = true)]
    replace: bool,
    #[arg(long, hide = true)]
    atomic: bool,
    #[arg(long, hide = true)]
    rollback_on_failure: bool,
    #[arg(long, hide = true)]
    take_ownership: bool,
    #[arg(long, hide = true)]
    force: bool,
    #[arg(long, hide = true)]
    force_conflicts: bool,
    #[arg(long, hide = true)]
    force_replace: bool,
    #[arg(long, hide = true)]
    wait_for_jobs: bool,
    #[arg(long, hide = true)]
    devel: bool,
    #[arg(long, hide = true)]
    version: Option<String>,
    #[arg(long, hide = true)]
    ca_file: Option<String>,
    #[arg(long, hide = true)]
    cert_file: Option<String>,
    #[arg(long, hide = true)]
    key_file: Option<String>,
    #[arg(long, hide = true)]
    keyring: Option<String>,
    #[arg(long, hide = true)]
    insecure_skip_tls_verify: bool,
    #[arg(long, hide = true)]
    plain_http: bool,
    #[arg(long, hide = true)]
    pass_credentials: bool,
    #[arg(long, hide = true)]
    username: Option<String>,
    #[arg(long, hide = true)]
    password: Option<String>,
    #[arg(long, hide = true)]
    content_cache: Option<String>,
    #[arg(long, hide = true)]
    registry_config: Option<String>,
    #[arg(long, hide = true)]
    repository_cache: Option<String>,
    #[arg(long, hide = true)]
    repository_config: Option<String>,
    #[arg(long, hide = true)]
    kubeconfig: Option<String>,
    #[arg(long, hide = true)]
    kube_apiserver: Option<String>,
    #[arg(long, hide = true)]
    kube_as_group: Vec<String>,
    #[arg(long, hide = true)]
    kube_as_user: Option<String>,
    #[arg(long, hide = true)]
    kube_ca_file: Option<String>,
    #[arg(long, hide = true)]
    kube_context: Option<String>,
    #[arg(long, hide = true)]
    kube_insecure_skip_tls_verify: bool,
    #[arg(long, hide = true)]
    kube_tls_server_name: Option<String>,
    #[arg(long, hide = true)]
    kube_token: Option<String>,
}

impl IgnoredArgs {
    /// # Errors
    /// A flag that would change the output and cannot be followed.
    pub fn check(&self) -> Result<(), Failure> {
        let refuse = |code, message: &str, help: &str| {
            let diagnostic = Diagnostic::error(Code(code), message).with_help(help);
            Err(Failure::explained(Exit::Negative, vec![diagnostic]))
        };
        let is_asked = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        if is_asked(&self.post_renderer) {
            return refuse(
                "PluginForbidden",
                "--post-renderer runs a program, which a build never does",
                "Patch the output with a kustomization that lists the chart under helmCharts.",
            );
        }
        if self.validate || self.dry_run.as_deref() == Some("server") {
            return refuse(
                "FlagNotSupported",
                "a build without a server cannot ask one",
                "Leave --dry-run=server and --validate out, and name the cluster's APIs with --api-versions.",
            );
        }
        if let Some(text) = &self.dry_run
            && !matches!(&**text, "client" | "unset")
            && switch_value(text) != Ok(true)
        {
            // Helm checks it twice.
            let choices = match &**text {
                "none" | "false" => r#""server" or "client""#,
                _ => r#""none", "server", or "client""#,
            };
            let message = format!("invalid dry-run value ({text:?}). Must be {choices}");
            return Err(Failure::plain(Exit::Negative, &*message));
        }
        if is_asked(&self.repo) {
            return refuse(
                "FlagNotSupported",
                "a build fetches no charts",
                "Fetch it with `helm pull` and name the file.",
            );
        }
        if self.verify {
            return refuse(
                "FlagNotSupported",
                "a build checks no signatures of charts",
                "Run `helm verify` before.",
            );
        }
        Ok(())
    }
}

/// Lets `--flag=false` and `--flag=true` stand beside `--flag`, and takes the word behind a flag that
/// needs a value, whatever it begins with.
pub fn as_pflag(arg: Arg) -> Arg {
    match arg.get_action() {
        ArgAction::Set | ArgAction::Append if !arg.is_positional() => arg.allow_hyphen_values(true),
        ArgAction::SetTrue => arg
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .default_value("false")
            .hide_default_value(true)
            .hide_possible_values(true)
            .value_name("BOOL")
            .value_parser(switch_value),
        _ => arg,
    }
}

/// Go's `strconv.ParseBool`.
fn switch_value(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(format!(
            "strconv.ParseBool: parsing {text:?}: invalid syntax"
        )),
    }
}

fn label(text: &str) -> Result<String, String> {
    match text.is_empty() || text.contains('=') {
        true => Ok(text.to_owned()),
        false => Err(format!("{text} must be formatted as key=value")),
    }
}

fn duration(text: &str) -> Result<String, String> {
    let parsed: Result<Duration, _> = text.parse();
    parsed.map_err(|error| error.to_string())?;
    Ok(text.to_owned())
}
