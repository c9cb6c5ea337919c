//! The justfile's recipes with the Python project's names, and the scripts below them.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::place::{Done, Place, done};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn script(place: &Place, name: &str, arguments: &[&str]) -> Done {
    let mut command = place.command();
    let settings: Vec<_> =
        command.get_envs().map(|(name, value)| (name.to_owned(), value.map(ToOwned::to_owned))).collect();
    command = Command::new(root().join("scripts").join(name));
    command.args(arguments).env_clear().env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
    command.envs(settings.into_iter().filter_map(|(name, value)| Some((name, value?))));
    command.env("AUTH_SERVER", env!("CARGO_BIN_EXE_auth-server")).env("BACKUP_PARENT", place.path());
    command.env("BASE_DOMAIN", "example.com").env("MCP_SERVICES", "time,fetch=http://127.0.0.1:1");
    done(command.output().unwrap())
}

#[test]
fn the_python_projects_recipes_are_there() {
    let justfile = fs::read_to_string(root().join("justfile")).unwrap();
    for name in "oauth-list-registrations oauth-list-tokens oauth-delete-registration oauth-delete-token \
        oauth-delete-client-complete oauth-delete-all-registrations oauth-delete-all-tokens oauth-stats oauth-show-all \
        oauth-purge-expired oauth-purge-expired-dry oauth-backup oauth-backup-list oauth-restore oauth-restore-file \
        oauth-restore-dry oauth-restore-clear mcp-client-token create-mcp-config check-ssl"
        .split_whitespace()
    {
        let is_it = |line: &str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([':', ' ']));
        assert!(justfile.lines().any(is_it), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_made_listed_and_restored_by_script() {
    for place in Place::both().await {
        assert_eq!(script(&place, "oauth-backup", &["restore", "latest"]).code, 1, "there is none yet");
        let made = script(&place, "oauth-backup", &["make"]);
        assert_eq!(made.code, 0, "{made:?}");
        let file = place.path().join(made.out.trim());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(script(&place, "oauth-backup", &["list"]).out.contains(made.out.trim()));

        assert_eq!(script(&place, "admin", &["clients", "delete", "client_1"]).code, 0);
        let dry = script(&place, "oauth-backup", &["restore", "latest", "--dry-run"]);
        assert!(dry.code == 0 && dry.out.contains("would be written"), "{dry:?}");
        assert_eq!(place.run(&["clients", "show", "client_1"]).code, 1);
        let name = file.file_name().unwrap().to_str().unwrap();
        assert_eq!(script(&place, "oauth-backup", &["restore", name]).code, 0);
        assert_eq!(place.run(&["clients", "show", "client_1"]).code, 0);
        assert_eq!(
            script(&place, "oauth-backup", &["restore", "latest", "--clear"]).code,
            64,
            "it asks, and nobody is there"
        );
        assert_eq!(script(&place, "oauth-backup", &["restore", "latest", "--clear", "--yes"]).code, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_are_told_of_every_service() {
    let [place, _] = Place::both().await;
    let file = place.path().join("mcp-config.json").to_string_lossy().into_owned();
    assert_eq!(script(&place, "create-mcp-config", &[&file]).code, 0);
    let config: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(config["mcpServers"]["time"]["url"], "https://time.example.com/mcp");
    assert_eq!(config["mcpServers"]["fetch"]["url"], "https://fetch.example.com/mcp");
    assert!(config["mcpServers"]["time"].get("headers").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_reads_standard_input() {
    let [from, to] = Place::both().await;
    let backup = from.says(&["backup", "-"]);
    to.says(&["clients", "delete", "client_1"]);
    let mut restore = to.command();
    let mut running = restore.args(["restore", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    running.stdin.take().unwrap().write_all(backup.as_bytes()).unwrap();
    assert!(running.wait_with_output().unwrap().status.success());
    assert_eq!(to.run(&["clients", "show", "client_1"]).code, 0);
}
