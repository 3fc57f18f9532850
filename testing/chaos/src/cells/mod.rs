//! The cells of the capability table: a file per column takes the real thing away, asks every row over HTTP, gives it back, and looks at what became
//! of everything that was under way (P1-P3, P5, P6, P10).
//!
//! Never: a verdict on how fast (what a refusal costs is measured by `cargo xtask bench refusals`). Each claim is a promised answer, or that
//! nothing is lost, doubled or stuck afterwards. To add a row: a call in `rows.rs`, and its promise in every column. To add a column: a file and a
//! line in [`run`].

mod cold_gone;
mod disk;
mod node_dies;
mod primary_away;
mod provider_away;
mod rows;
mod scene;
mod warm_away;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use voelgoed_testkit::verdict::Verdicts;

/// Anything that is to come about does within this.
const PATIENCE: Duration = Duration::from_secs(60);

/// What it needs beside the binary.
#[derive(Debug, Args)]
pub struct Options {
    /// The configuration of HAProxy.
    #[arg(long, default_value = "deploy/haproxy/haproxy.cfg")]
    haproxy: PathBuf,
    /// Only the scenes whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
}

/// Runs the suite: scenes at the same time, the columns of a scene one after the other.
pub async fn run(binary: &Path, root: &Path, options: &Options, verdicts: &mut Verdicts) -> anyhow::Result<()> {
    let (binary, haproxy) = (binary.canonicalize()?, options.haproxy.canonicalize()?);
    let root = root.join("cells");
    std::fs::create_dir_all(&root)?;
    let root = root.canonicalize()?;
    let scenes: [(&str, _); 4] = tokio::join!(
        scene(options, "disk", async |verdicts| disk::run(&binary, &root, verdicts).await),
        scene(options, "warm and provider", async |verdicts| {
            let mut scene = scene::Scene::open(&binary, &root, "warm", false).await?;
            warm_away::run(&mut scene, verdicts).await?;
            provider_away::run(&mut scene, verdicts).await?;
            scene.afterwards(verdicts).await
        }),
        scene(options, "cold", async |verdicts| {
            let mut scene = scene::Scene::open(&binary, &root, "cold", true).await?;
            primary_away::run(&mut scene, verdicts).await?;
            cold_gone::run(&mut scene, verdicts).await?;
            scene.afterwards(verdicts).await
        }),
        scene(options, "node", async |verdicts| node_dies::run(&binary, &root, &haproxy, verdicts).await),
    )
    .into();
    for (name, (of_scene, ended)) in scenes {
        verdicts.absorb(&of_scene);
        if let Some(ended) = ended {
            verdicts.judge(&format!("{name}: the scene is carried through"), ended);
        }
    }
    Ok(())
}

/// A scene with its own verdicts, so that many can be played at once.
async fn scene<'n>(
    options: &Options,
    name: &'n str,
    play: impl AsyncFnOnce(&mut Verdicts) -> anyhow::Result<()>,
) -> (&'n str, (Verdicts, Option<anyhow::Result<()>>)) {
    let mut verdicts = Verdicts::default();
    if !name.contains(&options.only) {
        return (name, (verdicts, None));
    }
    let ended = play(&mut verdicts).await;
    (name, (verdicts, Some(ended)))
}
