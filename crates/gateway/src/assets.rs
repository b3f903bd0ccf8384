//! The pages for people: what `web/` builds, inside the program and served from memory on both ports.
//!
//! They hold no data and no secret, so everybody may have them; what they show, they ask for. A file of `assets/` has
//! the hash of its content in its name and never changes. The build has compressed what shrinks: nothing is compressed
//! while somebody waits.

use std::collections::HashMap;
use std::sync::LazyLock;

use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use include_dir::{Dir, include_dir};
use sha2::{Digest as _, Sha256};

use crate::buyers::part;
use crate::hex::hex;
use crate::problem::Problem;
use crate::views::matches_tag;

/// Scripts, styles and requests from here only, and nobody may frame it.
pub const CONTENT_POLICY: &str =
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";

/// A new release shows within a minute, and a rush does not fetch the page again and again.
const FOR_A_MINUTE: &str = "public, max-age=60";

/// Operators are few and have to see what is there now; the tag makes it cheap.
const ASK_AGAIN: &str = "no-cache";

/// Another content has another name.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

static DIST: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../web/dist");

/// By their path, for example `assets/shop-1a2b3c4d.js`.
static FILES: LazyLock<HashMap<&'static str, Asset>> = LazyLock::new(|| {
    let folders = DIST.dirs().chain([&DIST]);
    let files = folders.flat_map(Dir::files).filter_map(|file| Some((file.path().to_str()?, file.contents())));
    let all: HashMap<&str, &[u8]> = files.collect();
    let named = all.iter().filter(|(path, _)| !path.ends_with(".gz"));
    named
        .map(|(path, plain)| (*path, Asset::new(path, plain, all.get(format!("{path}.gz").as_str()).copied())))
        .collect()
});

struct Asset {
    kind: &'static str,
    plain: Coded,
    gzip: Option<Coded>,
}

/// Bytes and their tag: the same on every gateway with the same pages, and another one for another coding.
struct Coded {
    bytes: &'static [u8],
    tag: String,
}

impl Asset {
    fn new(path: &str, plain: &'static [u8], gzip: Option<&'static [u8]>) -> Self {
        let hash = hex(&Sha256::digest(plain)[..8]);
        let gzip = gzip.map(|bytes| Coded { bytes, tag: format!("\"{hash}-gz\"") });
        Self { kind: kind(path), plain: Coded { bytes: plain, tag: format!("\"{hash}\"") }, gzip }
    }

    fn answer(&self, request: &HttpRequest, keep: &'static str) -> HttpResponse {
        let gzip = self.gzip.as_ref().filter(|_| takes_gzip(request.headers()));
        let coded = gzip.unwrap_or(&self.plain);
        let known = matches_tag(request, &coded.tag);
        let mut answer = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        answer
            .insert_header((header::ETAG, coded.tag.as_str()))
            .insert_header((header::CACHE_CONTROL, keep))
            .insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_POLICY));
        if self.gzip.is_some() {
            answer.insert_header((header::VARY, "Accept-Encoding"));
        }
        if known {
            return answer.finish();
        }
        if gzip.is_some() {
            answer.insert_header((header::CONTENT_ENCODING, HeaderValue::from_static("gzip")));
        }
        answer.insert_header((header::CONTENT_TYPE, self.kind)).body(coded.bytes)
    }
}

fn kind(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Does the caller name gzip, or anything, and not with weight 0?
fn takes_gzip(headers: &HeaderMap) -> bool {
    let sent = headers.get_all(header::ACCEPT_ENCODING).filter_map(|value| value.to_str().ok());
    let weights = sent.flat_map(|value| value.split(',')).filter_map(|coding| {
        let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = parameters.trim().strip_prefix("q=").map_or(Some(1.0), |q| q.trim().parse::<f32>().ok())?;
        Some((name.trim().to_ascii_lowercase(), weight))
    });
    let mut anything = false;
    for (name, weight) in weights {
        match name.as_str() {
            "gzip" => return weight > 0.0,
            "*" => anything = weight > 0.0,
            _ => {}
        }
    }
    anything
}

fn file(request: &HttpRequest, path: &str, keep: &'static str) -> Result<HttpResponse, Problem> {
    FILES.get(path).map(|asset| asset.answer(request, keep)).ok_or_else(Problem::not_found)
}

/// The storefront; on the operators' port their console.
#[utoipa::path(get, path = "/", tag = "pages",
    params(("If-None-Match" = Option<String>, Header, description = "The ETag of an earlier answer")),
    responses((status = 200, description = "The page. HEAD is answered too.", body = String, content_type = "text/html",
               headers(("ETag" = String, description = "For If-None-Match"))),
              (status = 304, description = "It has not changed.")))]
pub async fn shop(request: HttpRequest) -> Result<HttpResponse, Problem> {
    file(&request, "shop.html", FOR_A_MINUTE)
}

/// The operators' console. It asks for the key itself.
pub async fn console(request: HttpRequest) -> Result<HttpResponse, Problem> {
    file(&request, "console.html", ASK_AGAIN)
}

/// A script, style or picture of the pages.
#[utoipa::path(get, path = "/assets/{file}", tag = "pages",
    params(("file" = String, Path, description = "Its name, as the page says it"),
           ("If-None-Match" = Option<String>, Header, description = "The ETag of an earlier answer")),
    extensions(("x-problems" = json!(["not-found"]))),
    responses((status = 200, description = "For ever: another content has another name. HEAD is answered too.",
               body = Vec<u8>, content_type = "application/octet-stream",
               headers(("ETag" = String, description = "For If-None-Match"))),
              (status = 304, description = "It has not changed.")))]
pub async fn get(request: HttpRequest) -> Result<HttpResponse, Problem> {
    file(&request, &format!("assets/{}", part(&request, "file")), FOR_EVER)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn both_pages_are_there_and_every_file_has_a_kind() {
        assert!(FILES.contains_key("shop.html") && FILES.contains_key("console.html"));
        for (path, asset) in FILES.iter() {
            assert_ne!(asset.kind, "application/octet-stream", "{path}");
            assert!(!asset.plain.bytes.is_empty(), "{path}");
            if let Some(gzip) = &asset.gzip {
                let length = u32::try_from(asset.plain.bytes.len()).unwrap().to_le_bytes();
                assert!(
                    gzip.bytes.starts_with(&[0x1f, 0x8b]) && gzip.bytes.ends_with(&length),
                    "{path}.gz is of another file"
                );
            }
        }
    }

    #[test]
    fn gzip_is_sent_to_whoever_takes_it() {
        let takes = |text: &str| {
            let request = TestRequest::default().insert_header((header::ACCEPT_ENCODING, text)).to_http_request();
            takes_gzip(request.headers())
        };
        for yes in ["gzip", "br, GZIP;q=0.5", "deflate, gzip ; q=1", "*", "*;q=0, gzip"] {
            assert!(takes(yes), "{yes}");
        }
        for no in ["", "br", "gzip;q=0", "gzip;q=0.0, *", "*;q=0", "gzip;q=x", "gzipped"] {
            assert!(!takes(no), "{no}");
        }
        assert!(!takes_gzip(TestRequest::default().to_http_request().headers()));
    }
}
