//! The ceiling that `cargo xtask bench` compares with: actix-web and nothing else. It reads each request's body and gives
//! one fixed answer, whose bytes are those that the product was seen to give: as many headers, as long a body.
//!
//!     bare ADDRESS FILE        FILE: one answer of the product, head and body, as it came over the wire

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpResponse, HttpServer};

/// What every request gets.
struct Answer {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, file] = &arguments[..] else { return Err(std::io::Error::other("usage: bare ADDRESS FILE")) };
    let text = std::fs::read_to_string(file)?;
    let answer = Data::new(parse(&text).ok_or_else(|| std::io::Error::other("FILE is not an HTTP answer"))?);
    // As many as the product's gateway starts by default.
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    HttpServer::new(move || App::new().app_data(answer.clone()).default_service(web::to(reply)))
        .workers(workers)
        .bind(address.as_str())?
        .run()
        .await
}

async fn reply(answer: Data<Answer>, _read: Bytes) -> HttpResponse {
    let mut response = HttpResponse::build(answer.status);
    for header in &answer.headers {
        response.append_header(header.clone());
    }
    response.body(answer.body.clone())
}

fn parse(text: &str) -> Option<Answer> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        // actix-web writes these itself.
        .filter(|(name, _)| !["content-length", "date", "connection"].contains(&name.to_ascii_lowercase().as_str()))
        .filter_map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?)))
        .collect();
    Some(Answer { status, headers, body: Bytes::copy_from_slice(body.as_bytes()) })
}
