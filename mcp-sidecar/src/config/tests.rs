use super::*;

fn config(arguments: &[&str], vars: &[(&str, &str)]) -> Result<Config, Unusable> {
    let arguments = std::iter::once("mcp-sidecar").chain(arguments.iter().copied()).map(OsString::from);
    Config::from_args(arguments, vars.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))))
}

fn command(config: &Config) -> Vec<&str> {
    let Command { program, args, .. } = &config.spawning.command;
    std::iter::once(program).chain(args).map(|word| word.to_str().unwrap()).collect()
}

fn faults(arguments: &[&str], vars: &[(&str, &str)]) -> Vec<String> {
    match config(arguments, vars) {
        Err(Unusable::Faults(Faults(faults))) => faults,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_command_line_of_the_python_original_starts_ours() {
    let line = ["--host", "0.0.0.0", "--port", "3000", "--timeout", "60", "--log-level", "debug", "npx", "-y", "srv"];
    let config = config(&line, &[]).unwrap();
    assert_eq!((config.host.as_str(), config.port), ("0.0.0.0", 3000));
    assert_eq!(config.limits.session.idle_timeout, Duration::from_secs(60));
    assert_eq!(config.log.level, log::LevelFilter::Debug);
    assert_eq!(command(&config), ["npx", "-y", "srv"]);
}

#[test]
fn options_of_the_wrapped_command_are_never_swallowed() {
    let wrapped = ["uvx", "srv", "--port", "1", "--host", "x", "--help", "--version", "--", "-h", "--timeout=9"];
    for lead in [&["--port", "2"][..], &["--port=2", "--"][..]] {
        let config = config(&[lead, &wrapped[..]].concat(), &[]).unwrap();
        assert_eq!(config.port, 2);
        assert_eq!(command(&config), wrapped);
    }
}

#[test]
fn the_environment_speaks_where_the_command_line_is_silent() {
    let vars = [
        ("MCP_BIND_HOST", "0.0.0.0"),
        ("PORT", "1"),
        ("MCP_PORT", "2"),
        ("LOG_FILE", "/tmp/x"),
        ("SERVER_COMMAND", "python -m 'my server'"),
        ("BASE_DOMAIN", "Example.com:8443"),
        ("MCP_CORS_ORIGINS", "https://a.example, https://b.example"),
    ];
    let silent = config(&[], &vars).unwrap();
    assert_eq!((silent.host.as_str(), silent.port), ("0.0.0.0", 2));
    assert_eq!(command(&silent), ["python", "-m", "my server"]);
    assert_eq!(silent.log.file, Some(PathBuf::from("/tmp/x")));
    assert_eq!(silent.origin.hosts, ["*.example.com", "example.com"]);
    assert_eq!(silent.origin.origins, ["https://a.example", "https://b.example"]);
    let said = config(&["--port", "3", "other"], &vars).unwrap();
    assert_eq!((said.port, command(&said)), (3, vec!["other"]));
    assert_eq!(config(&["x"], &[("PORT", "7")]).unwrap().port, 7);
}

#[test]
fn all_faults_are_reported_at_once() {
    let faults = faults(
        &[
            "--port",
            "99999",
            "--timeout",
            "soon",
            "--log-level",
            "loud",
            "--max-body",
            "0",
            "--max-line",
            "0",
            "--era",
            "old",
        ],
        &[],
    );
    assert_eq!(faults.len(), 7, "{faults:?}");
    for option in ["--port", "--timeout", "--log-level", "--max-body", "--max-line", "--era", "no command"] {
        assert!(faults.iter().any(|fault| fault.contains(option)), "{option}");
    }
}

#[test]
fn a_server_cannot_be_started_ahead_of_the_user_that_it_is_told() {
    for told in [["--env-from-header", "USER=X-User-Id"], ["--arg-from-header", "--user=X-User-Id"]] {
        for isolation in ["session", "user", "shared"] {
            let faults = faults(&[&["--warm", "1", "--isolation", isolation], &told[..], &["srv"]].concat(), &[]);
            assert!(faults[0].contains("--warm") && faults[0].contains(told[0]), "{faults:?}");
        }
    }
    assert_eq!(config(&["--warm", "1", "srv"], &[]).unwrap().limits.warm, 1);
}

#[test]
fn an_unfinished_server_command_is_a_fault_of_its_own() {
    assert_eq!(faults(&[], &[("SERVER_COMMAND", "a 'b")]), ["SERVER_COMMAND has an open single quote"]);
}

#[test]
fn help_teaches_by_example() {
    let Err(Unusable::Usage(help)) = config(&["--help"], &[]) else { panic!() };
    let text = help.to_string();
    assert!(text.contains("SERVER_COMMAND=") && text.contains("server-everything"), "{text}");
}

#[test]
fn replicas_share_a_redis_that_the_wrapped_server_is_not_told_of() {
    assert!(config(&["x"], &[("REDIS_PASSWORD", "p")]).unwrap().cluster.is_none());
    let vars = [("REDIS_URL", "redis://redis:6379/0"), ("REDIS_PASSWORD", "hunter2")];
    let one_of_several = config(&["--advertise", "http://time-1:3000", "x"], &vars).unwrap();
    assert!(!format!("{one_of_several:?}").contains("hunter2"));
    assert_eq!(one_of_several.cluster.unwrap().advertise.unwrap().as_str(), "time-1:3000");
    let hidden = one_of_several.spawning.command.env;
    assert_eq!(hidden, ["REDIS_URL", "REDIS_PASSWORD"].map(|name| (name.into(), OsString::new())));
}

#[test]
fn a_redis_url_or_an_address_that_cannot_be_used_is_told_without_showing_the_password() {
    for url in ["hunter2@redis", "rediss://:hunter2@redis:6379"] {
        let found = faults(&["--advertise", "https://time/x", "x"], &[("REDIS_URL", url)]);
        assert!(found.len() == 2 && found.concat().contains("REDIS_URL"), "{found:?}");
        assert!(!found.concat().contains("hunter2"), "{found:?}");
    }
}

#[test]
fn hosts_and_origins_that_no_request_can_have_are_faults() {
    for host in
        ["", "https://time.example.com", "time.example.com:80", "a b", "*", "x.*", "time.example.com/", ".x.org"]
    {
        let found = faults(&["--allowed-host", host, "x"], &[]);
        assert!(found.len() == 1 && found[0].contains("--allowed-host") && found[0].contains(host), "{found:?}");
    }
    for origin in
        ["", "app.example.com", "foo bar", "https://x.org/mcp", "https://*.x.org", "https://x.org:p", "https://"]
    {
        let found = faults(&["--allowed-origin", origin, "x"], &[]);
        assert!(found.len() == 1 && found[0].contains("--allowed-origin") && found[0].contains(origin), "{found:?}");
    }
    let found = faults(&["x"], &[("BASE_DOMAIN", "https://example.com"), ("MCP_CORS_ORIGINS", "https://a.example,b")]);
    assert!(
        found.len() == 2 && found.concat().contains("BASE_DOMAIN") && found.concat().contains("\"b\""),
        "{found:?}"
    );
}

#[test]
fn hosts_and_origins_are_kept_as_a_browser_writes_them() {
    let hosts =
        ["Time.Example.com", "*.Example.org", "example.net.", "10.0.0.1", "[2001:DB8::1]", "2001:db8::2", "mcp_time"];
    let options: Vec<&str> = hosts.iter().flat_map(|host| ["--allowed-host", *host]).chain(["x"]).collect();
    let kept = config(&options, &[]).unwrap().origin.hosts;
    let as_sent =
        ["time.example.com", "*.example.org", "example.net", "10.0.0.1", "2001:db8::1", "2001:db8::2", "mcp_time"];
    assert_eq!(kept, as_sent);
    let listed =
        " https://App.example.com/,http://x.org:80, https://x.org:8443,https://y.org:443/,http://[::1]:5,*,null,";
    let more = ["--allowed-origin", "chrome-extension://abcdef", "--allowed-origin", "file://", "x"];
    let kept = config(&more, &[("MCP_CORS_ORIGINS", listed)]).unwrap().origin.origins;
    assert_eq!(kept[..2], ["chrome-extension://abcdef", "file://"]);
    let as_sent = [
        "https://app.example.com",
        "http://x.org",
        "https://x.org:8443",
        "https://y.org",
        "http://[::1]:5",
        "*",
        "null",
    ];
    assert_eq!(kept[2..], as_sent);
}

#[test]
fn one_port_for_two_and_an_address_for_replicas_that_are_none_are_faults() {
    let found = faults(&["--port", "4190", "--metrics-port", "4190", "--advertise", "time-1:3000", "x"], &[]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.concat().contains("--metrics-port") && found.concat().contains("REDIS_URL"), "{found:?}");
    assert_eq!(faults(&["--metrics-port", "3000", "x"], &[]).len(), 1);
    assert!(config(&["--port", "0", "--metrics-port", "0", "x"], &[]).is_ok());
}
