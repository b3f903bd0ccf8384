//! Every route of both ports, on one page.

use actix_web::guard;
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::{FromRequest, Handler, Resource, Responder, Route, web};

use crate::assets;
use crate::auth::{require_admin, require_metrics};
use crate::buyers::{challenge, demo, events, jobs, mine, orders, payments, sales, tokens};
use crate::envelope::RouteMetrics;
use crate::health;
use crate::operators::{
    self, audit, changes, concurrency, dead_letters, jobs as hanging, ledger, performance, reconcile, restock, session,
};
use crate::problem::Problem;

/// The buyers' port.
pub fn buyers(with_demo: bool) -> Vec<At> {
    let mut routes = vec![
        at("/api/v1/sales/{sale}/orders").post(orders::create),
        at("/api/v1/sales/{sale}/tokens").post(tokens::create),
        at("/api/v1/jobs/{jobId}").get(jobs::get),
        at("/api/v1/jobs/{jobId}/events").get(events::stream),
        at("/api/v1/sales").get(sales::list),
        at("/api/v1/sales/{sale}").get(sales::get),
        at("/api/v1/time").get(sales::time),
        at("/api/v1/challenge").get(challenge::get),
        at("/api/v1/orders/{order}").get(mine::get),
        at("/api/v1/orders/{order}/cancel").post(mine::cancel),
        at("/api/v1/orders/{order}/payments").post(payments::start),
        at("/api/v1/payments/webhook").post(payments::webhook),
        at("/api/v1/me/orders").get(mine::list),
        at("/livez").get(health::livez),
        at("/readyz").get(health::readyz),
        at("/").page(assets::shop),
        at("/assets/{file}").page(assets::get),
    ];
    if with_demo {
        routes.push(at("/api/v1/demo/buyers").post(demo::create));
    }
    routes
}

/// The operators' port. All but the probes, the pages' files and the sign-in are behind a key, or the session that it
/// began.
pub fn operators() -> Vec<At> {
    vec![
        at("/").page(assets::console),
        at("/assets/{file}").page(assets::get),
        at("/admin/v1/session").post(session::create).admin_get(session::get).admin_delete(session::delete),
        at("/admin/v1/sales").admin_get(operators::sales::list).admin_post(operators::sales::create),
        at("/admin/v1/sales/{sale}").admin_get(operators::sales::get).admin_patch(operators::sales::patch),
        at("/admin/v1/sales/{sale}/warm").admin_post(changes::warm),
        at("/admin/v1/sales/{sale}/open").admin_post(changes::open),
        at("/admin/v1/sales/{sale}/pause").admin_post(changes::pause),
        at("/admin/v1/sales/{sale}/resume").admin_post(changes::resume),
        at("/admin/v1/sales/{sale}/close").admin_post(changes::close),
        at("/admin/v1/sales/{sale}/restock").admin_post(restock::create),
        at("/admin/v1/sales/{sale}/ledger").admin_get(ledger::get),
        at("/admin/v1/sales/{sale}/reconcile").admin_post(reconcile::create),
        at("/admin/v1/jobs/{jobId}/discard").admin_post(hanging::discard),
        at("/admin/v1/dead-letters").admin_get(dead_letters::list),
        at("/admin/v1/dead-letters/replay").admin_post(dead_letters::replay),
        at("/admin/v1/dead-letters/discard").admin_post(dead_letters::discard),
        at("/admin/v1/quotas").admin_get(operators::quotas::get).admin_put(operators::quotas::put),
        at("/admin/v1/audit-log").admin_get(audit::list),
        at("/api/v1/concurrency/config").admin_get(concurrency::config).admin_put(concurrency::change),
        at("/api/v1/concurrency/usage").admin_get(concurrency::usage),
        at("/api/v1/concurrency/stats").admin_get(concurrency::stats),
        at("/api/v1/concurrency/reset").admin_post(concurrency::reset),
        at("/admin/v1/limits").admin_get(operators::limits::get).admin_put(operators::limits::put),
        at("/admin/v1/performance").admin_get(performance::get),
        at("/openapi.json").admin_get(operators::pages::openapi),
        at("/docs").admin_get(operators::pages::docs),
    ]
    .into_iter()
    .chain(status())
    .collect()
}

/// What every process answers to whoever watches it.
pub fn status() -> Vec<At> {
    vec![
        at("/livez").get(health::livez),
        at("/readyz").get(health::readyz),
        at("/metrics").metrics_get(health::metrics),
    ]
}

/// A path and what can be done there.
pub struct At {
    path: &'static str,
    methods: Vec<Method>,
    has_head: bool,
    resource: Resource,
}

fn at(path: &'static str) -> At {
    At { path, methods: Vec::new(), has_head: false, resource: web::resource(path) }
}

macro_rules! verbs {
    ($($(#[doc = $doc:literal])* $name:ident $method:ident $(behind $guard:ident)?;)*) => {
        $($(#[doc = $doc])*
        fn $name<H, A>(self, handler: H) -> Self
        where
            H: Handler<A>,
            A: FromRequest + 'static,
            H::Output: Responder + 'static,
        {
            let route = web::method(Method::$method).to(handler);
            $(let route = route.wrap(from_fn($guard));)?
            self.with(Method::$method, route)
        })*
    };
}

impl At {
    verbs! {
        get GET;
        post POST;
        admin_get GET behind require_admin;
        admin_post POST behind require_admin;
        admin_put PUT behind require_admin;
        admin_patch PATCH behind require_admin;
        admin_delete DELETE behind require_admin;
        metrics_get GET behind require_metrics;
    }

    /// A file that everybody may have: GET, and HEAD for whoever wants to know whether it is there.
    fn page<H, A>(mut self, handler: H) -> Self
    where
        H: Handler<A>,
        A: FromRequest + 'static,
        H::Output: Responder + 'static,
    {
        self.has_head = true;
        let either = guard::Any(guard::Get()).or(guard::Head());
        self.with(Method::GET, web::route().guard(either).to(handler))
    }

    fn with(mut self, method: Method, route: Route) -> Self {
        self.methods.push(method);
        self.resource = self.resource.route(route);
        self
    }

    /// The pattern of the path.
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// The methods that are served there; HEAD goes without saying where a page is.
    pub fn methods(&self) -> &[Method] {
        &self.methods
    }

    /// For the application: with its measures, and the answer to every other method.
    pub(crate) fn into_resource(self) -> Resource {
        let head = self.has_head.then_some("HEAD");
        let allow = self.methods.iter().map(Method::as_str).chain(head).collect::<Vec<_>>().join(", ");
        let refuse = move || {
            let problem = Problem::method_not_allowed(&allow);
            async move { Err::<actix_web::HttpResponse, Problem>(problem) }
        };
        self.resource.app_data(RouteMetrics::new(self.path)).default_service(web::to(refuse))
    }
}
