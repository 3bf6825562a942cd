//! Scripted failures.
//!
//! A pod fails as its annotation `sim.fleetwright.dev/fault` says, else as that of its namespace,
//! else as the name of its image says when its registry is `fault.local`:
//!
//! | script | what happens |
//! | --- | --- |
//! | `image-pull` | the image is not there: ErrImagePull, then ImagePullBackOff |
//! | `crash-loop` or `crash-loop=CODE` | the container ends with an exit code (1), is started again after 10 s, doubling to 5 min |
//! | `never-ready` | the container runs and never becomes ready |
//! | `slow-start=DURATION` | it becomes ready after that time |
//!
//! As an image: `fault.local/image-pull`, `fault.local/crash-loop:2`, `fault.local/slow-start:90s`.

use golang::Duration;
use object::Object;

use crate::view::View;

/// The annotation that scripts a failure.
pub const ANNOTATION: &str = "sim.fleetwright.dev/fault";

/// Registry of images that fail.
const REGISTRY: &str = "fault.local/";

/// One scripted failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The image is not there.
    ImagePull,
    /// The container ends with this exit code, again and again.
    CrashLoop(i64),
    /// The container runs and never becomes ready.
    NeverReady,
    /// The container becomes ready after this time.
    SlowStart(Duration),
}

impl Fault {
    /// Reads a script; `None` when it is none.
    pub fn read(script: &str) -> Option<Self> {
        let (name, value) = script.split_once('=').unwrap_or((script, ""));
        match name {
            "image-pull" => Some(Self::ImagePull),
            "crash-loop" => Some(Self::CrashLoop(value.parse().unwrap_or(1))),
            "never-ready" => Some(Self::NeverReady),
            "slow-start" => Some(Self::SlowStart(value.parse().ok()?)),
            _ => None,
        }
    }

    fn of_image(image: &str) -> Option<Self> {
        let script = image.strip_prefix(REGISTRY)?;
        match script.split_once(':') {
            Some((name, tag)) => Self::read(&format!("{name}={tag}")).or_else(|| Self::read(name)),
            None => Self::read(script),
        }
    }
}

/// How a container of a pod fails, if it does.
pub(crate) fn of(view: &dyn View, pod: &Object, image: &str) -> Option<Fault> {
    let annotated = |object: &Object| Fault::read(object.annotation(ANNOTATION)?);
    annotated(pod)
        .or_else(|| annotated(&view.get("namespaces", "", pod.namespace())?))
        .or_else(|| Fault::of_image(image))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_read_from_annotations_and_images() {
        assert_eq!(Fault::read("crash-loop=137"), Some(Fault::CrashLoop(137)));
        assert_eq!(
            Fault::read("slow-start=90s"),
            Some(Fault::SlowStart(Duration::from_seconds(90)))
        );
        assert_eq!(Fault::read("slow-start"), None);
        assert_eq!(
            Fault::of_image("fault.local/image-pull:2.3.1"),
            Some(Fault::ImagePull)
        );
        assert_eq!(
            Fault::of_image("fault.local/crash-loop:2"),
            Some(Fault::CrashLoop(2))
        );
        assert_eq!(Fault::of_image("registry.example.com/image-pull"), None);
    }
}
