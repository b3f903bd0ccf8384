//! What makes a configuration unsafe, and what about it: refused at start, or said as a warning. All findings are
//! collected, so that one look shows everything that has to be mended.

use std::fmt;
use std::net::IpAddr;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Nothing starts with it.
    Refused,
    /// It starts, and says so in the log and in `seckill check`.
    Warning,
}

/// Something about the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The key, with its section. Empty where none can be named.
    pub key: String,
    pub weight: Weight,
    /// What is wrong, and what to do. Never a value that may be a secret.
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key.as_str() {
            "" => f.write_str(&self.text),
            key => write!(f, "{key}: {}", self.text),
        }
    }
}

/// Everything that was found.
#[derive(Debug, Default)]
pub struct Findings(pub Vec<Finding>);

impl Findings {
    pub fn refuse(&mut self, key: impl Into<String>, text: impl Into<String>) {
        self.0.push(Finding { key: key.into(), weight: Weight::Refused, text: text.into() });
    }

    pub fn warn(&mut self, key: impl Into<String>, text: impl Into<String>) {
        self.0.push(Finding { key: key.into(), weight: Weight::Warning, text: text.into() });
    }

    /// The value; an error, which names its key itself, becomes a finding.
    pub fn take<T>(&mut self, result: anyhow::Result<T>) -> Option<T> {
        result.map_err(|error| self.refuse("", format!("{error:#}"))).ok()
    }

    pub fn refused(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter().filter(|finding| finding.weight == Weight::Refused)
    }

    pub fn warnings(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter().filter(|finding| finding.weight == Weight::Warning)
    }
}

/// Passwords that everybody tries first.
const GUESSED: &[&str] = &[
    "", "guest", "postgres", "redis", "rabbitmq", "seckill", "admin", "root", "password", "secret", "changeme",
    "123456",
];

/// Which service an address belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    Redis,
    RabbitMq,
    Postgres,
}

/// What there is to say about a service's address. It was found to have one of the service's schemes.
pub fn address(service: Service, key: &str, url: &str, findings: &mut Findings) {
    let Some((scheme, rest)) = url.split_once("://") else { return };
    let (authority, query) = (rest.split(['/', '?']).next().unwrap_or_default(), rest.split_once('?'));
    let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    let (user, password) = match user.map(|user| user.split_once(':').unwrap_or((user, ""))) {
        Some((user, password)) => (user, Some(password)),
        // What the client sends where nothing is said.
        None if service == Service::RabbitMq => ("guest", Some("guest")),
        None => ("", None),
    };
    let socket = query.is_some_and(|(_, query)| query.split('&').any(|part| part.starts_with("host=/")));
    let near = socket || is_near(host);
    let guessed = password.is_some_and(|password| {
        GUESSED.contains(&password.to_ascii_lowercase().as_str()) && !(password.is_empty() && user.is_empty())
            || (!user.is_empty() && password == user)
    });
    let mut exposed = |text: &str| match near {
        true => findings.warn(key, text),
        false => findings.refuse(key, text),
    };
    match (service, password) {
        (Service::Redis, None | Some("")) => {
            exposed(
                "has no password: whoever reaches that server decides about every sale; set one, or use deploy/redis/users.acl",
            );
        }
        (Service::RabbitMq, _) if user == "guest" => {
            exposed("logs in as guest, whom everybody knows; create a user, as in deploy/rabbitmq/definitions.json");
        }
        // Without a password: by the server's own rules, a socket's owner for example.
        (Service::Postgres, None | Some("")) if near => {}
        (Service::Postgres, None | Some("")) => exposed("has no password: whoever reaches that server is let in"),
        _ if guessed => exposed("has a password that everybody tries first; choose another"),
        _ => {}
    }
    let encrypted = match service {
        Service::Postgres => {
            let modes = ["sslmode=require", "sslmode=verify-ca", "sslmode=verify-full"];
            query.is_some_and(|(_, query)| modes.iter().any(|mode| query.contains(mode)))
        }
        Service::Redis => scheme == "rediss",
        Service::RabbitMq => scheme == "amqps",
    };
    if !near && !encrypted {
        findings.warn(key, "is not encrypted: on a network that others share, use TLS");
    }
}

/// Reached without leaving this machine?
fn is_near(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.is_empty() || name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// What there is to say about addresses that are listened on.
pub fn listeners(listen: IpAddr, operators: Option<IpAddr>, gateway: &gateway::GatewaySettings, found: &mut Findings) {
    if operators.is_some_and(|ip| !ip.is_loopback()) && !gateway.operators_exposed {
        found.refuse(
            "gateway.operators",
            "is an address that other machines reach, and its key opens everything; use 127.0.0.1, or say \
             gateway.operators_exposed = true where a private network or a proxy guards it",
        );
    }
    if gateway.demo && !listen.is_loopback() && !gateway.demo_exposed {
        found.refuse(
            "gateway.listen",
            "is an address that other machines reach, and in the demo profile anybody is any buyer; use 127.0.0.1, or \
             say gateway.demo_exposed = true where something else guards it",
        );
    }
}

/// What there is to say about secrets beside each other. `others`: every other secret, with its key.
pub fn secrets(admin: Option<&str>, metrics: Option<&str>, others: &[(&str, &str)], found: &mut Findings) {
    /// Shorter ones get guessed.
    const METRICS_KEY_MIN: usize = 16;

    if metrics.is_some_and(|key| key.len() < METRICS_KEY_MIN) {
        found.refuse("secrets.metrics_key", format!("has to be at least {METRICS_KEY_MIN} characters"));
    }
    let named: Vec<(&str, &str)> = [("secrets.admin_key", admin), ("secrets.metrics_key", metrics)]
        .into_iter()
        .filter_map(|(key, secret)| Some((key, secret?)))
        .chain(others.iter().copied())
        .collect();
    for (at, (key, secret)) in named.iter().enumerate() {
        if let Some((other, _)) = named[..at].iter().find(|(_, earlier)| earlier.eq_ignore_ascii_case(secret)) {
            found.refuse(*key, format!("is the same secret as {other}: whoever learns one has both; make another"));
        }
    }
}
