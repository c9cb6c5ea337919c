//! A person with a browser: keeps cookies, follows redirects, fills in forms.

use std::path::Path;

use reqwest::{
    Client, Response, StatusCode,
    header::{self, HeaderMap},
};
use url::Url;

use super::{Form, http_client};

/// One browser profile; another one shares nothing with it.
#[derive(Clone, Debug)]
pub struct Browser {
    pub http: Client,
}

/// What the person sees.
#[derive(Clone, Debug)]
pub struct Page {
    pub url: Url,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub html: String,
}

/// Where following redirects has led.
#[derive(Clone, Debug)]
pub enum Arrival {
    Page(Page),
    /// The client's redirect URI, which nobody serves: the login is over.
    Client(Url),
}

impl Browser {
    /// Trusts `authority` (a PEM file).
    pub fn new(authority: &Path) -> Self {
        let http = http_client(authority).cookie_store(true).build().expect("a client with cookies");
        Self { http }
    }

    pub async fn open(&self, url: &Url) -> Arrival {
        let answer = self.http.get(url.clone()).header(header::ACCEPT, "text/html").send().await;
        self.arrive(answer.unwrap_or_else(|error| panic!("{url}: {error:?}"))).await
    }

    /// Submits the page's form with what was typed and which button was pressed.
    pub async fn submit(&self, page: &Page, typed: &[(&str, &str)]) -> Arrival {
        let form = Form::first_of(&page.html).unwrap_or_else(|| panic!("no form on {}: {}", page.url, page.html));
        let action = page.url.join(&form.action).expect("a form's action is a URL");
        let mut fields = form.hidden;
        fields.extend(typed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        // What a browser adds to a form it posts; the origin is what CSRF checks look at.
        let post = self.http.post(action).header(header::ORIGIN, page.url.origin().ascii_serialization());
        self.arrive(post.form(&fields).send().await.unwrap_or_else(|error| panic!("{error:?}"))).await
    }

    async fn arrive(&self, mut answer: Response) -> Arrival {
        for _ in 0..10 {
            let url = answer.url().clone();
            if !answer.status().is_redirection() {
                let (status, headers) = (answer.status(), answer.headers().clone());
                return Arrival::Page(Page { url, status, headers, html: answer.text().await.expect("a page's text") });
            }
            let location = answer.headers().get(header::LOCATION).expect("a redirect says where to");
            let next = url.join(location.to_str().expect("a plain URL")).expect("a URL");
            if next.path() == "/client/callback" {
                return Arrival::Client(next);
            }
            answer = self.http.get(next.clone()).send().await.unwrap_or_else(|error| panic!("{next}: {error:?}"));
        }
        panic!("redirected in circles at {}", answer.url());
    }

    /// Allows what is asked, logs in at GitHub as `login`, and ends wherever that leads.
    pub async fn log_in(&self, authorize: &Url, login: &str) -> Arrival {
        let consent = self.open(authorize).await.page();
        let github = self.submit(&consent, &[("decision", "approve")]).await.page();
        self.submit(&github, &[("login", login), ("decision", "approve")]).await
    }
}

impl Arrival {
    pub fn page(self) -> Page {
        match self {
            Self::Page(page) => page,
            Self::Client(url) => panic!("a page was expected, not the way back to the client: {url}"),
        }
    }

    pub fn client(self) -> Url {
        match self {
            Self::Client(url) => url,
            Self::Page(page) => panic!("the way back to the client was expected, not {}: {}", page.url, page.html),
        }
    }
}
