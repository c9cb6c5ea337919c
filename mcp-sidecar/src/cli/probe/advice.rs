//! What to do about the usual troubles. A guess, from what the server and the system say.

/// `program` is what was to be started, `failure` why nothing was learned, `stderr` the server's last words.
pub(super) fn advice(program: &str, failure: &str, stderr: &[String]) -> Option<String> {
    let said = |needles: &[&str]| {
        let stderr = stderr.iter().map(|line| line.to_ascii_lowercase());
        stderr.into_iter().any(|line| needles.iter().any(|needle| line.contains(needle)))
    };
    let fetches = matches!(program.rsplit('/').next(), Some("npx" | "uvx" | "npm" | "pnpm" | "bunx" | "uv" | "pipx"));
    let offline =
        ["enotfound", "eai_again", "getaddrinfo", "dns error", "network", "registry", "timed out", "etimedout"];
    if failure.contains("could not be started") {
        return not_started(program, failure);
    }
    if fetches && said(&offline) {
        return Some(format!(
            "{program} fetches the package at the first start and could not reach the network. Install the package in the image and name its program instead."
        ));
    }
    if said(&["module not found", "cannot find module", "modulenotfounderror", "no module named", "command not found"])
    {
        return Some("Something that the server needs is not installed here.".to_owned());
    }
    if failure.contains("exited with status 0") {
        return Some("It left at once, as programs do that print their help or find their input closed. Does it need an argument such as --stdio?".to_owned());
    }
    if failure.contains("exited") || failure.contains("killed") {
        return Some("It ended before it answered: its last words are below. Are arguments or environment variables (an API key?) missing?".to_owned());
    }
    if failure.contains("did not answer") {
        let wait =
            if fetches { " The first start may fetch a package: try again, or with a longer --timeout." } else { "" };
        return Some(format!(
            "Does it speak MCP on stdin and stdout? Some servers must be told, with --stdio or --transport stdio.{wait}"
        ));
    }
    None
}

fn not_started(program: &str, failure: &str) -> Option<String> {
    if failure.contains("os error 2") {
        return Some(format!(
            "{program} was not found. Is it installed here, and on the PATH? No shell runs: aliases, ~ and $VARIABLES mean nothing."
        ));
    }
    failure.contains("os error 13").then(|| format!("{program} is there, but may not be executed: chmod +x {program}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_usual_trouble_has_its_advice() {
        let started = "the MCP server could not be started: No such file or directory (os error 2)";
        for (program, failure, stderr, word) in [
            ("npx", started, "", "not found"),
            ("./x", "the MCP server could not be started: Permission denied (os error 13)", "", "chmod +x"),
            ("/usr/bin/npx", "the MCP server exited with status 1", "npm error code EAI_AGAIN", "network"),
            ("node", "the MCP server exited with status 1", "Error: Cannot find module 'x'", "not installed"),
            ("srv", "the MCP server exited with status 0", "", "--stdio"),
            ("srv", "the MCP server exited with status 3", "API_KEY is not set", "API key"),
            ("srv", "the MCP server killed by SIGSEGV", "", "last words"),
            ("uvx", "the MCP server did not answer within 5 s", "", "longer --timeout"),
        ] {
            let given = advice(program, failure, &[stderr.to_owned()]).unwrap();
            assert!(given.contains(word), "{failure}: {given}");
        }
        assert_eq!(advice("srv", "the MCP server refused initialize: {}", &[]), None);
    }
}
