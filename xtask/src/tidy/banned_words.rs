//! Refuses words of the project's old dialect in identifiers, comments and documents, and names the plain word for each.
//!
//! String literals of Rust, Lua and JS are not checked: setting names, keys and message texts live there.
//! To add a word: a line in [`WORDS`]. Only words that are nearly always wrong belong there; a valid use is a line in [`EXCEPTIONS`].

use super::comments::{self, Syntax};
use super::source_file::SourceFile;
use super::workspace::Workspace;
use super::{Finding, Rule};

/// Where a word is refused; each scope includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Scope {
    /// Identifiers of Rust, Lua, JS and CSS.
    Identifiers,
    /// Their comments.
    Comments,
    /// Markdown in docs/ and in the root.
    Documents,
    /// The text of HTML pages.
    Pages,
}
use Scope::{Comments, Documents, Identifiers, Pages};

/// Refused words or phrases in lower case, their scope, and the plain words. `turned away` matches `turned_away` and `TurnedAway` too.
const WORDS: &[(&str, Scope, &str)] = &[
    ("told", Documents, "acknowledged, notified, published or rendered"),
    ("untold", Documents, "pending or unpublished"),
    ("tell", Comments, "notify, publish, report or distinguish"),
    ("tells", Documents, "notifies, publishes, states or distinguishes"),
    ("hear", Documents, "receive, read or subscribe"),
    ("hears", Documents, "receives, reads or subscribes"),
    ("heard", Documents, "received, notified or acknowledged"),
    ("hearsay", Documents, "invalidation or cluster message"),
    ("bulletin", Documents, "cluster bus"),
    ("courier", Documents, "webhook sender"),
    ("clerk", Documents, "capture scheduler"),
    ("anew", Documents, "again, new or created"),
    ("whoever", Documents, "the client, the node or the caller: name the subject"),
    ("whomever", Documents, "the client, the node or the caller: name the subject"),
    ("nobody", Comments, "no caller, no client, nothing: name the subject"),
    ("anybody", Comments, "any caller, any client: name the subject"),
    ("turned away", Pages, "refused or rejected"),
    ("turns away", Pages, "refuses or rejects"),
    ("is away", Pages, "is unavailable"),
    ("are away", Pages, "are unavailable"),
    ("was away", Pages, "was unavailable"),
    ("were away", Pages, "were unavailable"),
    ("be away", Pages, "be unavailable"),
    ("away", Identifiers, "unavailable"),
    ("usual", Identifiers, "default"),
    ("weather", Identifiers, "fault"),
    ("dice", Identifiers, "a seeded random number generator"),
    ("bell", Identifiers, "wakeup"),
    ("pulse", Identifiers, "probe"),
    ("lesson", Comments, "payment observation or update"),
    ("lessons", Comments, "payment observations or updates"),
    ("learn", Comments, "observe, apply or read"),
    ("learns", Comments, "observes, applies or reads"),
    ("learned", Comments, "observed, applied or read"),
    ("learnt", Comments, "observed, applied or read"),
    ("announce", Identifiers, "heartbeat, register, notify or publish"),
    ("announced", Identifiers, "registered, notified or published"),
    ("cut short", Identifiers, "cancel_requested"),
    ("carry out", Identifiers, "execute"),
    ("take over", Identifiers, "reclaim"),
    ("taken over", Identifiers, "reclaimed"),
    ("allot", Comments, "allocate"),
    ("kept scans", Identifiers, "offline scan journal"),
    ("tenant shares", Identifiers, "tenant bulkheads"),
    ("episode", Identifiers, "outage"),
    ("house", Comments, "workspace"),
    ("law", Comments, "rule"),
    ("laws", Comments, "rules"),
    ("lawful", Comments, "valid or allowed"),
    ("key guesses", Identifiers, "failed authentications"),
    ("wired", Identifiers, "runtime"),
    ("scene", Identifiers, "fixture"),
    ("comes by", Comments, "name the path, such as: calls that do not pass this layer"),
    ("come by", Comments, "name the path, such as: calls that do not pass this layer"),
    ("what is over", Comments, "expired or finished rows"),
    ("at most so", Comments, "state the limit: at most N …"),
    ("is asked", Comments, "is called, is queried or is checked"),
    ("are asked", Comments, "are called, are queried or are checked"),
    ("stands in", Comments, "is in, is listed in or is stored in"),
    ("stands at", Comments, "is at"),
];

