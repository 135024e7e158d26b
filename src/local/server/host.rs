//! Who a request may be for. A web page can make a browser send requests to this machine: under a name of its own (DNS
//! rebinding), or across origins. Both say so in their headers.

use std::net::IpAddr;

use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use http::{Request, Version};

/// The names that the server answers to.
#[derive(Debug)]
pub(super) struct Hosts {
    bound: IpAddr,
    allowed: Vec<String>,
}

/// Why a request is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) text: String,
}

/// Names of this machine and of AWS, with all names below them.
const KNOWN: [&str; 4] = ["localhost", "localhost.localstack.cloud", "amazonaws.com", "amazonaws.com.cn"];

impl Hosts {
    pub(super) fn new(bound: IpAddr, allowed: Vec<String>) -> Self {
        let allowed = allowed.iter().map(|host| host.trim_end_matches('.').to_ascii_lowercase()).collect();
        Self { bound, allowed }
    }

    /// Refuses a request that is for somebody else, or comes from somebody else's web page.
    pub(super) fn check<B>(&self, request: &Request<B>) -> Result<(), Refusal> {
        let header = request.headers().get(HOST);
        if header.is_none() && request.version() >= Version::HTTP_11 && request.uri().host().is_none() {
            return Err(Refusal { status: 400, text: "The request has no Host header.\n".to_owned() });
        }
        let text = header.map(|host| host.to_str().unwrap_or("\u{fffd}"));
        let of_uri = request.uri().authority().map(Authority::as_str);
        for host in text.into_iter().chain(of_uri) {
            if !self.knows(host) {
                return Err(forbidden(&format!(
                    "This server does not answer to the host name {host:?}: it is neither this machine's nor one of \
                     AWS. To allow it, start the server with --allow-host or LocalServerBuilder::allow_host.\n"
                )));
            }
        }
        let Some(origin) = request.headers().get(ORIGIN) else { return Ok(()) };
        let origin = origin.to_str().unwrap_or_default();
        let host = origin.split_once("://").map_or("", |(_, host)| host);
        if self.knows(host) {
            return Ok(());
        }
        Err(forbidden("This server does not answer requests of other sites' web pages.\n"))
    }

    fn knows(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else { return false };
        let name = authority.host().trim_end_matches('.').to_ascii_lowercase();
        let literal = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(&name);
        if let Ok(ip) = literal.parse::<IpAddr>() {
            // An address is nobody's name: where others may come in, they may use any of this machine.
            return ip.is_loopback() || !self.bound.is_loopback() || self.allows(literal);
        }
        KNOWN.iter().any(|known| is_or_below(&name, known)) || self.allows(&name)
    }

    fn allows(&self, name: &str) -> bool {
        self.allowed.iter().any(|allowed| is_or_below(name, allowed))
    }
}

fn is_or_below(name: &str, known: &str) -> bool {
    name.strip_suffix(known).is_some_and(|below| below.is_empty() || below.ends_with('.'))
}

fn forbidden(text: &str) -> Refusal {
    Refusal { status: 403, text: text.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(bound: &str, headers: &[(&str, &str)]) -> Option<u16> {
        let hosts = Hosts::new(bound.parse().unwrap(), vec!["Build.Test".into()]);
        let mut request = Request::builder().uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        hosts.check(&request.body(()).unwrap()).err().map(|refusal| refusal.status)
    }

    #[test]
    fn names_of_this_machine_and_of_aws_are_known() {
        for host in [
            "127.0.0.1:4566",
            "127.1.2.3",
            "[::1]:4566",
            "localhost",
            "LOCALHOST.:80",
            "data.localhost:4566",
            "data.s3.localhost",
            "localhost.localstack.cloud",
            "data.s3.localhost.localstack.cloud:4566",
            "s3.us-east-1.amazonaws.com",
            "logs.cn-north-1.amazonaws.com.cn",
            "build.test:80",
            "data.s3.build.test",
        ] {
            assert_eq!(check("127.0.0.1", &[("host", host)]), None, "{host}");
        }
    }

    #[test]
    fn all_others_are_refused() {
        for host in [
            "evil.example",
            "localhost.evil.example",
            "notlocalhost",
            "xamazonaws.com",
            "127.0.0.1.evil.example",
            "192.168.1.5:4566",
            "",
            "a b",
            "user@",
        ] {
            assert_eq!(check("127.0.0.1", &[("host", host)]), Some(403), "{host}");
        }
        assert_eq!(check("127.0.0.1", &[]), Some(400));
        assert_eq!(check("0.0.0.0", &[("host", "192.168.1.5:4566")]), None);
        assert_eq!(check("0.0.0.0", &[("host", "evil.example")]), Some(403));
    }

    #[test]
    fn web_pages_of_others_are_refused() {
        let from = |origin: &str| check("127.0.0.1", &[("host", "127.0.0.1:4566"), ("origin", origin)]);
        assert_eq!(from("http://localhost:3000"), None);
        assert_eq!(from("http://evil.example"), Some(403));
        assert_eq!(from("null"), Some(403));
        let absolute = Request::builder().uri("http://evil.example/").header("host", "localhost").body(()).unwrap();
        assert!(Hosts::new([127, 0, 0, 1].into(), Vec::new()).check(&absolute).is_err());
    }

    proptest! {
        #[test]
        fn any_host_is_read_without_a_panic(host in "\\PC{0,40}", bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            let hosts = Hosts::new([127, 0, 0, 1].into(), Vec::new());
            hosts.knows(&host);
            if let Ok(value) = http::HeaderValue::from_bytes(&bytes) {
                let _ = hosts.check(&Request::builder().header(HOST, value).body(()).unwrap());
            }
        }
    }
}
