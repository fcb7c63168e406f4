//! One connection to one broker: framing, version negotiation, pipelining, session renewal.

use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::{
    ApiKey, ApiVersionsRequest, ApiVersionsResponse, RequestHeader, ResponseHeader,
};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::diagnosis;
use super::error::WireError;
use super::sasl;
use super::tls::TlsSetup;
use crate::connection::{Address, ConnectionConfig};

/// No response is larger: the configurations of 10,000 topics in one would be a tenth of it.
pub(in crate::kafka) const MAX_RESPONSE: usize = 128 << 20;

/// A stream, plain or encrypted.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

pub(super) struct Connection {
    reader: ReadHalf<Box<dyn Stream>>,
    writer: WriteHalf<Box<dyn Stream>>,
    address: Address,
    protocol: &'static str,
    client_id: StrBytes,
    next_id: i32,
    versions: Vec<ApiVersion>,
    /// `eligible.leader.replicas.version` as finalised by the cluster; 0 where unknown.
    elr_version: i16,
    request_timeout: Duration,
    /// When to log in again.
    renew_at: Option<Instant>,
}

impl Connection {
    /// Connects, encrypts, negotiates versions and logs in.
    pub(super) async fn open(
        address: &Address,
        config: &ConnectionConfig,
        tls: Option<&TlsSetup>,
    ) -> Result<Self, WireError> {
        let limit = config.connect_timeout;
        let late = || WireError::TimedOut { address: address.clone(), during: "connecting", after: limit };
        timeout(limit, Self::open_unbounded(address, config, tls)).await.map_err(|_| late())?
    }

    async fn open_unbounded(
        address: &Address,
        config: &ConnectionConfig,
        tls: Option<&TlsSetup>,
    ) -> Result<Self, WireError> {
        let tcp = connect(address).await?;
        let stream: Box<dyn Stream> = match tls {
            None => Box::new(tcp),
            Some(tls) => match diagnosis::server_name(address) {
                Ok(name) => match tls.connector.connect(name, tcp).await {
                    Ok(stream) => Box::new(stream),
                    Err(error) => return Err(diagnosis::of_handshake(address, config, tls, &error).await),
                },
                Err(error) => return Err(error),
            },
        };
        let (reader, writer) = tokio::io::split(stream);
        let mut connection = Self {
            reader,
            writer,
            address: address.clone(),
            protocol: config.protocol.name(),
            client_id: StrBytes::from_string(config.client_id.clone()),
            next_id: 0,
            versions: Vec::new(),
            elr_version: 0,
            request_timeout: config.request_timeout,
            renew_at: None,
        };
        match connection.negotiate().await {
            Ok(()) => {}
            Err(error) => return Err(diagnosis::of_first_answer(address, config, tls, error).await),
        }
        tracing::debug!("{address}: connected over {}", config.protocol.name());
        connection.log_in(config).await?;
        Ok(connection)
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    pub(super) fn protocol(&self) -> &'static str {
        self.protocol
    }

    pub(super) fn elr_version(&self) -> i16 {
        self.elr_version
    }

    /// Logs in again when the session is about to end.
    pub(super) async fn renew(&mut self, config: &ConnectionConfig) -> Result<(), WireError> {
        if self.renew_at.is_some_and(|at| Instant::now() >= at) {
            self.log_in(config).await?;
        }
        Ok(())
    }

    async fn log_in(&mut self, config: &ConnectionConfig) -> Result<(), WireError> {
        let Some(login) = &config.login else { return Ok(()) };
        let started = Instant::now();
        let lifetime = sasl::log_in(self, login).await?;
        tracing::debug!("{}: logged in by {} in {:?}", self.address, login.mechanism(), started.elapsed());
        // Java's clients renew at 85 to 95% of the lifetime; we stay idle longer between calls.
        self.renew_at = lifetime.map(|lifetime| started + lifetime.mul_f64(0.5));
        Ok(())
    }

    async fn negotiate(&mut self) -> Result<(), WireError> {
        let request = ApiVersionsRequest::default()
            .with_client_software_name(StrBytes::from_static_str("kafkaflow"))
            .with_client_software_version(StrBytes::from_static_str(env!("CARGO_PKG_VERSION")));
        let mut answer: ApiVersionsResponse = self.exchange(3, &request).await?;
        // A broker from before version 3 answers in version 0 that it cannot (KIP-511).
        if answer.error_code == 35 {
            answer = self.exchange(0, &ApiVersionsRequest::default()).await?;
        }
        self.elr_version = answer
            .finalized_features
            .iter()
            .find(|feature| feature.name.as_str() == "eligible.leader.replicas.version")
            .map_or(0, |feature| feature.max_version_level);
        self.versions = answer.api_keys;
        Ok(())
    }

