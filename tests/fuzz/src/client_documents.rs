//! What clients say of themselves: registrations (RFC 7591), metadata documents, assertions (RFC 7523).

use auth_server::oauth::{
    client::Client,
    client_assertion::Assertion,
    client_id_metadata,
    id::ClientId,
    redirect_uri::RedirectUri,
    registration::{ClientMetadata, NewClient},
    secret::Secret,
};

use crate::service::{GATEWAY, NOW};

const ID: &str = "https://app.example/client.json";

pub fn client_documents(bytes: &[u8]) {
    let id = ClientId::parse(ID).expect("visible");
    if let Ok(metadata) = ClientMetadata::parse(bytes) {
        let secret = |text| Secret::new(text);
        let (secret, registration_token) = (secret("secret"), secret("token"));
        let new = NewClient { id: id.clone(), secret, registration_token, now: NOW, lifetime: None };
        let registration = metadata.clone().register(new);
        checked(&registration.client);
        // RFC 7592 §2.2: what was answered may be sent back as an update.
        let answer = registration.response(&GATEWAY).to_string();
        let again = ClientMetadata::parse(answer.as_bytes()).expect("an answer can be sent back");
        assert_eq!(again.update(registration.client.clone()).as_ref().ok(), Some(&registration.client));
    }
    if let Ok(client) = client_id_metadata::parse(&id, bytes) {
        checked(&client);
        assert!(client.secret.is_none() && !client.auth_method.takes_secret() && client.id == id);
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(assertion) = Assertion::parse(text)
    {
        assert!(text.as_bytes().starts_with(assertion.signed()));
    }
}

fn checked(client: &Client) {
    assert!(!client.redirect_uris.is_empty());
    assert!(client.redirect_uris.iter().all(|uri| RedirectUri::parse(uri.as_str()).as_ref() == Ok(uri)));
    assert!(client.grant_types.iter().all(|grant| grant == "authorization_code" || grant == "refresh_token"));
    assert!(client.name.as_ref().is_none_or(|name| name.len() <= 256));
}
