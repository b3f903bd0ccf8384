//! A sale as it is, once a second.

use std::time::Duration;

use actix_web::web::{Bytes, Data};
use actix_web::{Error, HttpRequest, HttpResponse};
use futures_util::Stream;
use futures_util::stream::unfold;
use tokio_util::sync::CancellationToken;

use super::sale_id;
use super::sales::find;
use crate::edge::Edge;
use crate::health::Status;
use crate::live::Watching;
use crate::load::Shed;
use crate::problem::{Code, Problem};

/// A comment this often keeps proxies from closing a silent stream: one that tells each second is silent only while
/// something is wrong.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// First an event `history` with the whole sale so far (again, where it could not be read at first), then once a second
/// an event `live`. However many watch, the stores are asked once.
#[utoipa::path(get, path = "/admin/v1/sales/{sale}/live", tag = "operators", security(("adminKey" = [])),
    params(("sale" = String, Path, description = "Its id")),
    extensions(("x-problems" = json!(["unauthenticated", "not-found", "overloaded", "not-ready"]))),
    responses((status = 200, description = "Events: `LiveHistory`, then `Live` after `Live`.", body = String,
               content_type = "text/event-stream")))]
pub async fn stream(request: HttpRequest, edge: Data<Edge>, status: Data<Status>) -> Result<HttpResponse, Problem> {
    let id = sale_id(&request)?;
    let listed = match edge.catalog.listed(&id) {
        Some(listed) => listed.sale.number,
        // Not read yet, or over for so long that nothing of it moves.
        None => {
            find(&edge, &id).await?;
            return Err(Problem::new(Code::NotFound, format!("Sale {id} is over; its report tells how it went.")));
        }
    };
    let (edge, status) = (edge.into_inner(), status.into_inner());
    let watching = edge.live.watch(&edge, &status, listed, id).ok_or_else(|| {
        Shed::Streams.count();
        Problem::overloaded()
    })?;
    Ok(HttpResponse::Ok()
        .insert_header(("content-type", "text/event-stream"))
        .insert_header(("cache-control", "no-store"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(events(watching, edge.stop.clone())))
}

fn events(watching: Watching, stop: CancellationToken) -> impl Stream<Item = Result<Bytes, Error>> {
    unfold((watching, stop), |(mut watching, stop)| async move {
        let next = tokio::time::timeout(KEEP_ALIVE, watching.next());
        let word = match stop.run_until_cancelled(next).await? {
            Ok(event) => event?,
            Err(_) => Bytes::from_static(b": still here\n\n"),
        };
        Some((Ok(word), (watching, stop)))
    })
}
