//! The only reader of remotes: sources become revisions, trees and artifacts.
