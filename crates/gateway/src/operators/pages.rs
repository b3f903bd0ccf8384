//! The description of the whole interface, for people and for programs.

use std::fmt::Write as _;
use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header;
use serde_json::Value;

use crate::assets::CONTENT_POLICY;

fn page(title: &str, body: &str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_POLICY))
        .body(format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta name=\"color-scheme\" content=\"light dark\"><title>{title}</title></head>\n\
             <body><main><h1>{title}</h1>\n{body}</main></body></html>\n"
        ))
}

/// The description of both ports, for programs.
#[utoipa::path(get, path = "/openapi.json", tag = "operators", security(("adminKey" = [])),
    extensions(("x-problems" = json!(["unauthenticated"]))),
    responses((status = 200, description = "OpenAPI 3.1.", body = Object)))]
pub async fn openapi() -> HttpResponse {
    static TEXT: LazyLock<String> = LazyLock::new(|| crate::openapi().to_json().unwrap_or_default());
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(TEXT.as_str())
}

/// The description of both ports, for people.
#[utoipa::path(get, path = "/docs", tag = "operators", security(("adminKey" = [])),
    extensions(("x-problems" = json!(["unauthenticated"]))),
    responses((status = 200, description = "Every route and its answers.", body = String, content_type = "text/html")))]
pub async fn docs() -> HttpResponse {
    static BODY: LazyLock<String> = LazyLock::new(|| operations(&serde_json::json!(crate::openapi())));
    page("Routes", &BODY)
}

fn operations(document: &Value) -> String {
    let mut html = String::new();
    let object = |value: &Value| value.as_object().cloned().unwrap_or_default();
    for (path, methods) in object(&document["paths"]) {
        for (method, operation) in object(&methods) {
            let text = |value: &Value| escaped(value.as_str().unwrap_or_default());
            let heading = format!("{} {}", method.to_uppercase(), escaped(&path));
            let _ = writeln!(
                html,
                "<section><h2><code>{heading}</code></h2>\n<p>{}</p>\n<dl>",
                text(&operation["summary"])
            );
            for (status, response) in object(&operation["responses"]) {
                let _ = writeln!(html, "<dt>{status}</dt><dd>{}</dd>", text(&response["description"]));
            }
            html.push_str("</dl></section>\n");
        }
    }
    html
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
