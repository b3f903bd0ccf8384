//! The pages' files, on both ports.

use reqwest::{RequestBuilder, Response};

use crate::shop::Shop;

/// The files that a page names, its script first.
pub fn named(page: &str) -> Vec<String> {
    let paths = page.split('"').filter(|text| text.starts_with("/assets/")).map(str::to_owned);
    let mut paths: Vec<String> = paths.collect();
    paths.sort_by_key(|path| !path.ends_with(".js"));
    paths
}

async fn answer(request: RequestBuilder) -> Response {
    request.send().await.unwrap()
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ports_show_their_page_to_everybody() {
    let shop = Shop::start().await;
    let (buyers, operators) =
        (shop.get("/").await.expect(200), shop.send(shop.operation("GET", "/")).await.expect(200));
    assert_ne!(buyers.text, operators.text);
    for (page, keep) in [(&buyers, "public, max-age=60"), (&operators, "no-cache")] {
        assert_eq!((page.header("content-type"), page.header("cache-control")), ("text/html; charset=utf-8", keep));
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'self'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!((page.header("x-content-type-options"), page.header("vary")), ("nosniff", "Accept-Encoding"));
        for inline in ["<style", " style=", " onclick=", " src=\"data:"] {
            assert!(!page.text.contains(inline), "the policy forbids {inline}");
        }
    }
    assert!(named(&buyers.text).iter().any(|path| path.ends_with(".js")), "{}", buyers.text);
    for (path, port) in named(&buyers.text).iter().flat_map(|path| [(path, true), (path, false)]) {
        let file = if port { shop.request("GET", path) } else { shop.operation("GET", path) };
        let file = shop.send(file).await.expect(200);
        assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable", "{path}");
        assert!(file.header("content-security-policy").starts_with("default-src 'self'"), "{path}");
        assert_eq!(file.header("x-content-type-options"), "nosniff");
    }
    let wrong = shop.send(shop.request("POST", "/")).await.expect_problem(405, "method-not-allowed");
    assert_eq!(wrong.header("allow"), "GET, HEAD");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_file_of_a_page_is_not_found() {
    let shop = Shop::start().await;
    for path in ["/assets/nothing.js", "/assets/", "/assets/shop.html", "/assets/%2e%2e%2fshop.html", "/shop.html"] {
        shop.get(path).await.expect_problem(404, "not-found");
        shop.send(shop.operation("GET", path)).await.expect_problem(404, "not-found");
    }
    let script = named(&shop.get("/").await.text).remove(0);
    shop.get(&format!("{script}.gz")).await.expect_problem(404, "not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_sent_packed_to_whoever_takes_that_and_only_when_it_is_new() {
    let shop = Shop::start().await;
    let script = named(&shop.get("/").await.text).remove(0);
    for path in ["/", script.as_str()] {
        let plain = answer(shop.request("GET", path)).await;
        let packed = answer(shop.request("GET", path).header("accept-encoding", "br, gzip")).await;
        assert_eq!((header(&plain, "content-encoding"), header(&packed, "content-encoding")), ("", "gzip"));
        assert_eq!(header(&plain, "content-type"), header(&packed, "content-type"));
        let tags = [header(&plain, "etag").to_owned(), header(&packed, "etag").to_owned()];
        assert!(tags[0] != tags[1] && tags.iter().all(|tag| tag.starts_with('"') && tag.len() > 10), "{tags:?}");
        let (plain, packed) = (plain.bytes().await.unwrap(), packed.bytes().await.unwrap());
        assert!(packed.starts_with(&[0x1f, 0x8b]) && packed.len() < plain.len(), "{path}");
        let length = u32::try_from(plain.len()).unwrap().to_le_bytes();
        assert!(packed.ends_with(&length), "{path} is packed from something else");

        for (known, coding, other) in [(&tags[0], "identity", &tags[1]), (&tags[1], "gzip", &tags[0])] {
            let ask = || shop.request("GET", path).header("accept-encoding", coding);
            let same = answer(ask().header("if-none-match", known)).await;
            assert_eq!((same.status().as_u16(), header(&same, "etag")), (304, known.as_str()));
            assert!(!header(&same, "cache-control").is_empty() && header(&same, "vary") == "Accept-Encoding");
            assert!(same.bytes().await.unwrap().is_empty());
            assert_eq!(answer(ask().header("if-none-match", other)).await.status(), 200, "{path}");
        }
        let head = answer(shop.request("HEAD", path)).await;
        assert_eq!((head.status().as_u16(), header(&head, "content-length")), (200, plain.len().to_string().as_str()));
        assert_eq!(header(&head, "etag"), tags[0]);
        assert!(head.bytes().await.unwrap().is_empty());
    }
}
