//! Where Prometheus finds the numbers.

use super::vars::Vars;

/// `METRICS_ADDR`: unset means off. Whoever reaches it needs no token, so it is never on the public port.
pub(super) fn addr(vars: &mut Vars) -> Option<String> {
    let addr = vars.text("METRICS_ADDR")?;
    let parts = addr.rsplit_once(':');
    if !parts.is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok()) {
        vars.fault("METRICS_ADDR", format_args!("«{addr}» is not host:port (127.0.0.1:9090)"));
    }
    Some(addr)
}
