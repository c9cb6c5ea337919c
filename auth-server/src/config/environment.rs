//! The process environment and the `.env` of the working directory, merged. Nothing else reads either.

use std::path::Path;

use super::ConfigFaults;

/// `.env` first, the process environment over it; a variable that is set but empty hides nothing.
pub fn environment(dotenv: &Path) -> Result<Vec<(String, String)>, ConfigFaults> {
    let mut vars = if dotenv.exists() { read(dotenv)? } else { Vec::new() };
    let process = std::env::vars_os();
    let readable = process.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    vars.extend(readable.filter(|(_, value)| !value.trim().is_empty()));
    Ok(vars)
}

fn read(dotenv: &Path) -> Result<Vec<(String, String)>, ConfigFaults> {
    // The error's text would quote the line, which may hold a secret.
    let unreadable = |_| ConfigFaults(vec![format!("{} cannot be read: not lines of NAME=value", dotenv.display())]);
    dotenvy::from_path_iter(dotenv).map_err(unreadable)?.collect::<Result<_, _>>().map_err(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dotenv_file_is_read_with_its_comments_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".env");
        std::fs::write(&path, "ACCESS_TOKEN_LIFETIME_T=86400      # 24 hours\n# note\nEMPTY_T=\n").unwrap();
        let vars = environment(&path).unwrap();
        assert!(vars.contains(&("ACCESS_TOKEN_LIFETIME_T".into(), "86400".into())));
    }

    #[test]
    fn a_broken_dotenv_is_reported_without_its_contents() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".env");
        std::fs::write(&path, "GITHUB_CLIENT_SECRET hunter2\n").unwrap();
        let faults = environment(&path).unwrap_err().to_string();
        assert!(faults.contains("cannot be read") && !faults.contains("hunter2"), "{faults}");
    }
}