/// Valid uses, as (file, word, reason). A file is covered as a whole.
const EXCEPTIONS: &[(&str, &str, &str)] = &[];

/// The rule's own table spells the words.
const SKIPPED: &str = "xtask/src/tidy/banned_words.rs";
/// Its released sections are history; only the part above the first of them is checked.
const CHANGELOG: &str = "CHANGELOG.md";

pub struct BannedWordsRule;

impl Rule for BannedWordsRule {
    fn name(&self) -> &'static str {
        "banned-words"
    }

    fn check(&self, workspace: &Workspace) -> Vec<Finding> {
        check_with(EXCEPTIONS, workspace)
    }
}

fn check_with(exceptions: &[(&str, &str, &str)], workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut used = Vec::new();
    for file in workspace.files.iter().filter(|file| file.path != SKIPPED) {
        for text in texts(file) {
            for (banned, plain) in banned(&text) {
                let exception = exceptions.iter().position(|(path, word, _)| file.path == *path && *word == banned);
                let place = if text.scope == Identifiers { "identifier" } else { "text" };
                match exception {
                    Some(exception) => used.push(exception),
                    None => findings.push(Finding::new(&file.path, text.line, format!("`{banned}` in {place}"), plain)),
                }
            }
        }
    }
    findings.dedup();
    let unused = exceptions.iter().enumerate().filter(|(index, _)| !used.contains(index));
    findings.extend(unused.map(|(_, (path, word, _))| {
        Finding::new(SKIPPED, 1, format!("the exception for `{word}` in {path} is not used"), "delete it")
    }));
    findings
}

/// The refused words in a text with their plain words; of `turned away` and `away` only the longer one.
fn banned(text: &Text) -> Vec<(&'static str, &'static str)> {
    let found = WORDS.iter().filter(|(word, reach, _)| text.scope <= *reach && contains(&text.words, word));
    let found: Vec<_> = found.map(|(word, _, plain)| (*word, *plain)).collect();
    let is_part = |word: &str| found.iter().any(|(other, _)| *other != word && contains(&words(other), word));
    found.iter().filter(|(word, _)| !is_part(word)).copied().collect()
}

/// A piece of text to check: a comment line, an identifier, a line of a document.
struct Text {
    line: usize,
    scope: Scope,
    words: Vec<String>,
}

/// The texts of a file that are in the reach of this rule.
fn texts(file: &SourceFile) -> Vec<Text> {
    let is_web = file.path.starts_with("crates/web/");
    match file.path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("rs") => source(file, comments::RUST),
        Some("lua") => source(file, comments::LUA),
        Some("js") if is_web => source(file, comments::JAVASCRIPT),
        Some("css") if is_web => source(file, comments::CSS),
        Some("html") if is_web => lines(&file.text, Pages),
        Some("md") if file.path.starts_with("docs/") || !file.path.contains('/') => {
            lines(if file.path == CHANGELOG { unreleased(&file.text) } else { &file.text }, Documents)
        }
        _ => Vec::new(),
    }
}

fn source(file: &SourceFile, syntax: Syntax) -> Vec<Text> {
    let mut found = Vec::new();
    for line in comments::split(&file.text, syntax) {
        found.push(Text { line: line.number, scope: Comments, words: words(&line.comment) });
        let names = line.code.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
        let names = names.filter(|name| !name.is_empty());
        found.extend(names.map(|name| Text { line: line.number, scope: Identifiers, words: words(name) }));
    }
    found
}

fn lines(text: &str, scope: Scope) -> Vec<Text> {
    let lines = text.lines().enumerate();
    lines.map(|(index, line)| Text { line: index + 1, scope, words: words(line) }).collect()
}

/// The changelog up to its first released section, which begins with `## [1.2.3]` or `## 1.2.3`.
fn unreleased(text: &str) -> &str {
    let is_release = |line: &str| {
        line.strip_prefix("## ")
            .is_some_and(|head| head.trim_start_matches('[').starts_with(|first: char| first.is_ascii_digit()))
    };
    let end: usize = text.split_inclusive('\n').take_while(|line| !is_release(line)).map(str::len).sum();
    &text[..end]
}

/// The words of a text or identifier in lower case: `LastTold`, `last_told` and `last told` are the same two words.
fn words(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut previous = ' ';
    for letter in text.chars() {
        if letter.is_alphanumeric() {
            let begins = !previous.is_alphanumeric() || (letter.is_uppercase() && previous.is_lowercase());
            match found.last_mut() {
                Some(word) if !begins => word.extend(letter.to_lowercase()),
                _ => found.push(letter.to_lowercase().collect()),
            }
        }
        previous = letter;
    }
    found
}

