# One node as a process: format, start, stop, and whether it is still the one we started.

# The pid file says which process it was: pid, the kernel's start time of it, boot. A pid alone may be another's by now.
start_time() { # PID -> clock ticks since boot; empty when it is gone or a zombie
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  stat=${stat##*) } # the name in front may hold anything
  [[ $stat == Z* ]] || cut -d' ' -f20 <<<"$stat"
}
boot() { cat /proc/sys/kernel/random/boot_id; }

pid_of() { # NODE -> its pid while it runs, else empty
  local pid started booted file
  file=$(node_dir "$1")/pid
  [[ -f $file ]] && read -r pid started booted <"$file" || return 0
  if [[ $booted == "$(boot)" && -n $started && $(start_time "$pid") == "$started" ]]; then echo "$pid"; fi
}

# Before a start: is somebody else on one of its ports?
check_ports() { # NODE
  local name port owner
  for name in "${LISTENERS[@]}"; do
    port=$(port "$name" "$1")
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      owner=$(ss -Hltnp "sport = :$port" 2>/dev/null | sed -n 's/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/ (\1, pid \2)/p' | sed -n 1p) || true # without `ss`, no name
      die "port $port, which node $1 of cluster '$CLUSTER' needs for $name, is taken by another process$owner"
    fi
  done
}

format_node() { # NODE
  local dir data args=()
  dir=$(node_dir "$1") data=$(node_dir "$1")/data/$VERSION
  [[ -f $data/meta.properties ]] && return # written last
  rm -rf "$data"
  mapfile -t args < <(scram_users)
  java_tool "$VERSION" kafka.tools.StorageTool format -t "$(<"$DIR/cluster-id")" -c "$dir/server.properties" "${args[@]}" \
    >"$dir/format.log" 2>&1 && return
  rm -rf "$data"
  note "node $1 could not be formatted:"
  tail -n 10 "$dir/format.log" >&2
  return 1
}

format_nodes() { # NODE…
  local node job jobs=() failed=
  # 16 random bytes in base64url, as `kafka-storage random-uuid` prints, without the JVM. It may not begin with '-'.
  [[ -s $DIR/cluster-id ]] || echo "k$(openssl rand 16 | basenc --base64url | cut -c2-22)" >"$DIR/cluster-id"
  for node in "$@"; do
    format_node "$node" &
    jobs+=($!)
  done
  for job in "${jobs[@]}"; do wait "$job" || failed=1; done
  [[ -z $failed ]] || exit 1
}

# Starts the process and returns. It outlives the caller: own session, no descriptor of the caller (a pipe of whoever
# captures our output, our locks) stays open in it.
spawn_node() { # NODE
  local dir options
  dir=$(node_dir "$1")
  mapfile -t options < <(log_options "$VERSION" INFO)
  [[ ! -f $dir/server.log ]] || mv "$dir/server.log" "$dir/server.log.1"
  (
    close_descriptors
    # shellcheck disable=SC2086  # several words
    exec setsid "$JAVA" -Xms256m -Xmx"$HEAP" -XX:+UseG1GC -XX:+ExitOnOutOfMemoryError -Djava.awt.headless=true \
      "${options[@]}" $JVM -cp "$(jars "$VERSION")/*" kafka.Kafka "$dir/server.properties"
  ) </dev/null >"$dir/server.log" 2>&1 &
  echo "$! $(start_time $!) $(boot)" >"$dir/pid"
}

log_tail() { # NODE
  note "the end of node $1's log ($(node_dir "$1")/server.log):"
  tail -n 15 "$(node_dir "$1")/server.log" | cut -c1-300 >&2
}

# stop_nodes SIGNAL SECONDS NODE…: all at once; whoever has not ended in time is killed. The last one of a cluster often
# cannot end in order: its controlled shutdown waits for a quorum that is gone. It gets three seconds alone.
stop_nodes() {
  local signal=$1 seconds=$2 left began alone
  shift 2
  signal_nodes "$signal" "$@"
  began=$(now_ms) alone=$began
  while left=$(still_running "$@") && [[ -n $left ]]; do
    [[ $(running_nodes | wc -l) == 1 ]] || alone=$(now_ms)
    # shellcheck disable=SC2086  # a list of numbers
    if (($(now_ms) - alone > 3000)); then
      signal_nodes KILL $left
    elif (($(now_ms) - began > seconds * 1000)); then
      note "node $left did not end within $seconds s: killing"
      signal_nodes KILL $left
      began=$(now_ms)
    fi
    sleep 0.1
  done
  local node
  for node in "$@"; do rm -f "$(node_dir "$node")/pid"; done
}

signal_nodes() { # SIGNAL NODE…
  local signal=$1 node pid
  shift
  for node in "$@"; do
    pid=$(pid_of "$node")
    [[ -z $pid ]] || kill -s "$signal" "$pid" 2>/dev/null || true
  done
}
still_running() { # NODE… -> those that run, on one line
  local node all=()
  for node in "$@"; do [[ -z $(pid_of "$node") ]] || all+=("$node"); done
  echo "${all[*]-}"
}
running_nodes() { # -> all that run, one a line
  local node
  for node in "${NODES[@]}"; do
    [[ -z $(pid_of "$node") ]] || echo "$node"
  done
}

# await_serving SECONDS LISTED NODE…: until each NODE's metadata lists all of LISTED (comma separated) and a controller.
await_serving() {
  local seconds=$1 listed=$2 node brokers=() processes=() answer rc=0
  shift 2
  for node in "$@"; do
    brokers+=("$node=$(endpoint PLAINTEXT "$node")")
    processes+=(--alive "$node=$(pid_of "$node")")
  done
  answer=$(python3 dev.d/lib/kafka/metadata.py --within "$seconds" --listed "$listed" "${processes[@]}" "${brokers[@]}") || rc=$?
  case $rc in
    0) return ;;
    3)
      for node in ${answer//died/}; do
        log_tail "$node"
        note "node $node ended"
      done
      exit 1
      ;;
    *)
      for node in "$@"; do
        grep -qx "$node" <<<"$answer" || { log_tail "$node"; note "node $node does not serve after $seconds s"; }
      done
      exit 1
      ;;
  esac
}
