//! Clients of the shop.

use std::time::Duration;

use serde_json::Value;

/// An HTTP answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub json: Value,
    pub location: Option<String>,
    pub retry_after: Option<u64>,
    pub content_type: String,
}

impl Answer {
    /// The problem code, or `accepted`, or the status.
    pub fn code(&self) -> String {
        match (self.json["code"].as_str(), self.status) {
            (Some(code), _) => code.to_owned(),
            (None, 202) => "accepted".to_owned(),
            (None, status) => status.to_string(),
        }
    }

    pub fn job(&self) -> String {
        self.json["jobId"].as_str().unwrap_or_else(|| panic!("no jobId in {self:?}")).to_owned()
    }
}

#[derive(Clone)]
pub struct Client {
    pub http: reqwest::Client,
    pub bases: Vec<String>,
    pub operators: Vec<String>,
}

impl Client {
    pub fn new() -> Self {
        let http =
            reqwest::Client::builder().timeout(Duration::from_secs(20)).pool_max_idle_per_host(2000).build().unwrap();
        Self { http, bases: Vec::new(), operators: Vec::new() }
    }

    pub async fn ready(&self, gateway: usize) {
        super::eventually("the gateway is ready", Duration::from_secs(20), || async {
            let answer = self.http.get(format!("{}/readyz", self.bases[gateway])).send().await;
            answer.is_ok_and(|answer| answer.status() == 200)
        })
        .await;
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
        let answer = request.send().await?;
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (location, retry_after) = (header("location"), header("retry-after").and_then(|text| text.parse().ok()));
        let (status, content_type) = (answer.status().as_u16(), header("content-type").unwrap_or_default());
        let body = answer.bytes().await?;
        let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Ok(Answer { status, json, location, retry_after, content_type })
    }

    pub async fn get_on(&self, gateway: usize, path: &str) -> Answer {
        self.send(self.http.get(format!("{}{path}", self.bases[gateway]))).await.unwrap()
    }

    pub async fn post_on(&self, gateway: usize, path: &str, body: &str) -> Result<Answer, reqwest::Error> {
        let request = self.http.post(format!("{}{path}", self.bases[gateway]));
        self.send(request.header("content-type", "application/json").body(body.to_owned())).await
    }

    pub async fn operate(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let method = method.parse().unwrap();
        let mut request =
            self.http.request(method, format!("{}{path}", self.operators[0])).bearer_auth(super::ADMIN_KEY);
        if let Some(body) = body {
            request = request.json(&body);
        }
        self.send(request).await.unwrap()
    }

    /// A request of this buyer, who has logged in.
    pub async fn as_buyer(&self, gateway: usize, method: &str, path: &str, buyer: &str) -> Answer {
        self.as_buyer_with(gateway, method, path, buyer, None).await
    }

    /// The same, with a body.
    pub async fn as_buyer_with(
        &self,
        gateway: usize,
        method: &str,
        path: &str,
        buyer: &str,
        body: Option<Value>,
    ) -> Answer {
        let claims = serde_json::json!({ "sub": buyer, "exp": chrono::Utc::now().timestamp() + 600 });
        let key = jsonwebtoken::EncodingKey::from_secret(&[0xb0; 32]);
        let login = jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).unwrap();
        let request = self.http.request(method.parse().unwrap(), format!("{}{path}", self.bases[gateway]));
        let request = body.iter().fold(request, |request, body| request.json(body));
        self.send(request.bearer_auth(login)).await.unwrap()
    }

    /// What a payment provider would send about a payment, signed.
    pub async fn report(
        &self,
        gateway: usize,
        event: &str,
        kind: &str,
        payment: &str,
        order: &str,
        amount: i64,
    ) -> Answer {
        let body = serde_json::json!({ "type": kind, "data": {
            "paymentId": payment, "orderId": order, "amount": { "amount": amount, "currency": "CNY" } } });
        let body = body.to_string();
        let now = chrono::Utc::now().timestamp();
        let secret: domain::webhook::WebhookSecret = super::WEBHOOK_SECRET.parse().unwrap();
        let signature = secret.sign(event, now, body.as_bytes());
        let request = self.http.post(format!("{}/api/v1/payments/webhook", self.bases[gateway]));
        let headers =
            [("webhook-id", event), ("webhook-timestamp", &now.to_string()), ("webhook-signature", &signature)];
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.send(request.header("content-type", "application/json").body(body)).await.unwrap()
    }

    /// One purchase.
    pub async fn buy(&self, gateway: usize, sale: &str, body: &str) -> Answer {
        self.post_on(gateway, &format!("/api/v1/sales/{sale}/orders"), body).await.unwrap()
    }

    /// A purchase, repeated as the answer says while it is 503 or 429.
    pub async fn insist(&self, gateway: usize, sale: &str, body: &str) -> Answer {
        for _ in 0..60 {
            let answer = self.buy(gateway, sale, body).await;
            if answer.status != 503 && answer.status != 429 {
                return answer;
            }
            let wait = answer.retry_after.unwrap_or_else(|| panic!("no Retry-After in {answer:?}"));
            tokio::time::sleep(Duration::from_secs(wait)).await;
        }
        panic!("still 503 after 60 tries");
    }

    /// Polls a job until it is finished.
    pub async fn finished(&self, gateway: usize, job: &str) -> Value {
        for _ in 0..600 {
            let answer = self.get_on(gateway, &format!("/api/v1/jobs/{job}")).await;
            if answer.status == 200 && answer.json["status"] != "queued" {
                return answer.json;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("job {job} is not finished after 30 s");
    }
}
