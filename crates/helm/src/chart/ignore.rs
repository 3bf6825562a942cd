//! `.helmignore`: which files of a folder are no part of the chart.
//!
//! # Source
//! helm/helm `pkg/ignore/rules.go`.

use golang::glob::PathPattern;

/// Most rules of a file; each is tried on each path.
const RULES_MAX: usize = 10_000;

/// The rules of one file, with the one that always applies: no hidden files right in `templates/`.
#[derive(Debug, Default)]
pub(super) struct Rules(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    /// `None` matches nothing.
    pattern: Option<PathPattern>,
    /// Matches are let through to later rules, and everything else is ignored.
    negated: bool,
    directories_only: bool,
    /// Against the whole path instead of the last name.
    whole_path: bool,
}

impl Rules {
    /// Reads the rules of a `.helmignore`.
    ///
    /// # Errors
    /// The reference's message for a pattern that it refuses.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rules = Self::default();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for line in text.lines() {
            rules.add(line)?;
            if rules.0.len() > RULES_MAX {
                return Err(format!("more than {RULES_MAX} rules"));
            }
        }
        rules.add_default();
        Ok(rules)
    }

    /// The rules of a folder without a file of them.
    pub fn none() -> Self {
        let mut rules = Self::default();
        rules.add_default();
        rules
    }

    fn add_default(&mut self) {
        self.0.push(Rule {
            pattern: PathPattern::new("templates/.?*").ok(),
            negated: false,
            directories_only: false,
            whole_path: true,
        });
    }

    fn add(&mut self, line: &str) -> Result<(), String> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if line.contains("**") {
            return Err("double-star (**) syntax is not supported".to_owned());
        }
        PathPattern::new(line).map_err(|error| error.to_string())?;
        let (negated, rest) = match line.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        let (directories_only, rest) = match rest.strip_suffix('/') {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        self.0.push(Rule {
            pattern: PathPattern::new(rest.strip_prefix('/').unwrap_or(rest)).ok(),
            negated,
            directories_only,
            whole_path: rest.contains('/'),
        });
        Ok(())
    }

    /// Whether `path`, counted from the chart's folder, is ignored.
    pub fn ignores(&self, path: &str, is_directory: bool) -> bool {
        for rule in &self.0 {
            let pattern = rule.pattern.as_ref();
            let pattern = pattern.filter(|_| !rule.directories_only || is_directory);
            let name = match rule.whole_path {
                true => path,
                false => path.rsplit('/').next().unwrap_or(path),
            };
            let matched = pattern.is_some_and(|pattern| pattern.matches(name));
            if matched != rule.negated {
                return true;
            }
        }
        false
    }
}
