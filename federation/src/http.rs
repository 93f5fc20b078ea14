//! The client that speaks to providers: one request a connection, no redirect followed, no proxy asked, bounded in time and
//! size, and only to addresses that were looked at.

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{HOST, USER_AGENT};
use hyper::http::uri::{PathAndQuery, Scheme};
use hyper::http::{HeaderValue, Request, Response, Uri};
use hyper_util::rt::TokioIo;
use openidconnect::AsyncHttpClient;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

use crate::error::Error;
use crate::guard;

/// How the client calls itself.
const AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

/// Most addresses of a name that are tried.
const TRIED: usize = 4;

/// How far a client goes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Whether it reaches the machine that it runs on, and without TLS: for tests and development.
    pub loopback: bool,
    /// Longest for the name, the connection and TLS.
    pub connect: Duration,
    /// Longest for the whole request.
    pub total: Duration,
    /// Most bytes of a body.
    pub body_bytes: usize,
    /// Shortest time between two readings of a provider's keys.
    pub refresh: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            loopback: false,
            connect: Duration::from_secs(3),
            total: Duration::from_secs(8),
            body_bytes: 256 * 1024,
            refresh: Duration::from_millis(200),
        }
    }
}

/// The client. Cheap to clone.
#[derive(Clone)]
pub struct Http {
    limits: Limits,
    tls: TlsConnector,
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Http {
    /// A client with the certificate authorities of the machine.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(limits: Limits) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("TLS: {error}"))?;
        let config = config.with_root_certificates(roots).with_no_client_auth();
        Ok(Self { limits, tls: TlsConnector::from(Arc::new(config)) })
    }

    /// How far it goes.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// One request and its answer, whatever the status.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Unreachable`], or [`Error::Answer`] for a body that is too long.
    pub async fn call(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, Error> {
        let url = without_query(request.uri());
        let late = || Error::Unreachable { url: url.clone(), why: "no answer in time".to_owned() };
        timeout(self.limits.total, self.exchange(request, &url)).await.unwrap_or_else(|_| Err(late()))
    }

    async fn exchange(&self, request: Request<Vec<u8>>, url: &str) -> Result<Response<Vec<u8>>, Error> {
        let failed = |why: String| Error::Unreachable { url: url.to_owned(), why };
        let uri = request.uri().clone();
        let host = uri.host().ok_or_else(|| failed("there is no host in it".to_owned()))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let secure = uri.scheme() == Some(&Scheme::HTTPS);
        if !secure && !self.limits.loopback {
            return Err(failed("it is not https".to_owned()));
        }
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let stream = timeout(self.limits.connect, self.connect(&host, port, secure, url))
            .await
            .unwrap_or_else(|_| Err(failed("no connection in time".to_owned())))?;
        if !secure {
            return self.send(stream, request, url).await;
        }
        let name = ServerName::try_from(host).map_err(|error| failed(error.to_string()))?;
        let shaken = timeout(self.limits.connect, self.tls.connect(name, stream)).await;
        let stream = shaken
            .map_err(|_| failed("TLS was not ready in time".to_owned()))?
            .map_err(|error| failed(format!("TLS: {error}")))?;
        self.send(stream, request, url).await
    }

    /// Connects to an address that was looked at. A name with one forbidden address is forbidden as a whole.
    async fn connect(&self, host: &str, port: u16, secure: bool, url: &str) -> Result<TcpStream, Error> {
        let failed = |why: String| Error::Unreachable { url: url.to_owned(), why };
        let found = lookup_host((host, port)).await.map_err(|error| failed(error.to_string()))?;
        let addresses: Vec<SocketAddr> = found.collect();
        for address in &addresses {
            if let Some(why) = self.refused(address.ip(), secure) {
                return Err(Error::Forbidden { host: host.to_owned(), address: address.ip(), why });
            }
        }
        let mut why = "the name has no address".to_owned();
        for address in addresses.into_iter().take(TRIED) {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => why = error.to_string(),
            }
        }
        Err(failed(why))
    }

    fn refused(&self, address: IpAddr, secure: bool) -> Option<&'static str> {
        let here = self.limits.loopback && address.to_canonical().is_loopback();
        match guard::refused(address) {
            _ if here => None,
            None if !secure => Some("reached without TLS"),
            why => why,
        }
    }

    async fn send<S>(
        &self,
        stream: S,
        request: Request<Vec<u8>>,
        url: &str,
    ) -> Result<Response<Vec<u8>>, Error>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let failed = |why: String| Error::Unreachable { url: url.to_owned(), why };
        let shaken = http1::Builder::new().max_buf_size(64 * 1024).handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = shaken.map_err(|error| failed(reasons(&error)))?;
        // Ends with this function: the connection serves one request.
        let mut tasks = JoinSet::new();
        tasks.spawn(connection);
        let request = relative(request).map_err(failed)?;
        let answer = sender.send_request(request).await.map_err(|error| failed(reasons(&error)))?;
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, self.limits.body_bytes).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                let why = format!("it is longer than {} bytes", self.limits.body_bytes);
                return Error::Answer { what: "the answer", url: url.to_owned(), why };
            }
            failed(reasons(error.as_ref()))
        })?;
        Ok(Response::from_parts(parts, body.to_bytes().to_vec()))
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Vec<u8>>, Error>> + Send + 'c>>;

    fn call(&'c self, request: Request<Vec<u8>>) -> Self::Future {
        Box::pin(Http::call(self, request))
    }
}

/// An error with what lies beneath it.
fn reasons(error: &dyn std::error::Error) -> String {
    let beneath = std::iter::successors(error.source(), |error| error.source());
    beneath.fold(error.to_string(), |told, error| format!("{told}: {error}"))
}

/// The request as HTTP/1.1 wants it: the host in its header, the path in its line.
fn relative(request: Request<Vec<u8>>) -> Result<Request<Full<Bytes>>, String> {
    let (mut parts, body) = request.into_parts();
    let host = parts.uri.authority().ok_or("there is no host in it")?.as_str();
    if host.contains('@') {
        return Err("it holds a name and a password".to_owned());
    }
    let host = HeaderValue::from_str(host).map_err(|error| error.to_string())?;
    parts.headers.insert(HOST, host);
    parts.headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    parts.uri = Uri::from(parts.uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/")));
    Ok(Request::from_parts(parts, Full::new(Bytes::from(body))))
}

/// An address for messages: what stands behind the `?` may be secret.
fn without_query(uri: &Uri) -> String {
    let host = uri.authority().map(|a| a.as_str().rsplit('@').next().unwrap_or_default()).unwrap_or_default();
    format!("{}://{host}{}", uri.scheme_str().unwrap_or_default(), uri.path())
}
