//! The queue, the events and the dead letters on RabbitMQ.
