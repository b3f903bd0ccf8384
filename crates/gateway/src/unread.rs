//! A body that nobody reads to its end ends its connection.
//!
//! The framework reads on behind an answer that was given early: for a moment where the length is known, and for ever where
//! it is not, because the handler has dropped the body and an end may come. So we keep it until the answer is on its way,
//! and the framework closes the connection after it.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::HttpMessage as _;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::header;
use actix_web::web::Bytes;
use futures_util::Stream;

/// A body without a length, shared with whoever reads it.
#[derive(Clone)]
pub struct Unread(Rc<Shared>);

struct Shared {
    payload: RefCell<Payload>,
    has_ended: Cell<bool>,
}

impl Unread {
    /// Keeps the body of a request if it has no length; others cost nothing.
    pub fn of(request: &mut ServiceRequest) -> Option<Self> {
        if !request.headers().contains_key(header::TRANSFER_ENCODING) {
            return None;
        }
        let payload = RefCell::new(request.take_payload());
        let unread = Self(Rc::new(Shared { payload, has_ended: Cell::new(false) }));
        request.set_payload(Payload::Stream { payload: Box::pin(unread.clone()) });
        Some(unread)
    }

    /// The answer; where the body was not read to its end, the connection ends with it.
    pub fn end_with(self, response: ServiceResponse) -> ServiceResponse {
        if self.0.has_ended.get() {
            return response;
        }
        response.map_body(|_, body| BoxBody::new(Kept { body, _unread: self }))
    }
}

impl Stream for Unread {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = Pin::new(&mut *self.0.payload.borrow_mut()).poll_next(context);
        self.0.has_ended.set(matches!(next, Poll::Ready(None)));
        next
    }
}

/// An answer, with a body that has to be there when it is sent.
struct Kept {
    body: BoxBody,
    _unread: Unread,
}

impl MessageBody for Kept {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}
