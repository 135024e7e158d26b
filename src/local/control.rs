//! The backend's own routes: `/_local/health`, `/_local/reset` with its alias of other mocks, `/_local/requests`.

use std::collections::BTreeMap;

use aws_smithy_types::body::SdkBody;
use http::header::{AUTHORIZATION, HOST};
use http::{Method, Request};
use serde_json::{Value, json};

use super::backend::LocalBackend;
use super::query;
use super::router::Service;
use super::s3::S3;
use super::wire::{self, Answer};

const JSON: &str = "application/json";

/// Answers a request to one of the backend's own routes; `None` if it is for a service.
pub(super) fn handle(backend: &LocalBackend, request: &Request<SdkBody>) -> Option<Answer> {
    let path = request.uri().path();
    // No bucket has an underscore in its name; one may be called `moto-api`, but nothing is posted there unsigned.
    let ours = path.strip_prefix("/_local/").or_else(|| {
        let reset = path == "/moto-api/reset" && request.method() == Method::POST;
        (reset && !request.headers().contains_key(AUTHORIZATION)).then_some("reset")
    })?;
    if S3::is_virtual_hosted(host(request)) {
        return None;
    }
    Some(match (ours, request.method()) {
        ("health", &Method::GET | &Method::HEAD) => answer(200, &health(backend)),
        ("reset", &Method::POST) => {
            backend.reset();
            answer(200, &json!({"status": "ok"}))
        }
        ("requests", &Method::GET | &Method::HEAD) => {
            answer(200, &requests(backend, request.uri().query().unwrap_or_default()))
        }
        ("health" | "requests", _) => refuse(405, "GET"),
        ("reset", _) => refuse(405, "POST"),
        _ => answer(404, &json!({"message": "The routes are /_local/health, /_local/reset and /_local/requests."})),
    })
}

fn host(request: &Request<SdkBody>) -> &str {
    let header = || request.headers().get(HOST).and_then(|host| host.to_str().ok());
    request.uri().host().or_else(header).unwrap_or_default()
}

fn health(backend: &LocalBackend) -> Value {
    let services: Vec<&str> = Service::ALL.iter().map(Service::name).collect();
    json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "account": backend.account_id(),
        "region": backend.region(),
        "services": services,
    })
}

/// The recorder's requests, those of one service or operation if the query says so.
fn requests(backend: &LocalBackend, query: &str) -> Value {
    let wanted: BTreeMap<String, String> = query::form(query.as_bytes());
    let is = |name: &str, value: &str| wanted.get(name).is_none_or(|wanted| wanted == value);
    let mut requests = backend.requests();
    requests.retain(|request| is("service", &request.service) && is("operation", &request.operation));
    json!({ "requests": requests })
}

fn refuse(status: u16, allowed: &str) -> Answer {
    let mut refusal = answer(status, &json!({"message": format!("Use {allowed}.")}));
    wire::set(&mut refusal, "allow", allowed);
    refusal
}

fn answer(status: u16, body: &Value) -> Answer {
    wire::answer(status, JSON, body.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::signature::sign;

    async fn send(backend: &LocalBackend, method: &str, uri: &str) -> (u16, Value) {
        let request = Request::builder().method(method).uri(uri);
        // The routes need no signature, and the alias of reset takes none.
        let ours = uri.contains("127.0.0.1/_local") || uri.contains("/moto-api");
        let request = if ours { request } else { sign(request) }.body(SdkBody::empty()).unwrap();
        let answer = backend.handle(request).await;
        let body = answer.body().bytes().unwrap();
        (answer.status().as_u16(), serde_json::from_slice(body).unwrap_or_default())
    }

    #[tokio::test]
    async fn the_routes_answer_and_are_not_recorded() {
        let backend = LocalBackend::new();
        let (status, health) = send(&backend, "GET", "http://127.0.0.1:4566/_local/health").await;
        assert_eq!((status, &health["status"], &health["version"]), (200, &json!("ok"), &json!("0.1.0")));
        assert!(health["services"].as_array().unwrap().contains(&json!("sagemaker")), "{health}");

        send(&backend, "PUT", "http://127.0.0.1/data").await;
        send(&backend, "GET", "http://127.0.0.1/data/none").await;
        let (_, all) = send(&backend, "GET", "http://127.0.0.1/_local/requests").await;
        assert_eq!(all["requests"].as_array().unwrap().len(), 2);
        let (_, some) = send(&backend, "GET", "http://127.0.0.1/_local/requests?service=s3&operation=GetObject").await;
        assert_eq!(some["requests"][0]["status"], 404);
        assert_eq!(some["requests"].as_array().unwrap().len(), 1);
        let (_, none) = send(&backend, "GET", "http://127.0.0.1/_local/requests?service=logs").await;
        assert_eq!(none["requests"], json!([]));

        assert_eq!(send(&backend, "GET", "http://127.0.0.1/_local/reset").await.0, 405);
        assert_eq!(send(&backend, "GET", "http://127.0.0.1/_local/").await.0, 404);
        for reset in ["/_local/reset", "/moto-api/reset"] {
            send(&backend, "PUT", "http://127.0.0.1/data").await;
            let (status, answer) = send(&backend, "POST", &format!("http://127.0.0.1{reset}")).await;
            assert_eq!((status, answer), (200, json!({"status": "ok"})));
            assert_eq!(backend.requests(), []);
        }
    }

    #[tokio::test]
    async fn keys_of_virtual_hosted_buckets_are_no_routes() {
        let backend = LocalBackend::new();
        assert_eq!(send(&backend, "PUT", "http://data.localhost/").await.0, 200);
        assert_eq!(send(&backend, "PUT", "http://data.localhost/_local/health").await.0, 200);
        assert_eq!(send(&backend, "POST", "http://data.localhost/_local/reset").await.0, 405);
        assert_eq!(send(&backend, "HEAD", "http://data.localhost/_local/health").await.0, 200);
    }
}
