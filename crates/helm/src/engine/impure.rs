//! What a render depends on besides chart and values.

use diag::Span;
use gotemplate::{ImpureCall, Mentioned};

use super::{FUNCTIONS, Program};
use crate::manifest::Files;

/// What executing a chart's templates gave.
#[derive(Clone, Debug, Default)]
pub struct Executed {
    /// The texts by path, from the outermost chart's name on.
    pub files: Files,
    /// Calls whose results do not depend on their arguments alone, by place. When there are none, equal
    /// charts, values and options give equal bytes in every world.
    pub impure: Vec<ImpureCall>,
}

impl Program {
    /// Where the templates of a chart call functions whose results never depend on their arguments
    /// alone; the chart by its path from the outermost chart's name on.
    pub fn impure_calls(&self, chart: &str) -> Vec<(String, Span)> {
        let folder = format!("{chart}/templates/");
        let mentions = self.set.mentions().into_iter();
        let mentions = mentions.filter(|mention| mention.file.to_text().starts_with(&folder));
        let calls = mentions.filter_map(|mention| {
            let Mentioned::Function(name) = mention.what else {
                return None;
            };
            let at = Span {
                column: mention.column as u32 + 1,
                ..Span::line(mention.file.to_text(), mention.line as u32)
            };
            FUNCTIONS.is_impure(name).then(|| (name.to_owned(), at))
        });
        calls.collect()
    }
}
