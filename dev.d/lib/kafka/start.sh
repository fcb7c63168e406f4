# start and stop, for the whole cluster and for one broker of it.

# start_cluster BASE_PORT FRESH: afterwards all three run with the settings in use and serve.
start_cluster() {
  local base_port=$1 fresh=$2 began node launching=() changed=()
  began=$(now_ms)
  lock_cluster
  with_shared_lock prepare_shared "$base_port"
  if [[ -n $fresh ]]; then wipe; fi

  for node in "${NODES[@]}"; do
    if [[ -z $(pid_of "$node") ]]; then
      launching+=("$node")
    elif ! unchanged "$node"; then
      changed+=("$node")
    fi
  done
  if ((${#changed[@]})); then
    note "settings differ: restarting node ${changed[*]}"
    stop_nodes TERM 20 "${changed[@]}"
    launching+=("${changed[@]}")
  fi
  if ((${#launching[@]})); then launch "${launching[@]}"; fi
  await_serving 120 1,2,3 "${NODES[@]}"
  if ((${#launching[@]})); then
    note "cluster '$CLUSTER' serves: Kafka $VERSION, $(endpoints PLAINTEXT) ($(seconds_since "$began"))"
  else
    note "cluster '$CLUSTER' already runs: Kafka $VERSION, $(endpoints PLAINTEXT)"
  fi
}

# start_node NODE: one broker of a cluster that was started before.
start_node() {
  local node=$1 running
  lock_cluster
  with_shared_lock prepare_shared ""
  if [[ -n $(pid_of "$node") ]] && ! unchanged "$node"; then
    note "settings differ: restarting node $node"
    stop_nodes TERM 20 "$node"
  fi
  if [[ -n $(pid_of "$node") ]]; then note "node $node already runs"; else launch "$node"; fi
  running=$(still_running "${NODES[@]}")
  if [[ $running != *' '* ]]; then
    note "node $node runs alone of three: no quorum, so it serves nothing until another is started"
    return
  fi
  # The others too: a caller may ask any of them next.
  # shellcheck disable=SC2086  # a list of numbers
  await_serving 120 "${running// /,}" $running
  note "serving: node ${running// /, }"
}

# stop_cluster SIGNAL [NODE]
stop_cluster() {
  local signal=$1 began running
  began=$(now_ms)
  [[ -d $DIR ]] || die "there is no cluster '$CLUSTER'"
  lock_cluster
  # shellcheck disable=SC2086  # no node: all of them
  running=$(still_running ${2:-"${NODES[@]}"})
  if [[ -z $running ]]; then
    note "${2:+node $2 of }cluster '$CLUSTER' does not run"
    return
  fi
  # shellcheck disable=SC2086  # a list of numbers
  stop_nodes "$signal" 20 $running
  note "cluster '$CLUSTER': stopped node $running ($(seconds_since "$began"))"
}

# What clusters share, and the choice of the ports, which looks at the others.
prepare_shared() { # BASE_PORT
  choose_base_port "$1"
  resolve_jars "$VERSION"
  make_certificates
  mkdir -p "$DIR"
  echo "$BASE_PORT" >"$DIR/base-port"
}

# Nothing needs to end in order when its data goes.
wipe() {
  stop_nodes KILL 10 "${NODES[@]}"
  rm -rf "$DIR"/node-*/data "$DIR/cluster-id"
}

# Starts these nodes without waiting.
launch() { # NODE…
  local node
  for node in "$@"; do check_ports "$node"; done
  for node in "$@"; do
    mkdir -p "$(node_dir "$node")"
    settings "$node" >"$(node_dir "$node")/server.properties"
  done
  format_nodes "$@"
  for node in "$@"; do spawn_node "$node"; done
}
