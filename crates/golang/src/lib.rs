//! Go's rules for text that users see: durations, times, regular expressions, versions, number formatting.
