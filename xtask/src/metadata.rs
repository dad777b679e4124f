//! What `cargo metadata` says about the workspace and all it resolves to, reduced to what the checks ask.

use crate::{command, repository};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

#[derive(Default)]
pub struct Metadata {
    /// By the id that the graph uses.
    pub packages: BTreeMap<String, Package>,
    /// Ids of our own crates, as the root manifest lists them.
    pub members: Vec<String>,
    /// Normal and build dependencies as resolved for this machine with all features on.
    pub graph: BTreeMap<String, Vec<String>>,
}

#[derive(Clone, Default)]
pub struct Package {
    pub name: String,
    pub version: String,
    pub description: String,
    /// Why it is a crate of its own.
    pub reason: Option<String>,
    pub rust_version: Option<String>,
    pub published: bool,
    pub manifest: PathBuf,
    pub features: Vec<String>,
    pub dependencies: Vec<Dependency>,
}

/// A dependency as the manifest declares it.
#[derive(Clone)]
pub struct Dependency {
    pub name: String,
    pub kind: Kind,
    pub optional: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Normal,
    Build,
    Dev,
}

impl Metadata {
    pub fn load() -> Result<Self, String> {
        let mut cargo = command::cargo();
        cargo.current_dir(repository::root());
        cargo.args(["metadata", "--format-version", "1", "--all-features", "--filter-platform"]);
        cargo.arg(host()?);
        let mut metadata = Self::read(&command::capture(&mut cargo)?)?;
        metadata.sort_members(&repository::read(&repository::root().join("Cargo.toml"))?);
        Ok(metadata)
    }

    /// Cargo lists members as it comes upon them; readers want the root manifest's order.
    fn sort_members(&mut self, manifest: &str) {
        let packages = &self.packages;
        self.members.sort_by_key(|id| {
            let folder = packages.get(id).and_then(|package| package.manifest.parent());
            let name = folder.and_then(|folder| folder.file_name()).unwrap_or_default();
            manifest.find(&format!("{}\",", name.to_string_lossy()))
        });
    }

    fn read(text: &str) -> Result<Self, String> {
        let json: Value =
            serde_json::from_str(text).map_err(|error| format!("cargo metadata: {error}"))?;
        let mut metadata = Self::default();
        for package in each(&json["packages"]) {
            metadata.packages.insert(string(&package["id"]), read_package(package));
        }
        metadata.members = each(&json["workspace_members"]).map(string).collect();
        for node in each(&json["resolve"]["nodes"]) {
            let kept = each(&node["deps"]).filter(|dep| {
                each(&dep["dep_kinds"]).any(|kind| read_kind(&kind["kind"]) != Kind::Dev)
            });
            let to = kept.map(|dep| string(&dep["pkg"])).collect();
            metadata.graph.insert(string(&node["id"]), to);
        }
        Ok(metadata)
    }

    /// Our crates in the order of the root manifest.
    pub fn ours(&self) -> impl Iterator<Item = &Package> {
        self.members.iter().filter_map(|id| self.packages.get(id))
    }

    pub fn published(&self) -> impl Iterator<Item = &Package> {
        self.ours().filter(|package| package.published)
    }

    /// All packages that the published crates bring to a user, themselves included, with the id of each.
    pub fn shipped(&self) -> Vec<(&str, &Package)> {
        let is_published =
            |id: &&String| self.packages.get(*id).is_some_and(|package| package.published);
        let mut reached: BTreeSet<&str> = BTreeSet::new();
        let mut next: Vec<&str> =
            self.members.iter().filter(is_published).map(String::as_str).collect();
        while let Some(id) = next.pop() {
            if reached.insert(id) {
                next.extend(self.graph.get(id).into_iter().flatten().map(String::as_str));
            }
        }
        reached.into_iter().filter_map(|id| Some((id, self.packages.get(id)?))).collect()
    }
}

