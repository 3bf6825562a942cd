//! Git over HTTP: one request at a time, redirects judged by us.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use reqwest::{RequestBuilder, Response, StatusCode, Url, header};

use super::address::is_forbidden_address;
use super::{Credentials, Error, Options, Proxy, Remote, RemoteUrl, Tls};

/// Most redirects followed before references are seen.
const REDIRECTS_MAX: usize = 3;

/// How long a host may send nothing.
const SILENCE_MAX: Duration = Duration::from_secs(10);

/// How long making a connection may take.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// Sets of certificates whose connections are kept; there are as many as Secrets with some.
const CLIENTS_MAX: usize = 64;

/// Makes requests, with one pool of connections for each set of certificates.
#[derive(Debug)]
pub(super) struct Http {
    options: Options,
    clients: Mutex<BTreeMap<(Tls, Option<Proxy>), reqwest::Client>>,
}

/// An answer whose status is 200, and where it came from.
pub(super) struct Answer {
    /// The repository's address after redirects.
    pub base: Url,
    response: Response,
}

impl Http {
    pub(super) fn new(options: Options) -> Self {
        Self {
            options,
            clients: Mutex::default(),
        }
    }

    /// Asks for references; follows redirects on the same host.
    pub(super) async fn advertisement(&self, remote: &Remote) -> Result<Answer, Error> {
        const QUERY: &str = "/info/refs?service=git-upload-pack";
        let parse = |text: &str| {
            Url::parse(text).map_err(|_| Error::NotAGitServer {
                url: remote.url.clone(),
            })
        };
        let mut at = parse(&format!("{}{QUERY}", remote.url))?;
        for _ in 0..=REDIRECTS_MAX {
            let request = self.client(remote)?.get(at.clone());
            let response = self.send(remote, &at, request).await?;
            if response.status().is_redirection() {
                at = redirect(&remote.url, &at, &response)?;
                continue;
            }
            let response = judge(remote, response)?;
            expect_type(
                remote,
                &response,
                "application/x-git-upload-pack-advertisement",
            )?;
            let base = at
                .as_str()
                .strip_suffix(QUERY)
                .ok_or_else(|| Error::NotAGitServer {
                    url: remote.url.clone(),
                })?;
            return Ok(Answer {
                base: parse(base)?,
                response,
            });
        }
        Err(Error::Redirect {
            url: remote.url.clone(),
            to: at.to_string(),
        })
    }

    /// Sends a request to the upload service below `base`.
    pub(super) async fn upload(
        &self,
        remote: &Remote,
        base: &Url,
        body: Vec<u8>,
    ) -> Result<Answer, Error> {
        let mut at = base.clone();
        at.set_path(&format!(
            "{}/git-upload-pack",
            base.path().trim_end_matches('/')
        ));
        let request = self
            .client(remote)?
            .post(at.clone())
            .header(
                header::CONTENT_TYPE,
                "application/x-git-upload-pack-request",
            )
            .header(header::ACCEPT, "application/x-git-upload-pack-result")
            .body(body);
        let response = self.send(remote, &at, request).await?;
        if response.status().is_redirection() {
            let to = redirect(&remote.url, &at, &response)?;
            return Err(Error::Redirect {
                url: remote.url.clone(),
                to: to.to_string(),
            });
        }
        let response = judge(remote, response)?;
        expect_type(remote, &response, "application/x-git-upload-pack-result")?;
        Ok(Answer {
            base: base.clone(),
            response,
        })
    }

    async fn send(
        &self,
        remote: &Remote,
        at: &Url,
        request: RequestBuilder,
    ) -> Result<Response, Error> {
        // Names are checked when they are resolved; a literal address is not resolved.
        let host = at.host_str().unwrap_or("").trim_matches(['[', ']']);
        if let Ok(address) = host.parse::<IpAddr>()
            && !self.options.addresses.allow(address)
        {
            return Err(Error::Address {
                url: remote.url.clone(),
            });
        }
        let request = match remote.credentials() {
            Credentials::None => request,
            Credentials::Basic { username, password } => {
                request.basic_auth(username, Some(password))
            }
            Credentials::Bearer(token) => request.bearer_auth(token),
        };
        let request = request.header("git-protocol", "version=2");
        request
            .send()
            .await
            .map_err(|error| connect(&remote.url, error))
    }