    /// The highest version that both sides speak.
    fn version<R: Request>(&self) -> Result<i16, WireError> {
        let unsupported = |range: String| WireError::Unsupported {
            address: self.address.clone(),
            api: api_name(R::KEY),
            range,
        };
        let theirs = self.versions.iter().find(|version| version.api_key == R::KEY);
        let theirs = theirs.ok_or_else(|| unsupported(String::new()))?;
        let highest = theirs.max_version.min(R::VERSIONS.max);
        if highest < theirs.min_version.max(R::VERSIONS.min) {
            return Err(unsupported(format!(
                " (it speaks {} to {})",
                theirs.min_version, theirs.max_version
            )));
        }
        Ok(highest)
    }

    /// Sends one request and waits for its answer.
    pub(super) async fn call<R: Request + HeaderVersion>(
        &mut self,
        request: &R,
    ) -> Result<R::Response, WireError> {
        let version = self.version::<R>()?;
        self.exchange(version, request).await
    }

    async fn exchange<R: Request + HeaderVersion>(
        &mut self,
        version: i16,
        request: &R,
    ) -> Result<R::Response, WireError> {
        self.next_id = self.next_id.wrapping_add(1);
        let frame = encode(&self.address, &self.client_id, self.next_id, version, request)?;
        let (api, address) = (api_name(R::KEY), &self.address);
        let (writer, reader, limit) = (&mut self.writer, &mut self.reader, self.request_timeout);
        let send = async { write(writer, address, api, &frame).await };
        let receive = read_frame(reader, address, api, limit);
        let began = Instant::now();
        let ((), answer) = tokio::try_join!(send, receive)?;
        tracing::debug!("{address}: {api} v{version}: {} bytes in {:?}", answer.len(), began.elapsed());
        decode::<R>(address, version, self.next_id, answer)
    }

    /// Sends many requests without waiting in between and hands over each answer as it arrives, in
    /// order. Reading goes on while writing waits, or two full socket buffers would stop each other.
    pub(super) async fn pipeline<R: Request + HeaderVersion>(
        &mut self,
        requests: &[R],
        mut each: impl FnMut(usize, R::Response),
    ) -> Result<(), WireError> {
        let version = self.version::<R>()?;
        let first = self.next_id.wrapping_add(1);
        let count = requests.len();
        self.next_id = self.next_id.wrapping_add(i32::try_from(count).unwrap_or(i32::MAX));
        let (api, address) = (api_name(R::KEY), &self.address);
        let (writer, reader, limit) = (&mut self.writer, &mut self.reader, self.request_timeout);
        let client_id = &self.client_id;
        let id_of = |index: usize| first.wrapping_add(i32::try_from(index).unwrap_or(i32::MAX));
        let send = async {
            for (index, request) in requests.iter().enumerate() {
                let frame = encode(address, client_id, id_of(index), version, request)?;
                write(writer, address, api, &frame).await?;
            }
            Ok(())
        };
        let receive = async {
            for index in 0..count {
                let answer = read_frame(reader, address, api, limit).await?;
                each(index, decode::<R>(address, version, id_of(index), answer)?);
            }
            Ok(())
        };
        let began = Instant::now();
        tokio::try_join!(send, receive)?;
        tracing::debug!("{address}: {count} x {api} v{version} in {:?}", began.elapsed());
        Ok(())
    }
}

