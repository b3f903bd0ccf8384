//! Is the user that everybody knows still there?

use std::time::Duration;

use lapin::uri::AMQPUri;
use lapin::{Connection, ConnectionProperties};

use super::settings::RabbitSettings;

/// A broker that takes longer has other problems, which its health check tells.
const PATIENCE: Duration = Duration::from_secs(3);

/// Does the broker let `guest` with the password `guest` in, from where we are? An error: it cannot be asked.
pub async fn lets_guest_in(settings: &RabbitSettings) -> Result<bool, String> {
    let mut uri: AMQPUri = settings.checked_url()?.parse()?;
    "guest".clone_into(&mut uri.authority.userinfo.username);
    "guest".clone_into(&mut uri.authority.userinfo.password);
    let connecting = Connection::connect_uri(uri, ConnectionProperties::default());
    match tokio::time::timeout(PATIENCE, connecting).await {
        Ok(Ok(connection)) => {
            let _ = connection.close(200, "asked".into()).await;
            Ok(true)
        }
        Ok(Err(_)) => Ok(false),
        Err(_) => Err("the broker does not answer".to_owned()),
    }
}
