//! `POST /register` (RFC 7591), and the registration's own URL (RFC 7592).

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::Path,
};

use super::{
    AuthServer, Server,
    error::{Fault, OurFault},
    extract::Body,
    reply::private_json,
};
use crate::{
    audit, clock,
    metrics::{METRICS, RegistrationOutcome},
    oauth::{
        error::{ManagementError, RegistrationError},
        id::ClientId,
        registration::{self, ClientMetadata, Fingerprint, MAX_BODY, NewClient, Registration},
    },
    random,
    store::Commit,
};

pub(super) async fn create(server: Server, body: Body<MAX_BODY>) -> Result<HttpResponse, Fault> {
    let metadata = ClientMetadata::parse(&body.0.map_err(RegistrationError::from)?)?;
    let registration = metadata.register(NewClient {
        id: random::client_id()?,
        secret: random::secret()?,
        registration_token: random::registration_token()?,
        now: clock::unix(clock::now()),
        lifetime: server.lifetimes.client.map(|lifetime| lifetime.as_secs()),
    });
    let registration = keep(&server, registration).await?;
    Ok(private_json(StatusCode::CREATED, &registration.response(&server.gateway)))
}

/// Stores it, unless a public client with the same metadata is there already.
async fn keep(server: &AuthServer, registration: Registration) -> Result<Registration, Fault> {
    if let Some(fingerprint) = Fingerprint::of(&registration.client)
        && let Some(known) = server.store.share_client(&fingerprint).await?
    {
        METRICS.registrations.add(RegistrationOutcome::Shared);
        audit::client_registered(&known.id);
        return Ok(Registration::shared(known));
    }
    let stored =
        server.store.register_client(&registration.client, server.lifetimes.client, server.max_clients).await?;
    if stored == Commit::Conflict {
        return Err(OurFault::TooManyClients.into());
    }
    METRICS.registrations.add(RegistrationOutcome::Created);
    audit::client_registered(&registration.client.id);
    Ok(registration)
}

pub(super) async fn read(server: Server, request: HttpRequest, id: Path<String>) -> Result<HttpResponse, Fault> {
    let registration = managed(&server, &request, &id).await?;
    Ok(private_json(StatusCode::OK, &registration.response(&server.gateway)))
}

pub(super) async fn update(
    server: Server,
    request: HttpRequest,
    id: Path<String>,
    body: Body<MAX_BODY>,
) -> Result<HttpResponse, Fault> {
    let mut registration = managed(&server, &request, &id).await?;
    let metadata = ClientMetadata::parse(&body.0.map_err(RegistrationError::from)?)?;
    registration.client = metadata.update(registration.client)?;
    if server.store.replace_client(&registration.client).await? == Commit::Conflict {
        return Err(ManagementError::UnknownClient.into());
    }
    METRICS.registrations.add(RegistrationOutcome::Updated);
    audit::client_changed(&registration.client.id);
    Ok(private_json(StatusCode::OK, &registration.response(&server.gateway)))
}

pub(super) async fn delete(server: Server, request: HttpRequest, id: Path<String>) -> Result<HttpResponse, Fault> {
    let Registration { client, .. } = managed(&server, &request, &id).await?;
    server.store.delete_client(&client.id).await?;
    METRICS.registrations.add(RegistrationOutcome::Deleted);
    audit::client_deleted(&client.id);
    Ok(HttpResponse::NoContent().insert_header((header::CACHE_CONTROL, "no-store")).finish())
}

/// The registration, to the holder of its registration access token (RFC 7592 §2).
async fn managed(server: &AuthServer, request: &HttpRequest, id: &str) -> Result<Registration, Fault> {
    let client = match ClientId::parse(id) {
        Some(id) => server.store.client(&id).await?,
        None => None,
    };
    let authorization = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    Ok(registration::authorize_management(client, authorization)?)
}
