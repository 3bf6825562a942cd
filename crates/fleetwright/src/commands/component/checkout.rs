//! The checkout that commands work on: reading it, and writing into it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use component::checkout::Checkout;
use diag::{Code, Diagnostic, Span};
use tree::TreePath;

use super::contexts::{self, Context};
use crate::exit::{Exit, Failure};
use crate::files;

/// Namespace of objects that name none.
const NAMESPACE: &str = "default";

/// Which checkout.
#[derive(Debug, Args)]
pub struct CheckoutArgs {
    /// Root of the checkout; by default that of the chosen context, else the working folder.
    #[arg(long, value_name = "DIR")]
    pub root_dir: Option<PathBuf>,
    /// Namespace of the components, and of objects that name none; by default that of the chosen
    /// context, else any.
    #[arg(short, long, value_name = "NAME")]
    pub namespace: Option<String>,
    /// Prints what would be written, and writes nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Accepted for OpenChoreo's command line; there is no other mode.
    #[arg(long, hide = true, value_parser = ["file-system"])]
    mode: Option<String>,
}

/// A checkout that was read.
pub struct Opened {
    /// Where it is, without links.
    pub root: PathBuf,
    /// Where it is, as it was given.
    given: PathBuf,
    /// Namespace of the components; any if there is none.
    pub namespace: Option<String>,
    /// What is in it.
    pub checkout: Checkout,
}

impl CheckoutArgs {
    /// The checkout in a folder.
    pub fn new(root_dir: Option<&Path>, namespace: Option<&str>, dry_run: bool) -> Self {
        Self {
            root_dir: root_dir.map(Path::to_owned),
            namespace: namespace.map(str::to_owned),
            dry_run,
            mode: None,
        }
    }

    /// Reads the checkout; files that cannot be read are told on standard error.
    pub fn open(&self) -> Result<Opened, Failure> {
        let context = match (&self.root_dir, &self.namespace) {
            (Some(_), Some(_)) => Context::default(),
            _ => contexts::current()?,
        };
        let given = self.root_dir.clone().or(context.root);
        let given = given.unwrap_or_else(|| PathBuf::from("."));
        let namespace = self.namespace.clone().or(context.namespace);
        let root = given.canonicalize().map_err(|error| {
            let diagnostic = Diagnostic::error(Code("FileUnreadable"), error.to_string())
                .at(Span::file(given.display().to_string()));
            Failure::explained(Exit::Unreadable, vec![diagnostic])
        })?;
        let tree = files::below(root.clone());
        let own = namespace.as_deref().unwrap_or(NAMESPACE);
        let (checkout, warnings) = Checkout::read(&tree, own).map_err(|errors| {
            let place = component::release_config::FILE_NAME;
            let found = errors.iter().map(|error| {
                Diagnostic::error(Code("ReleaseConfigInvalid"), error.to_string())
                    .at(Span::file(place))
            });
            Failure::explained(Exit::Unreadable, found.collect())
        })?;
        for warning in warnings {
            eprint!("{}", warning.render());
        }
        Ok(Opened {
            root,
            given,
            namespace,
            checkout,
        })
    }
}

impl Opened {
    /// A path of the command line as one in the checkout: from its root, or absolute.
    pub fn inside(&self, path: &Path) -> Result<TreePath, Failure> {
        let refused = |reason: String| {
            let message = format!(
                "`{}` is not inside of the checkout: {reason}",
                path.display()
            );
            let diagnostic = Diagnostic::error(Code("OutputOutsideCheckout"), message)
                .with_help("Paths count from the root of the checkout.");
            Failure::explained(Exit::Usage, vec![diagnostic])
        };
        let relative = match path.is_absolute() {
            true => path
                .strip_prefix(&self.root)
                .or_else(|_| path.strip_prefix(&self.given))
                .map_err(|_| refused("it is elsewhere".to_owned()))?,
            false => path,
        };
        let text = relative
            .to_str()
            .ok_or_else(|| refused("its name is no text".to_owned()))?;
        TreePath::new(text).map_err(|error| refused(error.to_string()))
    }
}

/// Writes files into a checkout: all are made first, then each takes its place at once.
pub fn write(root: &Path, files: &BTreeMap<TreePath, String>) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut ready = Vec::new();
    for (path, text) in files {
        let failed = |error: std::io::Error| {
            let diagnostic = Diagnostic::error(Code("FileUnreadable"), error.to_string())
                .at(Span::file(path.as_str()));
            Failure::explained(Exit::Unreadable, vec![diagnostic])
        };
        let place = root.join(path.as_str());
        let folder = place.parent().unwrap_or(root);
        check(root, &place, path)?;
        std::fs::create_dir_all(folder).map_err(failed)?;
        let mut builder = tempfile::Builder::new();
        // The umask takes from it what the user does not want.
        let mut file = builder
            .permissions(std::fs::Permissions::from_mode(0o666))
            .tempfile_in(folder)
            .map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)?;
        if let Ok(data) = std::fs::metadata(&place) {
            let kept = file.as_file().set_permissions(data.permissions());
            kept.map_err(failed)?;
        }
        file.as_file().sync_all().map_err(failed)?;
        ready.push((file, place, failed));
    }
    for (file, place, failed) in ready {
        file.persist(place).map_err(|error| failed(error.error))?;
    }
    Ok(())
}

/// Refuses places that a link leads out of the checkout, and files that are links.
fn check(root: &Path, place: &Path, path: &TreePath) -> Result<(), Failure> {
    let refused = |message: String| {
        let diagnostic = Diagnostic::error(Code("OutputOutsideCheckout"), message)
            .at(Span::file(path.as_str()))
            .with_help("Put a folder in the place of the link.");
        Err(Failure::explained(Exit::Refused, vec![diagnostic]))
    };
    let data = place.symlink_metadata();
    if data.is_ok_and(|data| data.file_type().is_symlink()) {
        return refused(format!("`{path}` is a link, which is not written through"));
    }
    let there = place
        .ancestors()
        .skip(1)
        .find(|above| above.symlink_metadata().is_ok());
    let real = there.and_then(|folder| folder.canonicalize().ok());
    match real {
        Some(real) if real.starts_with(root) => Ok(()),
        _ => refused(format!(
            "a link on the way to `{path}` leads out of the checkout"
        )),
    }
}
