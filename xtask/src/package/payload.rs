//! Prepares what both kinds of package contain: the stripped binary, completions, man pages, and the licenses of its libraries.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use super::tree::Tree;
use super::{source_date_epoch, third_party};
use crate::child_process::{capture, run_checked_quietly};
use crate::task_context::TaskContext;

/// The prepared files.
pub struct Payload {
    /// The version that the binary states.
    pub version: String,
    /// Seconds since 1970 that date every file.
    pub epoch: String,
    /// The stripped binary.
    pub binary: PathBuf,
    /// Name and content of each man page, uncompressed.
    pub man_pages: Vec<(String, String)>,
    /// Names, versions and licenses of the libraries in the binary.
    pub third_party_licenses: String,
    /// Completions for bash.
    pub bash: String,
    /// Completions for zsh.
    pub zsh: String,
    /// Completions for fish.
    pub fish: String,
}

impl Payload {
    /// Prepares the files of `binary`; the stripped copy is written to `directory`.
    pub fn build(context: &TaskContext, binary: &Path, directory: &Path) -> anyhow::Result<Self> {
        let run = |arguments: &[&str]| capture(Command::new(binary).args(arguments));
        let version = run(&["--version"])?;
        let version = version.trim().strip_prefix("voelgoed ").context("the binary's version begins with its name")?;
        let epoch = source_date_epoch(&context.root)?;
        let tree = Tree::create(directory.to_path_buf())?;
        tree.copy_program(binary, "voelgoed")?;
        let stripped = tree.root().join("voelgoed");
        run_checked_quietly(Command::new("strip").arg(&stripped))?;
        Ok(Self {
            version: version.to_owned(),
            man_pages: man_pages(&stripped, version, &epoch)?,
            third_party_licenses: third_party::licenses(&context.root)?,
            bash: run(&["completions", "bash"])?,
            zsh: run(&["completions", "zsh"])?,
            fish: run(&["completions", "fish"])?,
            binary: stripped,
            epoch,
        })
    }
}

/// A page for the program and one per command, which help2man makes of their help texts.
fn man_pages(binary: &Path, version: &str, epoch: &str) -> anyhow::Result<Vec<(String, String)>> {
    let help = capture(Command::new(binary).arg("-h"))?;
    let mut pages = vec![("voelgoed.1".to_owned(), man_page(binary, "", "ticketing platform", version, epoch)?)];
    for (command, about) in commands(&help) {
        pages.push((format!("voelgoed-{command}.1"), man_page(binary, command, about, version, epoch)?));
    }
    if pages.len() == 1 {
        bail!("no commands were found in the help text of {}", binary.display());
    }
    Ok(pages)
}

fn man_page(binary: &Path, command: &str, about: &str, version: &str, epoch: &str) -> anyhow::Result<String> {
    let mut help2man = Command::new("help2man");
    help2man.env("SOURCE_DATE_EPOCH", epoch).env("LC_ALL", "C.UTF-8");
    // The short help has each option's values on one line; help2man would run their list together.
    help2man.args(["--no-info", "--section=1", "--manual=Voelgoed", "--help-option=-h"]);
    help2man.arg(format!("--name={about}")).arg(format!("--version-string={version}"));
    let page = capture(help2man.arg(format!("{} {command}", binary.display()).trim_end()))?;
    Ok(if command.is_empty() { page } else { with_name_of_one_word(&page, command) })
}

/// Writes the name of a command's page as one word, by which `man` and `apropos` find it.
fn with_name_of_one_word(page: &str, command: &str) -> String {
    let named = |line: &str| match line.strip_prefix(".TH ").and_then(|title| title.split_once(" \"1\" ")) {
        Some((_, rest)) => format!(".TH VOELGOED-{} \"1\" {rest}\n", command.to_uppercase()),
        None => line.replace(&format!("voelgoed {command} \\-"), &format!("voelgoed-{command} \\-")) + "\n",
    };
    page.lines().map(named).collect()
}

/// Name and description of each command in a help text.
fn commands(help: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| line.starts_with("  "));
    let named = lines.filter_map(|line| line.trim().split_once(' '));
    named.filter(|(name, _)| *name != "help").map(|(name, about)| (name, about.trim()))
}

#[cfg(test)]
mod tests {
    use super::{commands, with_name_of_one_word};

    #[test]
    fn commands_are_read_from_a_help_text_without_help_and_options() {
        let help = "About\n\nUsage: a\n\nCommands:\n  serve          Serve it\n  import-layout  Import it: all\n  help  \
                    Print\n\nOptions:\n  -h, --help  Print help\n";
        let found: Vec<_> = commands(help).collect();
        assert_eq!(found, [("serve", "Serve it"), ("import-layout", "Import it: all")]);
    }

    #[test]
    fn page_of_a_command_has_a_name_of_one_word() {
        for title in ["VOELGOED", "VOELGOED IMPORT-LAYOUT"] {
            let page = format!(".TH {title} \"1\" \"May\"\n.SH NAME\nvoelgoed import-layout \\- Import\n.B voelgoed\n");
            let expected =
                ".TH VOELGOED-IMPORT-LAYOUT \"1\" \"May\"\n.SH NAME\nvoelgoed-import-layout \\- Import\n.B voelgoed\n";
            assert_eq!(with_name_of_one_word(&page, "import-layout"), expected);
        }
    }
}
