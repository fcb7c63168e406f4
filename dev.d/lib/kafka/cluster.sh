# A cluster: its directory, its ports, its lock.
#
#   target/dev/kafka/lib-VERSION/          Apache Kafka's jars        (shared, see jars.sh)
#   target/dev/kafka/certs/                CA and certificates        (shared, see certs.sh)
#   target/dev/kafka/CLUSTER/base-port     first plain port
#   target/dev/kafka/CLUSTER/cluster-id    lives as long as the data
#   target/dev/kafka/CLUSTER/node-N/       pid, server.properties, server.log, data/VERSION

KAFKA=$STATE/kafka
NODES=(1 2 3)
DEFAULT_VERSION=4.3.0

# Every listener of node N is at base-port + offset + N - 1. Clusters are 500 ports apart, so two never meet.
MAIN_BASE_PORT=9091
declare -A OFFSET=([PLAINTEXT]=0 [SASL_SSL]=200 [MTLS]=300 [REAUTH]=400 [CONTROLLER]=10000)
LISTENERS=(PLAINTEXT SASL_SSL MTLS REAUTH CONTROLLER)
declare -A HOST=([PLAINTEXT]=127.0.0.1 [SASL_SSL]=localhost [MTLS]=127.0.0.1 [REAUTH]=localhost [CONTROLLER]=127.0.0.1)

use_cluster() {
  CLUSTER=$1
  [[ $CLUSTER =~ ^[a-z][a-z0-9-]*$ && $CLUSTER != certs && $CLUSTER != lib-* ]] ||
    usage_error "'$CLUSTER' is no cluster name: small letters, digits and '-'"
  DIR=$KAFKA/$CLUSTER
  BASE_PORT=$(cat "$DIR/base-port" 2>/dev/null || true)
}

port() { echo $((BASE_PORT + OFFSET[$1] + $2 - 1)); } # LISTENER NODE
endpoint() { echo "${HOST[$1]}:$(port "$1" "$2")"; }
endpoints() { # LISTENER -> the three, comma separated
  local node all=()
  for node in "${NODES[@]}"; do all+=("$(endpoint "$1" "$node")"); done
  local IFS=,
  echo "${all[*]}"
}

node_dir() { echo "$DIR/node-$1"; }

# choose_base_port [PORT]: the one asked for, else the cluster's own, else the first that no other cluster has.
choose_base_port() {
  local wanted=${1:-} other
  if [[ -z $wanted && -n $BASE_PORT ]]; then return; fi
  if [[ -z $wanted && $CLUSTER != main ]]; then
    wanted=$((MAIN_BASE_PORT + 500))
    while other=$(cluster_near "$wanted") && [[ -n $other ]]; do wanted=$((wanted + 500)); done
  fi
  BASE_PORT=${wanted:-$MAIN_BASE_PORT}
  ((BASE_PORT >= 1024 && BASE_PORT < 19091)) || usage_error "--base-port must be 1024 to 19090"
  other=$(cluster_near "$BASE_PORT")
  [[ -z $other ]] || usage_error "base port $BASE_PORT is too near to cluster '$other' ($(cat "$KAFKA/$other/base-port")): keep 500 apart"
}

# The other cluster, if any, whose listeners could meet those of base port $1. `main` has its ports even before its first start.
cluster_near() {
  local file name base
  [[ $CLUSTER == main || -f $KAFKA/main/base-port ]] || near main "$1" "$MAIN_BASE_PORT"
  for file in "$KAFKA"/*/base-port; do
    [[ -f $file ]] || continue
    name=$(basename "$(dirname "$file")")
    base=$(<"$file")
    [[ $name == "$CLUSTER" ]] || near "$name" "$1" "$base"
  done | sed -n 1p
}
near() {
  local distance=$(($2 > $3 ? $2 - $3 : $3 - $2))
  ((distance >= 500)) || echo "$1"
}

# One start or stop at a time for each cluster; a lock ends with the process that holds it.
lock_cluster() {
  mkdir -p "$KAFKA"
  exec 8>"$KAFKA/$CLUSTER.lock"
  flock -n 8 && return
  note "another ./dev kafka works on cluster '$CLUSTER'; waiting for it"
  flock -w 300 8 || die "cluster '$CLUSTER' is still locked after 300 s"
}
# For what all clusters share: ports, jars, certificates.
with_shared_lock() {
  mkdir -p "$KAFKA"
  exec 9>"$KAFKA/.lock"
  flock -w 600 9 || die "$KAFKA/.lock is still held after 600 s"
  "$@"
  exec 9>&-
}
