//! Which comment belongs to what.
//!
//! go-yaml knows three places: *head*, the lines above something; *line*, behind it; and *foot*,
//! the lines below it before an empty line. Which one a comment is depends on empty lines and on
//! its column.

use super::{Comment, Mark, Scanner, TokenKind};

/// How far comments are looked for over blanks; go-yaml's buffer.
const LOOK_AHEAD_MAX: usize = 512;

impl Scanner<'_> {
    /// A comment behind the first `-` of a sequence becomes the head of the item below it:
    ///
    /// ```yaml
    /// - # about the item
    ///   key: value
    /// ```
    pub(super) fn move_entry_comment(&mut self) {
        let count = self.tokens.len();
        if count < 2
            || self.tokens[count - 1].kind != TokenKind::BlockEntry
            || self.tokens[count - 2].kind != TokenKind::BlockSequenceStart
            || self.is_break(0)
        {
            return;
        }
        let mark = self.mark;
        if let Some(comment) = self.comments.back_mut()
            && !comment.line.is_empty()
        {
            comment.head = std::mem::take(&mut comment.line);
            if comment.start.line + 1 == mark.line {
                comment.token = mark;
            }
        }
    }

    /// A comment on the rest of this line, which belongs to the token at `token`.
    pub(super) fn scan_line_comment(&mut self, token: Mark) {
        if self.newlines > 0 {
            return;
        }
        let rest = &self.bytes[self.mark.index..];
        let blanks = rest
            .iter()
            .take(LOOK_AHEAD_MAX)
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        if blanks == LOOK_AHEAD_MAX || rest.get(blanks) != Some(&b'#') {
            return;
        }
        self.mark.index += blanks;
        self.mark.column += blanks as u32;
        let start = self.mark;
        self.skip_comment();
        self.comments.push_back(Comment {
            token,
            start,
            line: self.slice(start.index).to_owned(),
            ..Comment::default()
        });
    }

    /// Comment lines from the `#` at the current place on, up to the next token.
    ///
    /// They are cut into groups: a group that directly follows the last content and is followed by
    /// an empty line is a foot of that content, one that stands further left than the block is a
    /// foot too, and the rest is the head of the next token.
    pub(super) fn scan_comments(&mut self, mut scan_mark: Mark) {
        let count = self.tokens.len();
        let mut token = &self.tokens[count - 1];
        if token.kind == TokenKind::FlowEntry && count > 1 {
            token = &self.tokens[count - 2];
        }
        let after_value = token.kind == TokenKind::Value;
        let mut token_mark = token.start;
        let mut start = Mark::default();
        let block_column = i64::from(self.indent.max(0));

        let mut recent_empty = false;
        let mut first_empty = self.newlines <= 1;
        let mut line = self.mark.line;
        let mut column = i64::from(self.mark.column);
        let mut text = String::new();

        // The line where a comment must start to directly follow the last content.
        let mut foot_line = -1;
        if scan_mark.line > 0 {
            foot_line = i64::from(self.mark.line) - i64::from(self.newlines) + 1;
            if self.newlines == 0 && self.mark.column > 1 {
                foot_line += 1;
            }
        }

        let mut peek = 0;
        while peek < LOOK_AHEAD_MAX {
            column += 1;
            if self.is_blank(peek) {
                peek += 1;
                continue;
            }
            let place = Mark {
                index: self.mark.index + peek,
                line,
                column: column as u32,
            };
            let at_end = self.mark.index + peek >= self.bytes.len();
            let closes_flow = self.flow_level > 0 && matches!(self.byte(peek), b']' | b'}');
            if closes_flow || self.is_break_or_end(peek) {
                if closes_flow || !recent_empty {
                    let dedented = i64::from(start.column) - 1 < block_column;
                    let follows = i64::from(start.line) == foot_line && !after_value;
                    if closes_flow || first_empty && (follows || dedented) {
                        if !text.is_empty() {
                            if dedented {
                                token_mark = start;
                            }
                            self.comments.push_back(Comment {
                                scan: scan_mark,
                                token: token_mark,
                                start,
                                end: place,
                                foot: std::mem::take(&mut text),
                                ..Comment::default()
                            });
                            scan_mark = place;
                            token_mark = place;
                        }
                    } else if !text.is_empty() && !at_end {
                        text.push('\n');
                    }
                }
                if !self.is_break(peek) {
                    break;
                }
                first_empty = false;
                recent_empty = true;
                column = 0;
                line += 1;
                peek += 1;
                continue;
            }
            if !text.is_empty() && column - 1 < block_column && column != i64::from(start.column) {
                // Another indentation: the lines so far are about the content before.
                self.comments.push_back(Comment {
                    scan: scan_mark,
                    token: token_mark,
                    start,
                    end: place,
                    foot: std::mem::take(&mut text),
                    ..Comment::default()
                });
                scan_mark = place;
                token_mark = place;
            }
            if self.byte(peek) != b'#' {
                break;
            }
            if text.is_empty() {
                start = place;
            } else {
                text.push('\n');
            }
            recent_empty = false;

            while self.mark.index < place.index {
                if self.is_break(0) {
                    self.skip_line();
                } else {
                    self.skip();
                }
            }
            let from = self.mark.index;
            self.skip_comment();
            text.push_str(self.slice(from));

            // Go on behind the line break. Of a CRLF only one byte is stepped over, so that the
            // other one looks like an empty line; go-yaml does so, too.
            peek = 1;
            column = 0;
            line = self.mark.line;
        }

        if !text.is_empty() {
            self.comments.push_back(Comment {
                scan: scan_mark,
                token: start,
                start,
                end: Mark {
                    index: (self.mark.index + peek).saturating_sub(1),
                    line,
                    column: column as u32,
                },
                head: text,
                ..Comment::default()
            });
        }
    }
}
