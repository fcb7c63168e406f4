# What the benchmarks run on: the binary, brokers of their own, the peers.

BENCHMARKS=(plan apply validate messaging flow rest-or-kafka outage soak crash start build) # the longest, which nothing should disturb, last
WORK=$STATE/bench
export BENCH_WORK=$WORK BENCH_HEAP=2g
export PYTHONDONTWRITEBYTECODE=1 # nothing beside the sources
CLUSTER=bench
# Far from the clusters of the tests, so that none of theirs is ever in the way.
BASE_PORT=${BENCH_BASE_PORT:-14091}

list_benchmarks() {
  local name
  echo "usage: ./dev bench NAME…"
  echo
  for name in "${BENCHMARKS[@]}"; do
    printf '  %-13s %s\n' "$name" "$(sed -n '1s/^"""//p' "benches/$name.py" | sed 's/"""$//')"
  done
  printf '  %-13s %s\n' all "all of them"
}

release_build() {
  cargo build --release --quiet
  export BENCH_KAFKAFLOW=${CARGO_TARGET_DIR:-$ROOT/target}/release/kafkaflow
}

# A benchmark that is a program of its own, over the library; where it is, on standard output.
bench_build() {
  local built
  built=$(cargo build --release --quiet --bench "$1" --message-format=json | sed -n 's/.*"name":"'"$1"'".*"executable":"\([^"]*\)".*/\1/p')
  [[ -n $built ]] || die "benches/$1 was not built"
  printf '%s\n' "$built"
}

messaging_build() {
  BENCH_MESSAGING=$(bench_build messaging)
  export BENCH_MESSAGING
}

flow_build() {
  release_build
  BENCH_FLOW=$(bench_build flow)
  export BENCH_FLOW
}

outage_build() {
  release_build
  BENCH_OUTAGE=$(bench_build outage)
  export BENCH_OUTAGE
}

OUR_POSTGRES=''
have_postgres() {
  [[ -z ${BENCH_POSTGRES:-} ]] || return 0
  need_packages postgres
  if ! ./dev postgres status >/dev/null 2>&1; then
    OUR_POSTGRES=1
    ./dev postgres start --fresh
  fi
  eval "$(./dev postgres env --prefix BENCH_)"
  export BENCH_POSTGRES_PID=$STATE/postgres/cluster/data/postmaster.pid
}

OURS='' # did we start the brokers?
have_brokers() {
  [[ -z ${BENCH_BROKERS:-} ]] || return 0
  need_packages java mvn openssl
  if ./dev kafka status --cluster $CLUSTER >/dev/null 2>&1; then
    note "using the brokers of cluster '$CLUSTER' that already run"
  else
    OURS=1
    KAFKA_HEAP=$BENCH_HEAP ./dev kafka start --cluster $CLUSTER --base-port "$BASE_PORT" --fresh
  fi
  eval "$(./dev kafka env --cluster $CLUSTER --prefix BENCH_)"
  export BENCH_CLUSTER_DIR=$STATE/kafka/$CLUSTER
  BENCH_HEAP=$(sed -n 's/^# heap = //p' "$BENCH_CLUSTER_DIR/node-1/server.properties")
}

# Waits for a command in a process group of its own: a signal is obeyed at once and takes whatever is being measured along.
RUNNING=''
in_background() {
  setsid "$@" &
  RUNNING=$!
  wait "$RUNNING"
  RUNNING=''
}

clean_up() {
  [[ -z $RUNNING ]] || kill -TERM -- "-$RUNNING" 2>/dev/null || true
  # Their data is made anew at the next start, so they need not end in order.
  [[ -z $OUR_POSTGRES ]] || ./dev postgres stop || true
  [[ -z $OURS ]] || ./dev kafka stop --cluster $CLUSTER --kill || true
}

# The peers are Python packages, installed once into an environment of their own.
have_peers() {
  local venv=$STATE/bench-venv
  export BENCH_PYTHON=$venv/bin/python
  if ! cmp -s benches/peers/requirements.txt "$venv/installed"; then
    note "installing the peers: $(paste -sd' ' benches/peers/requirements.txt)"
    rm -rf "$venv"
    python3 -m venv "$venv" || die "python3 cannot make a virtual environment (Debian: apt-get install python3-venv)"
    "$venv/bin/pip" install -q --disable-pip-version-check -r benches/peers/requirements.txt
    cp benches/peers/requirements.txt "$venv/installed"
  fi
}

# ajv is a package for Node.js, installed once for its lock file; the script stands beside what it imports.
have_ajv() {
  export BENCH_AJV=$STATE/bench-ajv
  mkdir -p "$BENCH_AJV"
  if ! cmp -s benches/peers/ajv/package-lock.json "$BENCH_AJV/installed"; then
    cp benches/peers/ajv/package*.json "$BENCH_AJV"
    (cd "$BENCH_AJV" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
    cp benches/peers/ajv/package-lock.json "$BENCH_AJV/installed"
  fi
  cp benches/peers/ajv/validate.mjs "$BENCH_AJV"
}

have_spring() {
  spring_peer spring
  export BENCH_SPRING=$STATE/bench-spring/run
}

have_spring_flow() {
  spring_peer spring-flow
  export BENCH_SPRING_FLOW=$STATE/bench-spring-flow/run
}

# A peer on Spring: jars by Maven, classes by javac, made once for what its folder holds.
spring_peer() {
  local folder=$STATE/bench-$1 sum
  sum=$(cat "benches/peers/$1"/* | sha256sum)
  [[ $(cat "$folder/made-of" 2>/dev/null) != "$sum" ]] || return 0
  need_packages javac mvn
  note "resolving the peer on Spring with Maven"
  rm -rf "$folder"
  mkdir -p "$folder"
  if ! mvn -q -B -f "benches/peers/$1/pom.xml" dependency:copy-dependencies -DoutputDirectory="$folder/lib" >"$WORK/maven.log" 2>&1; then
    tail -n 15 "$WORK/maven.log" >&2
    die "Maven found no jars"
  fi
  javac --release 17 -d "$folder/classes" -cp "$folder/lib/*" "benches/peers/$1"/*.java
  cp "benches/peers/$1/run" "$folder"
  echo "$sum" >"$folder/made-of"
}
