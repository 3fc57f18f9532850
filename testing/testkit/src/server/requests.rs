//! Sends requests to a server's two listeners.

use anyhow::{Context, ensure};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{OPERATOR, TestServer};
use crate::http_client::{ApiCall, ApiResponse};

impl TestServer {
    /// How the server sees a dependency (`warm`, `cold`, …), as `/readyz` says.
    ///
    /// # Errors
    /// No response, or an unknown dependency.
    pub async fn dependency_health(&self, dependency: &str) -> anyhow::Result<String> {
        let ready = self.operator.call(Method::GET, "/readyz", ApiCall::default()).await?.json();
        let all = ready["dependencies"].as_array().context("dependencies")?;
        let found = all.iter().find(|one| one["dependency"] == dependency).context("the dependency")?;
        Ok(found["health"].as_str().unwrap_or_default().to_owned())
    }

    /// Makes an organization with the operator's key; the body of the response, with its first `api_key`.
    ///
    /// # Errors
    /// The server was started without [`ServerOptions::with_operator`], or the slug is taken.
    pub async fn organization(&self, slug: &str) -> anyhow::Result<Value> {
        let body = json!({"name": slug, "slug": slug});
        let call = ApiCall { bearer: Some(OPERATOR), body: Some(&body), ..ApiCall::default() };
        self.operator.call(Method::POST, "/api/v1/organizations", call).await?.must(201)
    }

    /// A request to a path of the public listener.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.client.request(method, path)
    }

    /// A request to a path of the internal listener.
    pub fn internal_request(&self, method: &str, path: &str) -> RequestBuilder {
        self.operator.request(method, path)
    }

    /// Sends a request and reads its response.
    ///
    /// # Errors
    /// No whole response came.
    pub async fn send(&self, request: RequestBuilder) -> anyhow::Result<ApiResponse> {
        self.client.send(request).await
    }

    /// `POST` of JSON, with a bearer's key unless it is empty; the body of a response that must be a success.
    ///
    /// # Errors
    /// No whole response came, or no success.
    pub async fn post(&self, path: &str, key: &str, body: &Value) -> anyhow::Result<Value> {
        self.success(self.request("POST", path).json(body), key).await.with_context(|| format!("POST {path}"))
    }

    /// `GET` with a bearer's key unless it is empty; the body of a response that must be a success.
    ///
    /// # Errors
    /// No whole response came, or no success.
    pub async fn get(&self, path: &str, key: &str) -> anyhow::Result<Value> {
        self.success(self.request("GET", path), key).await.with_context(|| format!("GET {path}"))
    }

    async fn success(&self, request: RequestBuilder, key: &str) -> anyhow::Result<Value> {
        let request = if key.is_empty() { request } else { request.bearer_auth(key) };
        let response = self.send(request).await?;
        ensure!(response.is_success(), "{} {}", response.status, response.body);
        Ok(response.json())
    }
}
