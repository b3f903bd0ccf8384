//! The storefront: three files inside the program.

use actix_web::HttpResponse;
use actix_web::http::header;

/// Scripts, styles and requests from here only, and nobody may frame it.
pub const CONTENT_POLICY: &str =
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";

/// A new release shows within minutes, and a rush does not fetch the page again and again.
const MAX_AGE: &str = "public, max-age=60";

fn file(kind: &'static str, body: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(kind)
        .insert_header((header::CACHE_CONTROL, MAX_AGE))
        .insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_POLICY))
        .body(body)
}

/// The storefront.
#[utoipa::path(get, path = "/", tag = "pages",
    responses((status = 200, description = "The storefront.", body = String, content_type = "text/html")))]
pub async fn index() -> HttpResponse {
    file("text/html; charset=utf-8", include_str!("../../assets/index.html"))
}

/// Its script.
#[utoipa::path(get, path = "/assets/shop.js", tag = "pages",
    responses((status = 200, description = "Its script.", body = String, content_type = "text/javascript")))]
pub async fn script() -> HttpResponse {
    file("text/javascript; charset=utf-8", include_str!("../../assets/shop.js"))
}

/// Its style.
#[utoipa::path(get, path = "/assets/shop.css", tag = "pages",
    responses((status = 200, description = "Its style.", body = String, content_type = "text/css")))]
pub async fn style() -> HttpResponse {
    file("text/css; charset=utf-8", include_str!("../../assets/shop.css"))
}
