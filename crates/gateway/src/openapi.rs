//! The description of both ports, made from the handlers. Each handler lists its successes and the codes of its
//! problems; statuses and bodies of the latter come from `problem.rs`, so that they cannot disagree.

use std::collections::BTreeMap;

use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use crate::live::{HistoryBody, LiveBody};
use crate::problem::{Code, ProblemBody};
use crate::{buyers, health, operators};

#[derive(OpenApi)]
#[openapi(
    info(title = "Seckill", description = "A flash-sale order system: buyers' port and operators' port."),
    paths(
        buyers::orders::create, buyers::tokens::create, buyers::challenge::get, buyers::jobs::get, buyers::events::stream,
        buyers::sales::list, buyers::sales::get, buyers::sales::time, buyers::mine::get, buyers::mine::list,
        buyers::mine::cancel, buyers::payments::start, buyers::payments::webhook,
        buyers::demo::create, buyers::pages::script, buyers::pages::style,
        health::livez, health::readyz, health::metrics,
        operators::sales::create, operators::sales::list, operators::sales::get, operators::sales::patch,
        operators::changes::warm, operators::changes::open, operators::changes::pause, operators::changes::resume,
        operators::changes::close, operators::restock::create, operators::ledger::get,
        operators::live::stream, operators::report::get,
        operators::reconcile::create, operators::jobs::discard, operators::dead_letters::list,
        operators::dead_letters::replay, operators::dead_letters::discard,
        operators::concurrency::config, operators::concurrency::change, operators::concurrency::usage,
        operators::concurrency::stats, operators::concurrency::reset,
        operators::quotas::get, operators::quotas::put, operators::audit::list,
        operators::limits::get, operators::limits::put, operators::performance::get,
        operators::pages::openapi, operators::pages::docs,
    ),
    components(schemas(ProblemBody<'static>, HistoryBody, LiveBody)),
    tags(
        (name = "purchases", description = "Token, purchase, job"),
        (name = "sales", description = "What is sold, and when"),
        (name = "orders", description = "For their owner"),
        (name = "operators", description = "On the operators' port, behind its key"),
        (name = "health", description = "On both ports"),
        (name = "pages", description = "The storefront. `GET /` is the console's index on the operators' port"),
        (name = "demo", description = "In the demo profile only"),
    ),
    modifiers(&Problems, &Schemes)
)]
struct Document;

/// The OpenAPI 3.1 description of both ports.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    // One document, two ports: the two pages at `/` are one entry.
    document.merge(IndexPage::openapi());
    document
}

#[derive(OpenApi)]
#[openapi(paths(buyers::pages::index))]
struct IndexPage;

/// Turns `x-problems` of each operation into responses.
struct Problems;

impl Modify for Problems {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        for (path, item) in &mut document.paths.paths {
            let is_counted = path.starts_with("/api/v1/") && !path.starts_with("/api/v1/concurrency/");
            operations(item).for_each(|operation| describe(operation, is_counted));
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.patch].into_iter().flatten()
}

/// `is_counted`: on the buyers' port, where each request may be refused because there are too many.
fn describe(operation: &mut Operation, is_counted: bool) {
    let listed = operation.extensions.as_mut().and_then(|extensions| extensions.remove("x-problems"));
    operation.extensions = operation.extensions.take().filter(|extensions| !extensions.is_empty());
    let mut by_status: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    let listed = listed.as_ref().and_then(serde_json::Value::as_array);
    let words = listed.into_iter().flatten().filter_map(serde_json::Value::as_str);
    let words: Vec<&str> = words.chain(is_counted.then_some(Code::Overloaded.as_str())).collect();
    for code in Code::ALL.iter().filter(|code| words.contains(&code.as_str())) {
        by_status.entry(code.status().as_u16()).or_default().push(code.as_str());
    }
    for (status, codes) in by_status {
        let body = Content::new(Some(RefOr::Ref(Ref::from_schema_name("Problem"))));
        let response = ResponseBuilder::new()
            .description(codes.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(", "))
            .content("application/problem+json", body)
            .build();
        operation.responses.responses.insert(status.to_string(), response.into());
    }
}

/// How to show who is asking.
struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = |what: &str| {
            SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(what)).build())
        };
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("buyer", bearer("The JWT of the buyers' identity provider"));
        components.add_security_scheme("adminKey", bearer("The operators' key; also as password of HTTP Basic"));
        components.add_security_scheme("metricsKey", bearer("Opens /metrics only"));
    }
}