async fn connect(address: &Address) -> Result<TcpStream, WireError> {
    let resolved: Vec<_> = match tokio::net::lookup_host((address.host.as_str(), address.port)).await {
        Ok(resolved) => resolved.collect(),
        Err(error) => {
            return Err(WireError::Unresolved { address: address.clone(), reason: error.to_string() });
        }
    };
    let mut last = None;
    for socket in resolved {
        match TcpStream::connect(socket).await {
            Ok(stream) => {
                // A request is one write; waiting for more would only delay it.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => last = Some(error),
        }
    }
    Err(match last {
        Some(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            WireError::Refused { address: address.clone() }
        }
        Some(error) => WireError::Io { address: address.clone(), reason: error.to_string() },
        None => WireError::Unresolved { address: address.clone(), reason: "no address".into() },
    })
}

fn api_name(key: i16) -> &'static str {
    match ApiKey::try_from(key) {
        Ok(ApiKey::ApiVersions) => "ApiVersions",
        Ok(ApiKey::SaslHandshake) => "SaslHandshake",
        Ok(ApiKey::SaslAuthenticate) => "SaslAuthenticate",
        Ok(ApiKey::Metadata) => "Metadata",
        Ok(ApiKey::DescribeConfigs) => "DescribeConfigs",
        Ok(ApiKey::CreateTopics) => "CreateTopics",
        Ok(ApiKey::DeleteTopics) => "DeleteTopics",
        Ok(ApiKey::CreatePartitions) => "CreatePartitions",
        Ok(ApiKey::IncrementalAlterConfigs) => "IncrementalAlterConfigs",
        Ok(ApiKey::ListOffsets) => "ListOffsets",
        Ok(ApiKey::Produce) => "Produce",
        Ok(ApiKey::InitProducerId) => "InitProducerId",
        Ok(ApiKey::Fetch) => "Fetch",
        _ => "a request",
    }
}

fn encode<R: Request + HeaderVersion>(
    address: &Address,
    client_id: &StrBytes,
    id: i32,
    version: i16,
    request: &R,
) -> Result<BytesMut, WireError> {
    let mut frame = BytesMut::with_capacity(256);
    frame.put_i32(0);
    let header = RequestHeader::default()
        .with_request_api_key(R::KEY)
        .with_request_api_version(version)
        .with_correlation_id(id)
        .with_client_id(Some(client_id.clone()));
    let encoded = header
        .encode(&mut frame, R::header_version(version))
        .and_then(|()| request.encode(&mut frame, version));
    let bad =
        |reason: String| WireError::Malformed { address: address.clone(), api: api_name(R::KEY), reason };
    encoded.map_err(|error| bad(format!("the request cannot be written: {error}")))?;
    let length = i32::try_from(frame.len() - 4).map_err(|_| bad("the request is too large".into()))?;
    frame[..4].copy_from_slice(&length.to_be_bytes());
    Ok(frame)
}

async fn write(
    writer: &mut WriteHalf<Box<dyn Stream>>,
    address: &Address,
    api: &'static str,
    frame: &[u8],
) -> Result<(), WireError> {
    let sent = async {
        writer.write_all(frame).await?;
        writer.flush().await
    };
    sent.await.map_err(|error| diagnosis::of_lost(address, api, &error))
}

async fn read_frame(
    reader: &mut ReadHalf<Box<dyn Stream>>,
    address: &Address,
    api: &'static str,
    limit: Duration,
) -> Result<Bytes, WireError> {
    let read = async {
        let length = reader.read_u32().await.map_err(|error| diagnosis::of_lost(address, api, &error))?;
        diagnosis::of_length(address, length, MAX_RESPONSE)?;
        let length = length as usize;
        // Grown as bytes arrive: a length is a claim, not a reason to allocate.
        let mut frame = BytesMut::with_capacity(length.min(1 << 20));
        while frame.len() < length {
            frame.reserve((length - frame.len()).min(1 << 20));
            let mut rest = (&mut *reader).take((length - frame.len()) as u64);
            if rest.read_buf(&mut frame).await.map_err(|error| diagnosis::of_lost(address, api, &error))? == 0
            {
                return Err(WireError::Closed { address: address.clone(), during: api });
            }
        }
        Ok(frame.freeze())
    };
    timeout(limit, read).await.map_err(|_| WireError::TimedOut {
        address: address.clone(),
        during: api,
        after: limit,
    })?
}

fn decode<R: Request + HeaderVersion>(
    address: &Address,
    version: i16,
    id: i32,
    mut answer: Bytes,
) -> Result<R::Response, WireError> {
    let bad =
        |reason: String| WireError::Malformed { address: address.clone(), api: api_name(R::KEY), reason };
    let header = ResponseHeader::decode(&mut answer, R::Response::header_version(version))
        .map_err(|error| bad(error.to_string()))?;
    if header.correlation_id != id {
        return Err(bad(format!("it answers request {}, not {id}", header.correlation_id)));
    }
    // An old broker answers ApiVersions in version 0, whatever it was asked in.
    let fallback = answer.clone();
    match R::Response::decode(&mut answer, version) {
        Ok(response) => Ok(response),
        Err(_) if R::KEY == ApiKey::ApiVersions as i16 => {
            R::Response::decode(&mut fallback.clone(), 0).map_err(|error| bad(error.to_string()))
        }
        Err(error) => Err(bad(error.to_string())),
    }
}