/// True if the words of `phrase` follow each other in `words`.
fn contains(words: &[String], phrase: &str) -> bool {
    let wanted: Vec<&str> = phrase.split(' ').collect();
    words.windows(wanted.len()).any(|window| window.iter().zip(&wanted).all(|(word, wanted)| word == wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<(usize, String)> {
        let findings = check_with(&[], &Workspace::of(&[(path, text)]));
        findings.into_iter().map(|finding| (finding.line, finding.message)).collect()
    }

    #[test]
    fn identifiers_are_split_into_words_in_every_spelling() {
        for (source, expected) in [
            ("fn last_told() {}", vec!["`told` in identifier"]),
            ("struct LastTold;", vec!["`told` in identifier"]),
            ("const LAST_TOLD: u8 = 1;", vec!["`told` in identifier"]),
            ("fn turned_away() {}", vec!["`turned away` in identifier"]),
            ("fn retold() { let bellow = 1; }", vec![]),
            ("let turned = away;", vec!["`away` in identifier"]),
        ] {
            let messages: Vec<_> = found("crates/a/src/lib.rs", source).into_iter().map(|(_, text)| text).collect();
            assert_eq!(messages, expected, "{source}");
        }
    }

    #[test]
    fn comments_are_checked_and_strings_are_not() {
        let source = "//! One.\n/// The node hears of it.\nconst A: &str = \"told\"; // Redis is away.";
        let expected = [(2, "`hears` in text".to_owned()), (3, "`is away` in text".to_owned())];
        assert_eq!(found("crates/a/src/lib.rs", source), expected);
        assert_eq!(found("crates/a/lua/a.lua", "local a = 'told' -- told"), [(1, "`told` in text".to_owned())]);
    }

    #[test]
    fn each_scope_has_its_files() {
        for (path, text, findings) in [
            ("docs/a.md", "A node hears of it.", 1),
            ("README.md", "A node hears of it.", 1),
            ("testing/a/README.md", "A node hears of it.", 0),
            ("docs/a.md", "The front of the house. Tell a friend.", 0),
            ("crates/web/templates/a.html", "<p>You were told.</p>", 0),
            ("crates/web/templates/a.html", "<p>You were turned away.</p>", 1),
            ("crates/web/assets/a.js", "function told() { return 'told'; }", 1),
            ("crates/web/assets/a.css", ".told { color: red }", 1),
            ("Cargo.toml", "# told", 0),
        ] {
            assert_eq!(found(path, text).len(), findings, "{path}: {text}");
        }
    }

    #[test]
    fn released_sections_of_the_changelog_are_history() {
        let text = "# Changelog\n## [Unreleased]\n- Told.\n## [1.0.0] - 2025-01-01\n- Told.\n";
        assert_eq!(found(CHANGELOG, text), [(3, "`told` in text".to_owned())]);
    }

    #[test]
    fn exception_covers_one_word_in_one_file_and_must_be_used() {
        let workspace = Workspace::of(&[("a.rs", "// told, anew"), ("b.rs", "// told")]);
        let exceptions = [("a.rs", "told", "quotes a text"), ("a.rs", "hears", "quotes a text")];
        let places: Vec<_> =
            check_with(&exceptions, &workspace).into_iter().map(|finding| (finding.file, finding.message)).collect();
        assert_eq!(places.len(), 3, "{places:?}");
        assert_eq!(places[0], ("a.rs".to_owned(), "`anew` in text".to_owned()));
        assert_eq!(places[1], ("b.rs".to_owned(), "`told` in text".to_owned()));
        assert_eq!(places[2].0, SKIPPED);
    }

    #[test]
    fn words_are_lower_case_and_distinct_and_exceptions_have_reasons() {
        let mut words: Vec<_> = WORDS.iter().map(|(word, ..)| *word).collect();
        assert!(words.iter().all(|word| word.chars().all(|letter| letter.is_ascii_lowercase() || letter == ' ')));
        words.sort_unstable();
        assert!(words.is_sorted_by(|a, b| a < b), "a word is listed twice");
        assert!(EXCEPTIONS.iter().all(|(_, word, reason)| reason.len() > 10 && words.contains(word)));
    }
}