/// The platform that this machine compiles for.
pub fn host() -> Result<String, String> {
    let said = command::capture(std::process::Command::new("rustc").arg("-vV"))?;
    let line = said.lines().find_map(|line| line.strip_prefix("host: "));
    line.map(str::to_string).ok_or_else(|| "rustc -vV names no host".into())
}

fn read_package(json: &Value) -> Package {
    let dependency = |json: &Value| Dependency {
        name: string(&json["name"]),
        kind: read_kind(&json["kind"]),
        optional: json["optional"].as_bool().unwrap_or(false),
    };
    Package {
        name: string(&json["name"]),
        version: string(&json["version"]),
        description: string(&json["description"]),
        reason: json["metadata"]["messaging-auth"]["reason"].as_str().map(str::to_string),
        rust_version: json["rust_version"].as_str().map(str::to_string),
        published: json["publish"].is_null(),
        manifest: PathBuf::from(string(&json["manifest_path"])),
        features: json["features"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name.clone())
            .collect(),
        dependencies: each(&json["dependencies"]).map(dependency).collect(),
    }
}

fn read_kind(json: &Value) -> Kind {
    match json.as_str() {
        Some("dev") => Kind::Dev,
        Some("build") => Kind::Build,
        _ => Kind::Normal,
    }
}

fn each(json: &Value) -> impl Iterator<Item = &Value> {
    json.as_array().into_iter().flatten()
}

fn string(json: &Value) -> String {
    json.as_str().unwrap_or_default().to_string()
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A package for the tests of checks: published, ours, without dependencies.
    pub fn package(name: &str) -> Package {
        Package {
            name: name.into(),
            version: "1.0.0".into(),
            published: true,
            ..Package::default()
        }
    }

    /// A workspace of these crates; the id of each is its name and version.
    pub fn workspace(packages: Vec<Package>) -> Metadata {
        let mut metadata = Metadata::default();
        for package in packages {
            let id = format!("{}@{}", package.name, package.version);
            metadata.members.push(id.clone());
            metadata.packages.insert(id, package);
        }
        metadata
    }

    pub fn dependency(name: &str, kind: Kind) -> Dependency {
        Dependency { name: name.into(), kind, optional: false }
    }

    #[test]
    fn members_stand_in_the_order_of_the_root_manifest() {
        let mut a = package("a");
        a.manifest = "somewhere/crates/a/Cargo.toml".into();
        let mut b = package("b");
        b.manifest = "somewhere/b/Cargo.toml".into();
        let mut metadata = workspace(vec![a, b]);
        metadata.sort_members("members = [\n \"b\",\n \"crates/a\", # first\n]");
        assert_eq!(metadata.members, ["b@1.0.0", "a@1.0.0"]);
    }

    #[test]
    fn reads_kinds_optional_dependencies_and_what_is_published() {
        let metadata = Metadata::read(
            r#"{"packages": [
                {"id": "a", "name": "a", "publish": null, "features": {"x": []}, "dependencies": [
                    {"name": "b", "kind": null, "optional": true}, {"name": "c", "kind": "dev"}]},
                {"id": "b", "name": "b", "source": "registry", "dependencies": []},
                {"id": "c", "name": "c", "source": "registry", "dependencies": []},
                {"id": "t", "name": "t", "publish": [], "dependencies": []}],
              "workspace_members": ["a", "t"],
              "resolve": {"nodes": [{"id": "a", "deps": [
                {"pkg": "b", "dep_kinds": [{"kind": null}]}, {"pkg": "c", "dep_kinds": [{"kind": "dev"}]}]}]}}"#,
        )
        .unwrap();
        let a = &metadata.packages["a"];
        assert!(a.dependencies[0].optional);
        assert_eq!(a.dependencies[1].kind, Kind::Dev);
        assert_eq!(a.features, ["x"]);
        assert_eq!(
            metadata.published().map(|package| package.name.as_str()).collect::<Vec<_>>(),
            ["a"]
        );
        assert_eq!(
            metadata.shipped().into_iter().map(|(id, _)| id).collect::<Vec<_>>(),
            ["a", "b"]
        );
    }
}
