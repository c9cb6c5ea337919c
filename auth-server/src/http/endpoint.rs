//! A path, and what may be done there. Any other method is 405 with `Allow` (RFC 9110 §15.5.6), OPTIONS tells the same
//! without refusing (§9.3.7), and HEAD is GET without its body (§9.3.2).

use actix_web::{
    FromRequest, Handler, HttpRequest, Resource, Responder, Route,
    dev::{AppService, HttpServiceFactory},
    guard,
    web::{self, delete, post, put},
};

use super::error;

pub(super) struct Endpoint {
    resource: Resource,
    allowed: Vec<&'static str>,
}

pub(super) fn at(path: &str) -> Endpoint {
    Endpoint { resource: web::resource(path), allowed: vec!["OPTIONS"] }
}

macro_rules! methods {
    ($($name:ident: $methods:expr, $route:expr;)+) => {
        $(pub(super) fn $name<F, Args>(self, handler: F) -> Self
        where
            F: Handler<Args>,
            Args: FromRequest + 'static,
            F::Output: Responder + 'static,
        {
            self.with(&$methods, $route.to(handler))
        })+
    };
}

impl Endpoint {
    methods! {
        get: ["GET", "HEAD"], web::route().guard(guard::Any(guard::Get()).or(guard::Head()));
        post: ["POST"], post();
        put: ["PUT"], put();
        delete: ["DELETE"], delete();
    }

    fn with(mut self, methods: &[&'static str], route: Route) -> Self {
        self.allowed.extend(methods);
        Self { resource: self.resource.route(route), ..self }
    }
}

impl HttpServiceFactory for Endpoint {
    fn register(self, config: &mut AppService) {
        let allow = self.allowed.join(", ");
        let other = move |request: HttpRequest| {
            let answer = error::method_not_allowed(request.method(), &allow);
            async move { answer }
        };
        self.resource.default_service(web::to(other)).register(config);
    }
}
