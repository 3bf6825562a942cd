//! Processes that end with the test, and waiting for what they do.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// A process that is killed when dropped; what it says goes to a file beside its data.
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command`; its output goes to `log`.
    pub fn start(command: &mut Command, log: &Path) -> Self {
        let out = File::create(log).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        Self {
            child,
            log: log.to_owned(),
        }
    }

    /// Kills it as a power failure would.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// What it has said.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let log = self.log();
            let from = log.len().saturating_sub(4_000);
            let from = (from..log.len()).find(|at| log.is_char_boundary(*at));
            eprintln!(
                "--- end of {} ---\n{}",
                self.log.display(),
                &log[from.unwrap_or(0)..]
            );
        }
    }
}

/// The binary under test, with a home of its own and no settings from outside.
pub fn fleetwright(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fleetwright"));
    hermetic(&mut command, home);
    command
}

/// Takes the environment away, but for what every program needs.
pub fn hermetic(command: &mut Command, home: &Path) {
    command
        .env_clear()
        .env("HOME", home)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .current_dir(home);
}

/// Runs a command to its end and gives its standard output.
pub fn run(command: &mut Command) -> String {
    let output = output(command);
    assert!(
        output.status.success(),
        "{command:?} ended with {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a command to its end.
pub fn output(command: &mut Command) -> Output {
    command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"))
}

/// Waits until `probe` gives something, and says what was waited for when it does not.
pub fn eventually<T>(what: &str, longest: Duration, mut probe: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + longest;
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(Instant::now() < until, "waited {longest:?} for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A port that is free now, below those that the system gives to whoever asks for any.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Where the search begins differs between processes, so that two runs rarely meet.
    let start = u16::try_from(std::process::id() % 1_000).unwrap() * 10;
    let free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    std::iter::repeat_with(|| NEXT.fetch_add(1, Ordering::Relaxed))
        .map(|number| 20_000 + start.wrapping_add(number) % 12_000)
        .take(12_000)
        .find(free)
        .expect("there is a free port")
}
