//! Every page can be read by everybody: by ear, by keyboard, on a narrow phone.

use gateway_tests::harness::{Chromium, Gateway, Headers, Look, Setup, StoreKind};
use serde_json::{Value, json};

use crate::pages_support::{authorize, listening_client, register};

/// What a person with a screen reader or without a mouse would miss.
const FAULTS: &str = r"
    const faults = [], all = selector => [...document.querySelectorAll(selector)];
    const name = element => (element.getAttribute('aria-label') || element.textContent).trim();
    if (document.documentElement.lang !== 'en') faults.push('no language');
    if (!document.title) faults.push('no title');
    for (const landmark of ['header', 'main', 'footer', 'nav', 'h1'])
        if (all(landmark).length !== 1) faults.push(`${all(landmark).length} ${landmark}`);
    for (const closed of all('details')) closed.open = true;
    let level = 1;
    for (const heading of all('h1, h2, h3')) {
        const next = Number(heading.tagName[1]);
        if (next > level + 1) faults.push(`heading ${name(heading)} leaves out a level`);
        level = next;
    }
    for (const control of all('a, button, summary')) if (!name(control)) faults.push(`nameless ${control.outerHTML}`);
    for (const field of all('input:not([type=hidden]), textarea, select')) faults.push(`field ${field.outerHTML}`);
    for (const label of all('[aria-labelledby]'))
        if (!document.getElementById(label.getAttribute('aria-labelledby'))) faults.push(`label ${label.outerHTML}`);
    const ids = all('[id]').map(element => element.id);
    if (new Set(ids).size !== ids.length) faults.push('an id twice');
    for (const control of all('a, button, summary, pre')) {
        control.focus();
        if (document.activeElement !== control) { faults.push(`no focus: ${control.outerHTML}`); continue; }
        const style = getComputedStyle(control);
        if (style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2) faults.push(`focus unseen: ${control.outerHTML}`);
    }
    for (const button of all('button, .button')) {
        const { height } = button.getBoundingClientRect();
        if (height && height < 38) faults.push(`${height} px high: ${name(button)}`);
    }
    if (document.documentElement.scrollWidth > document.documentElement.clientWidth) faults.push('scrolls sideways');
    return faults;
";

fn gateway() -> (Gateway, Headers) {
    let server = Headers::start();
    (Setup::new(StoreKind::Embedded).upstream("time", server.url()).start(), server)
}

async fn faults(chromium: &Chromium) -> Value {
    // A key was pressed, so that focus counts as the keyboard's.
    chromium.press_key('\u{e004}').await;
    chromium.page.execute(FAULTS, Vec::new()).await.unwrap()
}

#[tokio::test]
async fn every_page_has_landmarks_names_headings_and_a_focus_that_is_seen() {
    let (gateway, _server) = gateway();
    let redirect_uri = listening_client();
    let client = register(&gateway, "Claude Code", &redirect_uri).await;
    let at = |path: &str| gateway.at("auth", path);
    for look in [Look::Light, Look::Phone] {
        let chromium = Chromium::start(look).await;
        for url in [
            at("/"),
            at("/docs"),
            at("/policy"),
            at("/terms"),
            at("/account"),
            at("/account?notice=not-signed-in"),
            at("/success"),
            at(&format!("/success?code={}", "x".repeat(43))),
            at("/error?error=access_denied&error_description=No"),
            at("/authorize?client_id=unknown"),
            gateway.at("time", "/mcp"),
            authorize(&gateway, &client, &redirect_uri),
        ] {
            chromium.page.goto(&url).await.unwrap();
            if url.starts_with(&gateway.mcp("time")) {
                chromium.screenshot(&format!("unauthorized-{look:?}")).await;
            }
            assert_eq!(faults(&chromium).await, json!([]), "{url} ({look:?})");
        }
        chromium.close().await;
    }
}

#[tokio::test]
async fn a_person_without_a_mouse_reaches_allow_first_and_then_deny() {
    let (gateway, _server) = gateway();
    let redirect_uri = listening_client();
    let client = register(&gateway, "Claude Code", &redirect_uri).await;
    let chromium = Chromium::start(Look::Light).await;
    chromium.page.goto(&authorize(&gateway, &client, &redirect_uri)).await.unwrap();
    for expected in ["Allow", "Deny"] {
        chromium.press_key('\u{e004}').await;
        let focused = chromium.page.active_element().await.unwrap();
        assert_eq!(focused.text().await.unwrap(), expected);
    }
    chromium.screenshot("consent-focus-light").await;
    chromium.press_key('\u{e007}').await;
    crate::pages_support::arrives(&chromium, &redirect_uri).await;
    chromium.close().await;
}
