# The settings of a node. What `start` compares is this text: any difference restarts the node.

declare -A PASSWORD=([admin]=admin-secret [alice]=alice-secret [bob]=bob-secret)
USERS=(admin alice bob)

# use_settings VERSION HEAP JVM: what the nodes are to run with; JVM is more options for it.
use_settings() {
  VERSION=$1 HEAP=$2 JVM=$3
  [[ $VERSION =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || usage_error "'$VERSION' is no Kafka version such as $DEFAULT_VERSION"
  [[ $HEAP =~ ^([1-9][0-9]*)([mMgG])$ ]] || usage_error "KAFKA_HEAP='$HEAP': say 768m or 2g"
  local megabytes=${BASH_REMATCH[1]}
  [[ ${BASH_REMATCH[2]} == [mM] ]] || megabytes=$((megabytes * 1024))
  ((megabytes >= 256)) || usage_error "KAFKA_HEAP='$HEAP': a broker needs at least 256m"
}

# What node N was last started with, read from the head of its server.properties.
recorded() { sed -n "s/^# $2 = //p" "$(node_dir "$1")/server.properties" 2>/dev/null || true; }

unchanged() { [[ $(settings "$1") == "$(cat "$(node_dir "$1")/server.properties" 2>/dev/null)" ]]; }

# settings NODE: its server.properties. The lines `# name = value` are read back by `recorded`.
settings() {
  local node=$1
  cat <<EOF
# version = $VERSION
# heap = $HEAP
# jvm = $JVM
# certificates = $(certificates_id)

process.roles=broker,controller
node.id=$node
controller.quorum.voters=$(voters)
controller.listener.names=CONTROLLER
# Each version has its own data: an older broker cannot read a newer one's.
log.dirs=$(node_dir "$node")/data/$VERSION

$(listener_settings "$node")

# Nobody may do anything by default, but the plain listener stays open: its clients are ANONYMOUS.
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:admin

# A rack for each, and consumers that say where they are read the replica there.
broker.rack=rack-$node
replica.selector.class=org.apache.kafka.common.replica.RackAwareReplicaSelector

auto.create.topics.enable=false
delete.topic.enable=true
offsets.topic.replication.factor=3
offsets.topic.num.partitions=6
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
transaction.state.log.num.partitions=6
share.coordinator.state.topic.replication.factor=3
share.coordinator.state.topic.min.isr=2
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000

# Tests stop brokers: notice it, and choose others, within seconds.
broker.heartbeat.interval.ms=1000
broker.session.timeout.ms=6000
controller.quorum.election.timeout.ms=1000
controller.quorum.election.backoff.max.ms=500
controller.quorum.fetch.timeout.ms=2000

# Three brokers on two cores.
num.network.threads=2
num.io.threads=4
background.threads=4
num.recovery.threads.per.data.dir=1
log.cleaner.threads=1
log.cleaner.dedupe.buffer.size=4194304
EOF
}

voters() {
  local node all=()
  for node in "${NODES[@]}"; do all+=("$node@$(endpoint CONTROLLER "$node")"); done
  local IFS=,
  echo "${all[*]}"
}

# Bound to 127.0.0.1 only. Those of SASL are advertised as `localhost`, so that both names of the certificate are tried.
listener_settings() {
  local node=$1 name bound=() advertised=()
  for name in "${LISTENERS[@]}"; do
    bound+=("$name://127.0.0.1:$(port "$name" "$node")")
    [[ $name == CONTROLLER ]] || advertised+=("$name://$(endpoint "$name" "$node")")
  done
  local security=org.apache.kafka.common.security IFS=,
  cat <<EOF
listeners=${bound[*]}
advertised.listeners=${advertised[*]}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL,MTLS:SSL,REAUTH:SASL_SSL
inter.broker.listener.name=PLAINTEXT
ssl.keystore.type=PEM
ssl.keystore.location=$CERTS/broker.pem
ssl.truststore.type=PEM
ssl.truststore.location=$CERTS/ca.pem

listener.name.sasl_ssl.sasl.enabled.mechanisms=SCRAM-SHA-256,SCRAM-SHA-512,PLAIN,OAUTHBEARER
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=$security.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=$security.scram.ScramLoginModule required;
listener.name.sasl_ssl.plain.sasl.jaas.config=$(plain_users)
# Takes unsigned tokens ("alg":"none"): for tests.
listener.name.sasl_ssl.oauthbearer.sasl.jaas.config=$security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";
listener.name.mtls.ssl.client.auth=required
# Ends a connection that has not logged in again after ten seconds.
listener.name.reauth.sasl.enabled.mechanisms=PLAIN
listener.name.reauth.plain.sasl.jaas.config=$(plain_users)
listener.name.reauth.plain.connections.max.reauth.ms=10000
EOF
}

plain_users() {
  local user line="org.apache.kafka.common.security.plain.PlainLoginModule required"
  for user in "${USERS[@]}"; do line+=" user_$user=\"${PASSWORD[$user]}\""; done
  echo "$line;"
}

# The same users for SCRAM, as StorageTool takes them.
scram_users() {
  local user mechanism
  for user in "${USERS[@]}"; do
    for mechanism in SCRAM-SHA-256 SCRAM-SHA-512; do
      printf '%s\n' --add-scram "$mechanism=[name=$user,password=${PASSWORD[$user]}]"
    done
  done
}
