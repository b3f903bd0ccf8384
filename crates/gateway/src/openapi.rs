//! The description of both ports, made from the handlers. Each handler lists its successes and the codes of its
//! problems; statuses and bodies of the latter come from `problem.rs`, so that they cannot disagree.

use std::collections::BTreeMap;

use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Content, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use crate::problem::{Code, ProblemBody};
use crate::{assets, buyers, health, operators};

#[derive(OpenApi)]
#[openapi(
    info(title = "Seckill", description = "A flash-sale order system: buyers' port and operators' port."),
    paths(
        buyers::orders::create, buyers::tokens::create, buyers::challenge::get, buyers::jobs::get, buyers::events::stream,
        buyers::sales::list, buyers::sales::get, buyers::sales::time, buyers::mine::get, buyers::mine::list,
        buyers::mine::cancel, buyers::payments::start, buyers::payments::webhook,
        buyers::demo::create, assets::shop, assets::get,
        health::livez, health::readyz, health::metrics,
        operators::session::create, operators::session::get, operators::session::delete,
        operators::sales::create, operators::sales::list, operators::sales::get, operators::sales::patch,
        operators::changes::warm, operators::changes::open, operators::changes::pause, operators::changes::resume,
        operators::changes::close, operators::restock::create, operators::ledger::get,
        operators::reconcile::create, operators::jobs::discard, operators::dead_letters::list,
        operators::dead_letters::replay, operators::dead_letters::discard,
        operators::concurrency::config, operators::concurrency::change, operators::concurrency::usage,
        operators::concurrency::stats, operators::concurrency::reset,
        operators::quotas::get, operators::quotas::put, operators::audit::list,
        operators::limits::get, operators::limits::put, operators::performance::get,
        operators::pages::openapi, operators::pages::docs,
    ),
    components(schemas(ProblemBody<'static>)),
    tags(
        (name = "purchases", description = "Token, purchase, job"),
        (name = "sales", description = "What is sold, and when"),
        (name = "orders", description = "For their owner"),
        (name = "operators", description = "On the operators' port, behind its key or a session that it began. A write that comes with the session's \
            cookie needs its `X-CSRF-Token`"),
        (name = "health", description = "On both ports"),
        (name = "pages", description = "The storefront, and on the operators' port the console"),
        (name = "demo", description = "In the demo profile only"),
    ),
    modifiers(&Problems, &Schemes)
)]
struct Document;

const ADMIN_KEY: &str = "adminKey";
const SESSION: &str = "operatorSession";

/// A key has no scopes.
const NOTHING: [&str; 0] = [];

/// The OpenAPI 3.1 description of both ports.
pub fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// Turns `x-problems` of each operation into responses.
struct Problems;

impl Modify for Problems {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        for (path, item) in &mut document.paths.paths {
            for write in [&mut item.post, &mut item.put, &mut item.patch, &mut item.delete].into_iter().flatten() {
                may_be_foreign(write);
            }
            let is_counted = path.starts_with("/api/v1/") && !path.starts_with("/api/v1/concurrency/");
            operations(item).for_each(|operation| describe(operation, is_counted));
        }
    }
}

/// A write behind the key is refused where it does not show that it comes from the console.
fn may_be_foreign(write: &mut Operation) {
    if !is_behind_the_key(write) {
        return;
    }
    let listed = write.extensions.as_mut().and_then(|extensions| extensions.get_mut("x-problems"));
    if let Some(serde_json::Value::Array(codes)) = listed {
        codes.push(Code::Forbidden.as_str().into());
    }
}

fn is_behind_the_key(operation: &Operation) -> bool {
    let key = SecurityRequirement::new(ADMIN_KEY, NOTHING);
    operation.security.as_ref().is_some_and(|any| any.contains(&key))
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete].into_iter().flatten()
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
        components.add_security_scheme(ADMIN_KEY, bearer("The operators' key; also as password of HTTP Basic"));
        components.add_security_scheme("metricsKey", bearer("Opens /metrics only"));
        let what = "The session that `POST /admin/v1/session` begins, in place of the key";
        let cookie = ApiKey::Cookie(ApiKeyValue::with_description("seckill_operator", what));
        components.add_security_scheme(SESSION, SecurityScheme::ApiKey(cookie));
        for operation in document.paths.paths.values_mut().flat_map(operations).filter(|one| is_behind_the_key(one)) {
            operation.security.get_or_insert_default().push(SecurityRequirement::new(SESSION, NOTHING));
        }
    }
}