    fn client(&self, remote: &Remote) -> Result<reqwest::Client, Error> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (remote.tls.clone(), remote.proxy.clone());
        if let Some(client) = clients.get(&key) {
            return Ok(client.clone());
        }
        let built = self.build(&remote.tls, remote.proxy.as_ref());
        let client = built.map_err(|why| Error::Tls {
            url: remote.url.clone(),
            why,
        })?;
        if clients.len() >= CLIENTS_MAX {
            clients.clear();
        }
        clients.insert(key, client.clone());
        Ok(client)
    }

    fn build(&self, tls: &Tls, proxy: Option<&Proxy>) -> Result<reqwest::Client, String> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!(
                "git/2.0 (fleetwright ",
                env!("CARGO_PKG_VERSION"),
                ")"
            ))
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(self.options.addresses.resolver())
            .connect_timeout(CONNECT_MAX)
            .read_timeout(SILENCE_MAX);
        if let Some(proxy) = proxy {
            let through = reqwest::Proxy::all(&proxy.address);
            let mut through = through.map_err(|_| "the proxy's address cannot be read")?;
            if let Some((name, password)) = &proxy.login {
                through = through.basic_auth(name, password);
            }
            // Given by hand, it replaces those of the environment.
            builder = builder.proxy(through);
        } else if !self.options.environment_proxy {
            builder = builder.no_proxy();
        }
        if let Some(pem) = &tls.authorities {
            let certificates = reqwest::Certificate::from_pem_bundle(pem);
            let certificates = certificates.map_err(|_| "the authorities are not PEM")?;
            if certificates.is_empty() {
                return Err("the authorities hold no certificate".into());
            }
            builder = builder.tls_certs_merge(certificates);
        }
        if let Some((certificate, key)) = &tls.identity {
            let pem = [certificate.as_slice(), b"\n", key].concat();
            let identity = reqwest::Identity::from_pem(&pem);
            let identity = identity.map_err(|_| "our certificate or its key is not PEM")?;
            builder = builder.identity(identity);
        }
        builder.build().map_err(|error| diag::with_causes(&error))
    }
}

impl Answer {
    /// The next piece of the body.
    pub(super) async fn piece(&mut self, remote: &Remote) -> Result<Option<Bytes>, Error> {
        let piece = self.response.chunk().await;
        piece.map_err(|error| connect(&remote.url, error))
    }
}

/// Where a redirect leads, if it may be followed.
fn redirect(url: &RemoteUrl, at: &Url, response: &Response) -> Result<Url, Error> {
    let location = response.headers().get(header::LOCATION);
    let location = location.and_then(|value| value.to_str().ok()).unwrap_or("");
    let refuse = || Error::Redirect {
        url: url.clone(),
        to: location
            .chars()
            .filter(|c| !c.is_control())
            .take(200)
            .collect(),
    };
    let to = at.join(location).map_err(|_| refuse())?;
    let same_host = to.host_str().is_some() && to.host_str() == at.host_str();
    let same_place =
        to.scheme() == at.scheme() && to.port_or_known_default() == at.port_or_known_default();
    let upgrade = at.scheme() == "http" && to.scheme() == "https";
    let plain = to.username().is_empty() && to.password().is_none();
    match same_host && plain && (same_place || upgrade) {
        true => Ok(to),
        false => Err(refuse()),
    }
}

fn judge(remote: &Remote, response: Response) -> Result<Response, Error> {
    let url = remote.url.clone();
    let given = *remote.credentials() != Credentials::None;
    let retry_after = || {
        let value = response.headers().get(header::RETRY_AFTER)?;
        let seconds = value.to_str().ok()?.trim().parse().ok()?;
        Some(Duration::from_secs(seconds))
    };
    match response.status() {
        StatusCode::OK => Ok(response),
        StatusCode::UNAUTHORIZED => Err(Error::Unauthorized { url, given }),
        StatusCode::FORBIDDEN => Err(Error::Forbidden { url }),
        StatusCode::NOT_FOUND | StatusCode::GONE => Err(Error::NotFound { url }),
        status @ (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) => {
            Err(Error::Busy {
                url,
                status: status.as_u16(),
                retry_after: retry_after(),
            })
        }
        status => Err(Error::Status {
            url,
            status: status.as_u16(),
        }),
    }
}

fn expect_type(remote: &Remote, response: &Response, wanted: &str) -> Result<(), Error> {
    let given = response.headers().get(header::CONTENT_TYPE);
    match given.is_some_and(|given| given.as_bytes().starts_with(wanted.as_bytes())) {
        true => Ok(()),
        false => Err(Error::NotAGitServer {
            url: remote.url.clone(),
        }),
    }
}

fn connect(url: &RemoteUrl, error: reqwest::Error) -> Error {
    if is_forbidden_address(&error) {
        return Error::Address { url: url.clone() };
    }
    Error::Connect {
        url: url.clone(),
        source: error.without_url(),
    }
}
