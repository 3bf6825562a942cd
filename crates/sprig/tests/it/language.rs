//! Calls one after the other, with variables between them.

use gotemplate::{CallError, Functions, Map, Value};

use super::recording::{Fixed, evaluate};

/// Functions, and the variables that calls have set.
pub struct Session {
    functions: Functions,
    variables: Map,
}

impl Session {
    pub fn new() -> Self {
        Self {
            functions: sprig::functions(),
            variables: Map::default(),
        }
    }

    /// Gives a variable a value.
    pub fn set(&mut self, name: &str, value: Value) {
        self.variables.insert(name, value);
    }

    /// The value of the last of the statements, which ` ;; ` separates.
    pub fn run(&mut self, text: &str) -> Result<Value, CallError> {
        let mut template = String::new();
        for name in self.variables.entries().keys() {
            let name = name.to_text();
            template.push_str(&format!("{{{{ ${name} := .{name} }}}}"));
        }
        let mut names = Vec::new();
        for statement in text.split(" ;; ") {
            let name = match statement.split_once(" := ") {
                Some((name, _)) => {
                    template.push_str(&format!("{{{{ {statement} }}}}{{{{ keep {name} }}}}"));
                    name.strip_prefix('$')
                }
                None => {
                    template.push_str(&format!("{{{{ keep ({statement}) }}}}"));
                    None
                }
            };
            names.push(name);
        }
        let dot = Value::Map(self.variables.clone());
        let (kept, done) = evaluate(&self.functions, &Fixed::default(), &template, &dot);
        for (name, value) in names.iter().zip(&kept) {
            if let Some(name) = name {
                self.set(name, value.clone());
            }
        }
        done.map(|()| kept.last().cloned().unwrap_or_default())
    }
}
